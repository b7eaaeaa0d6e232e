"""The steps: each does in Odoo what a user would, and looks at what came of it.

They run inside Odoo, in its shell, so that a database is seen as an administrator sees
it. What a step has to remember for a later one it keeps in a system parameter.
"""

import json
import traceback
from collections import Counter
from unittest.mock import patch

from ovh_simulator import inside

DONE = "MATRIX STEP DONE"
MEMORY = "matrix.memory"
# Models whose forms and lists people use; those of modules that are not installed are
# left out.
MODELS = (
    "mailing.mailing",
    "mailing.trace",
    "mailing.list",
    "sms.sms",
    "sms.composer",
    "sms.template",
    "res.partner",
    "res.company",
    "res.config.settings",
    "crm.lead",
    "sale.order",
    "calendar.event",
    "event.event",
    "event.mail",
    "mailing.sms.test",
    "phone.blacklist",
    "mail.message",
    "base.automation",
    "ir.actions.server",
    "ir.cron",
)

# What must be gone once the addon is uninstalled: what it is, and a query for it.
LEFTOVERS = {
    "tables, views and sequences": (
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'S') AND "
        "relname LIKE 'sms_ovh%'"
    ),
    "functions and triggers": (
        "SELECT proname FROM pg_proc WHERE proname LIKE '%sms_ovh%' UNION SELECT "
        "tgname FROM pg_trigger WHERE tgname LIKE '%sms_ovh%'"
    ),
    "constraints": "SELECT conname FROM pg_constraint WHERE conname LIKE '%sms_ovh%'",
    "columns": (
        "SELECT table_name || '.' || column_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name LIKE '%sms_ovh%'"
    ),
    "indexes": (
        "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname "
        "LIKE '%sms_ovh%'"
    ),
    "storage of tables": (
        "SELECT relname FROM pg_class WHERE relname LIKE 'sms%' AND reloptions IS NOT "
        "NULL"
    ),
    "models": "SELECT model FROM ir_model WHERE model LIKE 'sms.ovh%'",
    "fields": (
        "SELECT model || '.' || name FROM ir_model_fields WHERE name LIKE '%sms_ovh%' "
        "OR relation LIKE 'sms.ovh%'"
    ),
    "external ids": "SELECT name FROM ir_model_data WHERE module = 'sms_ovh'",
    "forms and lists": (
        "SELECT name FROM ir_ui_view WHERE arch_db::text LIKE '%sms_ovh%' OR model "
        "LIKE 'sms.ovh%'"
    ),
    "actions": "SELECT id FROM ir_act_server WHERE code LIKE '%sms_ovh%'",
    "windows": "SELECT id FROM ir_act_window WHERE res_model LIKE 'sms.ovh%'",
    "scheduled actions": (
        "SELECT cron_name FROM ir_cron WHERE cron_name LIKE 'OVHcloud%'"
    ),
    "menus": "SELECT id FROM ir_ui_menu WHERE name::text LIKE '%OVHcloud%'",
    "groups": "SELECT id FROM res_groups_privilege WHERE name::text LIKE '%OVHcloud%'",
    "rules": "SELECT name FROM ir_rule WHERE name LIKE 'OVHcloud%'",
    "storage parameters": (
        "SELECT relname FROM pg_class WHERE relname = 'sms_sms' AND reloptions IS NOT "
        "NULL"
    ),
    "activities": "SELECT id FROM mail_activity WHERE res_model LIKE 'sms.ovh%'",
    "activity types": (
        "SELECT id FROM mail_activity_type WHERE res_model LIKE 'sms.ovh%'"
    ),
    "attachments": "SELECT id FROM ir_attachment WHERE res_model LIKE 'sms.ovh%'",
    "failures": (
        "SELECT failure_type FROM sms_sms WHERE failure_type LIKE 'sms_ovh%' UNION "
        "SELECT failure_type FROM mailing_trace WHERE failure_type LIKE 'sms_ovh%' "
        "UNION SELECT failure_type FROM mail_notification WHERE failure_type LIKE "
        "'sms_ovh%'"
    ),
}


class Wrong(Exception):
    """Something is not as it must be."""


def check(condition, *words):
    """Go on only where a condition holds.

    :param condition: what must be true.
    :param words: what is wrong where it is not.
    :raise Wrong: where it is not.
    """
    if not condition:
        raise Wrong(" ".join(map(str, words)))


def run(env, name, **options):
    """Run a step, commit it and print that it is done.

    :param env: Odoo's environment.
    :param str name: the step's function.
    :param options: what it wants to know.
    """
    try:
        env.user.company_id = env.ref("base.main_company")
        found = globals()[name](env, **options)
        env.cr.commit()
        print(f"{DONE}: {found or ''}", flush=True)
    except Exception:
        env.cr.rollback()
        traceback.print_exc()
        raise SystemExit(1) from None


def remember(env, **values):
    """Keep values for later steps."""
    env["ir.config_parameter"].set_param(MEMORY, json.dumps({**recall(env), **values}))


def recall(env):
    """Return what earlier steps kept."""
    return json.loads(env["ir.config_parameter"].get_param(MEMORY) or "{}")


# -- what people do -----------------------------------------------------------


def mailing_of(env, numbers, subject, **values):
    """Make an SMS campaign to contacts of these numbers."""
    mailing_list = env["mailing.list"].create({"name": subject})
    env["mailing.contact"].create(
        [
            {
                "name": number,
                "mobile": number,
                "country_id": env.ref("base.fr").id,
                "list_ids": mailing_list.ids,
            }
            for number in numbers
        ]
    )
    return env["mailing.mailing"].create(
        {
            "subject": subject,
            "mailing_type": "sms",
            "body_plaintext": f"Bonjour, {subject}",
            "mailing_model_id": env["ir.model"]._get_id("mailing.list"),
            "contact_list_ids": mailing_list.ids,
            **values,
        }
    )


def numbers_from(first, count=2):
    """Return numbers that the simulated OVHcloud delivers to."""
    return [f"+3361{first + index:07d}" for index in range(count)]


def _iap_answers(self, local_endpoint, params, timeout=15):
    return [
        {"uuid": number["uuid"], "state": "success", "credit": 1}
        for message in params["messages"]
        for number in message["numbers"]
    ]


def iap():
    """Have Odoo's own service answer that it sent everything, without asking it."""
    from odoo.addons.sms.tools.sms_api import SmsApi

    return patch.object(SmsApi, "_contact_iap", _iap_answers)


def run_cron(env, xmlid):
    """Run a scheduled action as Odoo does."""
    env.cr.commit()
    env.ref(xmlid).with_user(env.ref("base.user_root")).method_direct_trigger()
    # It has a transaction of its own: only a new one here sees what it did.
    env.cr.commit()
    env.invalidate_all()


def run_queue_jobs(env):
    """Do what OCA's queue_job is to do, where it is installed, as its runner would."""
    if "queue.job" not in env:
        return
    from odoo.addons.queue_job.job import Job

    for record in env["queue.job"].search([("state", "in", ("pending", "enqueued"))]):
        job = Job.load(env, record.uuid)
        job.perform()
        job.set_done()
        job.store()
    env.cr.commit()
    env.invalidate_all()


def open_everything(env):
    """Open the forms and lists of all models, and read records as they show them."""
    own = env["ir.model"].search([("model", "=like", "sms.ovh.%")])
    names = [
        name
        for name in (
            *MODELS,
            *own.filtered(lambda model: not model.abstract).mapped("model"),
        )
        if name in env
    ]
    count = 0
    for name in names:
        model = env[name]
        if model._abstract:
            continue
        kinds = ["form", "list", "search"] + ["kanban"] * (not model._transient)
        views = model.get_views([(False, kind) for kind in kinds])
        check(views["views"], name, "has no views")
        count += len(kinds)
        if not model._transient:
            model.search([], limit=5).read()
    for action in env["ir.actions.act_window"].search([("res_model", "in", names)]):
        check(action.res_model in env, action.name, "opens what is not there")
    return f"{count} views"


# -- before, and without the addon --------------------------------------------


def make_existing(env):
    """Have SMS and campaigns that were made and sent before the addon came."""
    done = mailing_of(env, numbers_from(0), "Avant")
    with iap():
        done.action_send_sms()
        env["sms.sms"]._process_queue()
    draft = mailing_of(env, numbers_from(10), "Brouillon")
    planned = mailing_of(
        env,
        numbers_from(20),
        "Prévu",
        schedule_type="scheduled",
        schedule_date="2099-01-01",
    )
    planned.action_put_in_queue()
    partner = env["res.partner"].create(
        {
            "name": "Cliente",
            "phone": "+33610000030",
            "country_id": env.ref("base.fr").id,
        }
    )
    partner._message_sms("Bonjour")
    with iap():
        env["sms.sms"].search(
            [("mail_message_id", "in", partner.message_ids.ids)]
        ).send()
    queued = env["sms.sms"].create(
        [{"number": number, "body": "En attente"} for number in numbers_from(40)]
    )
    remember(
        env,
        done=done.id,
        draft=draft.id,
        planned=planned.id,
        partner=partner.id,
        queued=queued.ids,
    )
    check(done.sent == 2, "the campaign sent", done.sent, "SMS")


def check_installed(env):
    """See that what was there before works on, and still leaves by Odoo's own service."""
    # The demo data have the company send through OVHcloud.
    env["res.company"].search([]).sms_ovh_account_id = False
    env["sms.ovh.account"].search([]).action_archive()
    memory = recall(env)
    mailings = env["mailing.mailing"].browse(
        [memory["done"], memory["draft"], memory["planned"]]
    )
    check(mailings.exists() == mailings, "campaigns are gone")
    check(
        mailings.mapped("state") == ["done", "draft", "in_queue"],
        "campaigns are",
        mailings.mapped("state"),
    )
    mailings.read()
    check(
        mailings[0].sent == 2 and mailings[0].statistics_ids
        if "statistics_ids" in mailings
        else mailings[0].sent == 2,
        "the figures of a campaign changed",
    )
    queued = env["sms.sms"].browse(memory["queued"])
    check(queued.exists() == queued, "queued SMS are gone")
    check(
        set(queued.mapped("state")) == {"outgoing"},
        "queued SMS are",
        queued.mapped("state"),
    )
    check(
        all(queued.mapped("sms_segments")),
        "SMS that were queued before are not counted",
    )
    with iap():
        run_cron(env, "sms.ir_cron_sms_scheduler_action")
    check(
        not queued.exists()
        or set(queued.exists().mapped("state")) <= {"sent", "pending"},
        "SMS that were queued before stay",
        queued.exists().mapped("state"),
    )
    with iap():
        mailings[1].action_send_sms()
        run_cron(env, "sms.ir_cron_sms_scheduler_action")
    check(
        mailings[1].mailing_trace_ids.filtered("sent_datetime"),
        "a campaign from before is not sent",
    )
    return open_everything(env)


# -- with OVHcloud ------------------------------------------------------------


def connect(env, api_url):
    """Have the main company send through the simulated OVHcloud."""
    account = inside.connect(env, api_url)
    remember(env, account=account.id)
    return account.display_name


def send(env, first=100, path=None):
    """Send a campaign and an SMS on a record, and have them delivered."""
    if path:
        from odoo.modules import get_module_path

        check(
            get_module_path("sms_ovh").startswith(path),
            "the addon is",
            get_module_path("sms_ovh"),
        )
    mailing = mailing_of(env, numbers_from(first, 3), "Ventes privées")
    mailing.action_put_in_queue()
    run_cron(env, "mass_mailing.ir_cron_mass_mailing_queue")
    run_cron(env, "sms.ir_cron_sms_scheduler_action")
    run_cron(env, "sms_ovh.ir_cron_post_jobs")
    partner = env["res.partner"].create(
        {"name": "Client", "phone": numbers_from(first + 50)[0]}
    )
    partner._message_sms("Votre commande est prête")
    env.cr.commit()
    run_queue_jobs(env)
    jobs = env["sms.ovh.job"].search([("state", "!=", "accepted")])
    check(not jobs, "jobs are", jobs.mapped("state"), jobs.mapped("error"))
    traces = mailing.mailing_trace_ids
    check(
        len(traces) == 3 and set(traces.mapped("trace_status")) <= {"pending", "sent"},
        "traces are",
        traces.mapped("trace_status"),
    )
    notification = env["mail.notification"].search(
        [("res_partner_id", "=", partner.id), ("notification_type", "=", "sms")]
    )
    check(
        notification.notification_status in ("pending", "sent"),
        "the notification is",
        notification.notification_status,
    )
    remember(env, sent=mailing.id)
    return f"{len(traces) + 1} SMS accepted"


def leave_open(env):
    """Leave SMS in all states: queued, in the outbox, unknown, paused, held back."""
    Sms = env["sms.sms"]
    queued = Sms.create(
        [{"number": number, "body": "En attente"} for number in numbers_from(200)]
    )
    claimed = Sms.create(
        [{"number": number, "body": "Pris"} for number in numbers_from(210)]
    )
    claimed._sms_ovh_claim()
    unknown = Sms.create(
        [{"number": number, "body": "Inconnu"} for number in numbers_from(220)]
    )
    job = unknown._sms_ovh_claim()
    job.write({"state": "posting"})
    job.write({"state": "unknown", "next_attempt": "2099-01-01"})
    paused = mailing_of(env, numbers_from(230), "En pause")
    paused.action_send_sms()
    paused.sms_ovh_paused = True
    held = Sms.create(
        [
            {"number": number, "body": "Retenu", "sms_ovh_send_at": "2099-01-01"}
            for number in numbers_from(240)
        ]
    )
    held.sms_ovh_send_at = "2099-01-01"
    planned = mailing_of(
        env,
        numbers_from(250),
        "Plus tard",
        schedule_type="scheduled",
        schedule_date="2099-01-01",
    )
    planned.action_put_in_queue()
    account = env.company.sms_ovh_account_id
    account._pause("credit", "Plus de SMS")
    account.message_post(body="Bonjour")
    env["sms.ovh.event"]._receive_delivery(
        account.id, {"id": "1", "ptt": "4", "description": "1"}
    )
    remember(
        env,
        queued=queued.ids,
        claimed=claimed.ids,
        unknown=unknown.ids,
        held=held.ids,
        paused=paused.id,
        planned=planned.id,
        paused_sms=Sms.search([("mailing_id", "=", paused.id)]).ids,
    )


# -- without it again ---------------------------------------------------------


def uninstall(env):
    """Uninstall the addon as an administrator does."""
    env["ir.module.module"].search(
        [("name", "=", "sms_ovh")]
    ).button_immediate_uninstall()


def check_uninstalled(env):
    """See that nothing is left that breaks, and that SMS leave by Odoo's own service again."""

    def query(sql):
        env.cr.execute(sql)
        return [row[0] for row in env.cr.fetchall()]

    module = env["ir.module.module"].search([("name", "=", "sms_ovh")])
    check(module.state == "uninstalled", "the module is", module.state)
    left = {what: query(sql) for what, sql in LEFTOVERS.items()}
    left = {what: names for what, names in left.items() if names}
    check(not left, "left behind:", left)
    memory = recall(env)
    Sms = env["sms.sms"]
    states = {
        name: Counter(Sms.browse(memory[name]).exists().mapped("state"))
        for name in ("queued", "claimed", "unknown", "held", "paused_sms")
        if name in memory
    }
    wanted = {
        "queued": "outgoing",
        "claimed": "outgoing",
        "unknown": "error",
        "held": "canceled",
        "paused_sms": "canceled",
    }
    for name, counts in states.items():
        check(set(counts) == {wanted[name]}, name, "SMS are", dict(counts))
    with iap():
        run_cron(env, "sms.ir_cron_sms_scheduler_action")
    waiting = Sms.search([("state", "in", ("outgoing", "process"))])
    check(not waiting, len(waiting), "SMS wait for ever:", waiting.mapped("state"))
    mailing = mailing_of(env, numbers_from(300), "Après")
    with iap():
        mailing.action_send_sms()
        run_cron(env, "sms.ir_cron_sms_scheduler_action")
    check(mailing.sent == 2, "a campaign without the addon sent", mailing.sent, "SMS")
    planned = env["mailing.mailing"].browse(memory["planned"])
    check(planned.state == "in_queue", "a planned campaign is", planned.state)
    planned.schedule_date = "2020-01-01"
    with iap():
        run_cron(env, "mass_mailing.ir_cron_mass_mailing_queue")
        run_cron(env, "sms.ir_cron_sms_scheduler_action")
    check(
        planned.state == "done" and planned.sent == 2,
        "a planned campaign became",
        planned.state,
        planned.sent,
    )
    # The clock menu asks every model that has activities.
    env.user._get_activity_groups()
    if "queue.job" in env:
        env["queue.job"].search([]).read()
    for cron in env["ir.cron"].search([("cron_name", "ilike", "sms")]):
        check(cron.model_id.model in env, cron.cron_name, "is of a model that is gone")
    return open_everything(env)


def check_neutralized(env):
    """See that a neutralised copy, its scheduled actions run by hand, sends nothing."""
    check(
        env["ir.config_parameter"].get_param("database.is_neutralized"),
        "the copy is not neutralised",
    )
    account = env["sms.ovh.account"].search([])
    for name in (
        *inside.KEYS,
        "client_secret",
        "http_password",
        "pending_consumer_key",
        "connect_state",
    ):
        check(not any(account.mapped(name)), name, "is left")
    own = env["ir.model.data"].search(
        [("module", "=", "sms_ovh"), ("model", "=", "ir.cron")]
    )
    crons = env["ir.cron"].with_context(active_test=False).browse(own.mapped("res_id"))
    check(
        len(crons) >= 6 and not any(crons.mapped("active")), "scheduled actions are on"
    )

    def no_request(session, request, **kwargs):
        raise Wrong(f"{request.method} {request.url} was called")

    import requests

    with patch.object(requests.Session, "send", no_request):
        for cron in (
            crons
            | env.ref("sms.ir_cron_sms_scheduler_action")
            | env.ref("mass_mailing.ir_cron_mass_mailing_queue")
        ):
            env.cr.commit()
            cron.with_user(env.ref("base.user_root")).method_direct_trigger()
        account.action_synchronise()
    env.invalidate_all()
    waiting = env["sms.sms"].search_count([("state", "in", ("outgoing", "process"))])
    check(not waiting, waiting, "SMS wait")
    jobs = env["sms.ovh.job"].search_count(
        [("state", "in", ("queued", "posting", "unknown"))]
    )
    check(not jobs, jobs, "jobs wait")
    return f"{len(crons)} scheduled actions off"


# -- from an earlier state ----------------------------------------------------


def _check_figures(env):
    """See that the figures are those of what was sent, before the update too."""
    logged = Counter(env["sms.ovh.log"].search([]).mapped("state"))
    check(logged, "nothing was sent before")
    figures = env["sms.ovh.figure"].search([])
    for state, __ in env["sms.ovh.log"]._fields["state"].selection:
        count = sum(figures.mapped(state))
        check(count == logged[state], count, "SMS are", state, "not", logged[state])


def check_kept(env):
    """See that what waited when the addon was updated waits on, or leaves now, once."""
    memory = recall(env)
    _check_figures(env)
    Sms = env["sms.sms"]
    wanted = {
        "queued": "outgoing",
        "claimed": "process",
        "unknown": "process",
        "held": "outgoing",
        "paused_sms": "outgoing",
    }
    for name, state in wanted.items():
        states = set(Sms.browse(memory[name]).mapped("state"))
        check(states == {state}, name, "SMS are", states)
    event = env["sms.ovh.event"].search([("sms_ovh_id", "=", "1")])
    check(
        event.state == "new" and event.create_date and event.company_id == env.company,
        "the report from before is",
        event.read(),
    )
    account = env["sms.ovh.account"].browse(memory["account"])
    check(account.pause_reason == "credit", "the account is no longer stopped")
    account.action_resume()
    run_cron(env, "sms.ir_cron_sms_scheduler_action")
    run_cron(env, "sms_ovh.ir_cron_post_jobs")
    for name in ("queued", "claimed"):
        sms = Sms.browse(memory[name])
        check(set(sms.mapped("state")) == {"pending"}, name, sms.mapped("state"))
    for name in ("held", "paused_sms"):
        states = set(Sms.browse(memory[name]).mapped("state"))
        check(states == {"outgoing"}, name, "SMS are", states)
    check(account._find_by_token(account.callback_token), "the address is not known")
    for sms in Sms.browse(memory["queued"]):
        env["sms.ovh.event"]._receive_delivery(
            account.id, {"id": sms.sms_ovh_id, "ptt": "4", "description": "1"}
        )
    run_cron(env, "sms_ovh.ir_cron_process_events")
    states = set(Sms.browse(memory["queued"]).mapped("state"))
    check(states == {"sent"}, "SMS that were delivered are", states)
    check(event.state == "waiting", "the report from before is", event.state)
    env.cr.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'sms_ovh_event'"
    )
    columns = {name for (name,) in env.cr.fetchall()}
    stored = {name for name, field in event._fields.items() if field.store}
    check(columns == stored, "the inbox has columns", columns ^ stored)
    return open_everything(env)

"""The steps: each does in Odoo what a user would, and looks at what came of it.

They run inside Odoo, as in its shell, so that a database is seen as an administrator sees
it. What a step has to remember for a later one it keeps in a system parameter.
"""

import json
from collections import Counter
from unittest.mock import patch

from ovh_simulator import inside

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

# Of an account, besides its keys.
SECRETS = ("client_secret", "http_password", "pending_consumer_key", "connect_state")
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
    """Go on only where a condition holds; raise :class:`Wrong` of the words where not."""
    if not condition:
        raise Wrong(" ".join(map(str, words)))


def remember(env, **values):
    """Keep values for later steps."""
    env["ir.config_parameter"].set_param(MEMORY, json.dumps({**recall(env), **values}))


def query(env, sql):
    """Return the first column of what a query finds."""
    env.cr.execute(sql)
    return [row[0] for row in env.cr.fetchall()]


def recall(env):
    """Return what earlier steps kept."""
    return json.loads(env["ir.config_parameter"].get_param(MEMORY) or "{}")


# -- what people do -----------------------------------------------------------


def mailing_of(env, numbers, subject, **values):
    """Make an SMS campaign to contacts of these numbers."""
    values.setdefault("body_plaintext", f"Bonjour, {subject}")
    return inside.create_mailing(env, subject, numbers, **values)


def numbers_from(first, count=2):
    """Return numbers that the simulated OVHcloud delivers to."""
    return [f"+3361{first + index:07d}" for index in range(count)]


def make_sms(env, first, body, **values):
    """Put SMS into Odoo's queue."""
    return env["sms.sms"].create(
        [{"number": each, "body": body, **values} for each in numbers_from(first)]
    )


def make_planned(env, first, subject):
    """Make a campaign that is sent in a far future."""
    planned = mailing_of(
        env,
        numbers_from(first),
        subject,
        schedule_type="scheduled",
        schedule_date="2099-01-01",
    )
    planned.action_put_in_queue()
    return planned


def states_of(records, name="state"):
    """Return the states of those records that there are."""
    return set(records.exists().mapped(name))


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


CAMPAIGNS = "mass_mailing.ir_cron_mass_mailing_queue"
QUEUE = "sms.ir_cron_sms_scheduler_action"


def run_crons(env, *xmlids):
    """Run scheduled actions as Odoo does."""
    for xmlid in xmlids:
        env.cr.commit()
        env.ref(xmlid).with_user(env.ref("base.user_root")).method_direct_trigger()
    # They have transactions of their own: only a new one here sees what they did.
    env.cr.commit()
    env.invalidate_all()


def report_delivery(env, account, sms_ovh_id):
    """Receive OVHcloud's report that an SMS was delivered."""
    report = {"id": sms_ovh_id, "ptt": "4", "description": "1"}
    env["sms.ovh.event"]._receive_delivery(account.id, report)


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
    names = [name for name in (*MODELS, *own.mapped("model")) if name in env]
    names = [name for name in names if not env[name]._abstract]
    count = 0
    for name in names:
        model = env[name]
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
    planned = make_planned(env, 20, "Prévu")
    partner = env["res.partner"].create({"name": "Cliente", "phone": "+33610000030"})
    partner.country_id = env.ref("base.fr")
    partner._message_sms("Bonjour")
    with iap():
        written = [("mail_message_id", "in", partner.message_ids.ids)]
        env["sms.sms"].search(written).send()
    queued = make_sms(env, 40, "En attente")
    remember(env, done=done.id, draft=draft.id, planned=planned.id, queued=queued.ids)
    check(done.sent == 2, "the campaign sent", done.sent, "SMS")


def check_installed(env):
    """See that what was there before works on, and still leaves by Odoo's own service."""
    # The demo data have the company send through OVHcloud.
    env["res.company"].search([]).sms_ovh_account_id = False
    env["sms.ovh.account"].search([]).action_archive()
    memory = recall(env)
    kept = {"done": "done", "draft": "draft", "planned": "in_queue"}
    mailings = env["mailing.mailing"].browse(memory[name] for name in kept)
    check(mailings.exists() == mailings, "campaigns are gone")
    states = mailings.mapped("state")
    check(states == [*kept.values()], "campaigns are", states)
    mailings.read()
    done, draft, __ = mailings
    figures = done.sent == 2 and getattr(done, "statistics_ids", True)
    check(figures, "the figures of a campaign changed")
    queued = env["sms.sms"].browse(memory["queued"])
    check(queued.exists() == queued, "queued SMS are gone")
    check(states_of(queued) == {"outgoing"}, "queued SMS are", states_of(queued))
    counted = all(queued.mapped("sms_segments"))
    check(counted, "SMS that were queued before are not counted")
    with iap():
        run_crons(env, QUEUE)
        left = states_of(queued)
        check(left <= {"sent", "pending"}, "SMS that were queued before stay", left)
        draft.action_send_sms()
        run_crons(env, QUEUE)
    sent = draft.mailing_trace_ids.filtered("sent_datetime")
    check(sent, "a campaign from before is not sent")
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

        found = get_module_path("sms_ovh")
        check(found.startswith(path), "the addon is", found)
    mailing = mailing_of(env, numbers_from(first, 3), "Ventes privées")
    mailing.action_put_in_queue()
    run_crons(env, CAMPAIGNS, QUEUE, "sms_ovh.ir_cron_post_jobs")
    partner = env["res.partner"].create(
        {"name": "Client", "phone": numbers_from(first + 50)[0]}
    )
    partner._message_sms("Votre commande est prête")
    env.cr.commit()
    run_queue_jobs(env)
    jobs = env["sms.ovh.job"].search([("state", "!=", "accepted")])
    check(not jobs, "jobs are", jobs.mapped("state"), jobs.mapped("error"))
    traces = mailing.mailing_trace_ids
    states = traces.mapped("trace_status")
    fine = len(traces) == 3 and set(states) <= {"pending", "sent"}
    check(fine, "traces are", states)
    notification = env["mail.notification"].search(
        [("res_partner_id", "=", partner.id), ("notification_type", "=", "sms")]
    )
    status = notification.notification_status
    check(status in ("pending", "sent"), "the notification is", status)
    return f"{len(traces) + 1} SMS accepted"


def leave_open(env):
    """Leave SMS in all states: queued, in the outbox, unknown, paused, held back."""
    queued = make_sms(env, 200, "En attente")
    claimed = make_sms(env, 210, "Pris")
    claimed._sms_ovh_claim()
    unknown = make_sms(env, 220, "Inconnu")
    job = unknown._sms_ovh_claim()
    job.write({"state": "posting"})
    job.write({"state": "unknown", "next_attempt": "2099-01-01"})
    paused = mailing_of(env, numbers_from(230), "En pause")
    paused.action_send_sms()
    paused.sms_ovh_paused = True
    held = make_sms(env, 240, "Retenu", sms_ovh_send_at="2099-01-01")
    held.sms_ovh_send_at = "2099-01-01"
    planned = make_planned(env, 250, "Plus tard")
    account = env.company.sms_ovh_account_id
    account._pause("credit", "Plus de SMS")
    account.message_post(body="Bonjour")
    report_delivery(env, account, "1")
    remember(
        env,
        queued=queued.ids,
        claimed=claimed.ids,
        unknown=unknown.ids,
        held=held.ids,
        planned=planned.id,
        paused_sms=env["sms.sms"].search([("mailing_id", "=", paused.id)]).ids,
    )


# -- without it again ---------------------------------------------------------


def uninstall(env):
    """Uninstall the addon as an administrator does."""
    env["ir.module.module"].search(
        [("name", "=", "sms_ovh")]
    ).button_immediate_uninstall()


def check_uninstalled(env):
    """See that nothing is left that breaks, and that SMS leave by Odoo's own service again."""
    module = env["ir.module.module"].search([("name", "=", "sms_ovh")])
    check(module.state == "uninstalled", "the module is", module.state)
    left = {what: query(env, sql) for what, sql in LEFTOVERS.items()}
    left = {what: names for what, names in left.items() if names}
    check(not left, "left behind:", left)
    memory = recall(env)
    Sms = env["sms.sms"]
    for name, state in {
        "queued": "outgoing",
        "claimed": "outgoing",
        "unknown": "error",
        "held": "canceled",
        "paused_sms": "canceled",
    }.items():
        states = states_of(Sms.browse(memory[name]))
        check(states == {state}, name, "SMS are", states)
    with iap():
        run_crons(env, QUEUE)
    waiting = Sms.search([("state", "in", ("outgoing", "process"))])
    check(not waiting, len(waiting), "SMS wait for ever:", waiting.mapped("state"))
    mailing = mailing_of(env, numbers_from(300), "Après")
    with iap():
        mailing.action_send_sms()
        run_crons(env, QUEUE)
    check(mailing.sent == 2, "a campaign without the addon sent", mailing.sent, "SMS")
    planned = env["mailing.mailing"].browse(memory["planned"])
    check(planned.state == "in_queue", "a planned campaign is", planned.state)
    planned.schedule_date = "2020-01-01"
    with iap():
        run_crons(env, CAMPAIGNS, QUEUE)
    became = planned.state, planned.sent
    check(became == ("done", 2), "a planned campaign became", *became)
    # The clock menu asks every model that has activities.
    env.user._get_activity_groups()
    if "queue.job" in env:
        env["queue.job"].search([]).read()
    for cron in env["ir.cron"].search([("cron_name", "ilike", "sms")]):
        check(cron.model_id.model in env, cron.cron_name, "is of a model that is gone")
    return open_everything(env)


def check_neutralized(env):
    """See that a neutralised copy, its scheduled actions run by hand, sends nothing."""
    neutralized = env["ir.config_parameter"].get_param("database.is_neutralized")
    check(neutralized, "the copy is not neutralised")
    account = env["sms.ovh.account"].search([])
    for name in (*inside.KEYS, *SECRETS):
        check(not any(account.mapped(name)), name, "is left")
    own = env["ir.model.data"].search(
        [("module", "=", "sms_ovh"), ("model", "=", "ir.cron")]
    )
    crons = env["ir.cron"].with_context(active_test=False).browse(own.mapped("res_id"))
    off = len(crons) >= 6 and not any(crons.mapped("active"))
    check(off, "scheduled actions are on")

    def no_request(session, request, **kwargs):
        raise Wrong(f"{request.method} {request.url} was called")

    import requests

    with patch.object(requests.Session, "send", no_request):
        for cron in crons | env.ref(QUEUE) | env.ref(CAMPAIGNS):
            env.cr.commit()
            cron.with_user(env.ref("base.user_root")).method_direct_trigger()
        account.action_synchronise()
    env.invalidate_all()
    waiting = env["sms.sms"].search_count([("state", "in", ("outgoing", "process"))])
    check(not waiting, waiting, "SMS wait")
    is_open = [("state", "in", ("queued", "posting", "unknown"))]
    jobs = env["sms.ovh.job"].search_count(is_open)
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
    sms = {
        name: env["sms.sms"].browse(memory[name])
        for name in ("queued", "claimed", "unknown", "held", "paused_sms")
    }

    def check_states(state, *names):
        for name in names:
            states = set(sms[name].mapped("state"))
            check(states == {state}, name, "SMS are", states)

    check_states("outgoing", "queued", "held", "paused_sms")
    check_states("process", "claimed", "unknown")
    event = env["sms.ovh.event"].search([("sms_ovh_id", "=", "1")])
    check(
        event.state == "new" and event.create_date and event.company_id == env.company,
        "the report from before is",
        event.read(),
    )
    account = env["sms.ovh.account"].browse(memory["account"])
    check(account.pause_reason == "credit", "the account is no longer stopped")
    account.action_resume()
    run_crons(env, QUEUE, "sms_ovh.ir_cron_post_jobs")
    check_states("pending", "queued", "claimed")
    check_states("outgoing", "held", "paused_sms")
    check(account._find_by_token(account.callback_token), "the address is not known")
    for each in sms["queued"]:
        report_delivery(env, account, each.sms_ovh_id)
    run_crons(env, "sms_ovh.ir_cron_process_events")
    check_states("sent", "queued")
    check(event.state == "waiting", "the report from before is", event.state)
    columns = set(
        query(
            env,
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_name = 'sms_ovh_event'",
        )
    )
    stored = {name for name, field in event._fields.items() if field.store}
    check(columns == stored, "the inbox has columns", columns ^ stored)
    return open_everything(env)

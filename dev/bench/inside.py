"""What the benchmarks do inside Odoo, each call in a process of its own.

Each function gets an environment and plain values, and returns what JSON can hold.
"""

import importlib
import resource
import time
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from functools import partial
from uuid import uuid4

import requests
from ovh_simulator.inside import connect, create_mailing

from odoo import fields
from odoo.fields import Command
from odoo.tools import SQL, split_every

from . import twilio
from .processes import get_cpu

CREATE_AT_ONCE = 1000
CAMPAIGN_TABLES = ("sms_sms", "sms_tracker", "mailing_trace")
OWN_TABLES = ("sms_ovh_job", "sms_ovh_event", "sms_ovh_log", "sms_ovh_figure")
TWILIO_HOST = "https://api.twilio.com"
LINKED_TEXT = "nos soldes commencent samedi : https://boutique.example.org/soldes"
TEXT = "Bonjour, votre commande est prête à être retirée en magasin. Merci !"


# ------------------------------------------------------------
# Providers
# ------------------------------------------------------------


def set_up_iap(env, root):
    """Have the company send through a stand-in for Odoo's IAP."""
    env["ir.config_parameter"].set_param("sms.endpoint", root)


def set_up_twilio(env):
    """Have the company send through Twilio."""
    env.company.write(
        {
            "country_id": env.ref("base.fr").id,
            "sms_provider": "twilio",
            "sms_twilio_account_sid": "AC" + "0123456789abcdef" * 2,
            "sms_twilio_auth_token": "0123456789abcdef" * 2,
            "sms_twilio_number_ids": [
                Command.create(
                    {"number": "+33755000000", "country_id": env.ref("base.fr").id}
                )
            ],
        }
    )


def set_up_ovh(env, api_url):
    """Have the company send through the simulated OVHcloud."""
    connect(env, api_url)


def _redirect_twilio(root):
    """Send to a stand-in what would go to Twilio, whose address is hard-coded."""
    post = requests.Session.post

    def redirected(session, url, **kwargs):
        return post(session, url.replace(TWILIO_HOST, root, 1), **kwargs)

    requests.Session.post = redirected


# ------------------------------------------------------------
# Sending
# ------------------------------------------------------------


def _count_by(records, field, domain=()):
    """Return the count of records by a field's value."""
    return dict(records._read_group(list(domain), [field], ["__count"]))


def _trigger(env, xml_id, is_due):
    """Run a scheduled action as long as something is due, each time from nothing."""
    cron = env.ref(xml_id)
    while is_due():
        cron.method_direct_trigger()
        env.cr.commit()
        env.invalidate_all()


def queue(env, count, same):
    """Queue a campaign: SMS with tracker and trace, as the composer makes them.

    :param bool same: whether all get the same text, or each its own
    """
    values = {"body_plaintext": TEXT, "state": "sending"}
    mailing = create_mailing(env, f"{count} SMS", model="res.partner", **values)
    for indexes in split_every(CREATE_AT_ONCE, range(count)):
        vals_list = []
        for index in indexes:
            uuid = uuid4().hex
            number = f"+336{10000000 + index}"
            trace = {
                "mass_mailing_id": mailing.id,
                "model": "res.partner",
                "res_id": index + 1,
                "sms_number": number,
                "sms_tracker_ids": [Command.create({"sms_uuid": uuid})],
                "trace_type": "sms",
            }
            vals_list.append(
                {
                    "uuid": uuid,
                    "number": number,
                    "body": TEXT if same else f"{TEXT} N° {index}",
                    "mailing_id": mailing.id,
                    "mailing_trace_ids": [Command.create(trace)],
                }
            )
        env["sms.sms"].create(vals_list)
        env.flush_all()
        env.invalidate_all()
        env.cr.commit()
    _analyse(env)


def _analyse(env, *tables):
    """Have PostgreSQL know what tables hold, as its daemon does in time."""
    env.cr.commit()
    for table in tables or CAMPAIGN_TABLES:
        env.cr.execute(f"ANALYZE {table}")
    env.cr.commit()


def _running_cron(env):
    """Return a context in which the addon commits piece by piece, as in its cron.

    Not by the scheduled action itself: that has a cursor of its own, whose work would
    not be measured.
    """
    if "sms.ovh.job" not in env:
        return nullcontext()
    transaction = importlib.import_module("odoo.addons.sms_ovh.tools.transaction")
    return transaction.owning(env)


def send(env, twilio_root=None):
    """Send what is queued, as the cron does.

    :param str twilio_root: the stand-in for Twilio
    :return: what :func:`_measuring` finds, and count of SMS by state of their trace
    """
    if twilio_root:
        _redirect_twilio(twilio_root)
    Sms = env["sms.sms"]
    Sms.search_count([])
    with _measuring(env) as found:
        while Sms.search_count([("state", "=", "outgoing")], limit=1):
            with _running_cron(env):
                Sms._process_queue()
            env.cr.commit()
            # As each run of a cron begins with nothing.
            env.invalidate_all()
    return {**found, "states": _count_by(env["mailing.trace"], "trace_status")}


def send_as_user(env, count, one_by_one):
    """Send SMS of one text in one transaction, as users do, and commit it.

    :param bool one_by_one: whether each is sent on its own
    :return: seconds until the commit is over, and count of SMS by state once the cron
        has sent what that leaves to it
    """
    sms = env["sms.sms"].create(
        [{"number": f"+336{10000000 + index}", "body": TEXT} for index in range(count)]
    )
    env.cr.commit()
    wall = _time(
        lambda: [
            records.send(unlink_sent=False)
            for records in (sms if one_by_one else [sms])
        ],
        env.cr.commit,
    )
    env["sms.ovh.job"]._cron_post()
    env.cr.commit()
    env.invalidate_all()
    return {
        "wall": wall,
        "states": _count_by(sms, "state", [("id", "in", sms.ids)]),
    }


def _time(*functions):
    start = time.perf_counter()
    for function in functions:
        function()
    return time.perf_counter() - start


# ------------------------------------------------------------
# Reading back
# ------------------------------------------------------------


def reconcile(env):
    """Ask OVHcloud for the jobs whose answer was lost."""
    Job = env["sms.ovh.job"]
    Job.search([("state", "=", "unknown")]).next_attempt = False
    env.cr.commit()
    wall = _time(Job._reconcile_due)
    return {"wall": wall, "states": _count_by(Job, "state", [("sms_ids", "!=", False)])}


def poll(env):
    """Ask OVHcloud what became of SMS on which no report came."""
    trackers = env["sms.tracker"].search([("sms_ovh_poll_at", "!=", False)])
    trackers.sms_ovh_poll_at = "2020-01-01"
    env.cr.commit()
    due = partial(
        env["sms.tracker"].search_count,
        [("sms_ovh_poll_at", "<", "2020-01-02")],
        limit=1,
    )
    wall = _time(lambda: _trigger(env, "sms_ovh.ir_cron_poll", due))
    return {"wall": wall, "states": _count_by(env["mailing.trace"], "trace_status")}


def read_stops(env):
    """Read the STOP of the account, which never read any, into Odoo's blacklist."""
    account = env["sms.ovh.account"].search([], limit=1)

    def due():
        return not account.answers_read_at or account.stops_to_read

    wall = _time(lambda: _trigger(env, "sms_ovh.ir_cron_read_answers", due))
    return {"wall": wall, "count": env["phone.blacklist"].search_count([])}


def clear_stops(env):
    """Forget the STOP that were read."""
    env["sms.ovh.account"].search([]).answers_read_at = False
    env.cr.execute("DELETE FROM sms_ovh_stop")
    env.cr.execute("DELETE FROM mail_message WHERE model = 'phone.blacklist'")
    env.cr.execute("DELETE FROM phone_blacklist")
    env.cr.commit()


# ------------------------------------------------------------
# Composing
# ------------------------------------------------------------


def add_recipients(env, count):
    """Create a mailing list of as many recipients, and return its id."""
    mailing_list = env["mailing.list"].create({"name": f"{count} recipients"})
    # In SQL: what is measured is what becomes of them.
    env.cr.execute(
        """
        WITH contact AS (
            INSERT INTO mailing_contact (name, mobile, phone_sanitized, country_id)
            SELECT 'Client ' || i, '+336' || (10000000 + i), '+336' || (10000000 + i), %s
              FROM generate_series(1, %s) AS i
         RETURNING id
        )
        INSERT INTO mailing_subscription (contact_id, list_id, opt_out)
        SELECT id, %s, FALSE FROM contact
        """,
        [env.ref("base.fr").id, count, mailing_list.id],
    )
    _analyse(env, "mailing_contact", "mailing_subscription")
    return mailing_list.id


def compose(env, list_id):
    """Compose a campaign to a mailing list, as the cron does."""
    values = {"body_plaintext": TEXT, "contact_list_ids": [list_id]}
    mailing = create_mailing(env, "Compose", **values)
    mailing.action_put_in_queue()
    env.cr.commit()
    with _measuring(env, _get_backends) as found:
        _trigger(
            env,
            "mass_mailing.ir_cron_mass_mailing_queue",
            lambda: mailing.state != "done",
        )
    count = env["sms.sms"].search_count([("mailing_id", "=", mailing.id)])
    return {**found, "count": count}


def _leave_out_cleaning(env):
    """Read numbers as Odoo does, and write nothing in GSM-7: the state before both."""

    def patch(model, name, replacement=None):
        owner = next(
            each
            for each in env.registry[model].__mro__
            if each.__module__.startswith("odoo.addons.sms_ovh.") and name in vars(each)
        )
        if replacement:
            setattr(owner, name, replacement)
        else:
            delattr(owner, name)

    patch("base", "_phone_format_number")
    patch("mailing.mailing", "_sms_ovh_find_several", lambda mailing, records: set())
    patch("sms.composer", "_sms_ovh_as_rendered", lambda composer, *args: composer)


def accent_names(env, list_id):
    """Give half of a list names that GSM-7 has not, and numbers as people write them."""
    env.cr.execute(
        """
        UPDATE mailing_contact
           SET name = 'Zoë ' || mailing_contact.id,
               mobile = '06 ' || substr(mobile, 5, 2) || ' ' || substr(mobile, 7)
          FROM mailing_subscription
         WHERE contact_id = mailing_contact.id AND list_id = %s
           AND mailing_contact.id %% 2 = 0
        """,
        [list_id],
    )
    env.cr.commit()


def estimate(env, list_id, choice="off", cleaning=True):
    """Estimate a campaign with placeholders and a link, as the cron does.

    :param str choice: what is written in GSM-7
    :param bool cleaning: whether numbers are cleaned, and texts written in GSM-7
    :return: what :func:`_measuring` finds, and what the estimate says
    """
    mailing = create_mailing(
        env,
        "Estimate",
        contact_list_ids=[list_id],
        body_plaintext="Bonjour {{ object.name }}, " + LINKED_TEXT,
        sms_allow_unsubscribe=True,
        sms_ovh_gsm7=choice,
    )
    env.cr.commit()
    if not cleaning:
        _leave_out_cleaning(env)
    with _measuring(env, _get_backends) as found:
        mailing.action_sms_ovh_estimate()
        env.cr.commit()
        said = mailing.sms_ovh_estimate_id
        _trigger(env, "sms_ovh.ir_cron_estimate", lambda: said.state == "running")
    counts = {"count": said.sent_count, "segments": said.segment_count}
    return {**found, "state": said.state, **counts}


# ------------------------------------------------------------
# Delivery reports
# ------------------------------------------------------------


def set_up_reports(env, api_url):
    """Have a company that sends through OVHcloud, and another that does through Twilio."""
    account = connect(env, api_url)
    company = env["res.company"].create({"name": "Twilio"})
    set_up_twilio(env(context={"allowed_company_ids": company.ids}))
    env["ir.config_parameter"].set_param("web.base.url.freeze", "True")
    return account.callback_token, account.id, company.id


def add_sent(env, account_id, count):
    """Create SMS that OVHcloud took, with tracker and trace; return its ids."""
    queue(env, count, same=True)
    Sms = env["sms.sms"]
    ids = []
    while sms := Sms.search([("state", "=", "outgoing")], limit=CREATE_AT_ONCE):
        for job in sms._sms_ovh_claim():
            job.state = "posting"
            accepted = [
                {"uuid": uuid, "state": "success", "failure_reason": False}
                for uuid, __ in job.receivers
            ]
            for result in accepted:
                result["sms_ovh_id"] = str(10**9 + len(ids))
                ids.append(result["sms_ovh_id"])
            job._accept(job.receiver_count)
            job._apply(accepted)
        env.cr.commit()
    _analyse(env)
    return ids


def add_twilio_sent(env, company_id, count):
    """Create SMS that Twilio took; return UUID and signature of each one's report."""
    company = env["res.company"].browse(company_id)
    company_env = env(context={"allowed_company_ids": company.ids})
    queue(company_env, count, same=True)
    sms = company_env["sms.sms"].search([("state", "=", "outgoing")])
    sms.record_company_id = company
    sms.sms_tracker_id._action_update_from_sms_state("pending")
    sms.state = "pending"
    tools = importlib.import_module("odoo.addons.sms_twilio.tools.sms_twilio")
    sign = tools.generate_twilio_sms_callback_signature
    return [[uuid, sign(company, uuid, twilio.REPORT)] for uuid in sms.mapped("uuid")]


def drain(env, account_id, ids):
    """Process one report of delivery on each of these SMS, as the cron does."""
    Event = env["sms.ovh.event"]
    env.cr.execute("TRUNCATE sms_ovh_event")
    for some_ids in split_every(CREATE_AT_ONCE, ids):
        for sms_ovh_id in some_ids:
            Event._receive_delivery(
                account_id, {"id": sms_ovh_id, "ptt": "4", "description": "1"}
            )
        env.cr.commit()
    _analyse(env, "sms_ovh_event")
    with _measuring(env) as found:
        Event._cron_process()
    return {**found, "states": _count_by(Event, "state")}


def count_events(env):
    """Return how many reports the inbox holds, and empty it."""
    count = env["sms.ovh.event"].search_count([])
    env.cr.execute("TRUNCATE sms_ovh_event")
    return count


# ------------------------------------------------------------
# Between two measurements
# ------------------------------------------------------------


def clear(env):
    """Forget all campaigns."""
    tables = [*CAMPAIGN_TABLES, *(OWN_TABLES if "sms.ovh.job" in env else ())]
    env.cr.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
    env.cr.execute("DELETE FROM mailing_mailing")


def _get_backend(env):
    """Return the process of PostgreSQL that serves this one."""
    return [pid for (pid,) in env.execute_query(SQL("SELECT pg_backend_pid()"))]


def _get_backends(env):
    """Return the processes of all connections to the database.

    Crons have one of their own, which is kept for the next time.
    """
    env.cr.execute(
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = current_database() AND backend_type = 'client backend'"
    )
    return [pid for (pid,) in env.cr.fetchall()]


@contextmanager
def _measuring(env, get_backends=_get_backend):
    """Measure what the block takes.

    :param get_backends: function that finds PostgreSQL's processes to measure
    :return: the figures, as the context's value, complete when the block has ended:
        ``wall``, ``cpu`` and ``postgres`` in seconds, ``queries``, and how much the
        ``memory`` of this process grew, in MiB
    """
    found = {}
    peak = _get_peak()
    postgres = get_cpu(*get_backends(env))
    queries = env.cr.sql_log_count
    cpu = time.process_time()
    start = time.perf_counter()
    yield found
    found["wall"] = time.perf_counter() - start
    found["cpu"] = time.process_time() - cpu
    found["queries"] = env.cr.sql_log_count - queries
    found["postgres"] = get_cpu(*get_backends(env)) - postgres
    found["memory"] = _get_peak() - peak


def _ask_again(env, ask, times):
    """Ask for something as a client does, and again.

    :return: the last answer; and milliseconds of the first time and of those that
        follow, and the queries of one
    """
    taken = []
    for __ in range(times + 1):
        env.flush_all()
        env.invalidate_all()
        queries = env.cr.sql_log_count
        start = time.perf_counter()
        answer = ask()
        taken.append(1000 * (time.perf_counter() - start))
    queries = env.cr.sql_log_count - queries
    return answer, {"first": taken[0], "next": taken[1:], "queries": queries}


def _get_peak():
    """Return the most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# ------------------------------------------------------------
# Dashboard
# ------------------------------------------------------------


def fill_log(env, count):
    """Have sent SMS, spread over the last 30 days.

    In the log all of them, and in Odoo's queue what Odoo keeps there: it deletes what
    was sent within a day, and no failures. Of the figures, those of the last day are
    not added up yet, as if each SMS had been sent by itself: the worst that can be.
    """
    account = env.company.sms_ovh_account_id
    senders = account.sender_ids.ids
    env.cr.execute(
        """
        INSERT INTO sms_ovh_log (
            account_id, sender_id, date, number, sms_ovh_id, state, segments, credits
        )
        SELECT %s, (%s)[1 + i %% %s],
               now() AT TIME ZONE 'UTC' - INTERVAL '29 days' * i / %s,
               '+336' || 10000000 + i, i::text,
               CASE WHEN i %% 10 = 0 THEN 'error' WHEN i %% 25 = 1 THEN 'pending'
                    ELSE 'sent' END,
               1, 1
          FROM generate_series(1, %s) i
        """,
        (account.id, senders, len(senders), count, count),
    )
    Figure = env["sms.ovh.figure"]
    Figure.rebuild()
    day_ago = fields.Datetime.now() - timedelta(days=1)
    last = env["sms.ovh.log"].search([("date", ">", day_ago)])
    Figure._add(Figure._select_logs(-1, logs=last))
    for log in last:
        Figure._add(Figure._select_logs(logs=log))
    _fill_queue(env, SQL("state = 'error' OR date > %s", day_ago))


def fill_queue(env):
    """Have all SMS of the log in Odoo's queue, as if all had been sent today."""
    _fill_queue(env, SQL("TRUE"))


def _fill_queue(env, condition):
    env.cr.execute("TRUNCATE sms_sms CASCADE")
    env.cr.execute(
        SQL(
            """
            INSERT INTO sms_sms (
                uuid, number, body, state, to_delete, record_company_id, create_date
            )
            SELECT 'log' || sms_ovh_id, number, %s, state, state <> 'error', %s, date
              FROM sms_ovh_log
             WHERE %s
            """,
            TEXT,
            env.company.id,
            condition,
        )
    )
    _analyse(env, "sms_ovh_log", "sms_ovh_figure", "sms_sms")


def open_dashboard(env, times=10):
    """Ask for what the dashboard shows, as the client does."""
    user = env.ref("base.user_admin")
    user.tz = "Europe/Paris"
    dashboard = env["sms.ovh.dashboard"].with_user(user)
    answer, found = _ask_again(env, dashboard.get_figures, times)
    sent = sum(
        day["delivered"] + day["pending"] + day["failed"] for day in answer["days"]
    )
    return {**found, "sent": sent}


# ------------------------------------------------------------
# Progress
# ------------------------------------------------------------


def fill_failures(env, count):
    """Have a campaign of which every SMS was refused for want of SMS left; return its id."""
    values = {"body_plaintext": TEXT, "state": "done"}
    mailing = create_mailing(env, f"{count} failures", model="res.partner", **values)
    account = env.company.sms_ovh_account_id
    job = env["sms.ovh.job"].create(
        {"account_id": account.id, "mailing_id": mailing.id, "state": "refused"}
    )
    env.flush_all()
    env.cr.execute(
        """
        WITH sms AS (
            INSERT INTO sms_sms (
                uuid, number, body, state, failure_type, mailing_id,
                record_company_id, sms_ovh_job_id, create_date
            )
            SELECT 'failed' || i, '+336' || 10000000 + i, %s, 'error', 'sms_credit',
                   %s, %s, %s, now()
              FROM generate_series(1, %s) i
         RETURNING id, number
        )
        INSERT INTO mailing_trace (
            mass_mailing_id, trace_type, model, res_id, sms_number, sms_id_int,
            trace_status, failure_type, failure_reason, sent_datetime
        )
        SELECT %s, 'sms', 'res.partner', id, number, id, 'error', 'sms_credit',
               'Not enough SMS are left on the OVHcloud account.',
               now() AT TIME ZONE 'UTC'
          FROM sms
        """,
        (TEXT, mailing.id, env.company.id, job.id, count, mailing.id),
    )
    _analyse(env)
    return mailing.id


def open_progress(env, mailing_id, times=10):
    """Ask for a campaign's progress, as its form does."""
    mailing = env["mailing.mailing"].browse(mailing_id)
    answer, found = _ask_again(env, mailing.sms_ovh_get_progress, times)
    return {**found, "retryable": answer["retryable"]}

"""What a process forked from :mod:`crash.host` does until it ends or is ended.

Each function gets the registry and plain values, and returns what JSON can hold.
"""

import contextlib
import logging
import math
import os
import threading
import time
from collections import Counter

from ovh_simulator.inside import connect, create_mailing

from odoo import SUPERUSER_ID, api

from odoo.addons.sms_ovh import const
from odoo.addons.sms_ovh.models import sms_ovh_job, sms_sms
from odoo.addons.sms_ovh.tools import job_pool, transaction

from . import steps

_logger = logging.getLogger(__name__)

# What each role calls again and again, as the cron of that name does.
ROLES = {
    "queue": lambda env: env["sms.sms"]._process_queue(),
    "post": lambda env: env["sms.ovh.job"]._cron_post(),
    "drain": lambda env: env["sms.ovh.event"]._cron_process(),
}
# Seconds between two calls of a role, and between two looks whether all is done.
PAUSE = 0.05
LOOK = 0.1
CONFLICT_WORDS = "conflict with another transaction"
OPEN_WORK = {
    "queue": "SELECT 1 FROM sms_sms WHERE state = 'outgoing'",
    "post": "SELECT 1 FROM sms_ovh_job WHERE state IN ('queued', 'posting', 'unknown')",
    "drain": "SELECT 1 FROM sms_ovh_event WHERE state = 'new'",
}
TREATED = "SELECT 1 FROM sms_ovh_event WHERE state != 'new'"


def _hurry(timing):
    """Shorten the addon's delays, in the proportions that its safety rests on.

    :param dict timing: ``connect``, ``read``, ``post_within``, ``retry`` and
        ``retry_max``, in seconds
    """
    const.CONNECT_TIMEOUT = timing["connect"]
    const.READ_TIMEOUT = timing["read"]
    const.RETRY_BASE = timing["retry"]
    const.RETRY_MAX = timing["retry_max"]
    job_pool.POST_WITHIN = timing["post_within"]
    sms_ovh_job.ABANDONED_AFTER = 2 * (
        job_pool.POST_WITHIN + const.CONNECT_TIMEOUT + const.READ_TIMEOUT
    )


@contextlib.contextmanager
def _environment(registry):
    with registry.cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {})


def set_up(registry, api_url, base_url, parameters):
    """Connect the main company to the simulated OVHcloud.

    :param str api_url: base URL of the API
    :param str base_url: where Odoo's HTTP server will be, for the delivery reports
    :param dict parameters: system parameters to set
    """
    parameters |= {"web.base.url": base_url, "web.base.url.freeze": "True"}
    with _environment(registry) as env:
        for name, value in parameters.items():
            env["ir.config_parameter"].set_param(name, value)
        # It would delete what is to be compared in the end.
        env.ref("base.autovacuum_job").active = False
        connect(env, api_url)
    return True


def create_campaign(registry, name, numbers, same):
    """Send a campaign as a user does: its SMS are then in the queue.

    :param str name: what its texts begin with
    :param bool same: whether all get the same text, or each its own
    :return: text by number
    """
    with _environment(registry) as env:
        text = name if same else f"{name} {{{{ object.name }}}}"
        mailing = create_mailing(env, name, numbers, body_plaintext=text)
        mailing.action_send_mail()
    return {number: name if same else f"{name} {number}" for number in numbers}


def send_now(registry, name, numbers, timing, step):
    """Send SMS as a user does from a form, who is killed on the way.

    :param str name: what the texts begin with
    :param dict timing: see :func:`_hurry`
    :param dict step: see :func:`crash.steps.install`
    """
    _hurry(timing)
    steps.install(registry, **step)
    with _environment(registry) as env:
        sms = env["sms.sms"].create(
            [{"number": number, "body": f"{name} {number}"} for number in numbers]
        )
        sms.send()
        env.flush_all()
        steps.reached("user's transaction")
    return True


class _Notes(logging.Handler):
    """Counts the conflicts that were survived."""

    def __init__(self):
        super().__init__()
        self.conflicts = 0

    def emit(self, record):
        if CONFLICT_WORDS in record.getMessage():
            self.conflicts += 1


class _Worker:
    """Roles that take turns in one thread, as crons do in one of Odoo's.

    :param list[str] roles: keys of :data:`ROLES`
    :param stop: event after which no call begins any more
    """

    def __init__(self, registry, roles, stop):
        self.registry = registry
        self.roles = roles
        self.stop = stop
        self.errors = Counter()
        self.calls = 0
        self.rounds = 0
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stop.is_set():
            for role in self.roles:
                self._call(role)
            self.rounds += 1
            self.stop.wait(PAUSE)

    def _call(self, role):
        self.calls += 1
        try:
            # As Odoo's scheduler runs it: what is done is committed piece by piece.
            with _environment(self.registry) as env, transaction.owning(env):
                ROLES[role](env)
        except Exception as error:
            # Odoo's cron would log it, note a failure and call again later.
            self.errors[f"{role}: {type(error).__name__}"] += 1
            _logger.exception("Crash test: %s failed", role)


def work(
    registry, threads, timing, seconds, step=None, until_done=True, slice_size=None
):
    """Send, ask and drain until all is done.

    :param list threads: for each thread its roles, see :data:`ROLES`
    :param dict timing: see :func:`_hurry`
    :param float seconds: end after these, or where it is to end when all is done, give
        up after these without getting any further, however slow the machine is
    :param dict|None step: where to be killed, see :func:`crash.steps.install`
    :param bool until_done: end when there is nothing left to do, else after `seconds`
    :param int|None slice_size: SMS read from the queue at a time
    :return: ``done``, ``left`` (what is, by role), ``busy`` (threads that did not come to
        an end), ``errors`` (count by role and class), ``conflicts``, ``calls``
    """
    _hurry(timing)
    if slice_size:
        sms_sms.QUEUE_BATCH_SIZE = slice_size
    if step:
        steps.install(registry, **step)
    notes = _Notes()
    logging.getLogger(transaction.__name__).addHandler(notes)
    host = os.getppid()
    stop = threading.Event()
    workers = [_Worker(registry, roles, stop) for roles in threads]
    roles = [role for thread in threads for role in thread]
    deadline = time.monotonic() + seconds
    # The least that was left, and the most reports that were treated, below zero:
    # reports come as long as the simulator makes them.
    least = [math.inf, 0]
    done = False
    while time.monotonic() < deadline and not done:
        time.sleep(LOOK)
        if os.getppid() != host:
            os._exit(1)  # the crash test was ended: nobody waits for a result
        if not until_done:
            continue
        left = _count(registry, *(OPEN_WORK[role] for role in roles))
        for index, count in enumerate((left, -_count(registry, TREATED))):
            if count < least[index]:
                least[index] = count
                deadline = time.monotonic() + seconds
        done = left == 0 and all(worker.rounds for worker in workers)
    stop.set()
    for worker in workers:
        worker.thread.join(60)
    return {
        "done": done,
        "left": {} if done else {role: count_open(registry, role) for role in roles},
        "busy": sum(worker.thread.is_alive() for worker in workers),
        "errors": sum((worker.errors for worker in workers), Counter()),
        "conflicts": notes.conflicts,
        "calls": sum(worker.calls for worker in workers),
    }


def _count(registry, *queries):
    """Return how many rows they find together, NaN where one can't tell."""
    try:
        with registry.cursor() as cr:
            count = 0
            for query in queries:
                cr.execute(f"SELECT COUNT(*) FROM ({query}) AS found")
                count += cr.fetchone()[0]
            return count
    except Exception:
        # The database is down: the roles will tell.
        return math.nan


def count_open(registry, role):
    """Return how much is left for a role."""
    return _count(registry, OPEN_WORK[role])


def cut_connections(registry):
    """Have PostgreSQL cut all other connections to the database; return how many."""
    with registry.cursor() as cr:
        cr.execute(
            """
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = current_database() AND pid != pg_backend_pid()
            """
        )
        return cr.fetchone()[0]


def read_records(registry):
    """Return what Odoo says became of each SMS, job, campaign and report."""
    with registry.cursor() as cr:

        def select(query):
            cr.execute(query)
            names = [column.name for column in cr.description]
            return [dict(zip(names, row, strict=True)) for row in cr.fetchall()]

        return {
            "sms": select(
                """
                SELECT s.number, s.body, s.state, s.failure_type, s.sms_ovh_id AS id,
                       j.tag, j.state AS job_state,
                       tracker.id IS NOT NULL AS tracked,
                       s.mailing_id IS NOT NULL OR trace.id IS NOT NULL AS traced,
                       tracker.sms_ovh_id AS tracker_id,
                       trace.trace_status, trace.failure_type AS trace_failure_type
                  FROM sms_sms s
             LEFT JOIN sms_ovh_job j ON j.id = s.sms_ovh_job_id
             LEFT JOIN sms_tracker tracker ON tracker.sms_uuid = s.uuid
             LEFT JOIN mailing_trace trace ON trace.id = tracker.mailing_trace_id
                """
            ),
            "jobs": select(
                "SELECT tag, state, credits, receiver_count FROM sms_ovh_job"
            ),
            "mailings": select("SELECT subject, state FROM mailing_mailing"),
            "events": Counter(
                row["state"] for row in select("SELECT state FROM sms_ovh_event")
            ),
        }

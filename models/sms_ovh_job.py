import logging
import random
import time
from collections import defaultdict
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple
from uuid import uuid4

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

from .. import const
from ..fields import clear_links
from ..sms_api import SmsApiOvh
from ..tools import error_sentences, job_pool, ovh_client, transaction
from ..tools.number_country import get_country_code
from ..tools.phone_number import CleanNumber, normalize_number

_logger = logging.getLogger(__name__)

# How long a transaction that writes an opt-out may take: write_date is its start.
STOP_MARGIN = timedelta(hours=1)
# Age of a job from which the rights of the user who asked for it are checked again.
UNASKED_AFTER = timedelta(minutes=1)
# Allowed changes of state. "accepted", "refused", "failed" and "cancelled" are final.
TRANSITIONS = {
    "queued": {"posting", "failed", "cancelled"},
    "posting": {"accepted", "refused", "queued", "unknown", "failed"},
    "unknown": {"accepted", "queued", "failed"},
    "accepted": set(),
    "refused": set(),
    "failed": set(),
    "cancelled": set(),
}
# States of jobs whose outcome is still to come.
OPEN_STATES = ("queued", "posting", "unknown")
# Seconds after which a job in "posting" counts as abandoned: its thread posts within
# `job_pool.POST_WITHIN`, and waits for connection and answer no longer than the
# time-outs.
ABANDONED_AFTER = 2 * (
    job_pool.POST_WITHIN + const.CONNECT_TIMEOUT + const.READ_TIMEOUT
)
# Channel of OCA's `queue_job`, if that is installed.
QUEUE_JOB_CHANNEL = "root.sms_ovh"
# Minutes that the cron leaves new jobs to `queue_job`, whose runner may be down.
QUEUE_JOB_MINUTES = 5
# States of `SmsApiOvh` whose words may be about the keys or the account, although a
# read shows that only the job was refused.
QUESTIONED_STATES = ("unregistered", "insufficient_credit")
# Seconds between two triggers of the inbox while jobs are posted.
WAKE_EVERY = 1
# Key of a transaction's data that holds the jobs to post after its commit.
COMMITTED_IDS = "sms_ovh.job_ids"

# How long jobs wait for the one that tries a refused sender or API user again.
PROBE_MARGIN = timedelta(minutes=2)

# Most due jobs that one search finds.
SEARCH_LIMIT = 200


class Outgoing(NamedTuple):
    """One SMS on its way into the outbox."""

    uuid: str
    number: CleanNumber
    body: str
    mailing_id: int | bool = False
    country_code: str | bool = False  # whose quiet hours it keeps


class SmsOvhJob(models.Model):
    """The outbox: one row per job posted to OVHcloud.

    A job is committed before it is posted, and posted once, by who took it. Its
    tag, which nothing else has, is what OVHcloud can be asked for when no answer came.
    """

    _name = "sms.ovh.job"
    _description = "OVHcloud SMS Job"
    _order = "id desc"
    _rec_name = "tag"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    company_id = fields.Many2one(
        related="account_id.company_id", store=True, precompute=True
    )
    tag = fields.Char(
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: f"odoo{uuid4().hex}"[: const.MAX_TAG_LENGTH],
    )
    body = fields.Text(readonly=True)
    sender_id = fields.Many2one("sms.ovh.sender", ondelete="restrict", readonly=True)
    kind = fields.Selection(
        const.KINDS, required=True, default="transactional", readonly=True
    )
    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Campaign",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
    )
    ovh_user_id = fields.Many2one(
        "sms.ovh.user",
        string="API User",
        ondelete="restrict",
        index="btree_not_null",
        readonly=True,
        help="In whose name it is sent, and whose quota pays for it.",
    )
    stop_clause = fields.Boolean(string="STOP Clause", readonly=True)
    receivers = fields.Json(
        readonly=True, help="Pairs of an SMS's UUID and its number in E.164."
    )
    receiver_count = fields.Integer(string="Receivers", readonly=True)
    country_code = fields.Char(
        string="Country",
        readonly=True,
        help="Whose quiet hours this job keeps: all its receivers are in this country.",
    )
    withdrawn = fields.Json(
        readonly=True,
        help="UUIDs of SMS that somebody stopped while it was not known whether they had"
        " left. They are not posted again.",
    )
    sms_ids = fields.One2many("sms.sms", "sms_ovh_job_id", string="SMS")
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("posting", "Being Sent"),
            ("unknown", "Not Confirmed"),
            ("accepted", "Accepted"),
            ("refused", "Refused"),
            ("failed", "Given Up"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="queued",
        readonly=True,
    )
    attempts = fields.Integer(readonly=True)
    next_attempt = fields.Datetime(readonly=True)
    posted_at = fields.Datetime(string="Sent On", readonly=True)
    unknown_checks = fields.Integer(
        string="Times OVHcloud Did Not Know It", readonly=True
    )
    credits = fields.Float(string="SMS Charged", digits=(16, 2), readonly=True)
    query_id = fields.Char(
        string="OVHcloud's Query ID",
        readonly=True,
        help="By this, OVHcloud's support finds the call.",
    )
    error = fields.Char(string="OVHcloud's Words", readonly=True)
    # For an accepted job, what OVHcloud has to be asked about, by number: the id at the
    # number's position, to be checked; null without an id, and false once the SMS was
    # reported as not confirmed.
    open_receivers = fields.Json(string="Numbers to Ask For", readonly=True)
    open_count = fields.Integer(string="Receivers to Ask For", readonly=True)

    _tag_unique = models.Constraint("unique(tag)", "A job of this tag exists already.")
    _due_idx = models.Index(
        "(next_attempt, id) WHERE state IN ('queued', 'posting', 'unknown')"
    )
    _open_receivers_idx = models.Index("(next_attempt, id) WHERE open_count > 0")
    # Searched after each set of answers: whether a campaign still has open jobs.
    _open_mailing_idx = models.Index(
        "(mailing_id) WHERE state IN ('queued', 'posting', 'unknown')"
    )

    def unlink(self):
        """Override to clear links to these jobs, which have no foreign key."""
        clear_links(
            self, ("sms.sms", "sms_ovh_job_id"), ("sms.tracker", "sms_ovh_job_id")
        )
        return super().unlink()

    def write(self, vals):
        """Override to refuse changes of state that are not in `TRANSITIONS`.

        :raise ValidationError: for any other move
        """
        if "state" in vals:
            for job in self:
                if vals["state"] not in TRANSITIONS[job.state]:
                    raise ValidationError(
                        self.env._(
                            "A job that is “%(old)s” cannot become “%(new)s”.",
                            old=job.state,
                            new=vals["state"],
                        )
                    )
        return super().write(vals)

    # ------------------------------------------------------------
    # Filling the outbox
    # ------------------------------------------------------------

    @api.model
    def _enqueue(self, api_ovh, messages):
        """Put the messages that core passes to its provider into the outbox.

        :param SmsApiOvh api_ovh: the gateway that core has; what an SMS is, its own
            company decides, and this one's only where Odoo has no SMS of the UUID
        :param list messages: see :meth:`SmsApiOvh._send_sms_batch`
        :return: see there
        :rtype: list[dict]
        """
        given = {
            info["uuid"]: (message.get("content") or "", info["number"])
            for message in messages
            for info in message.get("numbers") or []
        }
        # sudo: SMS of any user, as in core.
        jobs = self.sudo()._claim(
            [("uuid", "in", list(given))],
            {uuid: body for uuid, (body, __) in given.items()},
            unlink_sent=api_ovh.unlink_sent,
        )
        claimed = {uuid for job in jobs for uuid, __ in job.receivers}
        left = [uuid for uuid in given if uuid not in claimed]
        left_sudo = self.env["sms.sms"].sudo().search([("uuid", "in", left)])
        results = [
            {
                "uuid": sms.uuid,
                "state": SmsApiOvh.get_provider_state(sms.failure_type),
                "failure_reason": sms.sms_ovh_failure_reason,
            }
            for sms in left_sudo
            if sms.state == "error"
        ]
        known = set(left_sudo.mapped("uuid"))
        bare = {uuid: given[uuid] for uuid in left if uuid not in known}
        if bare:
            bare_jobs, refusals = self._enqueue_bare(api_ovh, bare)
            jobs |= bare_jobs
            results += refusals
        jobs._dispatch_after_commit()
        results += [
            {"uuid": uuid, "state": "processing", "failure_reason": False}
            for job in jobs
            for uuid, __ in job.receivers
        ]
        return results

    @api.model
    def _enqueue_bare(self, api_ovh, given):
        """Put messages without an SMS in Odoo into the outbox.

        :param SmsApiOvh api_ovh: by whose company they are sent
        :param dict given: text and number as it was typed, by UUID
        :return: the new jobs, and results of what is refused without any call
        :rtype: tuple[SmsOvhJob, list[dict]]
        """
        Sms = self.env["sms.sms"]
        read = api_ovh.company._sms_ovh_get_number_reader()
        codes = Sms._sms_ovh_get_countries_with_sender(api_ovh.company)
        by_code = defaultdict(list)
        for uuid, (body, typed) in given.items():
            number = read(typed)
            code = get_country_code(number.number)
            by_code[code if code in codes else None].append(
                Outgoing(uuid, number, body)
            )
        by_decision = defaultdict(list)
        for code, outgoing in by_code.items():
            decision = Sms._sms_ovh_decide(
                api_ovh.company,
                kind=Sms._sms_ovh_get_given()[0],
                sender_id=api_ovh.sender_sudo.id,
                clause=api_ovh.stop_clause,
                country_code=code,
            )
            if decision:
                by_decision[decision] += outgoing
        return self._fill(by_decision)

    @api.model
    def _claim(self, domain, bodies=None, *, unlink_sent=True):
        """Put queued SMS into jobs, and decide how they are sent.

        What can be refused without any call is refused here. Nothing is committed, nor
        posted before it is.

        :param list domain: of locked `sms.sms`, of which those leave that are due
        :param dict|None bodies: text by UUID of the SMS, by default its own
        :param bool unlink_sent: whether they are deleted once they have left
        :return: the new jobs
        """
        Sms = self.env["sms.sms"]
        groups = [
            group
            for group in Sms._sms_ovh_group_alike(
                [*domain, *Sms._sms_ovh_get_due_domain()]
            )
            if not group.mailing.sms_ovh_paused
        ]
        groups = Sms._sms_ovh_leave_out_unasked(groups)
        numbers = Sms._sms_ovh_read_numbers(groups)
        groups = Sms._sms_ovh_settle(groups, numbers)
        groups = Sms._sms_ovh_hold(groups, numbers)
        groups = Sms._sms_ovh_leave_out_blacklisted(groups, numbers)
        groups = Sms._sms_ovh_leave_out_opted_out(groups)
        by_decision = defaultdict(list)
        bodies = bodies or {}
        ids = {}
        for group in groups:
            uuids, texts = group.sms.mapped("uuid"), group.sms.mapped("body")
            for id_, uuid, body in zip(group.sms.ids, uuids, texts, strict=True):
                ids[uuid] = id_
                by_decision[group.decision].append(
                    Outgoing(
                        uuid,
                        numbers[id_],
                        bodies.get(uuid, body),
                        group.mailing.id,
                        group.country_code,
                    )
                )
        if not ids:
            return self.browse()
        jobs, refusals = self._fill(by_decision)
        Sms._sms_ovh_set_claimed(
            {ids[uuid]: job.id for job in jobs for uuid, __ in job.receivers},
            unlink_sent=unlink_sent,
        )
        if refusals:
            Sms._sms_ovh_apply_results(refusals)
        return jobs

    @api.model
    def _fill(self, by_decision):
        """Create jobs, with equal texts in one job.

        :param dict by_decision: lists of :class:`Outgoing` by `Decision`
        :return: the new jobs, and results of what is refused without any call
        :rtype: tuple[SmsOvhJob, list[dict]]
        """
        vals_list = []
        refusals = []
        Account, Sender = self.env["sms.ovh.account"], self.env["sms.ovh.sender"]
        for decision, items in by_decision.items():
            # sudo: users who may send SMS send them by the company's account.
            api_ovh = self._prepare_api(
                Account.sudo().browse(decision.account_id),
                Sender.sudo().browse(decision.sender_id or []),
                decision.stop_clause,
            )
            groups = defaultdict(list)
            for item in items:
                groups[item.body, item.mailing_id, item.country_code].append(item)
            for (body, mailing_id, country_code), alike in groups.items():
                text_refusal = api_ovh._check_sender() or api_ovh._check_text(body)
                receivers = []
                for item in alike:
                    refusal, number = text_refusal, None
                    if not refusal:
                        refusal, number = api_ovh._check_number(item.number)
                    if refusal:
                        refusals.append(api_ovh._prepare_result(item.uuid, refusal))
                    else:
                        receivers.append((item.uuid, number))
                vals_list += [
                    {
                        "account_id": decision.account_id,
                        "sender_id": decision.sender_id,
                        "kind": decision.kind,
                        "mailing_id": mailing_id,
                        "country_code": country_code,
                        "ovh_user_id": decision.user_id,
                        "body": body,
                        "stop_clause": decision.stop_clause,
                        "receivers": chunk,
                        "receiver_count": len(chunk),
                    }
                    for chunk in api_ovh._split_receivers(receivers)
                ]
        # sudo: only the gateway writes the outbox.
        return self.sudo().create(vals_list), refusals

    # ------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------

    @api.model
    def _dispatch(self, jobs=None, deadline=None, feed=None):
        """Post due jobs, and commit their outcomes before posting more.

        Must run in a cursor of its own: it commits.

        :param jobs: only these; by default all that are due
        :param float|None deadline: `time.monotonic()` after which none is taken any more
        :param feed: iterator that puts more jobs into the outbox at each step, commits,
            and yields how many
        :return: how many answers came
        :rtype: int
        """
        size = self._sms_ovh_get_parameter("threads", const.THREADS) or 1
        if jobs is not None:
            size = min(size, len(jobs)) or 1
        count = 0
        queued = 0  # by the feed, and not taken yet
        failure = None
        woken = time.monotonic()
        with job_pool.JobPool(size) as pool:
            answers = []
            while True:
                late = deadline is not None and time.monotonic() > deadline
                room = 0 if late else pool.room
                wake = bool(answers) and (
                    not pool.busy or time.monotonic() > woken + WAKE_EVERY
                )
                posts = self._settle_and_take(answers, wake, room, jobs)
                if wake:
                    woken = time.monotonic()
                for post in posts:
                    pool.submit(post)
                queued -= len(posts)
                if not pool.busy:
                    queued = 0  # another worker took the rest
                if feed is not None and queued < pool.limit and not late:
                    # Prepare the next jobs while others are under way.
                    try:
                        more = next(feed, None)
                    except Exception as error:
                        # The outcomes of jobs under way are written all the same.
                        self.env.cr.rollback()
                        failure, more = error, None
                    if more is None:
                        feed = None
                    else:
                        queued = max(queued, 0) + more
                    answers = pool.wait(timeout=0)
                elif pool.busy:
                    answers = pool.wait()
                elif failure:
                    raise failure
                else:
                    return count
                count += len(answers)

    def _settle_and_take(self, answers, wake, room, jobs):
        """Write the answers, then take the next jobs to post; commit each.

        Separately: jobs that other workers take meanwhile must not roll back answers.
        And the shorter the transaction that takes jobs, the fewer conflicts there are.

        :param list answers: see :meth:`_settle`
        :param bool wake: whether the inbox is to look at them
        :param int room: how many jobs can be posted
        :param jobs: see :meth:`_dispatch`
        :return: what is to be posted, see :meth:`_take`
        """

        def settle():
            self._settle(answers)
            if wake:
                self._wake_inbox()

        if answers:
            transaction.transact(self.env, settle)
        if not room:
            return []
        return transaction.transact(self.env, partial(self._take, room, jobs)) or []

    @api.model
    def _get_sendable_domain(self):
        """Return the domain of queued jobs that are not stopped."""
        return [
            ("state", "=", "queued"),
            ("account_id.pause_reason", "=", False),
            ("account_id.active", "=", True),
            ("mailing_id", "not any", [("sms_ovh_paused", "=", True)]),
        ]

    @api.model
    def _get_cron_domain(self):
        """Return the domain of jobs that the cron posts, and not OCA's `queue_job`.

        `queue_job` posts each job for the first time. Retries, and jobs that it did not
        get to, are the cron's.
        """
        if not self._has_queue_job():
            return []
        limit = fields.Datetime.now() - timedelta(minutes=QUEUE_JOB_MINUTES)
        return ["|", ("attempts", ">", 0), ("create_date", "<", limit)]

    @api.model
    def _take(self, room, jobs=None):
        """Take up to `room` jobs to post; after the commit, no other worker can.

        :rtype: list[job_pool.JobPost]
        """
        if not room:
            return []
        domain = [
            *self._get_sendable_domain(),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]
        if jobs is not None:
            domain.append(("id", "in", jobs.ids))
        else:
            domain += self._get_cron_domain()
        due_ids = self.search(domain, order="id", limit=SEARCH_LIMIT).ids
        # If all workers began with the first, they would conflict at every step.
        due = self.browse(random.sample(due_ids, len(due_ids)))
        taken = due.try_lock_for_update(allow_referencing=True, limit=room)
        taken.fetch(
            [
                "body",
                "receivers",
                "account_id",
                "sender_id",
                "attempts",
                "kind",
                "country_code",
                "withdrawn",
            ]
        )
        if taken._hold_closed() or taken._hold_refused():
            return self._take(room, jobs)  # others may leave
        left = taken._leave_out_stopped()
        if taken and not left:
            return self._take(room, jobs)  # as above
        taken = left
        now = fields.Datetime.now()
        deadline = time.monotonic() + job_pool.POST_WITHIN
        for attempts, group in taken.grouped("attempts").items():
            group.write(
                {
                    "state": "posting",
                    "attempts": attempts + 1,
                    "posted_at": now,
                    "next_attempt": False,
                }
            )
        apis = taken._get_apis()
        return [job._prepare_post(apis[job], deadline) for job in taken]

    def _leave_out_stopped(self):
        """Remove receivers from these jobs that no SMS may be sent to any more.

        They opted out after the jobs were created, or their SMS was stopped while it was
        not known whether it had left. Mostly this only costs queries that find nothing:
        recipients who had opted out before are in no job.

        :return: those of these jobs that still have a receiver
        """
        reasons = self._find_stopped()
        # sudo: SMS of any user.
        Sms = self.env["sms.sms"].sudo()
        for failure_type in set(reasons.values()):
            uuids = {uuid for uuid, reason in reasons.items() if reason == failure_type}
            self._take_out(uuids)
            Sms._sms_ovh_set_canceled_uuids(uuids, failure_type)
        return self.filtered(lambda job: job.state == "queued")

    def _find_stopped(self):
        """Return which SMS may no longer leave, and why.

        :return: failure type, False where somebody just stopped it, by UUID
        :rtype: dict[str, str|bool]
        """
        reasons = {
            uuid: False for job in self.filtered("withdrawn") for uuid in job.withdrawn
        }
        since = min(self.mapped("create_date"), default=None)
        heeding = self.filtered(
            lambda job: (
                job.mailing_id.use_exclusion_list
                if job.mailing_id
                else job.kind == "marketing"
            )
        )
        if heeding:
            stopped = self.env["sms.ovh.stop"]._find_stopped_since(since - STOP_MARGIN)
            reasons |= {
                uuid: stopped[number]
                for job in heeding
                if stopped
                for uuid, number in job.receivers
                if number in stopped
            }
        for mailing, jobs in self.grouped("mailing_id").items():
            res_ids = mailing and mailing._sms_ovh_find_opted_out(since)
            if not res_ids:
                continue
            trackers = self.env["sms.tracker"].search_fetch(
                [
                    ("mailing_trace_id.mass_mailing_id", "=", mailing.id),
                    ("mailing_trace_id.res_id", "in", list(res_ids)),
                ],
                ["sms_uuid"],
            )
            opted_out = set(trackers.mapped("sms_uuid"))
            reasons |= {
                uuid: "sms_optout"
                for job in jobs
                for uuid, __ in job.receivers
                if uuid in opted_out
            }
        return reasons | self._find_unasked()

    def _find_unasked(self):
        """Return the SMS whose askers may no longer send.

        Only of jobs that waited: these rights were checked when they were created.

        :return: failure type by UUID
        :rtype: dict[str, str]
        """
        before = fields.Datetime.now() - UNASKED_AFTER
        waited = self.filtered(lambda job: job.create_date < before)
        refused = waited.mailing_id.filtered(
            lambda mailing: mailing._sms_ovh_get_refusal()
        )
        of_campaigns = waited.filtered(lambda job: job.mailing_id in refused)
        uuids = {uuid for job in of_campaigns for uuid, __ in job.receivers}
        single = waited.filtered(lambda job: not job.mailing_id)
        asked = [
            ("uuid", "in", [uuid for job in single for uuid, __ in job.receivers]),
            ("sms_ovh_asker_id", "!=", False),
        ]
        # sudo: SMS of any user.
        Sms = self.env["sms.sms"].sudo()
        groups = Sms._sms_ovh_group_alike(asked)
        for group, refusal in Sms._sms_ovh_find_unasked(groups):
            if refusal:
                uuids.update(group.sms.mapped("uuid"))
        return dict.fromkeys(uuids, "sms_not_allowed")

    def _prepare_post(self, api_ovh, deadline):
        """Return what a thread needs to post this job."""
        self.ensure_one()
        # Read once: the ORM copies the whole list each time.
        receivers = self.receivers
        path, content = api_ovh._prepare_job(
            self.body,
            receivers,
            sender=self.sender_id,
            tag=self.tag,
            user=self.ovh_user_id,
        )
        return job_pool.JobPost(
            job_id=self.id,
            receivers=receivers,
            client_args=self.account_id._get_client_args(),
            path=path,
            content=content,
            deadline=deadline,
        )

    def _get_apis(self):
        """Return the gateway of each job's account, sender and clause.

        :rtype: dict
        """
        apis = {}
        groups = self.grouped(
            lambda job: (job.account_id, job.sender_id, job.stop_clause)
        )
        for (account, sender, clause), jobs in groups.items():
            apis.update(dict.fromkeys(jobs, self._prepare_api(account, sender, clause)))
        return apis

    @api.model
    def _prepare_api(self, account, sender, stop_clause):
        """Return the gateway of an account, which speaks the language of its company.

        :rtype: SmsApiOvh
        """
        account = account._in_its_language()
        return SmsApiOvh(
            account.env,
            account=account,
            stop_clause=stop_clause,
            sender=sender.with_env(account.env),
        )

    def _get_api(self):
        """Return the gateway of this job's account, sender and clause."""
        return self._get_apis()[self.ensure_one()]

    def _get_outgoing_path(self):
        """Return the API's path of the outgoing SMS of this job."""
        self.ensure_one()
        if self.sender_id.type == "virtual":
            return self.account_id._get_path(
                "virtualNumbers", self.sender_id.name, "outgoing"
            )
        if self.ovh_user_id:
            return self.account_id._get_path(
                "users", self.ovh_user_id.login, "outgoing"
            )
        return self.account_id._get_path("outgoing")

    def _dispatch_after_commit(self):
        """Post these jobs right after the running transaction is committed.

        All of a transaction together, and only the first few: nobody should wait for
        many, which are the cron's.
        """
        if not self or self._delay():
            return
        callbacks = self.env.cr.postcommit
        ids = callbacks.data.get(COMMITTED_IDS)
        if ids is None:
            ids = callbacks.data[COMMITTED_IDS] = []
            registry = self.env.registry

            @callbacks.add
            def post():
                try:
                    with registry.cursor() as cr:
                        env = api.Environment(cr, SUPERUSER_ID, {})
                        jobs = env["sms.ovh.job"].browse(ids[: const.JOBS_AFTER_COMMIT])
                        jobs._dispatch(jobs)
                except Exception:
                    # The user's changes are committed; the cron takes over.
                    _logger.exception("OVHcloud SMS: jobs could not be posted at once")

        within = len(ids) <= const.JOBS_AFTER_COMMIT
        ids += self.ids
        if within and len(ids) > const.JOBS_AFTER_COMMIT:
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    @api.model
    def _has_queue_job(self):
        """Return whether OCA's `queue_job` is installed.

        :rtype: bool
        """
        return "queue.job" in self.env

    def _delay(self):
        """Pass these jobs to OCA's `queue_job`, if it is installed.

        Its runner spreads them over all its hosts, on the channel `root.sms_ovh`.

        :return: whether it takes care of them
        :rtype: bool
        """
        if not self._has_queue_job():
            return False
        for job in self:
            # sudo: senders need no rights on the queue.
            job.sudo().with_delay(
                channel=QUEUE_JOB_CHANNEL,
                description=self.env._("OVHcloud SMS: job %s", job.tag),
                identity_key=f"sms_ovh-{job.tag}",
            )._queue_job_post()
        return True

    def _queue_job_post(self):
        """Post these jobs from `queue_job`'s runner.

        In a cursor of its own: this commits, which the runner's must not.
        """
        with self.env.registry.cursor() as cr:
            jobs = self.with_env(self.env(cr=cr))
            jobs._dispatch(jobs)

    # ------------------------------------------------------------
    # Quiet hours of the receivers of marketing SMS
    # ------------------------------------------------------------

    def _hold_closed(self):
        """Hold jobs outside opening hours, and all other jobs like them.

        :return: whether there are any
        :rtype: bool
        """
        marketing = self.filtered(lambda job: job.kind == "marketing")
        now = fields.Datetime.now()
        # A thread may post the job as late as this.
        latest = now + timedelta(seconds=job_pool.POST_WITHIN)
        held = False
        for account, country_code in {
            (job.account_id, job.country_code) for job in marketing
        }:
            company = account.company_id
            opening = company._sms_ovh_get_opening(now, country_code)
            if opening == now:
                opening = company._sms_ovh_get_opening(latest, country_code)
                if opening == latest:
                    continue
            held = True
            self._hold(account, country_code, opening)
        return held

    @api.model
    def _hold(self, account, country_code, opening):
        """Hold all queued marketing jobs to a country.

        :param account: `sms.ovh.account`
        :param str|bool country_code: as the jobs have it
        :param datetime opening: in UTC
        """
        self.flush_model()
        # In SQL: a campaign with placeholders has a job for each text.
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_job
                   SET next_attempt = %(opening)s
                 WHERE id IN (
                           SELECT id
                             FROM sms_ovh_job
                            WHERE state = 'queued' AND kind = 'marketing'
                              AND account_id = %(account)s
                              AND country_code IS NOT DISTINCT FROM %(country)s
                              AND (next_attempt IS NULL OR next_attempt < %(opening)s)
                       FOR NO KEY UPDATE SKIP LOCKED
                       )
             RETURNING id
                """,
                opening=opening,
                account=account.id,
                country=country_code or None,
            )
        )
        self.invalidate_model(["next_attempt"], flush=False)
        self._trigger_at("sms_ovh.ir_cron_post_jobs", [opening])

    @api.model
    def _release(self, companies):
        """Release waiting jobs, so that their hours are checked again.

        :param companies: `res.company` whose hours changed
        """
        # sudo: only the gateway writes the outbox.
        waiting_sudo = self.sudo().search(
            [
                ("state", "=", "queued"),
                ("kind", "=", "marketing"),
                ("next_attempt", ">", fields.Datetime.now()),
                ("account_id.company_id", "in", companies.ids),
            ]
        )
        if waiting_sudo:
            waiting_sudo.next_attempt = False
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    @api.model
    def _trigger_at(self, xmlid, moments):
        """Trigger a cron at future moments, only once for each moment.

        :param str xmlid: of the `ir.cron`
        :param moments: datetimes in UTC
        """
        # sudo: senders need no rights on scheduled actions.
        cron_sudo = self.env.ref(xmlid).sudo()
        known = (
            self.env["ir.cron.trigger"]
            .sudo()
            .search_fetch(
                [("cron_id", "=", cron_sudo.id), ("call_at", "in", list(moments))],
                ["call_at"],
            )
        )
        moments = set(moments) - set(known.mapped("call_at"))
        if moments:
            cron_sudo._trigger(sorted(moments))

    # ------------------------------------------------------------
    # Called back
    # ------------------------------------------------------------

    def _take_out(self, uuids):
        """Remove receivers from these jobs, as far as they are not posted yet.

        :param set uuids: of SMS; the jobs are locked
        :return: those of `uuids` that stood in such a job
        :rtype: set
        """
        found = set()
        for job in self.filtered(lambda job: job.state == "queued" and uuids):
            kept = [pair for pair in job.receivers if pair[0] not in uuids]
            found |= {uuid for uuid, __ in job.receivers} & uuids
            values = {"receivers": kept, "receiver_count": len(kept)}
            if not kept:
                values.update(state="cancelled", next_attempt=False)
            job.write(values)
        return found

    def _withdraw(self, uuids):
        """Prevent posting receivers again if it is not known whether they were.

        :param set uuids: of SMS; the jobs are locked
        :return: those of `uuids` whose outcome may stay unknown for a while
        :rtype: set
        """
        found = set()
        for job in self.filtered(lambda job: job.state in ("posting", "unknown")):
            withdrawn = {uuid for uuid, __ in job.receivers} & uuids
            if withdrawn:
                job.withdrawn = sorted(withdrawn.union(job.withdrawn or ()))
                if job.state == "unknown":
                    found |= withdrawn
        return found

    def _return_to_queue(self):
        """Put the SMS of these jobs that were not posted back into Odoo's queue."""
        jobs = self.try_lock_for_update(allow_referencing=True).filtered(
            lambda job: job.state == "queued"
        )
        uuids = {uuid for job in jobs for uuid, __ in job.receivers}
        jobs.write({"state": "cancelled", "next_attempt": False})
        # sudo: SMS of any user.
        self.env["sms.sms"].sudo().search(
            [("uuid", "in", list(uuids)), ("state", "=", "process")]
        ).write({"state": "outgoing", "sms_ovh_job_id": False})
        if uuids:
            self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()._trigger()

    def _call_back_withdrawn(self):
        """Ask OVHcloud to cancel withdrawn SMS, now that it has them."""
        uuids = {uuid for job in self.filtered("withdrawn") for uuid in job.withdrawn}
        if not uuids:
            return
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [
                ("sms_uuid", "in", list(uuids)),
                ("sms_ovh_id", "!=", False),
                ("sms_ovh_account_id.auth_method", "!=", "http2sms"),
            ]
        ).sms_ovh_cancel = "requested"
        self.env.ref("sms_ovh.ir_cron_cancel").sudo()._trigger()

    # ------------------------------------------------------------
    # Called back
    # ------------------------------------------------------------

    @api.model
    def _settle(self, answers):
        """Write what answers mean. This is the only place where that is decided.

        :param answers: list of `job_pool.JobAnswer`, what the threads brought back
        """
        jobs = self.browse(answer.post.job_id for answer in answers).exists()
        apis = jobs._get_apis()
        settled = []
        # Jobs that were held back come last: they wait for those that were refused.
        for answer in sorted(
            answers, key=lambda answer: isinstance(answer.error, job_pool.JobExpired)
        ):
            job = self.browse(answer.post.job_id).with_prefetch(jobs._prefetch_ids)
            receivers = answer.post.receivers
            if job not in jobs or job.state != "posting":
                # Marked as abandoned meanwhile: reconciliation finds the outcome.
                _logger.warning(
                    "OVHcloud SMS: answer to job %s, which is not being posted any more",
                    answer.post.job_id,
                )
                continue
            if answer.error is None:
                results = job._settle_report(apis[job], answer.report, receivers)
                settled.append((job, receivers, results))
            else:
                settled += job._settle_error(apis[job], answer)
        self._write_results(settled)
        if any(job.open_count for job, *__ in settled):
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    @api.model
    def _write_results(self, settled):
        """Write the outcomes of jobs' receivers.

        :param list settled: triples of a job, its receivers and results of them
        """
        outcomes = defaultdict(list)
        for job, __, results in settled:
            for result in results:
                result["sms_ovh_job_id"] = job.id
            outcomes[job.account_id] += results
        # sudo: SMS of any user.
        sms_sudo = self.env["sms.sms"].sudo()
        for account, results in outcomes.items():
            sms_sudo._sms_ovh_apply_results(results, account)
        self.env["sms.ovh.log"]._append(settled)
        accepted = self.union(*(job for job, __, ___ in settled))
        accepted.filtered(lambda job: job.state == "accepted")._call_back_withdrawn()

    def _settle_error(self, api_ovh, answer):
        """Decide how this job goes on after an error, or without an answer.

        A refusal belongs to the smallest thing that it can be about, see
        `job_pool.JobAnswer.scope`.

        :param SmsApiOvh api_ovh: the job's gateway
        :param job_pool.JobAnswer answer: with the error
        :return: triples of a job that has ended, its receivers and results of them
        :rtype: list[tuple]
        """
        self.ensure_one()
        error, scope = answer.error, answer.scope
        if isinstance(error, job_pool.JobExpired):
            # It was not posted, so this is no attempt. It waits for the other job.
            until = self._get_refused_until()
            self.write(
                {
                    "state": "queued",
                    "attempts": self.attempts - 1,
                    "next_attempt": until > fields.Datetime.now() and until,
                }
            )
            return []
        state = api_ovh._get_error_state(error)
        values = {
            "query_id": error.query_id,
            "error": self._get_refusal_sentence(api_ovh, answer, state),
        }
        _logger.warning("OVHcloud SMS: job %s: %r", self.tag, error)
        if error.may_be_done:
            check = self._get_check()
            self.write({**values, "state": "unknown", "next_attempt": check})
        elif scope in ("keys", "service"):
            self.write({**values, "state": "queued"})
            self.account_id._pause(scope, values["error"])
        elif scope == "credit" and self._is_paid_by_quota():
            self._settle_used_up(values, answer.left)
        elif scope == "credit" and not self.account_id.auto_recharge:
            self.write({**values, "state": "queued"})
            self.account_id._pause("credit", values["error"], left=answer.left)
        elif scope == "job" and state in QUESTIONED_STATES:
            return self._settle_refusal(api_ovh, values)
        elif state in ("server_error", "insufficient_credit", "unregistered"):
            # OVHcloud cannot tell now what an "unregistered" refers to.
            return [(self, self.receivers, self._postpone(values, error.retry_after))]
        else:
            self.write({**values, "state": "refused"})
            results = api_ovh._prepare_results(self.receivers, state, values["error"])
            return [(self, self.receivers, results)]
        return []

    def _get_refusal_sentence(self, api_ovh, answer, state):
        """Return the sentence that says what an error means, and what to do.

        :param SmsApiOvh api_ovh: the job's gateway
        :param job_pool.JobAnswer answer: with the error
        :param str state: what `SmsApiOvh` calls the failure
        :rtype: str
        """
        env, error, scope = api_ovh.env, answer.error, answer.scope
        account = self.account_id.with_env(env)
        if scope == "credit" and self._is_paid_by_quota():
            return env._(
                "The quota of the API user “%s” is used up. Raise it on the API user,"
                " or send as another one.",
                self.ovh_user_id.login,
            )
        if scope in ("keys", "service") and isinstance(
            answer.read, ovh_client.OvhError
        ):
            return account._get_error_sentence(answer.read)
        if scope == "service":
            return error_sentences.get_disabled_sentence(env, account.service_name)
        if scope == "job" and state in QUESTIONED_STATES:
            return env._(
                "OVHcloud refuses what is sent as “%(name)s” (%(words)s). Look in"
                " OVHcloud's console whether it still exists and may send, or choose"
                " another sender or API user on the OVHcloud account.",
                name=self._get_refusable().with_env(env).display_name,
                words=error.message,
            )
        return api_ovh._get_failure_sentence(error)

    # ------------------------------------------------------------
    # Refused senders and API users
    # ------------------------------------------------------------

    def _get_refusable(self):
        """Return the record that a refusal of only this job refers to.

        :return: `sms.ovh.user` as whom it is sent, or else its `sms.ovh.sender`
        """
        self.ensure_one()
        by_user = self.ovh_user_id and self.sender_id.type != "virtual"
        return self.ovh_user_id if by_user else self.sender_id

    def _get_refused_until(self):
        """Return until when this job leaves it to another to try what was refused.

        :rtype: datetime
        """
        return self._get_refusable().refused_until or datetime.min

    def _hold_refused(self):
        """Hold new jobs behind the one that tries what OVHcloud refuses.

        :return: those that wait
        """
        now = fields.Datetime.now()
        held = self.filtered(
            lambda job: not job.next_attempt and job._get_refused_until() > now
        )
        for __, jobs in held.grouped(lambda job: job._get_refusable()).items():
            waiting = jobs[0]._get_fellows().filtered(lambda job: not job.next_attempt)
            (jobs | waiting).next_attempt = jobs[0]._get_refused_until()
        return held

    def _get_fellows(self):
        """Return the other waiting jobs with the same sender or API user."""
        self.ensure_one()
        refusable = self._get_refusable()
        domain = [
            ("account_id", "=", self.account_id.id),
            ("state", "=", "queued"),
            ("id", "!=", self.id),
        ]
        if refusable == self.ovh_user_id:
            domain += [
                ("ovh_user_id", "=", refusable.id),
                ("sender_id.type", "!=", "virtual"),
            ]
        else:
            domain.append(("sender_id", "=", refusable.id))
            if refusable.type != "virtual":
                domain.append(("ovh_user_id", "=", False))
        return self.search(domain)

    def _settle_refusal(self, api_ovh, values):
        """Have one job try a refused sender or API user again; hold all others.

        :param SmsApiOvh api_ovh: the job's gateway
        :param dict values: what to write besides
        :return: see :meth:`_settle_error`
        :rtype: list[tuple]
        """
        self.ensure_one()
        refusable = self._get_refusable()
        until = self._get_refused_until()
        if until > self.posted_at + PROBE_MARGIN:
            # Posted before the one that tries again, together with a refused one.
            self.write({**values, "state": "queued", "next_attempt": until})
            return []
        results = self._postpone(values, state="ovh_sender_refused")
        if not refusable:
            return [(self, self.receivers, results)]
        fellows = self._get_fellows()
        if self.state == "failed":
            # Jobs that waited for this one to succeed waited in vain.
            refusable.refused_until = False
            fellows.write({**values, "state": "failed", "next_attempt": False})
            return [
                (self, self.receivers, results),
                *(
                    (
                        job,
                        job.receivers,
                        api_ovh._prepare_results(
                            job.receivers, "ovh_sender_refused", values["error"]
                        ),
                    )
                    for job in fellows
                ),
            ]
        first = not refusable.refused_until
        until = self.next_attempt + PROBE_MARGIN
        refusable.refused_until = until
        fellows.filtered(
            lambda job: not job.next_attempt or job.next_attempt < until
        ).next_attempt = until
        if first:
            self.account_id._tell_refused(refusable, values["error"])
            # The sender may have been deleted at OVHcloud.
            self.env.ref("sms_ovh.ir_cron_synchronise").sudo()._trigger()
        return []

    def _is_paid_by_quota(self):
        """Return whether the quota of the API user pays, not the account's credits."""
        self.ensure_one()
        user = self.ovh_user_id
        return user.quota_active and self._get_refusable() == user

    def _settle_used_up(self, values, left):
        """Hold the jobs that an API user's quota pays for; let others leave.

        One job tries again each hour, however often: nothing is wrong with it. More is
        left once somebody raises the quota, see `sms.ovh.user._keep`.

        :param dict values: what to write besides
        :param float|None left: credits left in the quota, where OVHcloud says
        """
        self.ensure_one()
        user = self.ovh_user_id
        if left is not None:
            user._keep({"quota_left": left})
        first = not user.refused_until
        next_attempt = fields.Datetime.now() + timedelta(seconds=const.RETRY_MAX)
        # It was posted but is not given up: this is no attempt.
        attempts = max(self.attempts - 1, 0)
        self.write(
            {
                **values,
                "state": "queued",
                "attempts": attempts,
                "next_attempt": next_attempt,
            }
        )
        user.refused_until = next_attempt + PROBE_MARGIN
        self._get_fellows().next_attempt = user.refused_until
        if first:
            self.account_id._tell_refused(user, values["error"])
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(next_attempt)

    def _release_fellows(self):
        """Release jobs that waited for a sender or API user that works again."""
        refusable = self._get_refusable()
        if refusable.refused_until:
            refusable.refused_until = False
            self._get_fellows().next_attempt = False
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    # ------------------------------------------------------------
    # Reports of jobs
    # ------------------------------------------------------------

    def _settle_report(self, api_ovh, report, receivers):
        """Adopt OVHcloud's answer to this job, receiver by receiver.

        :param SmsApiOvh api_ovh: the job's gateway
        :param report: the decoded answer
        :param list receivers: this job's
        :return: results of its receivers, none while they are still open
        :rtype: list[dict]
        """
        self.ensure_one()
        accepted = api_ovh._match_report(report)
        self.account_id._read_report(report)
        refused = (report.get("invalidReceivers") or []) if accepted is not None else []
        if not accepted and not refused:
            # It cannot be told which id belongs to which receiver, or there are none.
            _logger.error(
                "OVHcloud SMS: the answer to job %s tells of no receiver; asking"
                " OVHcloud for each",
                self.tag,
            )
            self.write(
                {
                    "state": "unknown",
                    "next_attempt": fields.Datetime.now(),
                    "error": self.env._("The answer cannot be matched to receivers."),
                }
            )
            return []
        self._accept(report.get("totalCreditsRemoved"))
        self._release_fellows()
        named = accepted.keys() | {normalize_number(number) for number in refused}
        known = [pair for pair in receivers if pair[1] in named]
        # With one receiver, nothing can be mixed up.
        unchecked = accepted if len(receivers) > 1 else {}
        numbers = {number for __, number in receivers}
        self._set_open(
            {number: unchecked[number] for number in numbers & unchecked.keys()}
            | dict.fromkeys(numbers - named)
        )
        return api_ovh._read_receivers(known, accepted, refused)

    def _accept(self, charged):
        """Close this job, which OVHcloud accepted."""
        self.write(
            {
                "state": "accepted",
                "credits": charged if isinstance(charged, int | float) else 0,
                "error": False,
                "next_attempt": False,
            }
        )

    def _set_open(self, open_receivers):
        """Store what OVHcloud has to be asked about, and when.

        :param dict open_receivers: as in the field of this name
        """
        values = {
            "open_receivers": open_receivers or False,
            "open_count": len(open_receivers),
            "next_attempt": False,
        }
        if any(open_receivers.values()):
            values["next_attempt"] = fields.Datetime.now()
        elif None in open_receivers.values():
            values["next_attempt"] = self._get_check()
        elif open_receivers:
            values["next_attempt"] = self._get_next_inquiry()
            if not values["next_attempt"]:
                # No delivery report can arrive any more.
                values.update(open_receivers=False, open_count=0)
        self.write(values)

    def _get_next_inquiry(self):
        """Return when to ask again about SMS that are not confirmed, False for never.

        As long as a report can come: see `const.POLL_AFTER`.
        """
        now = fields.Datetime.now()
        start = self.posted_at or self.create_date
        # An SMS that is held over a weekend lives for two days after that.
        for delay in (*const.POLL_AFTER, 2 * const.POLL_AFTER[-1]):
            if start + delay > now:
                self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(start + delay)
                return start + delay
        return False

    def _apply(self, results):
        """Write the results of this job's receivers."""
        self._write_results([(self, self.receivers, results)])

    @api.model
    def _wake_inbox(self):
        """Process delivery reports that arrived before their SMS was known."""
        self.env.ref("sms_ovh.ir_cron_process_events").sudo()._trigger()

    def _postpone(self, values, retry_after=None, state="server_error"):
        """Try this job again after ever longer delays, or give it up.

        :param str state: what `SmsApiOvh` calls the failure of what is given up
        :return: results of its receivers, none while it is not given up
        :rtype: list[dict]
        """
        self.ensure_one()
        if self.attempts >= self._sms_ovh_get_parameter(
            "max_attempts", const.MAX_ATTEMPTS
        ):
            self.write({**values, "state": "failed"})
            return self._get_api()._prepare_results(
                self.receivers, state, values.get("error")
            )
        delay = min(const.RETRY_BASE * 2 ** (self.attempts - 1), const.RETRY_MAX)
        # Jitter: jobs that failed together must not return together.
        delay = max(delay * random.uniform(0.5, 1.5), retry_after or 0)
        next_attempt = fields.Datetime.now() + timedelta(seconds=delay)
        self.write({**values, "state": "queued", "next_attempt": next_attempt})
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(next_attempt)
        return []

    def _get_check(self):
        """Return when to ask OVHcloud about a job whose outcome is unknown."""
        seconds = self._sms_ovh_get_parameter("check_delay", const.CHECK_DELAY)
        check = fields.Datetime.now() + timedelta(seconds=seconds)
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(check)
        return check

    # ------------------------------------------------------------
    # Crons and actions
    # ------------------------------------------------------------

    @api.model
    def _cron_post(self):
        """Post due jobs, and ask OVHcloud about unknown ones."""
        transaction.transact(self.env, self._recover)
        # First, since jobs known to be unsent must not wait for many inquiries.
        self._dispatch(deadline=time.monotonic() + const.CRON_SECONDS)
        self._ask_for_open_due()
        self._reconcile_due()
        transaction.transact(self.env, self._wake_queues)
        remaining = self.search_count(
            [
                *self._get_sendable_domain(),
                *self._get_cron_domain(),
                ("next_attempt", "=", False),
            ],
            limit=1000,
        )
        self.env["ir.cron"]._commit_progress(remaining=remaining)

    @api.autovacuum
    def _gc_jobs(self):
        """Delete jobs that ended long ago and whose SMS have all ended too."""
        days = self._sms_ovh_get_parameter("keep_jobs_days", const.KEEP_JOBS_DAYS)
        limit = fields.Datetime.now() - timedelta(days=days)
        jobs = self.search(
            [
                ("state", "in", ("accepted", "refused", "failed", "cancelled")),
                ("create_date", "<", limit),
                "!",
                ("sms_ids.state", "in", ("outgoing", "process", "pending")),
            ],
            limit=GC_UNLINK_LIMIT,
        )
        jobs.unlink()
        # Odoo calls this again for the rest.
        return len(jobs), len(jobs) == GC_UNLINK_LIMIT

    @api.model
    def _wake_queues(self):
        """Trigger Odoo's queues if something is due and no run is planned.

        Odoo puts a scheduled action off, by a day for campaigns, that was ended three
        times before it had told of anything done.
        """
        now = fields.Datetime.now()
        late = now - const.WAKE_AFTER
        Mailing = self.env["mailing.mailing"]
        due = {
            "sms.ir_cron_sms_scheduler_action": self.env["sms.sms"].search_count(
                [
                    *self.env["sms.sms"]._sms_ovh_get_queue_domain(),
                    ("record_company_id.sms_ovh_account_id", "!=", False),
                    ("create_date", "<", late),
                ],
                limit=1,
            ),
            "mass_mailing.ir_cron_mass_mailing_queue": Mailing.search_count(
                Mailing._sms_ovh_get_late_domain(), limit=1
            ),
        }
        for xmlid, waits in due.items():
            cron = self.env.ref(xmlid)
            if waits and cron.active and cron.nextcall > now + const.WAKE_AFTER:
                self._trigger_at(xmlid, [now.replace(second=0, microsecond=0)])

import logging
import random
import time
from datetime import timedelta
from uuid import uuid4

from psycopg2.errors import (
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
)

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ConcurrencyError, ValidationError

from .. import const
from ..tools import job_pool, ovh_client
from ..tools.sms_api import SmsApiOvh, normalize_number

_logger = logging.getLogger(__name__)

# What may follow what. "accepted", "refused", "failed" and "cancelled" are final.
TRANSITIONS = {
    "queued": {"posting", "failed", "cancelled"},
    "posting": {"accepted", "refused", "queued", "unknown", "failed"},
    "unknown": {"accepted", "queued", "failed"},
    "accepted": set(),
    "refused": set(),
    "failed": set(),
    "cancelled": set(),
}
# Seconds after which a job that is being posted has been left alone: its thread posts
# within `job_pool.POST_WITHIN` and waits for connection and answer no longer than the
# time-outs.
ABANDONED_AFTER = 2 * (
    job_pool.POST_WITHIN + const.CONNECT_TIMEOUT + const.READ_TIMEOUT
)
# Channel of OCA's `queue_job`, where that is installed.
QUEUE_JOB_CHANNEL = "root.sms_ovh"
# Receivers of one answer whose id is checked at OVHcloud's.
SAMPLES = 2
# Jobs looked at in one search of those that are due.
SEARCH_LIMIT = 200
# Times that a transaction is tried which another one conflicts with.
TRANSACTION_TRIES = 10
CONFLICTS = (
    ConcurrencyError,
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
)


class SmsOvhJob(models.Model):
    """The outbox: one row per job posted to OVHcloud.

    A job is committed before it is posted, and posted by whoever took it, once. Its
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
    stop_clause = fields.Boolean(string="STOP Clause", readonly=True)
    receivers = fields.Json(
        readonly=True, help="Pairs of an SMS's UUID and its number in E.164."
    )
    receiver_count = fields.Integer(string="Receivers", readonly=True)
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

    _tag_unique = models.Constraint("unique(tag)", "A job of this tag exists already.")
    _due_idx = models.Index(
        "(next_attempt, id) WHERE state IN ('queued', 'posting', 'unknown')"
    )

    def write(self, vals):
        """Override to let a job only move as `TRANSITIONS` says.

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
    # Settings
    # ------------------------------------------------------------

    @api.model
    def _get_parameter(self, name, default):
        """Return the system parameter ``sms_ovh.<name>`` as a number."""
        # sudo: a setting of the addon, read for whoever sends.
        value = (
            self.env["ir.config_parameter"].sudo().get_param(f"sms_ovh.{name}", default)
        )
        try:
            return max(0, int(value))
        except (TypeError, ValueError):
            _logger.warning("sms_ovh.%s is no number: %r", name, value)
            return default

    # ------------------------------------------------------------
    # Filling the outbox
    # ------------------------------------------------------------

    @api.model
    def _claim(self, sms):
        """Put queued SMS into jobs: equal texts together, few receivers or many.

        What can be refused without any call is refused here. Nothing is committed, nor
        posted before it is.

        :param sms: locked, queued `sms.sms` of companies with an account
        :return: the new jobs
        """
        vals_list = []
        refusals = []
        for api_ovh, api_sms in sms._split_by_api():
            account = api_ovh.account_sudo
            for body, body_sms in api_sms.grouped("body").items():
                receivers = []
                for record in body_sms:
                    refusal, number = api_ovh._check_receiver(body or "", record.number)
                    if refusal:
                        refusals.append(api_ovh._prepare_result(record.uuid, refusal))
                    else:
                        receivers.append((record.uuid, number))
                vals_list += [
                    {
                        "account_id": account.id,
                        "sender_id": account.default_sender_id.id,
                        "body": body,
                        "stop_clause": api_ovh.stop_clause,
                        "receivers": chunk,
                        "receiver_count": len(chunk),
                    }
                    for chunk in api_ovh._split_receivers(receivers)
                ]
        # sudo: the outbox is nobody's to write but the gateway's.
        jobs = self.sudo().create(vals_list)
        by_uuid = sms.grouped("uuid")
        claimed = []
        for job in jobs:
            for uuid, __ in job.receivers:
                by_uuid[uuid].sms_ovh_job_id = job
                claimed.append(by_uuid[uuid].id)
        sms.browse(claimed)._update_sms_state_and_trackers("process", False)
        if refusals:
            sms._sms_ovh_apply_results(refusals)
        return jobs

    # ------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------

    @api.model
    def _dispatch(self, jobs=None, deadline=None):
        """Post what is due, and commit after each answer.

        Must run in a cursor of its own: it commits.

        :param jobs: only these; by default all that are due
        :param float|None deadline: `time.monotonic()` after which none is taken any more
        :return: how many answers came
        :rtype: int
        """
        size = self._get_parameter("threads", const.THREADS) or 1
        if jobs is not None:
            size = min(size, len(jobs)) or 1
        count = 0
        with job_pool.JobPool(size) as pool:
            posts = self._transact(lambda: self._take(pool.room, jobs))
            while True:
                for post in posts:
                    pool.submit(post)
                if not pool.busy:
                    return count
                answers = pool.wait()
                count += len(answers)
                late = deadline is not None and time.monotonic() > deadline
                room = 0 if late else pool.room

                def settle_and_take(answers=answers, room=room):
                    for answer in answers:
                        self._settle(answer)
                    return self._take(room, jobs)

                posts = self._transact(settle_and_take)

    def _transact(self, function):
        """Run `function` and commit, as often as other transactions conflict with it.

        What OVHcloud answered is in memory only until then, so a conflict must not
        lose it.
        """
        for attempt in range(TRANSACTION_TRIES):
            try:
                result = function()
                self.env.flush_all()
                self.env.cr.commit()
                return result
            except CONFLICTS:
                self.env.cr.rollback()
                self.env.transaction.reset()
                if attempt == TRANSACTION_TRIES - 1:
                    raise
                _logger.info("OVHcloud SMS: conflict with another transaction, again")
                time.sleep(random.uniform(0, 0.05 * 2**attempt))

    @api.model
    def _take(self, room, jobs=None):
        """Take up to `room` jobs to post; nobody else does from the commit on.

        :rtype: list[job_pool.JobPost]
        """
        if not room:
            return []
        domain = [
            ("state", "=", "queued"),
            ("account_id.pause_reason", "=", False),
            "|",
            ("next_attempt", "=", False),
            ("next_attempt", "<=", fields.Datetime.now()),
        ]
        if jobs is not None:
            domain.append(("id", "in", jobs.ids))
        due = self.search(domain, order="id", limit=SEARCH_LIMIT)
        taken = due.try_lock_for_update(allow_referencing=True, limit=room)
        taken.fetch(["body", "receivers", "account_id", "sender_id", "attempts"])
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
        return [job._prepare_post(deadline) for job in taken]

    def _prepare_post(self, deadline):
        """Return what a thread needs to post this job."""
        self.ensure_one()
        path, content = self._get_api()._prepare_job(
            self.body, self.receivers, sender=self.sender_id, tag=self.tag
        )
        return job_pool.JobPost(
            job_id=self.id,
            client_args=self.account_id._get_client_args(),
            path=path,
            content=content,
            outgoing_path=self._get_outgoing_path(),
            samples=SAMPLES,
            deadline=deadline,
        )

    def _get_api(self):
        """Return the gateway of this job's account and clause."""
        self.ensure_one()
        company = self.account_id.company_id
        lang = company.partner_id.lang
        env = self.env(context={**self.env.context, "lang": lang})
        return SmsApiOvh(
            env, account=self.account_id.with_env(env), stop_clause=self.stop_clause
        )

    def _get_outgoing_path(self):
        """Return the API's path of the SMS sent the way of this job."""
        self.ensure_one()
        if self.sender_id.type == "virtual":
            return self.account_id._get_path(
                "virtualNumbers", self.sender_id.name, "outgoing"
            )
        return self.account_id._get_path("outgoing")

    def _dispatch_after_commit(self):
        """Post these jobs right after the running transaction is committed.

        Many are left to the cron: nobody should wait for them.
        """
        if not self or self._delay():
            return
        if len(self) > const.JOBS_AFTER_COMMIT:
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()
            return
        registry, ids = self.env.registry, self.ids

        @self.env.cr.postcommit.add
        def post():
            try:
                with registry.cursor() as cr:
                    env = api.Environment(cr, SUPERUSER_ID, {})
                    jobs = env["sms.ovh.job"].browse(ids)
                    jobs._dispatch(jobs)
            except Exception:
                # The user's work is committed; the cron takes over.
                _logger.exception("OVHcloud SMS: jobs could not be posted at once")

    def _delay(self):
        """Hand these jobs to OCA's `queue_job` where it is installed.

        Its runner spreads them over all its hosts, on the channel `root.sms_ovh`.

        :return: whether it takes care of them
        :rtype: bool
        """
        if "queue.job" not in self.env:
            return False
        for job in self:
            # sudo: whoever sends need not have rights on the queue.
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
    # Answers
    # ------------------------------------------------------------

    @api.model
    def _settle(self, answer):
        """Write down what one answer means. The one place where that is decided.

        :param job_pool.JobAnswer answer: what the thread brought back
        """
        job = self.browse(answer.post.job_id).exists()
        if not job or job.state != "posting":
            # Taken for abandoned meanwhile: reconciliation finds out.
            _logger.warning(
                "OVHcloud SMS: answer to job %s, which is not being posted any more",
                answer.post.job_id,
            )
            return
        if answer.error is None:
            job._settle_report(answer.report, answer.samples)
            return
        error = answer.error
        api_ovh = job._get_api()
        state = api_ovh._get_error_state(error)
        values = {
            "query_id": error.query_id,
            "error": api_ovh._get_failure_sentence(error),
        }
        _logger.warning("OVHcloud SMS: job %s: %r", job.tag, error)
        if error.may_be_done:
            job.write({**values, "state": "unknown", "next_attempt": job._get_check()})
        elif state == "insufficient_credit" and not job.account_id.auto_recharge:
            job.write({**values, "state": "queued"})
            job.account_id._pause("credit", values["error"])
        elif state == "unregistered":
            job.write({**values, "state": "queued"})
            job.account_id._pause("keys", values["error"])
        elif state in ("server_error", "insufficient_credit"):
            job._postpone(values, error.retry_after)
        else:
            job.write({**values, "state": "refused"})
            job._apply_to_all(state, values["error"])

    def _settle_report(self, report, samples):
        """Adopt OVHcloud's answer to this job, receiver by receiver."""
        self.ensure_one()
        api_ovh = self._get_api()
        accepted = api_ovh._match_report(report, samples)
        if accepted is None:
            # Ids and receivers cannot be told to belong together: ask for each.
            _logger.error(
                "OVHcloud SMS: the ids of job %s do not match its receivers; asking"
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
            return
        results = api_ovh._read_receivers(
            self.receivers, accepted, report.get("invalidReceivers") or []
        )
        self._accept(results, report.get("totalCreditsRemoved"))

    def _accept(self, results, charged):
        """Close this job with the results of its receivers."""
        self.write(
            {
                "state": "accepted",
                "credits": charged if isinstance(charged, int | float) else 0,
                "error": False,
                "next_attempt": False,
            }
        )
        # sudo: SMS of any user.
        self.env["sms.sms"].sudo()._sms_ovh_apply_results(results, self.account_id)

    def _apply_to_all(self, state, reason):
        """Give all SMS of this job the same result."""
        api_ovh = self._get_api()
        # sudo: SMS of any user.
        self.env["sms.sms"].sudo()._sms_ovh_apply_results(
            api_ovh._prepare_results(self.receivers, state, reason), self.account_id
        )

    def _postpone(self, values, retry_after=None):
        """Try this job again later, longer and longer, or give it up."""
        self.ensure_one()
        if self.attempts >= self._get_parameter("max_attempts", const.MAX_ATTEMPTS):
            self.write({**values, "state": "failed"})
            self._apply_to_all("server_error", values["error"])
            return
        delay = min(const.RETRY_BASE * 2 ** (self.attempts - 1), const.RETRY_MAX)
        # Jitter: what failed together must not come back together.
        delay = max(delay * random.uniform(0.5, 1.5), retry_after or 0)
        next_attempt = fields.Datetime.now() + timedelta(seconds=delay)
        self.write({**values, "state": "queued", "next_attempt": next_attempt})
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(next_attempt)

    def _get_check(self):
        """Return when OVHcloud is to be asked for a job whose outcome is not known."""
        seconds = self._get_parameter("check_delay", const.CHECK_DELAY)
        check = fields.Datetime.now() + timedelta(seconds=seconds)
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger(check)
        return check

    # ------------------------------------------------------------
    # Reconciliation
    # ------------------------------------------------------------

    @api.model
    def _recover(self):
        """Find the jobs that somebody took and nobody settled: their outcome is open."""
        limit = fields.Datetime.now() - timedelta(seconds=ABANDONED_AFTER)
        jobs = self.search(
            [("state", "=", "posting"), ("posted_at", "<", limit)]
        ).try_lock_for_update(allow_referencing=True)
        for job in jobs:
            _logger.warning("OVHcloud SMS: job %s was left while being sent", job.tag)
            job.write({"state": "unknown", "next_attempt": fields.Datetime.now()})
        return jobs

    @api.model
    def _reconcile_due(self):
        """Ask OVHcloud once for each job whose outcome is not known, each committed."""
        last_id = 0
        while True:
            job = self.search(
                [
                    ("state", "=", "unknown"),
                    ("id", ">", last_id),
                    "|",
                    ("next_attempt", "=", False),
                    ("next_attempt", "<=", fields.Datetime.now()),
                ],
                order="id",
                limit=SEARCH_LIMIT,
            ).try_lock_for_update(allow_referencing=True, limit=1)
            if not job:
                return
            last_id = job.id
            self._transact(job._reconcile)

    def _reconcile(self):
        """Ask OVHcloud for this job's tag, and adopt what it knows.

        Only a tag that OVHcloud does not know, asked twice with time between, is posted
        again, and with the same tag.
        """
        self.ensure_one()
        if self.state != "unknown":
            return
        try:
            with self.account_id._get_client() as client:
                found = self._fetch_by_tag(client)
        except ovh_client.OvhError as error:
            _logger.warning("OVHcloud SMS: job %s cannot be asked for: %r", self.tag, error)
            self.next_attempt = self._get_check()
            return
        if found:
            api_ovh = self._get_api()
            missing = [n for __, n in self.receivers if n not in found]
            if missing and self.unknown_checks < 1:
                # OVHcloud may still be at it.
                self.write(
                    {
                        "unknown_checks": self.unknown_checks + 1,
                        "next_attempt": self._get_check(),
                    }
                )
                return
            results = api_ovh._read_receivers(
                self.receivers,
                {number: ovh_id for number, (ovh_id, __) in found.items()},
                missing,
            )
            self._accept(results, sum(charged for __, charged in found.values()))
            _logger.info(
                "OVHcloud SMS: job %s found at OVHcloud: %s of %s receivers",
                self.tag,
                len(found),
                self.receiver_count,
            )
        elif self.unknown_checks < 1:
            self.write(
                {
                    "unknown_checks": self.unknown_checks + 1,
                    "next_attempt": self._get_check(),
                }
            )
        else:
            _logger.info("OVHcloud SMS: job %s is not known at OVHcloud's", self.tag)
            self._postpone({"unknown_checks": 0})

    def _fetch_by_tag(self, client):
        """Return what OVHcloud knows of this job: number -> (id, credits).

        A deferred SMS may stand among the pending jobs only, which have no tag: there
        it is recognised by receiver, text and time.

        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        self.ensure_one()
        found = {}
        outgoing_path = self._get_outgoing_path()
        for ovh_id in client.get(outgoing_path, tag=self.tag) or []:
            sms = client.get(f"{outgoing_path}/{ovh_client.quote_path(ovh_id)}")
            number = normalize_number(sms["receiver"])
            found[number] = (str(ovh_id), sms.get("credits") or 0)
        if len(found) >= self.receiver_count:
            return found
        numbers = {number for __, number in self.receivers} - found.keys()
        jobs_path = outgoing_path.removesuffix("outgoing") + "jobs"
        for ovh_id in client.get(jobs_path) or []:
            try:
                sms = client.get(f"{jobs_path}/{ovh_client.quote_path(ovh_id)}")
            except ovh_client.OvhNotFound:
                continue  # it left meanwhile
            number = normalize_number(sms["receiver"])
            if number in numbers and (sms["message"] or "").startswith(self.body):
                found[number] = (str(ovh_id), sms.get("credits") or 0)
        # The same text may have gone to the same number by another job.
        # sudo: SMS of any user.
        taken = self.env["sms.sms"].sudo().search_fetch(
            [
                ("sms_ovh_id", "in", [ovh_id for ovh_id, __ in found.values()]),
                ("sms_ovh_account_id", "=", self.account_id.id),
                ("sms_ovh_job_id", "!=", self.id),
            ],
            ["sms_ovh_id"],
        )
        taken_ids = set(taken.mapped("sms_ovh_id"))
        return {
            number: known for number, known in found.items() if known[0] not in taken_ids
        }

    # ------------------------------------------------------------
    # Crons and actions
    # ------------------------------------------------------------

    @api.model
    def _cron_post(self):
        """Post what is due, ask for what is not known."""
        self._transact(self._recover)
        self._reconcile_due()
        self._dispatch(deadline=time.monotonic() + const.CRON_SECONDS)
        remaining = self.search_count(
            [("state", "=", "queued"), ("next_attempt", "=", False)], limit=1000
        )
        self.env["ir.cron"]._commit_progress(remaining=remaining)

    def action_reconcile(self):
        """Ask OVHcloud now for jobs whose outcome is not known."""
        for job in self.filtered(lambda job: job.state == "unknown"):
            job.sudo()._reconcile()

    @api.autovacuum
    def _gc_jobs(self):
        """Delete jobs that ended long ago and whose SMS have all ended too."""
        days = self._get_parameter("keep_jobs_days", const.KEEP_JOBS_DAYS)
        limit = fields.Datetime.now() - timedelta(days=days)
        self.search(
            [
                ("state", "in", ("accepted", "refused", "failed", "cancelled")),
                ("create_date", "<", limit),
                "!",
                ("sms_ids.state", "in", ("outgoing", "process", "pending")),
            ]
        ).unlink()

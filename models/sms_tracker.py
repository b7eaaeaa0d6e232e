import logging
import time
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from ..fields import UncheckedMany2one
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.ovh_times import format_time

_logger = logging.getLogger(__name__)

# SMS that OVHcloud is asked for in one run.
POLL_LIMIT = 5000

# Statuses of notifications and traces -> state of the SMS they stand for. Opened and
# replied mean delivered.
STATUS_TO_STATE = {
    "ready": "outgoing",
    "outgoing": "outgoing",
    "process": "process",
    "pending": "pending",
    "sent": "sent",
    "open": "sent",
    "reply": "sent",
    "exception": "error",
    "error": "error",
    "bounce": "error",
    "canceled": "canceled",
    "cancel": "canceled",
}


def is_ended(dlr):
    """Tell whether a DLR status is the last word on an SMS."""
    state = const.DLR_TO_STATE.get(dlr, "pending")
    return const.STATE_RANK[state] > const.STATE_RANK["pending"]


class SmsTracker(models.Model):
    _name = "sms.tracker"
    _inherit = ["sms.tracker", "sms.ovh.guard.mixin"]

    sms_ovh_account_id = UncheckedMany2one(
        "sms.ovh.account", string="OVHcloud Account", readonly=True
    )
    sms_ovh_id = fields.Char(
        string="OVHcloud's SMS ID", index="btree_not_null", readonly=True
    )
    sms_ovh_job_id = UncheckedMany2one(
        "sms.ovh.job", string="OVHcloud Job", readonly=True
    )
    sms_ovh_ptt = fields.Integer(string="OVHcloud's Code", readonly=True)
    sms_ovh_poll_at = fields.Datetime(
        string="Ask OVHcloud On",
        readonly=True,
        help="When OVHcloud is asked for this SMS if no final report comes.",
    )
    sms_ovh_poll_count = fields.Integer(readonly=True)
    sms_ovh_no_report = fields.Boolean(
        string="No Report",
        readonly=True,
        help="OVHcloud never said what became of this SMS.",
    )
    sms_ovh_cancel = fields.Selection(
        [
            ("requested", "Asked For"),
            ("deleting", "Being Cancelled at OVHcloud"),
            ("here", "Cancelled Before OVHcloud Got It"),
            ("ovh", "Cancelled at OVHcloud"),
            ("gone", "Already Gone"),
        ],
        string="Cancellation",
        readonly=True,
    )

    _sms_ovh_poll_idx = models.Index(
        "(sms_ovh_poll_at) WHERE sms_ovh_poll_at IS NOT NULL"
    )

    _sms_ovh_cancel_idx = models.Index(
        "(sms_ovh_account_id, id) WHERE sms_ovh_cancel IN ('requested', 'deleting')"
    )

    # In SQL for the same reason as on `sms.sms`.

    @api.model
    def _sms_ovh_set_claimed(self, uuids):
        """Write down on notifications that SMS are in the outbox.

        Not on traces: that a campaign's SMS wait is all that one would see, and what is
        in the outbox, its jobs say.

        :param list uuids: of the SMS that may have a notification
        """
        if uuids:
            self.search(
                [("sms_uuid", "in", uuids), ("mail_notification_id", "!=", False)]
            )._update_sms_notifications("process")

    @api.model
    def _sms_ovh_set_accepted(self, accepted, account):
        """Write down what OVHcloud accepted, and when to ask what became of it.

        :param list accepted: UUID of the SMS, OVHcloud's id and id of the `sms.ovh.job`
            of each
        :param account: `sms.ovh.account` that sent them
        """
        self.flush_model()
        uuids, ovh_ids, job_ids = zip(*accepted, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_tracker
                   SET sms_ovh_id = accepted.id, sms_ovh_account_id = %(account)s,
                       sms_ovh_job_id = accepted.job_id,
                       sms_ovh_poll_at = %(poll_at)s, sms_ovh_poll_count = 0,
                       write_uid = %(uid)s, write_date = %(now)s
                  FROM unnest(%(uuids)s::varchar[], %(ids)s::varchar[],
                              %(job_ids)s::int[])
                       AS accepted (uuid, id, job_id)
                 WHERE sms_uuid = accepted.uuid
             RETURNING mailing_trace_id,
                       CASE WHEN mail_notification_id IS NULL THEN NULL
                            ELSE sms_tracker.id END,
                       sms_uuid
                """,
                uuids=list(uuids),
                ids=list(ovh_ids),
                job_ids=list(job_ids),
                account=account.id,
                poll_at=fields.Datetime.now() + const.POLL_AFTER[0],
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)
        # Few have a notification: those of a chatter, not of a campaign.
        self.browse(id_ for __, id_, __ in rows if id_)._update_sms_notifications(
            "pending"
        )
        trace_ids = [id_ for id_, __, __ in rows if id_]
        if trace_ids:
            self._sms_ovh_set_traces_pending(trace_ids)
        tracked = {uuid for __, __, uuid in rows}
        # Core has nothing track what is sent to a mere number.
        self.create(
            [
                {
                    "sms_uuid": uuid,
                    "sms_ovh_id": ovh_id,
                    "sms_ovh_account_id": account.id,
                    "sms_ovh_job_id": job_id,
                    "sms_ovh_poll_at": fields.Datetime.now() + const.POLL_AFTER[0],
                }
                for uuid, ovh_id, job_id in accepted
                if uuid not in tracked
            ]
        )

    @api.model
    def _sms_ovh_set_traces_pending(self, trace_ids):
        """Move traces of many SMS, as core's trackers do one by one.

        :param list trace_ids: ids of `mailing.trace`
        """
        traces = self.env["mailing.trace"]
        traces.flush_model(["trace_status", "sent_datetime"])
        rows = self.env.execute_query(
            SQL(
                """
                WITH moved AS (
                    UPDATE mailing_trace
                       SET trace_status = 'pending',
                           failure_type = NULL, failure_reason = NULL,
                           sent_datetime = COALESCE(sent_datetime, %(now)s),
                           write_uid = %(uid)s, write_date = %(now)s
                     WHERE id = ANY(%(ids)s)
                       AND trace_status NOT IN ('pending', 'sent', 'open', 'reply')
                 RETURNING id, mass_mailing_id
                )
                SELECT MIN(id) FROM moved GROUP BY mass_mailing_id
                """,
                ids=trace_ids,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        traces.invalidate_model(
            [
                "trace_status",
                "failure_type",
                "failure_reason",
                "sent_datetime",
                "write_uid",
                "write_date",
            ],
            flush=False,
        )
        # One of each campaign will do.
        self._update_sms_mailings("pending", traces.browse(id_ for (id_,) in rows))

    def _update_sms_mailings(self, trace_status, traces):
        """Override of `mass_mailing_sms` to go by the outbox where OVHcloud sends.

        Core looks for traces in process, among those of all campaigns ever sent. What
        is in process here is in a job.
        """
        ours = traces.mass_mailing_id.filtered(
            lambda mailing: mailing.sms_ovh_account_id or mailing.sms_ovh_composed_count
        )
        if not ours:
            return super()._update_sms_mailings(trace_status, traces)
        # A test of a campaign is none of it. What is in process, the claim says.
        if trace_status != "process":
            sent = traces.filtered(lambda trace: not trace.is_test_trace)
            (sent.mass_mailing_id & ours)._sms_ovh_end_sent()
        others = traces.filtered(lambda trace: trace.mass_mailing_id not in ours)
        if others:
            return super()._update_sms_mailings(trace_status, others)

    def _sms_ovh_set_refused(self, state, reason, account):
        """Write down on notifications and traces why an SMS was not sent.

        :param str state: what `SmsApiOvh` calls the failure
        :param str|bool reason: sentence on the failure
        :param account: `sms.ovh.account` that refused them, none if it was never asked
        """
        self.write({"sms_ovh_id": False, "sms_ovh_account_id": account and account.id})
        failure_type = const.PROVIDER_TO_SMS_FAILURE_TYPE.get(state)
        if failure_type:
            self._action_update_from_sms_state(
                "error", failure_type=failure_type, failure_reason=reason
            )
        else:
            self.with_context(
                sms_known_failure_reason=reason
            )._action_update_from_provider_error(state)

    def _sms_ovh_update(self, state, failure_type, failure_reason, ptt):
        """Move notifications and traces forward to what a delivery report says.

        :param str state: state as of `sms.sms`
        :param str|bool failure_type: why, where `state` is an error
        :param str|bool failure_reason: OVHcloud's words on it
        :param int ptt: OVHcloud's code
        :return: the trackers of which anything moved
        """
        # All at once: one by one, each would be read on its own.
        self.mail_notification_id.fetch(["notification_status"])
        self.mailing_trace_id.fetch(["trace_status"])
        moved = self.filtered(lambda tracker: tracker._sms_ovh_can_move(state))
        if not moved:
            return moved
        values = {"sms_ovh_ptt": ptt}
        if const.STATE_RANK[state] > const.STATE_RANK["pending"]:
            values.update(sms_ovh_poll_at=False, sms_ovh_no_report=False)
        moved.write(values)
        if state == "error":
            # This path of core tells bounces, which blame the number, from other
            # failures.
            moved.with_context(
                sms_known_failure_reason=failure_reason
            )._action_update_from_provider_error(failure_type.removeprefix("sms_"))
        else:
            moved._action_update_from_sms_state(state)
        return moved

    def _sms_ovh_can_move(self, state):
        """Return whether `state` says more than what notification and trace say now."""
        self.ensure_one()
        rank = const.STATE_RANK[state]
        current = [
            STATUS_TO_STATE.get(status, "outgoing")
            for status in (
                self.mail_notification_id.notification_status,
                self.mailing_trace_id.trace_status,
            )
            if status
        ]
        if any(const.STATE_RANK[now] >= rank for now in current):
            if state == "error" and "sent" in current:
                _logger.info(
                    "OVHcloud SMS: a failure was reported after the delivery of SMS %s",
                    self.sms_ovh_id,
                )
            return False
        return True

    # ------------------------------------------------------------
    # What reports missed
    # ------------------------------------------------------------

    @api.model
    def _cron_sms_ovh_poll(self):
        """Ask OVHcloud for SMS of which no final report came.

        Bounded in each run; after the last of `const.POLL_AFTER` there is none to come.
        """
        due = self.search(
            [("sms_ovh_poll_at", "<=", fields.Datetime.now())],
            order="sms_ovh_poll_at",
            limit=POLL_LIMIT,
        )
        for account, trackers in due.grouped("sms_ovh_account_id").items():
            if account:
                transaction.transact(
                    self.env,
                    partial(trackers._sms_ovh_poll, account),
                )
            self.env["ir.cron"]._commit_progress(len(trackers))
        if len(due) == POLL_LIMIT:
            self.env.ref("sms_ovh.ir_cron_poll")._trigger()

    def _sms_ovh_poll(self, account):
        """Ask OVHcloud what became of these SMS, of which no final report came.

        The lists of delivered and of failed SMS of their time are asked for, which is
        few calls however many they are; what is found goes the way of every report.

        :param account: `sms.ovh.account` that sent them
        """
        if account.auth_method == "http2sms":
            # Nobody can be asked.
            self._sms_ovh_postpone_poll()
            return
        Event = self.env["sms.ovh.event"].sudo()
        open_ids = set(self.mapped("sms_ovh_id"))
        # An SMS is created at OVHcloud after its tracker and, held back at night and
        # at week-ends, still lives `VALIDITY_PERIOD` later.
        period = {
            "creationDatetime.from": format_time(
                min(self.mapped("create_date")) - timedelta(days=1)
            ),
            "creationDatetime.to": format_time(fields.Datetime.now()),
        }
        # The account's list may or may not hold what an API user or a virtual number
        # sent: those have lists of their own.
        account_path = account._get_path("outgoing")
        ids_by_path = {account_path: open_ids}
        # sudo: jobs are technical records; old ones may be deleted.
        jobs = self.sudo().sms_ovh_job_id.exists()
        own_ids = set(
            jobs.filtered(
                lambda job: job.ovh_user_id or job.sender_id.type == "virtual"
            ).ids
        )
        for tracker in self.sudo():
            if tracker.sms_ovh_job_id.id in own_ids:
                path = tracker.sms_ovh_job_id._get_outgoing_path()
                ids_by_path.setdefault(path, set()).add(tracker.sms_ovh_id)
        found = []
        with account._get_client() as client:
            for path, ids in ids_by_path.items():
                try:
                    answers = self._sms_ovh_fetch_outcomes(
                        account, client, path, ids & open_ids, period
                    )
                except (ovh_client.OvhError, KeyError, TypeError, ValueError) as error:
                    _logger.warning(
                        "OVHcloud SMS: account %s cannot be asked for reports: %s",
                        account.id,
                        type(error).__name__,
                    )
                    continue
                found += answers
                open_ids = open_ids - {answer["id"] for answer in answers}
        events = Event.browse(
            [Event._receive_delivery(account.id, {**params}) for params in found]
        )
        events._process()
        self.filtered("sms_ovh_poll_at")._sms_ovh_postpone_poll()

    @api.model
    def _sms_ovh_fetch_outcomes(self, account, client, path, ids, period):
        """Return what became of SMS, of those that ended.

        :param account: `sms.ovh.account` that sent them
        :param client: `OvhSmsClient`
        :param str path: the API's path of the list
        :param set ids: OVHcloud's ids
        :param dict period: parameters that bound the list to these SMS
        :return: parameters of a report for each
        :rtype: list[dict]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        if not ids:
            return []
        client_args = account._get_client_args()
        if "/users/" in path:
            # Its list knows no time, and would be all that was ever sent.
            ids = sorted(ids)
            answers = ovh_calls.read_many(client_args, path, ids, const.THREADS)
            return [
                {
                    "id": ovh_id,
                    "dlr": str(sms["deliveryReceipt"]),
                    "ptt": str(sms["ptt"]),
                }
                for ovh_id, sms in zip(ids, answers, strict=True)
                if sms is not None and is_ended(sms["deliveryReceipt"])
            ]
        found = []
        for dlr, state in const.DLR_TO_STATE.items():
            if not is_ended(dlr):
                continue
            listed = client.get(path, deliveryReceipt=dlr, **period) or []
            ended = sorted(ids.intersection(map(str, listed)))
            if state == "sent":
                found += [{"id": ovh_id, "dlr": str(dlr)} for ovh_id in ended]
                continue
            answers = ovh_calls.read_many(client_args, path, ended, const.THREADS)
            found += [
                {"id": ovh_id, "dlr": str(dlr), "ptt": str(sms["ptt"])}
                for ovh_id, sms in zip(ended, answers, strict=True)
                if sms is not None
            ]
        return found

    def _sms_ovh_postpone_poll(self):
        """Ask for these SMS again later, or say that no report came."""
        for count, trackers in self.grouped("sms_ovh_poll_count").items():
            count += 1
            values = {"sms_ovh_poll_count": count}
            if count < len(const.POLL_AFTER):
                delay = const.POLL_AFTER[count] - const.POLL_AFTER[count - 1]
                values["sms_ovh_poll_at"] = fields.Datetime.now() + delay
            else:
                values.update(sms_ovh_poll_at=False, sms_ovh_no_report=True)
            trackers.write(values)

    # ------------------------------------------------------------
    # What is answered
    # ------------------------------------------------------------

    def _sms_ovh_prepare_answered(self):
        """Return the values by which an answer names this SMS."""
        trace = self.mailing_trace_id
        return {"trace_id": trace.id, "mailing_id": trace.mass_mailing_id.id}

    def _sms_ovh_get_record(self):
        """Return the record that this SMS was about, None where there is none.

        :rtype: odoo.models.Model|None
        """
        message = self.mail_notification_id.mail_message_id
        trace = self.mailing_trace_id
        model, res_id = trace.model or message.model, trace.res_id or message.res_id
        if not model or not res_id or model not in self.env:
            return None
        record = self.env[model].browse(res_id)
        return record if record.exists() else None

    # ------------------------------------------------------------
    # Cancelling, here and at OVHcloud
    # ------------------------------------------------------------

    def _sms_ovh_set_canceled(self, where, failure_type=False):
        """Write down that these SMS never reach anybody.

        Not by core's trackers: those never take back what is in process.

        :param str|bool where: "here" or "ovh", value of `sms_ovh_cancel`; False where
            nobody called them back
        :param str|bool failure_type: why, where it is no user who stopped them
        """
        self.write({"sms_ovh_cancel": where, "sms_ovh_poll_at": False})
        ended = ("canceled", "cancel", "sent", "open", "reply")
        values = {"failure_type": failure_type, "failure_reason": False}
        traces = self.mailing_trace_id.filtered(
            lambda trace: trace.trace_status not in ended
        )
        traces.write({"trace_status": "cancel", **values})
        self._sms_ovh_end_mailings(traces)
        notifications = self.mail_notification_id.filtered(
            lambda notification: notification.notification_status not in ended
        )
        notifications.write({"notification_status": "canceled", **values})
        notifications.mail_message_id._notify_message_notification_update()

    @api.model
    def _sms_ovh_end_mailings(self, traces):
        """Call campaigns done of which nothing is left to leave.

        :param traces: `mailing.trace` that have just ended
        """
        if not traces:
            return
        # A campaign of which some are still to be made ready goes on.
        going_on = traces._read_group(
            [
                ("mass_mailing_id", "in", traces.mass_mailing_id.ids),
                ("trace_status", "=", "outgoing"),
                ("is_test_trace", "=", False),
            ],
            ["mass_mailing_id"],
        )
        ended = traces.mass_mailing_id - self.env["mailing.mailing"].union(
            *(mailing for (mailing,) in going_on)
        )
        self._update_sms_mailings(
            "cancel", traces.filtered(lambda trace: trace.mass_mailing_id in ended)
        )

    @api.model
    def _sms_ovh_cancel_due(self, deadline):
        """Ask OVHcloud to cancel what somebody asked for, a piece at a time.

        :param float deadline: `time.monotonic()` after which no more is asked for
        :return: whether all is done that can be done now
        :rtype: bool
        """
        done = True
        # Not another's: whose the ids are that answers to jobs gave.
        self.env["sms.ovh.job"]._ask_for_open_due()
        for account, sample_job in self._sms_ovh_get_cancel_routes():
            try:
                done &= self._sms_ovh_cancel_route(account, sample_job, deadline)
            except ovh_client.OvhError as error:
                _logger.warning(
                    "OVHcloud SMS: account %s: nothing is cancelled: %r",
                    account.id,
                    error,
                )
                self.env.cr.rollback()
                done = False
        return done

    @api.model
    def _sms_ovh_get_cancel_routes(self):
        """Return the accounts, and of each a job for every path, to cancel SMS by.

        :rtype: list[tuple]
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT tracker.sms_ovh_account_id, min(job.id)
                  FROM sms_tracker tracker
                  JOIN sms_ovh_job job ON job.id = tracker.sms_ovh_job_id
                 WHERE tracker.sms_ovh_cancel IN ('requested', 'deleting')
                   AND tracker.sms_ovh_account_id IS NOT NULL
              GROUP BY tracker.sms_ovh_account_id, job.sender_id, job.ovh_user_id
                """
            )
        )
        Account, Job = self.env["sms.ovh.account"], self.env["sms.ovh.job"]
        return [
            (Account.browse(account_id), Job.browse(job_id))
            for account_id, job_id in rows
        ]

    def _sms_ovh_cancel_route(self, account, sample_job, deadline):
        """Cancel what OVHcloud still holds of what one account sent, in one of its lists.

        :param account: `sms.ovh.account`
        :param sample_job: `sms.ovh.job` of that sender and API user
        :param float deadline: see :meth:`_sms_ovh_cancel_due`
        :return: whether nothing is left
        :rtype: bool
        :raise ovh_client.OvhError: where OVHcloud does not say what it holds
        """
        transact = partial(transaction.transact, self.env)
        outgoing_path = sample_job._get_outgoing_path()
        with account._get_client() as client:
            held = client.get(ovh_calls.get_jobs_path(outgoing_path)) or []
        held = [str(sms_ovh_id) for sms_ovh_id in held]
        transact(partial(self._sms_ovh_set_gone, account, sample_job, held))
        size = self._sms_ovh_get_parameter("threads", const.THREADS) or 1
        client_args = account._get_client_args()
        domain = [
            ("sms_ovh_account_id", "=", account.id),
            ("sms_ovh_job_id.sender_id", "=", sample_job.sender_id.id),
            ("sms_ovh_job_id.ovh_user_id", "=", sample_job.ovh_user_id.id),
            ("sms_ovh_cancel", "in", ("requested", "deleting")),
        ]
        last_id = 0
        complete = True
        while time.monotonic() < deadline:
            trackers = self.search_fetch(
                [*domain, ("id", ">", last_id)],
                ["sms_ovh_id"],
                order="id",
                limit=const.CANCEL_CALLS,
            )
            if not trackers:
                return complete
            last_id = trackers[-1].id
            # Written down first: who dies in between asks for each of these again.
            transact(lambda trackers=trackers: trackers._sms_ovh_set_deleting())
            outcomes = ovh_calls.cancel_many(
                client_args, outgoing_path, trackers.mapped("sms_ovh_id"), size
            )
            complete &= ovh_calls.OPEN not in outcomes.values()
            transact(
                lambda trackers=trackers, outcomes=outcomes: (
                    trackers._sms_ovh_settle_cancel(outcomes)
                )
            )
        return False

    def _sms_ovh_set_deleting(self):
        self.sms_ovh_cancel = "deleting"

    @api.model
    def _sms_ovh_set_gone(self, account, sample_job, held):
        """Write down which SMS OVHcloud does not hold any more.

        :param list held: ids of those that it holds
        """
        self.flush_model()
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_tracker
                   SET sms_ovh_cancel = 'gone'
                  FROM sms_ovh_job job
                 WHERE job.id = sms_ovh_job_id
                   AND job.sender_id IS NOT DISTINCT FROM %(sender)s
                   AND job.ovh_user_id IS NOT DISTINCT FROM %(user)s
                   AND sms_tracker.sms_ovh_account_id = %(account)s
                   AND sms_ovh_cancel = 'requested'
                   AND NOT sms_ovh_id = ANY(%(held)s)
             RETURNING sms_tracker.id
                """,
                sender=sample_job.sender_id.id or None,
                user=sample_job.ovh_user_id.id or None,
                account=account.id,
                held=held,
            )
        )
        self.invalidate_model(["sms_ovh_cancel"], flush=False)

    def _sms_ovh_settle_cancel(self, outcomes):
        """Write down what OVHcloud said.

        :param dict outcomes: see :func:`ovh_calls.cancel_many`
        """
        self.filtered(
            lambda tracker: outcomes[tracker.sms_ovh_id] == ovh_calls.GONE
        ).sms_ovh_cancel = "gone"
        cancelled = self.filtered(
            lambda tracker: outcomes[tracker.sms_ovh_id] == ovh_calls.CANCELLED
        )
        if not cancelled:
            return
        cancelled._sms_ovh_give_back()
        cancelled._sms_ovh_set_canceled("ovh")
        self.env["sms.sms"].search(
            [
                ("uuid", "in", cancelled.mapped("sms_uuid")),
                ("state", "=", "pending"),
            ]
        ).write({"state": "canceled", "failure_type": False})
        # The SMS left are more again.
        self.env["sms.ovh.account"]._trigger_synchronise()

    def _sms_ovh_give_back(self):
        """Charge nothing for these SMS in the figures."""
        Log = self.env["sms.ovh.log"]
        keys = {(tracker.sms_ovh_account_id.id, tracker.sms_ovh_id) for tracker in self}
        logs = Log.search_fetch(
            [
                ("sms_ovh_id", "in", self.mapped("sms_ovh_id")),
                ("account_id", "in", self.sms_ovh_account_id.ids),
            ],
            ["account_id", "sms_ovh_id", "credits"],
        )
        charged = {(log.account_id.id, log.sms_ovh_id): log.credits for log in logs}
        for job, trackers in self.grouped("sms_ovh_job_id").items():
            back = sum(
                charged.get((tracker.sms_ovh_account_id.id, tracker.sms_ovh_id), 0)
                for tracker in trackers
            )
            job.credits = max(job.credits - back, 0)
        Log._move(keys, "canceled", False, 0, refunded=True)

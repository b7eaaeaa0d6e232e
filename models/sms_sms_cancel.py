"""Calling SMS back: before OVHcloud takes them, and there where it holds them."""

import logging
import time
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from .. import const
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.decision import Closed
from ..tools.parameters import get_parameter

_logger = logging.getLogger(__name__)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def action_set_canceled(self):
        """Override of `sms` to take SMS out of the outbox, or back from OVHcloud."""
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split_closing()
        if others:
            super(SmsSms, others).action_set_canceled()
        if not ovh_sms:
            return None
        closed = ovh_sms._sms_ovh_close()
        return self._sms_ovh_notify_cancel(closed, len(ovh_sms))

    def action_set_outgoing(self):
        """Override of `sms`: who retries wants it at once, whatever was before.

        What is in the outbox, or has left, is not sent a second time.
        """
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split_closing()
        if not ovh_sms:
            return super().action_set_outgoing()
        again = ovh_sms.filtered(
            lambda sms: sms.state in ("outgoing", "error", "canceled")
        )
        # sudo: only the gateway writes this.
        again_sudo = again.sudo()
        if self.env.uid != SUPERUSER_ID:
            # Now it is this user who asks.
            again_sudo.filtered(
                lambda sms: not sms.mailing_id
            ).sms_ovh_asker_id = self.env.uid
        again_sudo.write(
            {
                "sms_ovh_send_at": False,
                "sms_ovh_wanted_at": False,
                "sms_ovh_job_id": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [
                ("sms_uuid", "in", again.mapped("uuid")),
                ("sms_ovh_cancel", "!=", False),
            ]
        ).sms_ovh_cancel = False
        return super(SmsSms, again + others).action_set_outgoing()

    @api.ondelete(at_uninstall=False)
    def _unlink_close_sms_ovh(self):
        """Have nothing leave that is deleted before it left."""
        ovh_sms, __ = self._sms_ovh_split_closing()
        open_sms = ovh_sms.filtered(
            lambda sms: sms.state in ("outgoing", "process", "pending")
        )
        if open_sms:
            closed = open_sms._sms_ovh_close()
            self.env["sms.sms"]._sms_ovh_tell_closed(closed, len(open_sms))

    @api.model
    def _sms_ovh_close_of(self, records):
        """Have nothing leave any more to contacts that are deleted.

        :param records: of any model that SMS are sent to
        """
        # sudo: SMS of any user, to contacts that this one may delete.
        Sms, Trace = self.sudo(), self.env["mailing.trace"].sudo()
        traces = Trace.search(
            [
                ("trace_type", "=", "sms"),
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
                ("trace_status", "in", ("outgoing", "process", "pending")),
            ]
        )
        domain = [("id", "in", traces.mapped("sms_id_int"))]
        if records._name == "res.partner":
            domain = ["|", ("partner_id", "in", records.ids), *domain]
        sms = Sms.search([("state", "in", ("outgoing", "process", "pending")), *domain])
        ovh_sms, __ = sms._sms_ovh_split_closing()
        if ovh_sms:
            self._sms_ovh_tell_closed(ovh_sms._sms_ovh_close(), len(ovh_sms))

    def _sms_ovh_split_closing(self):
        """Return the SMS that OVHcloud sends, or has in hand already, and the others.

        Those stay its own whatever their company sends with by now.
        """
        ovh_sms, others = self._sms_ovh_split()
        in_hand = others.filtered(
            lambda sms: sms.sms_ovh_job_id or sms.sms_ovh_account_id
        )
        return ovh_sms + in_hand, others - in_hand

    # ------------------------------------------------------------
    # Closing
    # ------------------------------------------------------------

    def _sms_ovh_close(self, failure_type=False, recall=True):
        """Have these SMS not leave any more, wherever they stand. The one way to do so.

        In the queue, and in the outbox before it is posted, an SMS is cancelled. While
        nobody knows whether it has left, it is withdrawn: it is not posted again, and
        called back once OVHcloud turns out to have it. OVHcloud is asked to cancel what
        it may hold. What another transaction has in hand is being sent.

        :param str|bool failure_type: why, where somebody else than a user stopped it
        :param bool recall: whether OVHcloud is asked to cancel what it has
        :return: what became of how many
        :rtype: Closed
        """
        sms = self.try_lock_for_update(allow_referencing=True)
        waiting = sms.filtered(
            lambda record: (
                record.state in ("outgoing", "error") and not record.to_delete
            )
        )
        # sudo: the outbox is nobody's to write but the gateway's.
        claimed = sms.filtered(lambda record: record.state == "process")
        jobs_sudo = claimed.sudo().sms_ovh_job_id.try_lock_for_update(
            allow_referencing=True
        )
        uuids = set(claimed.mapped("uuid"))
        taken_out = jobs_sudo._take_out(uuids)
        # What is being posted this moment is on its way, most likely.
        withdrawn = jobs_sudo._withdraw(uuids - taken_out)
        # Its job is gone: nobody sends it, nor says what became of it.
        orphans = claimed.filtered(lambda record: not record.sudo().sms_ovh_job_id)
        waiting += claimed.filtered(lambda record: record.uuid in taken_out) + orphans
        waiting._sms_ovh_set_canceled(failure_type)
        asked = (sms - waiting)._sms_ovh_request_cancel() if recall else sms.browse()
        return Closed(len(waiting), len(asked) + len(withdrawn))

    def _sms_ovh_describe_closed(self, closed, count):
        """Return the sentences that say what became of SMS that were stopped.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be stopped
        :rtype: str
        """
        parts = []
        if closed.here:
            parts.append(
                self.env._("SMS cancelled before OVHcloud got them: %s.", closed.here)
            )
        if closed.asked:
            parts.append(
                self.env._(
                    "SMS that OVHcloud is asked to cancel, unless they have been sent:"
                    " %s. Their state says so in a moment.",
                    closed.asked,
                )
            )
        if count > closed.here + closed.asked:
            parts.append(
                self.env._(
                    "SMS on their way or gone, which cannot be called back: %s.",
                    count - closed.here - closed.asked,
                )
            )
        return " ".join(parts)

    @api.model
    def _sms_ovh_tell_closed(self, closed, count):
        """Tell the user what became of SMS whose record, or campaign, is deleted.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be stopped
        """
        message = self._sms_ovh_describe_closed(closed, count)
        if message:
            self.env.user._bus_send(
                "simple_notification", {"type": "warning", "message": message}
            )

    def _sms_ovh_notify_cancel(self, closed, count):
        """Return the notification of what became of SMS that somebody cancels.

        :param Closed closed: see :meth:`_sms_ovh_close`
        :param int count: all that were to be cancelled
        """
        complete = closed.here + closed.asked == count
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if complete else "warning",
                "message": self._sms_ovh_describe_closed(closed, count),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    @api.model
    def _sms_ovh_set_canceled_uuids(self, uuids, failure_type=False):
        """Write down that SMS never leave, some of which may be deleted by now.

        :param uuids: theirs
        :param str|bool failure_type: see :meth:`_sms_ovh_set_canceled`
        """
        sms = self.search([("uuid", "in", list(uuids))])
        sms._sms_ovh_set_canceled(failure_type)
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo().search(
            [("sms_uuid", "in", list(set(uuids) - set(sms.mapped("uuid"))))]
        )._sms_ovh_set_canceled(False if failure_type else "here", failure_type)

    def _sms_ovh_set_canceled(self, failure_type=False):
        """Write down that these never leave, on what they are tracked by as well.

        :param str|bool failure_type: why, where somebody else than a user stopped it
        """
        if not self:
            return
        # sudo: only the gateway writes this.
        self.sudo().write(
            {
                "state": "canceled",
                "failure_type": failure_type,
                "sms_ovh_job_id": False,
                "sms_ovh_send_at": False,
                "sms_ovh_wanted_at": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = self.env["sms.tracker"].sudo()
        trackers_sudo.search(
            [("sms_uuid", "in", self.mapped("uuid"))]
        )._sms_ovh_set_canceled(False if failure_type else "here", failure_type)

    def _sms_ovh_request_cancel(self):
        """Have OVHcloud asked to cancel those of these SMS that it may hold.

        :return: those
        """
        # http2sms has no call for that.
        asked = self.filtered(
            lambda sms: (
                sms.state == "pending"
                and sms.sms_ovh_id
                and sms.sms_ovh_account_id.sudo().auth_method != "http2sms"
            )
        )
        if asked:
            # sudo: trackers are technical records without access of their own.
            trackers_sudo = self.env["sms.tracker"].sudo()
            trackers_sudo.search(
                [("sms_uuid", "in", asked.mapped("uuid")), ("sms_ovh_id", "!=", False)]
            ).sms_ovh_cancel = "requested"
            self.env.ref("sms_ovh.ir_cron_cancel").sudo()._trigger()
        return asked


class SmsOvhJob(models.Model):
    _inherit = "sms.ovh.job"

    def _take_out(self, uuids):
        """Take receivers out of those of these jobs that are not posted yet.

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
        """Have receivers not posted again of which nobody knows whether they were.

        :param set uuids: of SMS; the jobs are locked
        :return: those of `uuids` of which nobody may hear for a while
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
        """Put the SMS of these jobs back into Odoo's queue: those that nobody posted."""
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
        """Have OVHcloud asked to cancel what was withdrawn, now that it has it."""
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


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

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

    _sms_ovh_cancel_idx = models.Index(
        "(sms_ovh_account_id, id) WHERE sms_ovh_cancel IN ('requested', 'deleting')"
    )

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

    # ------------------------------------------------------------
    # At OVHcloud's
    # ------------------------------------------------------------

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
        for account, sample_job in self._get_sms_ovh_cancel_ways():
            try:
                done &= self._sms_ovh_cancel_way(account, sample_job, deadline)
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
    def _get_sms_ovh_cancel_ways(self):
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

    def _sms_ovh_cancel_way(self, account, sample_job, deadline):
        """Cancel what OVHcloud still holds of what one account sent one way.

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
        size = get_parameter(self.env, "threads", const.THREADS) or 1
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


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def notify_cancel_by_type(self, notification_type):
        """Override of `sms`: SMS whose failure is dismissed are not sent again."""
        failed_sudo = self.env["mail.notification"]
        if notification_type == "sms":
            # sudo: the user's own notifications, as core takes them.
            failed_sudo = failed_sudo.sudo().search(
                [
                    ("notification_type", "=", "sms"),
                    ("author_id", "=", self.env.user.partner_id.id),
                    ("notification_status", "in", ("bounce", "exception")),
                    ("mail_message_id.model", "=", self._name),
                ]
            )
        uuids = failed_sudo.sms_tracker_ids.mapped("sms_uuid")
        result = super().notify_cancel_by_type(notification_type)
        if uuids:
            self.env["sms.sms"].sudo().search(
                [
                    ("uuid", "in", uuids),
                    ("state", "=", "error"),
                    ("record_company_id.sms_ovh_account_id", "!=", False),
                ]
            ).state = "canceled"
        return result

"""Calling SMS back: before OVHcloud takes them, and there where it holds them."""

import logging
import time
from functools import partial

from odoo import api, fields, models
from odoo.tools import SQL

from .. import const
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.parameters import get_parameter

_logger = logging.getLogger(__name__)


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def action_set_canceled(self):
        """Override of `sms` to take SMS out of the outbox, or back from OVHcloud."""
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split()
        if others:
            super(SmsSms, others).action_set_canceled()
        if not ovh_sms:
            return None
        here = ovh_sms._sms_ovh_cancel_unsent()
        asked = (ovh_sms - here)._sms_ovh_request_cancel()
        return self._sms_ovh_notify_cancel(len(here), len(asked), len(ovh_sms))

    def action_set_outgoing(self):
        """Override of `sms`: who retries wants it at once, whatever was before."""
        self.check_access("write")
        ovh_sms, __ = self._sms_ovh_split()
        if ovh_sms:
            ovh_sms.write({"sms_ovh_send_at": False, "sms_ovh_wanted_at": False})
            # sudo: trackers are technical records without access of their own.
            self.env["sms.tracker"].sudo().search(
                [
                    ("sms_uuid", "in", ovh_sms.mapped("uuid")),
                    ("sms_ovh_cancel", "!=", False),
                ]
            ).sms_ovh_cancel = False
        return super().action_set_outgoing()

    def _sms_ovh_notify_cancel(self, here, asked, count):
        """Return the notification of what became of SMS that somebody cancels.

        :param int here: SMS that OVHcloud never got
        :param int asked: SMS that OVHcloud is asked to cancel
        :param int count: all that were to be cancelled
        """
        parts = []
        if here:
            parts.append(self.env._("%s SMS cancelled before OVHcloud got them.", here))
        if asked:
            parts.append(
                self.env._(
                    "OVHcloud is asked to cancel %s SMS, as far as it has not sent them:"
                    " their state says so in a moment.",
                    asked,
                )
            )
        if count > here + asked:
            parts.append(
                self.env._(
                    "%s SMS are on their way or gone, and cannot be called back.",
                    count - here - asked,
                )
            )
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success" if here + asked == count else "warning",
                "message": " ".join(parts),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _sms_ovh_cancel_unsent(self):
        """Cancel those of these SMS that OVHcloud does not have, nor is getting now.

        What another transaction has in hand is being sent: it is left alone.

        :return: those that are cancelled
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
        uuids = jobs_sudo._take_out(set(claimed.mapped("uuid")))
        waiting += claimed.filtered(lambda record: record.uuid in uuids)
        waiting._sms_ovh_set_canceled()
        return waiting

    def _sms_ovh_set_canceled(self):
        """Write down that these never leave, on what they are tracked by as well."""
        if not self:
            return
        self.write(
            {
                "state": "canceled",
                "failure_type": False,
                "sms_ovh_job_id": False,
                "sms_ovh_send_at": False,
                "sms_ovh_wanted_at": False,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = self.env["sms.tracker"].sudo()
        trackers_sudo.search(
            [("sms_uuid", "in", self.mapped("uuid"))]
        )._sms_ovh_set_canceled("here")

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
        if not asked:
            return asked
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = (
            self.env["sms.tracker"]
            .sudo()
            .search([("sms_uuid", "in", asked.mapped("uuid"))])
        )
        # What is sent to a mere number is tracked by nothing.
        tracked = set(trackers_sudo.mapped("sms_uuid"))
        untracked = asked.filtered(lambda sms: sms.uuid not in tracked)
        trackers_sudo += trackers_sudo.create(
            [
                {
                    "sms_uuid": sms.uuid,
                    "sms_ovh_id": sms.sms_ovh_id,
                    "sms_ovh_account_id": sms.sms_ovh_account_id.id,
                    "sms_ovh_job_id": sms.sms_ovh_job_id.id,
                }
                for sms in untracked
            ]
        )
        trackers_sudo.filtered("sms_ovh_id").sms_ovh_cancel = "requested"
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
        for job in self.filtered(lambda job: job.state == "queued"):
            kept = [pair for pair in job.receivers if pair[0] not in uuids]
            found |= {uuid for uuid, __ in job.receivers} & uuids
            values = {"receivers": kept, "receiver_count": len(kept)}
            if not kept:
                values.update(state="cancelled", next_attempt=False)
            job.write(values)
        return found


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

    def _sms_ovh_set_canceled(self, where):
        """Write down that these SMS never reach anybody.

        Not by core's trackers: those never take back what is in process.

        :param str where: "here" or "ovh", value of `sms_ovh_cancel`
        """
        self.write({"sms_ovh_cancel": where, "sms_ovh_poll_at": False})
        ended = ("canceled", "cancel", "sent", "open", "reply")
        traces = self.mailing_trace_id.filtered(
            lambda trace: trace.trace_status not in ended
        )
        traces.write(
            {"trace_status": "cancel", "failure_type": False, "failure_reason": False}
        )
        if traces:
            # It says which campaigns have nothing left to do.
            self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()._trigger()
        notifications = self.mail_notification_id.filtered(
            lambda notification: notification.notification_status not in ended
        )
        notifications.write(
            {
                "notification_status": "canceled",
                "failure_type": False,
                "failure_reason": False,
            }
        )
        notifications.mail_message_id._notify_message_notification_update()

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
        self.env.ref("sms_ovh.ir_cron_synchronise")._trigger()

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

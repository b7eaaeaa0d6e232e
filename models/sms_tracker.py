import logging

from odoo import api, fields, models

from .. import const

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


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    sms_ovh_account_id = fields.Many2one(
        "sms.ovh.account", string="OVHcloud Account", ondelete="set null", readonly=True
    )
    sms_ovh_id = fields.Char(
        string="OVHcloud's SMS ID", index="btree_not_null", readonly=True
    )
    sms_ovh_ptt = fields.Integer(string="PTT", readonly=True)
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

    _sms_ovh_poll_idx = models.Index(
        "(sms_ovh_poll_at) WHERE sms_ovh_poll_at IS NOT NULL"
    )

    def _sms_ovh_apply_result(self, state, reason):
        """Write down what became of a job on notifications and traces.

        :param str state: 'success' or what `SmsApiOvh` calls the failure
        :param str|bool reason: sentence on the failure
        """
        if state == "success":
            self._action_update_from_sms_state("pending")
            self.write(
                {
                    "sms_ovh_poll_at": fields.Datetime.now() + const.POLL_AFTER[0],
                    "sms_ovh_poll_count": 0,
                }
            )
            return
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
                self.env["sms.ovh.job"]._transact(
                    lambda account=account, trackers=trackers: account._poll(trackers)
                )
            self.env["ir.cron"]._commit_progress(len(trackers))
        if len(due) == POLL_LIMIT:
            self.env.ref("sms_ovh.ir_cron_poll")._trigger()

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

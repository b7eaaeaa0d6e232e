import logging

from odoo import fields, models

from .. import const

_logger = logging.getLogger(__name__)

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

    def _sms_ovh_apply_result(self, state, reason):
        """Write down what became of a job on notifications and traces.

        :param str state: 'success' or what `SmsApiOvh` calls the failure
        :param str|bool reason: sentence on the failure
        """
        if state == "success":
            self._action_update_from_sms_state("pending")
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
        moved = self.filtered(lambda tracker: tracker._sms_ovh_can_move(state))
        if not moved:
            return moved
        moved.sms_ovh_ptt = ptt
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

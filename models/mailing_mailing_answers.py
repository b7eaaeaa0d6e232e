"""What recipients of a campaign sent back."""

from odoo import fields, models


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    sms_ovh_stop_count = fields.Integer(
        string="STOP", compute="_compute_sms_ovh_answer_counts"
    )
    sms_ovh_reply_count = fields.Integer(
        string="Replies", compute="_compute_sms_ovh_answer_counts"
    )

    def _compute_sms_ovh_answer_counts(self):
        for name, model in (
            ("sms_ovh_stop_count", "sms.ovh.stop"),
            ("sms_ovh_reply_count", "sms.ovh.reply"),
        ):
            counts = dict(
                self.env[model]._read_group(
                    [("mailing_id", "in", self.ids)], ["mailing_id"], ["__count"]
                )
            )
            for mailing in self:
                mailing[name] = counts.get(mailing._origin, 0)

    def action_view_sms_ovh_replies(self):
        """Open the replies to these campaigns."""
        return self._view_sms_ovh_answers("sms_ovh.sms_ovh_reply_action")

    def action_view_sms_ovh_stops(self):
        """Open who answered STOP to these campaigns."""
        return self._view_sms_ovh_answers("sms_ovh.sms_ovh_stop_action")

    def _view_sms_ovh_answers(self, xmlid):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        # Not at the address of all of them.
        action.pop("path", None)
        return {**action, "domain": [("mailing_id", "in", self.ids)]}

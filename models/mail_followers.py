from odoo import models


class MailFollowers(models.Model):
    _inherit = "mail.followers"

    def _get_recipient_data(self, records, message_type, subtype_id, pids=None):
        """Override of `sms` to notify of an SMS received as of any message.

        Core sends each message of this type as an SMS to whom it notifies.
        """
        if message_type == "sms" and self.env.context.get("sms_ovh_incoming"):
            message_type = "comment"
        return super()._get_recipient_data(records, message_type, subtype_id, pids=pids)

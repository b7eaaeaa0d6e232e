from odoo import api, models


class MailingContact(models.Model):
    _inherit = "mailing.contact"

    @api.ondelete(at_uninstall=False)
    def _unlink_forget_sms_ovh(self):
        """Erase what is held of these contacts."""
        self.env["sms.ovh.privacy"]._forget(self)

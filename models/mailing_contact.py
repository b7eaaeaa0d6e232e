from odoo import api, models


class MailingContact(models.Model):
    _name = "mailing.contact"
    _inherit = ["mailing.contact", "sms.ovh.checked.mixin"]

    _sms_ovh_text_fields = ("company_name", "first_name")

    @api.ondelete(at_uninstall=False)
    def _unlink_forget_sms_ovh(self):
        """Erase the data held on these contacts."""
        self.env["sms.ovh.privacy"]._forget(self)

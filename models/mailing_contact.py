from odoo import api, models


class MailingContact(models.Model):
    _name = "mailing.contact"
    _inherit = ["mailing.contact", "sms.ovh.checked.mixin"]

    @api.ondelete(at_uninstall=False)
    def _unlink_forget_sms_ovh(self):
        """Erase what is held of these contacts."""
        self.env["sms.ovh.privacy"]._forget(self)

    @api.model
    def mail_allowed_qweb_expressions(self):
        """Override: the fields whose buttons stand under a text are everybody's to use."""
        return (
            *super().mail_allowed_qweb_expressions(),
            "object.company_name",
            "object.first_name",
        )

from odoo import models


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _message_sms(self, *args, **kwargs):
        """Override of `sms` to send by the account of the record's company."""
        self.ensure_one()
        company = self._get_sms_ovh_companies()[self.id]
        if company != self.env.company:
            kwargs.setdefault("record_company_id", company.id)
        return super()._message_sms(*args, **kwargs)

    def _message_sms_with_template(
        self, template=False, template_xmlid=False, *args, **kwargs
    ):
        """Override of `sms` to send as whom and as what kind the template says."""
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if template:
            self = self.with_context(**template._get_sms_ovh_context())
        return super()._message_sms_with_template(
            template, template_xmlid, *args, **kwargs
        )

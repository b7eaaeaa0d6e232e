from odoo import models

from ..tools.gsm7_filling import OFF
from .mail_render_mixin import Gsm7Rendering
from .sms_sms import UNASKED


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _message_sms_with_template(
        self, template=False, template_xmlid=False, *args, **kwargs
    ):
        """Override of `sms` to send as whom and as what kind the template says."""
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if self.env.su:
            # What Odoo sends with all rights, no user asks for.
            self = self.with_context(sms_ovh_unasked=UNASKED)
        if template:
            self = self.with_context(**template._get_sms_ovh_context())
        # sudo: the settings of the company that sends.
        company_sudo = self._get_sms_ovh_companies()[self.id].sudo()
        choice = (
            template and template.sudo().sms_ovh_gsm7
        ) or company_sudo.sms_ovh_gsm7
        if company_sudo.sms_ovh_account_id and choice != OFF:
            rendering = Gsm7Rendering(choice)
            if template:
                template = template.with_context(sms_ovh_rendering=rendering)
            else:
                self = self.with_context(sms_ovh_rendering=rendering)
        return super()._message_sms_with_template(
            template, template_xmlid, *args, **kwargs
        )

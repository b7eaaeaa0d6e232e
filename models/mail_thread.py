from odoo import api, models

from ..tools.gsm7_filling import OFF
from .mail_render_mixin import Gsm7Rendering
from .sms_sms import UNASKED


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    def _message_sms_with_template(
        self, template=False, template_xmlid=False, *args, **kwargs
    ):
        """Override of `sms` to send with the template's sender and kind."""
        if not template and template_xmlid:
            template = self.env.ref(template_xmlid, raise_if_not_found=False)
        if self.env.su:
            # No user asks for what Odoo sends with all rights.
            self = self.with_context(sms_ovh_unasked=UNASKED)
        if template:
            self = self.with_context(**template._sms_ovh_get_context())
        # sudo: the settings of the company that sends.
        company_sudo = self._sms_ovh_get_companies()[self.id].sudo()
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

    @api.model
    def notify_cancel_by_type(self, notification_type):
        """Override of `sms` to cancel SMS whose failure is dismissed: no more tries."""
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

"""Templates that say as whom and as what kind of SMS they are sent."""

from odoo import fields, models

from .. import const

# In a context: nobody waits for what is sent. An object, so that no caller from outside
# can send it.
UNATTENDED = object()


class SmsTemplate(models.Model):
    _inherit = "sms.template"

    sms_ovh_kind = fields.Selection(
        const.KINDS,
        string="Kind",
        help="What SMS with this template are to the law. Empty: what the company's SMS"
        " are.",
    )
    sms_ovh_sender_id = fields.Many2one(
        "sms.ovh.sender",
        string="Sender",
        ondelete="set null",
        domain="[('status', '=', 'enable')]",
        help="Who SMS with this template come from, where the company that sends has"
        " this sender. Empty: the account's default sender.",
    )

    sms_ovh_gsm7 = fields.Selection(
        const.GSM7_CHOICES,
        string="Write in GSM-7 what has an equivalent",
        help="Empty: as the company that sends has it.",
    )

    def _get_sms_ovh_context(self):
        """Return the context by which SMS are sent as this template says.

        :rtype: dict
        """
        # sudo: who may send an SMS need not be allowed to see senders.
        template_sudo = self.sudo()
        context = {}
        if template_sudo.sms_ovh_kind:
            context["sms_ovh_kind"] = template_sudo.sms_ovh_kind
        if template_sudo.sms_ovh_sender_id:
            context["sms_ovh_sender_id"] = template_sudo.sms_ovh_sender_id.id
        if template_sudo.sms_ovh_gsm7:
            context["sms_ovh_gsm7"] = template_sudo.sms_ovh_gsm7
        return context


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_sms_multi(self, eval_context=None):
        """Override of `sms` never to stop what set the action off.

        What OVHcloud would refuse is written on the SMS, as anything that it refuses.
        """
        self = self.with_context(sms_ovh_unattended=UNATTENDED)
        return super()._run_action_sms_multi(eval_context)

from odoo import models

# In a context: nobody waits for what is sent. An object, so that no caller from outside
# can send it.
UNATTENDED = object()


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_sms_multi(self, eval_context=None):
        """Override of `sms` never to stop what set the action off.

        What OVHcloud would refuse is written on the SMS, as anything that it refuses.
        """
        self = self.with_context(sms_ovh_unattended=UNATTENDED)
        return super()._run_action_sms_multi(eval_context)

from odoo import models

# In a context: no user waits for what is sent. An object, so that no external caller
# can pass it.
UNATTENDED = object()


class IrActionsServer(models.Model):
    _inherit = "ir.actions.server"

    def _run_action_sms_multi(self, eval_context=None):
        """Override of `sms` to never stop the process that triggered the action.

        What OVHcloud would refuse is noted on the SMS, like anything that it refuses.
        """
        self = self.with_context(sms_ovh_unattended=UNATTENDED)
        return super()._run_action_sms_multi(eval_context)

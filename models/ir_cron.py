from odoo import models

from ..tools import transaction


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _callback(self, cron_name, server_action_id):
        """Override of `base` to tell that what runs now may commit piece by piece.

        A context proves nothing, and Odoo's queues are called by others, too.
        """
        with transaction.owning(self.env):
            return super()._callback(cron_name, server_action_id)

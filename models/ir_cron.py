from odoo import models

from ..tools import transaction


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _callback(self, cron_name, server_action_id):
        """Override of `base` to mark that what runs now may commit piece by piece.

        A context would prove nothing, and Odoo's queues are not only run by crons.
        """
        with transaction.owning(self.env):
            return super()._callback(cron_name, server_action_id)

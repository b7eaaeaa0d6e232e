from odoo import fields, models

from .. import const


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(selection_add=const.FAILURE_TYPES)

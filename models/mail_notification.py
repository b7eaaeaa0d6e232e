from odoo import fields, models

from .. import const


class MailNotification(models.Model):
    _inherit = "mail.notification"

    failure_type = fields.Selection(
        # "Blacklisted" is a failure type of SMS and traces in core, not of this model.
        selection_add=[("sms_blacklist", "Blacklisted"), *const.FAILURE_TYPES],
    )

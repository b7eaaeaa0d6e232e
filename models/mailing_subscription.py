from odoo import models


class MailingSubscription(models.Model):
    _inherit = "mailing.subscription"

    # For the search, before SMS leave, of who opted out since they were made ready.
    _sms_ovh_opt_out_idx = models.Index("(write_date) WHERE opt_out")

from odoo import models


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    # Asked before each taking of jobs: who opted out since they were made ready.
    _sms_ovh_write_date_idx = models.Index("(write_date)")

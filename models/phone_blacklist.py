from odoo import api, fields, models


class PhoneBlacklist(models.Model):
    _inherit = "phone.blacklist"

    sms_ovh_refusal = fields.Char(
        string="Refused by OVHcloud", compute="_compute_sms_ovh_refusal"
    )

    # Asked before each taking of jobs: who opted out since they were made ready.
    _sms_ovh_write_date_idx = models.Index("(write_date)")

    @api.depends("number", "active")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_sms_ovh_refusal(self):
        """Say of a number that is not blacklisted here that OVHcloud refuses it."""
        Stop = self.env["sms.ovh.stop"]
        for record in self:
            record.sms_ovh_refusal = (
                not record.active
                and Stop.has_access("read")
                and Stop._get_refusal(record.number)
            )

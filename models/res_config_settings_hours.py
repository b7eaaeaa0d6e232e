from odoo import api, fields, models

from .res_company_hours import RULE_FIELDS


class ResConfigSettings(models.TransientModel):
    """The hours of marketing SMS: written together, since they are checked together."""

    _inherit = "res.config.settings"

    sms_ovh_quiet_hours = fields.Boolean(
        string="Quiet Hours",
        compute="_compute_sms_ovh_hours",
        store=True,
        readonly=False,
    )
    sms_ovh_open_from = fields.Float(
        string="From", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_to = fields.Float(
        string="To", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_monday = fields.Boolean(
        string="Monday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_tuesday = fields.Boolean(
        string="Tuesday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_wednesday = fields.Boolean(
        string="Wednesday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_thursday = fields.Boolean(
        string="Thursday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_friday = fields.Boolean(
        string="Friday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_saturday = fields.Boolean(
        string="Saturday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_open_sunday = fields.Boolean(
        string="Sunday", compute="_compute_sms_ovh_hours", store=True, readonly=False
    )
    sms_ovh_keep_holidays = fields.Boolean(
        string="Not on Public Holidays",
        compute="_compute_sms_ovh_hours",
        store=True,
        readonly=False,
    )

    @api.depends("company_id")
    def _compute_sms_ovh_hours(self):
        for settings in self:
            for name in RULE_FIELDS:
                settings[name] = settings.company_id[name]

    def set_values(self):
        """Override of `base` to write the hours of the company."""
        for settings in self:
            company = settings.company_id
            values = {
                name: settings[name]
                for name in RULE_FIELDS
                if settings[name] != company[name]
            }
            if values:
                company.write(values)
        return super().set_values()

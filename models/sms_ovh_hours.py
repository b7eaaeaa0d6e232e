from odoo import api, fields, models
from odoo.tools.misc import babel_locale_parse, format_duration, get_lang

from ..mixins.sms_ovh_hours_mixin import HOURS_FIELDS, OPEN_DAYS


class SmsOvhHours(models.Model):
    """The hours of one country, where a company keeps others there."""

    _name = "sms.ovh.hours"
    _inherit = ["sms.ovh.hours.mixin", "sms.ovh.guard.mixin"]
    _sms_ovh_guarded_links = {"company_id": None}
    _description = "Hours of Marketing SMS to a Country"
    _order = "company_id, country_id"
    _rec_name = "country_id"

    company_id = fields.Many2one(
        "res.company",
        required=True,
        index=True,
        ondelete="cascade",
        default=lambda self: self.env.company,
    )
    country_id = fields.Many2one("res.country", required=True, ondelete="cascade")
    summary = fields.Char(string="Hours", compute="_compute_summary")

    _country_unique = models.Constraint(
        "unique(company_id, country_id)",
        "This country has hours already. Open its line to change them.",
    )

    @api.depends(*HOURS_FIELDS)
    @api.depends_context("lang")
    def _compute_summary(self):
        names = babel_locale_parse(get_lang(self.env).code).days["stand-alone"]
        for hours in self:
            days = ", ".join(
                names["abbreviated"][day]
                for day, name in enumerate(OPEN_DAYS)
                if hours[name]
            )
            values = {
                "days": days,
                "opens": format_duration(hours.sms_ovh_open_from),
                "closes": format_duration(hours.sms_ovh_open_to),
            }
            if hours.sms_ovh_keep_holidays:
                hours.summary = self.env._(
                    "%(days)s, %(opens)s to %(closes)s, not on public holidays",
                    **values,
                )
            else:
                hours.summary = self.env._(
                    "%(days)s, %(opens)s to %(closes)s", **values
                )

    @api.constrains(*HOURS_FIELDS)
    def _check_country_hours(self):
        self._check_hours()

    @api.model_create_multi
    def create(self, vals_list):
        """Override to let what waits go by the new hours."""
        records = super().create(vals_list)
        self.env["sms.sms"]._sms_ovh_release(records.company_id)
        return records

    def write(self, vals):
        """Override to let what waits go by the new hours."""
        companies = self.company_id
        result = super().write(vals)
        self.env["sms.sms"]._sms_ovh_release(companies | self.company_id)
        return result

    def unlink(self):
        """Override to let what waits go by the company's hours."""
        companies = self.company_id
        result = super().unlink()
        self.env["sms.sms"]._sms_ovh_release(companies)
        return result

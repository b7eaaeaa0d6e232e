from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import babel_locale_parse, format_duration, get_lang

from .. import const
from ..tools.quiet_hours import Rules

# In the order of ISO days, Monday first.
OPEN_DAYS = (
    "sms_ovh_open_monday",
    "sms_ovh_open_tuesday",
    "sms_ovh_open_wednesday",
    "sms_ovh_open_thursday",
    "sms_ovh_open_friday",
    "sms_ovh_open_saturday",
    "sms_ovh_open_sunday",
)
# What says when SMS may leave, wherever that is said.
HOURS_FIELDS = (
    "sms_ovh_open_from",
    "sms_ovh_open_to",
    "sms_ovh_keep_holidays",
    *OPEN_DAYS,
)


def get_preset_values(preset):
    """Return the values of `HOURS_FIELDS` that make a preset, none for an unknown one.

    :param str|bool preset: key of ``const.HOURS_PRESETS``
    :rtype: dict
    """
    if preset not in const.HOURS_PRESETS:
        return {}
    opens, closes, days, holidays = const.HOURS_PRESETS[preset]
    return {
        "sms_ovh_open_from": opens,
        "sms_ovh_open_to": closes,
        "sms_ovh_keep_holidays": holidays,
        **{name: day in days for day, name in enumerate(OPEN_DAYS, start=1)},
    }


class SmsOvhHoursMixin(models.AbstractModel):
    """Hours in which marketing SMS may leave, as a record holds them."""

    _name = "sms.ovh.hours.mixin"
    _description = "Hours of Marketing SMS"

    sms_ovh_open_from = fields.Float(string="From", default=8.0)
    sms_ovh_open_to = fields.Float(string="To", default=20.0)
    sms_ovh_open_monday = fields.Boolean(string="Monday", default=True)
    sms_ovh_open_tuesday = fields.Boolean(string="Tuesday", default=True)
    sms_ovh_open_wednesday = fields.Boolean(string="Wednesday", default=True)
    sms_ovh_open_thursday = fields.Boolean(string="Thursday", default=True)
    sms_ovh_open_friday = fields.Boolean(string="Friday", default=True)
    sms_ovh_open_saturday = fields.Boolean(string="Saturday", default=True)
    sms_ovh_open_sunday = fields.Boolean(string="Sunday")
    sms_ovh_keep_holidays = fields.Boolean(
        string="Not on Public Holidays",
        default=True,
        help="The public holidays of each recipient's country, not those of a region.",
    )

    def _get_rules(self, zone):
        """Return these hours as plain Python takes them.

        :param str zone: name of the time zone of countries that have none
        :rtype: quiet_hours.Rules
        """
        self.ensure_one()
        return Rules(
            opens=self.sms_ovh_open_from,
            closes=self.sms_ovh_open_to,
            weekdays=frozenset(
                day for day, name in enumerate(OPEN_DAYS, start=1) if self[name]
            ),
            holidays=self.sms_ovh_keep_holidays,
            zone=zone,
        )

    def _check_hours(self):
        """Refuse hours in which nothing would ever leave.

        :raise ValidationError: with what to choose
        """
        for record in self:
            if not 0 <= record.sms_ovh_open_from < record.sms_ovh_open_to <= 24:
                raise ValidationError(
                    self.env._(
                        "Marketing SMS need hours in which they may leave: choose a"
                        " beginning from 0:00 on, and a later end, up to 24:00."
                    )
                )
            if not any(record[name] for name in OPEN_DAYS):
                raise ValidationError(
                    self.env._(
                        "Marketing SMS need a day on which they may leave: choose at"
                        " least one."
                    )
                )


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

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools.misc import format_datetime, format_time

from ..tools.number_country import get_country_code
from ..tools.quiet_hours import Rules, get_zones, next_opening

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
RULE_FIELDS = (
    "sms_ovh_quiet_hours",
    "sms_ovh_open_from",
    "sms_ovh_open_to",
    "sms_ovh_keep_holidays",
    *OPEN_DAYS,
)


class ResCompany(models.Model):
    """The hours in which a company's marketing SMS may leave."""

    _inherit = "res.company"

    sms_ovh_quiet_hours = fields.Boolean(
        string="Quiet Hours",
        default=True,
        help="Marketing SMS leave only in the hours below, in each recipient's country;"
        " others wait for the next opening. Transactional SMS leave at any time.",
    )
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

    @api.constrains(*RULE_FIELDS)
    def _check_sms_ovh_hours(self):
        for company in self.filtered("sms_ovh_quiet_hours"):
            if not 0 <= company.sms_ovh_open_from < company.sms_ovh_open_to <= 24:
                raise ValidationError(
                    self.env._(
                        "Marketing SMS need hours in which they may leave: choose a"
                        " beginning from 0:00 on, and a later end, up to 24:00."
                    )
                )
            if not any(company[name] for name in OPEN_DAYS):
                raise ValidationError(
                    self.env._(
                        "Marketing SMS need a day on which they may leave: choose at"
                        " least one."
                    )
                )

    def write(self, vals):
        """Override to let what waits go by the new hours."""
        result = super().write(vals)
        if any(name in vals for name in RULE_FIELDS):
            self.env["sms.sms"]._sms_ovh_release(self)
        return result

    def _get_sms_ovh_rules(self):
        """Return the hours in which marketing SMS may leave, None for at any time.

        :rtype: quiet_hours.Rules|None
        """
        self.ensure_one()
        if not self.sms_ovh_quiet_hours:
            return None
        return Rules(
            opens=self.sms_ovh_open_from,
            closes=self.sms_ovh_open_to,
            weekdays=frozenset(
                day for day, name in enumerate(OPEN_DAYS, start=1) if self[name]
            ),
            holidays=self.sms_ovh_keep_holidays,
            zone=self.partner_id.tz or "UTC",
        )

    def _get_sms_ovh_country_code(self, number):
        """Return the country whose hours count for a number: its own, or the company's.

        :param str number: in E.164, else the company's country is taken
        :return: ISO code, False where neither is known
        """
        return get_country_code(number) or self.country_id.code

    def _get_sms_ovh_opening(self, moment=None, country_code=None):
        """Return when marketing SMS may next leave for a country.

        :param datetime moment: in UTC, by default now
        :param str country_code: ISO code, by default of the company's country
        :return: `moment`, or later where the country is closed then
        :rtype: datetime
        """
        moment = moment or fields.Datetime.now()
        rules = self._get_sms_ovh_rules()
        if not rules:
            return moment
        return next_opening(moment, country_code or self.country_id.code, rules)

    def _describe_sms_ovh_opening(self, opening):
        """Return the words for the moment at which SMS leave, in the user's time.

        :param datetime opening: in UTC
        :return: ``day``, as "Monday 23 November", and ``time``
        :rtype: dict
        """
        self.ensure_one()
        tz = (
            self.env.context.get("tz")
            or self.env.user.tz
            or self.partner_id.tz
            or get_zones(self.country_id.code)[0].key
        )
        return {
            "day": format_datetime(self.env, opening, tz=tz, dt_format="EEEE d MMMM"),
            "time": format_time(self.env, opening, tz=tz, time_format="short"),
        }

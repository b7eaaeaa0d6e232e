from odoo import api, fields, models
from odoo.tools.misc import format_datetime, format_time

from ..tools.number_country import get_country_code
from ..tools.quiet_hours import get_zones, next_opening
from .sms_ovh_hours import HOURS_FIELDS

RULE_FIELDS = ("sms_ovh_quiet_hours", *HOURS_FIELDS)


class ResCompany(models.Model):
    """The hours in which a company's marketing SMS may leave."""

    _name = "res.company"
    _inherit = ["res.company", "sms.ovh.hours.mixin"]

    sms_ovh_quiet_hours = fields.Boolean(
        string="Quiet Hours",
        default=True,
        help="Marketing SMS leave only in the hours below, in each recipient's country;"
        " others wait for the next opening. Transactional SMS leave at any time.",
    )
    sms_ovh_hours_ids = fields.One2many(
        "sms.ovh.hours", "company_id", string="Hours by Country"
    )

    @api.constrains(*RULE_FIELDS)
    def _check_sms_ovh_hours(self):
        self.filtered("sms_ovh_quiet_hours")._check_hours()

    def write(self, vals):
        """Override to let what waits go by the new hours."""
        result = super().write(vals)
        if any(name in vals for name in RULE_FIELDS):
            self.env["sms.sms"]._sms_ovh_release(self)
        return result

    def _get_sms_ovh_rules(self, country_code=None):
        """Return the hours in which marketing SMS may leave, None for at any time.

        :param str country_code: ISO code of the recipient's country, which may have
            hours of its own
        :rtype: quiet_hours.Rules|None
        """
        self.ensure_one()
        if not self.sms_ovh_quiet_hours:
            return None
        # sudo: the hours of the company that sends, for whoever sends.
        hours = self.sudo().sms_ovh_hours_ids.filtered(
            lambda hours: hours.country_id.code == country_code
        )
        return (hours or self)._get_rules(self.partner_id.tz or "UTC")

    def _get_sms_ovh_country_code(self, number):
        """Return the country whose hours count for a number: its own, or the company's.

        :param str number: as an SMS has it; the company's country is taken where it is
            no number
        :return: ISO code, False where neither is known
        """
        if number and not number.startswith("+"):
            number = self._clean_sms_ovh_number(number).number
        return get_country_code(number) or self.country_id.code

    def _get_sms_ovh_opening(self, moment=None, country_code=None):
        """Return when marketing SMS may next leave for a country.

        :param datetime moment: in UTC, by default now
        :param str country_code: ISO code, by default of the company's country
        :return: `moment`, or later where the country is closed then
        :rtype: datetime
        """
        moment = moment or fields.Datetime.now()
        country_code = country_code or self.country_id.code
        rules = self._get_sms_ovh_rules(country_code)
        if not rules:
            return moment
        return next_opening(moment, country_code, rules)

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

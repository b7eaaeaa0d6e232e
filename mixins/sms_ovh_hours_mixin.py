from odoo import fields, models
from odoo.exceptions import ValidationError

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
# The fields that define when SMS may leave, on all models that have them.
HOURS_FIELDS = (
    "sms_ovh_open_from",
    "sms_ovh_open_to",
    "sms_ovh_keep_holidays",
    *OPEN_DAYS,
)


def get_preset_values(preset):
    """Return the values of `HOURS_FIELDS` for a preset, empty for an unknown one.

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
        """Return these hours as a plain Python object.

        :param str zone: name of the time zone to use for countries that have none
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

        :raise ValidationError: saying what to choose
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

from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import split_every
from odoo.tools.misc import format_datetime, format_time

from .. import const
from ..mixins.sms_ovh_hours_mixin import HOURS_FIELDS
from ..sms_api import SmsApiOvh
from ..tools.decision import Closed
from ..tools.number_country import get_country_code
from ..tools.phone_number import clean_number, parse_prefixes
from ..tools.quiet_hours import get_zones, next_opening
from .sms_ovh_job import OPEN_STATES

RULE_FIELDS = ("sms_ovh_quiet_hours", *HOURS_FIELDS)


class ResCompany(models.Model):
    _name = "res.company"
    _inherit = ["res.company", "sms.ovh.hours.mixin"]

    sms_ovh_account_id = fields.Many2one(
        "sms.ovh.account",
        string="OVHcloud SMS Account",
        domain="[('company_id', '=', id), ('service_name', '!=', False)]",
        ondelete="restrict",
        copy=False,
        help="The company sends its SMS through this account. Without one, they leave"
        " as Odoo sends them by default.",
    )

    sms_ovh_campaign_kind = fields.Selection(
        const.KINDS,
        string="SMS Campaigns",
        required=True,
        default="marketing",
        help="What new campaigns are. Marketing SMS carry the STOP clause and keep quiet"
        " hours.",
    )
    sms_ovh_message_kind = fields.Selection(
        const.KINDS,
        string="Other SMS",
        required=True,
        default="transactional",
        help="What SMS are that no campaign sends: from a contact or an order, by an"
        " automation rule, as a reminder.",
    )

    sms_ovh_gsm7 = fields.Selection(
        const.GSM7_CHOICES,
        string="Write in GSM-7 what has an equivalent",
        required=True,
        default="off",
        help="One letter that GSM-7 lacks, as the ï of a name, makes an SMS Unicode, of 70"
        " characters instead of 160. Written as i, the SMS may take half as many. Links"
        " are never changed, nor texts that stay Unicode all the same.",
    )
    sms_ovh_skip_landlines = fields.Boolean(
        string="Leave Out Landlines",
        default=True,
        help="Campaigns and SMS to several records leave out landlines and other numbers"
        " that are no mobiles (VoIP, toll-free, premium-rate, machines…): these cost as"
        " much and receive nothing.",
    )
    sms_ovh_credit_policy = fields.Selection(
        [("warn", "Warn"), ("refuse", "Do not send")],
        string="When SMS Are Missing",
        required=True,
        default="warn",
        help="What happens when a campaign is sent that the SMS left cannot pay for.",
    )

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

    @api.constrains("sms_ovh_account_id")
    def _check_sms_ovh_account(self):
        # sudo: users who choose the account need not see those of other companies.
        for company in self.sudo().filtered("sms_ovh_account_id"):
            account = company.sms_ovh_account_id
            if account.company_id != company:
                raise ValidationError(
                    self.env._(
                        "This OVHcloud account belongs to another company. Choose one"
                        " of %s.",
                        company.name,
                    )
                )
            if not account.service_name:
                raise ValidationError(
                    self.env._(
                        "This OVHcloud account is not connected yet, so its SMS service"
                        " is not known. Connect it first."
                    )
                )

    @api.constrains("sms_ovh_account_id")
    def _sms_ovh_stop_left(self):
        """Close what was to be sent through an account that its company has left."""
        # sudo: users who choose the account need not see all that it sends.
        companies_sudo = self.sudo()
        accounts_sudo = (
            self.env["sms.ovh.account"]
            .sudo()
            .with_context(active_test=False)
            .search([("company_id", "in", companies_sudo.ids)])
        )
        for account_sudo in accounts_sudo - companies_sudo.sms_ovh_account_id:
            account_sudo.company_id._sms_ovh_leave(account_sudo)

    @api.constrains(*RULE_FIELDS)
    def _sms_ovh_release_held(self):
        """Apply the new hours to the SMS that wait."""
        self.env["sms.sms"]._sms_ovh_release(self)

    def _sms_ovh_leave(self, account):
        """Stop what this company was to send through an account that it leaves.

        If it has another account, the SMS go back to the queue and leave through that.
        Otherwise they are cancelled: nobody chose to have another provider send them.
        OVHcloud still delivers what it has already accepted.

        :param account: `sms.ovh.account` that the company had
        """
        self.ensure_one()
        jobs = self.env["sms.ovh.job"].search(
            [("account_id", "=", account.id), ("state", "in", OPEN_STATES)]
        )
        if self.sms_ovh_account_id:
            jobs._return_to_queue()
            return
        Sms = self.env["sms.sms"]
        open_sms = Sms.search(
            [
                ("state", "in", ("outgoing", "process")),
                ("record_company_id", "=", self.id),
                "|",
                ("sms_ovh_kind", "!=", False),
                ("sms_ovh_job_id", "in", jobs.ids),
            ]
        )
        self.env["mailing.mailing"].search(
            [
                ("sms_ovh_company_id", "=", self.id),
                ("mailing_type", "=", "sms"),
                ("state", "=", "sending"),
                ("sms_ovh_composed_count", ">", 0),
            ]
        ).action_sms_ovh_cancel()
        asked = 0
        for ids in split_every(const.CANCEL_SLICE, open_sms.ids):
            asked += Sms.browse(ids)._sms_ovh_close(recall=False).asked
        here = len(open_sms.filtered(lambda sms: sms.state == "canceled"))
        Sms._sms_ovh_tell_closed(Closed(here, asked), len(open_sms))

    def _sms_ovh_clean_number(self, number, country_code=None):
        """Read a phone number in the way in which this company's SMS are sent to it.

        :param str|None number: as somebody typed it
        :param str|None country_code: ISO code of the country that the number is of, by
            default the company's
        :rtype: tools.phone_number.CleanNumber
        """
        return self._sms_ovh_get_number_reader()(number, country_code)

    def _sms_ovh_get_number_reader(self):
        """Return a function to read many numbers, see :meth:`_sms_ovh_clean_number`.

        The system parameter `sms_ovh.valid_prefixes` lists ranges to let through that
        are too new for the numbering plans of `phonenumbers`.

        :return: function of a number and a country's code
        """
        # sudo: a setting of the addon, needed by any user who sends.
        prefixes = self.env["ir.config_parameter"].sudo()
        return partial(
            clean_number,
            company_code=self.country_id.code,
            valid_prefixes=parse_prefixes(prefixes.get_param("sms_ovh.valid_prefixes")),
        )

    def _sms_ovh_is_own(self):
        """Return whether the user belongs to all of these companies.

        The environment's rights do not matter: code that runs for a user counts as the
        user's.
        """
        return self._sms_ovh_has_user(self.env.user)

    def _sms_ovh_has_user(self, user):
        """Return whether a user belongs to all of these companies; Odoo itself does.

        :param user: `res.users`
        """
        if user.id == SUPERUSER_ID:
            return True
        return set(self.ids) <= set(user.sudo()._get_company_ids())

    def _sms_ovh_filter_sending(self):
        """Return the companies that send through OVHcloud."""
        # sudo: users who may send SMS need not be allowed to see the account.
        return self.filtered(lambda company: company.sudo().sms_ovh_account_id)

    @api.model
    def _sms_ovh_is_used(self):
        """Return whether any company sends through OVHcloud.

        :rtype: bool
        """
        # sudo: companies that the user does not belong to count, too.
        return bool(
            self.sudo().search_count([("sms_ovh_account_id", "!=", False)], limit=1)
        )

    def _get_sms_api_class(self):
        """Override of `sms` to send through OVHcloud where an account is set."""
        self.ensure_one()
        # sudo: users who may send SMS need not be allowed to see the account.
        if self.sudo().sms_ovh_account_id:
            return SmsApiOvh
        return super()._get_sms_api_class()

    def _sms_ovh_get_rules(self, country_code=None):
        """Return the hours in which marketing SMS may leave, None if at any time.

        :param str country_code: ISO code of the recipient's country, which may have
            hours of its own
        :rtype: quiet_hours.Rules|None
        """
        self.ensure_one()
        if not self.sms_ovh_quiet_hours:
            return None
        # sudo: the sending company's hours, needed by any user who sends.
        hours = self.sudo().sms_ovh_hours_ids.filtered(
            lambda hours: hours.country_id.code == country_code
        )
        return (hours or self)._get_rules(self.partner_id.tz or "UTC")

    def _sms_ovh_get_country_code(self, number):
        """Return the country whose hours count for a number: its own, or the company's.

        :param str number: as an SMS has it; if it is no number, the company's country
            is used
        :return: ISO code, False if neither is known
        """
        if number and not number.startswith("+"):
            number = self._sms_ovh_clean_number(number).number
        return get_country_code(number) or self.country_id.code

    def _sms_ovh_get_opening(self, moment=None, country_code=None):
        """Return when marketing SMS may next leave for a country.

        :param datetime moment: in UTC, by default now
        :param str country_code: ISO code, by default of the company's country
        :return: `moment`, or later if the country is closed then
        :rtype: datetime
        """
        moment = moment or fields.Datetime.now()
        country_code = country_code or self.country_id.code
        rules = self._sms_ovh_get_rules(country_code)
        if not rules:
            return moment
        return next_opening(moment, country_code, rules)

    def _sms_ovh_describe_opening(self, opening):
        """Return in words, in the user's time, the moment at which SMS leave.

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

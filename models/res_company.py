from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import ValidationError

from .. import const
from ..tools.phone_number import clean_number, parse_prefixes
from ..tools.sms_api import SmsApiOvh


class ResCompany(models.Model):
    _inherit = "res.company"

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

    @api.constrains("sms_ovh_account_id")
    def _check_sms_ovh_account(self):
        # sudo: who chooses a company's account need not see those of other companies.
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

    def _clean_sms_ovh_number(self, number, country_code=None):
        """Read a phone number as this company's SMS are sent to it.

        `sms_ovh.valid_prefixes` lists ranges to let through that are too new for the
        numbering plans of `phonenumbers`.

        :param str|None number: as somebody typed it
        :param str|None country_code: ISO code of the country of whose number it is, by
            default the company's
        :rtype: tools.phone_number.CleanNumber
        """
        # sudo: a setting of the addon, read for whoever sends.
        prefixes = self.env["ir.config_parameter"].sudo()
        return clean_number(
            number,
            country_code,
            self.country_id.code,
            parse_prefixes(prefixes.get_param("sms_ovh.valid_prefixes")),
        )

    def _is_sms_ovh_own(self):
        """Return whether the user belongs to all of these companies.

        Whatever rights the environment has: what runs for a user is that user's.
        """
        if self.env.uid == SUPERUSER_ID:
            return True
        return set(self.ids) <= set(self.env.user._get_company_ids())

    def _get_sms_api_class(self):
        """Override of `sms` to send through OVHcloud where an account is set."""
        self.ensure_one()
        # sudo: who may send an SMS need not be allowed to see the account.
        if self.sudo().sms_ovh_account_id:
            return SmsApiOvh
        return super()._get_sms_api_class()

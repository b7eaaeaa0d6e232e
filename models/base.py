import logging

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import UserError

from ..tools.phone_number import get_number_sentences

_logger = logging.getLogger(__name__)

# What people, and `phonenumbers`, put between the digits of a number.
SEPARATORS = str.maketrans("", "", " \u00a0\u202f.-()/")


class Base(models.AbstractModel):
    _inherit = "base"

    def _phone_format_number(
        self, number, country, force_format="E164", raise_exception=False
    ):
        """Override of `phone_validation` to read numbers as sending reads them.

        Contacts, campaigns, the composer, imports and the blacklist all read them in
        the same way. This is only for companies that send through OVHcloud, and not for
        the formats that replace what somebody typed on a form: that stays until a
        proposal is accepted.

        If the context has ``sms_ovh_trust_sanitized``, no number is read twice. No
        computation of `phone_sanitized` itself has it: its value was read and found
        valid when the record was saved. Reading it again is a fifth of the time that
        composing a campaign takes.
        """
        company = self.env.company
        # sudo: users who may send SMS need not be allowed to see the account.
        if force_format != "E164" or not company.sudo().sms_ovh_account_id:
            return super()._phone_format_number(
                number, country, force_format, raise_exception
            )
        if not number:
            return False
        if (
            self.env.context.get("sms_ovh_trust_sanitized")
            and len(self) == 1
            and "phone_sanitized" in self._fields
            and self.phone_sanitized == number.translate(SEPARATORS)
        ):
            return self.phone_sanitized
        found = company._sms_ovh_clean_number(number, country.code)
        if not found.number and raise_exception:
            reason = get_number_sentences(self.env)[found.reason]
            raise UserError(
                self.env._("%(number)s: %(reason)s", number=number, reason=reason)
            )
        return found.number or False

    @api.model
    def _sms_ovh_get_parameter(self, name, default):
        """Return the system parameter ``sms_ovh.<name>`` as a number.

        :param str name: what follows ``sms_ovh.``
        :param int default: value if it is not set, or not a number
        :rtype: int
        """
        # sudo: a setting of the addon, needed by any user who sends.
        Parameter = self.env["ir.config_parameter"].sudo()
        value = Parameter.get_param(f"sms_ovh.{name}", default)
        try:
            return max(0, int(value))
        except (TypeError, ValueError):
            _logger.warning("sms_ovh.%s is no number: %r", name, value)
            return default

    def _sms_ovh_get_companies(self):
        """Return which company sends the SMS about each of these records.

        It is the record's company, as core has it for messages. Without one, it is the
        user's current company; for a cron, which has none, that of the record's
        responsible user.

        :rtype: dict[int, res.company]
        """
        companies = self._mail_get_companies()
        user_field = self._fields.get("user_id")
        by_user = (
            self.env.uid == SUPERUSER_ID
            and user_field is not None
            and user_field.comodel_name == "res.users"
        )
        for record in self:
            if companies[record.id]:
                continue
            company = self.env.company
            if by_user:
                # sudo: the company of any user.
                company = record.sudo().user_id.company_id or company
            companies[record.id] = company.with_env(self.env)
        return companies

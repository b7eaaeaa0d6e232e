from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import ovh_client


class PhoneBlacklistRemove(models.TransientModel):
    """Takes numbers off OVHcloud's blacklist, too: else OVHcloud still refuses them."""

    _inherit = "phone.blacklist.remove"

    sms_ovh_refusal = fields.Char(
        string="Refused by OVHcloud", compute="_compute_sms_ovh_refusal"
    )
    sms_ovh_take_off = fields.Boolean(
        string="Take It Off OVHcloud's Blacklist, Too",
        help="Only with the consent of whose number it is.",
    )
    sms_ovh_consent = fields.Char(
        string="Consent",
        help="How and when the recipient asked for SMS again. It is kept with your name"
        " in the history of the number.",
    )

    @api.depends("phone")
    @api.depends_context("lang", "uid", "allowed_company_ids")
    def _compute_sms_ovh_refusal(self):
        Stop = self.env["sms.ovh.stop"]
        for wizard in self:
            wizard.sms_ovh_refusal = Stop.has_access("read") and Stop._get_refusal(
                wizard._sms_ovh_get_number()
            )

    def _sms_ovh_get_number(self):
        """Return the number in E.164, or False."""
        self.ensure_one()
        return self.phone and self.env.user._phone_format(number=self.phone)

    def action_unblacklist_apply(self):
        """Override of `phone_validation` to have OVHcloud accept the number again, too.

        :raise UserError: if the consent is missing, or OVHcloud refuses
        """
        # Checked before OVHcloud is told anything.
        self.env["phone.blacklist"]._sms_ovh_check_release([self._sms_ovh_get_number()])
        if not self.sms_ovh_take_off:
            return super().action_unblacklist_apply()
        consent = (self.sms_ovh_consent or "").strip()
        if not consent:
            raise UserError(
                self.env._(
                    "Enter how and when the recipient asked for SMS again: without that"
                    " consent the number stays on OVHcloud's blacklist."
                )
            )
        stops = self.env["sms.ovh.stop"]._find_refusing(self._sms_ovh_get_number())
        accounts = stops.account_id
        for stop in stops:
            try:
                stop._take_back()
            except ovh_client.OvhError as error:
                raise UserError(stop.account_id._get_error_sentence(error)) from None
        # sudo: users may only read STOP answers; these no longer apply.
        stops.sudo().unlink()
        records = super().action_unblacklist_apply()
        message = self.env._(
            "Taken off OVHcloud's blacklist (%(accounts)s). Consent: %(consent)s",
            accounts=", ".join(accounts.mapped("display_name")),
            consent=consent,
        )
        for record in records if accounts else ():
            record.message_post(body=message, subtype_xmlid="mail.mt_note")
        return records

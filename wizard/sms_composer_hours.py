from odoo import api, fields, models


class SmsComposer(models.TransientModel):
    """When an SMS leaves: at a chosen moment, and marketing not in quiet hours."""

    _inherit = "sms.composer"

    sms_ovh_send_at = fields.Datetime(
        string="Send At", help="Empty, or past: it is sent at once."
    )
    sms_ovh_leaves = fields.Char(
        string="When It Leaves", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )

    @api.depends(
        "composition_mode",
        "mailing_id",
        "recipient_single_number_itf",
        "sanitized_numbers",
        "sms_ovh_account_id",
        "sms_ovh_kind",
        "sms_ovh_send_at",
    )
    @api.depends_context("company", "lang", "tz")
    def _compute_sms_ovh_leaves(self):
        """Say when it leaves, where quiet hours hold it."""
        self.sms_ovh_leaves = False
        now = fields.Datetime.now()
        for composer in self:
            if (
                not composer.sms_ovh_account_id
                or composer.mailing_id
                or composer.sms_ovh_kind != "marketing"
            ):
                continue
            company = composer._get_sms_ovh_company().sudo()
            country_code = company.country_id.code
            # Of several, in as many countries, the form tells the company's.
            number = composer.sanitized_numbers or composer.recipient_single_number_itf
            if composer.composition_mode != "mass" and number and "," not in number:
                country_code = company._get_sms_ovh_country_code(number)
            wanted_at = max(composer.sms_ovh_send_at or now, now)
            opening = company._get_sms_ovh_opening(wanted_at, country_code)
            if opening > wanted_at:
                composer.sms_ovh_leaves = self.env._(
                    "Leaves on %(day)s at %(time)s: marketing SMS keep quiet hours.",
                    **company._describe_sms_ovh_opening(opening),
                )

    def _action_send_sms(self):
        """Override of `sms` to send when the form says."""
        if self.sms_ovh_account_id and not self.mailing_id and self.sms_ovh_send_at:
            self = self.with_context(sms_ovh_send_at=self.sms_ovh_send_at)
        return super()._action_send_sms()

from odoo import api, models

from ..models.sms_ovh_counter_mixin import get_text_as_sent


class SmsComposer(models.TransientModel):
    _name = "sms.composer"
    _inherit = ["sms.composer", "sms.ovh.counter.mixin"]

    @api.depends("mailing_id.sms_ovh_in_use")
    @api.depends_context("company")
    def _compute_sms_ovh_in_use(self):
        super()._compute_sms_ovh_in_use()
        for composer in self.filtered("mailing_id"):
            composer.sms_ovh_in_use = composer.mailing_id.sms_ovh_in_use

    @api.depends("composition_mode", "mailing_id.sms_ovh_stop_counted")
    def _compute_sms_ovh_stop_counted(self):
        """Only campaigns send the STOP clause."""
        for composer in self:
            composer.sms_ovh_stop_counted = (
                composer._is_mass_sms() and composer.mailing_id.sms_ovh_stop_counted
            )

    @api.depends(
        "body", "mass_sms_allow_unsubscribe", "mailing_id", "sms_ovh_stop_counted"
    )
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    def _get_sms_ovh_texts(self):
        texts = super()._get_sms_ovh_texts()
        for composer in self.filtered(lambda composer: composer._is_mass_sms()):
            # sudo: the lengths of links, which only depend on ids and codes.
            mailing_sudo = composer.mailing_id.sudo()
            texts[composer.id] = get_text_as_sent(
                composer.body,
                mailing_sudo.get_sms_link_replacements_placeholders(),
                opt_out=composer.mass_sms_allow_unsubscribe,
            )
        return texts

    def action_send_sms(self):
        """Override of `sms` to refuse what OVHcloud would refuse."""
        self._check_sms_ovh_length()
        return super().action_send_sms()

    def _prepare_mass_sms_values(self, records):
        """Override of `sms` to tell each SMS which company sends it.

        That of the campaign, or else that of the record it is about.
        """
        result = super()._prepare_mass_sms_values(records)
        mailing_company = self.mailing_id.sms_ovh_company_id
        has_company = "company_id" in records._fields
        for record in records:
            company = mailing_company
            if not company and has_company:
                company = record.company_id
            result[record.id]["record_company_id"] = (company or self.env.company).id
        return result

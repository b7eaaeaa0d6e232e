from odoo import models


class SmsComposer(models.TransientModel):
    _inherit = "sms.composer"

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

from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    def session_info(self):
        """Override to say which of the user's companies send with OVHcloud.

        By it the web client chooses the counter under the text of an SMS.
        """
        result = super().session_info()
        if self.env.user._is_internal():
            # sudo: whether a company has an account, of the user's companies only.
            companies_sudo = self.env.user.company_ids.sudo()
            result["sms_ovh_company_ids"] = companies_sudo.filtered(
                "sms_ovh_account_id"
            ).ids
        return result

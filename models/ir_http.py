from odoo import models
from odoo.http import request


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _dispatch(cls, endpoint):
        """Override to drop the one parameter that makes every route of Odoo fail.

        Whoever calls our routes must never see a failure of the server, whatever the
        parameters are named: OVHcloud calls again for each.
        """
        if request.httprequest.path.startswith("/sms_ovh/"):
            request.params.pop("self", None)
        return super()._dispatch(endpoint)

    @classmethod
    def _serve_fallback(cls):
        """Override: below our routes there is nothing else, so nothing is looked up.

        Looking it up fails where the address has a NUL.
        """
        if request.httprequest.path.startswith("/sms_ovh/"):
            return None
        return super()._serve_fallback()

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

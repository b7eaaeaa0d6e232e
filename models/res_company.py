from odoo import fields, models

from ..tools.sms_api import SmsApiOvh


class ResCompany(models.Model):
    _inherit = "res.company"

    sms_ovh_account_id = fields.Many2one(
        "sms.ovh.account",
        string="OVHcloud SMS Account",
        domain="[('company_id', '=', id)]",
        ondelete="restrict",
        copy=False,
        help="The company sends its SMS through this account. Without one, they leave"
        " as Odoo sends them by default.",
    )

    def _get_sms_api_class(self):
        """Override of `sms` to send through OVHcloud where an account is set."""
        self.ensure_one()
        # sudo: who may send an SMS need not be allowed to see the account.
        if self.sudo().sms_ovh_account_id:
            return SmsApiOvh
        return super()._get_sms_api_class()

from odoo import api, fields, models


class SmsOvhDiagnosis(models.TransientModel):
    """Shows the diagnosis of an account, to be copied; it is kept nowhere."""

    _name = "sms.ovh.diagnosis"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Diagnosis of an OVHcloud SMS Account"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    text = fields.Text(string="Diagnosis", compute="_compute_text")

    @api.depends("account_id")
    def _compute_text(self):
        for diagnosis in self:
            account = diagnosis.account_id
            diagnosis.text = account and account._get_diagnosis()

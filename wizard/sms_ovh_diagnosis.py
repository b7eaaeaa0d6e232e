from odoo import api, fields, models


class SmsOvhDiagnosis(models.TransientModel):
    """Shows the diagnosis of an account, to be copied; it is kept nowhere."""

    _name = "sms.ovh.diagnosis"
    _description = "Diagnosis of an OVHcloud SMS Account"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    text = fields.Text(string="Diagnosis", compute="_compute_text")

    @api.depends("account_id")
    def _compute_text(self):
        for diagnosis in self:
            account = diagnosis.account_id
            diagnosis.text = account and account._get_diagnosis()

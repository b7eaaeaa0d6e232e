from odoo import api, fields, models
from odoo.exceptions import UserError


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    sms_ovh_enabled = fields.Boolean(
        string="Send SMS with OVHcloud",
        compute="_compute_sms_ovh_enabled",
        store=True,
        readonly=False,
    )
    sms_ovh_account_id = fields.Many2one(
        related="company_id.sms_ovh_account_id",
        readonly=False,
        domain="[('company_id', '=', company_id), ('service_name', '!=', False)]",
    )

    sms_ovh_campaign_kind = fields.Selection(
        related="company_id.sms_ovh_campaign_kind", readonly=False
    )
    sms_ovh_message_kind = fields.Selection(
        related="company_id.sms_ovh_message_kind", readonly=False
    )

    sms_ovh_gsm7 = fields.Selection(related="company_id.sms_ovh_gsm7", readonly=False)
    sms_ovh_skip_landlines = fields.Boolean(
        related="company_id.sms_ovh_skip_landlines", readonly=False
    )
    sms_ovh_credit_policy = fields.Selection(
        related="company_id.sms_ovh_credit_policy", readonly=False
    )

    @api.depends("company_id")
    def _compute_sms_ovh_enabled(self):
        for settings in self:
            settings.sms_ovh_enabled = bool(settings.company_id.sms_ovh_account_id)

    @api.onchange("sms_ovh_enabled")
    def _onchange_sms_ovh_enabled(self):
        if not self.sms_ovh_enabled:
            self.sms_ovh_account_id = False
        elif not self.sms_ovh_account_id:
            self.sms_ovh_account_id = self.env["sms.ovh.account"].search(
                [
                    ("company_id", "=", self.company_id.id),
                    ("service_name", "!=", False),
                ],
                limit=1,
            )

    def set_values(self):
        """Override of `base` that refuses a provider without an account."""
        for settings in self:
            if settings.sms_ovh_enabled and not settings.sms_ovh_account_id:
                raise UserError(
                    self.env._(
                        "To send SMS with OVHcloud, choose the account to send with,"
                        " or create one with “Configure the account”."
                    )
                )
        return super().set_values()

    def action_sms_ovh_configure(self):
        """Open the company's OVHcloud account, or the form of a new one."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("OVHcloud account"),
            "res_model": "sms.ovh.account",
            "res_id": self.sms_ovh_account_id.id,
            "view_mode": "form",
            "context": {"default_company_id": self.company_id.id},
        }

    def action_sms_ovh_test_connection(self):
        """Test the chosen account. See :meth:`sms.ovh.account.action_test_connection`.

        :raise UserError: where no account is chosen
        """
        self.ensure_one()
        self.check_access("write")
        if not self.sms_ovh_account_id:
            raise UserError(self.env._("Choose an OVHcloud account first."))
        return self.sms_ovh_account_id.action_test_connection()

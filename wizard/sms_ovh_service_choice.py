from odoo import fields, models
from odoo.exceptions import UserError


class SmsOvhServiceChoice(models.TransientModel):
    """Offers the SMS services that a new connection could use."""

    _name = "sms.ovh.service.choice"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Choice of an OVHcloud SMS Service"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one("sms.ovh.account", required=True, ondelete="cascade")
    line_ids = fields.One2many("sms.ovh.service.choice.line", "choice_id")


class SmsOvhServiceChoiceLine(models.TransientModel):
    """A service to choose from."""

    _name = "sms.ovh.service.choice.line"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "OVHcloud SMS Service"

    _sms_ovh_guarded_links = {"choice_id": "write"}

    choice_id = fields.Many2one(
        "sms.ovh.service.choice", required=True, ondelete="cascade"
    )
    name = fields.Char(string="Service", readonly=True)
    description = fields.Char(readonly=True)
    credits_left = fields.Float(string="SMS Left", digits=(16, 2), readonly=True)

    def action_choose(self):
        """Connect the account with this service.

        :raise UserError: if OVHcloud refuses, saying what to do
        """
        self.ensure_one()
        self.check_access("write")
        account = self.choice_id.account_id
        account.check_access("write")
        account.service_name = self.name
        if not account._synchronise():
            raise UserError(account.state_message)
        return {"type": "ir.actions.act_window_close"}

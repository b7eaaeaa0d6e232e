from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools.client_actions import notify
from ..tools.credits import format_credits


class SmsOvhRecharge(models.TransientModel):
    """Settings of the automatic recharge of an account."""

    _name = "sms.ovh.recharge"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Automatic Recharge of an OVHcloud Account"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    credits_left = fields.Float(related="account_id.credits_left", related_sudo=False)
    amount = fields.Selection(
        [
            ("off", "None"),
            *((amount, f"{amount} SMS") for amount in const.RECHARGE_AMOUNTS),
        ],
        string="SMS Recharged",
        required=True,
        default="off",
        help="What OVHcloud orders each time.",
    )
    threshold = fields.Float(
        string="Recharged Below",
        digits=(16, 0),
        help="OVHcloud recharges once fewer SMS are left.",
    )
    consequence = fields.Text(compute="_compute_consequence")

    @api.depends("amount", "threshold", "account_id")
    def _compute_consequence(self):
        for recharge in self:
            account = recharge.account_id
            if recharge.amount != "off":
                recharge.consequence = self.env._(
                    "Each time fewer than %(threshold)s SMS are left on %(service)s,"
                    " OVHcloud orders %(amount)s SMS by itself and charges them to the"
                    " payment method of your OVHcloud account.",
                    threshold=format_credits(self.env, recharge.threshold),
                    service=account.service_name,
                    amount=recharge.amount,
                )
                continue
            sentence = self.env._(
                "Nothing is ordered by itself. Once the SMS left on %(service)s"
                " (%(credits)s) are used up, campaigns, reminders and confirmations"
                " stop and wait until somebody buys a pack at OVHcloud.",
                credits=format_credits(self.env, account.credits_left),
                service=account.service_name,
            )
            if account.credit_warning_threshold:
                sentence += " " + self.env._(
                    "Odoo warns once fewer than %s are left.",
                    account.credit_warning_threshold,
                )
            else:
                sentence += " " + self.env._(
                    "Odoo does not warn before: its warning is off."
                )
            recharge.consequence = sentence

    def action_apply(self):
        """Write the settings to OVHcloud.

        :raise UserError: if the threshold is missing, or OVHcloud refuses them
        """
        self.ensure_one()
        self.check_access("write")
        if self.amount != "off" and self.threshold <= 0:
            raise UserError(
                self.env._(
                    "Enter below how many SMS left OVHcloud recharges: 1 or more."
                )
            )
        values = {"automaticRecreditAmount": None}
        if self.amount != "off":
            values = {
                "automaticRecreditAmount": self.amount,
                "creditThresholdForAutomaticRecredit": self.threshold,
            }
        self.account_id._change_service(values)
        return notify(
            self.env._("OVHcloud does not recharge the account.")
            if self.amount == "off"
            else self.env._("OVHcloud recharges the account by itself.")
        )

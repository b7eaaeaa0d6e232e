from odoo import fields, models


class SmsOvhAccount(models.Model):
    """What a credit costs: OVHcloud's price depends on the pack, so only its owner
    knows."""

    _inherit = "sms.ovh.account"

    currency_id = fields.Many2one(related="company_id.currency_id")
    credit_price = fields.Float(
        string="Price of an SMS",
        digits=(16, 5),
        help="What one SMS of your pack costs you, without tax: results of campaigns"
        " are then shown in your currency too. Without a price they are shown in SMS"
        " only.",
    )

from odoo import fields, models


class SmsOvhAnswerMixin(models.AbstractModel):
    """What a recipient sent back, with the campaign that it answers."""

    _name = "sms.ovh.answer.mixin"
    _description = "Answer to an SMS"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Campaign",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
        help="The campaign whose SMS was answered.",
    )
    trace_id = fields.Many2one(
        "mailing.trace",
        string="SMS Answered",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
    )
    received_at = fields.Datetime(string="Received On", readonly=True)

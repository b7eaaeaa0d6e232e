from odoo import api, fields, models
from odoo.tools import plaintext2html

from ..tools.sms_api import normalize_number


class SmsOvhReply(models.Model):
    """An SMS received from a recipient, and whose it is."""

    _name = "sms.ovh.reply"
    _inherit = ["sms.ovh.answer.mixin"]
    _description = "OVHcloud SMS Reply"
    _order = "received_at desc, id desc"
    _rec_name = "number"

    company_id = fields.Many2one(related="account_id.company_id", store=True)
    ovh_id = fields.Char(string="OVHcloud's ID", required=True, readonly=True)
    number = fields.Char(string="Phone Number", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Contact", ondelete="set null", readonly=True
    )
    body = fields.Text(string="Text", readonly=True)
    tag = fields.Char(readonly=True)

    _account_ovh_id_unique = models.Constraint(
        "unique(account_id, ovh_id)", "This reply is known already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to find out whose replies these are, and to tell them there."""
        replies = super().create(vals_list)
        replies._find_campaigns()
        for reply in replies:
            reply._find_partner()
        return replies

    def _find_campaigns(self):
        """Look up which campaigns these replies answer."""
        for account, replies in self.grouped("account_id").items():
            answered = account._find_answered(
                [
                    {
                        "number": normalize_number(reply.number),
                        "received_at": reply.received_at,
                        "tag": reply.tag,
                    }
                    for reply in replies
                ],
                senders=account.with_context(active_test=False).sender_ids.filtered(
                    "can_reply"
                ),
            )
            for reply, tracker in zip(replies, answered, strict=True):
                reply.mailing_id = tracker.mailing_trace_id.mass_mailing_id

    def _find_partner(self):
        """Look up who wrote this reply and post it in that contact's chatter."""
        self.ensure_one()
        number = normalize_number(self.number, self.company_id.country_id.code)
        if not number:
            return
        partner = self.env["res.partner"].search(
            [
                ("phone_sanitized", "=", number),
                ("company_id", "in", [False, self.company_id.id]),
            ],
            order="id desc",
            limit=1,
        )
        if not partner:
            return
        self.partner_id = partner
        # Made HTML from text: what somebody writes is shown, never interpreted.
        partner.message_post(
            body=plaintext2html(self.env._("SMS received: %s", self.body or "")),
            author_id=partner.id,
            message_type="comment",
            subtype_xmlid="mail.mt_note",
        )

from odoo import api, fields, models
from odoo.tools import plaintext2html

from ..tools.sms_api import normalize_number


class SmsOvhReply(models.Model):
    """An SMS received from a recipient, and whose it is."""

    _name = "sms.ovh.reply"
    _description = "OVHcloud SMS Reply"
    _order = "received_at desc, id desc"
    _rec_name = "number"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True, readonly=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    ovh_id = fields.Char(string="OVHcloud's ID", required=True, readonly=True)
    number = fields.Char(string="Phone Number", readonly=True)
    partner_id = fields.Many2one(
        "res.partner", string="Contact", ondelete="set null", readonly=True
    )
    body = fields.Text(string="Text", readonly=True)
    tag = fields.Char(readonly=True)
    received_at = fields.Datetime(string="Received On", readonly=True)

    _account_ovh_id_unique = models.Constraint(
        "unique(account_id, ovh_id)", "This reply is known already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to find out whose replies these are, and to tell them there."""
        replies = super().create(vals_list)
        for reply in replies:
            reply._find_partner()
        return replies

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


class SmsOvhStop(models.Model):
    """A number that answered STOP, as OVHcloud's blacklist has it.

    Remembered so that a number that somebody takes off Odoo's blacklist again is not
    put back with each reading.
    """

    _name = "sms.ovh.stop"
    _description = "OVHcloud STOP"
    _rec_name = "number"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", readonly=True
    )
    number = fields.Char(required=True, readonly=True)

    _account_number_unique = models.UniqueIndex("(account_id, number)")

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class SmsOvhSenderCountry(models.Model):
    """The sender that an account uses for one country, instead of its usual one."""

    _name = "sms.ovh.sender.country"
    _description = "OVHcloud Sender for a Country"
    _order = "account_id, country_id"
    _rec_name = "country_id"

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, index=True, ondelete="cascade"
    )
    country_id = fields.Many2one("res.country", required=True, ondelete="cascade")
    sender_id = fields.Many2one(
        "sms.ovh.sender",
        required=True,
        ondelete="cascade",
        domain="[('account_id', '=', account_id), ('status', '=', 'enable')]",
    )

    _country_unique = models.Constraint(
        "unique(account_id, country_id)",
        "This country has a sender already. Change that line.",
    )

    @api.constrains("account_id", "country_id", "sender_id")
    def _check_sender(self):
        for line in self:
            if line.sender_id.account_id != line.account_id:
                raise ValidationError(
                    self.env._(
                        "“%s” is a sender of another account. Choose one of this"
                        " account.",
                        line.sender_id.display_name,
                    )
                )
            if not line.sender_id._reaches(line.country_id.code):
                raise ValidationError(
                    self.env._(
                        "“%(sender)s” does not reach %(country)s. Choose a sender with a"
                        " name.",
                        sender=line.sender_id.display_name,
                        country=line.country_id.name,
                    )
                )

from odoo import api, fields, models


class SmsOvhSender(models.Model):
    """A sender of an OVHcloud account: a name, a short number or a virtual number.

    Read from OVHcloud: who may send under which name is decided there.
    """

    _name = "sms.ovh.sender"
    _description = "OVHcloud SMS Sender"
    _order = "status_sequence, type, name"
    _check_company_auto = True

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="account_id.company_id", store=True)
    active = fields.Boolean(default=True)
    name = fields.Char(required=True, readonly=True)
    type = fields.Selection(
        [
            ("alpha", "Name"),
            ("numeric", "Phone Number"),
            ("shortcode", "Short Number"),
            ("virtual", "Virtual Number"),
            ("time2chat", "Time2Chat"),
        ],
        required=True,
        readonly=True,
    )
    status = fields.Selection(
        [
            ("enable", "Enabled"),
            ("waitingValidation", "Waiting for Validation"),
            ("refused", "Refused"),
            ("disable", "Disabled"),
        ],
        required=True,
        readonly=True,
    )
    # Enabled ones first: a selection sorts by its technical value otherwise.
    status_sequence = fields.Integer(compute="_compute_status_sequence", store=True)
    description = fields.Char(readonly=True)
    comment = fields.Char(
        string="Moderator's Comment",
        readonly=True,
        help="Why OVHcloud refused this sender, in its own words.",
    )
    can_reply = fields.Boolean(
        string="Recipients Can Reply", compute="_compute_can_reply"
    )
    has_stop_clause = fields.Boolean(
        string="STOP Clause",
        compute="_compute_has_stop_clause",
        help="OVHcloud adds the STOP clause to marketing SMS of this sender.",
    )

    _account_name_unique = models.Constraint(
        "unique(account_id, type, name)",
        "This account has a sender of this name already.",
    )

    @api.depends("status")
    def _compute_status_sequence(self):
        order = [value for value, __ in self._fields["status"].selection]
        for sender in self:
            sender.status_sequence = order.index(sender.status or "disable")

    @api.depends("type")
    def _compute_can_reply(self):
        for sender in self:
            sender.can_reply = sender.type in ("shortcode", "virtual")

    @api.depends("type")
    def _compute_has_stop_clause(self):
        for sender in self:
            sender.has_stop_clause = sender.type not in ("shortcode", "virtual")

    @api.depends("name", "type")
    def _compute_display_name(self):
        for sender in self:
            if sender.type == "shortcode":
                sender.display_name = self.env._(
                    "Short number (recipients can reply)"
                )
            else:
                sender.display_name = sender.name

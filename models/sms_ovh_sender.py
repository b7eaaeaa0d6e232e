from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..fields import forget
from ..tools.number_country import get_country_code
from ..tools.sms_api import normalize_number


class SmsOvhSender(models.Model):
    """A sender of an OVHcloud account: a name, a short number or a virtual number.

    Read from OVHcloud: who may send under which name is decided there.
    """

    _name = "sms.ovh.sender"
    _description = "OVHcloud SMS Sender"
    _order = "status_sequence, type, name"
    _inherit = ["sms.ovh.guard.mixin"]
    _check_company_auto = True

    _sms_ovh_guarded_links = {"account_id": "write"}

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
    refused_until = fields.Datetime(
        readonly=True,
        copy=False,
        help="OVHcloud refuses what is sent as this one, though it takes what others"
        " send: one job tries again by then, the others wait for it.",
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
            sender.can_reply = sender.type in const.TWO_WAY_SENDERS

    @api.depends("type")
    def _compute_has_stop_clause(self):
        for sender in self:
            sender.has_stop_clause = sender.type not in const.TWO_WAY_SENDERS

    def _reaches(self, country_code):
        """Tell whether SMS of this sender arrive in a country, as far as is known.

        :param str|None country_code: ISO code; overseas departments are countries
        :rtype: bool
        """
        self.ensure_one()
        only = const.SENDER_COUNTRY.get(self.type)
        if not only or not country_code:
            return True
        if self.type == "virtual":
            only = get_country_code(normalize_number(self.name, only)) or only
        return country_code == only

    def _get_country_advice(self, country_code, is_replaced=False):
        """Return what becomes of this sender in a country, False where it stays.

        Of the rules that OVHcloud's guides name (2026); what it answers for a country
        comes on top, see `sms.ovh.exception`.

        :param str country_code: ISO code
        :param bool is_replaced: whether OVHcloud says what is shown in place of a name
        :rtype: str|bool
        """
        self.ensure_one()
        if country_code in ("US", "PR"):
            return self.env._(
                "Only approved templates reach the USA: have OVHcloud approve the text,"
                " or its operators refuse it (code 1999)."
            )
        if self.type != "alpha" or is_replaced:
            return False
        if country_code == "ES":
            return self.env._(
                "Spain blocks names that are not registered with its regulator CNMC"
                " (since 2026). Choose a registered sender for Spain on the account."
            )
        if country_code == "BE":
            return self.env._("Belgian operators may replace a name by a short code.")
        return False

    def unlink(self):
        """Override to clear what leads here without a foreign key."""
        forget(self, ("sms.ovh.log", "sender_id"), ("sms.sms", "sms_ovh_sender_id"))
        return super().unlink()

    # ------------------------------------------------------------
    # Changes at OVHcloud
    # ------------------------------------------------------------

    def action_enable(self):
        """Have OVHcloud take SMS from this sender again.

        :raise UserError: where OVHcloud refuses
        """
        return self._set_status("enable")

    def action_disable(self):
        """Have OVHcloud take no SMS from this sender any more.

        :raise UserError: where OVHcloud refuses, or SMS are sent with it
        """
        self.check_access("write")
        self._check_not_default()
        return self._set_status("disable")

    def _set_status(self, status):
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        sender = account._change_at_ovhcloud(
            lambda client: client.put(
                account._get_path("senders", self.name), {"status": status}
            ),
            lambda client: client.get(account._get_path("senders", self.name)),
            self.display_name,
        )
        if sender:
            values = account._read_sender(sender)
            if values["status"] != self.status:
                account._tell_sender_status(self, values)
            account._adopt_sender(values)
        return True

    def action_send_proof(self):
        """Open the form by which a proof of this name is sent to OVHcloud."""
        self.ensure_one()
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send a Proof"),
            "res_model": "sms.ovh.sender.proof",
            "view_mode": "form",
            "target": "new",
            "context": {"default_sender_id": self.id},
        }

    def action_delete(self):
        """Delete this sender at OVHcloud; here it is archived with its history.

        :raise UserError: where OVHcloud refuses, or SMS are sent with it
        """
        self.ensure_one()
        self.check_access("write")
        self._check_not_default()
        account = self.account_id
        account._change_at_ovhcloud(
            lambda client: client.delete(account._get_path("senders", self.name)),
            None,
            self.display_name,
            gone_is_done=True,
        )
        account._archive_senders(self)
        return True

    def _check_not_default(self):
        self.ensure_one()
        if self.account_id.default_sender_id == self:
            raise UserError(
                self.env._(
                    "%(account)s sends with “%(sender)s”. Choose another default sender"
                    " on the account first.",
                    account=self.account_id.display_name,
                    sender=self.display_name,
                )
            )

    def action_request_sender(self):
        """Open the request of a sender for the company's account."""
        return self.env["sms.ovh.account"]._get_for_action().action_request_sender()

    def action_request_again(self):
        """Open the request of a sender that OVHcloud refused, filled in."""
        self.ensure_one()
        self.check_access("write")
        return self.account_id._request_sender(sender=self)

    def _prepare_request(self):
        """Return what a new request of this sender begins with."""
        self.ensure_one()
        return {
            "name": self.name,
            "description": self.description,
            "refusal": self.comment,
        }

    def action_synchronise(self):
        """Read all accounts that this user sees from OVHcloud again."""
        return self.env["sms.ovh.account"]._get_of_companies().action_read_again()

    @api.depends("name", "type")
    @api.depends_context("lang", "uid")
    def _compute_display_name(self):
        """Tell names to users of the account's company only. See `sms.ovh.account`."""
        for sender in self:
            if not sender.company_id._is_sms_ovh_own():
                sender.display_name = self.env._("Sender")
            elif sender.type == "shortcode":
                sender.display_name = self.env._("Short number (recipients can reply)")
            else:
                sender.display_name = sender.name

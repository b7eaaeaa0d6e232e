import base64
import re

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools.client_actions import notify, open_dialog


class SmsOvhSenderRequest(models.TransientModel):
    """Ask OVHcloud for a sender."""

    _name = "sms.ovh.sender.request"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Request of an OVHcloud Sender"

    _sms_ovh_guarded_links = {"account_id": "write"}

    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, ondelete="cascade"
    )
    name = fields.Char(string="Sender")
    description = fields.Char(help="For yourself: it is shown in the list of senders.")
    reason = fields.Text(
        help="OVHcloud's moderator reads it: say what ties this name to your company."
    )
    refusal = fields.Char(
        readonly=True, help="Why OVHcloud refused this sender, in its own words."
    )
    name_warning = fields.Char(compute="_compute_name_warning")
    proof = fields.Binary(
        attachment=False,
        help="What shows that the name is yours: an extract of the company register, or"
        " the certificate of a trade mark. PDF, PNG or JPEG.",
    )
    proof_name = fields.Char(string="Name of the Proof")
    suggestion_ids = fields.One2many(
        "sms.ovh.sender.suggestion", "request_id", readonly=True
    )

    @api.depends("name")
    def _compute_name_warning(self):
        """Warn if a name says nothing of the company: operators block or replace it."""
        for request in self:
            name = re.sub(r"[0-9]+$", "", (request.name or "").lower())
            request.name_warning = name in const.GENERIC_SENDERS and self.env._(
                "“%s” says nothing of your company: French operators block such names,"
                " or show a number instead. Choose your company's or your brand's.",
                request.name,
            )

    def _open(self):
        self.ensure_one()
        return open_dialog(self.env._("Request a Sender"), self._name, self.id)

    def _check_name(self):
        """Refuse a name that OVHcloud would refuse.

        :raise UserError: saying what to change
        """
        self.ensure_one()
        name = self.name or ""
        if re.fullmatch(const.SENDER_REGEX, name, re.ASCII):
            return
        if not name:
            message = self.env._("Enter the sender that recipients are to see.")
        elif len(name) > const.MAX_SENDER_LENGTH:
            message = self.env._(
                "“%(name)s” is too long: a sender has at most %(max)s characters.",
                name=name,
                max=const.MAX_SENDER_LENGTH,
            )
        elif name.isascii() and name.isdigit():
            message = self.env._(
                "“%s” has digits only. Add a letter: a sender is a name.", name
            )
        else:
            message = self.env._(
                "“%s” cannot be a sender: it has letters without accents and digits"
                " only, no spaces.",
                name,
            )
        raise UserError(message)

    def _send_proof(self):
        """Send the proof along, if there is one.

        :return: why it was not taken, None if it was or there is none; the request
            itself stands in any case
        :rtype: str|None
        """
        self.ensure_one()
        if not self.proof:
            return None
        try:
            self.env["sms.ovh.sender"]._send_proof(
                self.account_id,
                self.name,
                self.proof_name or "",
                base64.b64decode(self.proof),
            )
        except UserError as error:
            return error.args[0]
        return None

    def action_request(self):
        """Ask OVHcloud for the sender.

        :raise UserError: if the name is not valid, the reason is missing, or OVHcloud
            refuses
        """
        self.ensure_one()
        self.check_access("write")
        account = self.account_id
        self._check_name()
        if not (self.reason or "").strip():
            raise UserError(
                self.env._("Enter the reason: OVHcloud's moderator decides by it.")
            )
        content = {
            "sender": self.name,
            "description": (self.description or "").strip(),
            "reason": self.reason.strip(),
        }
        sender = account._change_at_ovhcloud(
            lambda client: client.post(account._get_path("senders"), content),
            lambda client: client.get(account._get_path("senders", content["sender"])),
            content["sender"],
        )
        values = sender and self.env["sms.ovh.sender"]._read_values(sender)
        if values:
            self.env["sms.ovh.sender"]._adopt(account, values)
        if proof_failure := self._send_proof():
            return notify(
                self.env._(
                    "OVHcloud took the request of “%(name)s”. %(failure)s Send the proof"
                    " again from the sender's form.",
                    name=self.name,
                    failure=proof_failure,
                ),
                "warning",
            )
        if not sender:
            return notify(
                self.env._(
                    "OVHcloud took the request of “%s”. It is shown here once OVHcloud"
                    " can be read again.",
                    self.name,
                ),
                "warning",
            )
        if values["status"] == "enable":
            message = self.env._("“%s” is enabled: you can send with it.", self.name)
        else:
            message = self.env._(
                "OVHcloud checks “%s” within 72 hours. The account's followers are"
                " told of the outcome.",
                self.name,
            )
        return notify(message)


class SmsOvhSenderSuggestion(models.TransientModel):
    """A name that OVHcloud knows to belong to the customer."""

    _name = "sms.ovh.sender.suggestion"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Suggested OVHcloud Sender"

    _sms_ovh_guarded_links = {"request_id": "write"}

    request_id = fields.Many2one(
        "sms.ovh.sender.request", required=True, ondelete="cascade"
    )
    name = fields.Char(string="Sender", readonly=True)
    referer = fields.Selection(
        [
            ("domain", "Your domain name"),
            ("nichandle", "Your OVHcloud customer account"),
        ],
        string="Known From",
        readonly=True,
    )

    def action_use(self):
        """Put this name into the request."""
        self.ensure_one()
        self.check_access("write")
        request = self.request_id
        request.name = self.name
        if not request.reason:
            request.reason = self.env._(
                "Suggested by OVHcloud: %s.",
                dict(self._fields["referer"]._description_selection(self.env))[
                    self.referer
                ],
            )
        return request._open()


class SmsOvhSenderProof(models.TransientModel):
    """Sends OVHcloud a proof for a sender that is waiting, or was refused."""

    _name = "sms.ovh.sender.proof"
    _inherit = ["sms.ovh.guard.mixin"]
    _description = "Proof of an OVHcloud Sender"

    _sms_ovh_guarded_links = {"sender_id": "write"}

    sender_id = fields.Many2one(
        "sms.ovh.sender", required=True, readonly=True, ondelete="cascade"
    )
    proof = fields.Binary(
        required=True,
        attachment=False,
        help="What shows that the name is yours: an extract of the company register, or"
        " the certificate of a trade mark. PDF, PNG or JPEG.",
    )
    proof_name = fields.Char(string="Name of the Proof")
    description = fields.Char(help="What it is: OVHcloud's moderator reads it.")

    def action_send(self):
        """Send the proof.

        :raise UserError: if OVHcloud does not take it
        """
        self.ensure_one()
        self.check_access("write")
        self.sender_id.check_access("write")
        account = self.sender_id.account_id
        self.env["sms.ovh.sender"]._send_proof(
            account,
            self.sender_id.name,
            self.proof_name or "",
            base64.b64decode(self.proof or b""),
            (self.description or "").strip(),
        )
        return notify(
            self.env._("OVHcloud has the proof of “%s”.", self.sender_id.name)
        )

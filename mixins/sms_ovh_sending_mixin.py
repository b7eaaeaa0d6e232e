import re
from textwrap import shorten

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools.contact_information import find_contact_information

# Who writes it tells how to opt out.
STOP_REGEX = re.compile(r"\bSTOP\b")


class SmsOvhSendingMixin(models.AbstractModel):
    """Who sends what a user writes, and as what kind of SMS.

    Models that inherit it say which company sends, which text, and what else recipients
    can opt out by.
    """

    _name = "sms.ovh.sending.mixin"
    _inherit = ["sms.ovh.counter.mixin"]
    _description = "SMS Sender and Kind"

    sms_ovh_account_id = fields.Many2one("sms.ovh.account", string="OVHcloud Account")
    sms_ovh_kind = fields.Selection(const.KINDS, string="Kind")
    sms_ovh_sender_id = fields.Many2one("sms.ovh.sender", string="Sender")
    sms_ovh_sender_warning = fields.Char(
        string="About the Sender",
        compute="_compute_sms_ovh_sender_warning",
        compute_sudo=True,
    )
    sms_ovh_stop_missing = fields.Boolean(
        string="STOP Missing",
        compute="_compute_sms_ovh_sender_warning",
        compute_sudo=True,
        help="Recipients are not told how to opt out.",
    )

    def _sms_ovh_get_body(self):
        """Return the text as the user wrote it."""
        return self.body

    def _sms_ovh_has_opt_out_link(self):
        """Return whether a link by which recipients can opt out is added."""
        return False

    @api.depends("sms_ovh_sender_id", "sms_ovh_kind")
    def _compute_sms_ovh_sender_warning(self):
        """Say what the chosen sender cannot do for this text."""
        records = self.filtered("sms_ovh_sender_id")
        (self - records).sms_ovh_sender_warning = False
        (self - records).sms_ovh_stop_missing = False
        texts = records._sms_ovh_get_texts()
        for record in records:
            refusal = record._sms_ovh_get_contact_refusal(texts[record.id])
            advice = record._sms_ovh_get_opt_out_advice()
            record.sms_ovh_sender_warning = refusal or advice
            record.sms_ovh_stop_missing = bool(advice and not refusal)

    def _sms_ovh_get_contact_refusal(self, text):
        """Return why the short number cannot send this text, False where it can."""
        self.ensure_one()
        # sudo: the sender of the account that sends.
        sender_sudo = self.sms_ovh_sender_id.sudo()
        if sender_sudo.type != "shortcode" or not self._sms_ovh_is_sender_own():
            return False
        country_code = sender_sudo.company_id.country_id.code
        if not find_contact_information(text, country_code):
            return False
        found = find_contact_information(self._sms_ovh_get_body(), country_code)
        if not found:
            return self.env._(
                "From the short number OVHcloud takes no link, and the opt-out link is"
                " one. Turn it off, or choose another sender. Recipients can reply STOP"
                " to the short number: write so in the text."
            )
        others = sender_sudo.account_id.sender_ids.filtered(
            lambda sender: sender.status == "enable" and sender.type != "shortcode"
        )
        if others:
            return self.env._(
                "From the short number OVHcloud takes no link and no phone number, and"
                " this text has one: “%(found)s”. Take it out, or choose another sender:"
                " %(senders)s.",
                found=shorten(found, 60, placeholder="…"),
                senders=", ".join(others.mapped("display_name")),
            )
        return self.env._(
            "From the short number OVHcloud takes no link and no phone number, and this"
            " text has one: “%s”. Take it out, or have OVHcloud enable another sender.",
            shorten(found, 60, placeholder="…"),
        )

    def _sms_ovh_is_sender_own(self):
        """Return whether the sender is one of the account that sends."""
        # sudo: the account and its senders.
        record_sudo = self.sudo()
        return (
            record_sudo.sms_ovh_sender_id.account_id == record_sudo.sms_ovh_account_id
        )

    def _sms_ovh_get_opt_out_advice(self):
        """Return how recipients can opt out where no STOP clause is added, or False."""
        self.ensure_one()
        sender = self.sms_ovh_sender_id
        if (
            self.sms_ovh_kind != "marketing"
            or sender.has_stop_clause
            or self._sms_ovh_has_opt_out_link()
            or STOP_REGEX.search(self._sms_ovh_get_body() or "")
        ):
            return False
        return self.env._(
            "OVHcloud adds no STOP clause to SMS of “%s”, and the law asks for a way to"
            " opt out. Recipients can reply STOP to this sender: write so in the text.",
            sender.display_name,
        )

    def _sms_ovh_check_sendable(self):
        """Refuse what OVHcloud would refuse.

        :raise UserError: where a text is too long, or its sender cannot send it
        """
        self._sms_ovh_check_length()
        records = self.filtered("sms_ovh_sender_id")
        for record_id, text in records._sms_ovh_get_texts().items():
            record = records.browse(record_id)
            refusal = record._sms_ovh_get_contact_refusal(text)
            if refusal:
                raise UserError(refusal)
            # sudo: the sender of the account that sends.
            sender_sudo = record.sms_ovh_sender_id.sudo()
            if not record._sms_ovh_is_sender_own():
                raise UserError(
                    self.env._(
                        "This sender is not one of the account that sends. Choose"
                        " another one."
                    )
                )
            if sender_sudo.status != "enable" or not sender_sudo.active:
                raise UserError(
                    self.env._(
                        "OVHcloud does not take SMS from “%s” any more. Choose another"
                        " sender.",
                        sender_sudo.display_name,
                    )
                )

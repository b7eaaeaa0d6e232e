import re
from textwrap import shorten

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import const
from ..tools.contact_information import find_contact_information
from ..tools.gsm7_filling import ALL, write_gsm7
from ..tools.links import PLACEHOLDER, append_visitor, replace_links
from ..tools.sms_segments import (
    GSM7,
    GSM7_MULTI,
    MAX_SEGMENTS,
    UNICODE,
    UNICODE_MULTI,
    count_segments,
    is_blank,
)

PLACEHOLDER_REGEX = re.compile(PLACEHOLDER)
# A text that has this word tells recipients how to opt out.
STOP_REGEX = re.compile(r"\bSTOP\b")


def get_text_as_sent(text, placeholders=None, opt_out=False, gsm7=None):
    """Return a text as Odoo sends it, as far as its length is concerned.

    Its twin for the browser is ``static/src/components/sms_counter/text_as_sent.js``.

    :param str text: the text as written
    :param dict placeholders: ``link`` and ``unsubscribe``, as
        ``get_sms_link_replacements_placeholders`` of `mailing.mailing` gives them; None
        if links are sent as they are
    :param bool opt_out: whether the opt-out link is appended
    :param str|None gsm7: what is written in GSM-7, see :mod:`..tools.gsm7_filling`
    :return: the text, empty if it shows nothing to read: such a text is not sent
    :rtype: str
    """
    if is_blank(text):
        return ""
    if not placeholders:
        return write_gsm7(text, gsm7) if gsm7 == ALL else text
    link = placeholders["link"]
    base_url, __, code = link.rpartition("/r/")
    kept = (f"{base_url}/r/", f"{base_url}/sms/")
    text = replace_links(
        append_visitor(text, base_url, code.rpartition("/s/")[2]),
        lambda url: url if url.startswith(kept) else link,
    )
    if opt_out:
        text += placeholders["unsubscribe"]
    return write_gsm7(text, gsm7) if gsm7 == ALL else text


class SmsOvhTextFails(UserError):
    """A placeholder in a text cannot be filled for a record.

    :param str message: a sentence that names the record
    :param int res_id: the record's id
    """

    def __init__(self, message, res_id):
        super().__init__(message)
        self.res_id = res_id


class SmsOvhCounterMixin(models.AbstractModel):
    """Counts the text of an SMS: its encoding, its characters, its SMS parts.

    Models that inherit it define the text sent (``_sms_ovh_get_texts``) and redefine
    the three compute methods, with the fields that each depends on.
    """

    _name = "sms.ovh.counter.mixin"
    _description = "SMS Counter"

    sms_encoding = fields.Selection(
        [(GSM7, "GSM-7"), (UNICODE, "Unicode")],
        string="Encoding",
        compute="_compute_sms_segments",
        help="GSM-7 has 160 characters in an SMS. One character that it lacks makes the"
        " whole text Unicode, of 70 characters in an SMS.",
    )
    sms_units = fields.Integer(
        string="Characters",
        compute="_compute_sms_segments",
        help="Characters as the network counts them, the STOP clause included: some,"
        " such as € or an emoji, count twice.",
    )
    sms_segments = fields.Integer(
        string="Number of SMS",
        compute="_compute_sms_segments",
        help="SMS that OVHcloud charges for each recipient.",
    )
    sms_ovh_in_use = fields.Boolean(
        string="Sent with OVHcloud",
        compute="_compute_sms_ovh_in_use",
        compute_sudo=True,
    )
    sms_ovh_stop_counted = fields.Boolean(
        string="STOP Clause Sent",
        compute="_compute_sms_ovh_stop_counted",
        compute_sudo=True,
        help="The STOP clause is asked for, and the sender can carry it.",
    )

    def _sms_ovh_get_texts(self):
        """Return the text that each record sends, by the record's id."""
        return {record.id: record.body for record in self}

    def _compute_sms_segments(self):
        texts = self._sms_ovh_get_texts()
        for record in self:
            text = "" if is_blank(texts[record.id]) else texts[record.id]
            count = count_segments(text, record.sms_ovh_stop_counted)
            record.sms_encoding = count.encoding
            record.sms_units = count.units
            record.sms_segments = count.segments

    def _sms_ovh_check_length(self):
        """Refuse texts that OVHcloud would refuse.

        Placeholders may be filled with nothing: only a text that is too long without
        them is certainly too long. Each rendered text is checked again on sending.

        :raise UserError: if a text is empty or too long
        """
        records = self.filtered("sms_ovh_in_use")
        for record_id, text in records._sms_ovh_get_texts().items():
            record = records.browse(record_id)
            if is_blank(text):
                raise UserError(
                    self.env._(
                        "The text is empty: nobody could read anything of it. Write a"
                        " text and send it again."
                    )
                )
            text = PLACEHOLDER_REGEX.sub("", text or "")
            count = count_segments(text, record.sms_ovh_stop_counted)
            if count.segments > MAX_SEGMENTS:
                raise UserError(
                    self.env._(
                        "This text takes %(segments)s SMS: “%(text)s”. OVHcloud sends"
                        " at most %(max)s at a time, that is %(gsm7)s characters, or"
                        " %(unicode)s in Unicode. Shorten it and send it again.",
                        segments=count.segments,
                        text=shorten(text, 60, placeholder="…"),
                        max=MAX_SEGMENTS,
                        gsm7=MAX_SEGMENTS * GSM7_MULTI,
                        unicode=MAX_SEGMENTS * UNICODE_MULTI,
                    )
                )

    @api.depends_context("company")
    def _compute_sms_ovh_in_use(self):
        self.sms_ovh_in_use = bool(self.env.company.sms_ovh_account_id)

    def _compute_sms_ovh_stop_counted(self):
        self.sms_ovh_stop_counted = False


class SmsOvhSendingMixin(models.AbstractModel):
    """Sender and kind of the SMS that a user writes.

    Models that inherit it define which company sends, which text, and by what else
    recipients can opt out.
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
        """Warn of what the chosen sender cannot do for this text."""
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
        """Return why the short number cannot send this text, or False."""
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
        """Return whether the sender belongs to the account that sends."""
        # sudo: the account and its senders.
        record_sudo = self.sudo()
        return (
            record_sudo.sms_ovh_sender_id.account_id == record_sudo.sms_ovh_account_id
        )

    def _sms_ovh_get_opt_out_advice(self):
        """Return how recipients can opt out if no STOP clause is added, or False."""
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

        :raise UserError: if a text is empty or too long, or its sender cannot send it
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

import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import formataddr
from odoo.tools.constants import GC_UNLINK_LIMIT
from odoo.tools.mail import email_normalize

from .. import const
from ..tools.client_actions import open_dialog
from ..tools.phone_number import normalize_number
from ..tools.stop_keywords import DOUBT, STOP, is_keyword, read_reply
from ..tools.transaction import CONFLICTS

_logger = logging.getLogger(__name__)

# Where a number that is no contact's is looked for, where these models are installed.
RECORD_MODELS = ("crm.lead", "mailing.contact")


class SmsOvhReply(models.Model):
    """An SMS received from a recipient: who wrote it, on what, and who answers."""

    _name = "sms.ovh.reply"
    _inherit = ["sms.ovh.answer.mixin"]
    _description = "OVHcloud SMS Reply"
    _order = "received_at desc, id desc"
    _rec_name = "number"

    company_id = fields.Many2one(related="account_id.company_id", store=True)
    ovh_id = fields.Char(string="OVHcloud's ID", required=True, readonly=True)
    number = fields.Char(string="Phone Number", readonly=True)
    partner_id = fields.Many2one(
        "res.partner",
        string="Contact",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
    )
    contact_name = fields.Char(
        string="Name",
        compute="_compute_contact_name",
        compute_sudo=True,
        help="Of the contact, or of who is on the mailing list with this number.",
    )
    body = fields.Text(string="Text", readonly=True)
    tag = fields.Char(readonly=True)
    credits = fields.Float(
        string="SMS Charged",
        digits=(16, 2),
        readonly=True,
        help="Credits that OVHcloud took for this reply.",
    )
    res_model = fields.Char(string="Model of the Document", readonly=True)
    res_id = fields.Many2oneReference(
        string="Document's ID", model_field="res_model", readonly=True
    )
    message_id = fields.Many2one("mail.message", ondelete="set null", readonly=True)
    user_id = fields.Many2one(
        "res.users",
        string="Who Was Told",
        ondelete="set null",
        readonly=True,
    )
    is_stop = fields.Boolean(
        string="Opted Out",
        readonly=True,
        help="The text is one of the account's opt-out keywords, or says as much.",
    )
    seems_stop = fields.Boolean(
        string="Seems to Ask to Stop",
        readonly=True,
        help="The text may be a wish to get no more SMS: somebody has to decide.",
    )
    held_number = fields.Char(
        string="Number Held",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="In E.164: no marketing SMS go there until somebody has decided.",
    )
    is_start = fields.Boolean(
        string="Opted In Again",
        readonly=True,
        help="The text is one of the account's opt-in keywords, and the number gets SMS"
        " again.",
    )
    state = fields.Selection(
        [
            ("new", "To Answer"),
            ("answered", "Answered"),
            ("stop", "Opted Out"),
            ("start", "Opted In Again"),
            ("doubt", "Seems to Ask to Stop"),
        ],
        compute="_compute_state",
    )
    answered_at = fields.Datetime(string="Answered On", readonly=True, copy=False)
    answered_by_id = fields.Many2one(
        "res.users",
        ondelete="set null",
        readonly=True,
        copy=False,
    )

    _account_ovh_id_unique = models.Constraint(
        "unique(account_id, ovh_id)", "This reply is known already."
    )
    _record_idx = models.Index("(res_id, res_model) WHERE answered_at IS NULL")
    _number_unknown_idx = models.Index("(number) WHERE partner_id IS NULL")

    @api.depends("is_stop", "is_start", "held_number", "answered_at")
    def _compute_state(self):
        for reply in self:
            if reply.is_stop:
                reply.state = "stop"
            elif reply.is_start:
                reply.state = "start"
            elif reply.held_number:
                reply.state = "doubt"
            else:
                reply.state = "answered" if reply.answered_at else "new"

    @api.model_create_multi
    def create(self, vals_list):
        """Override to find out what these reply to, and to tell it there."""
        replies = super().create(vals_list)
        for account, own in replies.grouped("account_id").items():
            own._treat(account)
        return replies

    def unlink(self):
        """Override to have those not read again that OVHcloud still lists."""
        # sudo: for users who may delete replies.
        for account_sudo, replies in self.sudo().grouped("account_id").items():
            account_sudo._note_deleted_replies(replies)
        return super().unlink()

    @api.autovacuum
    def _gc_replies(self):
        """Delete old replies."""
        days = self._sms_ovh_get_parameter("keep_replies_days", const.KEEP_REPLIES_DAYS)
        limit = fields.Datetime.now() - timedelta(days=days)
        replies = self.search([("received_at", "<", limit)], limit=GC_UNLINK_LIMIT)
        replies.unlink()
        return len(replies), len(replies) == GC_UNLINK_LIMIT

    def _get_number(self):
        """Return the number of who wrote this, in E.164, or False.

        :rtype: str|bool
        """
        self.ensure_one()
        return normalize_number(self.number, self.company_id.country_id.code)

    # ------------------------------------------------------------
    # Whose it is
    # ------------------------------------------------------------

    def _treat(self, account):
        """Find out what these replies answer, opt out who asks for it, tell the others.

        :param account: `sms.ovh.account` of all of them
        """
        trackers = self._find_trackers(account)
        partners = self._find_partners()
        keywords = account.stop_keywords
        stops = []
        for reply, tracker in zip(self, trackers, strict=True):
            sent = tracker.sms_ovh_job_id.body
            verdict = read_reply(reply.body, keywords, sent)
            doubtful = verdict == DOUBT
            reply.write(
                {
                    **tracker._sms_ovh_prepare_answered(),
                    "is_stop": verdict == STOP,
                    "seems_stop": doubtful,
                    "held_number": doubtful and reply._get_number(),
                }
            )
            reply._find_record(tracker, partners.get(reply._get_number()))
            if reply.is_stop:
                stops.append((reply, tracker))
            else:
                reply._mark_trace()
        if stops:
            self.env["sms.ovh.stop"]._stop_by_keyword(stops)
        self._start(account)
        for reply in self:
            reply._tell_safely()

    def _find_trackers(self, account):
        """Return the `sms.tracker` of the SMS that each of these answers, or empty.

        :param account: `sms.ovh.account` of all of them
        :rtype: list
        """
        return account._find_answered(
            [
                {
                    "number": reply._get_number(),
                    "received_at": reply.received_at,
                    "tag": reply.tag,
                }
                for reply in self
            ],
            senders=account.with_context(active_test=False).sender_ids.filtered(
                "can_reply"
            ),
        )

    def _start(self, account):
        """Resume SMS to who asks for them: the last word of each number counts.

        :param account: `sms.ovh.account` of all of them
        """
        words = {}
        for reply in self.sorted("received_at"):
            starts = is_keyword(reply.body, account.start_keywords)
            if reply.is_stop or starts:
                words[reply._get_number()] = reply, starts and not reply.is_stop
        starting = self.browse(reply.id for reply, starts in words.values() if starts)
        if starting:
            self._release(reply._get_number() for reply in starting)
            self.env["sms.ovh.stop"]._start_by_keyword(starting)

    @api.depends("partner_id.name", "res_model", "res_id")
    def _compute_contact_name(self):
        """Name who replied: the contact, else the record with this number."""
        names = {}
        others = self.filtered(
            lambda reply: (
                not reply.partner_id and reply.res_id and reply.res_model in self.env
            )
        )
        for model, replies in others.grouped("res_model").items():
            records = self.env[model].browse(set(replies.mapped("res_id"))).exists()
            names.update(
                {(model, record.id): record.display_name for record in records}
            )
        for reply in self:
            reply.contact_name = (
                reply.partner_id.name
                or names.get((reply.res_model, reply.res_id))
                or False
            )

    def _find_partners(self):
        """Return the contact of each number, the newest where there are several.

        :rtype: dict[str, res.partner]
        """
        found = {}
        for company, replies in self.grouped("company_id").items():
            numbers = {reply._get_number() for reply in replies} - {False}
            for partner in self.env["res.partner"].search(
                [
                    ("phone_sanitized", "in", list(numbers)),
                    ("company_id", "in", [False, company.id]),
                ],
                order="id",
            ):
                found[partner.phone_sanitized] = partner
        return found

    def _find_record(self, tracker, partner):
        """Set on which record this reply is posted, and the contact who wrote it.

        The record that the SMS was about; the contact where there is none, or only a
        mailing list's; else a lead or a mailing list's contact with that number.

        :param tracker: `sms.tracker` of the SMS that it answers, or empty
        :param partner: `res.partner` of the number, or None
        """
        self.ensure_one()
        record = tracker._sms_ovh_get_record()
        number = self._get_number()
        if record is not None:
            contacts = (
                record if record._name == "res.partner" else self.env["res.partner"]
            )
            contacts |= record._mail_get_partners()[record.id]
            contacts |= tracker.mail_notification_id.res_partner_id
            # Who has this number, if several belong to the record.
            partner = (
                contacts.filtered(lambda contact: contact.phone_sanitized == number)[:1]
                or partner
                or (contacts if len(contacts) == 1 else None)
            )
        if record is None or not hasattr(record, "message_post"):
            record = None
        if partner and (record is None or record._name == "mailing.contact"):
            record = partner
        if record is None and number:
            record = self._search_record(number)
        self.write(
            {
                "partner_id": partner.id if partner else False,
                "res_model": record._name if record else False,
                "res_id": record.id if record else False,
            }
        )

    def _search_record(self, number):
        """Return the newest lead or mailing contact with this number, or None."""
        for model in RECORD_MODELS:
            if model not in self.env:
                continue
            domain = [("phone_sanitized", "=", number)]
            if "company_id" in self.env[model]._fields:
                domain.append(("company_id", "in", [False, self.company_id.id]))
            record = self.env[model].search(domain, order="id desc", limit=1)
            if record:
                return record
        return None

    def _get_record(self):
        """Return the record that this reply is posted on, or None."""
        self.ensure_one()
        if not self.res_id or self.res_model not in self.env:
            return None
        record = self.env[self.res_model].browse(self.res_id)
        return record if record.exists() else None

    def _mark_trace(self):
        """Count this reply for its campaign."""
        # sudo: statistics, whoever has the replies read.
        trace_sudo = self.trace_id.sudo()
        if trace_sudo:
            trace_sudo.set_replied()
            trace_sudo.reply_datetime = self.received_at

    # ------------------------------------------------------------
    # Who is told
    # ------------------------------------------------------------

    def _tell_safely(self):
        """Tell who answers for it; what fails must not keep all others from being read."""
        try:
            with self.env.cr.savepoint():
                self._tell()
        except CONFLICTS:
            raise  # all of it is tried again
        except Exception:
            _logger.exception(
                "OVHcloud SMS: reply %s is kept, but cannot be posted", self.id
            )

    def _tell(self):
        """Post this reply as its author's SMS where it belongs, and notify the user."""
        self.ensure_one()
        record = self._get_record()
        # Who opts out, or in again, does not expect an answer.
        silent = self.is_stop or self.is_start
        user = self.env["res.users"] if silent else self._get_user(record)
        self.user_id = user
        if self.held_number:
            self._ask_whether_stop(user)
        if record is not None:
            # The text is text: `message_post` escapes it.
            self.message_id = record.with_context(
                mail_post_autofollow_author_skip=True
            ).message_post(
                body=self.body or "",
                # Of type SMS only afterwards: Odoo sends those by SMS to whom it
                # notifies.
                message_type="comment",
                subtype_xmlid="mail.mt_comment",
                partner_ids=user.partner_id.ids,
                **self._get_author(record),
            )
            # sudo: whoever has the reply read.
            self.message_id.sudo().message_type = "sms"
        elif user and not self.held_number:
            self.env["mail.thread"].with_context(lang=user.lang).message_notify(
                model=self._name,
                res_id=self.id,
                subject=self.with_context(lang=user.lang).env._(
                    "SMS of %s", self.number
                ),
                body=self.body or "",
                partner_ids=user.partner_id.ids,
                **self._get_author(None),
            )

    def _ask_whether_stop(self, user):
        """Ask somebody to decide whether this asks for no more SMS.

        :param user: `res.users` who answers for this; the responsible of the account,
            or who connected it, where nobody does
        """
        # sudo: users of the account, whoever has the replies read.
        account_sudo = self.account_id.sudo()
        user = user or account_sudo.user_id or account_sudo.create_uid
        reply = self.with_context(lang=user.lang)
        self.env["mail.thread"].with_context(lang=user.lang).message_notify(
            model=self._name,
            res_id=self.id,
            subject=reply.env._("%s seems to ask to stop", self.number),
            body=reply.env._(
                "“%(text)s” (%(number)s) may be a wish to get no more SMS. No marketing"
                " SMS go there until somebody has decided: press “Opt Out” or “It Is No"
                " STOP” on the reply.",
                text=self.body or "",
                number=self.number,
            ),
            partner_ids=user.partner_id.ids,
            **self._get_author(None),
        )

    def _get_author(self, record):
        """Return the values by which a message has who wrote this as its author."""
        if self.partner_id:
            return {"author_id": self.partner_id.id}
        # A name to show, at an address that Odoo may send notifications from.
        email = email_normalize(self.company_id.email or "") or email_normalize(
            self.env.ref("base.partner_root").email or ""
        )
        name = self.number
        if record is not None:
            name = f"{record.display_name} ({self.number})"
        return {
            "author_id": False,
            "email_from": formataddr((name, email or "noreply@localhost")),
        }

    def _get_user(self, record):
        """Return the user who answers for this: of the record, the contact, the
        campaign, or the account.

        :rtype: res.users
        """
        candidates = self.env["res.users"]
        for source in (record, self.partner_id, self.mailing_id, self.account_id):
            if source and "user_id" in source._fields:
                # sudo: whoever it is.
                candidates |= source.sudo().user_id
        return candidates.sudo(False).filtered(
            lambda user: (
                user.active and not user.share and self.company_id in user.company_ids
            )
        )[:1]

    # ------------------------------------------------------------
    # Answering
    # ------------------------------------------------------------

    def _get_answer_sender(self):
        """Return the sender to answer as: one that the recipient can reply to.

        That of the SMS replied to, the account's default one, or any other; without
        one, the default.

        :rtype: sms.ovh.sender
        """
        self.ensure_one()
        # sudo: senders and jobs of the account, for whoever answers.
        account_sudo = self.account_id.sudo()
        job_sudo = self.env["sms.ovh.job"].sudo()
        if self.tag:
            job_sudo = job_sudo.search(
                [("tag", "=", self.tag), ("account_id", "=", account_sudo.id)]
            )
        default_sudo = account_sudo.default_sender_id
        candidates = job_sudo.sender_id | default_sudo | account_sudo.sender_ids
        return (
            candidates.filtered(
                lambda sender: (
                    sender.can_reply and sender.active and sender.status == "enable"
                )
            )[:1]
            or default_sudo
        ).sudo(False)

    def action_reply(self):
        """Open the composer to answer this."""
        self.ensure_one()
        number = self._get_number()
        if not number:
            raise UserError(
                self.env._(
                    "“%s” is no phone number, so nobody can answer it.", self.number
                )
            )
        record = self._get_record()
        if record is None or not record.has_access("write"):
            record = self
        return open_dialog(
            self.env._("Answer"),
            "sms.composer",
            default_composition_mode="comment",
            default_res_model=record._name,
            default_res_id=record.id,
            default_recipient_single_number_itf=number,
            default_sms_ovh_reply_id=self.id,
            default_sms_ovh_sender_id=self._get_answer_sender().id,
            default_sms_ovh_kind="transactional",
        )

    @api.model
    def _release(self, numbers, accounts=None):
        """Note that somebody decided on what these numbers wrote.

        :param numbers: in E.164
        :param accounts: `sms.ovh.account` that they wrote to, by default any
        """
        domain = [("held_number", "in", [number for number in numbers if number])]
        if accounts is not None:
            domain.append(("account_id", "in", accounts.ids))
        # sudo: users read replies, and decide on them.
        self.sudo().search(domain).held_number = False

    def action_opt_out(self):
        """Take these replies for a STOP."""
        self.check_access("read")
        self._release(self.mapped("held_number"))
        for account, replies in (
            self.filtered(lambda reply: not reply.is_stop).grouped("account_id").items()
        ):
            # sudo: users read replies, and decide on them.
            replies_sudo = replies.sudo()
            replies_sudo.is_stop = True
            self.env["sms.ovh.stop"]._stop_by_keyword(
                list(
                    zip(
                        replies_sudo,
                        replies_sudo._find_trackers(account.sudo()),
                        strict=True,
                    )
                )
            )

    def action_no_stop(self):
        """Let marketing SMS go to who wrote these: it is no STOP.

        What they wrote to accounts of other companies is for those to decide.
        """
        self.check_access("read")
        for account, replies in self.grouped("account_id").items():
            self._release(replies.mapped("held_number"), account)

    @api.model
    def _find_open(self, account, record):
        """Return the replies on this record that wait for an answer, the last one first.

        :param account: `sms.ovh.account` that answers
        :param record: what they are posted on
        """
        days = self._sms_ovh_get_parameter("answer_days", const.ANSWER_DAYS)
        return self.search(
            [
                ("account_id", "=", account.id),
                ("res_model", "=", record._name),
                ("res_id", "=", record.id),
                ("answered_at", "=", False),
                ("is_stop", "=", False),
                ("is_start", "=", False),
                ("received_at", ">", fields.Datetime.now() - timedelta(days=days)),
            ]
        )

    def _set_answered(self):
        """Write down that the user answers these."""
        # sudo: users read replies, and answer them.
        self.sudo().write(
            {"answered_at": fields.Datetime.now(), "answered_by_id": self.env.uid}
        )

    def action_open_record(self):
        """Open what this was posted on."""
        self.ensure_one()
        record = self._get_record()
        if record is None:
            raise UserError(self.env._("What this reply was about no longer exists."))
        return {
            "type": "ir.actions.act_window",
            "res_model": record._name,
            "res_id": record.id,
            "views": [(False, "form")],
        }

    def action_create_contact(self):
        """Open a new contact with this number; saved, it gets the replies."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("New Contact"),
            "res_model": "res.partner",
            "views": [(False, "form")],
            "target": "current",
            "context": {
                "default_phone": self._get_number() or self.number,
                "default_country_id": self.company_id.country_id.id,
                "sms_ovh_reply_id": self.id,
            },
        }

    def _adopt_partner(self, partner):
        """Give these replies, so far of an unknown number, to a new contact."""
        for reply in self:
            reply.partner_id = partner
            if not reply.res_id:
                reply.write({"res_model": partner._name, "res_id": partner.id})
                reply._tell_safely()

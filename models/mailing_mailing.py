from datetime import timedelta

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import split_every

from .. import const
from ..fields import UncheckedMany2one
from ..mixins.sms_ovh_counter_mixin import SmsOvhTextFails, get_text_as_sent
from ..tools import transaction
from ..tools.client_actions import notify
from ..tools.credits import format_credits
from ..tools.sms_segments import is_blank
from .sms_ovh_job import OPEN_STATES

# How long a transaction that writes an opt-out may take: write_date is its start.
OPT_OUT_MARGIN = timedelta(hours=1)
# Fields written by users that are evaluated or rendered later: by scheduled actions,
# which have all rights, or in front of other users.
EXPRESSION_FIELDS = frozenset(
    (
        "body_plaintext",
        "contact_list_ids",
        "mailing_domain",
        "mailing_filter_id",
        "mailing_model_id",
        "sms_template_id",
    )
)


class MailingMailing(models.Model):
    _name = "mailing.mailing"
    _inherit = ["mailing.mailing", "sms.ovh.sending.mixin", "sms.ovh.guard.mixin"]

    _sms_ovh_guarded_links = {
        "sms_ovh_company_id": "read",
        "sms_ovh_sender_id": "read",
    }

    sms_ovh_company_id = fields.Many2one(
        "res.company",
        string="Sending Company",
        default=lambda self: self.env.company,
        help="The company whose SMS account sends this campaign and pays for it.",
    )
    # The user with whose rights recipients and texts are evaluated, and the user who
    # asked to send it: empty if that was Odoo itself.
    sms_ovh_author_id = UncheckedMany2one(
        "res.users",
        string="Written By",
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
    )
    sms_ovh_asker_id = UncheckedMany2one(
        "res.users",
        string="Sent By",
        readonly=True,
        copy=False,
        groups=fields.NO_ACCESS,
    )
    sms_ovh_account_id = fields.Many2one(
        related="sms_ovh_company_id.sms_ovh_account_id",
        string="OVHcloud Account",
        related_sudo=True,
    )
    sms_ovh_kind = fields.Selection(
        const.KINDS,
        string="Kind",
        compute="_compute_sms_ovh_kind",
        store=True,
        readonly=False,
        help="Marketing: with the STOP clause, and not in quiet hours."
        " Transactional: what recipients need to know of an order or an"
        " appointment, at any time and without the clause.",
    )
    sms_ovh_sender_id = fields.Many2one(
        "sms.ovh.sender",
        string="Sender",
        compute="_compute_sms_ovh_sender_id",
        store=True,
        readonly=False,
        domain="[('account_id', '=', sms_ovh_account_id), ('status', '=', 'enable')]",
        help="Who the SMS come from. Only senders that OVHcloud has enabled can be"
        " chosen. Recipients can reply to the short number.",
    )
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        compute="_compute_sms_ovh_stop_clause",
        store=True,
        help="OVHcloud adds a line by which recipients can opt out: 11 characters more."
        " The law asks for a way to opt out of marketing SMS. With the clause, OVHcloud"
        " holds SMS back outside its hours: Monday to Saturday, 8:00 to 20:00, not on"
        " public holidays, French time.",
    )
    sms_ovh_gsm7 = fields.Selection(
        const.GSM7_CHOICES,
        string="Write in GSM-7 what has an equivalent",
        compute="_compute_sms_ovh_gsm7",
        store=True,
        readonly=False,
        help="One letter that GSM-7 lacks, as the ï of a name, makes an SMS Unicode, of 70"
        " characters instead of 160. Written as i, the SMS may take half as many. Links"
        " are never changed, nor texts that stay Unicode all the same.",
    )
    sms_encoding = fields.Selection(store=True)
    sms_units = fields.Integer(store=True, aggregator=None)
    sms_segments = fields.Integer(store=True, aggregator=None)

    sms_has_insufficient_credit = fields.Boolean(compute="_compute_sms_ovh_iap_failure")
    sms_has_unregistered_account = fields.Boolean(
        compute="_compute_sms_ovh_iap_failure"
    )

    sms_ovh_last_link = fields.Char(
        string="Link of the Last Recipient", compute="_compute_sms_ovh_last_link"
    )
    sms_ovh_credit_warning = fields.Char(
        string="SMS Missing", compute="_compute_sms_ovh_credit_warning"
    )
    # Counted once for all who watch: this takes longer than everything else shown.
    sms_ovh_recipient_count = fields.Integer(
        string="Recipients to Treat", readonly=True, copy=False
    )
    sms_ovh_composed_count = fields.Integer(
        string="Recipients Treated", readonly=True, copy=False
    )
    # Some recipients have no SMS yet. However much was sent, the campaign is not done:
    # nothing would continue a campaign that is.
    sms_ovh_composing = fields.Boolean(
        string="Being Composed", readonly=True, copy=False
    )

    @api.depends("sms_ovh_company_id", "mailing_type")
    def _compute_sms_ovh_kind(self):
        """Default to the company's kind of campaigns; keep what somebody chose."""
        for mailing in self:
            if mailing.mailing_type != "sms":
                mailing.sms_ovh_kind = False
            elif not mailing.sms_ovh_kind:
                company = mailing.sms_ovh_company_id or self.env.company
                mailing.sms_ovh_kind = company.sms_ovh_campaign_kind

    @api.depends("sms_ovh_company_id", "mailing_type")
    def _compute_sms_ovh_gsm7(self):
        """Default to the company's setting; keep what somebody chose."""
        for mailing in self:
            if mailing.mailing_type != "sms":
                mailing.sms_ovh_gsm7 = False
            elif not mailing.sms_ovh_gsm7:
                company = mailing.sms_ovh_company_id or self.env.company
                mailing.sms_ovh_gsm7 = company.sms_ovh_gsm7

    @api.depends(
        "sms_ovh_company_id.sms_ovh_account_id.default_sender_id", "mailing_type"
    )
    def _compute_sms_ovh_sender_id(self):
        """Default to the account's sender; keep the sender of what was sent."""
        for mailing in self:
            # sudo: the sender of the account that sends.
            account = mailing.sudo().sms_ovh_account_id
            if mailing.mailing_type != "sms" or not account:
                mailing.sms_ovh_sender_id = False
            elif mailing.state in ("sending", "done") and mailing.sms_ovh_sender_id:
                mailing.sms_ovh_sender_id = mailing.sms_ovh_sender_id
            elif mailing.sms_ovh_sender_id.account_id != account:
                mailing.sms_ovh_sender_id = account.default_sender_id

    @api.depends("sms_ovh_kind", "sms_ovh_sender_id.has_stop_clause")
    def _compute_sms_ovh_stop_clause(self):
        for mailing in self:
            mailing.sms_ovh_stop_clause = (
                mailing.sms_ovh_kind == "marketing"
                and mailing.sms_ovh_sender_id.has_stop_clause
            )

    @api.constrains("sms_ovh_sender_id")
    def _check_sms_ovh_sender_id(self):
        for mailing in self.sudo():
            sender = mailing.sms_ovh_sender_id
            if sender and sender.account_id != mailing.sms_ovh_account_id:
                raise ValidationError(
                    self.env._(
                        "This is a sender of another account. Choose one of the account"
                        " that sends this campaign."
                    )
                )

    @api.constrains("sms_ovh_company_id", "mailing_type")
    def _check_sms_ovh_company_id(self):
        for mailing in self:
            if mailing.mailing_type == "sms" and not mailing.sms_ovh_company_id:
                raise ValidationError(
                    self.env._("Choose the company that sends this campaign.")
                )

    # ------------------------------------------------------------
    # Author and rights
    # ------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        """Override to keep who wrote the campaign, and who asked to send it."""
        mailings = super().create(vals_list)
        for mailing, vals in zip(mailings, vals_list, strict=True):
            mailing._sms_ovh_keep_hands(EXPRESSION_FIELDS, vals.get("state"))
        return mailings

    def write(self, vals):
        """Override to keep who wrote the campaign, and who asked to send it.

        Nobody can queue a campaign that OVHcloud would refuse. A campaign whose SMS are
        still to leave is not marked done. A campaign that is archived while it is sent
        is called back. Users who watch are told when one starts, ends or waits.
        """
        if vals.get("state") == "in_queue":
            self._sms_ovh_check_rights()
            self._sms_ovh_check_sendable()
        if "active" in vals and not vals["active"]:
            self._sms_ovh_stop_archived()
        waiting = self.browse()
        if vals.get("state") == "done":
            waiting = self._sms_ovh_filter_waiting()
        if waiting:
            vals_waiting = {
                name: value
                for name, value in vals.items()
                if name not in ("state", "sent_date", "kpi_mail_required")
            }
            super(MailingMailing, waiting).write(vals_waiting)
        result = super(MailingMailing, self - waiting).write(vals)
        self._sms_ovh_keep_hands(vals, vals.get("state"))
        if "sms_ovh_company_id" in vals or "mailing_type" in vals:
            # Also for what the campaign was before, which its links do not show.
            self._sms_ovh_check_defaults()
        if not vals.keys().isdisjoint(
            ("state", "sms_ovh_paused", "sms_ovh_cancel_state")
        ):
            self.filtered(
                lambda mailing: (
                    mailing.mailing_type == "sms" and mailing._sms_ovh_is_in_charge()
                )
            )._sms_ovh_announce_progress()
        return result

    def _sms_ovh_stop_archived(self):
        """Call back campaigns archived while they are sent, and tell the user."""
        stopped = self.filtered(
            lambda mailing: (
                mailing.sms_ovh_can_cancel
                or (mailing.state == "in_queue" and mailing.sms_ovh_composed_count)
            )
        )
        notification = stopped.action_sms_ovh_cancel() if stopped else None
        if notification:
            self.env.user._bus_send(
                "simple_notification",
                {"type": "warning", "message": notification["params"]["message"]},
            )

    def _sms_ovh_keep_hands(self, names, state):
        """Record who wrote these fields, unless that was Odoo itself.

        :param names: names of the fields
        :param str|None state: the campaign's new state
        """
        values = {}
        if self.env.uid == SUPERUSER_ID:
            return
        if not EXPRESSION_FIELDS.isdisjoint(names):
            values["sms_ovh_author_id"] = self.env.uid
        if state in ("in_queue", "sending"):
            values["sms_ovh_asker_id"] = self.env.uid
        if values:
            # sudo: users cannot write these fields themselves.
            self.sudo().write(values)

    def copy_data(self, default=None):
        """Override to keep the author where Odoo copies, as an A/B test's winner."""
        vals_list = super().copy_data(default)
        if self.env.uid == SUPERUSER_ID:
            for mailing, vals in zip(self, vals_list, strict=True):
                vals["sms_ovh_author_id"] = mailing.sms_ovh_author_id.id
                vals["sms_ovh_asker_id"] = mailing.sms_ovh_asker_id.id
        return vals_list

    def _sms_ovh_with_user(self, user):
        """Return this campaign with a user's rights, in all of the user's companies.

        The sending company comes first: its country is assumed for numbers without one.

        :raise AccessError: if the user does not belong to the sending company
        """
        self.ensure_one()
        company = self.sudo().sms_ovh_company_id or user.sudo().company_id
        if user.id == SUPERUSER_ID:
            # pylint: disable-next=context-overridden
            return self.with_user(user).with_context({}).with_company(company)
        # sudo: the companies of a user.
        companies = user.sudo().company_ids
        if not user.exists() or company not in companies:
            raise self._sms_ovh_get_access_error(user)
        # Nothing that the user's screen put into the context may have an effect.
        # pylint: disable-next=context-overridden
        return self.with_user(user).with_context(
            {"allowed_company_ids": (company | companies).ids}
        )

    def _sms_ovh_get_access_error(self, user):
        return AccessError(
            self.env._(
                "“%(campaign)s” is not sent: %(user)s, who wrote it or asked to send it,"
                " may not send for the campaign's company. Have somebody who may write"
                " its text and recipients again, and send it.",
                campaign=self.sudo().subject,
                user=user.exists().sudo().name or self.env._("a deleted user"),
            )
        )

    def _sms_ovh_with_author(self):
        """Return this campaign with its author's rights.

        If Odoo itself wrote it, the rights are those of the environment's user.

        :raise AccessError: if that user no longer belongs to the sending company
        """
        author = self._sms_ovh_get_author_sudo().sudo(False)
        return self._sms_ovh_with_user(author or self.env.user)

    def _sms_ovh_get_author_sudo(self):
        """Return who wrote this campaign, or nobody if Odoo itself did.

        For campaigns from before this was recorded, that is who created them.

        :rtype: res.users
        """
        self.ensure_one()
        # sudo: no user may read who wrote it.
        mailing_sudo = self.sudo()
        author_sudo = mailing_sudo.sms_ovh_author_id or mailing_sudo.create_uid
        return author_sudo.filtered(lambda user: user.id != SUPERUSER_ID)

    def _sms_ovh_check_rights(self):
        """Refuse to send if the author, or the user who asks, may not send it.

        :raise AccessError: naming that user
        """
        for mailing in self:
            # sudo: users who may send SMS need not be allowed to see the account.
            mailing_sudo = mailing.sudo()
            if mailing.mailing_type != "sms" or not mailing_sudo.sms_ovh_account_id:
                continue
            mailing._sms_ovh_check_users(self.env.user)
            # In any order: sorting a large list to see one record takes time.
            mailing._sms_ovh_search_recipients("search_count", limit=1)

    def _sms_ovh_check_users(self, users):
        """Refuse to send if the author, or the user who asked, no longer may.

        :param users: further `res.users` to check
        :raise AccessError: naming that user
        """
        self.ensure_one()
        # sudo: no user may read who asked for it.
        users |= self._sms_ovh_get_author_sudo() | self.sudo().sms_ovh_asker_id
        for user in users.sudo(False):
            if not self._sms_ovh_with_user(user).has_access("write"):
                raise self._sms_ovh_get_access_error(user)

    def _sms_ovh_get_refusal(self):
        """Return why SMS of this campaign may no longer leave, or None.

        :rtype: str|None
        """
        try:
            self._sms_ovh_check_users(self.env["res.users"])
        except AccessError as error:
            return error.args[0]
        return None

    def _sms_ovh_search_recipients(self, method="search", **options):
        """Return the recipients of the campaign that its author may see.

        :param str method: the model's method to search with
        :param options: arguments of that method
        :raise AccessError: if the domain asks for what the author may not see
        """
        self.ensure_one()
        model = self.mailing_model_real
        theirs = self._sms_ovh_with_author()
        # sudo: the domain itself.
        domain = self.sudo()._get_recipients_domain()
        return getattr(theirs.env[model], method)(domain, **options)

    @api.model
    def _process_mass_mailing_queue(self):
        """Override of `mass_mailing` to take back what may no longer leave."""
        if not self.env["res.company"]._sms_ovh_is_used():
            return super()._process_mass_mailing_queue()
        due = self.search(
            [
                ("state", "in", ("in_queue", "sending")),
                ("mailing_type", "=", "sms"),
                "|",
                ("schedule_date", "<", fields.Datetime.now()),
                ("schedule_date", "=", False),
            ]
        )
        for mailing in due:
            if not mailing.sms_ovh_company_id:
                # The company was deleted.
                user = mailing.sms_ovh_asker_id or mailing.sms_ovh_author_id
                company = user.exists().company_id or self.env.company
                mailing.sms_ovh_company_id = company
            try:
                mailing._sms_ovh_check_rights()
            except AccessError as error:
                mailing._sms_ovh_take_back(error.args[0])
        return super()._process_mass_mailing_queue()

    def _sms_ovh_take_back(self, reason):
        """Reset a campaign that cannot be sent to draft, and say so in its chatter."""
        self.write({"state": "draft", "sms_ovh_composing": False})
        self._message_log(
            body=self.env._(
                "Sending was stopped, and the campaign is a draft again. %s", reason
            )
        )

    @api.depends("sms_ovh_company_id.sms_ovh_account_id")
    def _compute_sms_ovh_in_use(self):
        for mailing in self:
            mailing.sms_ovh_in_use = mailing.sms_ovh_company_id.sms_ovh_account_id

    @api.depends("sms_ovh_stop_clause")
    def _compute_sms_ovh_stop_counted(self):
        for mailing in self:
            mailing.sms_ovh_stop_counted = mailing.sms_ovh_stop_clause

    @api.depends(
        "body_plaintext",
        "mailing_type",
        "state",
        "sms_allow_unsubscribe",
        "user_id",
        "mailing_model_id",
        "mailing_domain",
        "contact_list_ids",
    )
    def _compute_sms_ovh_sender_warning(self):
        sms_mailings = self.filtered(
            lambda mailing: (
                mailing.mailing_type == "sms" and mailing.state in ("draft", "in_queue")
            )
        )
        (self - sms_mailings).sms_ovh_sender_warning = False
        (self - sms_mailings).sms_ovh_stop_missing = False
        return super(MailingMailing, sms_mailings)._compute_sms_ovh_sender_warning()

    def action_sms_ovh_add_stop(self):
        """Add to the text that recipients can opt out by a reply, where they can."""
        self.check_access("write")
        for mailing in self.filtered("sms_ovh_stop_missing"):
            # sudo: the language of a user.
            lang = (mailing.user_id or self.env.user).sudo().lang
            line = self.with_context(lang=lang).env._("Opt out: reply STOP")
            body = (mailing.body_plaintext or "").rstrip()
            mailing.body_plaintext = f"{body}\n{line}"
        return True

    @api.onchange("sms_template_id")
    def _onchange_sms_template_id(self):
        """Take over the template's settings, as far as it has any."""
        # sudo: users who may write campaigns need not be allowed to see all templates.
        template_sudo = self.sudo().sms_template_id
        if template_sudo.sms_ovh_kind:
            self.sms_ovh_kind = template_sudo.sms_ovh_kind
        if template_sudo.sms_ovh_gsm7:
            self.sms_ovh_gsm7 = template_sudo.sms_ovh_gsm7
        sender_sudo = template_sudo.sms_ovh_sender_id
        if sender_sudo and sender_sudo.account_id == self.sudo().sms_ovh_account_id:
            self.sms_ovh_sender_id = sender_sudo.sudo(False)

    def action_sms_ovh_save_template(self):
        """Save the text, and how it is sent, as a template of the user's own."""
        self.ensure_one()
        self.check_access("read")
        if is_blank(self.body_plaintext):
            raise UserError(
                self.env._("There is no text yet: write one, then keep it.")
            )
        template = self.env["sms.template"].create(
            {
                "name": self.subject,
                "model_id": self.env["ir.model"]._get_id(self.mailing_model_real),
                "body": self.body_plaintext,
                "sms_ovh_kind": self.sms_ovh_kind,
                "sms_ovh_sender_id": self.sms_ovh_sender_id.id,
                "sms_ovh_gsm7": self.sms_ovh_gsm7,
            }
        )
        return notify(
            self.env._(
                "Kept as the template “%s”: campaigns can start from it.",
                template.name,
            ),
            then=None,
        )

    def action_sms_ovh_test(self):
        """Open the dialog that sends a test SMS to oneself."""
        return {**self.action_test(), "name": self.env._("Send a Test SMS")}

    def _sms_ovh_get_body(self):
        return self.body_plaintext

    def _sms_ovh_has_opt_out_link(self):
        return self.sms_allow_unsubscribe

    def _sms_ovh_get_opt_out_advice(self):
        """Override to advise the opt-out link where the STOP clause is of no use.

        Its number is a French short code, which nobody abroad can write to.
        """
        advice = super()._sms_ovh_get_opt_out_advice()
        if (
            advice
            or not self.sms_ovh_stop_clause
            or self.sms_allow_unsubscribe
            or not self._sms_ovh_has_recipients_abroad()
        ):
            return advice
        return self.env._(
            "Some recipients are outside France: the STOP clause names a French short"
            " number, which they cannot write to. Turn on the opt-out link for them; the"
            " count under the text includes it."
        )

    def _sms_ovh_has_recipients_abroad(self):
        """Return whether a recipient's number is certainly not of mainland France."""
        self.ensure_one()
        if not self.mailing_model_real:
            return False
        # Only what the user may see, although the field is computed with all rights.
        mailing = self.sudo(False)
        Model = mailing.env[self.mailing_model_real]
        if "phone_sanitized" not in Model._fields or not Model.has_access("read"):
            return False
        abroad = Domain("phone_sanitized", "=like", "+%") & ~Domain(
            "phone_sanitized", "=like", "+33%"
        )
        domain = mailing._get_recipients_domain() & abroad
        return bool(Model.search(domain, limit=1))

    @api.depends(
        "state",
        "mailing_type",
        "sms_segments",
        "mailing_model_id",
        "mailing_domain",
        "contact_list_ids",
        "ab_testing_enabled",
        "ab_testing_pc",
        "sms_ovh_company_id.sms_ovh_account_id.credits_left",
        "sms_ovh_company_id.sms_ovh_account_id.auto_recharge",
        "sms_ovh_company_id.sms_ovh_account_id.default_api_user_id.quota_left",
        "sms_ovh_estimate_ids.state",
        "sms_ovh_estimate_ids.credits",
    )
    def _compute_sms_ovh_credit_warning(self):
        """Warn before sending of what the credits left cannot pay for.

        The figures come from the estimate while it holds. Otherwise they are rough:
        numbers may be missing, double or abroad, where one SMS costs more.
        """
        self.sms_ovh_credit_warning = False
        for mailing in self:
            if mailing._sms_ovh_is_estimated():
                mailing.sms_ovh_credit_warning = mailing._sms_ovh_get_missing_sentence()
                continue
            # sudo: the SMS left of the account that sends.
            account = mailing.sudo().sms_ovh_account_id
            if (
                mailing.mailing_type != "sms"
                or mailing.state not in ("draft", "in_queue")
                or not account.last_sync
            ):
                continue
            left = account._get_credits_to_spend()
            if left is None:
                continue
            try:
                count = mailing._sms_ovh_count_recipients()
            except AccessError as error:
                mailing.sms_ovh_credit_warning = error.args[0]
                continue
            factor = const.SENDER_CREDITS.get(mailing.sms_ovh_sender_id.type, 1)
            needed = count * (mailing.sms_segments or 1) * factor
            if needed > left:
                mailing.sms_ovh_credit_warning = self.env._(
                    "SMS that this campaign takes, about: %(needed)s (recipients:"
                    " %(recipients)s); left: %(left)s. What they cannot pay for waits"
                    " until somebody buys a pack at OVHcloud.",
                    needed=needed,
                    recipients=count,
                    left=format_credits(self.env, left),
                )

    def _sms_ovh_count_recipients(self):
        """Return roughly how many recipients this campaign has, by one quick query."""
        self.ensure_one()
        if not self.mailing_model_real:
            return 0
        theirs = self._sms_ovh_with_author()
        # sudo: the domain itself.
        count = theirs.env[self.mailing_model_real].search_count(
            self.sudo()._get_recipients_domain()
        )
        if self.ab_testing_enabled and not self.ab_testing_is_winner_mailing:
            return int(count / 100.0 * self.ab_testing_pc)
        return count

    @api.depends(
        "body_plaintext",
        "mailing_type",
        "sms_allow_unsubscribe",
        "sms_ovh_stop_counted",
        "sms_ovh_gsm7",
        "user_id",
    )
    def _compute_sms_segments(self):
        """Count the text with its links and its opt-out link as they will be sent.

        A sent campaign keeps its figures, whichever sender the account has afterwards.
        """
        sms_mailings = self.filtered(lambda mailing: mailing.mailing_type == "sms")
        others = self - sms_mailings
        others.sms_encoding = False
        others.sms_units = others.sms_segments = 0
        kept = sms_mailings.filtered(
            lambda mailing: mailing.state == "done" and mailing.sms_segments
        )
        for mailing in kept:
            mailing.sms_encoding = mailing.sms_encoding
            mailing.sms_units = mailing.sms_units
            mailing.sms_segments = mailing.sms_segments
        return super(MailingMailing, sms_mailings - kept)._compute_sms_segments()

    def _sms_ovh_get_texts(self):
        placeholders = {}
        texts = {}
        for mailing in self:
            # All that the lengths depend on, so that a list view asks only a few times.
            key = len(str(mailing._origin.id)), mailing.user_id.lang
            if key not in placeholders:
                # In an onchange, the record that the form shows: as the widget does.
                placeholders[key] = (
                    mailing._origin.get_sms_link_replacements_placeholders()
                )
            texts[mailing.id] = get_text_as_sent(
                mailing.body_plaintext,
                placeholders[key],
                opt_out=mailing.sms_allow_unsubscribe,
                gsm7=mailing.sms_ovh_in_use and mailing.sms_ovh_gsm7,
            )
        return texts

    def get_sms_link_replacements_placeholders(self):
        """Override of `mass_mailing_sms` to read the opt-out text as it is sent.

        It is sent in the language of the campaign's responsible user. Core also
        overestimates the length of links: it assumes an SMS id of five digits and a
        code longer than the last one, while codes begin with the shortest there is.
        """
        # sudo: the language of a user, and the account of the company that sends.
        self_sudo = self.sudo()
        company_sudo = self_sudo.sms_ovh_company_id or self_sudo.env.company
        if not company_sudo.sms_ovh_account_id:
            return super().get_sms_link_replacements_placeholders()
        user_sudo = self_sudo.user_id or self_sudo.env.user
        mailing = self.with_context(lang=user_sudo.lang)
        placeholders = super(
            MailingMailing, mailing
        ).get_sms_link_replacements_placeholders()
        placeholders["link"] = self._sms_ovh_get_link(self._sms_ovh_get_next_id())
        return placeholders

    @api.model
    def _sms_ovh_get_link(self, sms_id):
        """Return a short link as long as one in the SMS with this id.

        :param int sms_id: id of an SMS
        :rtype: str
        """
        code = "x" * self.env["mail.render.mixin"]._sms_ovh_get_code_length()
        visitor = "x" * len(str(sms_id))
        return f"{self.env['link.tracker'].get_base_url()}/r/{code}/s/{visitor}"

    @api.depends(
        "mailing_type",
        "mailing_model_id",
        "mailing_domain",
        "contact_list_ids",
        "sms_ovh_in_use",
    )
    def _compute_sms_ovh_last_link(self):
        """Show how long the last recipient's links are: they hold the id of the SMS."""
        self.sms_ovh_last_link = False
        next_id = self._sms_ovh_get_next_id()
        for mailing in self.filtered("sms_ovh_in_use"):
            if mailing.mailing_type == "sms":
                # At least one: the count is -1 where recipients may not be read.
                last_id = next_id + max(mailing._sms_ovh_count_seen(), 1) - 1
                mailing.sms_ovh_last_link = self._sms_ovh_get_link(last_id)

    def action_schedule(self):
        """Override of `mass_mailing` to refuse before the dialog asks for a date."""
        self._sms_ovh_check_rights()
        self._sms_ovh_check_sendable()
        return super().action_schedule()

    def _sms_ovh_check_length(self):
        """Override to bring the figures up to date: ids and codes grow longer."""
        sms_mailings = self.filtered(lambda mailing: mailing.mailing_type == "sms")
        for name in ("sms_encoding", "sms_units", "sms_segments"):
            self.env.add_to_compute(self._fields[name], sms_mailings)
        return super(MailingMailing, sms_mailings)._sms_ovh_check_length()

    @api.depends("mailing_trace_ids.failure_type", "sms_ovh_company_id")
    def _compute_sms_ovh_iap_failure(self):
        """Compute as Odoo does, except for OVHcloud, which needs no Odoo credits."""
        ovh_mailings = self.filtered("sms_ovh_account_id")
        ovh_mailings.sms_has_insufficient_credit = False
        ovh_mailings.sms_has_unregistered_account = False
        (self - ovh_mailings)._compute_sms_has_iap_failure()

    # ------------------------------------------------------------
    # Composing
    # ------------------------------------------------------------

    def action_send_sms(self, res_ids=None):
        """Override of `mass_mailing_sms` to compose a campaign in slices.

        Core composes for all recipients at once, which fails above some 13,000 and
        takes ever longer for each. The cron commits every slice: if it is killed, it
        continues with the recipients who have no SMS yet. Nothing is composed for a
        stopped campaign.
        """
        self = self.filtered(lambda mailing: not mailing._sms_ovh_is_stopped())
        self.check_access("write")
        others = self.filtered(lambda mailing: not mailing.sms_ovh_account_id)
        if others:
            super(MailingMailing, others).action_send_sms(res_ids=res_ids)
        for mailing in self - others:
            # Their rights on what the domain asks for are checked below, on reading it.
            mailing._sms_ovh_check_users(self.env.user)
        if not res_ids:
            # Queued campaigns were checked before.
            (self - others).filtered(
                lambda mailing: mailing.state == "draft"
            )._sms_ovh_check_sendable()
        for mailing in self - others:
            if res_ids and mailing.state in ("draft", "done"):
                # Only to these, as automations send: nothing composes the rest.
                mailing._sms_ovh_compose(list(res_ids), again=True)
                continue
            ids = res_ids or mailing._get_remaining_recipients()
            if not ids:
                continue
            if mailing.state == "draft":
                mailing.state = "sending"
            mailing._sms_ovh_compose_slices(ids)
        return True

    def _sms_ovh_compose_slices(self, res_ids):
        """Create the SMS of this campaign, one slice of recipients after the other.

        :param list res_ids: ids of records of the campaign's model
        """
        self.ensure_one()
        # sudo: nobody writes these figures by hand.
        self_sudo = self.sudo()
        self_sudo.sms_ovh_recipient_count = self.sms_ovh_composed_count + len(res_ids)
        slices = list(split_every(const.COMPOSE_SLICE, res_ids))
        while slices:
            slice_ids = slices.pop(0)
            if self.sms_ovh_composing != bool(slices):
                self_sudo.sms_ovh_composing = bool(slices)
            try:
                self._sms_ovh_compose(list(slice_ids))
            except SmsOvhTextFails as failure:
                if not transaction.owns(self.env):
                    raise
                # Nobody reads what the cron raises, and no other campaign would
                # leave until this one is fixed.
                self._sms_ovh_take_back(failure.args[0])
                self._sms_ovh_commit_slice()
                break
            if not slices and self.sms_ovh_composed_count > len(slice_ids):
                self._sms_ovh_end_composed()
            if not self._sms_ovh_commit_slice():
                break

    def _sms_ovh_end_composed(self):
        """Mark the campaign done if its last slice made no SMS and the rest is sent."""
        self.ensure_one()
        queued = self.env["sms.sms"].search_count(
            [("mailing_id", "=", self.id), ("state", "=", "outgoing")], limit=1
        )
        if not queued:
            self._sms_ovh_end_sent()

    def _sms_ovh_compose(self, res_ids, again=False):
        """Create the SMS of one slice of recipients.

        :param list res_ids: ids of records of the campaign's model
        :param bool again: whether those who already got an SMS get another, every time
        """
        self.ensure_one()
        if again:
            self._sms_ovh_create(res_ids, sms_ovh_again=True)
            return
        # Written first: if two processes compose the same campaign at once, the second
        # conflicts here, before it can create a second SMS for anybody.
        # sudo: nobody writes this figure by hand.
        self.sudo().sms_ovh_composed_count += len(res_ids)
        self.flush_recordset(["sms_ovh_composed_count"])
        traces = self.env["mailing.trace"].search_fetch(
            [
                ("mass_mailing_id", "=", self.id),
                ("trace_type", "=", "sms"),  # as the index has it
                ("model", "=", self.mailing_model_real),
                ("res_id", "in", res_ids),
                ("is_test_trace", "=", False),
            ],
            ["res_id"],
        )
        done = set(traces.mapped("res_id"))
        res_ids = [res_id for res_id in res_ids if res_id not in done]
        if res_ids:
            self._sms_ovh_create(res_ids)

    def _sms_ovh_create(self, res_ids, **context):
        """Create the SMS of these recipients with core's composer.

        :param list res_ids: ids of records of the campaign's model
        :param context: for the composer, see :meth:`sms.composer._get_done_record_ids`
        """
        composer = (
            self.env["sms.composer"]
            # Numbers without a country are read as those of the company that sends.
            .with_company(self.sms_ovh_company_id or self.env.company)
            .with_context(active_id=False, **context)
            .create(self._sms_ovh_prepare_composer_values(res_ids))
        )
        with composer._sms_ovh_naming_failure(composer._get_records()):
            composer._action_send_sms()

    def _sms_ovh_prepare_composer_values(self, res_ids):
        """Return the composer's values for a slice; it heeds the blacklist itself.

        Core reads the whole blacklist, whichever numbers are written to.

        :rtype: dict
        """
        values = self._send_sms_get_composer_values(res_ids)
        return {**values, "use_exclusion_list": False}

    def _sms_ovh_commit_slice(self):
        """Commit what is composed if this is the cron, and free the memory it took.

        :return: whether there is time for more and nobody stopped the campaign
        :rtype: bool
        """
        if transaction.owns(self.env):
            if not self.env["ir.cron"]._commit_progress():
                self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")._trigger()
                return False
            self.env.invalidate_all()
        return not self._sms_ovh_is_stopped()

    def _sms_ovh_find_opted_out(self, since):
        """Return which recipients opted out since this campaign's SMS were made ready.

        :param datetime since: when they were made ready
        :return: ids of records of the campaign's model
        :rtype: set[int]
        """
        self.ensure_one()
        if self.mailing_model_name != "mailing.list":
            # Other models tell who opted out through a hook of core, if at all.
            return set(self._get_opt_out_list_sms())
        Subscription = self.env["mailing.subscription"]
        recent = Subscription.search_fetch(
            [
                ("opt_out", "=", True),
                ("write_date", ">=", since - OPT_OUT_MARGIN),
                ("list_id", "in", self.contact_list_ids.ids),
            ],
            ["contact_id"],
        )
        if not recent:
            return set()
        # As core: contacts who opted out of all these lists, not those still in one.
        groups = Subscription._read_group(
            [
                ("contact_id", "in", recent.contact_id.ids),
                ("list_id", "in", self.contact_list_ids.ids),
            ],
            ["contact_id"],
            ["opt_out:bool_and"],
        )
        return {contact.id for contact, opt_out in groups if opt_out}

    def _sms_ovh_end_sent(self):
        """Mark the campaigns done that are fully composed and have left the outbox."""
        going_on = self.filtered(
            lambda mailing: mailing.state == "sending" and not mailing.sms_ovh_composing
        )
        if not going_on:
            return
        Job = self.env["sms.ovh.job"].sudo()  # sudo: the campaign's jobs, for any user.
        groups = Job._read_group(
            [("mailing_id", "in", going_on.ids), ("state", "in", OPEN_STATES)],
            ["mailing_id"],
        )
        busy_ids = {mailing.id for (mailing,) in groups}
        ended = going_on.filtered(lambda mailing: mailing.id not in busy_ids)
        if ended and self.env.user.is_public:
            ended._track_set_author(self.env.ref("base.partner_root"))
        for mailing in ended:
            # The chatter speaks the language of the responsible user.
            # sudo: the language of a user.
            lang = (mailing.user_id or mailing.create_uid).sudo().lang
            mailing.with_context(lang=lang).write(
                {
                    "state": "done",
                    "sent_date": fields.Datetime.now(),
                    # Only the first time that it is sent.
                    "kpi_mail_required": not mailing.sent_date,
                }
            )

    def action_view_sms_ovh_traces(self):
        """Open the list of what became of each recipient's SMS."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("SMS of %s", self.subject),
            "res_model": "mailing.trace",
            "views": [
                (self.env.ref("sms_ovh.mailing_trace_view_list_sms_ovh").id, "list"),
                (
                    self.env.ref("sms_ovh.mailing_trace_view_kanban_sms_ovh").id,
                    "kanban",
                ),
                (
                    self.env.ref("mass_mailing_sms.mailing_trace_view_form_sms").id,
                    "form",
                ),
            ],
            "domain": [("mass_mailing_id", "=", self.id)],
            "context": {"create": False},
        }

from contextlib import contextmanager
from functools import cache

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError

from .. import const
from ..mixins.sms_ovh_counter_mixin import SmsOvhTextFails, get_text_as_sent
from ..models.ir_actions_server import UNATTENDED
from ..models.mail_render_mixin import Gsm7Rendering, ShortLinks
from ..models.sms_sms import BY_RECORD, UNASKED
from ..tools.gsm7_filling import OFF
from ..tools.number_country import get_country_code
from ..tools.phone_number import get_kind, get_number_sentences
from ..tools.sms_segments import is_blank

# The modules in which Odoo has the hooks of campaigns.
CORE_MODULES = ("odoo.addons.mass_mailing.", "odoo.addons.mass_mailing_sms.")


def is_core_method(record, name):
    """Return whether a hook is Odoo's own, so that no other addon narrows its result.

    :param record: record of the model that has the hook
    :param str name: name of the method
    :rtype: bool
    """
    owner = next(cls for cls in type(record).__mro__ if name in vars(cls))
    return owner.__module__.startswith(CORE_MODULES)


class SmsComposer(models.TransientModel):
    _name = "sms.composer"
    _inherit = ["sms.composer", "sms.ovh.sending.mixin", "sms.ovh.guard.mixin"]

    _sms_ovh_guarded_links = {
        "mailing_id": "write",
        "sms_ovh_reply_id": "read",
        "sms_ovh_sender_id": "read",
    }

    body = fields.Text(compute="_compute_sms_ovh_body")
    sms_ovh_account_id = fields.Many2one(compute="_compute_sms_ovh_account_id")
    sms_ovh_kind = fields.Selection(
        compute="_compute_sms_ovh_kind",
        store=True,
        readonly=False,
        help="Marketing: with the STOP clause, and not in quiet hours. Transactional:"
        " what recipients need to know of an order or an appointment, at any time and"
        " without the clause.",
    )
    sms_ovh_sender_id = fields.Many2one(
        compute="_compute_sms_ovh_sender_id",
        store=True,
        readonly=False,
        domain="[('account_id', '=', sms_ovh_account_id), ('status', '=', 'enable')]",
    )

    sms_ovh_gsm7 = fields.Selection(
        const.GSM7_CHOICES,
        string="Write in GSM-7 what has an equivalent",
        compute="_compute_sms_ovh_gsm7",
    )

    sms_ovh_reply_id = fields.Many2one(
        "sms.ovh.reply",
        string="Reply Answered",
        ondelete="cascade",
        help="The SMS received that this answers.",
    )
    sms_ovh_number_warning = fields.Char(
        string="About the Number", compute="_compute_sms_ovh_number_warning"
    )

    sms_ovh_send_at = fields.Datetime(
        string="Send At", help="Empty, or past: it is sent at once."
    )
    sms_ovh_leaves = fields.Char(
        string="When It Leaves", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )

    def _sms_ovh_get_company(self):
        """Return the company that sends: the campaign's, the record's, or the user's.

        An answer goes out through the account that received the reply.
        """
        self.ensure_one()
        if self.sms_ovh_reply_id:
            return self.sms_ovh_reply_id.company_id
        if self.mailing_id:
            return self.mailing_id.sms_ovh_company_id or self.env.company
        records = self._get_records()
        if not records:
            return self.env.company
        # If all records have the same company, that one; else each SMS has its own.
        companies = self.env["res.company"].union(
            *records._sms_ovh_get_companies().values()
        )
        return companies if len(companies) == 1 else self.env.company

    @api.depends("res_model", "res_id", "res_ids", "composition_mode", "mailing_id")
    @api.depends_context("company")
    def _compute_sms_ovh_account_id(self):
        for composer in self:
            # sudo: users who may send SMS need not be allowed to see the account.
            company_sudo = composer._sms_ovh_get_company().sudo()
            composer.sms_ovh_account_id = company_sudo.sms_ovh_account_id

    @api.depends("sms_ovh_account_id", "template_id")
    def _compute_sms_ovh_kind(self):
        """Default to the template's or the company's kind; keep what somebody chose."""
        for composer in self:
            # sudo: users who may send SMS need not be allowed to see all of a template.
            template_kind = composer.sudo().template_id.sms_ovh_kind
            if composer.mailing_id:
                composer.sms_ovh_kind = composer.mailing_id.sms_ovh_kind
            elif template_kind:
                composer.sms_ovh_kind = template_kind
            elif not composer.sms_ovh_kind:
                company = composer._sms_ovh_get_company()
                composer.sms_ovh_kind = company.sms_ovh_message_kind

    @api.depends("sms_ovh_account_id", "template_id", "mailing_id.sms_ovh_gsm7")
    def _compute_sms_ovh_gsm7(self):
        """Take the campaign's choice, else the template's, else the company's."""
        for composer in self:
            # sudo: users who may send SMS need not be allowed to see all of these.
            composer_sudo = composer.sudo()
            composer.sms_ovh_gsm7 = composer_sudo.sms_ovh_account_id and (
                composer_sudo.mailing_id.sms_ovh_gsm7
                or composer_sudo.template_id.sms_ovh_gsm7
                or composer._sms_ovh_get_company().sudo().sms_ovh_gsm7
            )

    @api.depends("sms_ovh_account_id", "template_id")
    def _compute_sms_ovh_sender_id(self):
        """Default to the template's or the account's sender; keep what was chosen."""
        for composer in self:
            # sudo: the sender of the account that sends.
            composer_sudo = composer.sudo()
            account = composer_sudo.sms_ovh_account_id
            template_sender = composer_sudo.template_id.sms_ovh_sender_id
            if composer.mailing_id:
                composer.sms_ovh_sender_id = composer.mailing_id.sms_ovh_sender_id
            elif template_sender and template_sender.account_id == account:
                composer.sms_ovh_sender_id = template_sender.sudo(False)
            elif composer.sms_ovh_sender_id.account_id != account:
                # A recipient who asked something may want to ask again.
                reply_sudo = composer_sudo._sms_ovh_find_open_replies()[:1]
                composer.sms_ovh_sender_id = (
                    reply_sudo._get_answer_sender().with_env(self.env)
                    if reply_sudo
                    else account.default_sender_id
                )

    def _sms_ovh_find_open_replies(self):
        """Return the replies of the one record written to that wait for an answer."""
        self.ensure_one()
        # sudo: users who write to a record need no right to see all replies.
        replies_sudo = self.env["sms.ovh.reply"].sudo()
        account = self.sudo().sms_ovh_account_id
        record = self._get_records() if self.comment_single_recipient else None
        if not account or not record:
            return replies_sudo
        return replies_sudo._find_open(account, record)

    @api.depends("sms_ovh_account_id")
    def _compute_sms_ovh_in_use(self):
        for composer in self:
            composer.sms_ovh_in_use = bool(composer.sms_ovh_account_id)

    @api.depends("sms_ovh_kind", "sms_ovh_sender_id.has_stop_clause")
    def _compute_sms_ovh_stop_counted(self):
        for composer in self:
            composer.sms_ovh_stop_counted = (
                composer.sms_ovh_kind == "marketing"
                and composer.sms_ovh_sender_id.has_stop_clause
            )

    @api.depends("body", "mass_sms_allow_unsubscribe", "composition_mode", "mailing_id")
    def _compute_sms_ovh_sender_warning(self):
        return super()._compute_sms_ovh_sender_warning()

    @api.depends(
        "sms_ovh_account_id",
        "composition_mode",
        "numbers",
        "recipient_single_number",
        "recipient_single_number_itf",
    )
    def _compute_sms_ovh_number_warning(self):
        """Show how a number is read, or why no SMS can be read there."""
        for composer in self:
            composer.sms_ovh_number_warning = False
            if composer.composition_mode == "mass" or not composer.sms_ovh_account_id:
                continue
            if composer.composition_mode == "numbers" and composer.numbers:
                numbers = composer.numbers.split(",")
            else:
                numbers = [
                    composer.recipient_single_number_itf
                    or composer.recipient_single_number
                ]
            records = composer._get_records()
            country_code = None
            if composer.comment_single_recipient and len(records) == 1:
                country = records._phone_get_country().get(records.id)
                country_code = country.code if country else None
                if numbers == [composer.recipient_single_number]:
                    # The number as the contact has it, not as it was sanitised.
                    info = records._sms_get_recipients_info(composer.number_field_name)
                    numbers = [info[records.id]["number"]]
            composer.sms_ovh_number_warning = "\n".join(
                filter(
                    None,
                    (
                        composer._sms_ovh_get_number_warning(number, country_code)
                        for number in numbers
                    ),
                )
            )

    @api.depends(
        "composition_mode",
        "mailing_id",
        "recipient_single_number_itf",
        "sanitized_numbers",
        "sms_ovh_account_id",
        "sms_ovh_kind",
        "sms_ovh_send_at",
    )
    @api.depends_context("company", "lang", "tz")
    def _compute_sms_ovh_leaves(self):
        """Show when the SMS leaves if quiet hours hold it."""
        self.sms_ovh_leaves = False
        now = fields.Datetime.now()
        for composer in self:
            if (
                not composer.sms_ovh_account_id
                or composer.mailing_id
                or composer.sms_ovh_kind != "marketing"
            ):
                continue
            company = composer._sms_ovh_get_company().sudo()
            country_code = company.country_id.code
            # Several numbers may be in several countries: use the company's hours.
            number = composer.sanitized_numbers or composer.recipient_single_number_itf
            if composer.composition_mode != "mass" and number and "," not in number:
                country_code = company._sms_ovh_get_country_code(number)
            wanted_at = max(composer.sms_ovh_send_at or now, now)
            opening = company._sms_ovh_get_opening(wanted_at, country_code)
            if opening > wanted_at:
                composer.sms_ovh_leaves = self.env._(
                    "Leaves on %(day)s at %(time)s: marketing SMS keep quiet hours.",
                    **company._sms_ovh_describe_opening(opening),
                )

    def _sms_ovh_get_number_warning(self, number, country_code):
        """Return the warning about a number before an SMS is sent to it, or None."""
        number = (number or "").strip()
        company = self._sms_ovh_get_company()
        found = company._sms_ovh_clean_number(number, country_code)
        if found.reason == "missing":
            return None
        if found.reason:
            sentence = get_number_sentences(self.env)[found.reason]
            return f"{number}: {sentence}"
        failure_type = const.KIND_TO_FAILURE_TYPE.get(found.kind)
        if failure_type:
            field = self.env["sms.sms"]._fields["failure_type"]
            labels = dict(field._description_selection(self.env))
            return self.env._(
                "%(number)s is no mobile (%(kind)s): OVHcloud charges for the SMS, and"
                " nobody can read it there.",
                number=number,
                kind=labels[failure_type],
            )
        if "several" in found.notes:
            return self.env._(
                "“%(typed)s” are several numbers: the SMS goes to the first mobile,"
                " %(number)s.",
                typed=number,
                number=found.number,
            )
        return None

    def _sms_ovh_has_opt_out_link(self):
        return self._is_mass_sms() and self.mass_sms_allow_unsubscribe

    @api.depends(
        "body",
        "mass_sms_allow_unsubscribe",
        "mailing_id",
        "sms_ovh_stop_counted",
        "sms_ovh_gsm7",
    )
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    def _sms_ovh_get_texts(self):
        texts = {
            composer.id: get_text_as_sent(composer.body, gsm7=composer.sms_ovh_gsm7)
            for composer in self
        }
        for composer in self.filtered(lambda composer: composer._is_mass_sms()):
            # sudo: the lengths of links, which only depend on ids and codes.
            mailing_sudo = composer.mailing_id.sudo()
            texts[composer.id] = get_text_as_sent(
                composer.body,
                mailing_sudo.get_sms_link_replacements_placeholders(),
                opt_out=composer.mass_sms_allow_unsubscribe,
                gsm7=composer.sms_ovh_gsm7,
            )
        return texts

    def action_send_sms(self):
        """Override of `sms` to refuse what OVHcloud would refuse."""
        if self.mailing_id:
            self.mailing_id.check_access("write")
        if self.env.context.get("sms_ovh_unattended") is not UNATTENDED:
            self._sms_ovh_check_sendable()
        return super().action_send_sms()

    def _action_send_sms(self):
        """Override of `sms` to send with the sender, kind and time that the form has.

        What Odoo itself sends to many records is sent by each record's company. An
        answer goes to the number that wrote, whatever number the record has: core would
        write the number on the record.
        """
        if self.sms_ovh_account_id and not self.mailing_id and self.sms_ovh_send_at:
            self = self.with_context(sms_ovh_send_at=self.sms_ovh_send_at)
        reply = self.sms_ovh_reply_id
        if reply:
            self = self.with_company(reply.company_id)
        if not self.mailing_id:
            self = self.with_context(**self._sms_ovh_get_choice())
        if self.env.su:
            self = self.with_context(sms_ovh_unasked=UNASKED)
        if self.env.su and self.composition_mode == "mass":
            self = self.with_context(sms_ovh_by_record=BY_RECORD)
        if reply and self._sms_ovh_is_answer():
            result = self._sms_ovh_answer_reply()
        else:
            # sudo: see `_sms_ovh_find_open_replies`.
            reply = reply.sudo() | self._sms_ovh_find_open_replies()
            result = super()._action_send_sms()
        reply._set_answered()
        return result

    def _sms_ovh_is_answer(self):
        """Return whether this writes on a single record that has a chatter."""
        return self.comment_single_recipient and isinstance(
            self._get_records(), self.pool["mail.thread"]
        )

    def _sms_ovh_answer_reply(self):
        """Send the answer to the number that the reply came from.

        :return: the `mail.message`
        """
        record = self._get_records()
        number = self.recipient_single_number_itf
        partner = self.sms_ovh_reply_id.partner_id
        return record._message_sms(
            self._prepare_body_values(record)[record.id],
            partner_ids=partner.ids,
            sms_numbers=None if partner else [number],
            sms_pid_to_number={partner.id: number} if partner else None,
        )

    def _sms_ovh_get_choice(self):
        """Return a context with the choices that differ from the company's defaults.

        Defaults are left to each SMS: the records may be of several companies. All keys
        are set, so that one composer's choice never reaches another that it triggers.
        """
        self.ensure_one()
        # sudo: the account and senders of the company that sends.
        composer_sudo = self.sudo()
        choice = {
            "sms_ovh_kind": False,
            "sms_ovh_sender_id": False,
            "sms_ovh_gsm7": False,
            **composer_sudo.template_id._sms_ovh_get_context(),
        }
        account = composer_sudo.sms_ovh_account_id
        if not account:
            return choice
        kind = composer_sudo.sms_ovh_kind
        company = self._sms_ovh_get_company()
        if choice["sms_ovh_kind"] or kind != company.sms_ovh_message_kind:
            choice["sms_ovh_kind"] = kind
        sender = composer_sudo.sms_ovh_sender_id
        template_sender = composer_sudo.template_id.sms_ovh_sender_id
        if sender != account.default_sender_id or template_sender.account_id == account:
            choice["sms_ovh_sender_id"] = sender.id
        return choice

    def _prepare_body_values(self, records):
        """Override of `mass_mailing_sms` to shorten links as phones read them.

        It also writes in GSM-7 what the campaign, the template or the company says, and
        renders with the author's rights, whoever sends it.
        """
        is_slice = self._sms_ovh_is_slice()
        # An unsaved composer only shows what would be sent.
        if self.id and is_slice:
            self = self._sms_ovh_as_author()
            records = records.with_env(self.env)
        if is_slice and "sms_ovh_links" not in self.env.context:
            self = self.with_context(sms_ovh_links=ShortLinks())
        self = self._sms_ovh_as_rendered(self.sms_ovh_gsm7, is_slice)
        return super()._prepare_body_values(records)

    def _sms_ovh_as_author(self):
        """Return this composer with the rights of its campaign's author.

        Scheduled actions have all rights, and a colleague may have more.
        """
        author = self.mailing_id._sms_ovh_get_author_sudo()
        if not author or (author == self.env.user and not self.env.su):
            return self
        theirs = self.mailing_id._sms_ovh_as_sent()
        return self.with_user(author).with_context(**theirs.env.context)

    def _sms_ovh_as_rendered(self, choice, links_shortened=False):
        """Return this composer with the context to render texts in GSM-7, if it does.

        :param str|bool choice: what is written in GSM-7
        :param bool links_shortened: whether links are shortened afterwards
        """
        choice = choice or OFF
        if choice == OFF and "sms_ovh_texts" not in self.env.context:
            return self
        rendering = Gsm7Rendering(choice, links_shortened)
        return self.with_context(sms_ovh_rendering=rendering)

    @api.depends("composition_mode", "res_model", "res_id", "template_id")
    def _compute_sms_ovh_body(self):
        """Compute as Odoo does, and write in GSM-7 what a template fills in."""
        for composer in self:
            composer._sms_ovh_as_rendered(composer.sms_ovh_gsm7)._compute_body()

    def _prepare_mass_sms_values(self, records):
        """Override of `sms` to set the company that sends each SMS, and leave out some.

        It is the campaign's, or else that of the record the SMS is about. No number of
        a campaign's recipients is read twice, see `_phone_format_number`.
        """
        if self._sms_ovh_is_slice():
            records = records.with_context(sms_ovh_trust_sanitized=True)
            result = super()._prepare_mass_sms_values(records)
            # sudo: the settings of the company that sends.
            company_sudo = self.mailing_id.sms_ovh_company_id.sudo()
            self._sms_ovh_leave_out_stopped(result)
            for values in result.values():
                values["record_company_id"] = company_sudo.id
            self._sms_ovh_leave_out(result.values(), company_sudo)
            self._sms_ovh_leave_out_dead(result.values(), company_sudo)
            return result
        if not self.env["res.company"]._sms_ovh_is_used():
            return super()._prepare_mass_sms_values(records)
        result = super()._prepare_mass_sms_values(records)
        # sudo: which of them send through OVHcloud; other providers go by the record.
        companies = records._sms_ovh_get_companies()
        senders_sudo = self.env["res.company"].sudo().union(*companies.values())
        if self.mailing_id or not senders_sudo.sms_ovh_account_id:
            return result
        for company, company_records in records.grouped(
            lambda record: companies[record.id]
        ).items():
            vals_list = [result[record.id] for record in company_records]
            for values in vals_list:
                values["record_company_id"] = company.id
            # sudo: the settings of the company that sends.
            company_sudo = company.sudo()
            if company_sudo.sms_ovh_account_id:
                self._sms_ovh_leave_out(vals_list, company_sudo)
                self._sms_ovh_leave_out_dead(vals_list, company)
        return result

    def _sms_ovh_leave_out_dead(self, vals_list, company):
        """Leave out numbers that are out of service, as operators said when asked.

        :param vals_list: values of SMS, which are changed
        :param company: `res.company` that sends
        """
        outgoing = [values for values in vals_list if values["state"] == "outgoing"]
        dead = self.env["sms.ovh.number.check"]._find_dead(
            company, [values["number"] for values in outgoing]
        )
        for values in outgoing:
            if values["number"] in dead:
                self._sms_ovh_cancel_values(values, "sms_ovh_dead")

    def _sms_ovh_leave_out_stopped(self, sms_values):
        """Leave out numbers that opted out or, until a user decides, seem to have.

        This is for campaigns that heed the blacklist. Other SMS, if they are marketing,
        are checked when they leave.

        :param dict sms_values: values of the SMS by record, which are changed
        """
        if not (self.use_exclusion_list or self.mailing_id.use_exclusion_list):
            return
        # As core does; but these slices do without its list of all blacklisted numbers.
        cancelled = ("sms_optout", "sms_duplicate")
        checked = [
            values
            for values in sms_values.values()
            if values["state"] == "outgoing" or values["failure_type"] in cancelled
        ]
        stopped = self.env["sms.ovh.stop"]._find_stopped(
            [values["number"] for values in checked]
        )
        for values in checked:
            reason = stopped.get(values["number"])
            if reason and (values["state"] == "outgoing" or reason == "sms_blacklist"):
                self._sms_ovh_cancel_values(values, reason)

    def _sms_ovh_cancel_values(self, sms_values, failure_type):
        """Mark in the values of an SMS, and of its trace, that it is not sent.

        :param dict sms_values: values of the SMS, which are changed
        :param str failure_type: why it is not sent
        """
        sms_values.update(
            state="canceled",
            failure_type=failure_type,
            body=self._sms_ovh_get_own_text(sms_values),
        )
        for __, __, trace_values in sms_values.get("mailing_trace_ids") or ():
            trace_values.update(trace_status="cancel", failure_type=failure_type)

    def _sms_ovh_get_own_text(self, sms_values):
        """Return the text of an SMS without the opt-out link that core adds.

        :param dict sms_values: its values
        :rtype: str
        """
        body = sms_values["body"] or ""
        if not self.mass_sms_allow_unsubscribe:
            return body
        for __, __, trace_values in sms_values.get("mailing_trace_ids") or ():
            url = self._get_unsubscribe_url(
                self.mailing_id.id, trace_values["sms_code"]
            )
            body = body.removesuffix(f"\n{self._get_unsubscribe_info(url)}")
        return body

    def _sms_ovh_leave_out(self, vals_list, company_sudo):
        """Cancel SMS that OVHcloud would charge for nothing, or refuse.

        :param vals_list: values of SMS, which are changed
        :param company_sudo: `res.company` that sends through OVHcloud, in sudo
        """
        skip_landlines = company_sudo.sms_ovh_skip_landlines
        # Most numbers of a campaign are of one country.
        reaches = cache(lambda code: self._sms_ovh_reaches(code, company_sudo))
        for values in vals_list:
            if values["state"] != "outgoing":
                continue
            number = values["number"]
            no_mobile = skip_landlines and (
                const.KIND_TO_FAILURE_TYPE.get(get_kind(number))
            )
            if no_mobile:
                self._sms_ovh_cancel_values(values, no_mobile)
            elif is_blank(self._sms_ovh_get_own_text(values)):
                self._sms_ovh_cancel_values(values, "sms_ovh_empty")
            elif not reaches(get_country_code(number)):
                self._sms_ovh_cancel_values(values, "sms_ovh_destination")

    def _sms_ovh_reaches(self, country_code, company_sudo):
        """Return whether the chosen sender, or the one for the country, reaches it.

        :param str|None country_code: ISO code
        :param company_sudo: see above
        """
        account_sudo = company_sudo.sms_ovh_account_id
        # sudo: the sender of the account that sends.
        sender_sudo = (self.mailing_id or self).sms_ovh_sender_id.sudo()
        if sender_sudo.account_id != account_sudo:
            sender_sudo = account_sudo.default_sender_id
        sender_sudo = account_sudo._get_sender_for(country_code, sender_sudo)
        return not sender_sudo or sender_sudo._reaches(country_code)

    # ------------------------------------------------------------
    # Texts that fail
    # ------------------------------------------------------------

    def _sms_ovh_undoing(self):
        """Return a savepoint; for an unsaved composer, one that keeps the cache."""
        return self.env.cr.savepoint(flush=bool(self.id))

    @contextmanager
    def _sms_ovh_naming_failure(self, records):
        """Name the record that causes an error in a text.

        What was written inside is then undone.

        :raise SmsOvhTextFails: if a placeholder cannot be filled for a record
        """
        try:
            with self._sms_ovh_undoing():
                yield
        except (psycopg2.Error, ConcurrencyError):
            raise
        except Exception as error:
            if failure := self._sms_ovh_find_failure(records):
                raise failure from error
            raise

    def _sms_ovh_find_failure(self, records):
        """Return what fails for which of these records, None if no text does.

        :rtype: SmsOvhTextFails|None
        """
        error = self._sms_ovh_get_render_error(records)
        if not error:
            return None
        while len(records) > 1:
            half = records[: len(records) // 2]
            if half_error := self._sms_ovh_get_render_error(half):
                records, error = half, half_error
            else:
                records = records[len(half) :]
        error = self._sms_ovh_get_render_error(records) or error
        # Odoo wraps it in an error whose message shows the text again.
        while isinstance(error.__cause__, Exception):
            error = error.__cause__
        return SmsOvhTextFails(
            self.env._(
                "The text fails for %(name)s: %(error)s. Correct the placeholder, or"
                " the record, and try again.",
                name=records.display_name,
                error=str(error).strip().rstrip("."),
            ),
            records.id,
        )

    def _sms_ovh_get_render_error(self, records):
        """Return what rendering the text for these records raises, or None."""
        try:
            with self._sms_ovh_undoing():
                self._prepare_body_values(records)
        except (psycopg2.Error, ConcurrencyError):
            raise
        except Exception as error:
            return error
        return None

    # ------------------------------------------------------------
    # Recipients who get no SMS
    # ------------------------------------------------------------
    # Core looks each recipient up in lists of all who opted out and all who got an SMS:
    # the time for one SMS grows with their number. These methods only ask for the
    # current slice.

    def _sms_ovh_is_slice(self):
        """Return whether this composes a slice of a campaign that OVHcloud sends."""
        return bool(self._is_mass_sms() and self.mailing_id.sms_ovh_account_id)

    def _get_optout_record_ids(self, records, recipients_info):
        """Override of `mass_mailing_sms` to ask only for the slice: see above."""
        if not self._sms_ovh_is_slice():
            return super()._get_optout_record_ids(records, recipients_info)
        mailing = self.mailing_id
        if mailing.mailing_model_name != "mailing.list" or not is_core_method(
            mailing, "_get_opt_out_list_sms"
        ):
            return list(mailing._get_opt_out_list_sms())
        # As core: contacts who opted out of all these lists, not those still in one.
        groups = self.env["mailing.subscription"]._read_group(
            [
                ("contact_id", "in", records.ids),
                ("list_id", "in", mailing.contact_list_ids.ids),
            ],
            ["contact_id"],
            ["opt_out:bool_and"],
        )
        return [contact.id for contact, opt_out in groups if opt_out]

    def _get_done_record_ids(self, records, recipients_info):
        """Override of `mass_mailing_sms` to ask only for the slice: see above.

        Numbers of earlier slices count, too.
        """
        if not self._sms_ovh_is_slice():
            return super()._get_done_record_ids(records, recipients_info)
        # Recipients that other addons leave out. Core's own method reads the whole
        # campaign each time.
        others = set()
        if not is_core_method(self.mailing_id, "_get_seen_list_sms"):
            others.update(self.mailing_id._get_seen_list_sms()[0])
        if self.env.context.get("sms_ovh_again"):
            return list(others)
        numbers = {info["sanitized"] for info in recipients_info.values()} - {False}
        # sudo: the campaign's own traces.
        traces_sudo = self.env["mailing.trace"].sudo()
        traces = traces_sudo.search_fetch(
            [
                ("mass_mailing_id", "=", self.mailing_id.id),
                ("trace_type", "=", "sms"),  # as the indexes have it
                ("is_test_trace", "=", False),
                "|",
                ("sms_number", "in", list(numbers)),
                "&",
                ("model", "=", records._name),
                ("res_id", "in", records.ids),
            ],
            ["sms_number", "res_id"],
        )
        # Numbers that an estimate has already seen, since it leaves no traces.
        before = self.env.context.get("sms_ovh_seen_numbers", ())
        seen = set(traces.mapped("sms_number"))
        done = (set(traces.mapped("res_id")) & set(records.ids)) | others
        for record in records:
            number = recipients_info[record.id]["sanitized"]
            if not number:
                continue
            if number in seen or number in before:
                done.add(record.id)
            seen.add(number)
        return list(done)

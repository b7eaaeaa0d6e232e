import time
from collections import defaultdict
from functools import cache
from itertools import repeat
from typing import NamedTuple

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, split_every

from .. import const
from ..fields import UncheckedMany2one
from ..sms_api import SmsApiOvh
from ..tools import transaction
from ..tools.client_actions import notify
from ..tools.decision import Alike, Decision
from ..tools.gsm7_filling import ALL, write_gsm7
from ..tools.links import append_visitor
from ..tools.number_country import get_country_code
from ..tools.sms_segments import count_segments, is_blank

# SMS read from the queue at a time, so that equal texts meet in one job: a multiple
# of the receivers of a job.
QUEUE_BATCH_SIZE = 10 * const.MAX_RECEIVERS_PER_JOB
# Jobs put into the outbox at a time, while what is there is being posted. In a second or
# so: each commit has Odoo read the company and the account again.
PIECE_JOBS = 2 * const.THREADS
QUEUE_DOMAIN = [("state", "=", "outgoing"), ("to_delete", "!=", True)]
# In a context: each SMS is sent by the company of its record, whichever that is. An
# object, so that no external caller can pass it.
BY_RECORD = object()
# Likewise: no user asks for these SMS, though one may have triggered them. For example
# by a customer's click or an automation rule.
UNASKED = object()
# What a user can choose for an SMS, by the field that stores it.
CHOSEN_NAMES = {
    "sms_ovh_kind": "kind",
    "sms_ovh_sender_id": "sender",
    "sms_ovh_stop_clause": "clause",
}
# Fields read to put an SMS into a job.
CLAIM_FIELDS = ("uuid", "number", "body")
# Fields whose values are equal in SMS that are decided on together, ordered as `Alike`.
ALIKE_FIELDS = (
    "record_company_id",
    "mailing_id",
    "sms_ovh_asker_id",
    "sms_ovh_kind",
    "sms_ovh_sender_id",
    "sms_ovh_stop_clause",
    "sms_ovh_chosen",
)


class Claimed(NamedTuple):
    """A piece of the queue that was put into the outbox."""

    jobs: int
    by_queue_job: bool  # OCA's `queue_job` posts them


class SmsSms(models.Model):
    _name = "sms.sms"
    _inherit = ["sms.sms", "sms.ovh.counter.mixin", "sms.ovh.guard.mixin"]

    _sms_ovh_guarded_links = {"record_company_id": None}

    # `sms_twilio` declares the same field; if both are installed, it is one field.
    record_company_id = fields.Many2one(
        "res.company", string="Company", ondelete="set null"
    )
    failure_type = fields.Selection(
        selection_add=[
            # Failures of delivery reports, which core only has on notifications.
            ("sms_expired", "Expired"),
            ("sms_invalid_destination", "Invalid Destination"),
            ("sms_not_allowed", "Not Allowed"),
            ("sms_not_delivered", "Not Delivered"),
            ("sms_rejected", "Rejected"),
            *const.FAILURE_TYPES,
        ],
    )
    sms_ovh_account_id = UncheckedMany2one(
        "sms.ovh.account",
        string="OVHcloud Account",
        readonly=True,
        copy=False,
        help="The account that this SMS was sent with.",
    )
    # No field that sending writes has an index, this one included: see `hooks.py`.
    sms_ovh_job_id = UncheckedMany2one(
        "sms.ovh.job", string="OVHcloud Job", readonly=True, copy=False
    )
    sms_ovh_kind = fields.Selection(const.KINDS, string="Kind", readonly=True)
    sms_ovh_sender_id = UncheckedMany2one(
        "sms.ovh.sender",
        string="Sender",
        readonly=True,
        help="Who it comes from; without one, the account's default sender.",
    )
    sms_ovh_stop_clause = fields.Boolean(
        string="STOP Clause",
        readonly=True,
        help="OVHcloud adds the STOP clause to this SMS.",
    )
    # Kind, sender and clause are decided when the SMS leaves, except for those in here.
    sms_ovh_chosen = fields.Char(
        string="Chosen",
        readonly=True,
        copy=False,
        help="Which of kind, sender and clause somebody chose for this SMS.",
    )
    # For campaigns, the campaign has it. Empty if the company is the record's, or if
    # Odoo itself sends.
    sms_ovh_asker_id = UncheckedMany2one(
        "res.users",
        string="Asked For By",
        readonly=True,
        copy=False,
        help="Who has to belong to the company that sends when this SMS leaves.",
    )
    # Becomes core's `to_delete` once the SMS has left: it must not be deleted before.
    sms_ovh_unlink_sent = fields.Boolean(
        string="Delete Once Sent", readonly=True, copy=False
    )
    # Not read-only, so that `create` can set them.
    sms_encoding = fields.Selection(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_units = fields.Integer(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_segments = fields.Integer(
        compute="_compute_sms_segments", store=True, readonly=False
    )
    sms_ovh_id = fields.Char(string="OVHcloud's SMS ID", readonly=True, copy=False)
    sms_ovh_ptt = fields.Integer(string="OVHcloud's Code", readonly=True, copy=False)
    sms_ovh_failure_reason = fields.Char(
        string="Failure Reason", readonly=True, copy=False
    )

    sms_ovh_send_at = fields.Datetime(
        string="Not Before",
        readonly=True,
        copy=False,
        help="It waits in the queue until then.",
    )
    sms_ovh_wanted_at = fields.Datetime(
        string="Held Since",
        readonly=True,
        copy=False,
        help="When it would have left, had quiet hours not held it.",
    )

    # A campaign's form shows how many of its SMS wait, and until when. The index must
    # not use the state, which sending changes: see `hooks.py`.
    _sms_ovh_mailing_held_idx = models.Index(
        "(mailing_id, sms_ovh_send_at)"
        " WHERE sms_ovh_send_at IS NOT NULL AND mailing_id IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):
        """Override to store the company that sends, what was chosen, and until when.

        It also triggers the queue for when waiting SMS may leave.
        """
        self._sms_ovh_check_values(vals_list)
        complete = self._sms_ovh_complete_values(vals_list)
        # sudo: the user's values were checked; only the gateway writes the others.
        records = super(SmsSms, self.sudo()).create(complete).with_env(self.env)
        self._sms_ovh_trigger_at(records.mapped("sms_ovh_send_at"))
        return records

    @api.model
    def _sms_ovh_complete_values(self, vals_list):
        """Return the values of new SMS, with the company that sends and the choices.

        In the queue the environment's company is the cron's, so it has to be known from
        the start. Sender and kind that are given, or else are the context's
        ``sms_ovh_sender_id`` and ``sms_ovh_kind``, are chosen. What else holds now is
        kept to be shown, and settled anew when the SMS leaves.

        :param list vals_list: as `create` gets them, which are not changed
        :rtype: list[dict]
        """
        mailings = self._sms_ovh_get_given_records(vals_list, "mailing_id")
        messages = self._sms_ovh_get_given_records(vals_list, "mail_message_id")
        message_companies = self._sms_ovh_get_message_companies(messages)
        companies = (
            mailings.sms_ovh_company_id
            | self.env["res.company"].union(*message_companies.values())
            | self._sms_ovh_get_given_records(vals_list, "record_company_id")
            | self.env.company
        )
        if not companies._sms_ovh_filter_sending():
            # Copies: other providers write into these dicts, which are the caller's.
            return [{**vals} for vals in vals_list]
        get_asker_values = cache(self._sms_ovh_get_asker_values)
        check = cache(self._sms_ovh_check_company)
        given = self._sms_ovh_get_given()
        # Most SMS of a campaign are alike.
        decide = cache(self._sms_ovh_decide)
        count = cache(count_segments)
        complete = []
        for given_vals in vals_list:
            vals = {**given_vals}
            mailing = mailings.browse(vals.get("mailing_id") or [])
            message = messages.browse(vals.get("mail_message_id") or [])
            company = (
                mailing.sms_ovh_company_id
                or self.env["res.company"].browse(vals.get("record_company_id") or [])
                or message_companies.get(message)
                or self.env.company
            )
            vals["record_company_id"] = company.id
            if mailing:
                # The rights of the campaign's author are checked whenever it composes.
                check(company, self.env.user)
            elif company.sudo().sms_ovh_account_id:
                vals.update(get_asker_values(company, message))
            self._sms_ovh_decide_values(vals, company, mailing, given, decide)
            # As `_compute_sms_segments` does. For that, the ORM would first make a new
            # record of each SMS, its traces included.
            body = "" if is_blank(vals.get("body")) else vals["body"]
            counted = count(body, bool(vals.get("sms_ovh_stop_clause")))
            vals.update(
                sms_encoding=counted.encoding,
                sms_units=counted.units,
                sms_segments=counted.segments,
            )
            complete.append(vals)
        return complete

    @api.model
    def _sms_ovh_get_asker_values(self, company, message):
        """Return the values of a new SMS that depend on the user who asks for it.

        :param company: `res.company` that sends it
        :param message: `mail.message` it is of, or empty
        :rtype: dict
        """
        asker, may_send = self._sms_ovh_find_asker(company, message)
        values = {"sms_ovh_asker_id": asker.id}
        if not may_send:
            values.update(state="error", failure_type="sms_not_allowed")
        return values

    def _sms_ovh_get_given_records(self, vals_list, name):
        """Return the records that the values of new SMS have in the field `name`."""
        # sudo: the company and the sender of the SMS, for any user who sends.
        Model = self.env[self._fields[name].comodel_name].sudo()
        return Model.browse({vals[name] for vals in vals_list if vals.get(name)})

    def _sms_ovh_decide_values(self, vals, company, mailing, given, decide):
        """Write the sender, the kind and the STOP clause into the values of a new SMS.

        :param dict vals: of the SMS, which are changed
        :param company: `res.company` that sends it
        :param mailing: `mailing.mailing` it is of, or empty
        :param tuple given: kind and sender of the context, for what is of no campaign
        :param decide: :meth:`_sms_ovh_decide`, or what keeps its answers
        """
        kind, sender_id = vals.get("sms_ovh_kind"), vals.get("sms_ovh_sender_id")
        if not mailing:
            given_kind, given_sender_id = given
            kind = kind or given_kind
            sender_id = sender_id or given_sender_id
        clause = vals.get("sms_ovh_stop_clause")
        country = self._sms_ovh_get_country_with_sender(company, vals.get("number"))
        decision = decide(company, mailing, kind, sender_id, clause, country)
        if not decision:
            return
        vals.update(
            sms_ovh_kind=decision.kind,
            sms_ovh_sender_id=decision.sender_id,
            sms_ovh_stop_clause=decision.stop_clause,
            sms_ovh_chosen=",".join(
                name
                for name, chosen in (
                    ("kind", kind),
                    ("sender", sender_id),
                    ("clause", clause is not None),
                )
                if chosen
            ),
        )
        self._sms_ovh_hold_values(vals, company)
        if not mailing:
            vals["body"] = self._sms_ovh_write_gsm7(vals.get("body"), company)

    @api.model
    def _sms_ovh_get_message_companies(self, messages):
        """Return the company of each message; in a cron, that of its record.

        :param messages: `mail.message` of SMS, readable
        :rtype: dict[mail.message, res.company]
        """
        messages.fetch(["create_uid", "model", "record_company_id", "res_id"])
        companies = {message: message.record_company_id for message in messages}
        if self.env.uid != SUPERUSER_ID:
            return companies
        for message in messages:
            # A message that a user scheduled belongs to that user.
            if (
                message.create_uid.id != SUPERUSER_ID
                or not message.res_id
                or message.model not in self.env
            ):
                continue
            # sudo: the company only.
            record_sudo = self.env[message.model].sudo().browse(message.res_id)
            if not record_sudo._mail_get_companies()[record_sudo.id]:
                found = record_sudo._sms_ovh_get_companies()
                companies[message] = found[record_sudo.id]
        return companies

    def _sms_ovh_check_values(self, vals_list):
        """Refuse values that a user may not set on a new SMS.

        :param list vals_list: as `create` gets them
        :raise AccessError: which tells nothing of what a link leads to
        """
        if self.env.su:
            return
        self.check_access("create")
        for vals in vals_list:
            self._sms_ovh_check_links(vals)
        for name in {name for vals in vals_list for name in vals if name in self}:
            self._check_field_access(self._fields[name], "write")

    @api.model
    def _sms_ovh_get_given(self):
        """Return the context's kind and sender, for SMS without a campaign.

        A caller can send it: it counts as what is written into a form, and no more.

        :return: ``sms_ovh_kind`` and ``sms_ovh_sender_id``, or None
        :rtype: tuple[str|None, int|None]
        :raise ValidationError: where it is none that a form could have
        """
        kind = self.env.context.get("sms_ovh_kind") or None
        sender_id = self.env.context.get("sms_ovh_sender_id") or None
        kinds = [key for key, __ in const.KINDS]
        if (kind and kind not in kinds) or (sender_id and type(sender_id) is not int):
            raise ValidationError(
                self.env._(
                    "What is asked for is no kind of SMS, or no sender: choose another."
                )
            )
        return kind, sender_id

    @api.model
    def _sms_ovh_find_asker(self, company, message):
        """Return the user whose rights an SMS is sent with, and whether they suffice.

        Whatever rights the environment has: SMS are created with all of them. A message
        that somebody scheduled is sent by Odoo itself, and still that user's.

        :param company: `res.company` that is to send, by OVHcloud
        :param message: `mail.message` of the SMS, or empty
        :return: `res.users`, empty where the right is not a user's
        :rtype: tuple[res.users, bool]
        :raise AccessError: where the user may not send for the company
        """
        nobody = self.env["res.users"]
        context = self.env.context
        if context.get("sms_ovh_by_record") is BY_RECORD:
            return nobody, True
        by_odoo = self.env.uid == SUPERUSER_ID
        user = message.create_uid.with_env(self.env) if by_odoo else self.env.user
        if user.id in (False, SUPERUSER_ID):
            return nobody, True
        if company._sms_ovh_has_user(user):
            asked = context.get("sms_ovh_unasked") is not UNASKED
            return (user if asked and user._is_internal() else nobody), True
        # A customer's click, or an order of a sister company: as the record's.
        if message.res_id and message.model in self.env:
            # sudo: the company only.
            record_sudo = self.env[message.model].sudo().browse(message.res_id)
            if record_sudo._mail_get_companies()[record_sudo.id] == company:
                return nobody, True
        if not by_odoo:
            self._sms_ovh_check_company(company, user)
        return user, False

    @api.model
    def _sms_ovh_check_company(self, company, user):
        """Refuse to send for a company that the user does not belong to.

        :param company: `res.company` that is to send
        :param user: `res.users` who asks for it
        :raise AccessError: where it sends by OVHcloud
        """
        # sudo: only whether the company sends through OVHcloud.
        if (
            company.sudo().sms_ovh_account_id
            and not company._sms_ovh_has_user(user)
            and self.env.context.get("sms_ovh_by_record") is not BY_RECORD
        ):
            raise AccessError(
                self.env._("You cannot send SMS for a company that is not yours.")
            )

    @api.model
    def _sms_ovh_group_alike(self, domain):
        """Return SMS in groups that are decided on together.

        The database groups them: reading these fields of each SMS of a campaign through
        the ORM would be most of the time that a claim takes.

        :param list domain: of the SMS
        :rtype: list[Alike]
        """
        # sudo: the common values, for any user who sends; the groups' records keep it.
        rows = self.sudo()._read_group(domain, ALIKE_FIELDS, ["id:recordset"])
        self.browse(id_ for row in rows for id_ in row[-1].ids).fetch(CLAIM_FIELDS)
        groups = []
        for company_sudo, *common, sms_sudo in rows:
            by_company = {company_sudo: sms_sudo}
            if not company_sudo:
                by_company = sms_sudo.grouped(lambda sms: sms._get_sms_company())
            groups += [
                Alike(sender_sudo, *common, sms.with_env(self.env))
                for sender_sudo, sms in by_company.items()
            ]
        return groups

    @api.model
    def _sms_ovh_find_unasked(self, groups):
        """Return why SMS may not leave, for those whose askers may no longer send.

        :param list groups: of :class:`Alike`
        :return: all of them, each with the sentence that says so, or None
        :rtype: list[tuple[Alike, str|None]]
        """
        found = []
        for group in groups:
            refusal = None
            if group.mailing:
                refusal = group.mailing._sms_ovh_get_refusal()
            elif group.asker:
                user = group.asker.exists()
                if not (
                    user.active
                    and user._is_internal()
                    and group.company._sms_ovh_has_user(user)
                ):
                    refusal = self.env._(
                        "Who asked for this SMS (%(user)s) may not send for %(company)s"
                        " any more. Have somebody who may send it again.",
                        user=user.name or group.asker.id,
                        company=group.company.name,
                    )
            found.append((group, refusal or None))
        return found

    @api.model
    def _sms_ovh_leave_out_unasked(self, groups):
        """Refuse SMS whose askers may no longer send for the company.

        :param list groups: of :class:`Alike`
        :return: the others
        :rtype: list[Alike]
        """
        allowed = []
        refused = defaultdict(list)
        for group, refusal in self._sms_ovh_find_unasked(groups):
            if refusal:
                refused[refusal] += group.sms.mapped("uuid")
            else:
                allowed.append(group)
        for refusal, uuids in refused.items():
            self._sms_ovh_set_refused(
                uuids, "ovh_not_allowed", refusal, self.env["sms.ovh.account"]
            )
        return allowed

    def write(self, vals):
        """Override to skip writing a text that does not change.

        Core writes the text of each SMS of a campaign, whether it has links or not, and
        each would be counted and stored once more.
        """
        if vals.keys() == {"body"} and all(sms.body == vals["body"] for sms in self):
            return True
        chosen = [name for field, name in CHOSEN_NAMES.items() if field in vals]
        if chosen and "sms_ovh_chosen" not in vals:
            # Writing one of these fields is a choice.
            for known, sms in self.grouped("sms_ovh_chosen").items():
                names = {*filter(None, (known or "").split(",")), *chosen}
                super(SmsSms, sms).write(
                    {**vals, "sms_ovh_chosen": ",".join(sorted(names))}
                )
            return True
        return super().write(vals)

    # ------------------------------------------------------------
    # What it is
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_get_country_with_sender(self, company, number):
        """Return the country of a number, or None if that has no sender of its own.

        :param company: `res.company` that sends
        :param str number: of the recipient
        :return: ISO code
        """
        codes = self._sms_ovh_get_countries_with_sender(company)
        if not codes:
            return None
        code = get_country_code(company.sudo()._sms_ovh_clean_number(number).number)
        return code if code in codes else None

    @api.model
    def _sms_ovh_get_countries_with_sender(self, company):
        """Return the countries that have a sender of their own in a company's account.

        :param company: `res.company`
        :return: ISO codes
        :rtype: set[str]
        """
        # sudo: as below.
        lines = company.sudo().sms_ovh_account_id.sender_country_ids
        return set(lines.country_id.mapped("code"))

    @api.model
    def _sms_ovh_decide(
        self,
        company,
        mailing=None,
        kind=None,
        sender_id=None,
        clause=None,
        country_code=None,
    ):
        """Decide an SMS's account, API user, sender, kind and STOP clause.

        The one place where that is decided: for what is shown of an SMS that waits, for
        estimates, and when it leaves.

        :param company: `res.company` that sends it
        :param mailing: `mailing.mailing` it is of, if any
        :param str|None kind: its own, where somebody chose that
        :param int|None sender_id: likewise
        :param bool|None clause: likewise
        :param str|None country_code: where it goes to, if that has a sender of its own
        :return: None where others than OVHcloud send it
        :rtype: Decision|None
        """
        # sudo: users who may send SMS need not be allowed to see account and senders.
        company_sudo = company.sudo()
        account_sudo = company_sudo.sms_ovh_account_id
        if not account_sudo:
            return None
        mailing_sudo = (mailing or self.env["mailing.mailing"]).sudo()
        kind = kind or mailing_sudo.sms_ovh_kind
        if not kind:
            kind = (
                company_sudo.sms_ovh_campaign_kind
                if mailing_sudo
                else company_sudo.sms_ovh_message_kind
            )
        # Never another account's sender: one action may send for several companies, and
        # a company may have changed its account since the sender was chosen.
        sender_sudo = (
            self.env["sms.ovh.sender"]
            .sudo()
            .browse(sender_id or mailing_sudo.sms_ovh_sender_id.id or [])
            .exists()
        )
        if sender_sudo.account_id != account_sudo:
            sender_sudo = account_sudo.default_sender_id
        own_sudo = account_sudo._get_sender_for(country_code, sender_sudo)
        if own_sudo != sender_sudo:
            sender_sudo, clause = own_sudo, None
        if clause is None:
            clause = kind == "marketing"
        return Decision(
            account_id=account_sudo.id,
            user_id=account_sudo.default_api_user_id.id,
            sender_id=sender_sudo.id,
            kind=kind,
            stop_clause=bool(clause and sender_sudo.has_stop_clause),
        )

    @api.model
    def _sms_ovh_read_numbers(self, groups):
        """Read the numbers of SMS as sending does.

        :param list groups: of :class:`Alike`
        :return: :class:`~tools.phone_number.CleanNumber` by the SMS's id
        :rtype: dict
        """
        numbers = {}
        for group in groups:
            typed = dict(zip(group.sms.ids, group.sms.mapped("number"), strict=True))
            # Few, since core formats numbers first.
            national_ids = [
                id_
                for id_, number in typed.items()
                if not (number or "+").startswith("+")
            ]
            countries = group.sms.browse(national_ids)._sms_ovh_get_record_countries()
            read = group.company._sms_ovh_get_number_reader()
            for id_, number in typed.items():
                numbers[id_] = read(number, countries.get(id_))
        return numbers

    @api.model
    def _sms_ovh_settle(self, groups, numbers):
        """Decide on SMS now that they leave; what a user chose stays.

        :param list groups: of :class:`Alike`
        :param dict numbers: see :meth:`_sms_ovh_read_numbers`
        :return: those that OVHcloud sends, each with its decision
        :rtype: list[Alike]
        """
        decided = []
        changed = defaultdict(list)
        for group in groups:
            chosen = (group.chosen or "").split(",")
            codes = self._sms_ovh_get_countries_with_sender(group.company)
            ids_by_code = defaultdict(list)
            for id_ in group.sms.ids:
                code = get_country_code(numbers[id_].number) if codes else None
                ids_by_code[code if code in codes else None].append(id_)
            was = (
                group.sms[:1].record_company_id.id,
                group.kind,
                group.sender.id,
                group.stop_clause,
            )
            for code, ids in ids_by_code.items():
                decision = self._sms_ovh_decide(
                    group.company,
                    group.mailing,
                    group.kind if "kind" in chosen else None,
                    group.sender.id if "sender" in chosen else None,
                    group.stop_clause if "clause" in chosen else None,
                    code,
                )
                if not decision:
                    continue
                sms = group.sms.browse(ids).with_prefetch(group.sms._prefetch_ids)
                decided.append(group._replace(sms=sms, decision=decision))
                settled = (
                    group.company.id,
                    decision.kind,
                    decision.sender_id,
                    decision.stop_clause,
                )
                if settled != was:
                    changed[settled, group.chosen] += ids
        for (settled, chosen), ids in changed.items():
            company_id, kind, sender_id, clause = settled
            # sudo: only the gateway writes this.
            self.browse(ids).sudo().write(
                {
                    # What is decided here is no choice of a user.
                    "sms_ovh_chosen": chosen,
                    "record_company_id": company_id,
                    "sms_ovh_kind": kind,
                    "sms_ovh_sender_id": sender_id,
                    "sms_ovh_stop_clause": clause,
                }
            )
        return decided

    @api.model
    def _sms_ovh_write_gsm7(self, body, company):
        """Return the text of an SMS, in GSM-7 if the company wants all of it so.

        What was only typed was not rendered; what was is in GSM-7 already.

        :param str body: text of the SMS
        :param company: `res.company` that sends it
        :rtype: str
        """
        # sudo: users who may send SMS need not be allowed to see these settings.
        choice = self.env.context.get("sms_ovh_gsm7") or company.sudo().sms_ovh_gsm7
        return write_gsm7(body, ALL) if body and choice == ALL else body

    @api.model
    def _sms_ovh_hold_values(self, vals, company):
        """Write into the values of an SMS until when it has to wait, if at all.

        Not before the values', else the context's ``sms_ovh_send_at``; marketing not
        in the recipient's quiet hours.

        :param dict vals: what it is created with, which is changed
        :param company: `res.company` that sends it
        """
        now = fields.Datetime.now()
        # A caller can pass any context: treat it like the input of a form.
        try:
            send_at = fields.Datetime.to_datetime(
                vals.get("sms_ovh_send_at") or self.env.context.get("sms_ovh_send_at")
            )
        except (TypeError, ValueError):
            raise ValidationError(
                self.env._("The moment to send at is none: choose another.")
            ) from None
        if send_at and send_at <= now:
            send_at = False
        vals["sms_ovh_send_at"] = send_at
        queued = vals.get("state", "outgoing") == "outgoing"
        if not queued or vals["sms_ovh_kind"] != "marketing":
            return
        # sudo: the hours of the company that sends, for any user who sends.
        company_sudo = company.sudo()
        if not company_sudo.sms_ovh_quiet_hours:
            return
        wanted_at = send_at or now
        opening = company_sudo._sms_ovh_get_opening(
            wanted_at, company_sudo._sms_ovh_get_country_code(vals.get("number"))
        )
        if opening > wanted_at:
            vals.update(sms_ovh_send_at=opening, sms_ovh_wanted_at=wanted_at)

    # ------------------------------------------------------------
    # What it counts
    # ------------------------------------------------------------

    @api.depends("record_company_id.sms_ovh_account_id")
    @api.depends_context("company")
    def _compute_sms_ovh_in_use(self):
        for sms in self:
            company = sms.record_company_id or self.env.company
            sms.sms_ovh_in_use = company.sms_ovh_account_id

    @api.depends("sms_ovh_stop_clause")
    def _compute_sms_ovh_stop_counted(self):
        for sms in self:
            sms.sms_ovh_stop_counted = sms.sms_ovh_stop_clause

    @api.depends("body", "sms_ovh_stop_clause")
    def _compute_sms_segments(self):
        return super()._compute_sms_segments()

    def _update_body_short_links(self):
        """Override of `mass_mailing_sms` to find short links as phones do.

        Core takes the full stop after one into it, and adds the SMS's id behind that.
        """
        ovh_sms, others = self._sms_ovh_split()
        bodies = super(SmsSms, others)._update_body_short_links()
        base_url = self.env["sms.sms"].get_base_url()
        for sms in ovh_sms:
            bodies[sms.id] = (
                append_visitor(sms.body, base_url, sms.id)
                if sms.mailing_id and sms.body
                else sms.body
            )
        return bodies

    # ------------------------------------------------------------
    # Which account sends
    # ------------------------------------------------------------

    def _get_sms_company(self):
        """Override of `sms` to use the company that was stored on creation.

        In the queue the environment's company is the cron's.
        """
        known = self.filtered("record_company_id")
        involved = known.record_company_id | self.env.company
        if not known or not involved._sms_ovh_filter_sending():
            return super()._get_sms_company()
        companies = known.record_company_id
        if self - known:
            companies |= super(SmsSms, self - known)._get_sms_company()
        return companies

    def _sms_ovh_get_record_countries(self):
        """Return the country of each SMS's number, as far as its record has one.

        For numbers that are not in E.164: if core could not read one in the contact's
        country, it must not be read in another.

        :return: ISO code by the id of the SMS
        :rtype: dict[int, str]
        """
        # sudo: the recipient's country, for any user who sends.
        self_sudo = self.sudo()
        countries = {
            sms.id: sms.partner_id.country_id.code
            for sms in self_sudo
            if sms.partner_id.country_id
        }
        others = self_sudo.filtered(lambda sms: sms.id not in countries)
        for model, sms in others.grouped(lambda sms: sms.mail_message_id.model).items():
            if not model or model not in self.env:
                continue
            ids = sms.mail_message_id.mapped("res_id")
            by_record = self.env[model].sudo().browse(ids).exists()._phone_get_country()
            for record in sms:
                if country := by_record.get(record.mail_message_id.res_id):
                    countries[record.id] = country.code
        return countries

    def _split_by_api(self):
        """Override of `sms` to send each SMS by the account of its company."""
        by_account = self._sms_ovh_group()
        others = by_account.pop(self.env["sms.ovh.account"], self.browse())
        (self - others).check_access("write")
        for account_sudo, sms in by_account.items():
            yield SmsApiOvh(self.env, account=account_sudo), sms
        if others:
            yield from super(SmsSms, others)._split_by_api()

    def _sms_ovh_group(self):
        """Return the SMS by the account that sends them, empty for other providers."""
        ids_by_account = defaultdict(list)
        for company, company_sms in self.grouped("record_company_id").items():
            groups = {company: company_sms}
            if not company:
                groups = company_sms.grouped(lambda sms: sms._get_sms_company())
            for sender, sms in groups.items():
                # sudo: users who may send SMS need not be allowed to see the account.
                account_sudo = sender.sudo().sms_ovh_account_id
                ids_by_account[account_sudo] += sms.ids
        return {
            account_sudo: self.browse(ids).with_prefetch(self._prefetch_ids)
            for account_sudo, ids in ids_by_account.items()
        }

    def _sms_ovh_split(self):
        """Return the SMS of companies that send through OVHcloud, and the others."""
        others = self._sms_ovh_group().get(self.env["sms.ovh.account"], self.browse())
        return self - others, others

    # ------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------

    def _send_with_api(self, sms_api, *, unlink_sent=True, **kwargs):
        """Override of `sms` for callers that pass a provider that is not the company's.

        What a company sends through OVHcloud leaves by the outbox, whatever the caller.
        Core would mark SMS in the outbox as to be deleted, and its daily vacuum would
        delete them: instead, they are deleted once they have left.
        """
        if isinstance(sms_api, SmsApiOvh):
            by_api, others = [(sms_api, self)], self.browse()
        else:
            ovh_sms, others = self._sms_ovh_split()
            by_api = ovh_sms._split_by_api()
        for api_ovh, sms in by_api:
            api_ovh.unlink_sent = unlink_sent
            super(SmsSms, sms)._send_with_api(api_ovh, unlink_sent=False, **kwargs)
        if others:
            return super(SmsSms, others)._send_with_api(
                sms_api, unlink_sent=unlink_sent, **kwargs
            )

    def _sms_ovh_claim(self):
        """Put these SMS into jobs of the outbox, as far as they are still due.

        :return: the new `sms.ovh.job`
        """
        return self.env["sms.ovh.job"]._claim([("id", "in", self.ids)])

    @api.model
    def _sms_ovh_get_due_domain(self):
        """Return the domain of queued SMS that no longer have to wait."""
        return [
            *QUEUE_DOMAIN,
            "|",
            ("sms_ovh_send_at", "=", False),
            ("sms_ovh_send_at", "<=", fields.Datetime.now()),
        ]

    @api.model
    def _sms_ovh_get_queue_domain(self):
        """Return the domain of queued SMS that may leave now and were not paused."""
        return [
            ("mailing_id", "not any", [("sms_ovh_paused", "=", True)]),
            *self._sms_ovh_get_due_domain(),
        ]

    def _sms_ovh_claim_for_cron(self):
        """Put queued SMS into jobs.

        :rtype: Claimed
        """
        locked = self.try_lock_for_update(allow_referencing=True)
        # SMS that another worker has sent meanwhile are no longer queued.
        jobs = locked._sms_ovh_claim()
        return Claimed(len(jobs), jobs._delay())

    @api.model
    def _process_queue(self):
        """Override of `sms` to split the queue by company, which core does not.

        Core sends the first of the queue with one provider: with two companies in it
        that raises, and what waits for an hour would stand in the way of the rest.
        Here what OVHcloud sends goes to the outbox, a piece at a time and committed
        before any of it is posted, and the rest to its own providers.
        """
        if not self.env["res.company"]._sms_ovh_is_used():
            return super()._process_queue()
        if not transaction.owns(self.env):
            # The transaction belongs to the caller: the SMS leave after its commit.
            due = self.search(
                self._sms_ovh_get_queue_domain(), order="id", limit=QUEUE_BATCH_SIZE
            ).try_lock_for_update(allow_referencing=True)
            ovh_sms, others = due._sms_ovh_split()
            ovh_sms._sms_ovh_claim()._dispatch_after_commit()
            others._sms_ovh_process_others()
            self._sms_ovh_commit_progress(len(ovh_sms))
            return
        other_ids = []
        feed = self._sms_ovh_feed(other_ids)
        first = next(feed, None)
        if first and first.by_queue_job:
            for __ in feed:
                pass
        elif first:
            deadline = time.monotonic() + const.CRON_SECONDS
            sent = self.env["sms.ovh.job"]._dispatch(
                feed=(claimed.jobs for claimed in feed), deadline=deadline
            )
            if sent:
                # So that the credits left are read after this queue.
                self.env["sms.ovh.account"]._trigger_synchronise()
            if time.monotonic() > deadline:
                # Leave the rest to the next run, before Odoo kills this one's worker.
                self.env.ref("sms_ovh.ir_cron_post_jobs")._trigger()
                self.env.ref("sms.ir_cron_sms_scheduler_action")._trigger()
        self.browse(other_ids)._sms_ovh_process_others()

    def _sms_ovh_process_others(self):
        """Send the queued SMS of companies without OVHcloud, as core's queue would."""
        batch_size = self._get_send_batch_size()
        for company, company_sms in self.grouped(
            lambda sms: sms._get_sms_company()
        ).items():
            for batch_ids in split_every(batch_size, company_sms.ids):
                batch = self.browse(batch_ids).try_lock_for_update()
                due = batch.filtered_domain(QUEUE_DOMAIN)
                if due:
                    # As core's queue calls it, but with the provider of their company.
                    due.with_company(company)._send(
                        unlink_failed=False, unlink_sent=True, raise_exception=False
                    )
                # Commit: what this batch sent is sent.
                if not self._sms_ovh_commit_progress(len(batch_ids)):
                    return

    @api.model
    def _sms_ovh_feed(self, other_ids):
        """Put the queue into the outbox piece by piece, committing each.

        :param list other_ids: gets the ids of those that other providers send
        :return: iterator; what :meth:`_sms_ovh_claim_for_cron` says of each piece
        """
        last_id = 0
        while True:
            queue = self.search_fetch(
                [*self._sms_ovh_get_queue_domain(), ("id", ">", last_id)],
                ["body", "record_company_id"],
                order="id",
                limit=QUEUE_BATCH_SIZE,
            )
            if not queue:
                return
            last_id = queue[-1].id
            ovh_sms, others = queue._sms_ovh_split()
            other_ids += others.ids
            # No piece needs anything of the one before: memory stays flat.
            left = len(ovh_sms)
            for piece_ids in ovh_sms._sms_ovh_split_pieces():
                piece = self.browse(piece_ids)
                claimed = transaction.transact(self.env, piece._sms_ovh_claim_for_cron)
                left -= len(piece_ids)
                # At once: a cron that was killed three times without having reported
                # progress counts as failed, and is not run for an hour.
                in_time = self.env["ir.cron"]._commit_progress(
                    len(piece_ids), remaining=left
                )
                yield claimed
                if not in_time:
                    break
            if ovh_sms and not self._sms_ovh_commit_progress(0):
                return

    def _sms_ovh_split_pieces(self):
        """Split into pieces that quickly become jobs, keeping equal texts together.

        :return: ids of each piece
        :rtype: list[list[int]]
        """
        pieces = []
        jobs = 0
        for sms in self.grouped("body").values():
            for ids in split_every(const.MAX_RECEIVERS_PER_JOB, sms.ids):
                if not jobs:
                    pieces.append([])
                    jobs = PIECE_JOBS
                pieces[-1] += ids
                jobs -= 1
        return pieces

    @api.model
    def _sms_ovh_commit_progress(self, count):
        """Report progress to the cron. See `ir.cron._commit_progress`.

        :param int count: SMS treated since the last time
        """
        remaining = self.search_count(
            self._sms_ovh_get_queue_domain(), limit=QUEUE_BATCH_SIZE
        )
        return self.env["ir.cron"]._commit_progress(count, remaining=remaining)

    # ------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_apply_results(self, results, account=None):
        """Write the outcomes of SMS on the SMS, their notifications and traces.

        :param list results: dicts as :meth:`SmsApiOvh._send_sms_batch` returns them,
            those of accepted SMS with the id of their job as ``sms_ovh_job_id``
        :param account: `sms.ovh.account` that answered, none if it was never asked
        """
        # Refresh the chatter once, at the end.
        self = self.with_context(sms_skip_msg_notification=True)
        accepted = []
        refused = defaultdict(list)
        for result in results:
            if result["state"] == "success":
                accepted.append(
                    (result["uuid"], result["sms_ovh_id"], result["sms_ovh_job_id"])
                )
            else:
                outcome = result["state"], result["failure_reason"]
                refused[outcome].append(result["uuid"])
        messages = self.env["mail.message"]
        if accepted:
            messages |= self._sms_ovh_set_accepted(accepted, account)
        for (state, reason), uuids in refused.items():
            messages |= self._sms_ovh_set_refused(uuids, state, reason, account)
        messages._notify_message_notification_update()

    # Writes on each SMS of a campaign are in SQL, a set at a time: the ORM makes one
    # write of each record with values of its own, and sends one row for each even if all
    # values are equal. That would be most of the time that sending takes.

    def _sms_ovh_set_claimed(self, job_ids, *, unlink_sent):
        """Write on SMS that they are in the outbox.

        :param dict job_ids: id of the `sms.ovh.job` by id of the SMS
        :param bool unlink_sent: whether they are deleted once they have left
        """
        self.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_sms
                   SET state = 'process', failure_type = NULL,
                       sms_ovh_job_id = claimed.job_id,
                       sms_ovh_unlink_sent = %(unlink_sent)s,
                       write_uid = %(uid)s, write_date = %(now)s
                  FROM unnest(%(ids)s::int[], %(job_ids)s::int[])
                       AS claimed (id, job_id)
                 WHERE sms_sms.id = claimed.id
             RETURNING mailing_id, CASE WHEN mail_message_id IS NULL THEN NULL ELSE uuid END
                """,
                ids=list(job_ids),
                job_ids=list(job_ids.values()),
                unlink_sent=unlink_sent,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        written = {
            "state": "process",
            "failure_type": None,
            "write_uid": self.env.uid,
            "write_date": self.env.cr.now(),
        }
        self.invalidate_model(
            [*written, "sms_ovh_job_id", "sms_ovh_unlink_sent"], flush=False
        )
        # Core writes the same values: without these in its cache, the ORM would write
        # all of them a second time.
        claimed = self.browse(job_ids)
        for name, value in written.items():
            self._fields[name]._insert_cache(claimed, repeat(value))
        # sudo: the campaign, for any user who sends. Core does this for its providers.
        mailings_sudo = (
            self.env["mailing.mailing"]
            .sudo()
            .browse({id_ for id_, __ in rows} - {None})
        )
        mailings_sudo.fetch(["state"])
        # Not if the state is draft or done, when only a few records are sent to: core
        # would compose the rest of the recipients, too.
        mailings_sudo.filtered(
            lambda mailing: mailing.state == "in_queue"
        ).state = "sending"
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo()._sms_ovh_set_claimed(
            [uuid for __, uuid in rows if uuid]
        )

    @api.model
    def _sms_ovh_set_accepted(self, accepted, account):
        """Write on SMS that OVHcloud accepted them.

        :param list accepted: UUID, OVHcloud's id and id of the `sms.ovh.job` of each
        :param account: `sms.ovh.account` that sent them
        :return: the `mail.message` that they are of
        """
        self.flush_model()
        uuids, ovh_ids, __ = zip(*accepted, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                WITH moved AS (
                    UPDATE sms_sms
                       SET state = 'pending', failure_type = NULL,
                           to_delete = COALESCE(sms_ovh_unlink_sent, TRUE),
                           sms_ovh_failure_reason = NULL, sms_ovh_id = accepted.id,
                           sms_ovh_account_id = %(account)s,
                           write_uid = %(uid)s, write_date = %(now)s
                      FROM unnest(%(uuids)s::varchar[], %(ids)s::varchar[])
                           AS accepted (uuid, id)
                     WHERE sms_sms.uuid = accepted.uuid AND state != 'sent'
                 RETURNING mail_message_id
                )
                SELECT mail_message_id FROM moved WHERE mail_message_id IS NOT NULL
                """,
                uuids=list(uuids),
                ids=list(ovh_ids),
                account=account.id,
                uid=self.env.uid,
                now=self.env.cr.now(),
            )
        )
        self.invalidate_model(flush=False)
        # sudo: trackers are technical records without access of their own.
        self.env["sms.tracker"].sudo()._sms_ovh_set_accepted(accepted, account)
        return self.env["mail.message"].browse({row[0] for row in rows})

    @api.model
    def _sms_ovh_set_refused(self, uuids, state, reason, account):
        """Write on SMS why they were not sent.

        :param list uuids: UUIDs
        :param str state: what `SmsApiOvh` calls the failure
        :param str|bool reason: sentence on the failure
        :param account: `sms.ovh.account` that refused them, none if it was never asked
        :return: the `mail.message` that they are of
        """
        sms = self.search([("uuid", "in", uuids), ("state", "!=", "sent")])
        failure_type = SmsApiOvh.PROVIDER_TO_SMS_FAILURE_TYPE.get(state, "unknown")
        # sudo: only the gateway writes this.
        sms.sudo().write(
            {
                "state": "error",
                "failure_type": failure_type,
                "sms_ovh_failure_reason": reason,
                "sms_ovh_id": False,
                "sms_ovh_account_id": account and account.id,
            }
        )
        # sudo: trackers are technical records without access of their own.
        trackers_sudo = self.env["sms.tracker"].sudo()
        trackers_sudo.search([("sms_uuid", "in", uuids)])._sms_ovh_set_refused(
            state, reason, account
        )
        return sms.mail_message_id

    def _sms_ovh_update(self, state, failure_type, failure_reason, ptt):
        """Move these SMS forward to the state of a delivery report.

        :param str state: state that the report means
        :param str|bool failure_type: why, where it is an error
        :param str|bool failure_reason: OVHcloud's words on it
        :param int ptt: OVHcloud's code
        :return: the SMS that moved
        """
        rank = const.STATE_RANK[state]
        moved = self.filtered(lambda sms: const.STATE_RANK[sms.state] < rank)
        # sudo: only the gateway writes this.
        moved.sudo().write(
            {
                "state": state,
                "failure_type": failure_type,
                "sms_ovh_failure_reason": failure_reason,
                "sms_ovh_ptt": ptt,
            }
        )
        return moved

    def resend_failed(self):
        """Override of `sms` to report how many SMS are resent: core counts others."""
        self.check_access("write")
        ovh_sms, others = self._sms_ovh_split()
        if others:
            return super().resend_failed()
        failed = ovh_sms.filtered(
            lambda sms: sms.state == "error" and not sms.to_delete
        )
        failed.action_set_outgoing()
        failed.send()
        refused = failed.filtered(lambda sms: sms.state == "error")
        if not failed:
            kind, message = "danger", self.env._("There are no failed SMS to resend.")
        elif refused:
            kind = "warning"
            message = self.env._(
                "SMS sent again: %(sent)s of %(total)s. Open the others to see what to"
                " correct.",
                sent=len(failed) - len(refused),
                total=len(failed),
            )
        else:
            kind = "success"
            message = self.env._("SMS sent again: %s.", len(failed))
        return notify(message, kind, sticky=False)

    # ------------------------------------------------------------
    # When it leaves
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_hold(self, groups, numbers):
        """Hold SMS that may not leave now.

        :param list groups: of :class:`Alike`, decided
        :param dict numbers: see :meth:`_sms_ovh_read_numbers`
        :return: the others; what keeps quiet hours by the country whose hours count,
            since those of one country are held together, see `sms.ovh.job._hold_closed`
        :rtype: list[Alike]
        """
        now = fields.Datetime.now()
        left = []
        held = defaultdict(list)
        for group in groups:
            company = group.company
            marketing = group.decision.kind == "marketing"
            if not marketing or not company.sms_ovh_quiet_hours:
                left.append(group)
                continue
            ids_by_code = defaultdict(list)
            for id_ in group.sms.ids:
                code = get_country_code(numbers[id_].number)
                ids_by_code[code or company.country_id.code].append(id_)
            for code, ids in ids_by_code.items():
                opening = company._sms_ovh_get_opening(now, code)
                if opening > now:
                    held[opening] += ids
                else:
                    sms = group.sms.browse(ids).with_prefetch(group.sms._prefetch_ids)
                    left.append(group._replace(sms=sms, country_code=code))
        for opening, ids in held.items():
            # sudo: only the gateway writes this.
            self.browse(ids).sudo().write(
                {"sms_ovh_send_at": opening, "sms_ovh_wanted_at": now}
            )
        self._sms_ovh_trigger_at(held)
        return left

    @api.model
    def _sms_ovh_trigger_at(self, moments):
        """Trigger the queue at these moments, except for past ones.

        :param moments: datetimes in UTC, in any number
        """
        now = fields.Datetime.now()
        moments = {moment for moment in moments if moment and moment > now}
        if moments:
            self.env["sms.ovh.job"]._trigger_at(
                "sms.ir_cron_sms_scheduler_action", moments
            )

    @api.model
    def _sms_ovh_release(self, companies):
        """Release SMS held for quiet hours after those changed: each is checked again.

        :param companies: `res.company` whose hours changed
        """
        self.flush_model()
        # In SQL, since all SMS of a campaign may wait.
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE sms_sms
                   SET sms_ovh_send_at = sms_ovh_wanted_at, sms_ovh_wanted_at = NULL
                 WHERE state = 'outgoing' AND sms_ovh_wanted_at IS NOT NULL
                   AND record_company_id = ANY(%s)
             RETURNING sms_ovh_send_at
                """,
                companies.ids,
            )
        )
        self.invalidate_model(["sms_ovh_send_at", "sms_ovh_wanted_at"], flush=False)
        moments = {row[0] for row in rows}
        self._sms_ovh_trigger_at(moments)
        if any(moment <= fields.Datetime.now() for moment in moments):
            # sudo: a scheduled action, for the user who changes the settings.
            self.env.ref("sms.ir_cron_sms_scheduler_action").sudo()._trigger()
        self.env["sms.ovh.job"]._release(companies)

    # ------------------------------------------------------------
    # Opt-outs after the SMS was queued
    # ------------------------------------------------------------

    @api.model
    def _sms_ovh_leave_out_blacklisted(self, groups, numbers):
        """Cancel SMS whose numbers are on Odoo's blacklist now.

        As in core, which looks when it composes: marketing SMS, and those of campaigns
        that heed the blacklist. What somebody writes on a record, or a reminder, goes
        out: it is no advertising.

        :param list groups: of :class:`Alike`, decided
        :param dict numbers: see :meth:`_sms_ovh_read_numbers`
        :return: the others
        :rtype: list[Alike]
        """
        heeded = {}
        for group in groups:
            if (
                group.mailing.use_exclusion_list
                if group.mailing
                else group.decision.kind == "marketing"
            ):
                heeded.update((id_, numbers[id_].number) for id_ in group.sms.ids)
        reasons = self.env["sms.ovh.stop"]._find_stopped(set(heeded.values()))
        return self._sms_ovh_leave_out(
            groups,
            {
                id_: reasons[number]
                for id_, number in heeded.items()
                if number in reasons
            },
        )

    @api.model
    def _sms_ovh_leave_out_opted_out(self, groups):
        """Cancel SMS whose recipients opted out of the campaign's lists.

        :param list groups: of :class:`Alike`, decided
        :return: the others
        :rtype: list[Alike]
        """
        ids = [id_ for group in groups if group.mailing for id_ in group.sms.ids]
        if not ids:
            return groups
        # sudo: recipients of a campaign, for any user who sends.
        Sms = self.sudo()
        opted_out = Sms.browse()
        campaigns = Sms._read_group(
            [("id", "in", ids)], ["mailing_id"], ["create_date:min", "id:recordset"]
        )
        for mailing_sudo, since, sms_sudo in campaigns:
            res_ids = mailing_sudo._sms_ovh_find_opted_out(since)
            if res_ids:
                opted_out += sms_sudo.filtered(
                    lambda sms, res_ids=res_ids: (
                        res_ids & set(sms.mailing_trace_ids.mapped("res_id"))
                    )
                )
        return self._sms_ovh_leave_out(
            groups, dict.fromkeys(opted_out.ids, "sms_optout")
        )

    @api.model
    def _sms_ovh_leave_out(self, groups, reasons):
        """Cancel SMS.

        :param list groups: of :class:`Alike`
        :param dict reasons: failure type by the id of the SMS that are to be cancelled
        :return: the others
        :rtype: list[Alike]
        """
        if not reasons:
            return groups
        # sudo: the recipients want none, whatever the rights of the user who sends.
        stopped_sudo = self.sudo().browse(reasons)
        for reason, sms_sudo in stopped_sudo.grouped(
            lambda sms: reasons[sms.id]
        ).items():
            sms_sudo._sms_ovh_set_canceled(reason)
        return [
            group._replace(sms=group.sms - stopped_sudo.with_env(self.env))
            for group in groups
        ]

import hashlib
import json
import logging
from datetime import datetime, time, timedelta
from functools import cache
from typing import NamedTuple

import pytz

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL
from odoo.tools.misc import formatLang

from .. import const
from ..sms_api import SmsApiOvh
from ..tools.credits import format_credits
from ..tools.gsm7_filling import OFF
from ..tools.links import append_visitor
from ..tools.number_country import get_country_code
from ..tools.phone_number import MAX_DIGITS
from ..tools.sms_segments import is_blank
from .mail_render_mixin import RenderedTexts, ShortLinks

_logger = logging.getLogger(__name__)


class NumbersSentTo(set):
    """Numbers that already got a campaign; a context can carry them by the thousand.

    An environment compares its context with those of others, and outlives what it was
    made for. It must neither look at each number nor keep a copy of them.
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__


class RenderedSms(NamedTuple):
    """The SMS that a recipient of a campaign gets.

    :param int res_id: the recipient's id in the campaign's model
    :param str|bool number: in E.164, or as stored if it is no number
    :param str text: as it is sent, without the STOP clause
    :param str|bool reason: failure type if the recipient gets nothing, else False
    :param dict|None texts: the text by each choice of what is written in GSM-7; None if
        all are the same
    :param bool several: whether the field held more than one number
    :param int|bool sender_id: `sms.ovh.sender` that it comes from
    :param bool stop_clause: whether OVHcloud appends the STOP clause
    """

    res_id: int
    number: str
    text: str
    reason: str
    texts: dict | None = None
    several: bool = False
    sender_id: int | bool = False
    stop_clause: bool = False


class MailingMailing(models.Model):
    """Estimating a campaign before it is sent: recipients, texts, SMS and cost."""

    _inherit = "mailing.mailing"

    sms_ovh_estimate_ids = fields.One2many(
        "sms.ovh.estimate", "mailing_id", string="Estimates"
    )
    sms_ovh_estimate_id = fields.Many2one(
        "sms.ovh.estimate", string="Estimate", compute="_compute_sms_ovh_estimate_id"
    )
    sms_ovh_estimate_stale = fields.Boolean(
        string="Estimate Out of Date", compute="_compute_sms_ovh_estimate_stale"
    )
    sms_ovh_estimate_found = fields.Json(
        string="What the Estimate Found", compute="_compute_sms_ovh_estimate_found"
    )
    sms_ovh_estimate_summary = fields.Char(
        string="Estimate in Short", compute="_compute_sms_ovh_estimate_summary"
    )

    sms_ovh_outlook = fields.Char(
        string="When It Is Sent",
        compute="_compute_sms_ovh_outlook",
        help="What happens when Send is pressed: about, until it is estimated.",
    )

    # ------------------------------------------------------------
    # Fields
    # ------------------------------------------------------------

    @api.depends("sms_ovh_estimate_ids")
    def _compute_sms_ovh_estimate_id(self):
        for mailing in self:
            mailing.sms_ovh_estimate_id = mailing.sms_ovh_estimate_ids[:1]

    @api.depends(
        "sms_ovh_estimate_ids.fingerprint",
        "body_plaintext",
        "sms_template_id",
        "mailing_model_id",
        "mailing_domain",
        "contact_list_ids",
        "sms_allow_unsubscribe",
        "use_exclusion_list",
        "ab_testing_enabled",
        "ab_testing_pc",
        "sms_ovh_company_id.sms_ovh_skip_landlines",
        "sms_ovh_account_id",
        "sms_ovh_sender_id",
        "sms_ovh_stop_clause",
        "sms_ovh_gsm7",
        "user_id",
    )
    def _compute_sms_ovh_estimate_stale(self):
        for mailing in self:
            estimate = mailing.sms_ovh_estimate_id
            mailing.sms_ovh_estimate_stale = bool(
                estimate
                and mailing.state == "draft"
                and estimate.fingerprint != mailing._sms_ovh_get_fingerprint()
            )

    @api.depends("sms_ovh_estimate_stale", "sms_ovh_estimate_ids.state")
    def _compute_sms_ovh_estimate_found(self):
        """Give the counter what holds for every recipient, while the estimate is valid.

        Only the estimate knows what placeholders fill in: ``gsm7``, whether all get
        GSM-7, and how many SMS parts they get, from ``least`` to ``most``.
        """
        for mailing in self:
            estimate = mailing.sms_ovh_estimate_id
            mailing.sms_ovh_estimate_found = False
            if (
                estimate.state == "done"
                and estimate.sent_count
                and not mailing.sms_ovh_estimate_stale
            ):
                sizes = estimate.line_ids.filtered(lambda line: line.kind == "size")
                segments = sizes.mapped("segments")
                mailing.sms_ovh_estimate_found = {
                    "gsm7": not estimate.unicode_count,
                    "least": min(segments),
                    "most": max(segments),
                }

    @api.depends(
        "sms_ovh_estimate_stale",
        "sms_ovh_estimate_ids.state",
        "sms_ovh_estimate_ids.treated",
        "sms_ovh_outlook",
    )
    @api.depends_context("lang", "tz")
    def _compute_sms_ovh_estimate_summary(self):
        for mailing in self:
            estimate = mailing.sms_ovh_estimate_id
            if not estimate or mailing.state != "draft":
                mailing.sms_ovh_estimate_summary = False
            elif mailing.sms_ovh_estimate_stale:
                mailing.sms_ovh_estimate_summary = self.env._(
                    "The estimate is out of date: the text, the recipients or the"
                    " settings have changed."
                )
            elif estimate.state == "running":
                mailing.sms_ovh_estimate_summary = self.env._(
                    "Estimate: recipients looked at: %(treated)s of %(total)s.",
                    treated=estimate.treated,
                    total=estimate.total,
                )
            elif estimate.state == "cancelled":
                mailing.sms_ovh_estimate_summary = self.env._(
                    "The estimate was stopped."
                )
            elif estimate.state == "failed":
                mailing.sms_ovh_estimate_summary = estimate.error
            else:
                mailing.sms_ovh_estimate_summary = self.env._(
                    "%(outlook)s (estimated at %(time)s)",
                    outlook=mailing.sms_ovh_outlook or "",
                    time=fields.Datetime.context_timestamp(
                        mailing, estimate.date_done
                    ).strftime("%H:%M"),
                ).strip()

    @api.depends(
        "state",
        "mailing_type",
        "sms_ovh_estimate_stale",
        "sms_ovh_estimate_ids.state",
        "sms_ovh_leaves",
        "sms_ovh_sender_id",
        "sms_segments",
    )
    @api.depends_context("lang", "tz")
    def _compute_sms_ovh_outlook(self):
        """Sum up in one line what happens when Send is pressed."""
        self.sms_ovh_outlook = False
        for mailing in self.filtered(
            lambda mailing: mailing.mailing_type == "sms" and mailing.state == "draft"
        ):
            # sudo: sender and price of the account that sends.
            account_sudo = mailing.sudo().sms_ovh_account_id
            if not account_sudo or not (mailing.body_plaintext or "").strip():
                continue
            estimate = mailing.sms_ovh_estimate_id
            exact = estimate.state == "done" and not mailing.sms_ovh_estimate_stale
            if exact:
                recipients, segments = estimate.sent_count, estimate.segment_count
                charged = estimate.credits
            else:
                recipients = mailing._sms_ovh_count_seen()
                if recipients < 0:
                    continue  # the recipients may not be read
                segments = charged = recipients * (mailing.sms_segments or 1)
            values = {
                "recipients": recipients,
                "segments": segments,
                "credits": format_credits(self.env, charged),
            }
            parts = [
                self.env._("Recipients: %(recipients)s", **values),
                self.env._("SMS: %(segments)s", **values),
                self.env._("Credits: %(credits)s", **values),
            ]
            if account_sudo.credit_price:
                parts.append(
                    formatLang(
                        self.env,
                        charged * account_sudo.credit_price,
                        currency_obj=account_sudo.currency_id,
                    )
                )
            if mailing.sms_ovh_sender_id:
                parts.append(
                    self.env._(
                        "From: %s", mailing.sudo().sms_ovh_sender_id.display_name
                    )
                )
            if not mailing.sms_ovh_leaves:
                parts.append(self.env._("Leaves at once"))
            line = " · ".join(parts)
            mailing.sms_ovh_outlook = (
                line if exact else self.env._("About, until estimated: %s", line)
            )

    def _sms_ovh_get_fingerprint(self):
        """Return a digest of what decides who gets what, as far as a quick look shows.

        It does not cover recipients who opt out or are changed meanwhile.

        :rtype: str
        """
        self.ensure_one()
        # sudo: the language of a user, and the settings of the company that sends.
        self_sudo = self.sudo()
        company_sudo = self_sudo.sms_ovh_company_id
        facts = [
            (self.body_plaintext or "").strip(),
            self.sms_template_id.id,
            self.mailing_model_id.id,
            repr(self._parse_mailing_domain()),
            sorted(self.contact_list_ids._origin.ids),
            self._sms_ovh_count_seen(),
            bool(self.sms_allow_unsubscribe),
            bool(self.use_exclusion_list),
            bool(self.ab_testing_enabled)
            and [
                self.ab_testing_pc,
                self.ab_testing_is_winner_mailing,
            ],
            self.user_id.id,
            self_sudo.user_id.lang,
            company_sudo.id,
            company_sudo.sms_ovh_skip_landlines,
            self_sudo.sms_ovh_account_id.id,
            self.sms_ovh_sender_id.id,
            sorted(
                (line.country_id.code, line.sender_id.id)
                for line in self_sudo.sms_ovh_account_id.sender_country_ids
            ),
            bool(self.sms_ovh_stop_clause),
            self.sms_ovh_gsm7,
        ]
        return hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()

    def _sms_ovh_count_seen(self):
        """Return roughly how many recipients there are, -1 if they may not be read."""
        try:
            return self._sms_ovh_count_recipients()
        except AccessError:
            return -1

    def _sms_ovh_has_fresh_estimate(self):
        """Return whether there is an estimate that still holds and is recent."""
        self.ensure_one()
        estimate = self.sms_ovh_estimate_id
        return (
            estimate.state == "done"
            and estimate.date_done > fields.Datetime.now() - const.ESTIMATE_FRESH
            and estimate.fingerprint == self._sms_ovh_get_fingerprint()
        )

    def _sms_ovh_is_estimated(self):
        """Return whether this campaign has an estimate that still holds."""
        self.ensure_one()
        return (
            self.mailing_type == "sms"
            and self.state == "draft"
            and self.sms_ovh_estimate_id.state == "done"
            and not self.sms_ovh_estimate_stale
        )

    def _sms_ovh_get_missing_sentence(self):
        """Return the warning if the estimate exceeds the credits left, or False."""
        self.ensure_one()
        estimate = self.sms_ovh_estimate_id
        # sudo: the SMS left of the account that sends.
        account_sudo = self.sudo().sms_ovh_account_id
        left = account_sudo._get_credits_to_spend() if account_sudo else None
        if left is None or estimate.credits <= left:
            return False
        return self.env._(
            "Credits that this campaign takes: %(needed)s; left: %(left)s. What they"
            " cannot pay for waits until somebody buys a pack at OVHcloud.",
            needed=format_credits(self.env, estimate.credits),
            left=format_credits(self.env, left),
        )

    # ------------------------------------------------------------
    # Who gets what
    # ------------------------------------------------------------

    def _sms_ovh_as_sent(self, reader=None):
        """Return this campaign as it is sent: with its author's rights.

        Its language is that of the responsible user, and numbers without a country are
        read as those of the sending company.

        :param reader: `res.users` who looks at it, whose rights then apply instead
        :raise AccessError: if that user may not send for the campaign's company
        """
        self.ensure_one()
        theirs = self._sms_ovh_with_user(reader) if reader else None
        theirs = theirs or self._sms_ovh_with_author()
        # sudo: the language of a user.
        mailing_sudo = self.sudo()
        user_sudo = mailing_sudo.user_id or mailing_sudo.write_uid or self.env.user
        context = self.env["res.users"].with_user(user_sudo).context_get()
        return theirs.with_context(**context)

    def _sms_ovh_get_everyone(self):
        """Return the ids of all recipients of the campaign, in its order."""
        self.ensure_one()
        if not self.mailing_model_real:
            return []
        return self._sms_ovh_search_recipients().ids

    def _sms_ovh_get_next_id(self):
        """Return the id that the next SMS gets, which its short links contain."""
        # PostgreSQL's own sequence, not one of Odoo's; this does not take a number.
        ((next_id,),) = self.env.execute_query(
            SQL("SELECT last_value + is_called::int FROM sms_sms_id_seq")
        )
        return next_id

    def _get_recipients(self):
        """Override of `mass_mailing` to choose the share of an A/B test once for all.

        The author's rights apply: core's scheduled action has all rights.

        Core draws the share anew on every call. What was estimated would then not be
        what is sent, and a campaign composed in slices would draw until all have it.
        """
        # sudo: users who may send SMS need not be allowed to see the account.
        if self.mailing_type != "sms" or not self.sudo().sms_ovh_account_id:
            return super()._get_recipients()
        everyone = self._sms_ovh_get_everyone()
        if not self.ab_testing_enabled or self.ab_testing_is_winner_mailing:
            return everyone
        share = int(len(everyone) / 100.0 * self.ab_testing_pc)
        traces = self.env["mailing.trace"].search_fetch(
            [
                ("campaign_id", "=", self.campaign_id.id),
                ("mass_mailing_id", "!=", self.id),
                ("model", "=", self.mailing_model_real),
                ("is_test_trace", "=", False),
            ]
            if self.campaign_id
            else [("id", "=", False)],
            ["res_id"],
        )
        taken = set(traces.mapped("res_id"))
        free = [res_id for res_id in everyone if res_id not in taken]
        drawn = sorted(
            free,
            key=lambda res_id: hashlib.sha256(f"{self.id},{res_id}".encode()).digest(),
        )
        drawn = set(drawn[: max(share, 1)])
        return [res_id for res_id in free if res_id in drawn]

    def _get_remaining_recipients(self):
        """Override of `mass_mailing`, which leaves out recipients that tests used."""
        # sudo: users who may send SMS need not be allowed to see the account.
        if self.mailing_type != "sms" or not self.sudo().sms_ovh_account_id:
            return super()._get_remaining_recipients()
        mailings = self
        if self.ab_testing_enabled and self.ab_testing_is_winner_mailing:
            mailings |= self._get_ab_testing_siblings_mailings()
        traces = self.env["mailing.trace"].search_fetch(
            [
                ("mass_mailing_id", "in", mailings.ids),
                ("model", "=", self.mailing_model_real),
                ("is_test_trace", "=", False),
            ],
            ["res_id"],
        )
        done = set(traces.mapped("res_id"))
        return [res_id for res_id in self._get_recipients() if res_id not in done]

    def _sms_ovh_prepare_composer(self, res_ids):
        """Return the composer that makes the SMS of some recipients, unsaved."""
        self.ensure_one()
        composer = self.env["sms.composer"].with_context(active_id=False)
        return composer.new(self._sms_ovh_prepare_composer_values(res_ids))

    def _sms_ovh_render(self, res_ids, seen=(), sms_id=None):
        """Return what each recipient gets, using the code that composes the campaign.

        Nothing is written: no link tracker, no trace.

        :param list res_ids: ids of records of the campaign's model, in order
        :param seen: numbers that got the campaign before these
        :param int sms_id: id that the first SMS will have, by default the next one
        :rtype: list[RenderedSms]
        :raise SmsOvhTextFails: if a placeholder cannot be filled
        """
        self.ensure_one()
        texts = RenderedTexts()
        mailing = self.with_context(
            sms_ovh_links=ShortLinks(look_only=True), sms_ovh_texts=texts
        )
        sms_id = sms_id or self._sms_ovh_get_next_id()
        records, values = mailing._sms_ovh_prepare_sms(res_ids, seen)
        account_sudo = self.sudo().sms_ovh_account_id
        chosen = self.sms_ovh_sender_id or account_sudo.default_sender_id
        get_api = cache(self._sms_ovh_get_sender_api)
        base_url = self.env["sms.sms"].get_base_url()
        tracker_values = mailing._get_link_tracker_values()
        rendered = []
        # What sending would refuse, depending only on this text and sender.
        find_refusal = cache(
            lambda text, sender: const.PROVIDER_TO_SMS_FAILURE_TYPE.get(
                get_api(sender)._check_text(text), False
            )
        )
        several = self._sms_ovh_find_several(records)
        for record in records:
            sms = values[record.id]
            text = sms["body"] or ""
            others = None
            if record.id in texts:
                others = mailing._sms_ovh_complete_texts(
                    texts[record.id], text, tracker_values, base_url, sms_id
                )
            sender = account_sudo._get_sender_for(
                get_country_code(sms["number"]), chosen
            )
            if sms["state"] != "outgoing":
                reason = sms["failure_type"]
            else:
                text = append_visitor(text, base_url, sms_id)
                reason = find_refusal(text, sender)
                sms_id += 1
            rendered.append(
                RenderedSms(
                    record.id,
                    sms["number"],
                    text,
                    reason,
                    others,
                    record.id in several,
                    sender.id,
                    get_api(sender).stop_clause,
                )
            )
        return rendered

    def _sms_ovh_prepare_sms(self, res_ids, seen):
        """Return the recipients, and the values that composing would give their SMS.

        :param list res_ids: ids of records of the campaign's model, in order
        :param seen: numbers that got the campaign before these
        :rtype: tuple[odoo.models.Model, dict]
        """
        if not isinstance(seen, NumbersSentTo):
            seen = NumbersSentTo(seen)
        mailing = self.with_context(sms_ovh_seen_numbers=seen)
        records = mailing.env[self.mailing_model_real].browse(res_ids)
        composer = mailing._sms_ovh_prepare_composer(res_ids)
        with composer._sms_ovh_naming_failure(records):
            return records, composer._prepare_mass_sms_values(records)

    def _sms_ovh_get_sender_api(self, sender):
        """Return the provider that sends an SMS of this campaign from a sender.

        :param sender: `sms.ovh.sender`
        :rtype: SmsApiOvh
        """
        marketing = self.sms_ovh_kind == "marketing"
        return SmsApiOvh(
            self.env,
            # sudo: the service and its keys, which are shown to nobody.
            account=self.sudo().sms_ovh_account_id,
            stop_clause=marketing and sender.has_stop_clause,
            sender=sender,
        )

    def _sms_ovh_complete_texts(self, texts, text, tracker_values, base_url, sms_id):
        """Return what one recipient gets with each choice of replacing characters.

        :param dict texts: the rendered text by choice, links as they were written
        :param str text: the composed text with the campaign's own choice
        :param dict tracker_values: of the campaign's short links
        :param str base_url: address of links
        :param int sms_id: id that the SMS will have
        :rtype: dict
        """
        shorten = self.env["mail.render.mixin"]._shorten_links_text
        shortened = {
            choice: shorten(other, tracker_values) for choice, other in texts.items()
        }
        # What composing added: the opt-out link.
        end = text[len(shortened[self.sms_ovh_gsm7 or OFF]) :]
        return {
            choice: append_visitor(other + end, base_url, sms_id)
            for choice, other in shortened.items()
        }

    def _sms_ovh_find_several(self, records):
        """Return the ids of the records that have several numbers in one field.

        :rtype: set[int]
        """
        names = [name for name in records._phone_get_number_fields() if name in records]
        several = set()
        for record in records:
            for name in names:
                typed = record[name] or ""
                # Two numbers are too long for one: this check settles most cases.
                if len(typed) > MAX_DIGITS:
                    country = record._phone_get_country().get(record.id)
                    found = self.env.company._sms_ovh_clean_number(
                        typed, country.code if country else None
                    )
                    if found.notes and found.notes[0] == "several":
                        several.add(record.id)
        return several

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def _sms_ovh_check_estimable(self):
        """Refuse a campaign that cannot be estimated, previewed or sent.

        :raise UserError: saying what to do
        """
        self.ensure_one()
        self.check_access("write")
        # sudo: users who may send SMS need not be allowed to see the account.
        if self.mailing_type != "sms" or not self.sudo().sms_ovh_account_id:
            raise UserError(self.env._("This campaign is not sent with OVHcloud."))
        if not self.mailing_model_real:
            raise UserError(self.env._("Choose the recipients first."))
        text = self.body_plaintext or ""
        if len(text) > const.MAX_TEXT_LENGTH:
            raise UserError(
                self.env._(
                    "This text has %(count)s characters, placeholders included; %(max)s"
                    " are possible. Shorten it.",
                    count=len(text),
                    max=const.MAX_TEXT_LENGTH,
                )
            )
        if is_blank(self.body_plaintext):
            raise UserError(self.env._("Write the text first."))

    def action_sms_ovh_estimate(self):
        """Start an estimate of the campaign, and show it."""
        self._sms_ovh_check_estimable()
        self.env["sms.ovh.estimate"]._start(self)
        return self._sms_ovh_open_send("estimate")

    def action_sms_ovh_show_estimate(self):
        """Show the estimate, finished or still running."""
        self._sms_ovh_check_estimable()
        return self._sms_ovh_open_send("estimate")

    def action_sms_ovh_send(self):
        """Ask to confirm the sending, showing the estimate."""
        return self._sms_ovh_confirm("now" if self.sms_force_send else "send")

    def action_sms_ovh_schedule(self):
        """Ask when to send, showing the estimate."""
        return self._sms_ovh_confirm("schedule")

    def _sms_ovh_confirm(self, mode):
        self._sms_ovh_check_estimable()
        self._sms_ovh_check_not_sent()
        self._sms_ovh_check_sendable()
        estimate = self.sms_ovh_estimate_id
        goes_on = (
            estimate.state == "running"
            and estimate.fingerprint == self._sms_ovh_get_fingerprint()
        )
        # Small lists are estimated at once: better a new figure than an hour-old one.
        small = estimate.total <= const.ESTIMATE_AT_ONCE
        if not goes_on and (small or not self._sms_ovh_has_fresh_estimate()):
            self.env["sms.ovh.estimate"]._start(self)
        return self._sms_ovh_open_send(mode)

    def _sms_ovh_check_not_sent(self):
        """Refuse a campaign that somebody is already sending, or has sent.

        :raise UserError: saying who
        """
        self.ensure_one()
        if self.state != "draft":
            raise UserError(
                self.env._(
                    "This campaign is being sent already, or was sent: %s did so. It is"
                    " not sent twice.",
                    # sudo: a colleague's name.
                    self.sudo().write_uid.name,
                )
            )

    def _sms_ovh_open_send(self, mode):
        send = self.env["sms.ovh.mailing.send"].create(
            {
                "mailing_id": self.id,
                "mode": mode,
                "schedule_date": self.schedule_date
                if mode != "schedule"
                else self._sms_ovh_get_schedule_date(),
            }
        )
        return send._open()

    def _sms_ovh_get_schedule_date(self):
        """Return the date to propose for sending this campaign.

        That is the date that was chosen, or tomorrow at ten by the user's clock, within
        the sending company's hours.

        :rtype: datetime
        """
        self.ensure_one()
        now = fields.Datetime.now()
        if self.schedule_date and self.schedule_date > now:
            return self.schedule_date
        tomorrow = fields.Date.context_today(self) + timedelta(days=1)
        local = self.env.tz.localize(datetime.combine(tomorrow, time(10)))
        date = local.astimezone(pytz.utc).replace(tzinfo=None)
        if self.sms_ovh_kind != "marketing":
            return date
        # sudo: the hours of the company that sends.
        return self.sudo().sms_ovh_company_id._sms_ovh_get_opening(date) or date

    def action_sms_ovh_preview(self):
        """Show this campaign as a phone displays it."""
        self._sms_ovh_check_estimable()
        preview = self.env["sms.ovh.preview"].create({"mailing_id": self.id})
        return preview._open()

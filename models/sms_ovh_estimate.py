import logging
import time
from collections import Counter, defaultdict
from datetime import timedelta
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools.constants import GC_UNLINK_LIMIT

from .. import const
from ..mixins.sms_ovh_counter_mixin import SmsOvhTextFails
from ..tools import transaction
from ..tools.gsm7_filling import OFF
from ..tools.number_country import get_country_code
from ..tools.sms_segments import UNICODE, count_segments
from .mailing_mailing_estimate import NumbersSentTo

_logger = logging.getLogger(__name__)


class Sums(NamedTuple):
    """What the slices of an estimate come to."""

    excluded: dict  # number and first ids of those who get nothing, by reason
    several: list  # ids of those who get several
    sizes: Counter  # recipients by segments
    countries: dict  # the same by country and sender
    choices: dict  # what each choice of replacing characters would take
    examples: dict  # a number of each country


class SmsOvhEstimate(models.Model):
    """What sending a campaign would come to, counted recipient by recipient.

    Each is treated by the code that composes the campaign, so that what it says is what
    is sent. Small lists are done while the user waits, large ones by a cron, a slice of
    recipients at a time: each slice is a row of its own until all are there.
    """

    _name = "sms.ovh.estimate"
    _description = "Estimate of an SMS Campaign"
    _rec_name = "mailing_id"
    _order = "id desc"

    mailing_id = fields.Many2one(
        "mailing.mailing",
        string="Campaign",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    account_id = fields.Many2one(
        "sms.ovh.account", required=True, readonly=True, index=True, ondelete="cascade"
    )
    user_id = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [
            ("running", "Being Computed"),
            ("done", "Done"),
            ("cancelled", "Stopped"),
            ("failed", "Failed"),
        ],
        required=True,
        default="running",
        readonly=True,
    )
    fingerprint = fields.Char(
        readonly=True, help="Of all that the campaign was on computing."
    )
    # Read by itself only: it is long.
    res_ids = fields.Json(
        string="Records", prefetch=False, readonly=True, groups=fields.NO_ACCESS
    )
    first_sms_id = fields.Integer(string="First SMS's ID", readonly=True)
    total = fields.Integer(string="Recipients", readonly=True)
    treated = fields.Integer(string="Looked At", readonly=True)
    sent_count = fields.Integer(string="Will Receive It", readonly=True)
    excluded_count = fields.Integer(string="Left Out", readonly=True)
    segment_count = fields.Integer(string="SMS", readonly=True)
    credits = fields.Float(string="SMS Charged", digits=(16, 2), readonly=True)
    unicode_count = fields.Integer(string="Get It in Unicode", readonly=True)
    # What writing in GSM-7 saves, and what the best choice would save besides.
    gsm7_saved_segments = fields.Integer(string="SMS Saved", readonly=True)
    gsm7_saved_credits = fields.Float(
        string="Credits Saved", digits=(16, 2), readonly=True
    )
    gsm7_better = fields.Selection(
        const.GSM7_CHOICES, string="What Would Save More", readonly=True
    )
    gsm7_better_segments = fields.Integer(string="SMS to Save", readonly=True)
    gsm7_better_credits = fields.Float(
        string="Credits to Save", digits=(16, 2), readonly=True
    )
    error = fields.Char(string="Failure", readonly=True)
    error_res_id = fields.Integer(string="Record That Fails", readonly=True)
    rates_error = fields.Char(string="Missing Rates", readonly=True)
    longest_res_id = fields.Integer(string="Record of the Longest Text", readonly=True)
    longest_segments = fields.Integer(string="SMS of the Longest Text", readonly=True)
    date_done = fields.Datetime(string="Computed On", readonly=True)
    line_ids = fields.One2many("sms.ovh.estimate.line", "estimate_id", readonly=True)
    slice_ids = fields.One2many(
        "sms.ovh.estimate.slice",
        "estimate_id",
        string="Parts",
        groups=fields.NO_ACCESS,
    )

    _mailing_unique = models.Constraint(
        "unique(mailing_id)", "A campaign has one estimate."
    )

    # ------------------------------------------------------------
    # Beginning and ending
    # ------------------------------------------------------------

    @api.model
    def _start(self, mailing):
        """Begin the estimate of a campaign anew; a small list's is finished at once.

        :param mailing: `mailing.mailing` that OVHcloud sends
        :return: the estimate, of the environment's user
        """
        # sudo: estimates are nobody's to write but what computes them.
        estimate_sudo = self.sudo().search([("mailing_id", "=", mailing.id)])
        if estimate_sudo:
            estimate_sudo.slice_ids.unlink()
            estimate_sudo.line_ids.unlink()
        else:
            estimate_sudo = estimate_sudo.create(
                {
                    "mailing_id": mailing.id,
                    "account_id": mailing.sudo().sms_ovh_account_id.id,
                }
            )
        sending = mailing._sms_ovh_as_sent()
        everyone = sending._sms_ovh_get_everyone()
        res_ids = sending._get_remaining_recipients()
        values = {
            "account_id": mailing.sudo().sms_ovh_account_id.id,
            "user_id": self.env.uid,
            "state": "running",
            "fingerprint": mailing._sms_ovh_get_fingerprint(),
            "res_ids": res_ids,
            "first_sms_id": sending._sms_ovh_get_next_id(),
            "total": len(everyone),
            "treated": len(everyone) - len(res_ids),
            "date_done": False,
            **dict.fromkeys(
                (
                    "sent_count",
                    "excluded_count",
                    "segment_count",
                    "credits",
                    "longest_res_id",
                    "longest_segments",
                    "error_res_id",
                    "unicode_count",
                    "gsm7_saved_segments",
                    "gsm7_saved_credits",
                    "gsm7_better_segments",
                    "gsm7_better_credits",
                ),
                0,
            ),
            **dict.fromkeys(("error", "rates_error", "gsm7_better"), False),
        }
        estimate_sudo.write(values)
        estimate_sudo._add_others(sending, set(everyone) - set(res_ids))
        if len(res_ids) <= const.ESTIMATE_AT_ONCE:
            while estimate_sudo.state == "running":
                estimate_sudo._step()
        else:
            self.env.ref("sms_ovh.ir_cron_estimate")._trigger()
        return estimate_sudo.sudo(self.env.su)

    def _add_others(self, mailing, res_ids):
        """Note who is not written to any more, or not by this version of an A/B test."""
        self.ensure_one()
        if not res_ids:
            return
        mailings = mailing
        if mailing.ab_testing_enabled:
            mailings |= mailing._get_ab_testing_siblings_mailings()
        traces = mailing.env["mailing.trace"].search_fetch(
            [
                ("mass_mailing_id", "in", mailings.ids),
                ("model", "=", mailing.mailing_model_real),
                ("is_test_trace", "=", False),
            ],
            ["res_id"],
        )
        already = res_ids & set(traces.mapped("res_id"))
        excluded = {"already": already, "not_sampled": res_ids - already}
        self.slice_ids.create(
            {
                "estimate_id": self.id,
                "result": {
                    "excluded": {
                        reason: [len(ids), sorted(ids)[: const.ESTIMATE_KEPT_IDS]]
                        for reason, ids in excluded.items()
                        if ids
                    }
                },
            }
        )

    def action_cancel(self):
        """Stop computing; it can be started again."""
        self.mailing_id.check_access("write")
        # sudo: see `_start`.
        running_sudo = self.sudo().filtered(
            lambda estimate: estimate.state == "running"
        )
        running_sudo.write({"state": "cancelled", "res_ids": False})
        # It starts from the beginning, and nobody's number is kept for nothing.
        running_sudo.slice_ids.unlink()

    # ------------------------------------------------------------
    # Computing
    # ------------------------------------------------------------

    @api.model
    def _cron_compute(self):
        """Compute what is asked for, a slice at a time and each committed.

        One that is killed goes on with the slice that it was at.
        """
        deadline = time.monotonic() + const.CRON_SECONDS
        domain = [("state", "=", "running")]
        seen = {}
        # In turn, so that a large list does not keep a small one waiting.
        while estimate := self.search(domain, order="write_date, id", limit=1):
            if time.monotonic() > deadline:
                self.env.ref("sms_ovh.ir_cron_estimate")._trigger()
                return
            estimate_id = estimate.id

            def step(estimate_id=estimate_id):
                estimate = self.browse(estimate_id)._in_author_language()
                # A user who stopped it meanwhile has the last word.
                if estimate.try_lock_for_update() and estimate.state == "running":
                    if estimate_id not in seen:
                        seen[estimate_id] = estimate._get_seen_numbers()
                    return estimate._step(seen[estimate_id])
                return set()

            try:
                numbers = transaction.transact(self.env, step)
            except Exception:
                # One that cannot be computed must not keep the others from it.
                _logger.exception("OVHcloud SMS: estimate %s failed", estimate_id)
                self.env.cr.rollback()
                self.env.transaction.reset()
                estimate = self.browse(estimate_id)._in_author_language()
                estimate.write(
                    {
                        "state": "failed",
                        "error": estimate.env._(
                            "The estimate failed for a technical reason, which the"
                            " server's log says. Ask an administrator."
                        ),
                    }
                )
                # So that it is not tried again.
                self.env.cr.commit()  # pylint: disable=invalid-commit
                continue
            # After the commit only: a slice that is rolled back was not seen.
            if estimate_id in seen:
                seen[estimate_id] |= numbers
            # Nothing of a slice is needed for the next: memory stays flat.
            self.env.invalidate_all()
            self.env["ir.cron"]._commit_progress(1, remaining=self.search_count(domain))

    def _in_author_language(self):
        """Return this estimate in the language of who asked for it."""
        # sudo: the language of a user.
        return self.with_context(lang=self.create_uid.sudo().lang)

    def _get_seen_numbers(self):
        """Return the numbers of the slices that are done, to find them twice."""
        self.ensure_one()
        return NumbersSentTo(
            number for part in self.slice_ids for number in part.numbers or ()
        )

    def _step(self, seen=None):
        """Look at one slice of recipients, and sum up where it was the last one.

        :param set seen: numbers of the slices before, read by default
        :return: the numbers of this one
        :rtype: set
        """
        self.ensure_one()
        seen = self._get_seen_numbers() if seen is None else seen
        # As many as were treated since the start are those before in the list.
        res_ids = self.res_ids or []
        position = self.treated - (self.total - len(res_ids))
        ids = res_ids[position : position + const.ESTIMATE_SLICE]
        mailing = self.mailing_id._sms_ovh_as_sent()
        try:
            rendered = mailing._sms_ovh_render(
                ids, seen, self.first_sms_id + self.sent_count
            )
        except SmsOvhTextFails as failure:
            self.slice_ids.unlink()
            self.write(
                {
                    "state": "failed",
                    "error": failure.args[0],
                    "error_res_id": failure.res_id,
                }
            )
            return set()
        result, numbers = self._sum_up_slice(rendered)
        self.slice_ids.create(
            {"estimate_id": self.id, "numbers": sorted(numbers), "result": result}
        )
        segments = sum(
            int(size) * count
            for sizes in result["countries"].values()
            for size, count in sizes.items()
        )
        values = {
            "treated": self.treated + len(ids),
            "sent_count": self.sent_count + result["sent"],
            "segment_count": self.segment_count + segments,
            "unicode_count": self.unicode_count + result["unicode"],
        }
        longest = result["longest"]
        if longest and longest[0] > self.longest_segments:
            values.update(longest_segments=longest[0], longest_res_id=longest[2])
        self.write(values)
        if position + len(ids) >= len(res_ids):
            self._finish()
        return numbers

    @api.model
    def _sum_up_slice(self, rendered):
        """Return what a slice comes to, as JSON holds it, and its numbers.

        :param list rendered: what :meth:`_sms_ovh_render` of the campaign returns
        """
        excluded = defaultdict(lambda: [0, []])
        countries = defaultdict(Counter)
        # SMS more, or less, with each choice of what is written in GSM-7.
        choices = defaultdict(Counter)
        examples = {}
        longest = None
        sent = unicode_count = 0
        several = [sms.res_id for sms in rendered if sms.several and not sms.reason]
        for sms in rendered:
            if sms.reason:
                excluded[sms.reason][0] += 1
                excluded[sms.reason][1].append(sms.res_id)
                continue
            sent += 1
            count = count_segments(sms.text, sms.stop_clause)
            region = get_country_code(sms.number) or ""
            # As JSON has keys: what is charged depends on both.
            key = f"{region},{sms.sender_id or 0}"
            countries[key][count.segments] += 1
            examples.setdefault(region, sms.number)
            unicode_count += count.encoding == UNICODE
            for choice, text in (sms.texts or {}).items():
                if text != sms.text:
                    other = count_segments(text, sms.stop_clause)
                    choices[choice][key] += other.segments - count.segments
            size = count.segments, count.units
            if not longest or size > tuple(longest[:2]):
                longest = [*size, sms.res_id]
        numbers = {sms.number for sms in rendered if sms.number}
        result = {
            "sent": sent,
            "excluded": excluded,
            "countries": countries,
            "choices": choices,
            "unicode": unicode_count,
            "examples": examples,
            "longest": longest,
            "several": several,
        }
        return result, numbers

    @api.autovacuum
    def _gc_estimates(self):
        """Delete estimates that nobody made anew for long."""
        days = self._sms_ovh_get_parameter(
            "keep_estimates_days", const.KEEP_ESTIMATES_DAYS
        )
        limit = fields.Datetime.now() - timedelta(days=days)
        estimates = self.search([("write_date", "<", limit)], limit=GC_UNLINK_LIMIT)
        estimates.unlink()
        return len(estimates), len(estimates) == GC_UNLINK_LIMIT

    def _finish(self):
        """Make the lines of what all slices come to, with OVHcloud's rates."""
        self.ensure_one()
        sums = self._sum_slices()
        countries = sums.countries
        env = self.with_user(self.user_id).env
        rates, rates_error = env["sms.ovh.rate"]._get_rates(
            self.account_id, {region for region, __ in countries if region}
        )
        notes = env["sms.ovh.exception"]._get_notes(
            self.account_id,
            {
                region: (sender, sums.examples[region])
                for region, sender in countries
                if region and region in sums.examples
            },
        )
        by_country = self._prepare_country_lines(countries, rates, notes)
        lines = self._prepare_lines(sums) + by_country
        spent = {
            f"{line['country_code']},{line['sender_id'] or 0}": line["rate"]
            for line in by_country
        }
        self.env["sms.ovh.estimate.line"].create(
            [
                {"estimate_id": self.id, "sequence": index, **line}
                for index, line in enumerate(lines)
            ]
        )
        self.slice_ids.unlink()
        self.write(
            {
                "state": "done",
                "excluded_count": sum(count for count, __ in sums.excluded.values()),
                "segment_count": sum(
                    size * count for size, count in sums.sizes.items()
                ),
                "credits": sum(line["credits"] for line in by_country),
                "rates_error": rates_error,
                **self._prepare_gsm7_values(sums.choices, spent),
                "date_done": fields.Datetime.now(),
                # Not needed any more.
                "res_ids": False,
            }
        )

    def _sum_slices(self):
        """Return what all slices come to.

        :rtype: Sums
        """
        sums = Sums(
            excluded=defaultdict(lambda: [0, []]),
            several=[],
            sizes=Counter(),
            countries=defaultdict(Counter),
            choices=defaultdict(Counter),
            examples={},
        )
        Sender = self.env["sms.ovh.sender"].with_context(active_test=False)
        for part in self.slice_ids:
            for region, example in part.result.get("examples", {}).items():
                sums.examples.setdefault(region, example)
            for reason, (count, ids) in part.result["excluded"].items():
                found = sums.excluded[reason]
                found[0] += count
                found[1] += ids[: const.ESTIMATE_KEPT_IDS - len(found[1])]
            sums.several.extend(part.result.get("several", ()))
            for key, found in part.result.get("countries", {}).items():
                region, __, sender_id = key.partition(",")
                sender = Sender.browse(int(sender_id or 0) or []).exists()
                for size, count in found.items():
                    sums.sizes[int(size)] += count
                    sums.countries[region, sender][int(size)] += count
            for choice, found in part.result.get("choices", {}).items():
                sums.choices[choice].update(found)
        return sums

    def _prepare_lines(self, sums):
        """Return the lines on who gets nothing, or several, and how long the SMS are."""
        lines = [
            {"kind": "excluded", "reason": reason, "count": count, "res_ids": ids}
            for reason, (count, ids) in sorted(
                sums.excluded.items(), key=lambda item: -item[1][0]
            )
        ]
        if sums.several:
            lines.append(
                {
                    "kind": "several",
                    "count": len(sums.several),
                    "res_ids": sums.several[: const.ESTIMATE_KEPT_IDS],
                }
            )
        lines += [
            {
                "kind": "size",
                "segments": size,
                "count": count,
                "segment_count": size * count,
            }
            for size, count in sorted(sums.sizes.items())
        ]
        return lines

    def _prepare_country_lines(self, countries, rates, notes):
        """Return the lines on the SMS to each country, most of them first.

        :param dict countries: see :class:`Sums`
        :param dict rates: credits of one SMS, by country
        :param dict notes: what OVHcloud changes on the way, by country
        """
        country_ids = {
            country.code: country.id
            for country in self.env["res.country"].search_fetch(
                [("code", "in", [region for region, __ in countries])], ["code"]
            )
        }
        lines = []
        for (region, sender), found in countries.items():
            rate = rates.get(region, 0) * const.SENDER_CREDITS.get(sender.type, 1)
            segments = sum(size * count for size, count in found.items())
            lines.append(
                {
                    "kind": "country",
                    "country_code": region,
                    "country_id": country_ids.get(region),
                    "count": sum(found.values()),
                    "segment_count": segments,
                    "rate": rate,
                    "sender_id": sender.id,
                    "note": notes.get(region),
                    "rate_known": region in rates,
                    "credits": round(segments * rate, 4),
                }
            )
        lines.sort(key=lambda line: (-line["segment_count"], line["country_code"]))
        return lines

    @api.model
    def _prepare_gsm7_values(self, choices, rates):
        """Return what writing in GSM-7 saves, and what it would save.

        :param dict choices: SMS more, or less, by choice and then by country and sender
        :param dict rates: credits for an SMS by country and sender
        :rtype: dict
        """
        segments = {
            choice: sum(choices.get(choice, {}).values())
            for choice, __ in const.GSM7_CHOICES
        }
        spent = {
            choice: round(
                sum(
                    count * rates.get(key, 0)
                    for key, count in choices.get(choice, {}).items()
                ),
                4,
            )
            for choice in segments
        }
        # Of those that save as many, the one that changes the least.
        better = min(segments, key=segments.get)
        values = {
            "gsm7_saved_segments": segments[OFF],
            "gsm7_saved_credits": spent[OFF],
        }
        if segments[better] < 0:
            values.update(
                gsm7_better=better,
                gsm7_better_segments=-segments[better],
                gsm7_better_credits=-spent[better],
            )
        return values


class SmsOvhEstimateLine(models.Model):
    """Who is left out and why, how many SMS recipients get, and what countries cost."""

    _name = "sms.ovh.estimate.line"
    _description = "Line of the Estimate of an SMS Campaign"
    _order = "sequence, id"

    estimate_id = fields.Many2one(
        "sms.ovh.estimate", required=True, index=True, readonly=True, ondelete="cascade"
    )
    sequence = fields.Integer(readonly=True)
    kind = fields.Selection(
        [
            ("excluded", "Left Out"),
            ("several", "Several Numbers in One Field"),
            ("size", "Number of SMS"),
            ("country", "Country"),
        ],
        required=True,
        readonly=True,
    )
    reason = fields.Selection(lambda self: self._selection_reason(), readonly=True)
    country_id = fields.Many2one(
        "res.country", string="Odoo's Country", readonly=True, ondelete="set null"
    )
    country_code = fields.Char(readonly=True)
    country_name = fields.Char(string="Country", compute="_compute_country_name")
    sender_id = fields.Many2one("sms.ovh.sender", readonly=True, ondelete="set null")
    note = fields.Text(string="About the Country", readonly=True)
    segments = fields.Integer(string="SMS per Recipient", readonly=True)
    count = fields.Integer(string="Recipients", readonly=True)
    segment_count = fields.Integer(string="SMS", readonly=True)
    rate = fields.Float(string="Charged per SMS", digits=(16, 2), readonly=True)
    rate_known = fields.Boolean(readonly=True)
    credits = fields.Float(string="SMS Charged", digits=(16, 2), readonly=True)
    res_ids = fields.Json(
        string="Records", prefetch=False, readonly=True, groups=fields.NO_ACCESS
    )

    @api.model
    def _selection_reason(self):
        """Return the reasons, with the labels that traces of a campaign have."""
        trace = self.env["mailing.trace"]._fields["failure_type"]
        labels = dict(trace._description_selection(self.env))
        # Core's word for it reads as an order in other languages.
        labels["sms_duplicate"] = self.env._("Same Number Twice")
        already = self.env._("Already Got This Campaign")
        not_sampled = self.env._("Not in This Version's Share")
        return [
            *labels.items(),
            ("already", already),
            ("not_sampled", not_sampled),
        ]

    @api.depends("country_id", "country_code", "sender_id")
    def _compute_country_name(self):
        """Name the country, and the sender where it is not the campaign's."""
        for line in self:
            name = line.country_id.name or line.country_code or self.env._("Unknown")
            chosen = line.estimate_id.mailing_id.sms_ovh_sender_id
            if line.sender_id and line.sender_id != chosen:
                name = f"{name} ({line.sender_id.display_name})"
            line.country_name = name

    def action_open(self):
        """Open the list of the records that are left out for this reason."""
        self.ensure_one()
        mailing = self.estimate_id.mailing_id
        mailing.check_access("read")
        # sudo: who of them the user may see is for their own list to say.
        ids = self.sudo().res_ids or []
        label = dict(self._fields["reason"]._description_selection(self.env))
        name = label.get(self.reason) or ""
        if self.count > len(ids):
            name = self.env._(
                "%(reason)s: the first %(count)s", reason=name, count=len(ids)
            )
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": mailing.mailing_model_real,
            "views": [(False, "list"), (False, "kanban"), (False, "form")],
            "domain": [("id", "in", ids)],
            "target": "current",
            "context": {"create": False, "active_test": False},
        }


class SmsOvhEstimateSlice(models.Model):
    """What some of the recipients come to, until an estimate is summed up."""

    _name = "sms.ovh.estimate.slice"
    _description = "Part of the Estimate of an SMS Campaign"
    _order = "id"

    estimate_id = fields.Many2one(
        "sms.ovh.estimate", required=True, index=True, readonly=True, ondelete="cascade"
    )
    numbers = fields.Json(readonly=True, prefetch=False)
    result = fields.Json(readonly=True, prefetch=False)

"""Asking OVHcloud what became of a job, and whose each of its ids is."""

import logging
import time
from datetime import timedelta
from functools import partial

from odoo import api, fields, models

from .. import const
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.pending_sms import OvhTooManyPending, PendingReading
from ..tools.phone_number import normalize_number
from . import sms_ovh_job

_logger = logging.getLogger(__name__)

# Seconds that one run goes on asking OVHcloud for jobs whose outcome is not known.
RECONCILE_SECONDS = 30
# How long reports wait until it is checked whose ids they name, and the seconds that
# one run goes on checking.
CHECK_IDS_WITHIN = timedelta(hours=1)
CHECK_SECONDS = 15
# Between two inquiries for receivers that OVHcloud never named, when an unknown report
# may be on one.
ASK_EVERY = timedelta(minutes=1)

# By how much the time that OVHcloud says an SMS was created at may miss the one at which
# its job was posted, either way.
CLOCK_MARGIN = timedelta(minutes=2)


class SmsOvhJob(models.Model):
    _inherit = "sms.ovh.job"

    # ------------------------------------------------------------
    # What became of a job
    # ------------------------------------------------------------

    @api.model
    def _recover(self):
        """Find the jobs that somebody took and nobody settled: their outcome is open."""
        limit = fields.Datetime.now() - timedelta(seconds=sms_ovh_job.ABANDONED_AFTER)
        jobs = self.search(
            [("state", "=", "posting"), ("posted_at", "<", limit)]
        ).try_lock_for_update(allow_referencing=True)
        for job in jobs:
            _logger.warning("OVHcloud SMS: job %s was left while being sent", job.tag)
            job.write({"state": "unknown", "next_attempt": fields.Datetime.now()})
        return jobs

    @api.model
    def _reconcile_due(self):
        """Ask OVHcloud once for each job whose outcome is not known, each committed."""
        last_id = 0
        readings = {}
        deadline = time.monotonic() + RECONCILE_SECONDS
        while True:
            if time.monotonic() > deadline:
                self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()
                return
            # The lock, too: another worker's transaction may conflict with it.
            last_id = transaction.transact(
                self.env, partial(self._reconcile_next, last_id, readings)
            )
            if not last_id:
                return

    @api.model
    def _reconcile_next(self, last_id, readings):
        """Ask OVHcloud for the next job after `last_id` whose outcome is not known.

        :param int last_id: id of the job before
        :param dict readings: see :meth:`_reconcile`
        :return: the job's id, False where there is no further one
        :rtype: int|bool
        """
        job = self.search(
            [
                ("state", "=", "unknown"),
                ("id", ">", last_id),
                "|",
                ("next_attempt", "=", False),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=sms_ovh_job.SEARCH_LIMIT,
        ).try_lock_for_update(allow_referencing=True, limit=1)
        if job:
            job._reconcile(readings)
        return job.id

    def _reconcile(self, readings=None):
        """Ask OVHcloud for this job's tag, and adopt what it knows.

        Only a tag that OVHcloud does not know, asked twice with time between, is posted
        again, and with the same tag.

        :param dict|None readings: what jobs of the same run share, see
            :meth:`_fetch_pending`
        """
        self.ensure_one()
        if self.state != "unknown":
            return
        if self.account_id.auth_method == "http2sms":
            # Nobody can be asked whether it left, so it never leaves again.
            self.write({"state": "failed", "next_attempt": False})
            self._apply(
                self._get_api()._prepare_results(self.receivers, "ovh_unconfirmed")
            )
            return
        try:
            with self.account_id._get_client() as client:
                found = self._fetch_by_tag(client, {} if readings is None else readings)
        except ovh_client.OvhError as error:
            _logger.warning(
                "OVHcloud SMS: job %s cannot be asked for: %r", self.tag, error
            )
            self.next_attempt = self._get_check()
            return
        missing = [number for __, number in self.receivers if number not in found]
        if missing and self.next_attempt and self.next_attempt > fields.Datetime.now():
            # Asked before it was due, by the button: what is not there may still come.
            return
        if found and not (missing and self.unknown_checks < 1):
            self._adopt_found(found, missing)
        elif self.unknown_checks < 1:
            # OVHcloud may still be at it.
            self.write(
                {
                    "unknown_checks": self.unknown_checks + 1,
                    "next_attempt": self._get_check(),
                }
            )
        else:
            _logger.info("OVHcloud SMS: job %s is not known to OVHcloud", self.tag)
            self._apply(self._postpone({"unknown_checks": 0}))

    def _adopt_found(self, found, missing):
        """Take over what OVHcloud has of this job.

        :param dict found: OVHcloud's id and what it charged, by number
        :param list missing: numbers of receivers that it does not have
        """
        api_ovh = self._get_api()
        self._accept(sum(charged for __, charged in found.values()))
        self._release_fellows()
        self._set_open(dict.fromkeys(missing, False))
        results = api_ovh._read_receivers(
            [pair for pair in self.receivers if pair[1] in found],
            {number: ovh_id for number, (ovh_id, __) in found.items()},
            [],
        )
        self._apply(results + self._prepare_unconfirmed(api_ovh, missing))
        self._wake_inbox()
        _logger.info(
            "OVHcloud SMS: job %s found at OVHcloud: %s of %s receivers",
            self.tag,
            len(found),
            self.receiver_count,
        )

    def _prepare_unconfirmed(self, api_ovh, numbers):
        """Return the results of receivers that OVHcloud named nowhere."""
        reason = api_ovh.env._(
            "OVHcloud took the job but does not list this SMS: it may have been sent,"
            " or not. Odoo goes on asking for two days."
        )
        receivers = [pair for pair in self.receivers if pair[1] in set(numbers)]
        return api_ovh._prepare_results(receivers, "ovh_unconfirmed", reason)

    # ------------------------------------------------------------
    # Whose id is whose
    # ------------------------------------------------------------

    @api.model
    def _ask_for_open_due(self):
        """Ask OVHcloud for what is open of accepted jobs, each committed.

        :return: whether anything was asked for
        :rtype: bool
        """
        last_id = 0
        readings = {}
        deadline = time.monotonic() + CHECK_SECONDS
        while time.monotonic() < deadline:
            asked_id = transaction.transact(
                self.env, partial(self._ask_for_open_next, last_id, readings)
            )
            if not asked_id:
                return bool(last_id)
            last_id = asked_id
        self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()
        return True

    @api.model
    def _ask_for_open_next(self, last_id, readings):
        """Ask OVHcloud for what is open of the next job after `last_id`.

        :param int last_id: id of the job before
        :param dict readings: see :meth:`_reconcile`
        :return: the job's id, False where there is no further one
        :rtype: int|bool
        """
        job = self.search(
            [
                ("open_count", ">", 0),
                ("id", ">", last_id),
                ("next_attempt", "<=", fields.Datetime.now()),
            ],
            order="id",
            limit=sms_ovh_job.SEARCH_LIMIT,
        ).try_lock_for_update(allow_referencing=True, limit=1)
        if job:
            job._ask_for_open(readings)
        return job.id

    def _ask_for_open(self, readings):
        """Ask OVHcloud whose this job's ids are, and for receivers that it never named.

        Nothing promises that the ids of an answer follow its receivers: until it is
        known, no report is believed.

        :param dict readings: see :meth:`_reconcile`
        """
        self.ensure_one()
        asked = self.open_receivers or {}
        unchecked = {ovh_id: number for number, ovh_id in asked.items() if ovh_id}
        try:
            whose = self._fetch_numbers(unchecked)
            found, lost = self._find_named(asked, whose, readings)
        except ovh_client.OvhError as error:
            _logger.warning(
                "OVHcloud SMS: job %s: receivers cannot be asked for: %r",
                self.tag,
                error,
            )
            self.next_attempt = self._get_check()
            if self.posted_at < fields.Datetime.now() - CHECK_IDS_WITHIN:
                self._set_open({k: v for k, v in asked.items() if not v})
            return
        first = self.unknown_checks < 1
        # Listed nowhere yet: looked for once more, then taken as it stands.
        unread = {
            number: ovh_id
            for ovh_id, number in unchecked.items()
            if ovh_id not in whose and number not in found and first
        }
        self.unknown_checks += 1
        changes = {
            number: (asked.get(number) or None, *found[number])
            for number in asked.keys() & found.keys()
            if asked[number] != found[number][0]
        }
        self._adopt_changes(changes, {n for n in changes if asked[n] is None})
        unconfirmed = (
            [] if first else [number for number in lost if asked[number] is not False]
        )
        if unconfirmed:
            self._apply(self._prepare_unconfirmed(self._get_api(), unconfirmed))
        self._set_open(
            unread
            | {
                number: None if first and asked[number] is not False else False
                for number in lost
            }
        )
        if unread:
            self.next_attempt = self._get_check()
        self._wake_inbox()

    def _find_named(self, asked, whose, readings):
        """Return which receivers OVHcloud names, by their ids or by this job's tag.

        :param dict asked: id that is asked for, by number
        :param dict whose: number by id, as OVHcloud says
        :param dict readings: see :meth:`_reconcile`
        :return: id and what was charged by number, and the numbers it does not name
        :rtype: tuple[dict, set]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        found = {number: (ovh_id, None) for ovh_id, number in whose.items()}
        lost = {
            number
            for number, ovh_id in asked.items()
            if not ovh_id or whose.get(ovh_id, number) != number
        } - found.keys()
        if lost:
            with self.account_id._get_client() as client:
                by_tag = self._fetch_by_tag(client, readings, lost)
            found.update((number, by_tag[number]) for number in lost & by_tag.keys())
        return found, lost - found.keys()

    def _fetch_numbers(self, ovh_ids):
        """Ask OVHcloud to whom these SMS of this job go.

        :param ovh_ids: OVHcloud's ids
        :return: number in E.164 by id, of those that it lists as sent or waiting
        :rtype: dict[str, str]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        outgoing_path = self._get_outgoing_path()
        whose = {}
        for path in (outgoing_path, ovh_calls.get_jobs_path(outgoing_path)):
            left = [ovh_id for ovh_id in ovh_ids if ovh_id not in whose]
            for ovh_id, sms in self._fetch_each(path, left):
                if sms is not None:
                    whose[ovh_id] = normalize_number(sms["receiver"])
        return whose

    def _adopt_changes(self, changes, new):
        """Write down under which ids SMS of this job really are at OVHcloud.

        :param dict changes: id as of before or None, id, and credits or None, by number
        :param set new: the numbers of which nothing was written down yet
        """
        if not changes:
            return
        _logger.warning(
            "OVHcloud SMS: job %s: %s ids were found or corrected",
            self.tag,
            len(changes),
        )
        api_ovh = self._get_api()
        results = api_ovh._read_receivers(
            [pair for pair in self.receivers if pair[1] in changes],
            {number: ovh_id for number, (__, ovh_id, __credits) in changes.items()},
            [],
        )
        uuids = {uuid for uuid, number in self.receivers if number in new}
        self._apply([result for result in results if result["uuid"] in uuids])
        others = [result for result in results if result["uuid"] not in uuids]
        for result in others:
            result["sms_ovh_job_id"] = self.id
        # sudo: SMS of any user.
        self.env["sms.sms"].sudo()._sms_ovh_apply_results(others, self.account_id)
        self.env["sms.ovh.log"]._set_ids(
            self,
            {number: change for number, change in changes.items() if number not in new},
        )
        self.credits += sum(charged or 0 for *__, charged in changes.values())

    @api.model
    def _ask_soon(self, accounts):
        """Ask soon for receivers that OVHcloud never named: a report may be on one.

        :param accounts: `sms.ovh.account` that got reports on unknown SMS
        """
        now = fields.Datetime.now()
        jobs = self.search(
            [
                ("open_count", ">", 0),
                ("account_id", "in", accounts.ids),
                ("next_attempt", ">", now),
                ("write_date", "<", now - ASK_EVERY),
            ]
        )
        if jobs:
            jobs.next_attempt = now
            self.env.ref("sms_ovh.ir_cron_post_jobs").sudo()._trigger()

    @api.model
    def _get_unchecked_ids(self, accounts):
        """Return the ids of which it is soon known whose they are.

        :param accounts: `sms.ovh.account`
        :rtype: set[tuple[int, str]]
        """
        limit = fields.Datetime.now() - CHECK_IDS_WITHIN
        jobs = self.search_fetch(
            [
                ("open_count", ">", 0),
                ("account_id", "in", accounts.ids),
                ("posted_at", ">", limit),
            ],
            ["account_id", "open_receivers"],
        )
        return {
            (job.account_id.id, ovh_id)
            for job in jobs
            for ovh_id in (job.open_receivers or {}).values()
            if ovh_id
        }

    def _fetch_by_tag(self, client, readings, wanted=None):
        """Return what OVHcloud knows of this job: number -> (id, credits).

        A deferred SMS may stand among the pending jobs only, which have no tag: there
        it is recognised by receiver, text and time.

        Sent as an API user or from a virtual number, it is listed there, and where not,
        maybe among the account's.

        :param dict readings: see :meth:`_fetch_pending`
        :param set wanted: numbers to look for; by default all
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        self.ensure_one()
        found = {}
        if wanted is None:
            wanted = {number for __, number in self.receivers}
        own_path, all_path = (
            self._get_outgoing_path(),
            self.account_id._get_path("outgoing"),
        )
        for path in dict.fromkeys((own_path, all_path)):
            if not wanted - found.keys():
                break
            try:
                ids = client.get(path, tag=self.tag) or []
            except ovh_client.OvhNotFound:
                if path == all_path:
                    raise
                continue  # whoever it was sent as is gone
            for ovh_id, sms in self._fetch_each(path, ids):
                if sms is None:
                    raise ovh_client.OvhUnreadableAnswer("A listed SMS does not exist")
                number = normalize_number(sms["receiver"])
                found.setdefault(number, (str(ovh_id), sms.get("credits") or 0))
        numbers = wanted - found.keys()
        if not numbers:
            return found
        pending = {
            entry.number: (entry.ovh_id, entry.credits)
            for entry in self._fetch_pending(client, readings)
            if entry.number in numbers and entry.message.startswith(self.body)
        }
        # The same text may have gone to the same number by another job, which has found
        # it since the list was read.
        taken_ids = self._get_known_ids({ovh_id for ovh_id, __ in pending.values()})
        found.update(
            (number, known)
            for number, known in pending.items()
            if known[0] not in taken_ids
        )
        return found

    def _fetch_pending(self, client, readings):
        """Return what OVHcloud holds back of what it took when this job was posted.

        The list is that of all campaigns of the account, so it is read once for all
        jobs that were due by then, and only as far back as they go.

        :param dict readings: by path, what was read for other jobs
        :rtype: list[PendingEntry]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        self.ensure_one()
        path = self._get_outgoing_path().removesuffix("outgoing") + "jobs"
        key = (self.account_id.id, path)
        started, reading = readings.get(key, (None, None))
        now = fields.Datetime.now()
        if not reading or (self.next_attempt and started < self.next_attempt <= now):
            started = now
            reading = PendingReading(
                client,
                self.account_id._get_client_args(),
                path,
                self._sms_ovh_get_parameter("threads", const.THREADS) or 1,
                self._get_known_ids,
            )
        # Not kept when it is broken off: what was not read would pass for not there.
        readings.pop(key, None)
        posted = (self.posted_at or self.create_date) + timedelta(
            seconds=reading.clock_offset
        )
        try:
            entries = reading.read(
                posted - CLOCK_MARGIN,
                posted
                + timedelta(seconds=sms_ovh_job.ABANDONED_AFTER / 2)
                + CLOCK_MARGIN,
            )
        except OvhTooManyPending:
            readings[key] = (started, reading)
            raise
        readings[key] = (started, reading)
        return entries

    def _get_known_ids(self, ovh_ids):
        """Return which of these are SMS of this account that Odoo has an answer on.

        :param set[str] ovh_ids: OVHcloud's ids
        :rtype: set[str]
        """
        account_id = self.account_id.id
        return {
            ovh_id
            for known_account_id, ovh_id in self.env["sms.ovh.log"]._find(ovh_ids)
            if known_account_id == account_id
        }

    def _fetch_each(self, path, ids):
        """Ask OVHcloud for each of these SMS, several at a time.

        :param str path: the API's path of the list that `ids` are from
        :return: pairs of id and answer, None for one that does not exist
        :rtype: list[tuple]
        :raise ovh_client.OvhError: where OVHcloud cannot be asked
        """
        answers = ovh_calls.read_many(
            self.account_id._get_client_args(),
            path,
            ids,
            self._sms_ovh_get_parameter("threads", const.THREADS) or 1,
        )
        for answer in answers:
            if answer is not None and not (
                isinstance(answer, dict) and answer.get("receiver")
            ):
                raise ovh_client.OvhUnreadableAnswer("An SMS without a receiver")
        return list(zip(ids, answers, strict=True))

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_reconcile(self):
        """Ask OVHcloud now for jobs whose outcome is not known."""
        self.check_access("read")
        self.account_id.check_access("write")
        readings = {}
        for job in self.filtered(lambda job: job.state == "unknown"):
            job.sudo()._reconcile(readings)

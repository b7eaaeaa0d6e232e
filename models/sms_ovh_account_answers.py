"""What recipients send back: STOP and replies, and which SMS they answer."""

import logging
import time
from collections import defaultdict
from contextlib import suppress
from functools import partial
from math import isfinite

from odoo import api, fields, models
from odoo.tools import SQL, split_every

from .. import const
from ..tools import ovh_calls
from ..tools.ovh_client import OvhBadRequest, OvhNotFound, OvhNotGranted
from ..tools.ovh_times import format_time, parse_time
from ..tools.parameters import get_parameter
from ..tools.sms_api import normalize_number

_logger = logging.getLogger(__name__)


def parse_credits(value):
    """Return credits as OVHcloud gives them as a number, 0 for what is none.

    :rtype: float
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if isfinite(number) else 0.0


class SmsOvhLog(models.Model):
    _inherit = "sms.ovh.log"

    # A reply names its number, and asks which SMS that number got last.
    _number_date_idx = models.Index("(number, date)")

    @api.model
    def _find_last(self, account, numbers, senders=None):
        """Return the last SMS that OVHcloud took for each of these numbers.

        :param account: `sms.ovh.account` that sent them
        :param dict numbers: until when, by number
        :param senders: only those from these `sms.ovh.sender`; None for any
        :return: OVHcloud's ids by number, the last one first
        :rtype: dict[str, list[str]]
        """
        days = get_parameter(self.env, "answer_days", const.ANSWER_DAYS)
        found = defaultdict(list)
        # In SQL: a few of each number, all numbers at once.
        for number, sms_ovh_id in self.env.execute_query(
            SQL(
                """
                SELECT answer.number, last.sms_ovh_id
                  FROM unnest(%(numbers)s::text[], %(until)s::timestamp[])
                       AS answer (number, until)
            CROSS JOIN LATERAL (
                       SELECT sms_ovh_id, date
                         FROM sms_ovh_log
                        WHERE number = answer.number
                          AND account_id = %(account)s
                          AND sms_ovh_id IS NOT NULL
                          AND date <= answer.until
                          AND date > answer.until - make_interval(days => %(days)s)
                          AND (%(any)s OR sender_id = ANY(%(senders)s))
                     ORDER BY date DESC, id DESC
                        LIMIT %(limit)s
                       ) AS last
              ORDER BY last.date DESC
                """,
                numbers=list(numbers),
                until=list(numbers.values()),
                account=account.id,
                days=days,
                any=senders is None,
                senders=senders.ids if senders is not None else [],
                limit=const.ANSWER_CANDIDATES,
            )
        ):
            found[number].append(sms_ovh_id)
        return dict(found)


class SmsTracker(models.Model):
    _inherit = "sms.tracker"

    def _prepare_sms_ovh_answered(self):
        """Return the values by which an answer names this SMS."""
        trace = self.mailing_trace_id
        return {"trace_id": trace.id, "mailing_id": trace.mass_mailing_id.id}

    def _get_sms_ovh_record(self):
        """Return the record that this SMS was about, None where there is none.

        :rtype: odoo.models.Model|None
        """
        message = self.mail_notification_id.mail_message_id
        trace = self.mailing_trace_id
        model, res_id = trace.model or message.model, trace.res_id or message.res_id
        if not model or not res_id or model not in self.env:
            return None
        record = self.env[model].browse(res_id)
        return record if record.exists() else None


class SmsOvhAccount(models.Model):
    _inherit = "sms.ovh.account"

    # OVHcloud's ids of replies that were deleted here, while its list may name them.
    deleted_reply_ids = fields.Json(
        prefetch=False, readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    def _find_answered(self, answers, senders=None, campaigns_only=False):
        """Return which SMS of this account each of these answers.

        By what OVHcloud says, the SMS's id or its job's tag; else the last one that the
        number got, within the days of `sms_ovh.answer_days`.

        :param list answers: dicts with ``number`` in E.164, ``received_at``, and where
            OVHcloud says so ``sms_ovh_id`` or ``tag``
        :param senders: `sms.ovh.sender` that can be answered; None for any
        :param bool campaigns_only: where it has to be guessed, only of campaigns
        :return: the `sms.tracker` of each, empty where nothing is known
        :rtype: list
        """
        self.ensure_one()
        # sudo: trackers and jobs are technical records without access of their own.
        Tracker = self.env["sms.tracker"].sudo()
        uuids = self._find_answered_uuids(answers)
        ids = {answer["sms_ovh_id"] for answer in answers if answer.get("sms_ovh_id")}
        known = Tracker.search(
            [
                "|",
                ("sms_uuid", "in", list(uuids.values())),
                "&",
                ("sms_ovh_id", "in", list(ids)),
                ("sms_ovh_account_id", "=", self.id),
            ]
        )
        by_uuid = {tracker.sms_uuid: tracker for tracker in known}
        by_id = {
            tracker.sms_ovh_id: tracker
            for tracker in known
            if tracker.sms_ovh_account_id == self
        }
        found = []
        for answer in answers:
            uuid = uuids.get((answer.get("tag"), answer["number"]))
            found.append(
                by_id.get(answer.get("sms_ovh_id")) or by_uuid.get(uuid) or Tracker
            )
        open_numbers = {
            answer["number"]: (answer.get("received_at") or fields.Datetime.now())
            + const.CLOCK_MARGIN
            for answer, tracker in zip(answers, found, strict=True)
            if answer["number"] and not tracker and not answer.get("sms_ovh_id")
        }
        if not open_numbers:
            return found
        last = self.env["sms.ovh.log"].sudo()._find_last(self, open_numbers, senders)
        candidates = {
            tracker.sms_ovh_id: tracker
            for tracker in Tracker.search(
                [
                    ("sms_ovh_id", "in", [id_ for ids in last.values() for id_ in ids]),
                    ("sms_ovh_account_id", "=", self.id),
                ]
            )
            if tracker.mailing_trace_id or not campaigns_only
        }
        guesses = {
            number: next((candidates[id_] for id_ in ids if id_ in candidates), Tracker)
            for number, ids in last.items()
        }
        return [
            tracker
            if tracker or answer.get("sms_ovh_id")
            else guesses.get(answer["number"], Tracker)
            for answer, tracker in zip(answers, found, strict=True)
        ]

    def _find_answered_uuids(self, answers):
        """Return the UUID of the SMS by tag of its job and number."""
        tags = {answer["tag"] for answer in answers if answer.get("tag")}
        # sudo: see `_find_answered`.
        jobs = (
            self.env["sms.ovh.job"]
            .sudo()
            .search_fetch(
                [("tag", "in", list(tags)), ("account_id", "=", self.id)],
                ["tag", "receivers"],
            )
        )
        wanted = {(answer.get("tag"), answer["number"]) for answer in answers}
        return {
            (job.tag, number): uuid
            for job in jobs
            for uuid, number in job.receivers or []
            if (job.tag, number) in wanted
        }

    # ------------------------------------------------------------
    # STOP
    # ------------------------------------------------------------

    def _read_stops(self, client, run):
        """Put the numbers that newly answered STOP on Odoo's blacklist.

        The list of numbers is all that is needed of most: what else OVHcloud knows of
        one is asked for of the newest. A first reading may be of tens of thousands, so
        they are taken over in pieces, and what is left is shown on the account.

        :param client: `OvhSmsClient`
        :param run: calls a function, and may commit what it did
        :raise OvhError: where OVHcloud cannot be asked
        """
        listed = client.get(self._get_path("blacklists")) or []
        # As OVHcloud names it, by the number in E.164.
        names = {normalize_number(name): name for name in listed}
        names.pop(False, None)
        new = run(partial(self._forget_stops, names.keys()))
        asked = new[: const.MAX_STOP_DETAILS]
        details = dict(
            zip(
                asked,
                self._fetch_stop_details([names[number] for number in asked]),
                strict=True,
            )
        )
        deadline = time.monotonic() + const.CRON_SECONDS
        done = 0
        for piece in split_every(const.STOP_SLICE, new):
            if time.monotonic() > deadline:
                self.env.ref("sms_ovh.ir_cron_read_answers").sudo()._trigger()
                return
            done += len(piece)
            run(partial(self._take_stops, list(piece), details, len(new) - done))

    def _forget_stops(self, numbers):
        """Forget the STOP that OVHcloud has no more; return what is new.

        In SQL: the list is long, and the same as before but for a few.

        :param numbers: that OVHcloud lists, in E.164
        :rtype: list[str]
        """
        # sudo: of the account, whoever has it read.
        Stop = self.env["sms.ovh.stop"].sudo()
        Stop.flush_model(["account_id", "origin", "number"])
        rows = self.env.execute_query(
            SQL(
                "SELECT id, number FROM sms_ovh_stop"
                " WHERE account_id = %s AND origin = 'ovhcloud'",
                self.id,
            )
        )
        # Taken off at OVHcloud's: the next STOP of that number is news again.
        Stop.browse(id_ for id_, number in rows if number not in numbers).unlink()
        new = sorted(set(numbers) - {number for __, number in rows})
        if self.stops_to_read != len(new):
            self.stops_to_read = len(new)
        return new

    def _take_stops(self, new, details, left):
        """Put some numbers that newly answered STOP on Odoo's blacklist.

        :param list new: numbers in E.164
        :param dict details: `sms.Blacklist` of some of them, by number
        :param int left: how many are still to be taken over after these
        """
        # sudo: of the account, whoever has it read.
        Stop = self.env["sms.ovh.stop"].sudo()
        answers = []
        for number in new:
            detail = details.get(number) or {}
            sms_ovh_id = detail.get("smsOutgoingID")
            answers.append(
                {
                    "number": number,
                    "sms_ovh_id": str(sms_ovh_id) if sms_ovh_id else None,
                    "received_at": parse_time(detail.get("dateCreation")),
                }
            )
        trackers = self._find_answered(answers, campaigns_only=True)
        # Those that had opted out by a keyword, and do so again.
        Stop.search([("account_id", "=", self.id), ("number", "in", new)]).unlink()
        stops = Stop._insert(
            [
                {
                    "account_id": self.id,
                    "number": answer["number"],
                    "received_at": answer["received_at"] or fields.Datetime.now(),
                    **(
                        tracker._prepare_sms_ovh_answered()
                        if tracker
                        else {"trace_id": False, "mailing_id": False}
                    ),
                }
                for answer, tracker in zip(answers, trackers, strict=True)
            ]
        )
        stops._apply(trackers)
        self.stops_to_read = left

    def _fetch_stop_details(self, names):
        """Ask OVHcloud which SMS these numbers answered STOP to.

        :param list names: numbers as OVHcloud's blacklist names them
        :return: `sms.Blacklist` of each, empty where there is none
        :rtype: list[dict]
        :raise OvhError: where OVHcloud cannot be asked
        """
        details = ovh_calls.read_many(
            self._get_client_args(), self._get_path("blacklists"), names, const.THREADS
        )
        return [detail if isinstance(detail, dict) else {} for detail in details]

    def _take_off_blacklist(self, number, until=None):
        """Have OVHcloud take SMS again to a number that answered STOP.

        :param str number: in E.164
        :param datetime until: UTC; a STOP that came later stays
        :return: whether OVHcloud refuses it no more
        :rtype: bool
        :raise OvhError: where OVHcloud cannot be asked, or does not do it
        """
        self.ensure_one()
        with self._get_client() as client:
            names = client.get(self._get_path("blacklists")) or []
            for name in names:
                if normalize_number(name) != number:
                    continue
                path = self._get_path("blacklists", name)
                if until and self._is_later_stop(client.get(path), until):
                    return False
                # Somebody else may have taken it off.
                with suppress(OvhNotFound):
                    client.delete(path)
        return True

    @api.model
    def _is_later_stop(self, entry, moment):
        """Tell whether an entry of OVHcloud's blacklist came after a moment."""
        stopped_at = parse_time(entry.get("dateCreation"))
        return bool(stopped_at and stopped_at > moment)

    # ------------------------------------------------------------
    # Replies
    # ------------------------------------------------------------

    def _get_reply_paths(self):
        """Return the API's paths of the lists that replies may stand in.

        The account's may or may not hold those to an API user and a virtual number.

        :rtype: list[str]
        """
        numbers = self.sender_ids.filtered(lambda sender: sender.type == "virtual")
        return [
            self._get_path("incoming"),
            *(
                self._get_path("users", user.login, "incoming")
                for user in self.user_ids.filtered("active")
            ),
            *(
                self._get_path("virtualNumbers", number.name, "incoming")
                for number in numbers
            ),
        ]

    def _fetch_reply_ids(self, client, start):
        """Return the ids of the replies since a time, each with the list it stands in.

        :param client: `OvhSmsClient`
        :param datetime start: naive UTC
        :return: path by id, as numbers
        :rtype: dict[int, str]
        :raise OvhError: where OVHcloud cannot be asked
        """
        found = {}
        marks = self.reply_marks or {}
        for path in self._get_reply_paths():
            # The list of an API user knows no time: there, ids tell what is new. Nothing
            # promises that they come in order.
            timeless = "/users/" in path
            period = {"creationDatetime.from": format_time(start)}
            try:
                listed = client.get(path, **({} if timeless else period)) or []
            except (OvhBadRequest, OvhNotFound, OvhNotGranted) as error:
                if path == self._get_path("incoming"):
                    raise
                _logger.info("OVHcloud SMS: replies cannot be read: %r", error)
                continue
            ids = sorted(map(int, listed))
            if timeless:
                seen = marks.get(path)
                if seen is None:
                    ids = ids[-const.MAX_REPLIES :]
                else:
                    # What is older than all that is remembered was seen before.
                    oldest = seen[0] if len(seen) == const.SEEN_REPLIES else 0
                    ids = [
                        ovh_id
                        for ovh_id in ids
                        if ovh_id > oldest and ovh_id not in seen
                    ]
            for ovh_id in ids:
                found.setdefault(ovh_id, path)
        return found

    def _get_replies_start(self):
        """Return from when on replies are read: again, some that were read before."""
        return (self.last_reply_at or self.create_date) - const.REPLY_MARGIN

    def _note_deleted_replies(self, replies):
        """Remember replies that are about to be deleted, and would be read again.

        :param replies: `sms.ovh.reply` of this account
        """
        start = self._get_replies_start()
        recent = replies.filtered(
            lambda reply: not reply.received_at or reply.received_at >= start
        )
        if recent:
            deleted = set(map(int, self.deleted_reply_ids or ()))
            ids = recent.mapped("ovh_id")
            deleted.update(int(ovh_id) for ovh_id in ids if ovh_id.isdecimal())
            self.deleted_reply_ids = sorted(deleted)

    def _read_replies(self, client):
        """Read the replies since the last one seen.

        :param client: `OvhSmsClient`
        :raise OvhError: where OVHcloud cannot be asked
        """
        # sudo: of the account, whoever has it read.
        Reply = self.env["sms.ovh.reply"].sudo()
        start = self._get_replies_start()
        path_by_id = self._fetch_reply_ids(client, start)
        known = Reply.search_fetch(
            [
                ("account_id", "=", self.id),
                ("ovh_id", "in", [str(i) for i in path_by_id]),
            ],
            ["ovh_id"],
        )
        # sudo: nobody reads these but this.
        self_sudo = self.sudo()
        deleted = set(map(int, self_sudo.deleted_reply_ids or ()))
        if deleted - path_by_id.keys():
            self_sudo.deleted_reply_ids = sorted(deleted & path_by_id.keys())
        known_ids = {int(reply.ovh_id) for reply in known}
        new_ids = sorted(path_by_id.keys() - known_ids - deleted)
        read_ids = new_ids[: const.MAX_REPLIES]
        answers = {}
        for path in dict.fromkeys(path_by_id[ovh_id] for ovh_id in read_ids):
            ids = [ovh_id for ovh_id in read_ids if path_by_id[ovh_id] == path]
            found = ovh_calls.read_many(
                self._get_client_args(), path, ids, const.THREADS
            )
            answers.update(zip(ids, found, strict=True))
        vals_list = [
            {
                "account_id": self.id,
                "ovh_id": str(ovh_id),
                "number": answers[ovh_id].get("sender"),
                "body": answers[ovh_id].get("message"),
                "tag": answers[ovh_id].get("tag"),
                "credits": parse_credits(answers[ovh_id].get("credits")),
                "received_at": parse_time(answers[ovh_id]["creationDatetime"]),
            }
            for ovh_id in read_ids
            if answers[ovh_id] is not None
        ]
        # A list without times begins before this account did.
        vals_list = [vals for vals in vals_list if vals["received_at"] >= start]
        self._set_reply_marks(path_by_id, read_ids, len(new_ids) > len(read_ids))
        if vals_list:
            # Before the replies: they are in it, and are told only once.
            times = [self.last_reply_at, *(vals["received_at"] for vals in vals_list)]
            self.last_reply_at = max(filter(None, times))
            Reply.create(vals_list)
        if len(new_ids) > len(read_ids):
            self.env.ref("sms_ovh.ir_cron_read_answers").sudo()._trigger()

    def _set_reply_marks(self, path_by_id, read_ids, more):
        """Remember the last ids that were read of the lists that know no time.

        :param dict path_by_id: what they had that may be new
        :param list read_ids: what was read of it
        :param bool more: whether some of it was not
        """
        seen = {
            path: set((self.reply_marks or {}).get(path, ()))
            for path in self._get_reply_paths()
            if "/users/" in path
        }
        for ovh_id, path in path_by_id.items():
            if path in seen and not (more and ovh_id > read_ids[-1]):
                seen[path].add(ovh_id)
        marks = {path: sorted(ids)[-const.SEEN_REPLIES :] for path, ids in seen.items()}
        if marks != (self.reply_marks or {}):
            self.reply_marks = marks

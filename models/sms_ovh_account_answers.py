"""What comes back to an account: callbacks, STOP and replies, and what they answer."""

import contextlib
import ipaddress
import logging
import re
import secrets
import time
from functools import partial
from hmac import compare_digest
from math import isfinite
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, email_normalize, ormcache, split_every
from odoo.tools.urls import urljoin

from .. import const
from ..fields import Secret, seal
from ..tools import ovh_calls, ovh_client, transaction
from ..tools.client_actions import notify, open_dialog
from ..tools.ovh_times import format_time, parse_time
from ..tools.phone_number import normalize_number

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


# Property of the API -> callback of ours, which the route of the same name receives.
CALLBACKS = {"callBack": "delivery", "stopCallBack": "stop"}
CALLBACK_STATES = [
    ("none", "Off"),
    ("other", "Sent Elsewhere"),
    ("ok", "Received by Odoo"),
]
INBOX_ACTIVITY = "sms_ovh.mail_activity_type_inbox"


class SmsOvhAccount(models.Model):
    _inherit = "sms.ovh.account"

    # Callbacks
    callback_token = Secret(
        groups="base.group_system",
        default=lambda self: secrets.token_urlsafe(32),
        required=True,
        copy=False,
    )
    delivery_url = Secret(
        string="Address for Delivery Reports",
        compute="_compute_delivery_url",
        groups="base.group_system",
    )
    delivery_unreachable = fields.Boolean(
        compute="_compute_delivery_unreachable",
        help="OVHcloud cannot reach Odoo's address from the Internet.",
    )
    callback_state = fields.Selection(
        CALLBACK_STATES,
        string="Delivery Reports",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )
    stop_callback_state = fields.Selection(
        CALLBACK_STATES,
        string="STOP",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )
    reply_callback_state = fields.Selection(
        [*CALLBACK_STATES, ("answer", "Answered Automatically")],
        string="Replies",
        default="none",
        required=True,
        readonly=True,
        copy=False,
    )
    inbox_dropped = fields.Integer(
        string="Calls Not Kept",
        readonly=True,
        copy=False,
        help="Calls of the addresses above in an hour that had too many of them.",
    )

    # Replies
    sms_response_type = fields.Selection(
        [
            ("none", "Nothing"),
            ("text", "Answer Automatically"),
            ("cgi", "Hand Over to Odoo"),
        ],
        string="On a Reply",
        readonly=True,
        copy=False,
        help="What OVHcloud does when a recipient replies.",
    )
    sms_response_text = fields.Text(
        string="Automatic Answer", readonly=True, copy=False
    )
    reply_emails = fields.Text(
        string="Forwarded To",
        readonly=True,
        copy=False,
        help="OVHcloud sends each reply to these e-mail addresses.",
    )
    stop_keywords = fields.Char(
        string="Opt-out Keywords",
        default=const.STOP_KEYWORDS,
        help="Recipients who reply with one of these words, with or without polite ones,"
        " opt out as by STOP. Separated by commas; case, accents, punctuation and digits"
        " do not matter.",
    )
    start_keywords = fields.Char(
        string="Opt-in Keywords",
        help="Recipients who opted out and reply with one of these words, and nothing"
        " else, get SMS again: the number is taken off Odoo's blacklist and OVHcloud's."
        " Separated by commas; empty: only a user takes a number off.",
    )
    last_reply_at = fields.Datetime(readonly=True, copy=False)

    # The last reply seen in each list of OVHcloud's that knows no time, by its path.
    reply_marks = fields.Json(string="Last Replies Seen", readonly=True, copy=False)
    stops_to_read = fields.Integer(
        string="STOP Still to Take Over",
        readonly=True,
        copy=False,
        help="Numbers on OVHcloud's blacklist that are not on Odoo's yet.",
    )
    answers_read_at = fields.Datetime(
        string="Replies Read On", readonly=True, copy=False
    )
    reply_count = fields.Integer(compute="_compute_reply_count")

    # OVHcloud's ids of replies that were deleted here, while its list may name them.
    deleted_reply_ids = fields.Json(
        prefetch=False, readonly=True, copy=False, groups=fields.NO_ACCESS
    )

    _callback_token_unique = models.UniqueIndex("(callback_token)")

    # ------------------------------------------------------------
    # Compute and constraints
    # ------------------------------------------------------------

    @api.depends("callback_token")
    def _compute_delivery_url(self):
        for account in self:
            account.delivery_url = account.callback_token and urljoin(
                account.get_base_url(),
                f"/sms_ovh/{account.callback_token}/delivery",
            )

    @api.depends("callback_token", "endpoint")
    def _compute_delivery_unreachable(self):
        for account in self:
            # sudo: only whether the address is one of the Internet.
            account_sudo = account.sudo()
            host = urlsplit(account_sudo.delivery_url or "").hostname or ""
            account.delivery_unreachable = (
                account_sudo.endpoint != "custom" and self._is_private_host(host)
            )

    @api.model
    def _is_private_host(self, host):
        """Return whether nobody on the Internet can reach `host`."""
        try:
            return not ipaddress.ip_address(host).is_global
        except ValueError:
            return "." not in host or host.endswith((".local", ".localhost", ".lan"))

    def _compute_reply_count(self):
        counts = dict(
            self.env["sms.ovh.reply"]._read_group(
                [("account_id", "in", self.ids)], ["account_id"], ["__count"]
            )
        )
        for account in self:
            account.reply_count = counts.get(account, 0)

    # ------------------------------------------------------------
    # Callbacks
    # ------------------------------------------------------------

    @api.model
    @ormcache()
    def _get_callback_tokens(self):
        """Return the pairs of a token and the account that is called with it.

        Kept, so that a delivery report costs no query but the one that writes it; sealed,
        see :func:`~odoo.addons.sms_ovh.fields.seal`.

        :rtype: tuple[tuple[function, int]]
        """
        # sudo: the caller has no user, the token is its credential.
        accounts_sudo = self.sudo().search(
            [("callback_token", "!=", False), ("active", "=", True)]
        )
        return tuple(
            (seal(account.callback_token.encode()), account.id)
            for account in accounts_sudo
        )

    @api.model
    def _find_by_token(self, token):
        """Return the id of the active account that is called with `token`.

        Compared with each account's as a whole and in constant time, so that nobody
        learns from the time of an answer how much of a token is right.

        :param str token: what stands in an address
        :rtype: int|None
        """
        token = token.encode()
        found = None
        for unseal, account_id in self._get_callback_tokens():
            if compare_digest(unseal(self.env), token):
                found = account_id
        return found

    def _announce_full_inbox(self):
        """Tell the responsible user, once, that calls are not kept any more."""
        self.ensure_one()
        if self.activity_search([INBOX_ACTIVITY]):
            return
        user = self.user_id or self.env.user
        env = self.with_context(lang=user.lang).env
        self.activity_schedule(
            INBOX_ACTIVITY,
            user_id=user.id,
            summary=env._("Too many calls of the addresses for OVHcloud"),
            note=env._(
                "More delivery reports came within an hour than OVHcloud can have sent:"
                " the rest is only counted. If nobody sends that many SMS, somebody"
                " knows the address: have a new one made, and register it again."
            ),
        )

    def _get_callback_url(self, kind):
        """Return the address that OVHcloud calls for callbacks of this kind."""
        self.ensure_one()
        # sudo: the token in it is for system administrators and OVHcloud only.
        token = self.sudo().callback_token
        return urljoin(self.get_base_url(), f"/sms_ovh/{token}/{kind}")

    def _get_callback_state(self, url, kind):
        if not url:
            return "none"
        return "ok" if url == self._get_callback_url(kind) else "other"

    def _prepare_missing_callbacks(self, service):
        """Return the callbacks of the service that nobody receives, set to ours.

        Replies of which OVHcloud does nothing only at first: later that may be a wish.
        """
        values = {
            name: self._get_callback_url(kind)
            for name, kind in CALLBACKS.items()
            if not service.get(name)
        }
        response = service.get("smsResponse") or {}
        if not self.last_sync and response.get("responseType", "none") == "none":
            values["smsResponse"] = {
                **response,
                "responseType": "cgi",
                "cgiUrl": self._get_callback_url("reply"),
            }
        return values

    def _complete_callbacks(self, client, service):
        """Point the callbacks that nobody receives to Odoo.

        Those of the API user as whom SMS are sent, too: its own come before the
        account's.

        :param client: `OvhSmsClient`
        :param dict service: `sms.Account` of the API
        :return: the service as it is now
        :rtype: dict
        :raise ovh_client.OvhError: where OVHcloud refuses
        """
        missing = self._prepare_missing_callbacks(service)
        if missing:
            client.put(self._get_path(), missing)
            service = client.get(self._get_path())
        if self.default_api_user_id:
            path = self._get_path("users", self.default_api_user_id.login)
            # One that is not listed any more is archived with this reading.
            with contextlib.suppress(ovh_client.OvhNotFound):
                user = client.get(path)
                own = {
                    name: self._get_callback_url(kind)
                    for name, kind in CALLBACKS.items()
                    if not user.get(name)
                }
                if own:
                    client.put(path, own)
        return service

    def _prepare_callbacks(self, service):
        """Return the properties by which all callbacks come to Odoo.

        An automatic answer is left on: OVHcloud either answers or hands over.
        """
        values = {
            name: self._get_callback_url(kind) for name, kind in CALLBACKS.items()
        }
        response = service.get("smsResponse") or {}
        if response.get("responseType") != "text":
            values["smsResponse"] = {
                **response,
                "responseType": "cgi",
                "cgiUrl": self._get_callback_url("reply"),
            }
        return values

    def _write_callbacks(self):
        """Write all callbacks to OVHcloud and read them back.

        :return: labels of those that OVHcloud did not take over
        :rtype: list[str]
        :raise UserError: where OVHcloud refuses
        """
        self.ensure_one()
        path = self._get_path()
        user = self.default_api_user_id

        def change(client):
            client.put(path, self._prepare_callbacks(client.get(path)))
            if user:
                # A user's own addresses come before the account's.
                client.put(
                    self._get_path("users", user.login),
                    {
                        name: self._get_callback_url(kind)
                        for name, kind in CALLBACKS.items()
                    },
                )

        service = self._change_at_ovhcloud(
            change, lambda client: client.get(path), self.service_name
        )
        if not service:
            raise UserError(
                self.env._(
                    "OVHcloud took the addresses, but cannot be asked whether they are"
                    " right. Test the connection in a minute."
                )
            )
        self._adopt_service(service)
        right = {
            "callback_state": ("ok",),
            "stop_callback_state": ("ok",),
            "reply_callback_state": ("ok", "answer"),
        }
        return [
            self._fields[name]._description_string(self.env)
            for name, states in right.items()
            if self[name] not in states
        ]

    def action_register_callbacks(self):
        """Set OVHcloud's callbacks to Odoo, and check that they arrive.

        :raise UserError: where OVHcloud refuses, with what to do
        """
        self.ensure_one()
        self.check_access("write")
        wrong = self._write_callbacks()
        if wrong:
            return notify(
                self.env._(
                    "OVHcloud did not take over: %s. Try again, or set it in OVHcloud's"
                    " console.",
                    ", ".join(wrong),
                ),
                "danger",
            )
        if self.delivery_unreachable:
            return notify(
                self.env._(
                    "OVHcloud has the addresses, but cannot reach this Odoo from the"
                    " Internet: Odoo asks for reports, STOP and replies instead."
                ),
                "warning",
            )
        return notify(
            self.env._("OVHcloud now sends reports, STOP and replies to Odoo.")
        )

    # ------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------

    def _read_answers(self, run=None):
        """Read what was replied, then who answered STOP: the latter may be many.

        :param run: calls a function, and may commit what it did; by default nothing is
            committed
        :return: whether OVHcloud answered
        :rtype: bool
        """
        self.ensure_one()
        # sudo: runs for whoever triggers it, on records of the account.
        account = self.sudo()
        run = run or (lambda function: function())
        complete = True
        with account._get_client() as client:
            for read in (
                lambda: run(partial(account._read_replies, client)),
                partial(account._read_stops, client, run),
            ):
                try:
                    read()
                except (
                    ovh_client.OvhError,
                    AttributeError,
                    KeyError,
                    TypeError,
                    ValueError,
                ) as error:
                    _logger.warning(
                        "OVHcloud SMS: replies of account %s cannot be read: %s",
                        account.id,
                        type(error).__name__,
                    )
                    complete = False
        return complete

    @api.model
    def _cron_read_answers(self):
        """Read replies and STOP: where OVHcloud said there are some, and regularly."""
        Event = self.env["sms.ovh.event"]
        signals = Event.search([("kind", "!=", "delivery"), ("state", "=", "new")])
        signals = signals._leave_out_orphans()
        accounts = signals.account_id
        accounts |= self.search(
            [("state", "=", "connected"), ("auth_method", "!=", "http2sms")]
        )
        self.env["ir.cron"]._commit_progress(remaining=len(accounts))
        for account in accounts:
            # Only what came before the reading is known to be in it.
            own = signals.filtered(
                lambda signal, account=account: signal.account_id == account
            )
            account = account._in_its_language()

            # Sending and reports write on the same traces.
            run = partial(transaction.transact, self.env)
            if account._read_answers(run):
                run(partial(account._set_answers_read, own))
            self.env["ir.cron"]._commit_progress(1)

    def _set_answers_read(self, signals):
        """Write down that replies and STOP were read.

        :param signals: `sms.ovh.event` that said that there were some
        """
        self.answers_read_at = fields.Datetime.now()
        signals.state = "done"

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
        guesses = self._guess_answered(open_numbers, senders, campaigns_only)
        return [
            tracker
            if tracker or answer.get("sms_ovh_id")
            else guesses.get(answer["number"], Tracker)
            for answer, tracker in zip(answers, found, strict=True)
        ]

    def _guess_answered(self, numbers, senders, campaigns_only):
        """Return the last SMS that each of these numbers got.

        :param dict numbers: until when, by number
        :param senders: see :meth:`_find_answered`
        :param bool campaigns_only: likewise
        :return: `sms.tracker` by number
        :rtype: dict
        """
        # sudo: see `_find_answered`.
        Tracker = self.env["sms.tracker"].sudo()
        last = self.env["sms.ovh.log"].sudo()._find_last(self, numbers, senders)
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
        return {
            number: next((candidates[id_] for id_ in ids if id_ in candidates), Tracker)
            for number, ids in last.items()
        }

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
        new = run(partial(self._update_stops, names.keys()))
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

    def _update_stops(self, numbers):
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
        # Taken off OVHcloud's list: the next STOP of that number is news again.
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
                        tracker._sms_ovh_prepare_answered()
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
        """Take a number that answered STOP off OVHcloud's blacklist.

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
                with contextlib.suppress(ovh_client.OvhNotFound):
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
                for user in self.api_user_ids.filtered("active")
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
            except (
                ovh_client.OvhBadRequest,
                ovh_client.OvhNotFound,
                ovh_client.OvhNotGranted,
            ) as error:
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

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def action_set_replies(self):
        """Open the settings of replies."""
        self.ensure_one()
        self.check_access("write")
        settings = self.env["sms.ovh.reply.settings"].create(
            {
                "account_id": self.id,
                "response_type": self.sms_response_type or "none",
                "response_text": self.sms_response_text,
                "emails": self.reply_emails,
            }
        )
        return open_dialog(self.env._("Replies"), settings._name, settings.id)

    def action_view_replies(self):
        """Open the replies to this account's SMS."""
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "sms_ovh.sms_ovh_reply_action"
        )
        return {**action, "domain": [("account_id", "=", self.id)]}

    @api.model
    def _parse_emails(self, text):
        """Return the e-mail addresses in `text`, separated by commas, spaces or lines.

        :raise UserError: for what is no address
        """
        emails = []
        for part in re.split(r"[\s,;]+", text or ""):
            if not part:
                continue
            email = email_normalize(part)
            if not email:
                raise UserError(
                    self.env._(
                        "“%s” is not an e-mail address. Correct it, one address a"
                        " line.",
                        part,
                    )
                )
            if email not in emails:
                emails.append(email)
        return emails

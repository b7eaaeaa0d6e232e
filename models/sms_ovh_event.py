import logging
import time
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from itertools import islice

from psycopg2.extras import Json

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

from .. import const
from ..fields import UncheckedMany2one
from ..tools import transaction

_logger = logging.getLogger(__name__)

BATCH_SIZE = 1000
# What is read of what a report may speak of.
TRACKER_FIELDS = (
    "sms_uuid",
    "sms_ovh_account_id",
    "sms_ovh_id",
    "mail_notification_id",
    "mailing_trace_id",
)
SMS_FIELDS = ("sms_ovh_account_id", "sms_ovh_id", "state")
# How long a report waits for the SMS it speaks of: it may come before the transaction
# that sent the SMS is committed, never hours before.
WAITING_HOURS = 24
# Seconds between two triggers of the drain by one process: each costs Odoo a connection
# to PostgreSQL of its own.
WAKE_EVERY = 1
# Times in these seconds that the drain looks for what came without a trigger.
LOOKS = 5
_last_wake = {}
# By database and account: the hour, the callbacks that this process kept since the inbox
# was counted, how many that were, and those that were not kept.
_received = {}
# What of the bound is received by one process before it counts the inbox again.
RECOUNT_SHARE = 100
# Parameters of a delivery report that are read.
DELIVERY_PARAMS = ("id", "ptt", "date", "description", "dlr", "descriptionDlr")
# Parameters of a callback that are kept.
MAX_PARAMS = 20
# How long treated reports are kept, to look up what OVHcloud said.
KEEP_DAYS = 30


class Found(dict):
    """What is known of SMS, by the account's id and OVHcloud's."""

    def __init__(self, records):
        super().__init__(
            ((record.sms_ovh_account_id.id, record.sms_ovh_id), record)
            for record in records
        )
        self._model = records.browse()

    def take(self, keys):
        """Return the records of those of `keys` that have one."""
        return self._model.union(*(self[key] for key in keys & self.keys()))


class SmsOvhEvent(models.Model):
    """A callback of OVHcloud, as received: the inbox.

    Receiving and understanding are apart, so that OVHcloud never waits, a report is
    never lost to a conflict with the sending that it speaks of, and one that comes
    before its SMS is known waits for it.
    """

    _name = "sms.ovh.event"
    _description = "OVHcloud SMS Callback"
    _order = "id desc"
    _rec_name = "sms_ovh_id"
    # Nobody writes these: who and when would be two more keys for PostgreSQL to check
    # with each report.
    _log_access = False

    account_id = UncheckedMany2one("sms.ovh.account", required=True, readonly=True)
    company_id = fields.Many2one(related="account_id.company_id")
    create_date = fields.Datetime(
        string="Received On", default=fields.Datetime.now, readonly=True
    )
    kind = fields.Selection(
        [("delivery", "Delivery Report"), ("stop", "STOP"), ("reply", "Reply")],
        required=True,
        readonly=True,
        default="delivery",
    )
    sms_ovh_id = fields.Char(string="OVHcloud's SMS ID", readonly=True)
    ptt = fields.Integer(string="OVHcloud's Code", readonly=True)
    dlr = fields.Integer(string="DLR", readonly=True)
    description = fields.Char(string="OVHcloud's Words", readonly=True)
    meaning = fields.Char(
        compute="_compute_meaning", help="What OVHcloud reports, in plain words."
    )
    payload = fields.Json(readonly=True)
    state = fields.Selection(
        [
            ("new", "New"),
            ("waiting", "Waiting for its SMS"),
            ("done", "Done"),
            ("late", "Nothing New"),
            ("ignored", "Not Ours"),
        ],
        required=True,
        default="new",
        readonly=True,
    )

    # The last hour is counted by it: small, and next to nothing for each row.
    _create_date_idx = models.Index("USING brin (create_date)")
    _pending_idx = models.Index("(id) WHERE state IN ('new', 'waiting')")

    # ------------------------------------------------------------
    # Receiving
    # ------------------------------------------------------------

    @api.model
    def _receive_delivery(self, account_id, params):
        """Put one delivery report into the inbox.

        :param int account_id: id of the `sms.ovh.account` whose address was called
        :param dict params: query and form parameters, as received
        :return: the new event's id, None for a call that speaks of no SMS
        :rtype: int|None
        """
        # Those that are read first, whatever stands before them.
        known = {name: params[name] for name in DELIVERY_PARAMS if name in params}
        # PostgreSQL stores no NUL, in text or JSON.
        params = {
            str(key)[:64].replace("\x00", ""): str(value)[:256].replace("\x00", "")
            for key, value in islice({**known, **params}.items(), MAX_PARAMS)
        }
        sms_ovh_id = params.get("id", "").strip()
        if not sms_ovh_id:
            return None
        # In SQL: one INSERT is all that a callback costs. What the ORM does besides
        # would take several times as long, once or twice for each SMS ever sent.
        self.env.cr.execute(
            """
            INSERT INTO sms_ovh_event (
                account_id, kind, sms_ovh_id, ptt, dlr, description, payload, state,
                create_date
            )
            VALUES (%s, 'delivery', %s, %s, %s, %s, %s, 'new', now() AT TIME ZONE 'UTC')
            RETURNING id
            """,
            [
                account_id,
                sms_ovh_id,
                self._parse_int(params.get("ptt")),
                # The status as a number; older set-ups call it `dlr`.
                self._parse_int(params.get("dlr", params.get("description"))),
                params.get("descriptionDlr") or None,
                Json(params),
            ],
        )
        ((event_id,),) = self.env.cr.fetchall()
        self._wake()
        return event_id

    @api.model
    def _receive_signal(self, account_id, kind, params):
        """Put a STOP or a reply into the inbox, and have OVHcloud asked about it.

        What these callbacks carry is documented nowhere, and anybody who knew the
        address could write it: kept as received, it is a reason to read, no more.

        :param int account_id: id of the `sms.ovh.account` whose address was called
        :param str kind: 'stop' or 'reply'
        :param dict params: query and form parameters, as received
        """
        # PostgreSQL stores no NUL, in text or JSON.
        payload = {
            str(key)[:64].replace("\x00", ""): str(value)[:2048].replace("\x00", "")
            for key, value in list(params.items())[:MAX_PARAMS]
        }
        self.create(
            {
                "account_id": account_id,
                "kind": kind,
                "sms_ovh_id": payload.get("id", "")[:64] or False,
                "payload": payload,
            }
        )
        self.env.ref("sms_ovh.ir_cron_read_answers").sudo()._trigger()

    @api.model
    def _has_room(self, account_id):
        """Return whether the inbox takes one more callback of this account.

        Who knows an address could fill the disk: above `sms_ovh.inbox_per_hour` in one
        hour, calls are counted only, and the responsible user is told. About: each
        process counts its own, and looks now and then at what all of them received.

        :param int account_id: id of the `sms.ovh.account` whose address was called
        :rtype: bool
        """
        bound = self._sms_ovh_get_parameter("inbox_per_hour", const.INBOX_PER_HOUR)
        step = max(1, bound // RECOUNT_SHARE)
        key = self.env.cr.dbname, account_id
        hour = int(time.time() // 3600)
        counts = _received.get(key)
        if not counts or counts["hour"] != hour or counts["own"] >= step:
            ((total,),) = self.env.execute_query(
                SQL(
                    """
                    SELECT count(*) FROM sms_ovh_event
                     WHERE account_id = %s AND create_date >= %s
                    """,
                    account_id,
                    datetime.fromtimestamp(hour * 3600, timezone.utc).replace(
                        tzinfo=None
                    ),
                )
            )
            counts = {"hour": hour, "own": 0, "total": total, "dropped": 0}
            _received[key] = counts
        if counts["total"] + counts["own"] < bound:
            counts["own"] += 1
            return True
        counts["dropped"] += 1
        if counts["dropped"] == 1 or counts["dropped"] % step == 0:
            self._count_dropped(account_id, 1 if counts["dropped"] == 1 else step)
        return False

    @api.model
    def _count_dropped(self, account_id, count):
        """Count callbacks that were not kept, and tell the responsible user once.

        :param int account_id: id of the `sms.ovh.account` whose address was called
        :param int count: how many more there were
        """
        account = self.env["sms.ovh.account"].browse(account_id)
        if not account.try_lock_for_update():
            return
        account.inbox_dropped += count
        account._announce_full_inbox()

    @api.model
    def _wake(self):
        """Trigger the draining of the inbox, but not for each callback.

        A trigger starts a run that goes on until nothing comes any more for longer
        than `WAKE_EVERY`, so what arrives within that time of one needs none.
        """
        dbname = self.env.cr.dbname
        now = time.monotonic()
        if now - _last_wake.get(dbname, 0) < WAKE_EVERY:
            return
        _last_wake[dbname] = now
        self.env.ref("sms_ovh.ir_cron_process_events").sudo()._trigger()

    @staticmethod
    def _parse_int(value):
        """Return `value` as a small number, -1 where it is none."""
        value = (value or "").strip()
        return int(value) if value.isdecimal() and len(value) < 9 else -1

    # ------------------------------------------------------------
    # Understanding
    # ------------------------------------------------------------

    @api.model
    def _cron_process(self):
        """Treat what is in the inbox, a set at a time, until nothing comes any more."""
        last_id = 0
        idle = 0
        while idle <= 1.5 * LOOKS:
            # What reports speak of is known by ids: first, whose they are.
            self.env["sms.ovh.job"]._ask_for_open_due()
            events = transaction.transact(
                self.env, lambda last_id=last_id: self._process_next(last_id)
            )
            if not events:
                # What came without a trigger of its own: see `_wake`.
                idle += 1
                time.sleep(WAKE_EVERY / LOOKS)
                continue
            idle = 0
            last_id = max(events)
            self.env.invalidate_all()
            if not self.env["ir.cron"]._commit_progress(len(events), remaining=0):
                self.env.ref("sms_ovh.ir_cron_process_events")._trigger()
                return

    @api.model
    def _process_next(self, last_id):
        """Treat the next set after `last_id`.

        :return: ids of the set, those included that another worker is treating
        :rtype: list[int]
        """
        events = self.search(
            [
                ("state", "in", ("new", "waiting")),
                ("kind", "=", "delivery"),
                ("id", ">", last_id),
            ],
            order="id",
            limit=BATCH_SIZE,
        )
        locked = events.try_lock_for_update(allow_referencing=True)
        locked = locked._leave_out_orphans()
        unchecked = self.env["sms.ovh.job"]._get_unchecked_ids(locked.account_id)
        if unchecked:
            locked = locked.filtered(
                lambda event: (event.account_id.id, event.sms_ovh_id) not in unchecked
            )
        locked._process()
        unknown = locked.filtered(lambda event: event.state == "waiting")
        if unknown:
            self.env["sms.ovh.job"]._ask_soon(unknown.account_id)
        return events.ids

    def _leave_out_orphans(self):
        """Delete what was received while its account was being deleted.

        :return: the others
        """
        existing = self.account_id.exists()
        if existing == self.account_id:
            return self
        orphans = self.filtered(lambda event: event.account_id not in existing)
        others = self - orphans
        orphans.unlink()
        return others

    @api.model
    def _delete_of(self, accounts):
        """Delete what was received for accounts, which are about to be deleted."""
        self.flush_model()
        self.env.cr.execute(
            SQL("DELETE FROM sms_ovh_event WHERE account_id = ANY(%s)", accounts.ids)
        )
        self.invalidate_model(flush=False)

    def _process(self):
        """Move what these reports speak of forward: trackers, SMS, notifications.

        Of several reports on one SMS the one that says most counts.
        """
        trackers, messages = self._find_sent()
        # sudo: runs for the cron's user, on records of any company.
        Log = self.env["sms.ovh.log"].sudo()
        logged = Log._find([event.sms_ovh_id for event in self])
        best = self._choose_best({*trackers, *messages, *logged})
        groups = defaultdict(list)
        for state, failure_type, event in best.values():
            reason = event._get_reason(failure_type)
            groups[state, failure_type, reason, event.ptt].append(event.id)
        refunded = {
            key for key, (*__, event) in best.items() if event.dlr == const.REFUNDED_DLR
        }
        for outcome, event_ids in groups.items():
            events = self.browse(event_ids).with_prefetch(self._prefetch_ids)
            keys = {event._get_key() for event in events}
            moved = {
                (record.sms_ovh_account_id.id, record.sms_ovh_id)
                for found in (trackers, messages)
                for record in found.take(keys)._sms_ovh_update(*outcome)
            }
            state, failure_type, __, ptt = outcome
            times = None
            if state == "sent":
                times = {event._get_key(): event._get_time() for event in events}
            for group, back in ((keys - refunded, False), (keys & refunded, True)):
                moved |= Log._move(
                    group & logged, state, failure_type, ptt, back, times
                )
            done = events.filtered(lambda event, moved=moved: event._get_key() in moved)
            done.state = "done"
            (events - done).state = "late"

    def _get_key(self):
        """Return what tells an SMS: the account's id and OVHcloud's."""
        self.ensure_one()
        return self.account_id.id, self.sms_ovh_id

    def _find_sent(self):
        """Return what these reports speak of, by account's id and OVHcloud's.

        :return: `sms.tracker`, and `sms.sms`
        :rtype: tuple[Found, Found]
        """
        # sudo: runs for the cron's user, on records of any company.
        Tracker = self.env["sms.tracker"].sudo()
        Sms = self.env["sms.sms"].sudo()
        ids = [event.sms_ovh_id for event in self]
        trackers = Found(
            Tracker.search_fetch([("sms_ovh_id", "in", ids)], TRACKER_FIELDS)
        )
        # By what is indexed: most have a tracker.
        tracked = {tracker.sms_ovh_id for tracker in trackers.values()}
        domain = [("uuid", "in", [tracker.sms_uuid for tracker in trackers.values()])]
        others = [ovh_id for ovh_id in ids if ovh_id not in tracked]
        if others:
            domain = ["|", *domain, ("sms_ovh_id", "in", others)]
        return trackers, Found(Sms.search_fetch(domain, SMS_FIELDS))

    def _choose_best(self, known):
        """Return the report that says most of each SMS; the others are late.

        :param set known: of which SMS there is something that can be moved
        :return: state, failure type and event by account's id and OVHcloud's
        :rtype: dict[tuple, tuple]
        """
        best = {}
        for event in self:
            key = event._get_key()
            if key not in known:
                event._wait()
                continue
            state, failure_type = event._get_outcome()
            if event.dlr not in const.DLR_TO_STATE and (
                event.ptt not in const.PTT_TO_STATE
            ):
                _logger.info(
                    "OVHcloud SMS: report with unknown ptt %s and status %s taken for"
                    " %s",
                    event.ptt,
                    event.dlr,
                    state,
                )
            rank = const.STATE_RANK[state]
            if key in best and rank <= best[key][0]:
                event.state = "late"
                continue
            if key in best:
                best[key][-1].state = "late"
            best[key] = (rank, state, failure_type, event)
        return {key: found for key, (__, *found) in best.items()}

    def _get_outcome(self):
        """Return the state and failure type that this report means for its SMS."""
        self.ensure_one()
        state, failure_type = const.PTT_TO_STATE.get(self.ptt, (None, False))
        if self.dlr in const.DLR_TO_STATE:
            state = const.DLR_TO_STATE[self.dlr]
        state = state or "pending"
        if state != "error":
            return state, False
        if not failure_type:
            failure_type = const.PTT_UNKNOWN_FAILURE_TYPE
        return state, failure_type

    def _get_time(self):
        """Return when what this report says happened, in UTC.

        That is the time it names; where it names none that can be read, or one of no
        known time zone, the time it came. None for what OVHcloud was asked for: it had
        happened at some time before.
        """
        self.ensure_one()
        params = self.payload or {}
        try:
            when = datetime.fromisoformat(params.get("date") or "")
        except (TypeError, ValueError):
            when = None
        if when and when.tzinfo:
            return when.astimezone(timezone.utc).replace(tzinfo=None)
        # An inquiry for what was delivered names the status only.
        return self.create_date if "ptt" in params else None

    @api.depends("kind", "ptt", "dlr", "description")
    @api.depends_context("lang")
    def _compute_meaning(self):
        names = dict(self._fields["kind"]._description_selection(self.env))
        for event in self:
            if event.kind != "delivery":
                event.meaning = names.get(event.kind)
                continue
            state, __ = event._get_outcome()
            if state == "error":
                event.meaning = event._get_ptt_reason(self.env)
            elif state == "sent":
                event.meaning = self.env._("Delivered")
            else:
                event.meaning = self._get_ptt_stages(self.env).get(
                    event.ptt, self.env._("On its way")
                )

    @api.model
    def _get_ptt_stages(self, env):
        """Return what the codes of SMS that are on their way mean to a user."""
        return {
            1: env._("Tried again: the phone did not take it"),
            2: env._("Tried again: the operator did not take it"),
            3: env._("Accepted by the operator"),
        }

    def _get_ptt_reason(self, env):
        """Return why an SMS failed, in the language of `env`."""
        self.ensure_one()
        return self._get_ptt_reasons(env).get(self.ptt) or env._(
            "OVHcloud says “%s”.", self.description or "?"
        )

    def _get_reason(self, failure_type):
        """Return why an SMS failed, in the company's language, with OVHcloud's code."""
        self.ensure_one()
        if not failure_type:
            return False
        env = self.account_id._in_its_language().env
        return env._(
            "%(reason)s (code %(code)s)",
            reason=self._get_ptt_reason(env),
            code=self.ptt,
        )

    @api.model
    def _get_ptt_reasons(self, env):
        """Return what the codes of failures mean to a user. See `const.PTT_TO_STATE`."""
        ported = env._("The number was ported and cannot be reached.")
        return {
            5: env._("The operator could not deliver it."),
            8: env._("It could not be delivered in time."),
            20: env._("It could not be delivered."),
            21: env._("The recipient's subscription has no credit left."),
            23: env._(
                "The number is invalid, barred or blacklisted. Do not use it again."
            ),
            24: env._("The phone was off or out of reach."),
            25: env._("The operator's network failed."),
            26: env._("The phone had a temporary failure."),
            27: env._("The phone cannot receive this SMS."),
            28: env._("The operator took it for spam."),
            29: env._("The operator does not permit this content."),
            33: env._("A parental lock refused it."),
            39: env._("The operator failed. It is not charged."),
            73: ported,
            74: env._("The recipient is abroad and cannot be reached."),
            76: ported,
            202: ported,
            1999: env._(
                "Its country takes only texts that OVHcloud approved beforehand."
                " Have a template approved by OVHcloud's support."
            ),
        }

    def _wait(self):
        """Leave a report on an unknown SMS for later, not for ever."""
        self.ensure_one()
        limit = fields.Datetime.now() - timedelta(hours=WAITING_HOURS)
        if self.create_date < limit:
            _logger.info(
                "OVHcloud SMS: report on SMS %s set aside: not sent from here",
                self.sms_ovh_id,
            )
            self.state = "ignored"
        elif self.state != "waiting":
            self.state = "waiting"

    @api.autovacuum
    def _gc_events(self):
        """Delete after a month what is treated; calls about a STOP or a reply are by then."""
        limit = fields.Datetime.now() - timedelta(days=KEEP_DAYS)
        events = self.search(
            [
                "|",
                ("state", "not in", ("new", "waiting")),
                ("kind", "!=", "delivery"),
                ("create_date", "<", limit),
            ],
            limit=GC_UNLINK_LIMIT,
        )
        events.unlink()
        return len(events), len(events) == GC_UNLINK_LIMIT

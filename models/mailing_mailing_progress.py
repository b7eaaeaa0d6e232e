import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_amount, hmac, split_every
from odoo.tools.misc import formatLang

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from .. import const
from ..tools.client_actions import notify

# What a trace's status means to a user who watches a campaign.
STATUS_TO_FIGURE = {
    "outgoing": "waiting",
    "process": "waiting",
    "pending": "accepted",
    "sent": "delivered",
    "open": "delivered",
    "reply": "delivered",
    "error": "failed",
    "bounce": "failed",
    "cancel": "cancelled",
}
# Seconds over which the speed is measured.
SPEED_SECONDS = 60
# Reasons shown separately; further ones are grouped by their failure type.
MAX_REASONS = 12
# SMS queued again at a time.
RETRY_SLICE = 1000
# Seconds between two messages on one campaign, however fast it is sent.
ANNOUNCE_EVERY = 1
ANNOUNCEMENT = "sms_ovh.progress"
# Latest messages on the bus that are searched for the last one of a campaign.
RECENT_MESSAGES = 500
_last_announced = {}
# Seconds before the SMS that can be tried again are counted anew.
COUNT_EVERY = 20
_retryable = {}
# Countries and senders shown beside a campaign; the analysis has all.
MAX_LINES = 5
SUMS = ("segments", "credits", "cost", "delivered", "clicks", "stops")


class MailingMailing(models.Model):
    """Schedule, progress, failures and results of a campaign."""

    _inherit = "mailing.mailing"

    sms_ovh_leaves = fields.Char(
        string="When It Leaves", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )
    sms_ovh_hours_off = fields.Boolean(
        string="Quiet Hours Off", compute="_compute_sms_ovh_leaves", compute_sudo=True
    )
    sms_ovh_stop_count = fields.Integer(
        string="STOP", compute="_compute_sms_ovh_answer_counts"
    )
    sms_ovh_reply_count = fields.Integer(
        string="Replies", compute="_compute_sms_ovh_answer_counts"
    )

    # ------------------------------------------------------------
    # When it leaves
    # ------------------------------------------------------------

    @api.depends(
        "mailing_type",
        "schedule_date",
        "schedule_type",
        "sms_ovh_company_id.sms_ovh_account_id",
        "sms_ovh_company_id.sms_ovh_quiet_hours",
        "sms_ovh_kind",
        "state",
    )
    @api.depends_context("lang", "tz")
    def _compute_sms_ovh_leaves(self):
        """Show when a campaign held by quiet hours leaves, and whether they are off.

        For a campaign that should have left by now, show what it waits for.
        """
        self.sms_ovh_leaves = self.sms_ovh_hours_off = False
        now = fields.Datetime.now()
        for mailing in self.filtered("sms_ovh_account_id"):
            company = mailing.sms_ovh_company_id
            if mailing.mailing_type != "sms":
                continue
            mailing.sms_ovh_leaves = mailing._sms_ovh_get_stuck()
            if mailing.sms_ovh_kind != "marketing":
                continue
            if mailing.state in ("draft", "in_queue"):
                mailing.sms_ovh_hours_off = not company.sms_ovh_quiet_hours
                scheduled = mailing.state == "in_queue" or (
                    mailing.schedule_type == "scheduled"
                )
                wanted_at = max(scheduled and mailing.schedule_date or now, now)
                opening = company._sms_ovh_get_opening(wanted_at)
                if opening > wanted_at:
                    mailing.sms_ovh_leaves = mailing._sms_ovh_get_leaves(
                        opening, wanted_at > now or mailing.state == "in_queue"
                    )
            elif mailing.state == "sending":
                rest_leaves = mailing._sms_ovh_get_rest_leaves()
                mailing.sms_ovh_leaves = rest_leaves or mailing.sms_ovh_leaves

    @api.model
    def _sms_ovh_get_late_domain(self):
        """Return the domain of campaigns that should be composed by now but are not.

        :rtype: list
        """
        late = fields.Datetime.now() - const.WAKE_AFTER
        return [
            ("mailing_type", "=", "sms"),
            ("sms_ovh_company_id.sms_ovh_account_id", "!=", False),
            ("sms_ovh_paused", "=", False),
            ("sms_ovh_cancel_state", "=", False),
            ("write_date", "<", late),
            "|",
            "&",
            ("state", "=", "sending"),
            ("sms_ovh_composing", "=", True),
            "&",
            ("state", "=", "in_queue"),
            "|",
            ("schedule_date", "=", False),
            ("schedule_date", "<", late),
        ]

    def _sms_ovh_get_stuck(self):
        """Return the sentence that says what a late campaign waits for.

        :return: False if it waits for nothing
        :rtype: str|bool
        """
        self.ensure_one()
        if not self.filtered_domain(self._sms_ovh_get_late_domain()):
            return False
        # sudo: a scheduled action, for who sends campaigns.
        cron_sudo = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").sudo()
        if not cron_sudo.active:
            return self.env._(
                "Nothing leaves: the scheduled action “%s” is switched off. Ask an"
                " administrator to switch it on again.",
                cron_sudo.name,
            )
        return self.env._(
            "It waits for the scheduled action “%s”, which is busy with other campaigns,"
            " or was stopped and is run again within minutes. If this stays, ask an"
            " administrator whether scheduled actions run.",
            cron_sudo.name,
        )

    def _sms_ovh_get_leaves(self, opening, decided):
        """Return the sentence that says when a campaign not yet composed leaves.

        :param datetime opening: in UTC
        :param bool decided: whether its date is settled; if not, the sentence says when
            it leaves if sent now
        """
        self.ensure_one()
        values = self.sms_ovh_company_id._sms_ovh_describe_opening(opening)
        if decided:
            return self.env._(
                "Leaves on %(day)s at %(time)s: marketing SMS keep quiet hours.",
                **values,
            )
        return self.env._(
            "If you send it now, it leaves on %(day)s at %(time)s: marketing SMS keep"
            " quiet hours.",
            **values,
        )

    def _sms_ovh_get_rest_leaves(self):
        """Return the sentence on the SMS that wait for an hour, False if none do."""
        self.ensure_one()
        count, first, last = self._sms_ovh_read_held()
        if not count:
            return False
        company = self.sms_ovh_company_id
        values = company._sms_ovh_describe_opening(first)
        if first == last:
            return self.env._(
                "SMS that leave on %(day)s at %(time)s, since marketing SMS keep quiet"
                " hours: %(count)s.",
                count=count,
                **values,
            )
        last_values = company._sms_ovh_describe_opening(last)
        return self.env._(
            "SMS that wait for the recipients' hours: %(count)s. The first leaves on"
            " %(day)s at %(time)s, the last on %(last_day)s at %(last_time)s.",
            count=count,
            last_day=last_values["day"],
            last_time=last_values["time"],
            **values,
        )

    def _sms_ovh_read_held(self):
        """Return how many SMS of these campaigns wait for an hour, the first and last.

        They are in the queue, or were still in the outbox when the day ended.

        :rtype: tuple[int, datetime|bool, datetime|bool]
        """
        now = fields.Datetime.now()
        # sudo: users who see the campaign may know.
        ((count, first, last),) = (
            self.env["sms.sms"]
            .sudo()
            ._read_group(
                [
                    ("mailing_id", "in", self.ids),
                    ("state", "=", "outgoing"),
                    ("sms_ovh_send_at", ">", now),
                ],
                [],
                ["__count", "sms_ovh_send_at:min", "sms_ovh_send_at:max"],
            )
        )
        moments = [first, last] if count else []
        groups = (
            self.env["sms.ovh.job"]
            .sudo()
            ._read_group(
                [
                    ("mailing_id", "in", self.ids),
                    ("state", "=", "queued"),
                    ("kind", "=", "marketing"),
                    ("next_attempt", ">", now),
                ],
                ["account_id", "country_code"],
                ["receiver_count:sum", "next_attempt:min", "next_attempt:max"],
            )
        )
        for account, country_code, receivers, job_first, job_last in groups:
            # Other jobs are only about to try again.
            if account.company_id._sms_ovh_get_opening(now, country_code) > now:
                count += receivers
                moments += [job_first, job_last]
        if not moments:
            return 0, False, False
        return count, min(moments), max(moments)

    def action_view_sms_ovh_quiet_hours(self):
        """Open the settings with the quiet hours."""
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Settings"),
            "res_model": "res.config.settings",
            "view_mode": "form",
            "target": "current",
            "context": {"module": "general_settings", "bin_size": False},
        }

    def _sms_ovh_filter_waiting(self):
        """Return the campaigns that are paused, or whose SMS wait for an hour."""
        mailings = self.filtered(
            lambda mailing: (
                mailing.mailing_type == "sms" and mailing._sms_ovh_is_in_charge()
            )
        )
        return mailings.filtered(
            lambda mailing: mailing.sms_ovh_paused or mailing._sms_ovh_read_held()[0]
        )

    # ------------------------------------------------------------
    # Progress
    # ------------------------------------------------------------

    def sms_ovh_get_progress(self):
        """Return this campaign's progress as plain data for the browser.

        :return: ``channel`` of the bus on which changes are announced, ``counts`` by
            figure (``waiting``, ``accepted``, ``delivered``, ``failed``,
            ``cancelled``), their ``total``, ``per_minute`` and
            ``expected_end`` while it is sent, ``started_at`` and ``sent_at``, and
            ``failures``, ``exclusions`` by reason
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        counts = dict.fromkeys(
            ("waiting", "accepted", "delivered", "failed", "cancelled"), 0
        )
        failures = {}
        recent = 0
        first, last = [], []
        for row in self._sms_ovh_query_progress():
            status, failure_type, reason, count, of_recent, started, ended = row
            figure = STATUS_TO_FIGURE.get(status, "waiting")
            counts[figure] += count
            if figure != "cancelled":
                recent += of_recent
                first += [started] if started else []
                last += [ended] if ended else []
            if figure in ("failed", "cancelled"):
                key = figure, failure_type or "unknown", reason
                failures[key] = failures.get(key, 0) + count
        counts["waiting"] += self._sms_ovh_count_to_compose(sum(counts.values()))
        started_at, sent_at = min(first, default=None), max(last, default=None)
        per_minute = self._sms_ovh_get_speed(counts, recent, started_at, sent_at)
        expected_end = None
        if counts["waiting"] and per_minute and not self.sms_ovh_paused:
            seconds = counts["waiting"] * 60 / per_minute
            expected_end = fields.Datetime.now() + timedelta(seconds=seconds)
        groups = self._sms_ovh_get_failure_groups(failures)
        failed = [
            (group["failure_type"], group["count"])
            for group in groups
            if group["retryable"]
        ]
        return {
            "channel": self._sms_ovh_get_channel(),
            "state": self.state,
            "paused": self.sms_ovh_paused,
            "cancelled": self.sms_ovh_cancel_state,
            "can_write": self.has_access("write"),
            "counts": counts,
            "total": sum(counts.values()),
            "per_minute": round(per_minute),
            "expected_end": fields.Datetime.to_string(expected_end) or False,
            "started_at": fields.Datetime.to_string(started_at) or False,
            "sent_at": fields.Datetime.to_string(sent_at) or False,
            "failures": [group for group in groups if group["figure"] == "failed"],
            "exclusions": [group for group in groups if group["figure"] == "cancelled"],
            "retryable": self._sms_ovh_count_retryable(failed),
        }

    def _sms_ovh_get_speed(self, counts, recent, started_at, sent_at):
        """Return how many SMS leave per minute, or left per minute if all are gone.

        :param dict counts: see :meth:`sms_ovh_get_progress`
        :param int recent: how many left within `SPEED_SECONDS`
        :param datetime|None started_at: when the first left
        :param datetime|None sent_at: when the last left
        :rtype: float
        """
        if not started_at:
            return 0
        if counts["waiting"]:
            since = fields.Datetime.now() - started_at
            return recent * 60 / min(SPEED_SECONDS, max(1, since.total_seconds()))
        taken = counts["accepted"] + counts["delivered"] + counts["failed"]
        return taken * 60 / max(1, (sent_at - started_at).total_seconds())

    def _sms_ovh_count_to_compose(self, composed):
        """Return how many recipients have no SMS yet.

        :param int composed: how many have one
        """
        self.ensure_one()
        if self.state == "sending" and self.sms_ovh_recipient_count:
            return max(0, self.sms_ovh_recipient_count - self.sms_ovh_composed_count)
        estimate = self.sms_ovh_estimate_id
        if self.state == "in_queue" and not composed and estimate.state == "done":
            # As the sending dialog said: recipients left out do not wait.
            return estimate.sent_count
        if self.state in ("in_queue", "sending"):
            return max(0, self._sms_ovh_count_seen() - composed)
        return 0

    def _sms_ovh_query_progress(self):
        """Count traces by status and reason.

        Each row also tells how many were taken just now, and when the first and the
        last were. This is one query, bounded by the campaign's size, on the index that
        core has on its traces: an index on what every SMS changes would cost more than
        it saves.
        """
        self.env["mailing.trace"].flush_model()
        return self.env.execute_query(
            SQL(
                """
                SELECT trace_status, failure_type, failure_reason, count(*),
                       count(*) FILTER (WHERE sent_datetime > %(since)s),
                       min(sent_datetime), max(sent_datetime)
                  FROM mailing_trace
                 WHERE mass_mailing_id = %(mailing_id)s
                   AND is_test_trace IS NOT TRUE
              GROUP BY trace_status, failure_type, failure_reason
                """,
                since=fields.Datetime.now() - timedelta(seconds=SPEED_SECONDS),
                mailing_id=self.id,
            )
        )

    def _sms_ovh_get_failure_groups(self, counts):
        """Return why SMS failed or were left out, the most frequent reason first.

        :param dict counts: by figure, failure type and sentence
        :rtype: list[dict]
        """
        labels = dict(
            self.env["mailing.trace"]
            ._fields["failure_type"]
            ._description_selection(self.env)
        )
        shown = sorted(counts, key=lambda key: (-counts[key], str(key)))[:MAX_REASONS]
        groups = {}
        for key in sorted(counts, key=lambda key: (-counts[key], str(key))):
            figure, failure_type, reason = key
            reason = reason if key in shown else None
            group = groups.setdefault(
                (figure, failure_type, reason),
                {
                    "figure": figure,
                    "failure_type": failure_type,
                    "label": labels.get(failure_type, failure_type),
                    "reason": reason or "",
                    "count": 0,
                    "retryable": figure == "failed"
                    and failure_type in const.RETRYABLE_FAILURE_TYPES,
                },
            )
            group["count"] += counts[key]
        return list(groups.values())

    def action_view_sms_ovh_figure(self, figure, failure_type=None, reason=None):
        """Open the SMS behind a figure of the progress.

        :param str figure: ``waiting``, ``accepted``, ``delivered``, ``failed`` or
            ``cancelled``
        :param str|None failure_type: only SMS with this failure type
        :param str|None reason: only SMS with this reason
        """
        action = self.action_view_sms_ovh_traces()
        statuses = [
            status for status, name in STATUS_TO_FIGURE.items() if name == figure
        ]
        action["domain"] += [
            ("trace_status", "in", statuses),
            ("is_test_trace", "=", False),
        ]
        if failure_type == "unknown":
            action["domain"].append(("failure_type", "in", [False, "unknown"]))
        elif failure_type:
            action["domain"].append(("failure_type", "=", failure_type))
        if reason:
            action["domain"].append(("failure_reason", "=", reason))
        return action

    # ------------------------------------------------------------
    # Trying again
    # ------------------------------------------------------------

    def _sms_ovh_get_retryable(self):
        """Return the failed SMS that may succeed on another try.

        It leaves out those that left, and those of which nobody knows whether they did.

        :return: id of the `sms.sms` by id of its trace
        :rtype: dict
        """
        return dict(
            self.env.execute_query(
                SQL("SELECT trace.id, sms.id %s", self._sms_ovh_get_retryable_sql())
            )
        )

    def _sms_ovh_count_retryable(self, failed):
        """Return how many SMS :meth:`_sms_ovh_get_retryable` returns.

        Counting looks at each SMS, and every browser that watches asks every few
        seconds. So the count is renewed only when `failed` changes, or after a while.

        :param list failed: failure types worth another try, and how many SMS of each
        :rtype: int
        """
        self.ensure_one()
        if not failed:
            return 0
        now = time.monotonic()
        key = self.env.cr.dbname, self.id
        counted, since, count = _retryable.get(key, (None, 0, 0))
        if counted == failed and now - since < COUNT_EVERY:
            return count
        ((count,),) = self.env.execute_query(
            SQL("SELECT count(*) %s", self._sms_ovh_get_retryable_sql())
        )
        for old in [old for old, value in _retryable.items() if now - value[1] > 3600]:
            _retryable.pop(old, None)
        _retryable[key] = failed, now, count
        return count

    def _sms_ovh_get_retryable_sql(self):
        """Return what follows SELECT, with ``trace`` and ``sms`` as table aliases."""
        self.env["mailing.trace"].flush_model()
        self.env["sms.sms"].flush_model()
        return SQL(
            """
              FROM mailing_trace trace
              JOIN sms_sms sms ON sms.id = trace.sms_id_int
             WHERE trace.mass_mailing_id = ANY(%(mailing_ids)s)
               AND trace.trace_status IN ('error', 'bounce')
               AND trace.failure_type = ANY(%(types)s)
               AND trace.is_test_trace IS NOT TRUE
               AND sms.state = 'error' AND sms.failure_type = ANY(%(types)s)
               AND sms.sms_ovh_id IS NULL AND sms.to_delete IS NOT TRUE
               AND (sms.sms_ovh_job_id IS NULL OR sms.sms_ovh_job_id NOT IN (
                       SELECT id FROM sms_ovh_job
                        WHERE mailing_id = ANY(%(mailing_ids)s)
                          AND state NOT IN ('refused', 'failed')
                   ))
            """,
            mailing_ids=self.ids,
            types=sorted(const.RETRYABLE_FAILURE_TYPES),
        )

    def action_sms_ovh_retry(self):
        """Send again what failed for a reason that may be gone by now."""
        self.check_access("write")
        sent = left_out = 0
        for mailing in self:
            of_sent, of_left_out = mailing._sms_ovh_retry_failed()
            sent += of_sent
            left_out += of_left_out
        if not sent and not left_out:
            kind = "warning"
            message = self.env._(
                "No SMS can be tried again: the others have left, or would fail again."
            )
        else:
            kind = "success"
            message = self.env._("SMS sent again: %s.", sent)
            if left_out:
                message += " " + self.env._(
                    "Left out, having opted out meanwhile: %s.", left_out
                )
        return notify(message, kind, then=None)

    def _sms_ovh_retry_failed(self):
        """Queue again what can be sent, except to recipients who opted out since.

        Recipients on the blacklist by now are left out when the queue is processed.

        :return: how many are queued, and how many left out
        :rtype: tuple[int, int]
        """
        self.ensure_one()
        # sudo: SMS and traces of a campaign that the user may write.
        Sms = self.env["sms.sms"].sudo()
        Trace = self.env["mailing.trace"].sudo()
        opted_out = set()
        if self.use_exclusion_list:
            opted_out = set(self._get_opt_out_list_sms())
        queued_count = left_out_count = 0
        for pairs in split_every(RETRY_SLICE, self._sms_ovh_get_retryable().items()):
            trace_ids = {sms_id: trace_id for trace_id, sms_id in pairs}
            # Only once if a user presses the button twice, or two users do at a time.
            sms = Sms.browse(trace_ids).try_lock_for_update(allow_referencing=True)
            traces = Trace.browse(trace_ids[sms_id] for sms_id in sms.ids)
            left_out = traces.filtered(lambda trace: trace.res_id in opted_out)
            queued = traces - left_out
            Sms.browse(left_out.mapped("sms_id_int")).write(
                {"state": "canceled", "failure_type": False}
            )
            left_out.write(
                {
                    "trace_status": "cancel",
                    "failure_type": "sms_optout",
                    "failure_reason": False,
                }
            )
            Sms.browse(queued.mapped("sms_id_int")).write(
                {
                    "state": "outgoing",
                    "failure_type": False,
                    "sms_ovh_failure_reason": False,
                    "sms_ovh_job_id": False,
                    **self._sms_ovh_prepare_retry(),
                }
            )
            queued.write(
                {
                    "trace_status": "outgoing",
                    "failure_type": False,
                    "failure_reason": False,
                }
            )
            queued_count += len(queued)
            left_out_count += len(left_out)
            # Nothing of a slice is needed for the next: memory stays flat.
            self.env.flush_all()
            Sms.invalidate_model()
            Trace.invalidate_model()
        if queued_count:
            self._sms_ovh_trigger_crons()
        self._sms_ovh_announce_progress()
        return queued_count, left_out_count

    def _sms_ovh_prepare_retry(self):
        """Return the sender to try again with, if the campaign's can no longer send.

        :rtype: dict
        """
        self.ensure_one()
        # sudo: senders of the account that sends.
        mailing_sudo = self.sudo()
        sender_sudo = mailing_sudo.sms_ovh_account_id.default_sender_id
        if (
            mailing_sudo.sms_ovh_sender_id.status == "enable"
            or sender_sudo.status != "enable"
            or (self.sms_ovh_stop_clause and not sender_sudo.has_stop_clause)
        ):
            return {}
        return {"sms_ovh_sender_id": sender_sudo.id}

    # pylint: disable-next=missing-return
    def action_retry_failed_sms(self):
        """Override of `mass_mailing_sms`, which sends again everything that failed.

        That includes SMS of which nobody knows whether they left; they could leave
        twice.
        """
        ovh_mailings = self.filtered(
            lambda mailing: mailing.sms_ovh_account_id or mailing.sms_ovh_composed_count
        )
        if self - ovh_mailings:
            super(MailingMailing, self - ovh_mailings).action_retry_failed_sms()
        ovh_mailings.check_access("write")
        for mailing in ovh_mailings:
            mailing._sms_ovh_retry_failed()

    # ------------------------------------------------------------
    # Announcing progress
    # ------------------------------------------------------------

    def _sms_ovh_get_channel(self):
        """Return the bus channel on which changes of this campaign are announced.

        Anybody may listen to any channel whose name they know. Only users who may see
        the campaign get to know this one.

        :rtype: str
        """
        self.ensure_one()
        # sudo: the secret of the database.
        secret = hmac(self.env(su=True), "sms_ovh.progress", self.id)
        return f"sms_ovh.mailing_{self.id}_{secret}"

    def _sms_ovh_announce_progress(self):
        """Tell browsers that watch these campaigns, after the commit, of new figures.

        The message holds no figures: the browser asks for them. There is never one
        message per SMS, however fast they are sent. A browser that was told asks once
        more a moment later, so that nothing is missed.
        """
        data = self.env.cr.precommit.data
        if self.ids and ANNOUNCEMENT not in data:
            data[ANNOUNCEMENT] = set()
            self.env.cr.precommit.add(self.browse()._sms_ovh_send_announcements)
        if self.ids:
            data[ANNOUNCEMENT].update(self.ids)

    @api.model
    def _sms_ovh_send_announcements(self):
        """Put the pending announcements on the bus, if it is time."""
        ids = self.env.cr.precommit.data.pop(ANNOUNCEMENT, ())
        dbname = self.env.cr.dbname
        now = time.monotonic()
        due = [
            id_
            for id_ in ids
            if now - _last_announced.get((dbname, id_), -ANNOUNCE_EVERY)
            >= ANNOUNCE_EVERY
        ]
        if not due:
            return
        for key in [key for key, when in _last_announced.items() if now - when > 3600]:
            _last_announced.pop(key, None)
        # sudo: only the gateway may write on channels.
        Bus = self.env["bus.bus"].sudo()
        for mailing in self.browse(due) - self._sms_ovh_find_announced(due):
            channel = mailing._sms_ovh_get_channel()
            Bus._sendone(channel, ANNOUNCEMENT, {"id": mailing.id})
            _last_announced[dbname, mailing.id] = now

    @api.model
    def _sms_ovh_find_announced(self, ids):
        """Return the campaigns that another process has just announced."""
        dbname = self.env.cr.dbname
        channels = {
            json_dump(
                channel_with_db(dbname, mailing._sms_ovh_get_channel())
            ): mailing.id
            for mailing in self.browse(ids)
        }
        # In SQL: the bus has no index on channels, and few messages are that new.
        rows = self.env.execute_query(
            SQL(
                """
                SELECT channel
                  FROM bus_bus
                 WHERE id > (SELECT max(id) FROM bus_bus) - %(recent)s
                   AND create_date > clock_timestamp() AT TIME ZONE 'UTC'
                                     - make_interval(secs => %(every)s)
                   AND channel = ANY(%(channels)s)
                """,
                recent=RECENT_MESSAGES,
                every=ANNOUNCE_EVERY,
                channels=list(channels),
            )
        )
        return self.browse({channels[channel] for (channel,) in rows})

    # ------------------------------------------------------------
    # What recipients sent back
    # ------------------------------------------------------------

    def _compute_sms_ovh_answer_counts(self):
        for name, model in (
            ("sms_ovh_stop_count", "sms.ovh.stop"),
            ("sms_ovh_reply_count", "sms.ovh.reply"),
        ):
            counts = dict(
                self.env[model]._read_group(
                    [("mailing_id", "in", self.ids)], ["mailing_id"], ["__count"]
                )
            )
            for mailing in self:
                mailing[name] = counts.get(mailing._origin, 0)

    def action_view_sms_ovh_replies(self):
        """Open the replies to these campaigns."""
        return self._sms_ovh_view_answers("sms_ovh.sms_ovh_reply_action")

    def action_view_sms_ovh_stops(self):
        """Open the STOP answers to these campaigns."""
        return self._sms_ovh_view_answers("sms_ovh.sms_ovh_stop_action")

    def _sms_ovh_view_answers(self, xmlid):
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        # Not at the web address of the list of all answers.
        action.pop("path", None)
        return {**action, "domain": [("mailing_id", "in", self.ids)]}

    # ------------------------------------------------------------
    # Results
    # ------------------------------------------------------------

    def sms_ovh_get_results(self):
        """Return this campaign's results as plain data for the browser.

        :return: sums (``taken``, ``segments``, ``credits``, ``cost``, ``delivered``,
            ``clicks``, ``stops``, ``replies``), seconds to deliver (``median``,
            ``slowest_tenth``; False if nothing is known), ``currency_id`` (False
            without a price), ``countries`` and ``senders``, and what can be opened
        :rtype: dict
        """
        self.ensure_one()
        self.check_access("read")
        # Read the campaign's SMS once, in groups of which there are few.
        groups = self.env["sms.ovh.report"]._read_group(
            [("mailing_id", "=", self.id), ("state", "!=", "refused")],
            ["country_id", "sender_id"],
            ["__count", *(f"{name}:sum" for name in SUMS)],
        )
        columns = zip(*(group[2:] for group in groups), strict=True)
        sums = [sum(column) for column in columns]
        taken, segments, charged, cost, delivered, clicks, stops = sums or [0] * 7
        # sudo: the price, for users who may see what the campaign cost.
        account_sudo = self.sudo().sms_ovh_account_id
        has_price = account_sudo.credit_price > 0
        median, slowest_tenth = self._sms_ovh_get_delivery_seconds()
        return {
            "taken": taken,
            "segments": segments,
            "credits": charged,
            "cost": has_price and cost,
            "currency_id": has_price and account_sudo.currency_id.id,
            "delivered": delivered,
            "clicks": clicks,
            "has_links": bool(self.link_trackers_count),
            "stops": stops,
            "replies": self.sms_ovh_reply_count,
            "median": median,
            "slowest_tenth": slowest_tenth,
            "countries": self._sms_ovh_get_lines(groups, 0),
            "senders": self._sms_ovh_get_lines(groups, 1),
            "ab_test": self._sms_ovh_is_compared(),
        }

    def _sms_ovh_get_lines(self, groups, position):
        """Return the results by country or by sender, those with most SMS first.

        :param list groups: rows by country and sender, with how many SMS and `SUMS`
        :param int position: index in a row of the country or the sender to group by
        :rtype: list[dict]
        """
        lines = {}
        for group in groups:
            record = group[position]
            line = lines.setdefault(
                record,
                {
                    "id": record.id,
                    "name": record.display_name or self.env._("Unknown"),
                    "taken": 0,
                    "delivered": 0,
                    "credits": 0,
                },
            )
            count, __, charged, __, delivered, *__ = group[2:]
            line["taken"] += count
            line["delivered"] += delivered
            line["credits"] += charged
        return sorted(lines.values(), key=lambda line: -line["taken"])[:MAX_LINES]

    def _sms_ovh_get_delivery_seconds(self):
        """Return the seconds within which half, and nine tenths, of SMS were delivered.

        They say more than an average, which one phone that was off for a day spoils.

        :return: (median, 90th percentile), both False if nothing is known
        :rtype: tuple
        """
        self.ensure_one()
        ((median, slowest_tenth),) = self.env.execute_query(
            SQL(
                """
                SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
                       percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)
                  FROM (SELECT EXTRACT(EPOCH FROM delivered_at - date) AS seconds
                          FROM sms_ovh_log
                         WHERE mailing_id = %s AND delivered_at IS NOT NULL) delivered
                """,
                self.id,
            )
        )
        if median is None:
            return False, False
        return median, slowest_tenth

    def _sms_ovh_is_compared(self):
        """Return whether there are versions of this campaign to compare."""
        self.ensure_one()
        return bool(
            self.ab_testing_enabled
            and self.campaign_id
            and self.ab_testing_mailings_sms_count > 1
        )

    # ------------------------------------------------------------
    # Analysis
    # ------------------------------------------------------------

    def action_view_sms_ovh_report(self, group=None, value=None):
        """Open the analysis of this campaign's SMS.

        :param str|None group: ``country_id`` or ``sender_id``, to look at one of them
        :param int|None value: id of that record; False for SMS without one
        """
        self.ensure_one()
        self.check_access("read")
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sms_ovh.sms_ovh_report_action"
        )
        domain = [("mailing_id", "=", self.id)]
        if group in ("country_id", "sender_id"):
            domain.append((group, "=", value))
        return {
            **action,
            "display_name": self.env._("Results of %s", self.subject),
            "domain": domain,
            "context": {
                "pivot_row_groupby": ["country_id", "sender_id"],
                "pivot_column_groupby": [],
                "graph_groupbys": ["country_id"],
            },
        }

    def action_sms_ovh_compare_versions(self):
        """Compare the results of an SMS's versions; for other mailings, do as Odoo."""
        self.ensure_one()
        self.check_access("read")
        if self.mailing_type != "sms" or not self.sms_ovh_account_id:
            return self.action_compare_versions()
        action = self.env["ir.actions.actions"]._for_xml_id(
            "sms_ovh.sms_ovh_report_action"
        )
        name = self.env._("A/B Tests")
        return {
            **action,
            "display_name": name,
            "domain": [
                ("campaign_id", "=", self.campaign_id.id),
                ("ab_version", "!=", False),
            ],
            "context": {
                "pivot_row_groupby": ["ab_version", "mailing_id"],
                "pivot_column_groupby": [],
                "graph_groupbys": ["ab_version"],
                "graph_measure": "clicks",
            },
        }

    # ------------------------------------------------------------
    # The e-mail on results
    # ------------------------------------------------------------

    def _action_send_statistics(self):
        """Override of `mass_mailing` to report only campaigns that the user may read.

        Core reads each campaign with the rights of its responsible user. If one of them
        may not read theirs, none is told. Core also writes the frame in the language of
        the user who runs the scheduled action; ours is in the reader's language.
        """
        others = self.filtered(
            lambda mailing: (
                mailing.sms_ovh_account_id
                and mailing.user_id
                and not mailing.with_user(mailing.user_id)
                .with_context(allowed_company_ids=mailing.user_id.company_ids.ids)
                .has_access("read")
            )
        )
        others.kpi_mail_required = False
        told = self - others
        own = told.filtered("sms_ovh_account_id")
        mails = super(MailingMailing, told - own)._action_send_statistics()
        for lang, mailings in own.grouped(lambda mailing: mailing.user_id.lang).items():
            mails |= super(
                MailingMailing, mailings.with_context(lang=lang or self.env.lang)
            )._action_send_statistics()
        return mails

    def _prepare_statistics_email_values(self):
        """Override of `mass_mailing_sms` to add the cost, the replies and the STOPs."""
        values = super()._prepare_statistics_email_values()
        if self.mailing_type != "sms" or not self.sms_ovh_account_id:
            return values
        results = self.sms_ovh_get_results()
        charged = formatLang(
            self.env, results["credits"], digits=0 if results["credits"] % 1 == 0 else 2
        )
        price = self.env._("SMS CHARGED")
        if results["currency_id"]:
            currency = self.env["res.currency"].browse(results["currency_id"])
            price = self.env._(
                "SMS CHARGED (%s)", format_amount(self.env, results["cost"], currency)
            )
        values["kpi_data"].insert(
            1,
            {
                "kpi_fullname": self.env._("What it cost and what came back"),
                "kpi_col1": {"value": charged, "col_subtitle": price},
                "kpi_col2": {
                    "value": str(results["replies"]),
                    "col_subtitle": self.env._("REPLIES"),
                },
                "kpi_col3": {
                    "value": str(results["stops"]),
                    "col_subtitle": self.env._("STOP"),
                },
                "kpi_action": None,
                "kpi_name": "sms_ovh",
            },
        )
        return values

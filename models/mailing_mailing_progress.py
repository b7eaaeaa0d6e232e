import time
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL, hmac, split_every

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from .. import const

# What a status of a trace is to whoever watches a campaign.
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
# Reasons that are told apart; further ones only by their failure type.
MAX_REASONS = 12
# SMS queued again at a time.
RETRY_SLICE = 1000
# Seconds between two messages on one campaign, however fast it is sent.
ANNOUNCE_EVERY = 1
ANNOUNCEMENT = "sms_ovh.progress"
# Messages on the bus among which the last one of a campaign is looked for.
RECENT_MESSAGES = 500
_last_announced = {}
# Seconds for which it is not counted again what can be tried again.
COUNT_EVERY = 20
_retryable = {}


class MailingMailing(models.Model):
    """A campaign while it is sent: how far it is, what failed, and trying again."""

    _inherit = "mailing.mailing"

    # ------------------------------------------------------------
    # How far it is
    # ------------------------------------------------------------

    def get_sms_ovh_progress(self):
        """Return how far this campaign is, as plain data for the browser.

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
        for row in self._query_sms_ovh_progress():
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
        counts["waiting"] += self._count_sms_ovh_to_compose(sum(counts.values()))
        now = fields.Datetime.now()
        started_at, sent_at = min(first, default=None), max(last, default=None)
        per_minute = 0
        if started_at and counts["waiting"]:
            seconds = min(SPEED_SECONDS, max(1, (now - started_at).total_seconds()))
            per_minute = recent * 60 / seconds
        elif started_at:
            seconds = max(1, (sent_at - started_at).total_seconds())
            taken = counts["accepted"] + counts["delivered"] + counts["failed"]
            per_minute = taken * 60 / seconds
        expected_end = None
        if counts["waiting"] and per_minute and not self.sms_ovh_paused:
            seconds = counts["waiting"] * 60 / per_minute
            expected_end = now + timedelta(seconds=seconds)
        groups = self._get_sms_ovh_failure_groups(failures)
        retryable = self._count_sms_ovh_retryable(
            [
                (group["failure_type"], group["count"])
                for group in groups
                if group["retryable"]
            ]
        )
        return {
            "channel": self._get_sms_ovh_channel(),
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
            "retryable": retryable,
        }

    def _count_sms_ovh_to_compose(self, composed):
        """Return how many recipients have no SMS yet.

        :param int composed: how many have one
        """
        self.ensure_one()
        if self.state == "sending" and self.sms_ovh_recipient_count:
            return max(0, self.sms_ovh_recipient_count - self.sms_ovh_composed_count)
        estimate = self.sms_ovh_estimate_id
        if self.state == "in_queue" and not composed and estimate.state == "done":
            # As whoever sent it was told: who is left out does not wait.
            return estimate.sent_count
        if self.state in ("in_queue", "sending"):
            return max(0, self._count_sms_ovh_seen() - composed)
        return 0

    def _query_sms_ovh_progress(self):
        """Return traces by status and reason, with how many, how many just now, and
        when the first and the last was taken.

        One query, bounded by the campaign's size, by the index that core has on its
        traces: an index on what each SMS changes would cost more than it saves.
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

    def _get_sms_ovh_failure_groups(self, counts):
        """Return why SMS failed or were left out, the most frequent reason first.

        :param dict counts: by figure, failure type and sentence
        :rtype: list[dict]
        """
        labels = dict(
            self.env["mailing.trace"]
            ._fields["failure_type"]
            ._description_selection(self.env)
        )
        told = sorted(counts, key=lambda key: (-counts[key], str(key)))[:MAX_REASONS]
        groups = {}
        for key in sorted(counts, key=lambda key: (-counts[key], str(key))):
            figure, failure_type, reason = key
            reason = reason if key in told else None
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
        :param str|None failure_type: only those that failed by this
        :param str|None reason: only those of which this was said
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

    def _get_sms_ovh_retryable(self):
        """Return the failed SMS that may pass on another try: none that left, or of
        which nobody knows whether it did.

        :return: id of the `sms.sms` by id of its trace
        :rtype: dict
        """
        return dict(
            self.env.execute_query(
                SQL("SELECT trace.id, sms.id %s", self._get_sms_ovh_retryable_sql())
            )
        )

    def _count_sms_ovh_retryable(self, failed):
        """Return how many :meth:`_get_sms_ovh_retryable` returns.

        That looks at each SMS, and whoever watches asks every few seconds: it is counted
        anew when other ones failed, or after a while.

        :param list failed: failure types that may pass on another try, how many of each
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
            SQL("SELECT count(*) %s", self._get_sms_ovh_retryable_sql())
        )
        for old in [old for old, value in _retryable.items() if now - value[1] > 3600]:
            _retryable.pop(old, None)
        _retryable[key] = failed, now, count
        return count

    def _get_sms_ovh_retryable_sql(self):
        """Return what follows SELECT; traces and SMS are called just that."""
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
        """Send again what failed by something that may be cured by now."""
        self.check_access("write")
        sent = left_out = 0
        for mailing in self:
            of_sent, of_left_out = mailing._retry_sms_ovh_failed()
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
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"type": kind, "message": message},
        }

    def _retry_sms_ovh_failed(self):
        """Queue again what can be, but for who opted out since.

        Who is on the blacklist by now is left out when the queue is treated.

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
        for pairs in split_every(RETRY_SLICE, self._get_sms_ovh_retryable().items()):
            trace_ids = {sms_id: trace_id for trace_id, sms_id in pairs}
            # Who presses the button twice, or two users at a time: once.
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
                    **self._prepare_sms_ovh_retry(),
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
            self._trigger_sms_ovh_crons()
        self._announce_sms_ovh_progress()
        return queued_count, left_out_count

    def _prepare_sms_ovh_retry(self):
        """Return by which sender to try again, where the campaign's can send no more.

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
        """Override of `mass_mailing_sms`, which sends all that failed again.

        Among that is what nobody knows whether it left: it would leave twice.
        """
        ovh_mailings = self.filtered(
            lambda mailing: mailing.sms_ovh_account_id or mailing.sms_ovh_composed_count
        )
        if self - ovh_mailings:
            super(MailingMailing, self - ovh_mailings).action_retry_failed_sms()
        ovh_mailings.check_access("write")
        for mailing in ovh_mailings:
            mailing._retry_sms_ovh_failed()

    # ------------------------------------------------------------
    # Who watches it
    # ------------------------------------------------------------

    def _get_sms_ovh_channel(self):
        """Return the channel of the bus on which changes of this campaign are announced.

        Anybody may listen to any channel whose name they know: only who may see the
        campaign gets to know this one.

        :rtype: str
        """
        self.ensure_one()
        # sudo: the secret of the database.
        secret = hmac(self.env(su=True), "sms_ovh.progress", self.id)
        return f"sms_ovh.mailing_{self.id}_{secret}"

    def _announce_sms_ovh_progress(self):
        """Tell who watches these campaigns, after the commit, that figures changed.

        Not which: who watches asks. Never one message for each SMS, however fast they
        are sent; who was told asks once more a moment later, so nothing is missed.
        """
        data = self.env.cr.precommit.data
        if self.ids and ANNOUNCEMENT not in data:
            data[ANNOUNCEMENT] = set()
            self.env.cr.precommit.add(self.browse()._send_sms_ovh_announcements)
        if self.ids:
            data[ANNOUNCEMENT].update(self.ids)

    @api.model
    def _send_sms_ovh_announcements(self):
        """Put what is to be announced on the bus, if it is time."""
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
        # sudo: channels are nobody's to write but the gateway's.
        Bus = self.env["bus.bus"].sudo()
        for mailing in self.browse(due) - self._find_sms_ovh_announced(due):
            channel = mailing._get_sms_ovh_channel()
            Bus._sendone(channel, ANNOUNCEMENT, {"id": mailing.id})
            _last_announced[dbname, mailing.id] = now

    @api.model
    def _find_sms_ovh_announced(self, ids):
        """Return those of these campaigns that another process has just told of."""
        dbname = self.env.cr.dbname
        channels = {
            json_dump(
                channel_with_db(dbname, mailing._get_sms_ovh_channel())
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

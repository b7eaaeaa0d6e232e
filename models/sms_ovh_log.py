from collections import defaultdict
from datetime import datetime, time, timedelta

import pytz

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.constants import GC_UNLINK_LIMIT

from .. import const
from ..fields import UncheckedMany2one
from ..sms_api import SmsApiOvh
from ..tools.number_country import get_country_code
from ..tools.sms_segments import count_segments

# What decides in which figures an SMS counts.
COUNTED_FIELDS = {"account_id", "sender_id", "date", "state", "credits"}


class SmsOvhLog(models.Model):
    """What OVHcloud took or refused, one slim row an SMS: what figures are made from.

    `sms.sms` is no source of them: Odoo deletes what was sent within a day. Rows that are
    only added, and moved by the reports on their own SMS, never have anybody wait. What
    changes here is added up in `sms.ovh.figure`, in the same transaction.

    In SQL throughout, a set at a time, since it is done for each SMS ever sent: what
    the ORM does besides takes several times as long. For the same reason there are no
    columns of who created a row, nor indexes on what changes: a report rewrites a row
    in its place.
    """

    _name = "sms.ovh.log"
    _description = "OVHcloud SMS Sent"
    _order = "date desc, id desc"
    _rec_name = "number"
    _log_access = False

    account_id = UncheckedMany2one("sms.ovh.account", required=True, readonly=True)
    sender_id = UncheckedMany2one("sms.ovh.sender", readonly=True)
    mailing_id = fields.Many2one(
        "mailing.mailing",
        ondelete="set null",
        index="btree_not_null",
        readonly=True,
    )
    kind = fields.Selection(const.KINDS, readonly=True)
    date = fields.Datetime(string="Sent On", required=True, readonly=True)
    delivered_at = fields.Datetime(string="Delivered On", readonly=True)
    number = fields.Char(readonly=True)
    country_code = fields.Char(readonly=True, help="ISO code of the number's country.")
    sms_ovh_id = fields.Char(
        string="OVHcloud's SMS ID", index="btree_not_null", readonly=True
    )
    state = fields.Selection(
        const.LOG_STATES,
        required=True,
        readonly=True,
        help="Refused: OVHcloud did not take the SMS, so it is not charged.",
    )
    failure_type = fields.Selection(selection="_get_failure_types", readonly=True)
    ptt = fields.Integer(string="OVHcloud's Code", aggregator=None, readonly=True)
    segments = fields.Integer(string="SMS per Recipient", readonly=True)
    # No `digits`: a share of what its job cost must not be rounded.
    credits = fields.Float(string="SMS Charged", readonly=True)
    clicked = fields.Boolean(readonly=True, help="The recipient followed a link.")
    stopped = fields.Boolean(string="STOP", readonly=True, help="Answered by a STOP.")

    _account_date_idx = models.Index("(account_id, date)")

    # A reply names its number, and asks which SMS that number got last.
    _number_date_idx = models.Index("(number, date)")

    @api.model
    def _get_failure_types(self):
        """Return the failure types that SMS have."""
        return (
            self.env["sms.sms"]._fields["failure_type"]._description_selection(self.env)
        )

    # What the ORM does is done to few: what demonstrations show, what an administrator
    # deletes, what is too old.

    @api.model_create_multi
    def create(self, vals_list):
        """Override to count these in the figures."""
        logs = super().create(vals_list)
        logs._add_figures(1)
        return logs

    def write(self, vals):
        """Override to count these in the figures as what they become."""
        if not vals.keys() & COUNTED_FIELDS:
            return super().write(vals)
        self.check_access("write")
        self._add_figures(-1)
        result = super().write(vals)
        self._add_figures(1)
        return result

    def unlink(self):
        """Override to count these in the figures no longer."""
        self.check_access("unlink")
        self._add_figures(-1)
        return super().unlink()

    def _add_figures(self, count):
        """Count these in the figures.

        :param int count: 1 for what comes, -1 for what goes
        """
        self.flush_recordset()
        Figure = self.env["sms.ovh.figure"]
        Figure._add(Figure._select_logs(count, self))

    @api.model
    def _append(self, settled):
        """Write down what became of jobs' receivers.

        What Odoo itself refuses, without asking OVHcloud, is none of OVHcloud's figures
        and not written.

        :param list settled: triples of an `sms.ovh.job`, its receivers and results of
            them as :meth:`SmsApiOvh._send_sms_batch` returns them
        """
        rows = [
            row
            for job, receivers, results in settled
            if results
            for row in self._prepare_rows(job, dict(receivers), results)
        ]
        if not rows:
            return
        self.env.cr.execute(
            SQL(
                """
                WITH settled (
                    account_id, sender_id, mailing_id, kind, date, state, failure_type,
                    segments, credits, country_code, numbers, sms_ovh_ids
                ) AS (VALUES %(rows)s),
                appended AS (
                    INSERT INTO sms_ovh_log (
                        account_id, sender_id, mailing_id, kind, date, state,
                        failure_type, segments, credits, country_code, number,
                        sms_ovh_id
                    )
                    SELECT account_id, sender_id, mailing_id, kind, date, state,
                           failure_type, segments, credits, country_code,
                           receiver.number, receiver.sms_ovh_id
                      FROM settled,
                           unnest(numbers, sms_ovh_ids) AS receiver (number, sms_ovh_id)
                )
                %(add_figures)s
                """,
                rows=SQL(", ").join(rows),
                add_figures=self.env["sms.ovh.figure"]._get_insert(
                    SQL(
                        "SELECT account_id, sender_id, date, state, credits,"
                        " cardinality(numbers) FROM settled"
                    )
                ),
            )
        )
        self.env["mailing.mailing"].browse(
            {job.mailing_id.id for job, __, results in settled if results} - {False}
        )._sms_ovh_announce_progress()

    @api.model
    def _prepare_rows(self, job, numbers, results):
        """Return what became of a job's receivers, one row an outcome and country.

        :param job: `sms.ovh.job`
        :param dict numbers: of its receivers, by the SMS's UUID
        :param list results: see :meth:`_append`
        :return: values of the columns that :meth:`_append` names, numbers and
            OVHcloud's ids as arrays
        :rtype: list[SQL]
        """
        failure_types = SmsApiOvh.PROVIDER_TO_SMS_FAILURE_TYPE
        segments = count_segments(
            job.body or "", job.stop_clause and job.sender_id.has_stop_clause
        ).segments
        outcomes = defaultdict(lambda: ([], []))
        for result in results:
            number = numbers.get(result["uuid"])
            outcome = result["state"], get_country_code(number)
            of_numbers, of_ids = outcomes[outcome]
            of_numbers.append(number)
            of_ids.append(result.get("sms_ovh_id"))
        charged = self._share_credits(
            job,
            {
                country_code: len(of_ids)
                for (state, country_code), (__, of_ids) in outcomes.items()
                if state == "success"
            },
        )
        rows = []
        for (state, country_code), (of_numbers, of_ids) in outcomes.items():
            taken = state == "success"
            rows.append(
                SQL(
                    "(%s, %s::int, %s::int, %s, %s::timestamp, %s, %s, %s,"
                    " %s::float8, %s, %s::text[], %s::text[])",
                    job.account_id.id,
                    job.sender_id.id or None,
                    job.mailing_id.id or None,
                    job.kind,
                    job.posted_at or fields.Datetime.now(),
                    "pending" if taken else "refused",
                    None if taken else failure_types.get(state, "unknown"),
                    segments,
                    charged[country_code] if taken else 0,
                    country_code,
                    of_numbers,
                    of_ids,
                )
            )
        return rows

    @api.model
    def _share_credits(self, job, counts):
        """Return what each SMS of a job was charged, by country.

        OVHcloud names a total. SMS to several countries share it by what one to each
        is charged, where OVHcloud told, else equally.

        :param job: `sms.ovh.job`
        :param dict counts: how many SMS OVHcloud took, by country's ISO code
        :rtype: dict
        """
        rates = dict.fromkeys(counts, 1)
        if len(counts) > 1:
            # sudo: rates, for whoever sends.
            known = (
                self.env["sms.ovh.rate"]
                .sudo()
                .search_fetch(
                    [
                        ("account_id", "=", job.account_id.id),
                        ("country_code", "in", [code for code in counts if code]),
                        ("credits", ">", 0),
                    ],
                    ["country_code", "credits"],
                    order="id",
                )
            )
            known_rates = {rate.country_code: rate.credits for rate in known}
            if known_rates.keys() == counts.keys():
                rates = known_rates
        total = sum(count * rates[code] for code, count in counts.items())
        return {code: job.credits * rates[code] / total for code in counts}

    @api.model
    def _find(self, sms_ovh_ids):
        """Return which of these SMS are written down, as (account's id, OVHcloud's id).

        :rtype: set[tuple]
        """
        return set(
            self.env.execute_query(
                SQL(
                    "SELECT account_id, sms_ovh_id FROM sms_ovh_log"
                    " WHERE sms_ovh_id = ANY(%s)",
                    list(sms_ovh_ids),
                )
            )
        )

    @api.model
    def _find_last(self, account, numbers, senders=None):
        """Return the last SMS that OVHcloud took for each of these numbers.

        :param account: `sms.ovh.account` that sent them
        :param dict numbers: until when, by number
        :param senders: only those from these `sms.ovh.sender`; None for any
        :return: OVHcloud's ids by number, the last one first
        :rtype: dict[str, list[str]]
        """
        days = self._sms_ovh_get_parameter("answer_days", const.ANSWER_DAYS)
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

    @api.model
    def _set_ids(self, job, changes):
        """Write down under which ids SMS really are at OVHcloud.

        Those that were said not to be confirmed were sent after all.

        :param job: `sms.ovh.job` of all of them
        :param dict changes: id as of before or None, id, and credits or None, by number
        """
        if not changes:
            return
        self.env.cr.execute(
            SQL(
                """
                WITH change AS MATERIALIZED (
                    SELECT log.id, account_id, sender_id, date,
                           state AS state_before, log.credits AS credits_before,
                           CASE state WHEN 'refused' THEN 'pending' ELSE state END
                               AS state,
                           COALESCE(found.credits, log.credits) AS credits,
                           CASE state WHEN 'refused' THEN NULL ELSE failure_type END
                               AS failure_type,
                           found.id AS sms_ovh_id
                      FROM unnest(%(numbers)s::text[], %(before)s::text[],
                                  %(ids)s::text[], %(credits)s::float8[])
                           AS found (number, before, id, credits)
                      JOIN sms_ovh_log log
                        ON log.number = found.number AND date = %(date)s
                       AND account_id = %(account)s
                       AND log.sms_ovh_id IS NOT DISTINCT FROM found.before
                ),
                changed AS (
                    UPDATE sms_ovh_log log
                       SET state = change.state, credits = change.credits,
                           failure_type = change.failure_type,
                           sms_ovh_id = change.sms_ovh_id
                      FROM change
                     WHERE log.id = change.id
                )
                %(add_figures)s
                """,
                add_figures=self._add_changed_figures(),
                numbers=list(changes),
                before=[before for before, *__ in changes.values()],
                ids=[ovh_id for __, ovh_id, __credits in changes.values()],
                credits=[charged for *__, charged in changes.values()],
                date=job.posted_at,
                account=job.account_id.id,
            )
        )
        self.invalidate_model(["sms_ovh_id", "state", "failure_type"], flush=False)

    @api.model
    def _move(self, keys, state, failure_type, ptt, refunded=False, times=None):
        """Move SMS forward to what a delivery report says.

        :param set keys: pairs of an account's id and OVHcloud's id
        :param str state: state as of `sms.sms`
        :param str|bool failure_type: why, where `state` is an error
        :param int ptt: OVHcloud's code
        :param bool refunded: whether OVHcloud gives the credits back
        :param dict times: when it happened by key, in UTC, None where nobody knows;
            by default now
        :return: those of `keys` that moved
        :rtype: set[tuple]
        """
        if not keys or not self._get_states_before(state):
            return set()
        moved = self.env.execute_query(
            self._get_move_query(list(keys), state, failure_type, ptt, refunded, times)
        )
        self.invalidate_model(
            ["state", "failure_type", "ptt", "delivered_at", "credits"], flush=False
        )
        self.env["mailing.mailing"].browse(
            {mailing_id for *__, mailing_id in moved} - {None}
        )._sms_ovh_announce_progress()
        return {(account_id, sms_ovh_id) for account_id, sms_ovh_id, __ in moved}

    @api.model
    def _get_states_before(self, state):
        """Return the states from which a delivery report moves an SMS to this one.

        :rtype: list[str]
        """
        rank = const.STATE_RANK[state]
        return [
            name
            for name in ("pending", "sent", "error", "canceled")
            if const.STATE_RANK[name] < rank
        ]

    @api.model
    def _get_move_query(self, keys, state, failure_type, ptt, refunded, times):
        """Return what moves SMS forward, their figures too, and tells which it moved.

        :param list keys: the other parameters are those of `_move`
        :rtype: SQL
        """
        now = fields.Datetime.now()
        return SQL(
            """
            WITH change AS MATERIALIZED (
                SELECT log.id, log.account_id, log.sms_ovh_id, mailing_id,
                       sender_id, date,
                       state AS state_before, credits AS credits_before,
                       %(state)s AS state,
                       CASE WHEN %(refunded)s THEN 0 ELSE credits END AS credits,
                       -- Clocks differ: never before it was sent, nor yet to come.
                       CASE
                           WHEN %(state)s = 'sent' AND report.time IS NOT NULL
                           THEN GREATEST(date, LEAST(report.time, %(now)s))
                       END AS delivered_at
                  FROM unnest(%(accounts)s::int[], %(ids)s::text[],
                              %(times)s::timestamp[])
                       AS report (account_id, sms_ovh_id, time)
                  JOIN sms_ovh_log log
                    ON log.sms_ovh_id = report.sms_ovh_id
                   AND log.account_id = report.account_id
                 WHERE log.sms_ovh_id = ANY(%(ids)s) AND state = ANY(%(before)s)
            ),
            changed AS (
                UPDATE sms_ovh_log log
                   SET state = change.state, credits = change.credits,
                       failure_type = %(failure_type)s, ptt = %(ptt)s,
                       delivered_at = change.delivered_at
                  FROM change
                 WHERE log.id = change.id
            ),
            added AS (%(add_figures)s)
            SELECT account_id, sms_ovh_id, mailing_id FROM change
            """,
            add_figures=self._add_changed_figures(),
            state=state,
            failure_type=failure_type or None,
            ptt=ptt,
            refunded=refunded,
            ids=[sms_ovh_id for __, sms_ovh_id in keys],
            accounts=[account_id for account_id, __ in keys],
            times=[now if times is None else times.get(key) for key in keys],
            before=self._get_states_before(state),
            now=now,
        )

    @api.model
    def _add_changed_figures(self):
        """Return the statement that adds up what a query named ``change`` changes."""
        return self.env["sms.ovh.figure"]._get_insert(
            SQL(
                """
                SELECT account_id, sender_id, date, state_before, credits_before, -1
                  FROM change
             UNION ALL
                SELECT account_id, sender_id, date, state, credits, 1 FROM change
                """
            )
        )

    @api.model
    def _set_clicked(self, traces):
        """Write down that the recipients of these traces followed a link."""
        if not traces:
            return
        self.env["sms.tracker"].flush_model()
        self.env.execute_query(
            SQL(
                """
                UPDATE sms_ovh_log log
                   SET clicked = TRUE
                  FROM sms_tracker tracker
                 WHERE tracker.mailing_trace_id = ANY(%s)
                   AND log.sms_ovh_id = tracker.sms_ovh_id
                   AND log.account_id = tracker.sms_ovh_account_id
                   AND log.clicked IS NOT TRUE
             RETURNING 1
                """,
                traces.ids,
            )
        )
        self.invalidate_model(["clicked"], flush=False)

    @api.model
    def _delete_of(self, accounts):
        """Delete what accounts sent, which are about to be deleted."""
        self.env.cr.execute(
            SQL("DELETE FROM sms_ovh_log WHERE account_id = ANY(%s)", accounts.ids)
        )
        self.invalidate_model(flush=False)

    @api.autovacuum
    def _gc_logs(self):
        """Delete what is older than the figures that anybody looks at."""
        days = self._sms_ovh_get_parameter("keep_log_days", const.KEEP_LOG_DAYS)
        limit = fields.Datetime.now() - timedelta(days=days)
        logs = self.search([("date", "<", limit)], order="date", limit=GC_UNLINK_LIMIT)
        logs.unlink()
        return len(logs), len(logs) == GC_UNLINK_LIMIT

    # ------------------------------------------------------------
    # Times and domains
    # ------------------------------------------------------------

    @api.model
    def _get_day_start(self, day):
        """Return when `day` begins for the user, in UTC and as domains take it."""
        begin = self.env.tz.localize(datetime.combine(day, time.min))
        return fields.Datetime.to_string(begin.astimezone(pytz.utc))

    @api.model
    def _get_month_start(self):
        """Return when the user's month began, in UTC and as domains take it."""
        return self._get_day_start(fields.Date.context_today(self).replace(day=1))

    @api.model
    def _get_sent_domain(self, accounts, start, sender_id=False, states=None):
        """Return the domain of what `accounts` sent since `start`."""
        domain = [("account_id", "in", accounts.ids), ("date", ">=", start)]
        if sender_id:
            domain.append(("sender_id", "=", sender_id))
        if states:
            domain.append(("state", "in", list(states)))
        return domain

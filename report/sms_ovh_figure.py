from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.sql import table_exists

from .. import const
from ..fields import UncheckedMany2one

STATES = [state for state, __ in const.LOG_STATES]


class SmsOvhFigure(models.Model):
    """Counts of the log's SMS by state, which the dashboard adds up.

    Each row is a difference, to be added to the others of its account, sender and time.
    Code that changes the log adds rows here in the same transaction, and changes none:
    two workers never wait for the same row, and none has to start again. Once a day,
    rows that belong together are merged.

    Figures are kept by quarter of an hour, since days begin on one in every time zone,
    and each user has their own.
    """

    _name = "sms.ovh.figure"
    _description = "OVHcloud SMS Figures"
    _order = "date desc, id desc"
    _rec_name = "date"
    _log_access = False

    account_id = UncheckedMany2one("sms.ovh.account", required=True, readonly=True)
    sender_id = UncheckedMany2one("sms.ovh.sender", readonly=True)
    date = fields.Datetime(
        string="Start of the Quarter Hour", required=True, readonly=True
    )
    pending = fields.Integer(string="Sent", readonly=True)
    sent = fields.Integer(string="Delivered", readonly=True)
    error = fields.Integer(string="Failed", readonly=True)
    refused = fields.Integer(readonly=True)
    canceled = fields.Integer(string="Cancelled", readonly=True)
    # Decimal and unrounded, so that a refund leaves nothing of what was charged.
    credits = fields.Float(string="SMS Charged", digits=0, readonly=True)

    _account_date_idx = models.Index("(account_id, date)")

    def _auto_init(self):
        """Override to count what was sent before there were figures."""
        is_new = not table_exists(self.env.cr, self._table)
        result = super()._auto_init()
        if is_new and table_exists(self.env.cr, "sms_ovh_log"):
            self.rebuild()
        return result

    @api.model
    def rebuild(self):
        """Rebuild all figures from the log, also while SMS are being sent.

        SMS sent meanwhile are in neither, or in both: their figures are added in the
        transaction that writes the log.

        :raise AccessError: for all but system administrators
        """
        if not self.env.is_system():
            raise AccessError(
                self.env._("Only a system administrator can rebuild the figures.")
            )
        self.env.cr.execute(SQL("DELETE FROM sms_ovh_figure"))
        self._add(self._select_logs())
        self.invalidate_model(flush=False)

    @api.autovacuum
    def _compact(self):
        """Merge rows that belong together, and drop those that add up to 0."""
        sums = [SQL("SUM(%s)", SQL.identifier(name)) for name in (*STATES, "credits")]
        self.env.cr.execute(
            SQL(
                """
                WITH scattered AS (
                    DELETE FROM sms_ovh_figure
                     WHERE id IN (
                               SELECT unnest(array_agg(id))
                                 FROM sms_ovh_figure
                             GROUP BY account_id, sender_id, date
                               HAVING COUNT(*) > 1
                           )
                 RETURNING *
                )
                INSERT INTO sms_ovh_figure (
                    account_id, sender_id, date, %(states)s, credits
                )
                SELECT account_id, sender_id, date, %(sums)s
                  FROM scattered
              GROUP BY account_id, sender_id, date
                HAVING (%(sums)s) <> (%(zeros)s)
                """,
                states=self._get_state_columns(),
                sums=SQL(", ").join(sums),
                zeros=SQL(", ").join(SQL("0") for __ in sums),
            )
        )
        self.invalidate_model(flush=False)

    @api.model
    def _delete_of(self, accounts):
        """Delete the figures of accounts that are about to be deleted."""
        self.env.cr.execute(
            SQL("DELETE FROM sms_ovh_figure WHERE account_id = ANY(%s)", accounts.ids)
        )
        self.invalidate_model(flush=False)

    # ------------------------------------------------------------
    # What changes in the log
    # ------------------------------------------------------------

    @api.model
    def _get_state_columns(self):
        """Return the columns of states, in the order of `STATES`."""
        return SQL(", ").join(SQL.identifier(state) for state in STATES)

    @api.model
    def _select_logs(self, count=1, logs=None):
        """Return rows of the log as :meth:`_add` takes them.

        :param int count: 1 for rows to add, -1 for rows to subtract
        :param logs: `sms.ovh.log`; None for all of them
        :rtype: SQL
        """
        return SQL(
            "SELECT account_id, sender_id, date, state, credits, %s FROM sms_ovh_log"
            " WHERE %s",
            count,
            SQL("TRUE") if logs is None else SQL("id = ANY(%s)", logs.ids),
        )

    @api.model
    def _add(self, changes):
        """Add what changed in the log.

        :param SQL changes: see :meth:`_get_insert`
        """
        self.env.cr.execute(self._get_insert(changes))

    @api.model
    def _get_insert(self, changes):
        """Return the statement that adds what changes in the log.

        It can be part of the statement that changes the log, if that knows the changes.

        :param SQL changes: a query of account, sender, date, state, credits of one SMS,
            and by how much the number of such SMS rises
        :rtype: SQL
        """
        return SQL(
            """
            INSERT INTO sms_ovh_figure (
                account_id, sender_id, date, %(states)s, credits
            )
            SELECT account_id, sender_id, quarter, %(counts)s,
                   SUM(count * COALESCE(credits, 0)::numeric)
              FROM (%(changes)s) AS change (
                       account_id, sender_id, date, state, credits, count
                   ),
           LATERAL (SELECT date_trunc('hour', date)
                           + date_part('minute', date)::int / 15
                             * INTERVAL '15 minutes') AS begin (quarter)
          GROUP BY account_id, sender_id, quarter
            """,
            states=self._get_state_columns(),
            counts=SQL(", ").join(
                SQL("COALESCE(SUM(count) FILTER (WHERE state = %s), 0)", state)
                for state in STATES
            ),
            changes=changes,
        )

"""Data of states of the addon from before its first release, brought up to date.

In `_auto_init` and not in `migrations/`: all these states bear the version 19.0.1.0.0,
and Odoo runs a migration script only where the version rises. The columns themselves
tell which state it is. From the first release on, a change of the schema comes with a
new version and a script of `migrations/`.

Columns are made and filled here, in one statement each, before the ORM would have them
computed: it knows today's rules only, by which a campaign whose STOP clause somebody had
switched off would be a marketing campaign with the clause again.
"""

from odoo import models
from odoo.tools import SQL
from odoo.tools.sql import column_exists, create_column, table_exists

# Senders to which OVHcloud adds no clause: that they had none says nothing of the kind.
TYPES_WITHOUT_CLAUSE = ("shortcode", "virtual")


class MailingMailing(models.Model):
    _inherit = "mailing.mailing"

    def _auto_init(self):
        """Override to keep the kind and the sender that campaigns had implicitly."""
        cr = self.env.cr
        if column_exists(cr, self._table, "sms_ovh_stop_clause") and not column_exists(
            cr, self._table, "sms_ovh_kind"
        ):
            create_column(cr, self._table, "sms_ovh_kind", "varchar")
            create_column(cr, self._table, "sms_ovh_sender_id", "int4")
            cr.execute(
                SQL(
                    """
                    UPDATE mailing_mailing
                       SET sms_ovh_sender_id = sender.id,
                           sms_ovh_kind = CASE
                               WHEN before.sms_ovh_stop_clause THEN 'marketing'
                               WHEN sender.id IS NULL THEN 'marketing'
                               WHEN sender.type IN %s THEN 'marketing'
                               ELSE 'transactional'
                           END
                      FROM mailing_mailing AS before
                 LEFT JOIN res_company AS company
                        ON company.id = before.sms_ovh_company_id
                 LEFT JOIN sms_ovh_account AS account
                        ON account.id = company.sms_ovh_account_id
                 LEFT JOIN sms_ovh_sender AS sender
                        ON sender.id = account.default_sender_id
                     WHERE before.id = mailing_mailing.id
                       AND before.mailing_type = 'sms'
                    """,
                    TYPES_WITHOUT_CLAUSE,
                )
            )
        return super()._auto_init()


class SmsSms(models.Model):
    _inherit = "sms.sms"

    def _auto_init(self):
        """Override to tell marketing SMS that are queued from the others."""
        cr = self.env.cr
        if column_exists(cr, self._table, "sms_ovh_stop_clause") and not column_exists(
            cr, self._table, "sms_ovh_kind"
        ):
            create_column(cr, self._table, "sms_ovh_kind", "varchar")
            cr.execute(
                SQL(
                    """
                    UPDATE sms_sms
                       SET sms_ovh_kind = CASE
                               WHEN sms_sms.sms_ovh_stop_clause THEN 'marketing'
                               WHEN sms_sms.mailing_id IS NOT NULL
                                    AND sender.type IN %s THEN 'marketing'
                               ELSE 'transactional'
                           END
                      FROM res_company AS company
                      JOIN sms_ovh_account AS account
                        ON account.id = company.sms_ovh_account_id
                 LEFT JOIN sms_ovh_sender AS sender
                        ON sender.id = account.default_sender_id
                     WHERE company.id = sms_sms.record_company_id
                    """,
                    TYPES_WITHOUT_CLAUSE,
                )
            )
        return super()._auto_init()


class SmsOvhJob(models.Model):
    _inherit = "sms.ovh.job"

    def _auto_init(self):
        """Override to tell jobs of marketing SMS, and whose they are, from the others."""
        cr = self.env.cr
        if table_exists(cr, self._table) and not column_exists(cr, self._table, "kind"):
            create_column(cr, self._table, "kind", "varchar")
            create_column(cr, self._table, "mailing_id", "int4")
            # Which campaign a job is of is known as long as its SMS are.
            cr.execute(
                SQL(
                    """
                    UPDATE sms_ovh_job
                       SET mailing_id = sms.mailing_id
                      FROM (SELECT sms_ovh_job_id, min(mailing_id) AS mailing_id
                              FROM sms_sms
                          GROUP BY sms_ovh_job_id
                            HAVING count(DISTINCT mailing_id) = 1
                               AND count(mailing_id) = count(*)
                           ) AS sms
                     WHERE sms.sms_ovh_job_id = sms_ovh_job.id
                    """
                )
            )
            cr.execute(
                SQL(
                    """
                    UPDATE sms_ovh_job
                       SET kind = CASE
                               WHEN before.stop_clause THEN 'marketing'
                               WHEN before.mailing_id IS NOT NULL
                                    AND sender.type IN %s THEN 'marketing'
                               ELSE 'transactional'
                           END
                      FROM sms_ovh_job AS before
                 LEFT JOIN sms_ovh_sender AS sender ON sender.id = before.sender_id
                     WHERE before.id = sms_ovh_job.id
                    """,
                    TYPES_WITHOUT_CLAUSE,
                )
            )
        return super()._auto_init()


class SmsOvhEvent(models.Model):
    _inherit = "sms.ovh.event"

    def _auto_init(self):
        """Override to drop what each report cost more to receive."""
        cr = self.env.cr
        if table_exists(cr, self._table) and column_exists(
            cr, self._table, "write_uid"
        ):
            cr.execute(
                """
                ALTER TABLE sms_ovh_event
                       DROP COLUMN create_uid,
                       DROP COLUMN write_uid,
                       DROP COLUMN write_date,
                       DROP COLUMN company_id;
                DROP INDEX IF EXISTS sms_ovh_event__account_id_index
                """
            )
        return super()._auto_init()

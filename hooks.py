"""Hooks that run once, on installation and on uninstallation."""

from odoo.tools import SQL
from odoo.tools.sql import table_exists


def post_init_hook(env):
    """Leave room in the table of SMS for what sending writes on each of them.

    PostgreSQL then writes a row's new version beside it and touches no index, as long
    as no index is on what changes. That halves the work of both writes of an SMS: when
    it is put into the outbox, and when it was accepted.

    :param env: environment of the installation
    """
    env.cr.execute(SQL("ALTER TABLE sms_sms SET (fillfactor = 45)"))


def uninstall_hook(env):
    """Leave nothing behind that waits for the addon: Odoo sends it, or nobody does.

    SMS that are queued here and certainly did not leave go back to Odoo's queue, and
    leave through the remaining provider. They would leave at once, so SMS that were
    held back on purpose, for quiet hours or because their campaign is paused, are
    cancelled instead. SMS that may have left are not sent again.

    :param env: environment of the uninstallation
    """
    env.flush_all()
    cr = env.cr
    # In SQL: all at once, and without the models' rules on changes of state.
    _release_sms(cr)
    _release_traces(cr)
    # Records with an XML id, such as demo data, are deleted one by one: nothing that is
    # to be deleted as well may hold them.
    cr.execute(SQL("UPDATE res_company SET sms_ovh_account_id = NULL"))
    cr.execute(
        SQL(
            "UPDATE sms_ovh_account"
            " SET default_sender_id = NULL, default_api_user_id = NULL"
        )
    )
    cr.execute(SQL("UPDATE sms_ovh_job SET sender_id = NULL, ovh_user_id = NULL"))
    # Restore Odoo's own table.
    cr.execute(SQL("ALTER TABLE sms_sms RESET (fillfactor)"))
    if table_exists(cr, "queue_job"):
        # OCA's `queue_job` cannot show, nor run, jobs of a model that is gone.
        cr.execute(SQL("DELETE FROM queue_job WHERE model_name = 'sms.ovh.job'"))
    env.invalidate_all(flush=False)


def _release_sms(cr):
    """Return SMS that certainly did not leave to Odoo's queue; end the rest."""
    cr.execute(
        SQL(
            """
            UPDATE sms_sms
               SET state = 'error', failure_type = 'sms_server'
              FROM sms_ovh_job AS job
             WHERE job.id = sms_sms.sms_ovh_job_id
               AND sms_sms.state = 'process'
               AND job.state IN ('posting', 'unknown')
            """
        )
    )
    cr.execute(
        SQL(
            """
            UPDATE sms_sms
               SET state = 'outgoing'
              FROM sms_ovh_job AS job
             WHERE job.id = sms_sms.sms_ovh_job_id
               AND sms_sms.state = 'process'
            """
        )
    )
    cr.execute(
        SQL(
            """
            UPDATE sms_sms
               SET state = 'canceled'
             WHERE state = 'outgoing'
               AND (sms_ovh_send_at > (now() AT TIME ZONE 'UTC')
                    OR mailing_id IN (
                           SELECT id FROM mailing_mailing WHERE sms_ovh_paused
                       ))
            """
        )
    )


def _release_traces(cr):
    """Make traces and notifications show what became of their SMS."""
    cr.execute(
        SQL(
            """
            UPDATE mailing_trace
               SET trace_status = CASE sms.state
                       WHEN 'outgoing' THEN 'outgoing'
                       WHEN 'canceled' THEN 'cancel'
                       ELSE 'error'
                   END,
                   failure_type = CASE sms.state WHEN 'error' THEN 'sms_server' END
              FROM sms_tracker AS tracker
              JOIN sms_sms AS sms ON sms.uuid = tracker.sms_uuid
             WHERE tracker.mailing_trace_id = mailing_trace.id
               AND sms.state IN ('outgoing', 'canceled', 'error')
               AND mailing_trace.trace_status IN ('outgoing', 'process')
            """
        )
    )
    cr.execute(
        SQL(
            """
            UPDATE mail_notification
               SET notification_status = CASE sms.state
                       WHEN 'outgoing' THEN 'ready'
                       WHEN 'canceled' THEN 'canceled'
                       ELSE 'exception'
                   END,
                   failure_type = CASE sms.state WHEN 'error' THEN 'sms_server' END
              FROM sms_tracker AS tracker
              JOIN sms_sms AS sms ON sms.uuid = tracker.sms_uuid
             WHERE tracker.mail_notification_id = mail_notification.id
               AND sms.state IN ('outgoing', 'canceled', 'error')
               AND mail_notification.notification_status IN ('ready', 'process')
            """
        )
    )

-- A copy of the database sends nothing, calls nobody and holds no secret, not even once
-- somebody enters keys into it again.

-- No key, no open approval, and addresses for callbacks that OVHcloud does not know.
UPDATE sms_ovh_account
   SET application_key = NULL,
       application_secret = NULL,
       consumer_key = NULL,
       pending_consumer_key = NULL,
       connect_state = NULL,
       connect_state_end = NULL,
       connect_user_id = NULL,
       client_id = NULL,
       client_secret = NULL,
       http_login = NULL,
       http_password = NULL,
       callback_token = gen_random_uuid()::text || gen_random_uuid()::text,
       callback_state = 'none',
       stop_callback_state = 'none',
       reply_callback_state = 'none',
       credential_expiration = NULL,
       state = 'draft',
       state_message = NULL;

-- Passwords of API users that were typed and not sent yet.
UPDATE sms_ovh_user_create
   SET password = NULL;

-- The outbox.
UPDATE sms_ovh_job
   SET state = 'cancelled',
       next_attempt = NULL
 WHERE state IN ('queued', 'posting', 'unknown');

-- Numbers that operators were to be asked about.
UPDATE sms_ovh_number_check
   SET state = 'failed',
       next_attempt = NULL
 WHERE state IN ('queued', 'posting', 'unknown', 'waiting');

-- Odoo's queue, as far as OVHcloud would send it, and what is shown of it.
UPDATE sms_sms
   SET state = 'canceled'
 WHERE state IN ('outgoing', 'process')
   AND EXISTS (SELECT 1 FROM res_company WHERE sms_ovh_account_id IS NOT NULL)
   AND (record_company_id IS NULL
        OR record_company_id IN (
               SELECT id FROM res_company WHERE sms_ovh_account_id IS NOT NULL
           ));
UPDATE mailing_trace
   SET trace_status = 'cancel'
  FROM sms_tracker
  JOIN sms_sms ON sms_sms.uuid = sms_tracker.sms_uuid
 WHERE sms_tracker.mailing_trace_id = mailing_trace.id
   AND sms_sms.state = 'canceled'
   AND mailing_trace.trace_status IN ('outgoing', 'process');
UPDATE mail_notification
   SET notification_status = 'canceled'
  FROM sms_tracker
  JOIN sms_sms ON sms_sms.uuid = sms_tracker.sms_uuid
 WHERE sms_tracker.mail_notification_id = mail_notification.id
   AND sms_sms.state = 'canceled'
   AND mail_notification.notification_status IN ('ready', 'process');

-- Campaigns that wait for their time, and the rest of those being sent.
UPDATE mailing_mailing
   SET state = CASE state WHEN 'in_queue' THEN 'draft' ELSE 'done' END
 WHERE mailing_type = 'sms'
   AND state IN ('in_queue', 'sending')
   AND sms_ovh_company_id IN (
           SELECT id FROM res_company WHERE sms_ovh_account_id IS NOT NULL
       );

-- Nobody is asked what became of an SMS, nor to call one back: those at OVHcloud are the
-- original's.
UPDATE sms_tracker
   SET sms_ovh_poll_at = NULL
 WHERE sms_ovh_poll_at IS NOT NULL;
UPDATE sms_tracker
   SET sms_ovh_cancel = NULL
 WHERE sms_ovh_cancel IN ('requested', 'deleting');
UPDATE mailing_mailing
   SET sms_ovh_cancel_state = 'cancelled'
 WHERE sms_ovh_cancel_state = 'cancelling';

-- Where OCA's queue_job is installed, its runner goes by these rows, not by crons.
DO $$
BEGIN
    IF to_regclass('queue_job') IS NOT NULL THEN
        UPDATE queue_job
           SET state = 'cancelled'
         WHERE model_name = 'sms.ovh.job'
           AND state NOT IN ('done', 'cancelled', 'failed');
    END IF;
END
$$;

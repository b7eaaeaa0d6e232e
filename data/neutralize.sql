-- A copy of the database sends nothing, calls nobody and holds no secret.
UPDATE sms_ovh_account
   SET application_key = NULL,
       application_secret = NULL,
       consumer_key = NULL,
       pending_consumer_key = NULL,
       connect_state = NULL,
       client_id = NULL,
       client_secret = NULL,
       http_login = NULL,
       http_password = NULL,
       callback_token = gen_random_uuid()::text || gen_random_uuid()::text,
       state = 'draft';

-- A copy of the database sends nothing, calls nobody and holds no secret.
UPDATE sms_ovh_account
   SET application_key = NULL,
       application_secret = NULL,
       consumer_key = NULL,
       callback_token = gen_random_uuid()::text || gen_random_uuid()::text,
       state = 'draft';

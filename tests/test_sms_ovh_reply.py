import requests
from psycopg2.errors import SerializationFailure

from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, Form, new_test_user, tagged
from odoo.tools import mute_logger

from ..tools.stop_keywords import is_stop
from .answers_common import OTHER_PHONE, PHONE, AnswersCase
from .common import KEYS_2, SERVICE_1, SERVICE_2


@tagged("-at_install", "post_install")
class TestSmsOvhReply(AnswersCase):
    def setUp(self):
        super().setUp()
        # The seed knows no callback.
        self.account.action_synchronise()

    def _get_service(self):
        return self.simulator.get_state()["services"][SERVICE_1]

    def _set(self, **values):
        """Change the settings of replies."""
        action = self.account.action_set_replies()
        settings = self.env[action["res_model"]].browse(action["res_id"])
        settings.write(values)
        return settings.action_apply()

    # ------------------------------------------------------------
    # Settings
    # ------------------------------------------------------------

    def test_forwarding(self):
        others = [
            {"media": "sms", "sender": "", "target": "+33600000001"},
            {"media": "email", "sender": "shop@example.com", "target": "a@example.com"},
        ]
        self.simulator.set_service(SERVICE_1, smsResponse={"trackingOptions": others})
        self.account.action_synchronise()
        self.assertEqual(self.account.reply_emails, "a@example.com")
        self._set(emails="a@example.com, B@example.com\nb@example.com")
        self.assertEqual(
            self._get_service()["smsResponse"]["trackingOptions"],
            [*others, {"media": "email", "sender": "", "target": "b@example.com"}],
        )
        self.assertEqual(self.account.reply_emails, "a@example.com\nb@example.com")
        self._set(emails=False)
        self.assertEqual(
            self._get_service()["smsResponse"]["trackingOptions"], others[:1]
        )
        self.assertFalse(self.account.reply_emails)

    def test_forwarding_refused(self):
        with self.assertRaisesRegex(UserError, "“boutique” is not an e-mail address"):
            self._set(emails="a@example.com boutique")
        self.simulator.order_faults({"kind": "429", "method": "PUT"})
        with self.assertRaisesRegex(UserError, "slow down"):
            self._set(emails="a@example.com")
        self.assertFalse(self.account.reply_emails)

    def test_automatic_answer(self):
        with self.assertRaisesRegex(UserError, "text of the automatic answer"):
            self._set(response_type="text", response_text=" ")
        self._set(response_type="text", response_text="Merci !")
        response = self._get_service()["smsResponse"]
        self.assertEqual(response["responseType"], "text")
        self.assertEqual(response["text"], "Merci !")
        self.assertEqual(self.account.sms_response_type, "text")
        self.assertEqual(self.account.reply_callback_state, "answer")
        # The other callbacks leave it on.
        self.account.action_register_callbacks()
        self.assertEqual(self._get_service()["smsResponse"]["responseType"], "text")

    def test_into_odoo(self):
        self._set(response_type="cgi")
        response = self._get_service()["smsResponse"]
        self.assertIn(f"/{self.account.callback_token}/reply", response["cgiUrl"])
        self.assertEqual(self.account.reply_callback_state, "ok")

    # ------------------------------------------------------------
    # Callbacks
    # ------------------------------------------------------------

    def test_all_callbacks_are_registered(self):
        self.simulator.set_service(
            SERVICE_1,
            callBack="https://example.com/dlr",
            stopCallBack="https://example.com/stop",
            smsResponse={"responseType": "cgi", "cgiUrl": "https://example.com/in"},
        )
        self.account.action_synchronise()
        self.assertRecordValues(
            self.account,
            [
                {
                    "callback_state": "other",
                    "stop_callback_state": "other",
                    "reply_callback_state": "other",
                }
            ],
        )
        action = self.account.action_register_callbacks()
        self.assertEqual(action["params"]["type"], "success")
        service = self._get_service()
        token = self.account.callback_token
        self.assertTrue(service["callBack"].endswith(f"/{token}/delivery"))
        self.assertTrue(service["stopCallBack"].endswith(f"/{token}/stop"))
        self.assertTrue(service["smsResponse"]["cgiUrl"].endswith(f"/{token}/reply"))
        self.assertRecordValues(
            self.account,
            [
                {
                    "callback_state": "ok",
                    "stop_callback_state": "ok",
                    "reply_callback_state": "ok",
                }
            ],
        )

    def test_callbacks_of_the_user_that_sends(self):
        self.account.default_api_user_id = self.account.api_user_ids.filtered(
            lambda user: user.login == "marketing"
        )
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}/users/marketing",
                {"callBack": "https://example.com/dlr"},
            )
        self.account.action_register_callbacks()
        user = next(
            user
            for user in self._get_service()["users"]
            if user["login"] == "marketing"
        )
        self.assertEqual(user["callBack"], self.account.delivery_url)

    def test_address_that_ovhcloud_cannot_reach(self):
        self.assertFalse(self.account.delivery_unreachable)
        self.patch(
            type(self.account),
            "_is_private_host",
            lambda self, host: True,
        )
        self.account.endpoint = "ovh-eu"
        self.assertTrue(self.account.delivery_unreachable)

    def test_wrong_token(self):
        for kind in ("stop", "reply"):
            response = self.url_open(f"/sms_ovh/{'x' * 43}/{kind}?id=1")
            self.assertEqual(response.status_code, 404)
        self.assertFalse(self.env["sms.ovh.event"].search([("kind", "!=", "delivery")]))

    def test_anything_with_the_token_is_taken(self):
        token = self.account.callback_token
        for kind in ("stop", "reply"):
            url = f"{self.base_url()}/sms_ovh/{token}/{kind}"
            with self.allow_requests(all_requests=True):
                for call in (
                    {"params": {"id": "1\x00", "x": "é" * 9000}},
                    {"data": {"id": "2"}},
                    {"data": "nonsense", "headers": {"Content-Type": "text/plain"}},
                ):
                    method = "GET" if "params" in call else "POST"
                    response = requests.request(method, url, timeout=30, **call)
                    self.assertIn(response.status_code, (200, 414, 431))

    # ------------------------------------------------------------
    # Replies
    # ------------------------------------------------------------

    def test_reply(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Mme Martin",
                "phone": "06 12 34 56 78",
                "country_id": self.france.id,
            }
        )
        self._set(response_type="cgi")
        self._send_to()
        self._answer("reply", text="<script>oui</script>")
        self._call_back("reply")
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.env.invalidate_all()
        reply = self.env["sms.ovh.reply"].search([("account_id", "=", self.account.id)])
        self.assertRecordValues(
            reply,
            [
                {
                    "number": PHONE,
                    "body": "<script>oui</script>",
                    "partner_id": partner.id,
                }
            ],
        )
        message = partner.message_ids[:1]
        self.assertIn("&lt;script&gt;oui", message.body)
        self.assertEqual(message.message_type, "sms")
        self.assertEqual(message.author_id, partner)
        self.assertFalse(message.is_internal)
        self.assertEqual(self.account.last_reply_at, reply.received_at)
        # Once only.
        count = len(partner.message_ids)
        self.account._read_answers()
        self.assertEqual(self.account.reply_count, 1)
        self.assertEqual(len(partner.message_ids), count)
        self._answer("reply", text="Encore")
        self.account._read_answers()
        self.account.invalidate_recordset(["reply_count"])
        self.assertEqual(self.account.reply_count, 2)

    def test_reply_of_a_stranger(self):
        self._send_to()
        self._answer("reply", text="Qui est-ce ?")
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([("account_id", "=", self.account.id)])
        self.assertEqual(reply.body, "Qui est-ce ?")
        self.assertFalse(reply.partner_id)
        self.assertFalse(reply.mailing_id)

    def test_reply_to_a_campaign(self):
        short = self._sender(type="shortcode")
        mailing = self._send_mailing([PHONE], sms_ovh_sender_id=short.id)
        later = self._send_mailing([PHONE])
        self._answer("reply", text="Oui")
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([("account_id", "=", self.account.id)])
        self.assertEqual(reply.mailing_id, mailing)
        self.assertEqual(mailing.sms_ovh_reply_count, 1)
        self.assertEqual(later.sms_ovh_reply_count, 0)

    def test_partner_of_another_company_is_left_alone(self):
        other = self.env["res.company"].create({"name": "Autre"})
        partner = self.env["res.partner"].create(
            {
                "name": "M. Autre",
                "phone": "+33612345678",
                "company_id": other.id,
            }
        )
        self._send_to()
        self._answer("reply", text="Bonjour")
        self.account._read_answers()
        reply = self.env["sms.ovh.reply"].search([("account_id", "=", self.account.id)])
        self.assertFalse(reply.partner_id)
        self.assertNotIn("Bonjour", " ".join(partner.message_ids.mapped("body")))

    def test_unreadable_reply_keeps_none_from_being_read(self):
        partner = self._create_partner()
        self._send_to()
        self._answer("reply", text="Un")
        self.patch(
            type(partner),
            "message_post",
            lambda *args, **kwargs: 1 / 0,
        )
        with mute_logger("odoo.addons.sms_ovh.models.sms_ovh_reply"):
            self.assertTrue(self.account._read_answers())
        self.assertEqual(self._get_reply().body, "Un")
        self.assertFalse(self._get_reply().message_id)

    def test_reading_meets_another_transaction(self):
        """It is done again, and tells the reply all the same, once."""
        partner = self._create_partner()
        self._send_to()
        self._answer("reply", text="Un")
        Reply = type(self.env["sms.ovh.reply"])
        tell = Reply._tell
        conflicts = [SerializationFailure()]

        def meet(reply):
            if conflicts:
                raise conflicts.pop()
            return tell(reply)

        self.patch(Reply, "_tell", meet)
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.assertFalse(conflicts)
        self.assertEqual(self._get_reply().message_id, partner.message_ids[0])
        self.assertEqual(
            len(partner.message_ids.filtered(lambda m: m.message_type == "sms")), 1
        )

    # ------------------------------------------------------------
    # Where it is told
    # ------------------------------------------------------------

    def _create_partner(self, **values):
        return self.env["res.partner"].create(
            {"name": "Zoé", "phone": PHONE, "country_id": self.france.id, **values}
        )

    def _create_user(self, login, groups="base.group_user", **values):
        return new_test_user(
            self.env,
            login,
            groups=groups,
            company_id=self.company.id,
            company_ids=self.company.ids,
            notification_type="inbox",
            **values,
        )

    def _send_by_short_number(self, record, body="Votre commande est prête."):
        """Send an SMS to a record as a user does, and have it delivered."""
        short = self._sender(type="shortcode")
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model=record._name, active_id=record.id
            ),
            "sms.sms_composer_view_form",
        )
        composer.body = body
        composer.sms_ovh_sender_id = short
        composer.save().action_send_sms()
        self._commit()
        self.simulator.forget_callbacks()

    def _get_reply(self):
        self.env.invalidate_all()
        return self.env["sms.ovh.reply"].search(
            [("account_id", "=", self.account.id)], limit=1
        )

    def _reply(self, text="Bonjour", **values):
        """Have the recipient reply, and read it."""
        self._answer("reply", text=text, **values)
        self.assertTrue(self.account._read_answers())
        return self._get_reply()

    def test_salesperson_is_told_in_the_inbox(self):
        user = self._create_user("vendeuse")
        partner = self._create_partner(user_id=user.id)
        self._send_by_short_number(partner)
        reply = self._reply("À quelle heure ?")
        self.assertEqual(reply.message_id, partner.message_ids[0])
        self.assertEqual(reply.user_id, user)
        self.assertEqual((reply.res_model, reply.res_id), ("res.partner", partner.id))
        notification = reply.message_id.notification_ids
        self.assertRecordValues(
            notification,
            [{"res_partner_id": user.partner_id.id, "notification_type": "inbox"}],
        )
        self.assertEqual(len(self.simulator.get_ledger()), 1, "nobody gets it by SMS")

    def test_responsible_of_the_account_is_told_otherwise(self):
        user = self._create_user("responsable")
        self.account.user_id = user
        other = self.env["res.company"].create({"name": "Autre"})
        stranger = new_test_user(
            self.env,
            "ailleurs",
            groups="base.group_user",
            company_id=other.id,
            company_ids=other.ids,
        )
        partner = self._create_partner()
        self._send_by_short_number(partner)
        partner.user_id = stranger
        self.assertEqual(self._reply().user_id, user)

    def test_customer_who_follows_gets_no_sms_of_it(self):
        partner = self._create_partner()
        partner.message_subscribe(partner.ids)
        self._send_by_short_number(partner)
        reply = self._reply()
        self.assertFalse(reply.message_id.notification_ids)
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_record_that_the_sms_was_about(self):
        """Not the newest contact with that number, but the one who was written to."""
        partner = self._create_partner()
        namesake = self._create_partner(name="Léa")
        self._send_by_short_number(partner)
        reply = self._reply()
        self.assertEqual(reply.partner_id, partner)
        self.assertNotIn(reply.message_id, namesake.message_ids)

    def test_campaign_counts_the_reply(self):
        short = self._sender(type="shortcode")
        mailing = self._send_mailing([PHONE, OTHER_PHONE], sms_ovh_sender_id=short.id)
        reply = self._reply("Oui !")
        trace = mailing.mailing_trace_ids.filtered(lambda t: t.sms_number == PHONE)
        self.assertEqual(reply.trace_id, trace)
        self.assertEqual(trace.trace_status, "reply")
        self.assertEqual(trace.reply_datetime, reply.received_at)
        self.assertEqual(mailing.replied, 1)
        action = mailing.action_view_sms_ovh_replies()
        self.assertEqual(self.env["sms.ovh.reply"].search(action["domain"]), reply)
        contact = self.env["mailing.contact"].browse(trace.res_id)
        self.assertEqual(reply.message_id, contact.message_ids[0])
        self.assertFalse(reply.message_id.author_id)
        self.assertIn(contact.name, reply.message_id.email_from)

    def test_campaign_to_a_contact_who_is_a_customer(self):
        partner = self._create_partner()
        short = self._sender(type="shortcode")
        self._send_mailing([PHONE], sms_ovh_sender_id=short.id)
        reply = self._reply("Oui !")
        self.assertEqual(reply.partner_id, partner)
        self.assertEqual(reply.message_id, partner.message_ids[0])

    def test_unknown_number(self):
        user = self._create_user("responsable")
        self.account.user_id = user
        self._send_to()
        reply = self._reply("<b>Qui ?</b>")
        self.assertFalse(reply.partner_id)
        message = self.env["mail.message"].search(
            [("model", "=", "sms.ovh.reply"), ("res_id", "=", reply.id)]
        )
        self.assertEqual(message.notified_partner_ids, user.partner_id)
        self.assertIn("&lt;b&gt;Qui", message.body)
        # Somebody makes a contact of it.
        action = reply.action_create_contact()
        form = Form(self.env["res.partner"].with_context(**action["context"]))
        form.name = "M. Durand"
        partner = form.save()
        self.assertEqual(partner.phone_sanitized, PHONE)
        self.assertEqual(reply.partner_id, partner)
        self.assertIn("Qui", partner.message_ids[0].body)
        self.assertEqual(reply._get_record(), partner)

    # ------------------------------------------------------------
    # Answering
    # ------------------------------------------------------------

    def _answer_reply(self, reply, body="À 10 h."):
        """Press Reply and send, as the reply's user."""
        action = reply.action_reply()
        composer = Form(
            reply.env["sms.composer"].with_context(**action["context"]),
            "sms.sms_composer_view_form",
        )
        self.assertTrue(composer.recipient_single_valid)
        composer.body = body
        composer.save().action_send_sms()
        self._commit()
        self.env.invalidate_all()

    def test_answer(self):
        partner = self._create_partner()
        self._send_by_short_number(partner)
        self.account.default_sender_id = self._sender(type="alpha", name="MaBoutique")
        reply = self._reply("À quelle heure ?")
        user = self._create_user(
            "vendeuse",
            "base.group_user,mass_mailing.group_mass_mailing_user,"
            "base.group_partner_manager",
        )
        self._answer_reply(reply.with_user(user))
        __, entry = self.simulator.get_ledger()
        self.assertEqual(entry["receiver"], PHONE)
        self.assertEqual(entry["sender"], "38069", "the recipient can reply again")
        self.assertEqual(entry["text_sent"], "À 10 h.")
        message = partner.message_ids[0]
        self.assertIn("À 10 h.", message.body)
        self.assertEqual(message.author_id, user.partner_id)
        self.assertEqual(message.notification_ids.res_partner_id, partner)
        self.assertTrue(reply.answered_at)
        self.assertEqual(reply.answered_by_id, user)

    def test_answer_leaves_the_number_of_the_contact(self):
        partner = self._create_partner()
        self._send_by_short_number(partner)
        partner.phone = OTHER_PHONE
        reply = self._reply("C'est mon ancien numéro")
        self.assertEqual(reply.partner_id, partner)
        self._answer_reply(reply)
        self.assertEqual(self.simulator.get_ledger()[-1]["receiver"], PHONE)
        self.assertEqual(partner.phone, OTHER_PHONE)

    def test_answer_to_an_unknown_number(self):
        self._send_to()
        reply = self._reply("Qui est-ce ?")
        self._answer_reply(reply, "Ma Boutique")
        self.assertEqual(
            [sms["receiver"] for sms in self.simulator.get_ledger()], [PHONE, PHONE]
        )
        self.assertTrue(reply.answered_at)

    def test_answer_from_the_chatter(self):
        """By whoever may write to the contact, without any right on replies."""
        partner = self._create_partner()
        self._send_by_short_number(partner)
        reply = self._reply("À quelle heure ?")
        user = self._create_user(
            "vendeuse", "base.group_user,base.group_partner_manager"
        )
        context = {"active_model": "res.partner", "active_id": partner.id}
        for expected in ("38069", self.account.default_sender_id.name):
            composer = Form(
                self.env["sms.composer"].with_user(user).with_context(**context),
                "sms.sms_composer_view_form",
            )
            composer.body = "À 10 h."
            composer.save().action_send_sms()
            self._commit()
            self.env.invalidate_all()
            self.assertEqual(self.simulator.get_ledger()[-1]["sender"], expected)
            self.assertEqual(reply.answered_by_id, user)

    def test_answer_by_the_account_that_received(self):
        other = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        self._create_account(other, SERVICE_2, KEYS_2)
        partner = self._create_partner()
        self._send_by_short_number(partner)
        reply = self._reply()
        self.env.user.company_ids |= other
        companies = (other | self.company).ids
        self._answer_reply(reply.with_context(allowed_company_ids=companies))
        self.assertEqual(
            [sms["service"] for sms in self.simulator.get_ledger()],
            [SERVICE_1, SERVICE_1],
        )

    def test_reply_is_of_its_company_only(self):
        self._send_to()
        reply = self._reply()
        other = self.env["res.company"].create({"name": "Autre"})
        user = new_test_user(
            self.env,
            "ailleurs",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=other.id,
            company_ids=other.ids,
        )
        with self.assertRaises(AccessError):
            reply.with_user(user).with_context(
                allowed_company_ids=other.ids
            ).action_reply()

    def test_reply_of_what_is_no_number(self):
        reply = self.env["sms.ovh.reply"].create(
            {"account_id": self.account.id, "ovh_id": "7", "number": "Orange"}
        )
        with self.assertRaisesRegex(UserError, "no phone number"):
            reply.action_reply()

    # ------------------------------------------------------------
    # Keywords
    # ------------------------------------------------------------

    def test_keyword(self):
        user = self._create_user("responsable")
        self.account.user_id = user
        short = self._sender(type="shortcode")
        mailing = self._send_mailing([PHONE, OTHER_PHONE], sms_ovh_sender_id=short.id)
        reply = self._reply("Désinscription svp !")
        self.assertTrue(reply.is_stop)
        self.assertFalse(reply.user_id, "nobody needs to answer")
        blacklist = self.env["phone.blacklist"].search([("number", "=", PHONE)])
        self.assertTrue(blacklist)
        self.assertEqual(mailing.sms_ovh_stop_count, 1)
        trace = mailing.mailing_trace_ids.filtered(lambda t: t.sms_number == PHONE)
        self.assertTrue(trace.sms_ovh_stop_date)
        self.assertNotEqual(trace.trace_status, "reply")
        contact = self.env["mailing.contact"].browse(trace.res_id)
        self.assertTrue(contact.subscription_ids.opt_out)
        # OVHcloud's list does not have it: it stays all the same.
        self.account._read_answers()
        self.assertEqual(mailing.sms_ovh_stop_count, 1)
        # Taken off by hand, then asked for again.
        blacklist.action_archive()
        self.account._read_answers()
        self.assertFalse(blacklist.active)
        self._reply("ARRÊT")
        self.assertTrue(blacklist.active)
        self.assertEqual(mailing.sms_ovh_stop_count, 1)

    def test_keyword_of_ones_own(self):
        self.account.stop_keywords = "Basta, ne plus recevoir"
        self._send_to()
        self.assertFalse(self._reply("STOPPEZ tout").is_stop)
        self.assertTrue(self._reply("ne plus reçevoir.").is_stop)

    def test_stop_by_text_and_at_ovhcloud_is_one(self):
        short = self._sender(type="shortcode")
        mailing = self._send_mailing([PHONE], sms_ovh_sender_id=short.id)
        self._reply("Stop")
        self.account._read_answers()
        stop = self.env["sms.ovh.stop"].search([("number", "=", PHONE)])
        self.assertEqual(len(stop), 1)
        self.assertEqual(stop.mailing_id, mailing)


@tagged("-at_install", "post_install")
class TestStopKeywords(BaseCase):
    def test_stop(self):
        for text in ("STOP", " stop ", "Stop.", "Arrêt", "arret svp", "ARRÊT!"):
            self.assertTrue(is_stop(text, "stop, ARRET"), text)

    def test_no_stop(self):
        for text in (None, "", "…", "Non stop", "stopper", "Merci, arrêt de bus ?"):
            self.assertFalse(is_stop(text, "stop, ARRET"), text)
        self.assertFalse(is_stop("stop", None))

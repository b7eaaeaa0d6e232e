import requests

from odoo.exceptions import UserError
from odoo.tests import tagged

from .answers_common import OTHER_PHONE, PHONE, AnswersCase
from .common import SERVICE_1


@tagged("-at_install", "post_install")
class TestReplies(AnswersCase):
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
        self.account.default_user_id = self.account.user_ids.filtered(
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
        note = partner.message_ids[:1]
        self.assertIn("&lt;script&gt;oui", note.body)
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

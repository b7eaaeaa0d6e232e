from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common import KEYS_2, SERVICE_1, SERVICE_2, SmsOvhCase


@tagged("-at_install", "post_install")
class TestSmsOvhSender(SmsOvhCase):
    def _get_sender(self, name):
        """Return a sender as OVHcloud has it, None if it has none."""
        senders = self.simulator.get_state()["services"][SERVICE_1]["senders"]
        return next((each for each in senders if each["sender"] == name), None)

    def _request(self, **values):
        """Open the request of a sender and fill it in."""
        action = self.account.action_request_sender()
        request = self.env[action["res_model"]].browse(action["res_id"])
        request.write({"reason": "Notre enseigne", **values})
        return request

    # ------------------------------------------------------------
    # Request
    # ------------------------------------------------------------

    def test_request(self):
        action = self._request(name="Vitrine", description="Mes <b>boutiques</b>")
        self.assertEqual(action.action_request()["params"]["type"], "success")
        self.assertEqual(self._get_sender("Vitrine")["status"], "waitingValidation")
        sender = self._sender(name="Vitrine")
        self.assertEqual(sender.status, "waitingValidation")
        self.assertEqual(sender.description, "Mes <b>boutiques</b>")
        with self.assertRaises(ValidationError):
            self.account.default_sender_id = sender

    def test_request_of_a_suggestion(self):
        request = self._request(reason=False)
        self.assertEqual(
            {(each.name, each.referer) for each in request.suggestion_ids},
            {("DemoBoutik", "domain"), ("SocieteDemo", "nichandle")},
        )
        request.suggestion_ids.filtered(
            lambda suggestion: suggestion.name == "DemoBoutik"
        ).action_use()
        self.assertEqual(request.name, "DemoBoutik")
        self.assertTrue(request.reason)
        request.action_request()
        self.assertEqual(self._sender(name="DemoBoutik").status, "enable")

    def test_buttons_of_the_list(self):
        """They come with the rows selected, or none."""
        Sender = self.env["sms.ovh.sender"]
        self.assertEqual(
            Sender.action_request_sender()["res_model"], "sms.ovh.sender.request"
        )
        self.assertEqual(
            self.account.sender_ids.action_synchronise()["params"]["type"], "success"
        )

    def test_request_without_suggestions(self):
        self.simulator.order_faults({"kind": "500", "path": "AvailableForValidation"})
        self.assertFalse(self._request().suggestion_ids)

    def test_impossible_names_are_refused_here(self):
        for name, words in [
            (False, "Enter the sender"),
            ("Douze12lettr", "too long"),
            ("12345", "digits only"),
            ("Café", "accents"),
            ("Ma Boutique", "spaces"),
            ("Ma-Vitrine", "letters"),
            ("１２３", "accents"),
        ]:
            with self.subTest(name=name):
                request = self._request(name=name)
                with self.assertRaisesRegex(UserError, words):
                    request.action_request()
        with self.assertRaisesRegex(UserError, "reason"):
            self._request(name="Vitrine", reason=" ").action_request()
        self.assertFalse(
            any(
                route.startswith("POST ") and "senders" in route
                for route in self.simulator.get_state()["requests"]
            )
        )

    def test_request_refused_by_ovhcloud(self):
        with self.assertRaisesRegex(UserError, "“MaBoutique” exists already"):
            self._request(name="MaBoutique").action_request()
        self.simulator.order_faults({"kind": "429", "method": "POST"})
        with self.assertRaisesRegex(UserError, "slow down"):
            self._request(name="Vitrine").action_request()
        self.assertIsNone(self._get_sender("Vitrine"))

    def test_request_taken_but_not_read(self):
        self.simulator.order_faults(
            {"kind": "500", "method": "GET", "path": "/senders/Vitrine"}
        )
        action = self._request(name="Vitrine").action_request()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertTrue(self._get_sender("Vitrine"))
        self.account.action_synchronise()
        self.assertEqual(self._sender(name="Vitrine").status, "waitingValidation")

    # ------------------------------------------------------------
    # Changes
    # ------------------------------------------------------------

    def test_enable_and_disable(self):
        sender = self._sender(name="Ancien")
        sender.action_enable()
        self.assertEqual(sender.status, "enable")
        self.assertEqual(self._get_sender("Ancien")["status"], "enable")
        sender.action_disable()
        self.assertEqual(sender.status, "disable")
        self.assertEqual(self._get_sender("Ancien")["status"], "disable")

    def test_what_ovhcloud_decides_is_refused(self):
        waiting = self._sender(name="Nouveau")
        with self.assertRaisesRegex(UserError, "does not allow this for “Nouveau”"):
            waiting.action_enable()
        self.assertEqual(waiting.status, "waitingValidation")
        with self.assertRaisesRegex(UserError, "can not be deleted"):
            self._sender(type="virtual").action_delete()

    def test_delete(self):
        sender = self._sender(name="Ancien")
        sender.action_delete()
        self.assertIsNone(self._get_sender("Ancien"))
        self.assertTrue(sender.exists())
        self.assertFalse(sender.active)

    def test_delete_what_is_gone(self):
        sender = self._sender(name="Ancien")
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/senders/Ancien")
        sender.action_delete()
        self.assertFalse(sender.active)

    def test_default_sender_is_kept(self):
        sender = self.account.default_sender_id
        for method in ("action_delete", "action_disable"):
            with self.subTest(method=method), self.assertRaises(UserError):
                getattr(sender, method)()
        self.assertEqual(self._get_sender(sender.name)["status"], "enable")

    # ------------------------------------------------------------
    # News of OVHcloud
    # ------------------------------------------------------------

    def test_status_change_is_told_as_text(self):
        follower = self.env["res.partner"].create({"name": "Suiveur"})
        self.account.message_subscribe(follower.ids)
        self.simulator.set_sender(
            SERVICE_1, "Nouveau", status="refused", comment="<b>Marque</b> inconnue"
        )
        self.account.action_synchronise()
        message = self.account.message_ids[:1]
        self.assertIn("Nouveau", message.body)
        self.assertIn("Refused", message.body)
        self.assertIn("&lt;b&gt;Marque&lt;/b&gt; inconnue", message.body)
        self.assertIn(follower, message.notified_partner_ids)
        count = len(self.account.message_ids)
        self.account.action_synchronise()
        self.assertEqual(len(self.account.message_ids), count)

    def test_default_sender_deleted_at_ovhcloud(self):
        self.simulator.set_sender(SERVICE_1, "Ancien", status="enable")
        sender = self.account.default_sender_id
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/senders/{sender.name}")
        self.account.action_synchronise()
        self.assertFalse(sender.active)
        # No other name is chosen behind anybody's back.
        self.assertFalse(self.account.default_sender_id)
        self.assertIn(sender.name, self.account.message_ids[:1].body)

    def test_unchanged_senders_are_not_written(self):
        before = {sender.id: sender.write_date for sender in self.account.sender_ids}
        self.env.flush_all()
        self.env.cr.execute("UPDATE sms_ovh_sender SET write_date = '2020-01-01'")
        self.env.invalidate_all()
        self.simulator.set_sender(SERVICE_1, "Nouveau", status="enable")
        self.account.action_synchronise()
        self.env.flush_all()
        changed = self.account.sender_ids.filtered(
            lambda sender: sender.write_date.year > 2020
        )
        self.assertEqual(changed.mapped("name"), ["Nouveau"])
        self.assertEqual(set(before), set(self.account.sender_ids.ids))

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def test_marketing_users_change_nothing(self):
        user = new_test_user(
            self.env,
            "marketer_senders",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
        )
        account = self.account.with_user(user)
        with self.assertRaises(AccessError):
            account.action_request_sender()
        for method in ("action_disable", "action_delete"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(self._sender(name="Refuse").with_user(user), method)()
        self.assertTrue(self._get_sender("Refuse"))

    def test_two_accounts(self):
        other = self.env["res.company"].create({"name": "Autre"})
        account = self._create_account(other, SERVICE_2, KEYS_2)
        self.assertIn("Societe2", account.sender_ids.mapped("name"))
        self.assertNotIn("Societe2", self.account.sender_ids.mapped("name"))
        self.assertFalse(account.api_user_ids)
        self.assertEqual(
            set(self.account.api_user_ids.mapped("login")), {"marketing", "compta"}
        )

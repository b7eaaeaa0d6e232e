from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import KEYS_1, SERVICE_1, SERVICE_2, SmsOvhCase


@tagged("-at_install", "post_install")
class TestSmsOvhAccount(SmsOvhCase):
    # ------------------------------------------------------------
    # What is typed
    # ------------------------------------------------------------

    def test_spaces_are_cleaned(self):
        self.account.write(
            {
                "service_name": f"  {SERVICE_1.upper()}\n",
                "application_key": f" {KEYS_1['application_key']} ",
                "application_secret": f"\t{KEYS_1['application_secret']}",
                "consumer_key": f"{KEYS_1['consumer_key']}\r\n",
                "endpoint_url": f" {self.simulator.api_url}/ ",
            }
        )
        self.assertEqual(self.account.service_name, SERVICE_1)
        self.assertEqual(self.account.endpoint_url, self.simulator.api_url)
        for name, value in KEYS_1.items():
            self.assertEqual(self.account[name], value)
        self.assertTrue(self.account._synchronise())

    def test_impossible_values_are_refused(self):
        for values, words in [
            ({"service_name": "ab12345"}, "console"),
            ({"service_name": "sms-ab12345-1/../x"}, "console"),
            ({"application_key": "with space"}, "Application Key"),
            ({"application_secret": "short"}, "Application Secret"),
            ({"consumer_key": "é" * 32}, "Consumer Key"),
            ({"endpoint_url": "ftp://example.com"}, "address"),
            ({"endpoint_url": "https://user:password@example.com/1.0"}, "address"),
            ({"endpoint_url": False}, "address"),
            ({"endpoint_url": "http://[broken/1.0"}, "address"),
        ]:
            with self.subTest(**values):
                with (
                    self.assertRaisesRegex(ValidationError, words) as raised,
                    self.env.cr.savepoint(),
                ):
                    self.account.write(values)
                for secret in ("with space", "short", "é" * 32):
                    self.assertNotIn(f"“{secret}", str(raised.exception))

    @mute_logger("odoo.sql_db")
    def test_a_service_belongs_to_one_account(self):
        with self.assertRaises(IntegrityError), self.env.cr.savepoint():
            self._create_account(self.company, SERVICE_1, KEYS_1, connect=False)
        self.company.sms_ovh_account_id = False
        self.account.action_archive()
        self.account.flush_recordset()
        self._create_account(self.company, SERVICE_1, KEYS_1, connect=False)

    def test_company_keeps_its_account(self):
        other = self.env["res.company"].create({"name": "Autre"})
        with self.assertRaisesRegex(ValidationError, "Ma Boutique"):
            self.account.company_id = other

    def test_sender_of_another_account_is_refused(self):
        other = self.env["res.company"].create({"name": "Autre"})
        account = self._create_account(other, SERVICE_2, KEYS_1, connect=False)
        sender = self.env["sms.ovh.sender"].create(
            {
                "account_id": account.id,
                "name": "Autre",
                "type": "alpha",
                "status": "enable",
            }
        )
        with self.assertRaises(UserError):
            self.account.default_sender_id = sender

    # ------------------------------------------------------------
    # Connection
    # ------------------------------------------------------------

    def test_connection_right(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=1234.5)
        action = self.account.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")
        self.assertIn(SERVICE_1, action["params"]["message"])
        self.assertIn("1,234.50", action["params"]["message"])
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(self.account.state_message)
        self.assertEqual(self.account.credits_left, 1234.5)
        self.assertEqual(self.account.description, "Démonstration")
        self.assertTrue(self.account.last_sync)

    def test_connection_wrong_says_why(self):
        for values, words in [
            ({"application_key": "unknownkey"}, "does not know the application key"),
            ({"application_secret": "wrongsecret"}, "application secret"),
            ({"consumer_key": "unknownkey"}, "consumer key"),
            ({"consumer_key": "demopending00000000000000000pend"}, "approved"),
            ({"consumer_key": "demorefused00000000000000000refu"}, "refused"),
            ({"consumer_key": "demoexpired00000000000000000expi"}, "expired"),
            ({"consumer_key": False}, "not complete"),
            ({"service_name": "sms-zz99999-1"}, "sms-zz99999-1"),
            ({"endpoint_url": "http://127.0.0.1:9/1.0"}, "cannot be reached"),
        ]:
            with self.subTest(**values):
                self.account.write(
                    {
                        "service_name": SERVICE_1,
                        "endpoint_url": self.simulator.api_url,
                        **KEYS_1,
                    }
                )
                self.account.write(values)
                self.assertEqual(self.account.state, "draft")
                action = self.account.action_test_connection()
                self.assertEqual(action["params"]["type"], "danger")
                self.assertIn(words, action["params"]["message"])
                refused = values.get("consumer_key")
                self.assertEqual(self.account.state, "refused" if refused else "error")
                self.assertEqual(
                    self.account.state_message, action["params"]["message"]
                )
                for key in (*KEYS_1.values(), *values.values()):
                    if key and "key" in values:
                        self.assertNotIn(key, action["params"]["message"])

    def test_connection_fails_at_ovhcloud(self):
        for fault, words in [
            ({"kind": "429"}, "slow down"),
            ({"kind": "500"}, "failure of its own"),
            ({"kind": "502_html"}, "failure of its own"),
            ({"kind": "garbage"}, "cannot be read"),
            ({"kind": "empty"}, "cannot be read"),
            ({"kind": "cut_before"}, "did not answer"),
        ]:
            with self.subTest(**fault):
                self.simulator.order_faults({**fault, "path": f"^/sms/{SERVICE_1}$"})
                action = self.account.action_test_connection()
                self.assertEqual(action["params"]["type"], "danger")
                self.assertIn(words, action["params"]["message"])

    def test_connection_clock_off(self):
        self.account.action_test_connection()
        self.simulator.configure(clock_skew_s=86400)
        # The clock is learnt anew.
        action = self.account.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")
        content = {"message": "Query out of time", "errorCode": "QUERY_TIME_OUT"}
        order = {"kind": "answer", "status": 400, "content": content, "times": 2}
        self.simulator.order_faults({**order, "path": f"{SERVICE_1}$"})
        action = self.account.action_test_connection()
        self.assertIn("clock", action["params"]["message"])
        self.assertEqual(
            self.account.action_test_connection()["params"]["type"], "success"
        )

    def test_failure_keeps_what_is_known(self):
        senders = self.account.sender_ids
        self.simulator.order_faults({"kind": "500", "path": "/senders"})
        with mute_logger("odoo.addons.sms_ovh.models.sms_ovh_account"):
            self.assertTrue(self.account._synchronise())
        self.assertEqual(self.account.sender_ids, senders)
        self.assertEqual(self.account.credits_left, 2000)

    def test_sentences_are_translated(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"].search(
            [("name", "=", "sms_ovh")]
        )._update_translations(["fr_FR"])
        self.account.application_key = "unknownkey"
        self.account.with_context(lang="fr_FR").action_test_connection()
        self.assertIn("clé d'application", self.account.state_message)

    # ------------------------------------------------------------
    # Senders
    # ------------------------------------------------------------

    def test_senders_are_read(self):
        self.assertEqual(
            {
                (sender.name, sender.type, sender.status)
                for sender in self.account.sender_ids
            },
            {
                ("MaBoutique", "alpha", "enable"),
                ("Nouveau", "alpha", "waitingValidation"),
                ("Refuse", "alpha", "refused"),
                ("Ancien", "alpha", "disable"),
                ("short", "shortcode", "enable"),
                ("+33700000001", "virtual", "enable"),
            },
        )
        self.assertTrue(self._sender(name="Refuse").comment)
        self.assertEqual(
            self.account.default_sender_id, self._sender(name="MaBoutique")
        )
        self.assertTrue(self._sender(type="shortcode").can_reply)
        self.assertFalse(self._sender(type="shortcode").has_stop_clause)
        self.assertTrue(self._sender(name="MaBoutique").has_stop_clause)

    def test_senders_are_synchronised(self):
        refused = self._sender(name="Refuse")
        waiting = self._sender(name="Nouveau")
        self.simulator.set_sender(SERVICE_1, "Nouveau", status="enable")
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/senders/Refuse")
        self.account.action_synchronise()
        self.assertEqual(waiting.status, "enable")
        self.assertFalse(refused.active)
        self.assertNotIn(refused, self.account.sender_ids)

    def test_only_enabled_senders_can_be_chosen(self):
        domain = self.account._fields["default_sender_id"].get_description(
            self.env, ["domain"]
        )["domain"]
        self.assertIn("('status', '=', 'enable')", domain)
        for name in ("Nouveau", "Refuse", "Ancien"):
            with self.subTest(sender=name), self.assertRaises(ValidationError):
                self.account.default_sender_id = self._sender(name=name)

    def test_form(self):
        with Form(self.account) as form:
            form.default_sender_id = self._sender(type="shortcode")
            self.assertTrue(form.default_sender_can_reply)

    # ------------------------------------------------------------
    # Callbacks
    # ------------------------------------------------------------

    def test_callbacks_are_registered(self):
        self.account.action_synchronise()
        self.assertEqual(self.account.callback_state, "ok")
        with self.account._get_client() as client:
            service = client.get(f"/sms/{SERVICE_1}")
        self.assertEqual(service["callBack"], self.account.delivery_url)
        self.assertIn(self.account.callback_token, self.account.delivery_url)

    def test_callbacks_elsewhere_are_left_alone(self):
        self.simulator.set_service(SERVICE_1, callBack="https://example.com/dlr")
        self.account.action_synchronise()
        self.assertEqual(self.account.callback_state, "other")
        with self.account._get_client() as client:
            service = client.get(f"/sms/{SERVICE_1}")
            self.assertEqual(service["callBack"], "https://example.com/dlr")
            self.account.action_register_callbacks()
            service = client.get(f"/sms/{SERVICE_1}")
        self.assertEqual(service["callBack"], self.account.delivery_url)
        self.assertEqual(self.account.callback_state, "ok")

    def test_address_that_ovhcloud_cannot_reach(self):
        for address, unreachable in [
            ("http://localhost:8069", True),
            ("http://odoo:8069", True),
            ("http://192.168.1.5", True),
            ("http://[::1]:8069", True),
            ("http://odoo.local", True),
            ("https://odoo.example.com", False),
            ("https://8.8.8.8", False),
        ]:
            with self.subTest(address=address):
                self.env["ir.config_parameter"].set_param("web.base.url", address)
                self.account.endpoint = "ovh-eu"
                self.account.invalidate_recordset()
                self.assertEqual(self.account.delivery_unreachable, unreachable)
                self.account.endpoint = "custom"
                self.assertFalse(self.account.delivery_unreachable)

    def test_callbacks_refused(self):
        self.simulator.order_faults({"kind": "500", "method": "PUT"})
        with self.assertRaisesRegex(UserError, "failure of its own"):
            self.account.action_register_callbacks()

    # ------------------------------------------------------------
    # Rights
    # ------------------------------------------------------------

    def test_secrets_are_for_the_system_group(self):
        user = new_test_user(
            self.env,
            "ovh_admin",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=self.company.id,
        )
        account = self.account.with_user(user)
        self.assertEqual(account.service_name, SERVICE_1)
        for name in (*KEYS_1, "callback_token", "endpoint_url", "delivery_url"):
            with self.subTest(field=name):
                with self.assertRaises(AccessError):
                    account.read([name])
                with self.assertRaises(AccessError):
                    account.search([(name, "=like", "%")])
        account.default_sender_id = self._sender(type="shortcode")
        self.assertEqual(account.action_test_connection()["params"]["type"], "success")

    def test_marketing_users_look_only(self):
        user = new_test_user(
            self.env,
            "marketer",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
        )
        account = self.account.with_user(user)
        self.assertEqual(account.credits_left, 2000)
        with self.assertRaises(AccessError):
            account.service_name = "sms-ab12345-2"

    def test_other_companies_see_nothing(self):
        other = self.env["res.company"].create({"name": "Autre"})
        user = new_test_user(
            self.env,
            "other_admin",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=other.id,
            company_ids=other.ids,
        )
        env = self.env(user=user, context={"allowed_company_ids": other.ids})
        self.assertFalse(env["sms.ovh.account"].search([]))
        self.assertFalse(env["sms.ovh.sender"].search([]))

    # ------------------------------------------------------------
    # Settings
    # ------------------------------------------------------------

    def test_settings(self):
        self.company.sms_ovh_account_id = False
        with Form(self.env["res.config.settings"]) as form:
            self.assertFalse(form.sms_ovh_enabled)
            form.sms_ovh_enabled = True
            self.assertEqual(form.sms_ovh_account_id, self.account)
        settings = form.record
        settings.execute()
        self.assertEqual(self.company.sms_ovh_account_id, self.account)
        action = settings.action_sms_ovh_configure()
        self.assertEqual(action["res_id"], self.account.id)
        self.assertEqual(
            settings.action_sms_ovh_test_connection()["params"]["type"], "success"
        )
        with Form(self.env["res.config.settings"]) as form:
            self.assertTrue(form.sms_ovh_enabled)
            form.sms_ovh_enabled = False
        form.record.execute()
        self.assertFalse(self.company.sms_ovh_account_id)

    def test_settings_without_an_account(self):
        self.company.sms_ovh_account_id = False
        self.account.action_archive()
        with Form(self.env["res.config.settings"]) as form:
            form.sms_ovh_enabled = True
        with self.assertRaisesRegex(UserError, "choose the account"):
            form.record.execute()
        with self.assertRaises(UserError):
            form.record.action_sms_ovh_test_connection()

    # ------------------------------------------------------------
    # Cron
    # ------------------------------------------------------------

    def test_cron_reads_every_account(self):
        other = self.env["res.company"].create({"name": "Autre"})
        broken = self._create_account(other, "sms-zz99999-1", KEYS_1, connect=False)
        other.sms_ovh_account_id = broken
        self.simulator.set_service(SERVICE_1, creditsLeft=42)
        self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(self.account.credits_left, 42)
        self.assertEqual(broken.state, "error")

    # ------------------------------------------------------------
    # Deleting
    # ------------------------------------------------------------

    def test_delete(self):
        """What was sent with an account stays readable when that is deleted."""
        mailing = self._create_mailing(self._numbers(3))
        mailing.action_send_sms()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(sms.sms_ovh_sender_id.account_id, self.account)
        self.account.sender_ids.filtered("has_stop_clause").active = False
        trackers = mailing.mailing_trace_ids.sms_tracker_ids
        event_id = self.env["sms.ovh.event"]._receive_delivery(
            self.account.id, {"id": trackers[0].sms_ovh_id, "ptt": "4"}
        )
        token = self.account.callback_token
        self.company.sms_ovh_account_id = False
        self.account.unlink()
        self.env.invalidate_all()
        for name in ("sms_ovh_account_id", "sms_ovh_job_id", "sms_ovh_sender_id"):
            self.assertFalse(sms[name], name)
        self.assertEqual(set(sms.mapped("display_name")), set(sms.mapped("number")))
        self.assertFalse(trackers.sms_ovh_account_id)
        self.assertFalse(self.env["sms.ovh.event"].browse(event_id).exists())
        self.assertFalse(self.env["sms.ovh.account"]._find_by_token(token))
        self._run_cron("sms_ovh.ir_cron_process_events")

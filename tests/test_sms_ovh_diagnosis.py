import json
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger

from .common import SERVICE_1, SmsOvhCase

BODY = "Confidentiel : votre code est le 730184, Camille"
NUMBERS = ("+33611111111", "+33612340023")


@tagged("-at_install", "post_install")
class TestSmsOvhDiagnosis(SmsOvhCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = new_test_user(
            cls.env,
            "diagnosis_administrator",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    def setUp(self):
        super().setUp()
        self.account.action_synchronise()
        self.account.write(
            {
                "client_id": "EU.secretclientid",
                "client_secret": "secretclientsecretclient",
                "http_login": "secretlogin",
                "http_password": "secret12",
                "pending_consumer_key": "secretpendingconsumerkey",
            }
        )
        self.account.action_synchronise()

    def _open(self, user=None):
        """Press the button and return the text that can be copied."""
        action = (
            self.account.with_user(user or self.administrator)
            .with_context(allowed_company_ids=self.company.ids)
            .action_diagnose()
        )
        form = Form(
            self.env[action["res_model"]]
            .with_user(user or self.administrator)
            .with_context(**action["context"])
        )
        return form.text

    def _fail(self, words):
        """Have OVHcloud refuse one job in these words."""
        job = self._create_sms(NUMBERS, body=BODY)._sms_ovh_claim()
        job.write({"state": "posting"})
        job.write(
            {
                "state": "refused",
                "attempts": 1,
                "query_id": "EU.ext-1.0123abcd.4567.89abcdef0123456789abcdef01234567",
                "error": words,
            }
        )
        return job

    def test_what_is_in_it(self):
        self._fail("Sender refused")
        event = self.env["sms.ovh.event"]._receive_delivery(
            self.account.id, {"id": "1", "ptt": "4", "description": "1"}
        )
        self.assertTrue(event)
        self._create_sms(NUMBERS[:1])
        text = self._open()
        for part in (
            "sms_ovh 19.0.",
            "Odoo 19.0",
            "PostgreSQL",
            "phonenumbers ",
            f"{SERVICE_1}, connected",
            "Connects by consumer_key to custom",
            "consumer_key, ",
            "delivery: ok, last received 20",
            "1 in 24 hours",
            "stop: ok, last received never",
            "Inbox: new 1 (since",
            "refused 1 (since",
            "SMS that wait: outgoing 1 (since",
            "OVHcloud SMS: send what is due: on, last run",
            "SMS: SMS Queue Manager: on",
            "EU.ext-1.0123abcd.4567.89abcdef0123456789abcdef01234567: Sender refused",
        ):
            self.assertIn(part, text)

    def test_what_is_not_in_it(self):
        self._fail(
            f"Refused: {BODY} to {', '.join(NUMBERS)}, 06 11 11 11 11, 06.11.11.11.11,"
            f" 0033 6 11 11 11 11; key {self.account.consumer_key}, write to"
            f" camille@example.com or http://example.com/?token=abc"
        )
        self.account.write(
            {
                "pause_reason": "credit",
                "pause_message": f"No credit for {NUMBERS[0]} ({self.account.http_login})",
            }
        )
        self.env["sms.ovh.reply"].create(
            {
                "account_id": self.account.id,
                "ovh_id": "1",
                "number": NUMBERS[0],
                "body": BODY,
            }
        )
        # Not even for one who may read them.
        system = new_test_user(
            self.env,
            "diagnosis_system",
            groups="base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        text = self._open(system)
        secrets = [
            self.account[name]
            for name, field in self.account._fields.items()
            if field.groups
            and field.type == "char"
            and field.store
            and name not in ("endpoint", "endpoint_url")
        ]
        secrets = [secret for secret in secrets if secret]
        self.assertGreaterEqual(len(secrets), 9)
        for hidden in (
            *secrets,
            *NUMBERS,
            *("611111111", "11 11 11", "11.11.11", "730184", "Camille", "camille@"),
            *("Confidentiel", "votre code", "example.com/"),
        ):
            with self.subTest(hidden=hidden):
                self.assertNotIn(hidden, text)
        self.assertIn("[number]", text)
        self.assertIn("[e-mail]", text)
        self.assertIn("Refused: [hidden] to [number]", text)

    def test_another_account_is_not_in_it(self):
        other = self.env["sms.ovh.account"].create({"service_name": "sms-other-1"})
        self.env["sms.ovh.job"].create(
            {"account_id": other.id, "body": "x", "error": "Another's error"}
        )
        text = self._open()
        self.assertNotIn("sms-other-1", text)
        self.assertNotIn("Another's error", text)
        self.assertIn("Last errors\n- none", text)

    def test_callback_trouble_is_seen(self):
        cron = self.env.ref("sms_ovh.ir_cron_post_jobs")
        cron.active = False
        self.account.write({"callback_state": "other", "endpoint": "ovh-eu"})
        self.env["ir.config_parameter"].set_param("web.base.url", "http://odoo.local")
        self.env["ir.config_parameter"].set_param("sms_ovh.threads", "4")
        text = self._open()
        self.assertIn("http://odoo.local, not reachable from the Internet", text)
        self.assertIn("delivery: other, last received never", text)
        self.assertIn("send what is due: OFF", text)
        self.assertIn("sms_ovh.threads = 4", text)

    def _open_as_system(self):
        system = new_test_user(
            self.env,
            "diagnosis_settings",
            groups="base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        action = self.account.with_user(system).action_diagnose()
        return Form(
            self.env[action["res_model"]]
            .with_user(system)
            .with_context(**action["context"])
        )

    def test_everybody_writes_templates(self):
        """Where every employee can read the keys, who may end it is told, and how."""
        Parameter = self.env["ir.config_parameter"]
        Parameter.set_param("mail.restrict.template.rendering", False)
        form = self._open_as_system()
        self.assertTrue(form.everybody_edits_templates)
        hint = form._view["tree"].find(".//div[@name='template_editors']")
        settings = self.env.ref("base_setup.action_general_configuration")
        self.assertEqual(hint.find("button").get("name"), str(settings.id))
        self.assertIn("written by: every employee", form.text)
        # It is a hint: the account works.
        self.assertEqual(self.account.state, "connected")
        self.assertFalse(self.account.state_message)

        with self.subTest("Who may not change it is not asked to"):
            view = self.env["sms.ovh.diagnosis"].with_user(self.administrator)
            arch = view.get_view(view_type="form")["arch"]
            self.assertNotIn("template_editors", arch)
            self.assertNotIn("everybody_edits_templates", arch)
            self.assertIn("written by: every employee", self._open())

    def test_template_editors_write_templates(self):
        """As Odoo is by itself, there is nothing to say."""
        Parameter = self.env["ir.config_parameter"]
        Parameter.set_param("mail.restrict.template.rendering", True)
        form = self._open_as_system()
        self.assertFalse(form.everybody_edits_templates)
        self.assertTrue(form._get_modifier("everybody_edits_templates", "invisible"))
        self.assertIn("written by: their editors", form.text)

    def test_nothing_is_asked_and_nothing_is_kept(self):
        """It works where OVHcloud cannot be reached, and leaves no trace."""
        calls = sum(self.simulator.get_state()["requests"].values())
        with patch.object(type(self.account), "_get_client", side_effect=OSError):
            self._open()
        self.assertEqual(sum(self.simulator.get_state()["requests"].values()), calls)
        self.assertFalse(self.env["sms.ovh.diagnosis"]._fields["text"].store)

    def test_a_new_account(self):
        """An account that never connected can be diagnosed as well."""
        self.account = self.env["sms.ovh.account"].create(
            {"company_id": self.company.id}
        )
        text = self._open()
        self.assertIn("no service, draft", text)
        self.assertIn("set: nothing", text)
        self.assertIn("Jobs: none", text)

    def test_who_may(self):
        marketing = new_test_user(
            self.env,
            "diagnosis_marketing",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        with self.assertRaises(AccessError):
            self.account.with_user(marketing).action_diagnose()
        with self.assertRaises(AccessError), mute_logger("odoo.addons.base"):
            self.env["sms.ovh.diagnosis"].with_user(marketing)._get_diagnosis(
                self.account.with_user(marketing)
            )
        arch = json.dumps(
            self.env["sms.ovh.account"].with_user(marketing).get_view(view_type="form")
        )
        self.assertNotIn("action_diagnose", arch)

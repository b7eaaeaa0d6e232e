from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .. import const
from .common import SimulatorCase


class EstimateTourCase(SimulatorCase, HttpCase):
    """The marketer's way: compose, estimate, preview, test, confirm, sent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.sms"].search([]).unlink()
        cls.env["mailing.mailing"].search([("mailing_type", "=", "sms")]).unlink()
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env.ref("base.user_admin").lang = "en_US"
        company = cls.env.ref("base.main_company")
        company.write(
            {"country_id": cls.env.ref("base.fr").id, "sms_ovh_quiet_hours": False}
        )
        cls._create_account(company)
        cls.mailing_list = cls.env["mailing.list"].create({"name": "Clients du tour"})
        cls.env["mailing.contact"].create(
            [
                {"name": name, "mobile": number, "list_ids": cls.mailing_list.ids}
                for name, number in (
                    ("<b>Camille</b>", "+33611111111"),
                    ("Maximilienne-Alexandrine", "+33622222222"),
                    ("Zoé", "+33142685300"),
                )
            ]
        )

    def _run_cron(self, xmlid):
        self.env.ref(xmlid).with_user(self.env.ref("base.user_root")).sudo(
            False
        ).method_direct_trigger()
        self.env.invalidate_all()

    def _compose_to_sent(self, way=""):
        self.start_tour("/odoo/sms-marketing", f"sms_ovh_estimate{way}", login="admin")
        # What leaves after the commit, of which a test's cursors know nothing.
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        test = self.simulator.get_ledger(receiver="+33699999999")
        self.assertEqual(len(test), 1)
        self.assertIn("Bonjour Maximilienne-Alexandrine", test[0]["message"])
        self.assertEqual(test[0]["segments"], 2)
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        ledger = self.simulator.get_ledger()
        self.assertEqual(
            {entry["receiver"] for entry in ledger},
            {"+33611111111", "+33622222222", "+33699999999"},
        )


@tagged("-at_install", "post_install")
class TestEstimateTour(EstimateTourCase):
    def test_compose_to_sent(self):
        self._compose_to_sent()

    def test_compose_to_sent_by_keyboard(self):
        self._compose_to_sent("_keyboard")

    def test_large_list(self):
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Grande liste",
                "mailing_type": "sms",
                "user_id": self.env.ref("base.user_admin").id,
                "mailing_model_id": self.env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": self.mailing_list.ids,
                "body_plaintext": "Bonjour {{ object.name }}",
            }
        )
        with patch.object(const, "ESTIMATE_AT_ONCE", 1):
            self.start_tour(
                "/odoo/sms-marketing", "sms_ovh_estimate_progress", login="admin"
            )
        self.assertEqual(mailing.sms_ovh_estimate_id.state, "done")


@tagged("-at_install", "post_install")
class TestEstimateTourMobile(EstimateTourCase):
    """The same at the width of a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_compose_to_sent(self):
        self._compose_to_sent()

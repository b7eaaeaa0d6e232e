import json

import requests

from odoo.tests import HttpCase, tagged

from .common import KEYS_1, SERVICE_1, SimulatorCase


@tagged("-at_install", "post_install")
class TestFirstCampaignTour(SimulatorCase, HttpCase):
    """The journey of a new user: configure, test, compose, send, see "Delivered"."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.ovh.account"].search([]).action_archive()
        cls.env["sms.sms"].search([]).unlink()
        cls.env["mailing.mailing"].search([("mailing_type", "=", "sms")]).unlink()
        cls.company = cls.env.ref("base.main_company")
        cls.company.sms_ovh_account_id = False
        cls.company.sms_ovh_quiet_hours = False  # so that it passes at any hour
        cls.env["res.lang"]._activate_lang("en_US")
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.lang = "en_US"

    def _start(self, url, tour):
        """Start a tour that knows where the simulator is."""
        address = json.dumps(self.simulator.api_url)
        self.start_tour(
            url,
            tour,
            login="admin",
            code=f"localStorage.setItem('sms_ovh.tests.api_url', {address});"
            f"odoo.startTour({tour!r}, {json.dumps({'stepDelay': 0, 'startUrl': url})})",
        )

    def _run_cron(self, xmlid):
        self.env.ref(xmlid).with_user(self.env.ref("base.user_root")).sudo(
            False
        ).method_direct_trigger()
        self.env.invalidate_all()

    def test_from_keys_to_delivered(self):
        self._start("/odoo/sms-marketing", "sms_ovh_configure")
        account = self.env["sms.ovh.account"].search([])
        self.assertEqual(account.service_name, SERVICE_1)
        self.assertEqual(account.consumer_key, KEYS_1["consumer_key"])
        self._start("/odoo/settings", "sms_ovh_settings")
        self.assertEqual(self.company.sms_ovh_account_id, account)

        mailing_list = self.env["mailing.list"].create({"name": "Clients du tour"})
        self.env["mailing.contact"].create(
            [
                {"name": number, "mobile": number, "list_ids": mailing_list.ids}
                for number in ("+33611111111", "+33622222222")
            ]
        )
        self._start("/odoo/sms-marketing", "sms_ovh_campaign")
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        ledger = self.simulator.get_ledger()
        self.assertEqual(
            {sms["receiver"] for sms in ledger}, {"+33611111111", "+33622222222"}
        )
        with self.allow_requests(all_requests=True):
            for callback in self.simulator.pop_callbacks(count=4):
                response = requests.get(callback["url"], timeout=30)
                self.assertEqual(response.status_code, 200)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self._start("/odoo/sms-marketing", "sms_ovh_delivered")

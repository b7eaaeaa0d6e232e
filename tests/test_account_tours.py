from odoo.tests import HttpCase, tagged

from .common import KEYS_1, SERVICE_1, SimulatorCase


class AccountToursCase(SimulatorCase, HttpCase):
    """What OVHcloud's console does, done in Odoo's pages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.ovh.account"].search([]).action_archive()
        company = cls.env.ref("base.main_company")
        cls.env["res.lang"]._activate_lang("en_US")
        cls.env.ref("base.user_admin").lang = "en_US"
        cls.account = cls.env["sms.ovh.account"].create(
            {
                "company_id": company.id,
                "service_name": SERVICE_1,
                "endpoint": "custom",
                "endpoint_url": cls.simulator.api_url,
                **KEYS_1,
            }
        )
        cls.account.action_synchronise()
        company.sms_ovh_account_id = cls.account

    def _get_service(self):
        return self.simulator.get_state()["services"][SERVICE_1]

    def _request_a_sender(self):
        self.start_tour("/odoo/ovhcloud-sms", "sms_ovh_request_sender", login="admin")
        sender = next(
            each
            for each in self._get_service()["senders"]
            if each["sender"] == "Vitrine"
        )
        self.assertEqual(sender["status"], "waitingValidation")
        self.assertEqual(sender["description"], "Nos magasins")

    def _set_forwarding(self):
        self.start_tour("/odoo/ovhcloud-sms", "sms_ovh_set_forwarding", login="admin")
        response = self._get_service()["smsResponse"]
        self.assertEqual(
            [option["target"] for option in response["trackingOptions"]],
            ["boutique@example.com"],
        )
        self.assertEqual(response["responseType"], "text")
        self.assertEqual(response["text"], "Merci, nous vous rappelons.")


@tagged("-at_install", "post_install")
class TestAccountTours(AccountToursCase):
    def test_request_a_sender(self):
        self._request_a_sender()

    def test_set_forwarding(self):
        self._set_forwarding()

    def test_set_the_recharge(self):
        self.start_tour("/odoo/ovhcloud-sms", "sms_ovh_set_recharge", login="admin")
        self.assertEqual(self._get_service()["automaticRecreditAmount"], "500")

    def test_set_a_quota(self):
        self.start_tour("/odoo/ovhcloud-api-users", "sms_ovh_set_quota", login="admin")
        user = next(
            each for each in self._get_service()["users"] if each["login"] == "compta"
        )
        self.assertEqual(
            user["quotaInformations"], {"quotaStatus": "active", "quotaLeft": 300}
        )

    def test_create_a_user(self):
        self.start_tour(
            "/odoo/ovhcloud-api-users", "sms_ovh_create_user", login="admin"
        )
        user = next(
            each for each in self._get_service()["users"] if each["login"] == "boutique"
        )
        self.assertEqual(user["password"], "Abcd1234")
        # Nothing of the password is left in the database.
        self.assertFalse(
            self.env["sms.ovh.user.create"].search([("password", "=", "Abcd1234")])
        )


@tagged("-at_install", "post_install")
class TestAccountToursMobile(AccountToursCase):
    """The same at the width of a phone."""

    browser_size = "375x667"
    touch_enabled = True

    def test_request_a_sender(self):
        self._request_a_sender()

    def test_set_forwarding(self):
        self._set_forwarding()

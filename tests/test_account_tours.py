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
        cls.account = cls._create_account(company)

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


class GuideToursCase(SimulatorCase, HttpCase):
    """Who has nothing gets to a test SMS, step by step and in French."""

    # Another way to take the same steps.
    way = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.ovh.account"].search([]).action_archive()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms(["sms_ovh"], ["fr_FR"])
        cls.admin = cls.env.ref("base.user_admin")
        cls.admin.write({"lang": "fr_FR", "phone": "+33612340099"})
        cls.company = cls.admin.company_id
        cls.company.sms_ovh_account_id = False

    def _follow_the_guide(self):
        self.start_tour(
            "/odoo/ovhcloud-sms", f"sms_ovh_guide_start{self.way}", login="admin"
        )
        account = self.env["sms.ovh.account"].search([])
        self.assertEqual(account.application_key, KEYS_1["application_key"])
        self.assertEqual(account.guide_step, "approve")
        # What its owner does on OVHcloud's page, where no tour can follow.
        account.write(
            {
                "endpoint": "custom",
                "endpoint_url": self.simulator.api_url,
                "consumer_key": KEYS_1["consumer_key"],
            }
        )
        for sender in self._get_senders():
            self.simulator.set_sender(
                SERVICE_1, sender["sender"], status="waitingValidation"
            )
        account.service_name = SERVICE_1
        account.action_synchronise()
        self.assertEqual(account.guide_step, "sender")
        self.start_tour(
            f"/odoo/ovhcloud-sms/{account.id}",
            f"sms_ovh_guide_end{self.way}",
            login="admin",
        )
        self.assertEqual(self.company.sms_ovh_account_id, account)
        sms = self.env["sms.sms"].search([("number", "=", "+33612340099")])
        self.assertIn("Odoo", sms.body)

    def _get_senders(self):
        service = self.simulator.get_state()["services"][SERVICE_1]
        return [each for each in service["senders"] if each["type"] != "shortcode"]


@tagged("-at_install", "post_install")
class TestGuideTours(GuideToursCase):
    def test_guide(self):
        self._follow_the_guide()


@tagged("-at_install", "post_install")
class TestGuideToursKeyboard(GuideToursCase):
    """The same without a pointer."""

    way = "_keyboard"

    def test_guide(self):
        self._follow_the_guide()


@tagged("-at_install", "post_install")
class TestGuideToursMobile(GuideToursCase):
    """The same at the width of a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_guide(self):
        self._follow_the_guide()

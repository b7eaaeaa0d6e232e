"""Odoo's Twilio beside this addon, where both are installed.

By ``./dev/test -i sms_twilio --test-tags /sms_ovh:TestTwilioUntouched``, or the matrix.
"""

from collections import Counter

from odoo import Command
from odoo.tests import tagged

from .test_other_addons import EverywhereCase

PHONE = "+33612345678"


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestTwilioUntouched(EverywhereCase):
    """Where nobody sends through OVHcloud, all is as without this addon."""

    addon = "sms_twilio"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Not above: where it is not installed, it need not be there.
        from odoo.addons.sms_twilio.tools.sms_api import SmsApiTwilio

        companies = cls.company | cls.other
        companies.sms_ovh_account_id = False
        for index, company in enumerate(companies):
            company.write(
                {
                    "sms_provider": "twilio",
                    "sms_twilio_account_sid": f"AC{index}" + "0" * 31,
                    "sms_twilio_auth_token": "0" * 32,
                    "sms_twilio_number_ids": [
                        Command.create(
                            {
                                "number": f"+3375500000{index}",
                                "country_id": cls.france.id,
                            }
                        )
                    ],
                }
            )
        cls.sent = []

        def send(api, messages, delivery_reports_url=False):
            company = api.company or api.env.company
            numbers = [info for message in messages for info in message["numbers"]]
            cls.sent.extend((company, info["number"]) for info in numbers)
            return [
                {"uuid": info["uuid"], "state": "sent", "sms_twilio_sid": "SM1"}
                for info in numbers
            ]

        cls.classPatch(SmsApiTwilio, "_send_sms_batch", send)
        cls.env["sms.sms"].search([]).unlink()

    def setUp(self):
        super().setUp()
        self.sent.clear()

    def _assert_sent(self, *sent):
        """Assert who sent to which numbers, and that nobody else did."""
        self._commit()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(Counter(self.sent), Counter(sent))
        self.assertEqual(self.simulator.count_jobs(), 0)
        self.assertFalse(
            self.env["sms.ovh.job"].search(
                [("account_id", "in", (self.account | self.other_account).ids)]
            )
        )

    def _create_campaign(self, partners, **values):
        return self.env["mailing.mailing"].create(
            {
                "subject": "Soldes",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", partners.ids)]),
                "body_plaintext": "Bonjour",
                **values,
            }
        )

    def test_campaign_goes_by_each_records_company(self):
        """Made in one company, for a partner of another."""
        own = self._create_partner(phone="+33612345679", company_id=self.company.id)
        mailing = self._create_campaign(self.partner | own)
        self.assertEqual(mailing.sms_ovh_company_id, self.company)
        mailing.action_put_in_queue()
        self._assert_sent((self.other, PHONE), (self.company, own.phone))
        self.assertEqual(mailing.state, "done")

    def test_composer(self):
        own = self._create_partner(phone="+33612345679", company_id=self.company.id)
        for force in (True, False):
            with self.subTest(force=force):
                self.sent.clear()
                self.env["sms.composer"].create(
                    {
                        "body": "Bonjour",
                        "composition_mode": "mass",
                        "mass_force_send": force,
                        "res_model": "res.partner",
                        "res_ids": (self.partner | own).ids,
                    }
                ).action_send_sms()
                self._assert_sent((self.other, PHONE), (self.company, own.phone))

    def test_landlines_and_long_texts_are_others_matter(self):
        partner = self._create_partner(phone="+33145678901", company_id=self.other.id)
        partner._message_sms("x" * 1200)
        self._assert_sent((self.other, partner.phone))

    def test_message(self):
        self.partner._message_sms("Bonjour")
        self.assertEqual(self.sent, [(self.other, PHONE)], "at once, as core does")
        self._assert_sent((self.other, PHONE))

    def test_cancel(self):
        self.partner._message_sms("Bonjour", put_in_queue=True)
        sms = self.env["sms.sms"].search([("number", "=", PHONE)])
        self.assertFalse(sms.action_set_canceled())
        self.assertEqual(sms.state, "canceled")
        self._assert_sent()

    def test_test_of_a_campaign(self):
        mailing = self._create_campaign(self.partner)
        self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": PHONE}
        ).action_send_sms()
        self.assertEqual(self.sent, [(self.company, PHONE)])

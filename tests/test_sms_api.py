from collections import Counter

from odoo.tests import tagged

from ..sms_api import SmsApiOvh
from ..tools.phone_number import normalize_number
from .common import SERVICE_1, UNREAL_NUMBER, SmsOvhCase

BLACKLISTED = "+33612340101"
INVALID_RECEIVER = "+33612340102"


@tagged("-at_install", "post_install")
class TestSmsApiOvh(SmsOvhCase):
    def _send(self, *contents, **values):
        """Hand (text, numbers) pairs to the provider as core does, and commit.

        :return: pairs of a number and what became of its SMS, as the provider calls it
        """
        messages = []
        sms_list = self.env["sms.sms"]
        for content, numbers in contents:
            sms = self._create_sms(numbers, content, **values)
            sms_list += sms
            messages.append(
                {
                    "content": content,
                    "numbers": [
                        {"uuid": record.uuid, "number": record.number} for record in sms
                    ],
                }
            )
        jobs = self.simulator.count_jobs()
        results = SmsApiOvh(self.env)._send_sms_batch(messages)
        self.assertEqual(
            Counter(result["uuid"] for result in results),
            Counter(sms_list.mapped("uuid")),
        )
        self.assertEqual(self.simulator.count_jobs(), jobs, "nothing leaves before")
        self._commit()
        answered = {result["uuid"]: result for result in results}
        return [
            (
                sms.number,
                {
                    "uuid": sms.uuid,
                    "state": answered[sms.uuid]["state"]
                    if answered[sms.uuid]["state"] != "processing"
                    else "success"
                    if sms.state == "pending"
                    else SmsApiOvh.get_provider_state(sms.failure_type)
                    if sms.state == "error"
                    else sms.state,
                    "sms_ovh_id": sms.sms_ovh_id,
                    "failure_reason": sms.sms_ovh_failure_reason,
                },
            )
            for sms in sms_list
        ]

    def _states(self, *contents, **kwargs):
        return {
            number: result["state"]
            for number, result in self._send(*contents, **kwargs)
        }

    def test_class_of_company(self):
        self.assertIs(self.company._get_sms_api_class(), SmsApiOvh)
        self.company.sms_ovh_account_id = False
        self.assertIsNot(self.company._get_sms_api_class(), SmsApiOvh)

    def test_normalize_number(self):
        for number, country, expected in [
            ("+33 6 12 34 56 78", None, "+33612345678"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("0033612345678", "FR", "+33612345678"),
            ("06 12 34 56 78", None, False),
            ("+336123", None, False),
            ("+33 6 12 34 56 78 90 12", None, False),
            ("not a number", "FR", False),
            ("", "FR", False),
            (False, "FR", False),
            ("+32470123456", "FR", "+32470123456"),
        ]:
            with self.subTest(number=number, country=country):
                self.assertEqual(normalize_number(number, country), expected)

    def test_accepted(self):
        numbers = self._numbers(3)
        results = dict(self._send(("Bonjour à tous", numbers)))
        ledger = {sms["receiver"]: sms for sms in self.simulator.get_ledger()}
        self.assertEqual(set(ledger), set(numbers))
        for number in numbers:
            self.assertEqual(results[number]["state"], "success")
            self.assertEqual(results[number]["sms_ovh_id"], str(ledger[number]["id"]))
            self.assertEqual(ledger[number]["message"], "Bonjour à tous")
            self.assertEqual(ledger[number]["text_sent"], "Bonjour à tous")
            self.assertEqual(ledger[number]["sender"], "MaBoutique")
            self.assertTrue(ledger[number]["tag"])
            self.assertLessEqual(len(ledger[number]["tag"]), 20)

    def test_stop_clause(self):
        self._send(("Soldes", self._numbers(1)), sms_ovh_stop_clause=True)
        (sms,) = self.simulator.get_ledger()
        self.assertTrue(sms["text_sent"].startswith("Soldes\nSTOP"))

    def test_senders(self):
        self.account.default_sender_id = self._sender(type="shortcode")
        self.assertEqual(
            self._states(("Bonjour", ["+33611111111"])), {"+33611111111": "success"}
        )
        self.account.default_sender_id = self._sender(type="virtual")
        self.assertEqual(
            self._states(("Bonjour", ["+33622222222"]), sms_ovh_stop_clause=True),
            {"+33622222222": "success"},
        )
        by_receiver = {sms["receiver"]: sms for sms in self.simulator.get_ledger()}
        self.assertNotEqual(by_receiver["+33611111111"]["sender"], "MaBoutique")
        self.assertEqual(by_receiver["+33622222222"]["sender"], "+33700000001")
        self.assertEqual(by_receiver["+33622222222"]["text_sent"], "Bonjour")

    def test_fewest_jobs(self):
        """1,200 recipients in two texts: four jobs, of 500 and 100 each."""
        first, second = self._numbers(600), self._numbers(600, first=600)
        results = self._send(("Un", first), ("Deux", second))
        self.assertEqual({result["state"] for __, result in results}, {"success"})
        sizes = Counter(sms["job_id"] for sms in self.simulator.get_ledger())
        self.assertEqual(sorted(sizes.values()), [100, 100, 500, 500])
        self.assertEqual(self.simulator.count_jobs(), 4)
        for sms in self.simulator.get_ledger():
            self.assertEqual(
                sms["message"], "Un" if sms["receiver"] in set(first) else "Deux"
            )

    def test_a_number_stands_once_in_a_job(self):
        results = self._send(("Bonjour", ["+33611111111", "+33611111111"]))
        self.assertEqual([result["state"] for __, result in results], ["success"] * 2)
        ledger = self.simulator.get_ledger()
        self.assertEqual(len(ledger), 2)
        self.assertEqual(len({sms["job_id"] for sms in ledger}), 2)
        self.assertEqual(
            {result["sms_ovh_id"] for __, result in results},
            {str(sms["id"]) for sms in ledger},
        )

    def test_each_receiver_its_own_result(self):
        states = self._states(
            (
                "Bonjour",
                [
                    "+33611111111",
                    INVALID_RECEIVER,
                    BLACKLISTED,
                    "+33622222222",
                    "+336",
                    "nobody",
                    False,
                ],
            )
        )
        self.assertEqual(
            states,
            {
                "+33611111111": "success",
                INVALID_RECEIVER: "wrong_number_format",
                BLACKLISTED: "blacklisted",
                "+33622222222": "success",
                "+336": "wrong_number_format",
                "nobody": "wrong_number_format",
                False: "sms_number_missing",
            },
        )
        ledger = {sms["receiver"]: sms for sms in self.simulator.get_ledger()}
        self.assertEqual(set(ledger), {"+33611111111", "+33622222222"})

    def test_every_failure_has_a_sentence(self):
        for __, result in self._send(
            ("Bonjour", [INVALID_RECEIVER, BLACKLISTED, "+336", False])
        ):
            self.assertTrue(result["failure_reason"].endswith("."), result)

    def test_impossible_number_is_never_sent(self):
        self.assertEqual(
            self._states(("Bonjour", ["+33612"])), {"+33612": "wrong_number_format"}
        )
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_national_number_goes_by_the_company(self):
        self._send(("Bonjour", ["06 11 11 11 11"]))
        (sms,) = self.simulator.get_ledger()
        self.assertEqual(sms["receiver"], "+33611111111")

    def test_empty_text_is_refused_before_any_call(self):
        requests = self.simulator.get_state()["requests"]
        for text in ("", False, " \n\t "):
            with self.subTest(text=text):
                self.assertEqual(
                    self._states((text, ["+33611111111"])),
                    {"+33611111111": "ovh_empty"},
                )
        self.assertEqual(self.simulator.get_state()["requests"], requests)

    def test_refused_sender(self):
        for status in ("waitingValidation", "refused", "disable"):
            with self.subTest(status=status):
                self.simulator.set_sender(SERVICE_1, "MaBoutique", status=status)
                ((__, result),) = self._send(("Bonjour", ["+33611111111"]))
                self.assertEqual(result["state"], "ovh_sender_refused")
                self.assertIn("OVHcloud", result["failure_reason"])

    def test_no_sender(self):
        self.account.default_sender_id = False
        ((__, result),) = self._send(("Bonjour", ["+33611111111"]))
        self.assertEqual(result["state"], "ovh_sender_refused")
        self.assertIn("No sender is chosen", result["failure_reason"])
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_link_from_the_short_number(self):
        """What OVHcloud would refuse is refused before it is asked."""
        self.account.default_sender_id = self._sender(type="shortcode")
        ((__, result),) = self._send(("https://example.com", ["+33611111111"]))
        self.assertEqual(result["state"], "ovh_contact_information")
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_refusal_without_a_type(self):
        """It keeps OVHcloud's words."""
        self.account.default_sender_id = self._sender(type="shortcode")
        ((__, result),) = self._send((UNREAL_NUMBER, ["+33611111111"]))
        self.assertEqual(result["state"], "unknown")
        self.assertIn("contact information", result["failure_reason"])

    def test_no_credit_spares_the_other_jobs(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=1)
        states = self._states(
            ("Un", ["+33611111111"]),
            ("Deux", ["+33622222222"]),
            ("Trois", ["+33633333333"]),
        )
        self.assertEqual(sorted(states.values()), ["process", "process", "success"])
        self.assertEqual(self.account.pause_reason, "credit")
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_refused_keys_spare_the_other_jobs(self):
        self.account.consumer_key = "demoexpired00000000000000000expi"
        states = self._states(("Un", ["+33611111111"]), ("Deux", ["+33622222222"]))
        self.assertEqual(set(states.values()), {"process"}, "they wait for other keys")
        self.assertEqual(self.account.pause_reason, "keys")
        self.assertFalse(self.simulator.get_ledger())

    def test_unreadable_answer_costs_its_job_alone(self):
        """A 502 in HTML on the second of three jobs."""
        for kind in ("502_html", "garbage", "empty", "cut_after", "500"):
            with self.subTest(kind=kind):
                self.simulator.reset()
                self.simulator.order_faults({"kind": kind, "path": "/jobs$", "skip": 1})
                states = self._states(
                    ("Un", ["+33611111111"]),
                    ("Deux", ["+33622222222"]),
                    ("Trois", ["+33633333333"]),
                )
                self.assertEqual(
                    sorted(states.values()), ["process", "success", "success"]
                )

    def test_a_number_that_odoo_has_no_sms_of(self):
        """What another addon hands to the provider leaves all the same, and once."""
        results = SmsApiOvh(self.env)._send_sms_batch(
            [
                {
                    "content": "Code",
                    "numbers": [{"uuid": "other", "number": "0611111111"}],
                }
            ]
        )
        self.assertEqual([result["state"] for result in results], ["processing"])
        self.assertFalse(self.simulator.get_ledger())
        self._commit()
        (entry,) = self.simulator.get_ledger()
        self.assertEqual(
            (entry["receiver"], entry["message"]), ("+33611111111", "Code")
        )
        tracker = self.env["sms.tracker"].search([("sms_uuid", "=", "other")])
        self.assertEqual(tracker.sms_ovh_id, str(entry["id"]))
        self.assertTrue(tracker.sms_ovh_poll_at)

    def test_ids_are_matched_by_position(self):
        api = SmsApiOvh(self.env)
        valid = ["+33622222222", "+33611111111"]
        report = {"ids": [7, 8], "validReceivers": valid}
        matched = {"+33622222222": "7", "+33611111111": "8"}
        self.assertEqual(api._match_report(report), matched)
        self.assertEqual(api._match_report(report, {8: "+33611111111"}), matched)

    def test_ids_that_do_not_match(self):
        """Nothing is guessed, and the log cannot be overlooked."""
        api = SmsApiOvh(self.env)
        valid = ["+33622222222", "+33611111111"]
        for report, samples in [
            ({"ids": [7], "validReceivers": valid}, {}),
            ({"ids": [7, 8, 9], "validReceivers": valid}, {}),
            ({"ids": [7, 8], "validReceivers": valid}, {7: "+33611111111"}),
            ({"ids": [7, 8]}, {}),
            ({"ids": 7, "validReceivers": valid}, {}),
            ([], {}),
            (None, {}),
        ]:
            with self.subTest(report=report, samples=samples):
                with self.assertLogs("odoo.addons.sms_ovh", "ERROR"):
                    self.assertIsNone(api._match_report(report, samples))

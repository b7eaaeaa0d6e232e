from collections import Counter
from unittest.mock import patch

from odoo.tests import tagged

from .. import const
from ..tools.sms_segments import count_segments
from .common import SmsOvhCase


@tagged("-at_install", "post_install")
class TestMailingCompose(SmsOvhCase):
    """A campaign is composed in slices, and whoever gets none in one gets none."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        patcher = patch.object(const, "COMPOSE_SLICE", 10)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _compose(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")

    def _outcomes(self, mailing):
        return Counter(
            (trace.trace_status, trace.failure_type)
            for trace in mailing.mailing_trace_ids
        )

    def test_slices(self):
        mailing = self._create_mailing(self._numbers(25))
        composers = []
        original = type(self.env["sms.composer"])._action_send_sms

        def send(composer):
            composers.append(composer)
            return original(composer)

        with patch.object(type(self.env["sms.composer"]), "_action_send_sms", send):
            self._compose(mailing)
        self.assertEqual(len(composers), 3)
        self.assertEqual(mailing.sms_ovh_composed_count, 25)
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(
            sorted(sms["receiver"] for sms in self.simulator.get_ledger()),
            self._numbers(25),
        )
        self.assertEqual(self._outcomes(mailing), {("pending", False): 25})
        self.assertEqual(mailing.state, "done")

    def test_who_gets_none(self):
        """Across slices: doubles, blacklisted, opted out, without a number."""
        numbers = self._numbers(22)
        # The same number in two slices, and twice in one.
        numbers += [numbers[0], numbers[21], False, "nobody"]
        mailing = self._create_mailing(numbers)
        contacts = mailing.contact_list_ids.contact_ids.sorted("id")
        self.env["phone.blacklist"].sudo()._add([numbers[1], numbers[15]])
        contacts[2].subscription_ids.opt_out = True
        # Who opted out of another list gets it all the same.
        other_list = self.env["mailing.list"].create({"name": "Autre"})
        self.env["mailing.subscription"].create(
            {
                "contact_id": contacts[3].id,
                "list_id": other_list.id,
                "opt_out": True,
            }
        )
        self._compose(mailing)
        self.assertEqual(
            self._outcomes(mailing),
            {
                ("outgoing", False): 19,
                ("cancel", "sms_blacklist"): 2,
                ("cancel", "sms_optout"): 1,
                ("cancel", "sms_duplicate"): 2,
                ("cancel", "sms_number_missing"): 1,
                ("cancel", "sms_number_format"): 1,
            },
        )

    def test_same_as_core(self):
        """Slices change nothing in who gets what: core's way gives the same."""
        numbers = self._numbers(9) + [self._numbers(1)[0], False]
        ours = self._create_mailing(numbers)
        self.env["phone.blacklist"].sudo()._add([numbers[1]])
        self._compose(ours)
        # What is queued is cancelled when the company leaves OVHcloud.
        outcomes = self._outcomes(ours)
        theirs = self._create_mailing(numbers)
        self.company.sms_ovh_account_id = False
        self._compose(theirs)
        self.assertEqual(outcomes, self._outcomes(theirs))

    def test_killed_between_slices(self):
        """What was committed stays; the rest is composed by the next run, once."""
        mailing = self._create_mailing(self._numbers(25))
        original = type(mailing)._sms_ovh_compose
        slices = []

        def compose(mailings, res_ids):
            if len(slices) == 2:
                raise MemoryError()
            slices.append(res_ids)
            return original(mailings, res_ids)

        mailing.action_put_in_queue()
        with patch.object(type(mailing), "_sms_ovh_compose", compose):
            with self.assertRaises(MemoryError), self.env.cr.savepoint():
                mailing.action_send_sms()
        self.assertFalse(mailing.mailing_trace_ids, "nothing of a rollback stays")
        mailing._sms_ovh_compose(mailing._get_remaining_recipients()[:10])
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(
            sorted(sms["receiver"] for sms in self.simulator.get_ledger()),
            self._numbers(25),
        )

    def test_sent_before_all_is_composed(self):
        """A campaign is not done as long as some of it is still to be composed."""
        mailing = self._create_mailing(self._numbers(25))
        mailing.action_put_in_queue()
        with patch.object(
            type(mailing), "_sms_ovh_commit_slice", lambda mailings: False
        ):
            self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.assertEqual(len(mailing.mailing_trace_ids), 10)
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(self._outcomes(mailing), {("pending", False): 10})
        self.assertEqual(mailing.state, "sending")
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(len(self.simulator.get_ledger()), 25)
        self.assertEqual(mailing.state, "done")

    def test_sent_and_nothing_left_to_compose(self):
        """What is composed last may be for nobody: the campaign is done all the same."""
        numbers = self._numbers(15)
        mailing = self._create_mailing(numbers)
        mailing.action_put_in_queue()
        with patch.object(
            type(mailing), "_sms_ovh_commit_slice", lambda mailings: False
        ):
            self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(mailing.state, "sending")
        self.env["phone.blacklist"].sudo()._add(numbers[10:])
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.assertEqual(
            self._outcomes(mailing),
            {("pending", False): 10, ("cancel", "sms_blacklist"): 5},
        )
        self.assertEqual(mailing.state, "done")

    def test_a_slice_again_gives_nobody_a_second(self):
        mailing = self._create_mailing(self._numbers(10))
        recipients = mailing._get_remaining_recipients()
        mailing._sms_ovh_compose(recipients)
        mailing._sms_ovh_compose(recipients)
        self.assertEqual(len(self.env["sms.sms"].search([])), 10)

    def test_numbers_are_read_once(self):
        """What was read when a contact was saved is not read again, and is the same."""
        numbers = {
            "+33612345601": "+33612345601",
            "+33 6 12 34 56 02": "+33612345602",
            "+33\u00a06\u00a012.34-56(03)": "+33612345603",
            "06 12 34 56 04": "+33612345604",
            "0033 6 12 34 56 05": "+33612345605",
            "+33 (0)6 12 34 56 06": "+33612345606",
            "+39 06 1234 5678": "+390612345678",
            "+33 6 12": False,
        }
        mailing = self._create_mailing(list(numbers))
        contacts = mailing.contact_list_ids.contact_ids.sorted("id")
        self.env.flush_all()
        composer = mailing._sms_ovh_prepare_composer(contacts.ids)
        read = []
        company_model = type(self.company)
        original = company_model._sms_ovh_clean_number

        def clean_number(company, number, *args):
            read.append(number)
            return original(company, number, *args)

        with patch.object(company_model, "_sms_ovh_clean_number", clean_number):
            values = composer._prepare_mass_sms_values(contacts)
        self.assertEqual(
            [
                values[contact.id]["failure_type"] != "sms_number_format"
                and values[contact.id]["number"]
                for contact in contacts
            ],
            list(numbers.values()),
        )
        self.assertEqual(
            read,
            [
                "06 12 34 56 04",
                "0033 6 12 34 56 05",
                "+33 (0)6 12 34 56 06",
                "+33 6 12",
            ],
        )

    def test_a_text_without_links_is_counted_once(self):
        """Core writes each text once more, whether it has links or not."""
        counted = []
        sms_model = type(self.env["sms.sms"])
        original = sms_model._compute_sms_segments

        def count(sms):
            counted.append(len(sms))
            return original(sms)

        for body, times in (("Bonjour é€", 0), ("Voir https://www.odoo.com", 1)):
            mailing = self._create_mailing(self._numbers(5), body=body)
            with patch.object(sms_model, "_compute_sms_segments", count):
                self._compose(mailing)
                self.env.flush_all()
            self.assertEqual(len(counted), times)
            sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
            for record in sms:
                expected = count_segments(record.body, record.sms_ovh_stop_clause)
                self.assertEqual(
                    (record.sms_encoding, record.sms_units, record.sms_segments),
                    (expected.encoding, expected.units, expected.segments),
                )

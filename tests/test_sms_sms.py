from collections import Counter
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sms.tools.sms_api import SmsApi

from .. import const
from ..models import sms_sms
from .common import KEYS_2, SERVICE_1, SERVICE_2, UNREAL_NUMBER, SmsOvhCase

BLACKLISTED = "+33612340101"


@tagged("-at_install", "post_install")
class TestSmsSms(SmsOvhCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company_2 = cls.env["res.company"].create(
            {"name": "Deuxième société", "country_id": cls.france.id}
        )
        cls.account_2 = cls._create_account(cls.company_2, SERVICE_2, KEYS_2)
        cls.company_iap = cls.env["res.company"].create({"name": "Ailleurs"})
        cls.env.user.company_ids |= cls.company_2 | cls.company_iap
        # Nothing else is in the queue.
        cls.env["sms.sms"].search([]).unlink()

    def _mock_iap(self):
        """Have Odoo's own provider accept everything; return the calls it got."""
        calls = []

        def send(api, messages, delivery_reports_url=False):
            calls.append(messages)
            return [
                {"uuid": info["uuid"], "state": "success", "credit": 0}
                for message in messages
                for info in message["numbers"]
            ]

        patcher = patch.object(SmsApi, "_send_sms_batch", send)
        patcher.start()
        self.addCleanup(patcher.stop)
        return calls

    def test_create_leaves_what_it_is_given(self):
        for company in (self.company, self.company_iap):
            vals_list = [
                {"number": number, "body": "Bonjour", "record_company_id": company.id}
                for number in self._numbers(2)
            ]
            given = [dict(vals) for vals in vals_list]
            self.env["sms.sms"].with_company(company).create(vals_list)
            self.assertEqual(vals_list, given)

    def _create_three_companies(self):
        """Queue five SMS for each of three companies, in turns."""
        sms = self.env["sms.sms"]
        for index in range(5):
            for company, first in [
                (self.company, 0),
                (self.company_2, 100),
                (self.company_iap, 200),
            ]:
                sms += self._create_sms(
                    self._numbers(1, first + index), record_company_id=company.id
                )
        return sms

    def _assert_three_companies(self, sms, calls):
        """Each company's SMS went through its own account, and once."""
        by_service = {}
        for entry in self.simulator.get_ledger():
            by_service.setdefault(entry["service"], []).append(entry["receiver"])
        self.assertEqual(
            {service: sorted(numbers) for service, numbers in by_service.items()},
            {
                SERVICE_1: self._numbers(5),
                SERVICE_2: self._numbers(5, 100),
            },
        )
        iap_numbers = [
            info["number"]
            for messages in calls
            for message in messages
            for info in message["numbers"]
        ]
        self.assertEqual(sorted(iap_numbers), self._numbers(5, 200))
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        senders = {
            (entry["service"], entry["sender"]) for entry in self.simulator.get_ledger()
        }
        self.assertEqual(senders, {(SERVICE_1, "MaBoutique"), (SERVICE_2, "Societe2")})

    # ------------------------------------------------------------
    # Split by account, on each way out of the queue
    # ------------------------------------------------------------

    def test_cron_splits_by_company(self):
        calls = self._mock_iap()
        sms = self._create_three_companies()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self._assert_three_companies(sms, calls)
        # One job a service: equal texts travel together.
        self.assertEqual(self.simulator.count_jobs(), 2)

    def test_each_company_is_charged(self):
        self._mock_iap()
        self._create_three_companies()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertTrue(
            self.env["ir.cron.trigger"].search(
                [("cron_id", "=", self.env.ref("sms_ovh.ir_cron_synchronise").id)]
            ),
            "the SMS left are read after a queue",
        )
        self.account.action_synchronise()
        self.account_2.action_synchronise()
        self.assertEqual(self.account.credits_left, 1995)
        self.assertEqual(self.account_2.credits_left, 495)

    def test_send_splits_by_company(self):
        calls = self._mock_iap()
        sms = self._create_three_companies()
        sms.send()
        self._commit()
        self._assert_three_companies(sms, calls)

    def test_resend_splits_by_company(self):
        calls = self._mock_iap()
        sms = self._create_three_companies()
        sms.write({"state": "error", "failure_type": "sms_server"})
        sms.resend_failed()
        self._commit()
        self._assert_three_companies(sms, calls)

    def test_resend_says_how_it_went(self):
        sms = self._create_sms(["+33611111111", "nobody"])
        sms.write({"state": "error", "failure_type": "sms_server"})
        params = sms.resend_failed()["params"]
        self.assertEqual(params["type"], "warning")
        self.assertIn("1 of 2", params["message"])
        sms[1].number = "+33622222222"
        self.assertEqual(sms.resend_failed()["params"]["type"], "success")
        self._commit()
        self.assertEqual(sms.mapped("state"), ["pending", "pending"])
        self.assertEqual(sms.resend_failed()["params"]["type"], "danger")
        self.assertEqual(len(self.simulator.get_ledger()), 2)

    def test_record_decides_the_company(self):
        """The chatter of a record sends with the account of the record's company."""
        partner = self.env["res.partner"].create(
            {
                "name": "Client",
                "phone": "+33611111111",
                "company_id": self.company_2.id,
            }
        )
        partner._message_sms("Bonjour")
        self._commit()
        self.assertEqual(len(self.simulator.get_ledger(service=SERVICE_2)), 1)
        self.assertEqual(len(self.simulator.get_ledger(service=SERVICE_1)), 0)

    def test_mass_composer_goes_by_record(self):
        partners = self.env["res.partner"].create(
            [
                {
                    "name": "Client",
                    "phone": number,
                    "company_id": company.id,
                }
                for number, company in [
                    ("+33611111111", self.company),
                    ("+33622222222", self.company_2),
                    ("+33633333333", self.env["res.company"]),
                ]
            ]
        )
        composer = self.env["sms.composer"].create(
            {
                "body": "Bonjour",
                "composition_mode": "mass",
                "mass_force_send": True,
                "res_model": "res.partner",
                "res_ids": partners.ids,
            }
        )
        composer._action_send_sms()
        self._commit()
        self.assertEqual(
            {(sms["service"], sms["receiver"]) for sms in self.simulator.get_ledger()},
            {
                (SERVICE_1, "+33611111111"),
                (SERVICE_2, "+33622222222"),
                (SERVICE_1, "+33633333333"),
            },
        )

    def test_campaign_goes_by_its_company(self):
        """Whichever company the cron's user has, and whatever the recipients'."""
        mailing = self._create_mailing(
            self._numbers(3), sms_ovh_company_id=self.company_2.id
        )
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(len(self.simulator.get_ledger(service=SERVICE_2)), 3)
        self.assertEqual(len(self.simulator.get_ledger()), 3)

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def test_campaign_in_two_texts(self):
        """1,200 recipients in two texts leave in the fewest jobs possible: four."""
        sms = self.env["sms.sms"].create(
            [
                {"number": number, "body": "Un" if index % 2 else "Deux"}
                for index, number in enumerate(self._numbers(1200))
            ]
        )
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(self.simulator.count_jobs(), 4)
        ledger = self.simulator.get_ledger()
        self.assertEqual(
            Counter((entry["message"], entry["receiver"]) for entry in ledger),
            Counter((record.body, record.number) for record in sms),
        )
        by_receiver = {entry["receiver"]: str(entry["id"]) for entry in ledger}
        for record in sms:
            self.assertEqual(record.state, "pending")
            self.assertEqual(record.sms_ovh_id, by_receiver[record.number])

    def test_campaign(self):
        mailing = self._create_mailing(
            ["+33611111111", BLACKLISTED, "+33622222222"], body="Soldes !"
        )
        self.assertTrue(mailing.sms_ovh_stop_clause)
        self.assertEqual(mailing.sms_ovh_account_id, self.account)
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(mailing.state, "done")
        traces = {trace.sms_number: trace for trace in mailing.mailing_trace_ids}
        self.assertEqual(traces["+33611111111"].trace_status, "pending")
        self.assertEqual(traces["+33622222222"].trace_status, "pending")
        self.assertEqual(traces[BLACKLISTED].trace_status, "error")
        self.assertEqual(traces[BLACKLISTED].failure_type, "sms_blacklist")
        ledger = {sms["receiver"]: sms for sms in self.simulator.get_ledger()}
        for number, entry in ledger.items():
            self.assertTrue(entry["text_sent"].startswith("Soldes !\nSTOP"))
            self.assertEqual(
                traces[number].sms_tracker_ids.sms_ovh_id, str(entry["id"])
            )
        self.assertFalse(mailing.sms_has_insufficient_credit)
        job = mailing.mailing_trace_ids.sms_ovh_job_id
        self.assertEqual(len(job), 1, "one click from the trace to its job")
        self.assertEqual(job.receiver_count, 3)

    def test_campaign_without_stop_clause(self):
        mailing = self._create_mailing(
            ["+33611111111"], body="Rappel", sms_ovh_kind="transactional"
        )
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        (entry,) = self.simulator.get_ledger()
        self.assertEqual(entry["text_sent"], "Rappel")

    def test_no_clause_from_the_short_number(self):
        self.account.default_sender_id = self._sender(type="shortcode")
        mailing = self._create_mailing(["+33611111111"])
        self.assertFalse(mailing.sms_ovh_stop_clause)

    def test_test_wizard_sends_once(self):
        """A test SMS goes out once, as the recipients would get it."""
        mailing = self._create_mailing(
            ["+33611111111"], body="Soldes !", sms_ovh_company_id=self.company_2.id
        )
        wizard = self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": "06 22 22 22 22\nnobody\n\n"}
        )
        wizard.action_send_sms()
        self._commit()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        (entry,) = self.simulator.get_ledger()
        self.assertEqual(entry["receiver"], "+33622222222")
        self.assertEqual(entry["service"], SERVICE_2)
        self.assertTrue(entry["text_sent"].startswith("Soldes !\nSTOP"))
        log = mailing.message_ids[0].body
        self.assertIn("+33622222222", log)
        self.assertIn("nobody", log)

    def test_test_wizard_says_why_not(self):
        mailing = self._create_mailing(["+33611111111"])
        wizard = self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": BLACKLISTED}
        )
        wizard.action_send_sms()
        self._commit()
        self.assertIn("STOP", mailing.message_ids[0].body)

    # ------------------------------------------------------------
    # Outcomes
    # ------------------------------------------------------------

    def test_outcome_of_each(self):
        self.simulator.order_faults({"kind": "502_html", "path": "/jobs$", "skip": 1})
        partners = self.env["res.partner"].create(
            [
                {"name": "Un", "phone": "+33611111111"},
                {"name": "Deux", "phone": "+33622222222"},
                {"name": "Trois", "phone": "+33633333333"},
                {"name": "Quatre", "phone": BLACKLISTED},
            ]
        )
        with mute_logger("odoo.addons.sms_ovh.sms_api"):
            for partner in partners:
                partner._message_sms(f"Bonjour {partner.name}")
                self._commit()
        outcomes = [
            (notification.notification_status, notification.failure_type)
            for notification in partners.message_ids.notification_ids.sorted("id")
        ]
        self.assertEqual(
            outcomes,
            [
                ("pending", False),
                ("process", False),
                ("pending", False),
                ("exception", "sms_blacklist"),
            ],
        )

    def test_unknown_refusal_keeps_the_words(self):
        self.account.default_sender_id = self._sender(type="shortcode")
        sms = self._create_sms(["+33611111111"], body=UNREAL_NUMBER)
        sms.send()
        self._commit()
        self.assertEqual((sms.state, sms.failure_type), ("error", "unknown"))
        self.assertIn("contact information", sms.sms_ovh_failure_reason)

    def test_failure_types_have_labels_everywhere(self):
        for model in ("sms.sms", "mail.notification", "mailing.trace"):
            selection = dict(
                self.env[model]._fields["failure_type"]._description_selection(self.env)
            )
            for failure_type in (
                "sms_ovh_sender",
                "sms_ovh_empty",
                "sms_ovh_unconfirmed",
                "sms_blacklist",
                "sms_expired",
                "sms_invalid_destination",
                "sms_not_allowed",
                "sms_not_delivered",
                "sms_rejected",
            ):
                self.assertTrue(selection.get(failure_type), (model, failure_type))

    def test_two_workers_do_not_send_the_same(self):
        """What another worker holds is left to it."""
        sms = self._create_sms(self._numbers(2))
        locked = sms[0]
        original = type(sms).try_lock_for_update

        def try_lock(records, **kwargs):
            return original(records - locked, **kwargs)

        with patch.object(type(sms), "try_lock_for_update", try_lock):
            self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(sms.mapped("state"), ["outgoing", "pending"])
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_progress_is_told_piece_by_piece(self):
        """Odoo runs no cron for a while that was ended thrice with nothing done."""
        self._create_sms(self._numbers(5))
        IrCron = type(self.env["ir.cron"])
        original = IrCron._commit_progress
        told = []

        def commit_progress(crons, processed=0, **kwargs):
            told.append((processed, self.simulator.count_jobs()))
            return original(crons, processed, **kwargs)

        with (
            patch.object(sms_sms, "PIECE_JOBS", 1),
            patch.object(const, "MAX_RECEIVERS_PER_JOB", 2),
            patch.object(IrCron, "_commit_progress", commit_progress),
        ):
            self._run_cron("sms.ir_cron_sms_scheduler_action")
        # Before any of it was posted.
        self.assertEqual(told[0], (2, 0))
        self.assertEqual(sum(processed for processed, __ in told), 5)
        self.assertEqual(len(self.simulator.get_ledger()), 5)

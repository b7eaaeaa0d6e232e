import time
from datetime import timedelta
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.bus.models.bus import channel_with_db, json_dump

from ..models import mailing_mailing_progress
from .common import SERVICE_1, SmsOvhCase

DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
ABSENT = "+33612340024"
NO_REPORT = "+33612340100"
REFUSED = "+33612340102"
# What the simulated OVHcloud sends as.
SHORT_NUMBER = "38069"
LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)


class CampaignCase(SmsOvhCase):
    """Campaigns sent a step at a time, and at any hour: OVHcloud holds back what has a
    STOP clause at night."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_ovh_campaign_kind = "transactional"

    def setUp(self):
        super().setUp()
        # The seed knows no callback.
        self.account.action_synchronise()
        mailing_mailing_progress._last_announced.clear()

    def _compose(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.env.invalidate_all()

    def _send_queue(self):
        with mute_logger(*LOGGERS):
            self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()

    def _send_mailing(self, mailing):
        self._compose(mailing)
        self._send_queue()
        return mailing

    def _receive_reports(self, silent=(NO_REPORT,)):
        """Have OVHcloud report on all that it took."""
        deadline = time.monotonic() + 20
        open_states = True
        while open_states and time.monotonic() < deadline:
            open_states = [
                sms
                for sms in self.simulator.get_ledger()
                if sms["receiver"] not in silent
                and sms["status"] not in ("delivered", "failed", "expired")
            ]
            time.sleep(0.05 if open_states else 0)
        self.assertFalse(open_states)
        for callback in self.simulator.pop_callbacks(count=1):
            params = dict(parse_qsl(urlsplit(callback["url"]).query))
            self.env["sms.ovh.event"]._receive_delivery(self.account.id, params)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env.invalidate_all()

    def _count(self, mailing, **expected):
        """Check the figures; those that are not named are none."""
        progress = mailing.sms_ovh_get_progress()
        names = ("waiting", "accepted", "delivered", "failed", "cancelled")
        self.assertEqual(progress["counts"], {**dict.fromkeys(names, 0), **expected})
        self.assertEqual(progress["total"], sum(expected.values()))
        return progress

    def _get_announcements(self, mailing):
        channel = json_dump(
            channel_with_db(self.env.cr.dbname, mailing._sms_ovh_get_channel())
        )
        self.env.flush_all()
        self.env.cr.precommit.run()
        return self.env["bus.bus"].search([("channel", "=", channel)])

    def _forget_announcements(self, shift):
        """Have this process know of no announcement, and those on the bus be made at
        another time."""
        mailing_mailing_progress._last_announced.clear()
        self.env.cr.execute(f"UPDATE bus_bus SET create_date = create_date {shift}")


@tagged("-at_install", "post_install")
class TestMailingProgress(CampaignCase):
    """A campaign is watched while it is sent."""

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    def test_figures_at_each_step(self):
        numbers = [DELIVERED, UNDELIVERABLE, NO_REPORT, REFUSED, *self._numbers(6)]
        mailing = self._create_mailing(numbers)
        self.env["phone.blacklist"]._add([numbers[-1]])
        mailing.action_put_in_queue()
        progress = self._count(mailing, waiting=10)
        self.assertEqual(progress["state"], "in_queue")
        self.assertFalse(progress["expected_end"])

        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.env.invalidate_all()
        progress = self._count(mailing, waiting=9, cancelled=1)
        self.assertEqual(progress["per_minute"], 0)
        (exclusion,) = progress["exclusions"]
        self.assertEqual(exclusion["failure_type"], "sms_blacklist")

        self._send_queue()
        progress = self._count(mailing, accepted=8, failed=1, cancelled=1)
        (failure,) = progress["failures"]
        self.assertEqual(failure["failure_type"], "sms_number_format")
        self.assertFalse(failure["retryable"])
        self.assertGreater(progress["per_minute"], 0)
        self.assertTrue(progress["sent_at"])

        self._receive_reports()
        progress = self._count(mailing, accepted=1, delivered=6, failed=2, cancelled=1)
        self.assertEqual(progress["state"], "done")
        self.assertEqual(sum(group["count"] for group in progress["failures"]), 2)
        # Each figure opens what it counts.
        for figure, count in progress["counts"].items():
            action = mailing.action_view_sms_ovh_figure(figure)
            self.assertEqual(
                self.env[action["res_model"]].search_count(action["domain"]), count
            )
        for group in progress["failures"] + progress["exclusions"]:
            action = mailing.action_view_sms_ovh_figure(
                group["figure"], group["failure_type"], group["reason"]
            )
            self.assertEqual(
                self.env[action["res_model"]].search_count(action["domain"]),
                group["count"],
            )

    def test_speed_and_expected_end(self):
        mailing = self._create_mailing(self._numbers(10))
        self._compose(mailing)
        now = fields.Datetime.now()
        traces = mailing.mailing_trace_ids
        # Four in the last half minute, and two before the minute that is measured.
        traces[:6].trace_status = "pending"
        traces[:4].sent_datetime = now - timedelta(seconds=30)
        traces[4:6].sent_datetime = now - timedelta(seconds=100)
        progress = mailing.sms_ovh_get_progress()
        self.assertEqual(progress["per_minute"], 4)
        end = fields.Datetime.to_datetime(progress["expected_end"])
        self.assertLess(abs(end - now - timedelta(seconds=60)).total_seconds(), 5)
        mailing.action_sms_ovh_pause()
        progress = mailing.sms_ovh_get_progress()
        self.assertTrue(progress["paused"])
        self.assertFalse(progress["expected_end"])

    def test_many_reasons_stay_a_short_list(self):
        mailing = self._create_mailing(self._numbers(40))
        self._compose(mailing)
        for index, trace in enumerate(mailing.mailing_trace_ids):
            trace.write(
                {
                    "trace_status": "error",
                    "failure_type": "sms_rejected" if index % 2 else "sms_server",
                    "failure_reason": f"Motif {index}",
                }
            )
        failures = mailing.sms_ovh_get_progress()["failures"]
        self.assertEqual(sum(failure["count"] for failure in failures), 40)
        self.assertLessEqual(len(failures), mailing_mailing_progress.MAX_REASONS + 2)

    def test_who_may_ask(self):
        mailing = self._create_mailing(self._numbers(1))
        nobody = new_test_user(self.env, "sms-nobody", groups="base.group_user")
        for method in (
            "sms_ovh_get_progress",
            "sms_ovh_get_results",
            "action_sms_ovh_retry",
        ):
            with self.assertRaises(AccessError):
                getattr(mailing.with_user(nobody), method)()

    # ------------------------------------------------------------
    # The bus
    # ------------------------------------------------------------

    def test_announcements_are_few(self):
        """However many steps a campaign is sent in, one message a second."""
        counts = []
        for every in (0, mailing_mailing_progress.ANNOUNCE_EVERY):
            mailing = self._create_mailing(
                self._numbers(60), body="Bonjour {{ object.name }}"
            )
            with patch.object(mailing_mailing_progress, "ANNOUNCE_EVERY", every):
                start = time.monotonic()
                self._send_mailing(mailing)
                seconds = time.monotonic() - start
            counts.append(len(self._get_announcements(mailing)))
        self.assertGreater(counts[0], counts[1], "there were steps to tell of")
        self.assertGreaterEqual(counts[1], 1)
        self.assertLessEqual(counts[1], 2 + seconds)

    def test_announcements_tell_nothing(self):
        mailing = self._send_mailing(self._create_mailing(self._numbers(2)))
        (message,) = set(self._get_announcements(mailing).mapped("message"))
        expected = {"type": "sms_ovh.progress", "payload": {"id": mailing.id}}
        self.assertEqual(message, json_dump(expected))

    def test_reports_are_announced(self):
        mailing = self._send_mailing(self._create_mailing(self._numbers(2)))
        before = len(self._get_announcements(mailing))
        self._forget_announcements("- INTERVAL '1h'")
        self._receive_reports()
        self.assertGreater(len(self._get_announcements(mailing)), before)

    def test_another_process_told_just_now(self):
        mailing = self._create_mailing(self._numbers(1))
        mailing._sms_ovh_announce_progress()
        self.assertEqual(len(self._get_announcements(mailing)), 1)
        # What this process remembers is nothing to another one.
        self._forget_announcements("+ INTERVAL '1h'")
        mailing._sms_ovh_announce_progress()
        self.assertEqual(len(self._get_announcements(mailing)), 1)
        self._forget_announcements("- INTERVAL '1h'")
        mailing._sms_ovh_announce_progress()
        self.assertEqual(len(self._get_announcements(mailing)), 2)

    def test_who_may_listen(self):
        mailing = self._create_mailing(self._numbers(1))
        other = self._create_mailing(self._numbers(1, first=5))
        channels = [record._sms_ovh_get_channel() for record in (mailing, other)]
        self.assertNotEqual(
            channels[0].rpartition("_")[2], channels[1].rpartition("_")[2]
        )
        for groups, allowed in (
            ("mass_mailing.group_mass_mailing_user", True),
            ("base.group_user", False),
            ("base.group_portal", False),
        ):
            user = new_test_user(self.env, f"listen_{groups}", groups=groups)
            theirs = mailing.with_user(user)
            if allowed:
                self.assertEqual(theirs.sms_ovh_get_progress()["channel"], channels[0])
            else:
                with self.assertRaises(AccessError):
                    theirs.sms_ovh_get_progress()
        mailing._sms_ovh_announce_progress()
        self.assertEqual(len(self._get_announcements(mailing)), 1)
        bus = self.env["bus.bus"].search([], order="id desc", limit=1)
        self.assertIn(channels[0], bus.channel)

    # ------------------------------------------------------------
    # Trying again
    # ------------------------------------------------------------

    def _refuse_sender(self):
        sender = self.account.default_sender_id
        self.simulator.set_sender(SERVICE_1, sender.name, status="refused")
        return sender

    def test_retry_only_what_can_be(self):
        """Refused by a sender that is allowed again: once more, and only those."""
        mailing = self._create_mailing([*self._numbers(5), DELIVERED, REFUSED])
        sender = self._refuse_sender()
        self._send_mailing(mailing)
        progress = self._count(mailing, failed=7)
        self.assertEqual(progress["retryable"], 7)
        self.assertFalse(self.simulator.get_ledger())
        by_number = {trace.sms_number: trace for trace in mailing.mailing_trace_ids}
        # Nobody knows of this one whether it left.
        unknown = by_number[DELIVERED].sms_id
        unknown.failure_type = "sms_ovh_unconfirmed"
        by_number[DELIVERED].failure_type = "sms_ovh_unconfirmed"
        # And these two opted out since.
        stopped, unsubscribed = self._numbers(2)
        self.env["phone.blacklist"]._add([stopped])
        contact = self.env["mailing.contact"].browse(by_number[unsubscribed].res_id)
        contact.subscription_ids.opt_out = True
        self.env.flush_all()

        self.assertEqual(mailing.sms_ovh_get_progress()["retryable"], 6)
        self.simulator.set_sender(SERVICE_1, sender.name, status="enable")
        action = mailing.action_sms_ovh_retry()
        self.assertIn("SMS sent again: 5.", action["params"]["message"])
        self.assertIn("opted out meanwhile: 1.", action["params"]["message"])
        self._count(mailing, waiting=5, failed=1, cancelled=1)
        self._send_queue()
        self._receive_reports()
        # The number that OVHcloud refuses fails for good, which is no retry's to cure.
        progress = self._count(mailing, delivered=3, failed=2, cancelled=2)
        self.assertEqual(progress["retryable"], 0)
        self.assertEqual(
            {failure["failure_type"] for failure in progress["failures"]},
            {"sms_ovh_unconfirmed", "sms_number_format"},
        )
        receivers = [sms["receiver"] for sms in self.simulator.get_ledger()]
        self.assertEqual(sorted(receivers), self._numbers(5)[2:])
        # Once more sends nothing.
        action = mailing.action_sms_ovh_retry()
        self.assertEqual(action["params"]["type"], "warning")
        self._send_queue()
        self.assertEqual(len(self.simulator.get_ledger()), 3)

    def test_retry_in_slices_and_once(self):
        mailing = self._create_mailing(self._numbers(7))
        sender = self._refuse_sender()
        self._send_mailing(mailing)
        self.simulator.set_sender(SERVICE_1, sender.name, status="enable")
        with patch.object(mailing_mailing_progress, "RETRY_SLICE", 3):
            self.assertEqual(mailing._sms_ovh_retry_failed(), (7, 0))
            self.assertEqual(mailing._sms_ovh_retry_failed(), (0, 0))
        self._send_queue()
        self.assertEqual(len(self.simulator.get_ledger()), 7)
        self._count(mailing, accepted=7)

    def test_retry_by_the_sender_that_replaces_a_refused_one(self):
        mailing = self._create_mailing(self._numbers(2), sms_ovh_kind="transactional")
        self._refuse_sender()
        self._send_mailing(mailing)
        self._count(mailing, failed=2)
        self.account.action_synchronise()
        self.account.default_sender_id = self._sender(type="shortcode")
        mailing.action_sms_ovh_retry()
        self._send_queue()
        self._count(mailing, accepted=2)
        for sms in self.simulator.get_ledger():
            self.assertEqual(sms["sender"], SHORT_NUMBER)

    def test_core_button_keeps_to_the_same(self):
        """Core's "Retry" would forget what failed and send to everybody of them."""
        mailing = self._create_mailing([UNDELIVERABLE, ABSENT, REFUSED])
        self._send_mailing(mailing)
        self._receive_reports()
        traces = mailing.mailing_trace_ids
        mailing.action_retry_failed()
        self.assertEqual(mailing.mailing_trace_ids, traces)
        self.assertEqual(mailing.state, "done")
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._send_queue()
        self.assertEqual(len(self.simulator.get_ledger()), 2)

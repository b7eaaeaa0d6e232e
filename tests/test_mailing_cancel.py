from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_tracker
from .common import DAY, SERVICE_1, SmsOvhCase, last_night

MONDAY_MORNING = "2026-11-23 09:00:00"
# When OVHcloud holds SMS with the STOP clause back.
LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.models.sms_tracker",
    "odoo.addons.sms_ovh.tools.ovh_calls",
)


@tagged("-at_install", "post_install")
class TestMailingCancel(SmsOvhCase):
    """What is not gone can be called back, wherever it is; what is gone is said."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()

    def _compose(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")

    def _send(self):
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self._run_cron("sms_ovh.ir_cron_post_jobs")

    def _cancel(self, mailing):
        result = mailing.action_sms_ovh_cancel()
        self.env.flush_all()
        return result["params"]["message"]

    def _run_cancel(self):
        with mute_logger(*LOGGERS):
            self._run_cron("sms_ovh.ir_cron_cancel")
        self.env.invalidate_all()

    def _sms(self, mailing):
        return self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])

    def _statuses(self, mailing):
        return sorted(mailing.mailing_trace_ids.mapped("trace_status"))

    def _ledger(self, status):
        return self.simulator.get_ledger(status=status)

    def _hold_at_ovh(self):
        """Have OVHcloud hold back what carries the STOP clause."""
        self.simulator.set_clock(last_night())

    def _credits(self):
        return self.simulator.get_state()["services"][SERVICE_1]["creditsLeft"]

    # ------------------------------------------------------------
    # Campaigns, before OVHcloud
    # ------------------------------------------------------------

    def test_not_composed(self):
        mailing = self._create_mailing(self._numbers(3))
        mailing.action_put_in_queue()
        self.assertFalse(mailing.sms_ovh_can_cancel, "Odoo's own button does")
        mailing.action_cancel()
        self.assertEqual(mailing.state, "draft")
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._send()
        self.assertFalse(self.simulator.get_ledger())

    def test_in_the_queue(self):
        mailing = self._create_mailing(self._numbers(3))
        self._compose(mailing)
        self.assertTrue(mailing.sms_ovh_can_cancel)
        message = self._cancel(mailing)
        self.assertIn("before OVHcloud got them: 3", message)
        self._run_cancel()
        self._send()
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(self._statuses(mailing), ["cancel"] * 3)
        self.assertEqual(set(self._sms(mailing).mapped("state")), {"canceled"})
        self.assertEqual((mailing.state, mailing.canceled), ("done", 3))
        self.assertFalse(mailing.sms_ovh_paused)
        self.assertIn("was cancelled", mailing.sms_ovh_cancel_summary)
        self.assertIn("Nobody got it", mailing.sms_ovh_cancel_summary)
        self.assertFalse(mailing.sms_ovh_can_cancel)

    def test_held_by_quiet_hours(self):
        self.company.sms_ovh_quiet_hours = True
        with freeze_time("2026-11-20 22:00:00"):
            mailing = self._create_mailing(self._numbers(2))
            self._compose(mailing)
            self._cancel(mailing)
            self._run_cancel()
        with freeze_time("2026-11-21 07:00:00"):
            self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
            self._send()
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(self._statuses(mailing), ["cancel"] * 2)
        self.assertFalse(mailing.sms_ovh_leaves)

    def test_in_the_outbox(self):
        mailing = self._create_mailing(self._numbers(3))
        self._compose(mailing)
        jobs = self._sms(mailing)._sms_ovh_claim()
        self._cancel(mailing)
        self._run_cancel()
        self._send()
        self.assertEqual(jobs.mapped("state"), ["cancelled"])
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(self._statuses(mailing), ["cancel"] * 3)
        self.assertEqual(mailing.state, "done")

    def test_being_posted(self):
        """A job that a thread has is left alone, and then it is gone."""
        mailing = self._create_mailing(self._numbers(2))
        self._compose(mailing)
        job = self._sms(mailing)._sms_ovh_claim()
        job.state = "posting"
        message = self._cancel(mailing)
        self.assertIn("is being cancelled", message)
        self._run_cancel()
        self.assertEqual(job.state, "posting")
        self.assertEqual(mailing.sms_ovh_cancel_state, "cancelling")
        self.assertEqual(set(self._sms(mailing).mapped("state")), {"process"})
        mailing.action_sms_ovh_resume()
        self.assertTrue(mailing.sms_ovh_paused, "it does not go on any more")
        # As it would be accepted.
        job._accept(2)
        job._apply(
            [
                {
                    "uuid": uuid,
                    "state": "success",
                    "failure_reason": False,
                    "sms_ovh_id": f"9{index}",
                }
                for index, (uuid, __) in enumerate(job.receivers)
            ]
        )
        self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["pending"] * 2)
        self.assertEqual(mailing.sms_ovh_cancel_state, "cancelled")
        self.assertEqual(mailing.state, "done")
        self.assertIn("Already gone: 2", mailing.sms_ovh_cancel_summary)

    def test_while_composing(self):
        mailing = self._create_mailing(self._numbers(5))
        mailing.action_put_in_queue()
        mailing._sms_ovh_compose(mailing._get_remaining_recipients()[:2])
        mailing.sms_ovh_composing = True
        message = mailing.action_cancel()["params"]["message"]
        self.assertIn("Recipients who get none: 5", message)
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cancel()
        self._send()
        self.assertEqual(mailing.sms_ovh_composed_count, 2)
        self.assertFalse(mailing.sms_ovh_composing)
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(mailing.state, "done")

    def test_in_slices(self):
        """Many are cancelled in the background, and none slips out meanwhile."""
        self.patch(const, "CANCEL_SLICE", 10)
        mailing = self._create_mailing(self._numbers(45))
        self._compose(mailing)
        self._sms(mailing)[:20]._sms_ovh_claim()
        message = self._cancel(mailing)
        self.assertIn("before OVHcloud got them: 10", message)
        self._send()
        self.assertFalse(self.simulator.get_ledger())
        self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["cancel"] * 45)
        self.assertIn("got them: 45", mailing.sms_ovh_cancel_summary)

    def test_two_users(self):
        """The second one learns what became of it, and cancels nothing twice."""
        users = [
            new_test_user(
                self.env,
                f"marketing_{index}",
                "base.group_user,mass_mailing.group_mass_mailing_user",
                company_id=self.company.id,
                company_ids=[(6, 0, self.company.ids)],
            )
            for index in range(2)
        ]
        mailing = self._create_mailing(self._numbers(3))
        self._compose(mailing)
        messages = [
            mailing.with_user(user).action_sms_ovh_cancel()["params"]["message"]
            for user in users
        ]
        self.assertIn("got them: 3", messages[0])
        self.assertIn("got them: 3", messages[1])
        self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["cancel"] * 3)

    def test_what_another_transaction_has_is_left_alone(self):
        mailing = self._create_mailing(self._numbers(3))
        self._compose(mailing)
        sms = self._sms(mailing)
        original = type(sms).try_lock_for_update

        def try_lock(records, **kwargs):
            if records._name == "sms.sms":
                records = records - sms[0]
            return original(records, **kwargs)

        with patch.object(type(sms), "try_lock_for_update", try_lock):
            self._cancel(mailing)
            self.assertEqual(
                sorted(sms.mapped("state")), ["canceled"] * 2 + ["outgoing"]
            )
            self._run_cancel()
            self.assertEqual(mailing.sms_ovh_cancel_state, "cancelling")
        self._run_cancel()
        self.assertEqual(set(sms.mapped("state")), {"canceled"})

    def test_budget_of_queries(self):
        counts = []
        for count in (10, 200):
            mailing = self._create_mailing(self._numbers(count, first=count))
            self._compose(mailing)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            mailing._sms_ovh_cancel_slice()
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 6)
        self.assertLessEqual(max(counts), 40)

    # ------------------------------------------------------------
    # Campaigns, at OVHcloud
    # ------------------------------------------------------------

    def test_deferred(self):
        """OVHcloud holds it until the morning: it is cancelled there, and not charged."""
        credits_before = self._credits()
        self._hold_at_ovh()
        mailing = self._create_mailing(self._numbers(3))
        self._compose(mailing)
        self._send()
        self.assertEqual(self._statuses(mailing), ["pending"] * 3)
        self.assertEqual(self._credits(), credits_before - 3)
        self.assertTrue(mailing.sms_ovh_can_cancel)
        self.assertIn("asked about: 3", self._cancel(mailing))
        self.assertEqual(len(self._ledger("cancelled")), 0, "not in the transaction")
        self._run_cancel()
        self.assertEqual(len(self._ledger("cancelled")), 3)
        self.assertEqual(self._statuses(mailing), ["cancel"] * 3)
        self.assertEqual(set(self._sms(mailing).mapped("state")), {"canceled"})
        self.assertIn("Cancelled at OVHcloud: 3", mailing.sms_ovh_cancel_summary)
        self.assertIn("Nobody got it", mailing.sms_ovh_cancel_summary)
        self.assertEqual(self._credits(), credits_before)
        logs = self.env["sms.ovh.log"].search([("account_id", "=", self.account.id)])
        self.assertEqual(set(logs.mapped("state")), {"canceled"})
        self.assertEqual(sum(logs.mapped("credits")), 0)
        job = self.env["sms.ovh.job"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual((job.state, job.credits), ("accepted", 0))
        self._run_cron("sms_ovh.ir_cron_synchronise")
        self.assertEqual(self.account.credits_left, credits_before)
        # The dashboard knows the state.
        self.env["sms.ovh.dashboard"].get_figures(self.account.id)

    def test_partly_gone(self):
        mailing = self._create_mailing(self._numbers(5))
        mailing.action_put_in_queue()
        recipients = mailing._get_remaining_recipients()
        mailing._sms_ovh_compose(recipients[:2])
        self._send()
        self._hold_at_ovh()
        mailing._sms_ovh_compose(recipients[2:4])
        self._send()
        mailing._sms_ovh_compose(recipients[4:])
        self._cancel(mailing)
        self._run_cancel()
        self.assertEqual(len(self._ledger("cancelled")), 2)
        self.assertEqual(self._statuses(mailing), ["cancel"] * 3 + ["pending"] * 2)
        summary = mailing.sms_ovh_cancel_summary
        self.assertIn("before OVHcloud got them: 1", summary)
        self.assertIn("Cancelled at OVHcloud: 2", summary)
        self.assertIn("Already gone: 2", summary)

    def test_answer_lost(self):
        """OVHcloud cancelled it, and its answer was lost: found out by the next run."""
        self._hold_at_ovh()
        mailing = self._create_mailing(self._numbers(2))
        self._compose(mailing)
        self._send()
        self.simulator.order_faults(
            {"kind": "cut_after", "path": "/jobs/[0-9]+$", "accept": True, "times": 2}
        )
        self._cancel(mailing)
        self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["pending"] * 2)
        self.assertIn("asked about: 2", mailing.sms_ovh_cancel_summary)
        self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["cancel"] * 2)
        self.assertIn("Cancelled at OVHcloud: 2", mailing.sms_ovh_cancel_summary)

    def test_left_meanwhile(self):
        """Between the list of what OVHcloud holds and the call, it left."""
        self._hold_at_ovh()
        mailing = self._create_mailing(self._numbers(2))
        self._compose(mailing)
        self._send()
        self._cancel(mailing)
        original = sms_tracker.ovh_calls.cancel_many

        def cancel_many(*args):
            self.simulator.set_clock(DAY)
            return original(*args)

        with patch.object(sms_tracker.ovh_calls, "cancel_many", cancel_many):
            self._run_cancel()
        self.assertEqual(self._statuses(mailing), ["pending"] * 2)
        self.assertIn("Already gone: 2", mailing.sms_ovh_cancel_summary)

    def test_ovh_not_reached(self):
        """It is asked for again later, and nothing is claimed before."""
        self._hold_at_ovh()
        mailing = self._create_mailing(self._numbers(1))
        self._compose(mailing)
        self._send()
        self._cancel(mailing)
        self.simulator.order_faults({"kind": "cut_before", "path": "/jobs$"})
        self._run_cancel()
        self.assertIn("asked about: 1", mailing.sms_ovh_cancel_summary)
        self._run_cancel()
        self.assertIn("Cancelled at OVHcloud: 1", mailing.sms_ovh_cancel_summary)

    def test_report_after_all(self):
        """A delivery that OVHcloud reports of what it called cancelled is the truth."""
        self._hold_at_ovh()
        mailing = self._create_mailing(self._numbers(1))
        self._compose(mailing)
        self._send()
        self._cancel(mailing)
        self._run_cancel()
        log = self.env["sms.ovh.log"].search([("account_id", "=", self.account.id)])
        keys = {(log.account_id.id, log.sms_ovh_id)}
        log._move(keys, "sent", False, 4)
        self.assertEqual(log.state, "sent")

    # ------------------------------------------------------------
    # Single SMS
    # ------------------------------------------------------------

    def _queue(self, numbers):
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in numbers]
        )
        for partner in partners:
            partner._message_sms("Bonjour", put_in_queue=True)
        return self.env["sms.sms"].search(
            [("mail_message_id", "in", partners.message_ids.ids)], order="id"
        )

    def _notification_statuses(self, sms):
        return sms.mail_message_id.notification_ids.sorted("id").mapped(
            "notification_status"
        )

    def test_sms_in_the_queue(self):
        sms = self._queue(self._numbers(2))
        message = sms[0].action_set_canceled()["params"]["message"]
        self.assertIn("SMS cancelled before OVHcloud got them: 1.", message)
        self._send()
        self.assertEqual(sms.mapped("state"), ["canceled", "pending"])
        self.assertEqual(self._notification_statuses(sms), ["canceled", "pending"])
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_sms_in_a_job_with_others(self):
        """The job shrinks: the others leave."""
        sms = self._queue(self._numbers(3))
        job = sms._sms_ovh_claim()
        sms[1].action_set_canceled()
        self.assertEqual((job.state, job.receiver_count), ("queued", 2))
        self.assertEqual(
            self._notification_statuses(sms), ["process", "canceled", "process"]
        )
        self._send()
        self.assertEqual(
            sorted(entry["receiver"] for entry in self.simulator.get_ledger()),
            sorted((sms[0].number, sms[2].number)),
        )
        self.assertEqual(job.state, "accepted")

    def test_last_sms_of_a_job(self):
        sms = self._queue(self._numbers(1))
        job = sms._sms_ovh_claim()
        sms.action_set_canceled()
        self.assertEqual((job.state, job.receiver_count), ("cancelled", 0))
        self._send()
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_sms_being_posted(self):
        sms = self._queue(self._numbers(1))
        sms._sms_ovh_claim().state = "posting"
        result = sms.action_set_canceled()["params"]
        self.assertEqual(result["type"], "warning")
        self.assertIn("cannot be called back", result["message"])
        self.assertEqual(sms.state, "process")

    def test_sms_at_ovh(self):
        self._hold_at_ovh()
        sms = self._create_sms(self._numbers(2), sms_ovh_kind="marketing")
        self._send()
        self.assertEqual(set(sms.mapped("state")), {"pending"})
        self.assertTrue(sms[0].sms_tracker_id, "also what is sent to a mere number")
        message = sms[0].action_set_canceled()["params"]["message"]
        self.assertIn("have been sent: 1.", message)
        self._run_cancel()
        self.assertEqual(sms.mapped("state"), ["canceled", "pending"])
        self.assertEqual(len(self._ledger("cancelled")), 1)

    def test_sms_that_is_gone(self):
        sms = self._queue(self._numbers(1))
        self._send()
        sms.action_set_canceled()
        self._run_cancel()
        self.assertEqual(sms.state, "pending")
        self.assertEqual(self._notification_statuses(sms), ["pending"])

    def test_retry_after_cancelling(self):
        sms = self._queue(self._numbers(1))
        sms.action_set_canceled()
        sms.action_set_outgoing()
        self.assertEqual(self._notification_statuses(sms), ["ready"])
        self._send()
        self.assertEqual(sms.state, "pending")
        self.assertFalse(sms.sms_tracker_id.sms_ovh_cancel)

    def test_dismissed_failure(self):
        """Who dismisses a failure in the chatter wants no further try of it."""
        sms = self._queue(["nobody"])
        sms.send()
        self.assertEqual(sms.state, "error")
        self.assertEqual(self._notification_statuses(sms), ["exception"])
        self.env["res.partner"].notify_cancel_by_type("sms")
        self.assertEqual(self._notification_statuses(sms), ["canceled"])
        self.assertEqual(sms.state, "canceled")

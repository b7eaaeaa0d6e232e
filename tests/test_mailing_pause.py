from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .. import const
from .common import SmsOvhCase


@tagged("-at_install", "post_install")
class TestMailingPause(SmsOvhCase):
    """A campaign that somebody pauses stops wherever it is, and goes on from there."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        patcher = patch.object(const, "COMPOSE_SLICE", 10)
        patcher.start()
        self.addCleanup(patcher.stop)

    def _compose(self):
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")

    def _send(self):
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self._run_cron("sms_ovh.ir_cron_post_jobs")

    def _assert_sent(self, numbers):
        """All these got one SMS, and nobody else got any."""
        receivers = [entry["receiver"] for entry in self.simulator.get_ledger()]
        self.assertEqual(sorted(receivers), sorted(numbers))

    def test_in_queue(self):
        mailing = self._create_mailing(self._numbers(3))
        mailing.action_put_in_queue()
        mailing.action_sms_ovh_pause()
        self._compose()
        self._send()
        self.assertFalse(mailing.mailing_trace_ids)
        self.assertNotEqual(mailing.state, "done")
        mailing.action_sms_ovh_resume()
        self.assertFalse(mailing.sms_ovh_paused)
        self._compose()
        self._send()
        self._assert_sent(self._numbers(3))
        self.assertEqual(mailing.state, "done")

    def test_while_composing(self):
        """Who pauses does not wait for the end of composing."""
        mailing = self._create_mailing(self._numbers(25))
        mailing.action_put_in_queue()
        original = type(mailing)._sms_ovh_compose

        def compose(mailings, res_ids):
            original(mailings, res_ids)
            mailings.action_sms_ovh_pause()

        with patch.object(type(mailing), "_sms_ovh_compose", compose):
            self._compose()
        self.assertEqual(mailing.sms_ovh_composed_count, 10)
        self._compose()
        self._send()
        self._assert_sent([])
        self.assertEqual(
            (mailing.sms_ovh_composed_count, mailing.state), (10, "sending")
        )
        mailing.action_sms_ovh_resume()
        self._compose()
        self._send()
        self._assert_sent(self._numbers(25))

    def test_composed(self):
        """All composed and nothing posted: it is not done, whatever cron runs."""
        mailing = self._create_mailing(self._numbers(3))
        mailing.action_put_in_queue()
        self._compose()
        mailing.action_sms_ovh_pause()
        self._send()
        self._compose()
        self._assert_sent([])
        self.assertEqual(mailing.state, "sending")
        self.assertFalse(mailing.sent_date)
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"outgoing"}
        )
        mailing.action_sms_ovh_resume()
        self._send()
        self._assert_sent(self._numbers(3))
        self.assertEqual(mailing.state, "done")

    def test_in_the_outbox(self):
        """What is claimed and not posted waits, and other campaigns do not."""
        mailings = self._create_mailing(self._numbers(3), body="Une")
        mailings += self._create_mailing(self._numbers(3, first=10), body="Autre")
        mailings.action_put_in_queue()
        self._compose()
        self.env["sms.sms"].search([])._sms_ovh_claim()
        mailings[0].action_sms_ovh_pause()
        self._send()
        self._assert_sent(self._numbers(3, first=10))
        self.assertEqual(mailings.mapped("state"), ["sending", "done"])
        job = self.env["sms.ovh.job"].search([("mailing_id", "=", mailings[0].id)])
        self.assertEqual(job.state, "queued")
        mailings[0].action_sms_ovh_resume()
        self._send()
        self._assert_sent(self._numbers(3) + self._numbers(3, first=10))

    def test_paused_is_not_remaining(self):
        """The crons have nothing to do for what is paused, so they rest."""
        mailing = self._create_mailing(self._numbers(3))
        mailing.action_put_in_queue()
        self._compose()
        mailing.action_sms_ovh_pause()
        progress = []
        with patch.object(
            type(self.env["ir.cron"]),
            "_commit_progress",
            lambda crons, processed=0, *, remaining=None, deactivate=False: (
                progress.append(remaining) or 10.0
            ),
        ):
            self._send()
        self.assertFalse(any(progress), progress)

    def test_resume_wakes_the_crons(self):
        mailing = self._create_mailing(self._numbers(1))
        mailing.action_put_in_queue()
        mailing.action_sms_ovh_pause()
        self.env["ir.cron.trigger"].search([]).unlink()
        mailing.action_sms_ovh_resume()
        triggers = self.env["ir.cron.trigger"].search(
            [("call_at", "<=", fields.Datetime.now())]
        )
        for xmlid in (
            "mass_mailing.ir_cron_mass_mailing_queue",
            "sms.ir_cron_sms_scheduler_action",
            "sms_ovh.ir_cron_post_jobs",
        ):
            self.assertIn(self.env.ref(xmlid), triggers.cron_id)

    def test_only_what_leaves_can_be_paused(self):
        mailing = self._create_mailing(self._numbers(1))
        mailing.action_sms_ovh_pause()
        self.assertFalse(mailing.sms_ovh_paused)
        mailing.action_put_in_queue()
        mailing.action_sms_ovh_pause()
        mailing.action_cancel()
        self.assertEqual((mailing.state, mailing.sms_ovh_paused), ("draft", False))


@tagged("-at_install", "post_install")
class TestStuckQueue(SmsOvhCase):
    """A queue that Odoo put off runs again within minutes, and is told of till then."""

    def setUp(self):
        super().setUp()
        self.cron = self.env.ref("mass_mailing.ir_cron_mass_mailing_queue")
        self.env["ir.cron.trigger"].search([]).unlink()
        self.mailing = self._create_mailing(self._numbers(3))
        self.mailing.action_put_in_queue()
        self.env["ir.cron.trigger"].search([]).unlink()

    def _put_off(self, minutes):
        """As Odoo does with what was ended three times before it had told anything."""
        self.cron.nextcall = fields.Datetime.now() + timedelta(days=1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mailing_mailing SET write_date = write_date - %s WHERE id = %s",
            [timedelta(minutes=minutes), self.mailing.id],
        )
        self.env.invalidate_all()

    def _get_stuck(self):
        dashboard = self.env["sms.ovh.dashboard"].get_figures(self.account.id)
        return dashboard["queue"]["stuck"]

    def _wake(self):
        self.env["sms.ovh.job"]._wake_queues()
        return self.env["ir.cron.trigger"].search([("cron_id", "=", self.cron.id)])

    def test_not_late(self):
        self._put_off(1)
        self.assertFalse(self.mailing._sms_ovh_get_stuck())
        # Not an empty record, which a browser shows by its name.
        self.assertIs(self._get_stuck(), False)
        self.assertFalse(self._wake())

    def test_put_off(self):
        self._put_off(10)
        self.assertIn(self.cron.name, self.mailing._sms_ovh_get_stuck())
        self.assertIn("within minutes", self.mailing.sms_ovh_leaves)
        self.assertEqual(self._get_stuck(), self.mailing.sms_ovh_leaves)
        self.assertLessEqual(self._wake().call_at, fields.Datetime.now())
        # By a slice that was committed before it was ended, too.
        self.env["ir.cron.trigger"].search([]).unlink()
        self.mailing.write({"state": "sending", "sms_ovh_composing": True})
        self._put_off(10)
        self.assertTrue(self.mailing.sms_ovh_leaves)
        self.assertTrue(self._wake())

    def test_switched_off(self):
        self._put_off(10)
        self.cron.active = False
        self.assertIn("switched off", self.mailing.sms_ovh_leaves)
        self.assertFalse(self._wake())

    def test_waits_on_purpose(self):
        self._put_off(10)
        self.mailing.action_sms_ovh_pause()
        self._put_off(10)
        self.assertFalse(self.mailing.sms_ovh_leaves)
        self.assertFalse(self._wake())

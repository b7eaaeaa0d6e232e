"""What the tests of STOP and replies share: recipients who answer."""

from odoo.tests import HttpCase

from .common import SERVICE_1, SmsOvhCase

PHONE = "+33612345678"
OTHER_PHONE = "+33612345679"


class AnswersCase(SmsOvhCase, HttpCase):
    """Recipients who answer by the simulator's virtual phones."""

    def _send_to(self, number=PHONE):
        """Send an SMS that can be answered, and have it delivered."""
        self.account.default_sender_id = self._sender(type="shortcode")
        jobs = self._create_sms([number])._sms_ovh_claim()
        jobs._dispatch_after_commit()
        self._commit()
        self.env.invalidate_all()
        self.assertEqual(jobs.state, "accepted")
        self.simulator.forget_callbacks()

    def _send_mailing(self, numbers, **values):
        """Send a campaign to these numbers, and have it delivered."""
        mailing = self._create_mailing(
            numbers, **{"subject": "<i>Ventes privées</i>", **values}
        )
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()
        self.simulator.forget_callbacks()
        return mailing

    def _answer(self, what, number=PHONE, **content):
        self.simulator._call(
            "POST", f"phones/{number}/{what}", {"service": SERVICE_1, **content}
        )

    def _call_back(self, kind):
        """Receive the callbacks of this kind that OVHcloud makes now."""
        callbacks = [
            callback
            for callback in self.simulator.pop_callbacks(count=1)
            if callback["kind"] == kind
        ]
        self.assertTrue(callbacks)
        for callback in callbacks:
            path = callback["url"].split("/sms_ovh/")[1]
            response = self.url_open(f"/sms_ovh/{path}")
            self.assertEqual(response.status_code, 200)

from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import SmsOvhCase

DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
REFUSED = "+33612340102"
SWISS = "+41791234567"


@tagged("-at_install", "post_install")
class TestReport(SmsOvhCase):
    """What a campaign came to, counted from what OVHcloud said of each SMS."""

    def _send_mailing(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()

    def _get_logs(self, mailing):
        return self.env["sms.ovh.log"].search([("mailing_id", "=", mailing.id)])

    def test_what_is_written_down(self):
        numbers = [DELIVERED, SWISS]
        mailing = self._create_mailing(numbers)
        self._send_mailing(mailing)
        logs = self._get_logs(mailing)
        self.assertEqual(set(logs.mapped("number")), set(numbers))
        self.assertEqual(set(logs.mapped("kind")), {"marketing"})
        by_number = {log.number: log for log in logs}
        self.assertEqual(by_number[DELIVERED].country_code, "FR")
        self.assertEqual(by_number[SWISS].country_code, "CH")
        self.assertFalse(any(logs.mapped("delivered_at")))
        sms = self._create_sms([DELIVERED])
        sms.send()
        self._commit()
        log = self.env["sms.ovh.log"].search([("mailing_id", "=", False)], limit=1)
        self.assertEqual((log.number, log.kind), (DELIVERED, "transactional"))

    def test_delivered_when_the_report_says(self):
        mailing = self._create_mailing(self._numbers(5))
        self._send_mailing(mailing)
        logs = self._get_logs(mailing).sorted("number")
        sent_at = fields.Datetime.now() - timedelta(hours=1)
        logs.write({"date": sent_at})
        self.env.flush_all()
        now = fields.Datetime.now()
        local = sent_at + timedelta(hours=1, minutes=2)
        params = [
            # As OVHcloud writes it, with its time zone.
            {"date": f"{local.isoformat()}+01:00", "ptt": "4"},
            # Nothing that can be read, or no time zone, or nothing at all: now.
            {"date": "hier", "ptt": "4"},
            {"date": local.isoformat(), "ptt": "4"},
            # Before it was sent, by a clock that is wrong.
            {"date": "2020-01-01T00:00:00+00:00", "ptt": "4"},
            # OVHcloud was asked: delivered, nobody knows when.
            {},
        ]
        Event = self.env["sms.ovh.event"]
        for log, values in zip(logs, params, strict=True):
            Event._receive_delivery(
                self.account.id, {"id": log.sms_ovh_id, "description": "1", **values}
            )
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env.invalidate_all()
        self.assertEqual(set(logs.mapped("state")), {"sent"})
        named, unread, naive, early, asked = logs
        self.assertEqual(named.delivered_at, sent_at + timedelta(minutes=2))
        for log in (unread, naive):
            self.assertLess(abs(log.delivered_at - now), timedelta(minutes=1))
        self.assertEqual(early.delivered_at, sent_at)
        self.assertFalse(asked.delivered_at)

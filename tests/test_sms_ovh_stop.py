import html
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .. import const
from .answers_common import OTHER_PHONE, PHONE, AnswersCase
from .common import SERVICE_1


@tagged("-at_install", "post_install")
class TestSmsOvhStop(AnswersCase):
    def setUp(self):
        super().setUp()
        # The seed knows no callback.
        self.account.action_synchronise()

    def test_stop(self):
        self._send_to()
        self._answer("stop")
        self._call_back("stop")
        event = self.env["sms.ovh.event"].search([("kind", "=", "stop")])
        self.assertEqual(event.state, "new")
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.env.invalidate_all()
        self.assertEqual(event.state, "done")
        blacklist = self.env["phone.blacklist"].search([("number", "=", PHONE)])
        self.assertTrue(blacklist)
        self.assertIn(SERVICE_1, " ".join(blacklist.message_ids.mapped("body")))
        # Taken off by hand: it is not put back with the next reading.
        blacklist.action_archive()
        self.account._read_answers()
        self.assertFalse(blacklist.active)
        # A new STOP is one.
        with self.account._get_client() as client:
            client.delete(f"/sms/{SERVICE_1}/blacklists/{PHONE}")
        self.account._read_answers()
        self._answer("stop")
        self.account._read_answers()
        self.assertTrue(blacklist.active)

    def test_stop_of_a_campaign(self):
        mailing = self._send_mailing([PHONE, OTHER_PHONE])
        self._answer("stop")
        # What was sent since is not what was answered.
        later = self._send_mailing([PHONE, OTHER_PHONE])
        self.account._read_answers()
        stop = self.env["sms.ovh.stop"].search([("number", "=", PHONE)])
        self.assertEqual(stop.mailing_id, mailing)
        self.assertTrue(stop.received_at)
        self.assertEqual(mailing.sms_ovh_stop_count, 1)
        self.assertEqual(later.sms_ovh_stop_count, 0)
        blacklist = self.env["phone.blacklist"].search([("number", "=", PHONE)])
        self.assertIn("<i>Ventes", html.unescape(blacklist.message_ids[0].body))
        self.assertNotIn("<i>", blacklist.message_ids[0].body)

    def test_answer_of_which_ovhcloud_says_nothing(self):
        """It is taken for one to the last campaign that the number got."""
        self._send_mailing([PHONE])
        mailing = self._send_mailing([PHONE])
        answer = {"number": PHONE, "received_at": fields.Datetime.now()}
        old = {
            "number": PHONE,
            "received_at": fields.Datetime.now() - timedelta(days=1),
        }
        unknown = {**answer, "sms_ovh_id": "999"}
        answered = self.account._find_answered([answer, unknown], campaigns_only=True)
        self.assertEqual(answered[0].mailing_trace_id.mass_mailing_id, mailing)
        self.assertFalse(answered[1], "OVHcloud names an SMS that is none of Odoo's")
        self.assertFalse(self.account._find_answered([old])[0], "it was not sent yet")
        short = self._sender(type="shortcode")
        self.assertFalse(self.account._find_answered([answer], senders=short)[0])

    def test_stop_that_cannot_be_read_waits(self):
        self._send_to()
        self._answer("stop")
        self._call_back("stop")
        self.simulator.order_faults({"kind": "500", "path": "/blacklists"})
        self.assertFalse(self.account._read_answers())
        self.assertTrue(self.account._read_answers())
        self.assertTrue(self.env["phone.blacklist"].search([("number", "=", PHONE)]))

    def test_many_stops(self):
        """A long list is taken over in pieces, each committed, and the rest is shown."""
        self.patch(const, "STOP_SLICE", 40)
        self.patch(const, "MAX_STOP_DETAILS", 60)
        numbers = self._numbers(100)
        self.simulator.add_stops(SERVICE_1, numbers)
        self.env["phone.blacklist"].create([{"number": numbers[0], "active": False}])
        left = []
        original = type(self.account)._take_stops

        def take_stops(account, *args):
            if len(left) == 1:
                left.append("failed")
                raise ValueError("a piece that cannot be taken over")
            original(account, *args)
            left.append(account.stops_to_read)

        with patch.object(type(self.account), "_take_stops", take_stops):
            with mute_logger("odoo.addons.sms_ovh.models.sms_ovh_account_answers"):
                self._run_cron("sms_ovh.ir_cron_read_answers")
            # What was done stays, and the next run goes on from there.
            self.assertEqual(left[1], "failed")
            found = self.env["phone.blacklist"].search_count(
                [("number", "in", numbers)]
            )
            self.assertEqual(found, 40)
            self._run_cron("sms_ovh.ir_cron_read_answers")
        self.env.invalidate_all()
        blacklist = self.env["phone.blacklist"].search([("number", "in", numbers)])
        self.assertEqual(len(blacklist), 100)
        self.assertEqual(self.account.stops_to_read, 0)
        self.assertGreater(left[0], 0)
        for record in blacklist:
            notes = " ".join(record.message_ids.mapped("body"))
            self.assertEqual(notes.count("Answered STOP"), 1, record.number)
        # What needs no reading is not read: of the newest only, many in a call.
        requests = self.simulator.get_state()["requests"]
        self.assertLessEqual(requests["GET /sms/{serviceName}/blacklists/{number}"], 5)
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.assertEqual(
            self.simulator.get_state()["requests"][
                "GET /sms/{serviceName}/blacklists/{number}"
            ],
            requests["GET /sms/{serviceName}/blacklists/{number}"],
        )

    def test_each_number_has_its_note(self):
        """Those new, those that came back, and none on those that stand there."""
        numbers = self._numbers(30)
        blacklist = self.env["phone.blacklist"]
        there = blacklist._add(numbers[:2])
        back = blacklist._remove([numbers[2]])
        before = len(there.message_ids)
        self.simulator.add_stops(SERVICE_1, numbers)
        with patch.object(const, "STOP_SLICE", 7):
            self._run_cron("sms_ovh.ir_cron_read_answers")
        self.env.invalidate_all()
        self.assertTrue(back.active)
        self.assertEqual(len(there.message_ids), before)
        found = blacklist.search([("number", "in", numbers[3:])])
        self.assertEqual(len(found), 27)
        message_ids = set()
        for record in found:
            (note,) = record.message_ids
            self.assertIn(SERVICE_1, note.body)
            self.assertEqual(note.author_id, self.env.ref("base.partner_root"))
            self.assertEqual(note.subtype_id, self.env.ref("mail.mt_note"))
            message_ids.add(note.message_id)
        self.assertEqual(len(message_ids), 27)
        stops = self.env["sms.ovh.stop"].search([("number", "in", numbers)])
        self.assertEqual(set(stops.mapped("origin")), {"ovhcloud"})
        self.assertEqual(len(stops), 30)

    def test_replies_come_first(self):
        """Replies do not wait for a list that cannot be read."""
        order = []
        account_model = type(self.account)
        for name in ("_read_replies", "_read_stops"):
            original = getattr(account_model, name)

            def read(account, *args, name=name, original=original):
                order.append(name)
                return original(account, *args)

            self.patch(account_model, name, read)
        self.account._read_answers()
        self.assertEqual(order, ["_read_replies", "_read_stops"])

    def test_stop_is_written_down_everywhere(self):
        mailing = self._send_mailing([PHONE, OTHER_PHONE])
        contacts = mailing.contact_list_ids.contact_ids
        contact = contacts.filtered(lambda contact: contact.mobile == PHONE)
        self._answer("stop")
        self.account._read_answers()
        trace = mailing.mailing_trace_ids.filtered(lambda t: t.res_id == contact.id)
        self.assertTrue(trace.sms_ovh_stop_date)
        self.assertFalse((mailing.mailing_trace_ids - trace).sms_ovh_stop_date)
        log = self.env["sms.ovh.log"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(log.filtered("stopped").number, PHONE)
        subscription = contact.subscription_ids
        self.assertTrue(subscription.opt_out)
        self.assertEqual(
            subscription.opt_out_reason_id,
            self.env.ref("sms_ovh.mailing_subscription_optout_stop"),
        )
        self.assertFalse((contacts - contact).subscription_ids.opt_out)
        self.assertIn("No marketing SMS go to", contact.message_ids[0].body)
        self.assertTrue(contact.message_ids[0].is_internal)

    def test_stop_is_no_reason_on_the_web_page(self):
        mailing = self._create_mailing([PHONE])
        contact = mailing.contact_list_ids.contact_ids
        contact.email = "zoe@example.com"
        token = mailing._generate_mailing_recipient_token(contact.id, contact.email)
        response = self.url_open(
            f"/mailing/{mailing.id}/unsubscribe?document_id={contact.id}"
            f"&email={contact.email}&hash_token={token}"
        )
        self.assertIn("I changed my mind", response.text)
        self.assertNotIn("Answered STOP", response.text)

    # ------------------------------------------------------------
    # What was queued before
    # ------------------------------------------------------------

    def _queue_mailing(self, **values):
        """Have the SMS of a campaign to two numbers queued."""
        mailing = self._create_mailing([PHONE, OTHER_PHONE], **values)
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        return mailing

    def _send_queue(self):
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()

    def _blacklist(self, number=PHONE):
        self.env["phone.blacklist"].add(number)
        self.env.flush_all()

    def _assert_left_out(self, mailing):
        """Assert that the campaign went to the other number only, and ended."""
        self.assertEqual(
            [sms["receiver"] for sms in self.simulator.get_ledger()], [OTHER_PHONE]
        )
        trace = mailing.mailing_trace_ids.filtered(lambda t: t.sms_number == PHONE)
        self.assertRecordValues(
            trace, [{"trace_status": "cancel", "failure_type": "sms_blacklist"}]
        )
        sms = self.env["sms.sms"].browse(trace.sms_id_int)
        self.assertRecordValues(
            sms, [{"state": "canceled", "failure_type": "sms_blacklist"}]
        )
        self.assertEqual(mailing.state, "done")

    def test_queued_before_the_stop(self):
        mailing = self._queue_mailing()
        self._blacklist()
        self._send_queue()
        self._assert_left_out(mailing)

    def test_in_the_outbox_before_the_stop(self):
        mailing = self._queue_mailing()
        self.account.pause_reason = "credit"
        self._send_queue()
        job = self.env["sms.ovh.job"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual((job.state, job.receiver_count), ("queued", 2))
        self._blacklist()
        self.account.pause_reason = False
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.env.invalidate_all()
        self.assertEqual((job.state, job.receiver_count), ("accepted", 1))
        self._assert_left_out(mailing)

    def test_job_of_one_who_opted_out(self):
        mailing = self._queue_mailing(body="Bonjour {{ object.name }}")
        self.account.pause_reason = "credit"
        self._send_queue()
        jobs = self.env["sms.ovh.job"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(len(jobs), 2)
        self._blacklist()
        self.account.pause_reason = False
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.env.invalidate_all()
        self.assertEqual(set(jobs.mapped("state")), {"accepted", "cancelled"})
        self._assert_left_out(mailing)

    def test_campaign_that_does_not_heed_the_blacklist(self):
        """As core: somebody unticked it, against all advice."""
        mailing = self._queue_mailing(use_exclusion_list=False)
        self._blacklist()
        self._send_queue()
        self.assertEqual(len(self.simulator.get_ledger()), 2)
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"pending"}
        )

    def test_transactional_passes(self):
        self._blacklist()
        partner = self.env["res.partner"].create({"name": "Zoé", "phone": PHONE})
        partner._message_sms("Votre commande est prête.")
        self._commit()
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_marketing_from_the_chatter(self):
        self._blacklist()
        partner = self.env["res.partner"].create({"name": "Zoé", "phone": PHONE})
        message = partner.with_context(sms_ovh_kind="marketing")._message_sms("Soldes")
        self._commit()
        self.env.invalidate_all()
        self.assertFalse(self.simulator.get_ledger())
        self.assertRecordValues(
            message.notification_ids,
            [{"notification_status": "canceled", "failure_type": "sms_blacklist"}],
        )

    def test_cost_of_leaving_out(self):
        """One query a claim and one a taking, however many SMS there are."""
        counts = []
        for count in (1, 50):
            sms = self._create_sms(
                self._numbers(count), body="Soldes", sms_ovh_kind="marketing"
            )
            self.env.flush_all()
            groups = sms._sms_ovh_group_alike([("id", "in", sms.ids)])
            numbers = sms._sms_ovh_read_numbers(groups)
            groups = sms._sms_ovh_settle(groups, numbers)
            with self.assertQueryCount(1):
                kept = sms._sms_ovh_leave_out_blacklisted(groups, numbers)
            counts.append(sum(len(group.sms) for group in kept))
            jobs = sms._sms_ovh_claim()
            jobs.fetch(["kind", "mailing_id", "create_date", "receivers"])
            with self.assertQueryCount(1):
                self.assertEqual(jobs._leave_out_stopped(), jobs)
        self.assertEqual(counts, [1, 50])

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import SERVICE_1, SmsOvhCase, last_night

LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_account",
    "odoo.addons.sms_ovh.models.sms_ovh_account_access",
    "odoo.addons.sms_ovh.models.sms_ovh_account_answers",
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)
ONE = "GET /sms/{serviceName}/outgoing/{id}"


@tagged("-at_install", "post_install")
class TestOvhAnswers(SmsOvhCase):
    """No SMS has another's id, and none is said to be what nobody knows it is."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        self.env["ir.config_parameter"].set_param("sms_ovh.check_delay", 0)
        self.account.action_synchronise()

    def _reset(self, **config):
        """Give the simulator its seed, and callbacks, which that knows none of."""
        self.simulator.reset()
        self.simulator.configure(**config)
        self.account.action_synchronise()

    def _run(self, *xmlids):
        with mute_logger(*LOGGERS):
            for xmlid in xmlids or ("sms_ovh.ir_cron_post_jobs",):
                self._run_cron(xmlid)

    def _send(self, count, **values):
        """Send a campaign; return it and its SMS."""
        mailing = self._create_mailing(self._numbers(count), **values)
        mailing.action_put_in_queue()
        self._run("mass_mailing.ir_cron_mass_mailing_queue")
        sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self._run("sms.ir_cron_sms_scheduler_action")
        return mailing, sms

    def _get_jobs(self):
        return self.env["sms.ovh.job"].search([("account_id", "=", self.account.id)])

    def _get_ids(self):
        """Return OVHcloud's id by number."""
        return {sms["receiver"]: str(sms["id"]) for sms in self.simulator.get_ledger()}

    def _assert_right_ids(self, mailing):
        ids = self._get_ids()
        trackers = mailing.mailing_trace_ids.sms_tracker_ids
        self.assertEqual(len(trackers), len(ids))
        for tracker in trackers:
            number = tracker.mailing_trace_id.sms_number
            self.assertEqual(tracker.sms_ovh_id, ids[number])
        for log in self.env["sms.ovh.log"].search([("mailing_id", "=", mailing.id)]):
            self.assertEqual(log.sms_ovh_id, ids[log.number])

    def test_ids_in_any_order(self):
        """Each id is checked, before any report on it is believed."""
        for order in ("receivers", "swapped", "shuffled"):
            for refused in (None, "."):
                with self.subTest(order=order, refused=refused):
                    self._reset(ids_order=order, batch_refused=refused)
                    self._get_jobs().filtered("open_count").unlink()
                    failing = "+33612340020"  # undeliverable
                    mailing = self._create_mailing([*self._numbers(11), failing])
                    mailing.action_put_in_queue()
                    self._run(
                        "mass_mailing.ir_cron_mass_mailing_queue",
                        "sms.ir_cron_sms_scheduler_action",
                    )
                    for callback in self.simulator.pop_callbacks():
                        self._receive(callback["url"])
                    self._run("sms_ovh.ir_cron_process_events")
                    self._assert_right_ids(mailing)
                    self.assertFalse(any(self._get_jobs().mapped("open_count")))
                    for trace in mailing.mailing_trace_ids:
                        failed = trace.sms_number == failing
                        self.assertEqual(
                            trace.trace_status in ("bounce", "error"), failed
                        )
                        self.assertEqual(trace.trace_status == "sent", not failed)

    def _receive(self, url):
        """Receive a report as the controller does."""
        params = dict(parse_qsl(urlsplit(url).query))
        self.env["sms.ovh.event"]._receive_delivery(self.account.id, params)

    def test_checked_in_few_calls(self):
        self._send(120)
        self._run()
        self.assertEqual(self.simulator.get_state()["requests"][ONE], 3)

    def test_one_receiver_needs_no_check(self):
        self._send(1)
        self._run()
        self.assertNotIn(ONE, self.simulator.get_state()["requests"])

    def test_reports_wait_for_the_check(self):
        """OVHcloud cannot be asked: what a report says is kept, not believed, for long."""
        self.simulator.configure(ids_order="swapped")
        self.simulator.order_faults(
            {"kind": "500", "path": "/(outgoing|jobs)/", "times": None}
        )
        mailing, __ = self._send(2)
        for callback in self.simulator.pop_callbacks():
            self._receive(callback["url"])
        self._run("sms_ovh.ir_cron_process_events")
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"pending"}
        )
        self.simulator._call("DELETE", "faults")
        self._run("sms_ovh.ir_cron_process_events")
        self._assert_right_ids(mailing)
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"sent"}
        )

    def test_checked_among_those_held_back(self):
        """At night OVHcloud lists what it took among the pending jobs."""
        for in_outgoing in (False, True):
            self._reset(ids_order="swapped", deferred_in_outgoing=in_outgoing)
            self.simulator.set_clock(last_night())
            mailing, __ = self._send(4)
            self._run()
            self._assert_right_ids(mailing)
            self.assertFalse(any(self._get_jobs().mapped("open_count")))

    def test_answer_without_receivers(self):
        """Done, and the lists are empty: asked for by the tag."""
        empty = {
            "ids": [],
            "validReceivers": [],
            "invalidReceivers": [],
            "totalCreditsRemoved": 0,
            "tag": "",
        }
        for accept in (True, False):
            self._reset()
            self.simulator.order_faults(
                {"kind": "answer", "content": empty, "path": "/jobs$", "accept": accept}
            )
            mailing, sms = self._send(3, body=f"Bonjour {accept}")
            self.assertEqual(set(sms.mapped("state")), {"process"})
            self._run()
            if not accept:
                self._run()
                job = self._get_jobs()[0]
                self.assertEqual(job.state, "queued")
                job.next_attempt = False
                self._run()
            self._assert_right_ids(mailing)
            self.assertEqual(len(self.simulator.get_ledger()), 3)

    def test_answer_that_lacks_some(self):
        """Who is named nowhere in an answer is asked for, the others are settled."""
        numbers = self._numbers(4)
        self.simulator.order_faults(
            {
                "kind": "change",
                "path": "/jobs$",
                "content": {
                    "ids": [],
                    "validReceivers": [],
                    "invalidReceivers": numbers[:1],
                },
            }
        )
        mailing, __ = self._send(4)
        job = self._get_jobs()[0]
        self.assertEqual((job.state, job.open_count), ("accepted", 3))
        self._run()
        self.assertFalse(job.open_count)
        ids = self._get_ids()
        for trace in mailing.mailing_trace_ids.filtered(
            lambda trace: trace.sms_number in numbers[1:]
        ):
            self.assertEqual(trace.trace_status, "pending")
            self.assertEqual(trace.sms_tracker_ids.sms_ovh_id, ids[trace.sms_number])

    def _lose_answer(self, count, unlisted):
        """Send, lose the answer, and have OVHcloud not list some."""
        self.simulator.configure(unlisted=unlisted)
        self.simulator.order_faults(
            {"kind": "502_html", "path": "/jobs$", "accept": True}
        )
        mailing, __ = self._send(count)
        self._run()
        self._run()
        return mailing, self._get_jobs()[0]

    def test_not_listed(self):
        """Nobody knows what became of it: said so, asked for on, and adopted late."""
        lost = self._numbers(1)[0]
        mailing, job = self._lose_answer(3, [lost])
        self.assertEqual((job.state, job.open_count), ("accepted", 1))
        trace = mailing.mailing_trace_ids.filtered(lambda t: t.sms_number == lost)
        self.assertEqual(trace.failure_type, "sms_ovh_unconfirmed")
        others = mailing.mailing_trace_ids - trace
        self.assertEqual(set(others.mapped("trace_status")), {"pending"})
        self.assertGreater(
            job.next_attempt, fields.Datetime.now() + timedelta(minutes=25)
        )
        self._run()
        self.assertEqual(self.simulator.count_jobs(), 1)
        # OVHcloud lists it at last.
        self.simulator.configure(unlisted=[])
        job.next_attempt = fields.Datetime.now()
        self._run()
        self.assertFalse(job.open_count)
        self.assertEqual(trace.trace_status, "pending")
        self._assert_right_ids(mailing)
        logs = self.env["sms.ovh.log"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(logs.mapped("state"), ["pending"] * 3)
        self.assertEqual(job.credits, 3)
        self.assertEqual(sum(logs.mapped("credits")), 3)

    def test_late_report(self):
        """A report on an SMS that nobody knows has OVHcloud asked again at once."""
        lost = self._numbers(1)[0]
        mailing, job = self._lose_answer(2, [lost])
        self.simulator.configure(unlisted=[])
        for callback in self.simulator.pop_callbacks():
            self._receive(callback["url"])
        self.env.cr.execute(
            "UPDATE sms_ovh_job SET write_date = write_date - interval '5 minutes'"
        )
        self.env.invalidate_all()
        self._run("sms_ovh.ir_cron_process_events")
        self._run()
        self._run("sms_ovh.ir_cron_process_events")
        self.assertFalse(job.open_count)
        self.assertEqual(
            set(mailing.mailing_trace_ids.mapped("trace_status")), {"sent"}
        )

    def test_never_listed(self):
        """Asked for as long as a report can come, and no longer."""
        mailing, job = self._lose_answer(2, self._numbers(1))
        self.assertEqual(job.open_count, 1)
        job.posted_at = fields.Datetime.now() - timedelta(hours=97)
        job.next_attempt = fields.Datetime.now()
        self._run()
        self.assertFalse(job.open_count or job.next_attempt)
        self.assertIn(
            "sms_ovh_unconfirmed", mailing.mailing_trace_ids.mapped("failure_type")
        )

    # ------------------------------------------------------------
    # Lists
    # ------------------------------------------------------------

    def _each_reading(self):
        """Give the simulator each reading of what the account's lists hold."""
        for all_of_them in (True, False):
            with self.subTest(account_lists_all=all_of_them):
                self._reset(account_lists_all=all_of_them)
                yield all_of_them

    def _send_as(self, way):
        """Send as an API user, from a virtual number, or as the account."""
        user = self.account.api_user_ids.filtered(lambda user: user.login == "compta")
        self.account.default_api_user_id = user if way == "user" else False
        values = {}
        if way == "virtual":
            values["sms_ovh_sender_id"] = self._sender(type="virtual").id
        return self._send(3, **values)

    def test_lost_answers_by_each_way(self):
        for __ in self._each_reading():
            for way in ("account", "user", "virtual"):
                self.simulator.order_faults(
                    {"kind": "502_html", "path": "/jobs$", "accept": True}
                )
                known = self.simulator.get_ledger()
                mailing, __sms = self._send_as(way)
                self._run()
                job = self._get_jobs()[0]
                self.assertEqual(job.state, "accepted", way)
                ids = {
                    sms["receiver"]: str(sms["id"])
                    for sms in self.simulator.get_ledger()
                    if sms not in known
                }
                for trace in mailing.mailing_trace_ids:
                    self.assertEqual(
                        trace.sms_tracker_ids.sms_ovh_id, ids[trace.sms_number]
                    )
        self.account.default_api_user_id = False

    def test_polling_by_each_way(self):
        """Reports that nobody called in are read from the list that has them."""
        for __ in self._each_reading():
            for refused in (None, "."):
                self.simulator.configure(batch_refused=refused)
                mailings = self.env["mailing.mailing"]
                for way in ("account", "user", "virtual"):
                    mailings += self._send_as(way)[0]
                self._run()
                self.simulator.pop_callbacks()
                trackers = mailings.mailing_trace_ids.sms_tracker_ids
                trackers.sms_ovh_poll_at = fields.Datetime.now()
                self._run("sms_ovh.ir_cron_poll")
                self.assertEqual(
                    set(mailings.mailing_trace_ids.mapped("trace_status")), {"sent"}
                )
        self.account.default_api_user_id = False

    def test_replies_by_each_way(self):
        """Each list has its replies, none is counted twice."""
        for __ in self._each_reading():
            self.env["sms.ovh.reply"].search([]).unlink()
            # The simulator begins with the same ids again.
            self.account.deleted_reply_ids = False
            self._send_as("virtual")
            self.simulator.pop_callbacks()
            number = self._numbers(1)[0]
            for text in ("Merci", "Oui"):
                self.simulator._call("POST", f"phones/{number}/reply", {"text": text})
            for __again in range(2):
                self._run("sms_ovh.ir_cron_read_answers")
                replies = self.env["sms.ovh.reply"].search([])
                self.assertEqual(sorted(replies.mapped("body")), ["Merci", "Oui"])

    def test_replies_to_an_api_user(self):
        short = self._sender(type="shortcode")
        user = self.account.api_user_ids.filtered(lambda user: user.login == "compta")
        self.account.default_api_user_id = user
        for __ in self._each_reading():
            self.env["sms.ovh.reply"].search([]).unlink()
            # The simulator begins with the same ids again.
            self.account.deleted_reply_ids = False
            self._send(2, sms_ovh_sender_id=short.id)
            self.simulator.pop_callbacks()
            number = self._numbers(1)[0]
            self.simulator._call(
                "POST",
                f"phones/{number}/reply",
                {"text": "Merci", "service": SERVICE_1},
            )
            for __again in range(2):
                self._run("sms_ovh.ir_cron_read_answers")
                replies = self.env["sms.ovh.reply"].search([])
                self.assertEqual(replies.mapped("body"), ["Merci"])
        self.account.default_api_user_id = False

    def test_reply_to_an_api_user_that_is_listed_late(self):
        """Ids of a list without times may come in any order: none is missed or twice."""
        self._reset(account_lists_all=False)
        user = self.account.api_user_ids.filtered(lambda user: user.login == "compta")
        self.account.default_api_user_id = user
        self._send(2, sms_ovh_sender_id=self._sender(type="shortcode").id)
        self.simulator.pop_callbacks()
        number = self._numbers(1)[0]
        for text in ("Merci", "Oui"):
            self.simulator._call(
                "POST",
                f"phones/{number}/reply",
                {"text": text, "service": SERVICE_1},
            )
        incoming = self.simulator.get_state()["services"][SERVICE_1]["incoming"]
        ids = sorted(int(entry["id"]) for entry in incoming)
        self.simulator.order_faults(
            {
                "kind": "answer",
                "path": "/users/compta/incoming$",
                "status": 200,
                "content": ids[1:],
                "times": 1,
            }
        )
        found = []
        for __ in range(3):
            self._run("sms_ovh.ir_cron_read_answers")
            found.append(sorted(self.env["sms.ovh.reply"].search([]).mapped("body")))
        self.assertEqual(found, [["Oui"], ["Merci", "Oui"], ["Merci", "Oui"]])

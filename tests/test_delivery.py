from unittest.mock import patch
from urllib.parse import urlsplit

import requests
from lxml import etree

from odoo import fields
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_ovh_event
from .common import SmsOvhCase

FINAL_MAGIC = {
    # number: (state, failure type of the SMS)
    "+33612340001": ("sent", False),
    "+33612340008": ("error", "sms_expired"),
    "+33612340020": ("error", "sms_not_delivered"),
    "+33612340023": ("error", "sms_invalid_destination"),
    "+33612340024": ("error", "sms_not_delivered"),
    "+33612340028": ("error", "sms_rejected"),
    "+33612340039": ("error", "sms_not_delivered"),
    "+33612340099": ("error", "sms_not_delivered"),
}


@tagged("-at_install", "post_install")
class TestDeliveryReports(SmsOvhCase):
    """What a report makes of SMS, notifications and traces."""

    def setUp(self):
        super().setUp()
        self.env["sms.ovh.event"].search([]).unlink()
        # The seed knows no callback.
        self.account.action_synchronise()

    def _report(self, sms, ptt, dlr, **params):
        return self._receive(
            id=sms.sms_ovh_id, ptt=str(ptt), description=str(dlr), **params
        )

    def _receive(self, account=None, **params):
        event_id = self.env["sms.ovh.event"]._receive_delivery(
            (account or self.account).id, params
        )
        return self.env["sms.ovh.event"].browse(event_id)

    def _process(self):
        self._run_cron("sms_ovh.ir_cron_process_events")

    def _send(self, numbers=("+33611111111",)):
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in numbers]
        )
        for partner in partners:
            partner._message_sms("Bonjour")
        self._commit()
        return self.env["sms.sms"].search(
            [("mail_message_id", "in", partners.message_ids.ids)], order="id"
        )

    def _notification(self, sms):
        return sms.mail_message_id.notification_ids

    def test_delivered(self):
        sms = self._send()
        self._report(sms, 3, 4)
        self._process()
        self.assertEqual(sms.state, "pending")
        self._report(sms, 4, 1)
        self._process()
        self.assertEqual(sms.state, "sent")
        self.assertEqual(self._notification(sms).notification_status, "sent")
        self.assertEqual(sms.sms_ovh_ptt, 4)

    def test_failed(self):
        sms = self._send()
        self._report(sms, 23, 2, descriptionDlr="Invalid number")
        self._process()
        self.assertEqual(
            (sms.state, sms.failure_type), ("error", "sms_invalid_destination")
        )
        notification = self._notification(sms)
        self.assertEqual(notification.notification_status, "bounce")
        self.assertEqual(notification.failure_type, "sms_invalid_destination")
        self.assertIn("Do not use it again", notification.failure_reason)
        self.assertIn("23", sms.sms_ovh_failure_reason)

    def test_reasons(self):
        """Every failure has a sentence; a code that nobody knows OVHcloud's words."""
        Event = self.env["sms.ovh.event"]
        reasons = Event._get_ptt_reasons(self.env)
        failures = {
            ptt for ptt, (state, __) in const.PTT_TO_STATE.items() if state == "error"
        }
        self.assertEqual(set(reasons), failures)
        event = Event.browse(
            Event._receive_delivery(
                self.account.id, {"id": "1", "ptt": "999", "descriptionDlr": "ODD"}
            )
        )
        self.assertIn("ODD", event._get_reason("sms_not_delivered"))

    def test_meaning(self):
        """Reports say in the reader's language what they mean, not in codes."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(["sms_ovh"], ["fr_FR"])
        Event = self.env["sms.ovh.event"]
        for params, meaning in (
            ({"ptt": "4", "descriptionDlr": "DELIVRD"}, "Délivré"),
            ({"ptt": "3", "descriptionDlr": "SENT"}, "Accepté par l'opérateur"),
            ({"ptt": "6", "dlr": "1", "descriptionDlr": "DELIVERED"}, "Délivré"),
            ({"ptt": "999", "dlr": "8"}, "En route"),
            ({"ptt": "24"}, "Le téléphone était éteint"),
            ({"ptt": "999", "dlr": "2", "descriptionDlr": "ODD"}, "« ODD »"),
            ({"ptt": "5", "dlr": "1"}, "Délivré"),
        ):
            with self.subTest(params=params):
                event = Event.browse(
                    Event._receive_delivery(self.account.id, {"id": "1", **params})
                ).with_context(lang="fr_FR")
                self.assertIn(meaning, event.meaning.replace("\u00a0", " "))
        Event._receive_signal(self.account.id, "stop", {"id": "2"})
        self.assertEqual(Event.search([], limit=1).meaning, "STOP")
        arch = etree.fromstring(Event.get_view(view_type="list")["arch"])
        for name in ("ptt", "dlr", "description"):
            field = arch.find(f".//field[@name='{name}']")
            self.assertEqual(field.get("optional"), "hide", name)

    def test_account_deleted_meanwhile(self):
        """What came for an account that is gone holds nothing else up."""
        sms = self._send()
        Event = self.env["sms.ovh.event"]
        gone = self.env["sms.ovh.account"].create({"service_name": "sms-gone-1"})
        # As the routes do that still knew the account.
        gone_id = gone.id
        gone.unlink()
        orphans = Event.browse(
            Event._receive_delivery(gone_id, {"id": "1", "ptt": "4"})
        )
        Event._receive_signal(gone_id, "reply", {"id": "1"})
        orphans |= Event.search([("kind", "=", "reply")])
        self._report(sms, 4, 1)
        self._process()
        self._run_cron("sms_ovh.ir_cron_read_answers")
        self.assertEqual(sms.state, "sent")
        self.assertEqual(len(orphans), 2)
        self.assertFalse(orphans.exists())

    def test_reports_without_a_trigger(self):
        """What comes while the inbox is being treated is treated by the same run."""
        first, second = self._send(("+33611111111", "+33622222222"))
        self._report(first, 4, 1)
        looks = []

        def look_again(seconds):
            looks.append(seconds)
            if len(looks) == sms_ovh_event.LOOKS:
                self._report(second, 4, 1)

        with patch.object(sms_ovh_event.time, "sleep", look_again):
            self._process()
        self.assertEqual((first.state, second.state), ("sent", "sent"))
        # Longer than the time within which one trigger does for all.
        self.assertGreater(sum(looks), 2 * sms_ovh_event.WAKE_EVERY)

    def test_budget_of_queries(self):
        """The queries per drained report do not grow with their number."""
        Event = self.env["sms.ovh.event"]
        counts = []
        for index, count in enumerate((1, 10, 500)):
            mailing = self._create_mailing(self._numbers(count, 1000 * index))
            mailing.action_send_sms()
            self._run_cron("sms.ir_cron_sms_scheduler_action")
            # Checks whose ids are whose, once for all reports.
            self._run_cron("sms_ovh.ir_cron_post_jobs")
            trackers = mailing.mailing_trace_ids.sms_tracker_ids
            for number, tracker in enumerate(trackers):
                # Every tenth is a failure.
                ptt, dlr = (8, 2) if number % 10 == 9 else (4, 1)
                self._report(tracker, ptt, dlr)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            Event._process_next(0)
            self.env.flush_all()
            counts.append(self.cr.sql_log_count - before)
            states = mailing.mailing_trace_ids.mapped("trace_status")
            self.assertEqual(states.count("sent"), count - count // 10)
            self.assertEqual(states.count("error"), count // 10)
        self.assertLessEqual(max(counts), 80, counts)
        # Failures are a second set; an UPDATE of the ORM takes 100 records.
        self.assertLessEqual(counts[2] - counts[1], 25, counts)

    def test_forward_only(self):
        """Whatever comes after the final report changes nothing."""
        for first, second, state in [
            ((4, 1), (3, 4), "sent"),
            ((4, 1), (20, 2), "sent"),
            ((4, 1), (4, 1), "sent"),
            ((20, 2), (3, 4), "error"),
            ((20, 2), (4, 1), "sent"),
        ]:
            for together in (True, False):
                with self.subTest(first=first, second=second, together=together):
                    sms = self._send()
                    self._report(sms, *first)
                    if not together:
                        self._process()
                    self._report(sms, *second)
                    self._process()
                    self.assertEqual(sms.state, state)
                    self.assertEqual(
                        self._notification(sms).notification_status,
                        {"sent": "sent", "error": "exception"}[state],
                    )
        states = set(self.env["sms.ovh.event"].search([]).mapped("state"))
        self.assertEqual(states, {"done", "late"})

    def test_status_under_both_names(self):
        for name in ("description", "dlr"):
            with self.subTest(name=name):
                sms = self._send()
                self._receive(id=sms.sms_ovh_id, ptt="4", **{name: "1"})
                self._process()
                self.assertEqual(sms.state, "sent")

    def test_status_without_ptt_and_ptt_without_status(self):
        for params, state in [
            ({"dlr": "1"}, "sent"),
            ({"ptt": "4"}, "sent"),
            ({"dlr": "2"}, "error"),
            ({"ptt": "999"}, "pending"),
            ({"ptt": "999", "dlr": "2"}, "error"),
            ({"ptt": "nonsense", "dlr": ""}, "pending"),
            ({"ptt": "24", "dlr": "8"}, "pending"),
        ]:
            with self.subTest(**params):
                sms = self._send()
                self._receive(id=sms.sms_ovh_id, **params)
                self._process()
                self.assertEqual(sms.state, state)

    def test_tables(self):
        """Every code leads to a state and a failure type that all models know."""
        failure_types = dict(self.env["sms.sms"]._fields["failure_type"].selection)
        for ptt, (state, failure_type) in const.PTT_TO_STATE.items():
            self.assertIn(state, const.STATE_RANK, ptt)
            self.assertEqual(bool(failure_type), state == "error", ptt)
            if failure_type:
                self.assertIn(failure_type, failure_types)
                self.assertIn(failure_type, self.env["sms.sms"].DELIVERY_ERRORS)

    def test_report_before_its_sms_waits(self):
        event = self._receive(id="424242", ptt="4", description="1")
        self._process()
        self.assertEqual(event.state, "waiting")
        sms = self._send()
        sms.sms_tracker_id.sms_ovh_id = sms.sms_ovh_id = "424242"
        self._process()
        self.assertEqual((event.state, sms.state), ("done", "sent"))

    def test_report_on_another_account_is_not_ours(self):
        """An id is an account's own: another's report does not touch it."""
        sms = self._send()
        other = self.env["res.company"].create({"name": "Autre"})
        account = self.account.copy({"company_id": other.id, "service_name": "sms-x-9"})
        self._receive(account, id=sms.sms_ovh_id, ptt="4", description="1")
        self._process()
        self.assertEqual(sms.state, "pending")

    def test_unknown_report_is_set_aside_in_the_end(self):
        event = self._receive(id="1", ptt="4")
        self.env.cr.execute(
            "UPDATE sms_ovh_event SET create_date = create_date - interval '2 days'"
            " WHERE id = %s",
            [event.id],
        )
        event.invalidate_recordset()
        self._process()
        self.assertEqual(event.state, "ignored")
        self.env.cr.execute(
            "UPDATE sms_ovh_event SET create_date = create_date - interval '40 days'"
            " WHERE id = %s",
            [event.id],
        )
        event.invalidate_recordset()
        self.env["sms.ovh.event"]._gc_events()
        self.assertFalse(event.exists())

    def test_sms_that_is_gone(self):
        """The daily clean-up deletes sent SMS; their notifications still move."""
        sms = self._send()
        notification = self._notification(sms)
        tracker = sms.sms_tracker_id
        self._report(sms, 4, 1)
        sms.unlink()
        self._process()
        self.assertEqual(notification.notification_status, "sent")
        self.assertEqual(tracker.sms_ovh_ptt, 4)

    def test_campaign(self):
        mailing = self._create_mailing(list(FINAL_MAGIC))
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        callbacks = self.simulator.pop_callbacks(count=2 * len(FINAL_MAGIC))
        for callback in callbacks:
            query = dict(
                pair.split("=", 1)
                for pair in urlsplit(callback["url"]).query.split("&")
            )
            self._receive(**query)
        self._process()
        for trace in mailing.mailing_trace_ids:
            state, failure_type = FINAL_MAGIC[trace.sms_number]
            with self.subTest(number=trace.sms_number):
                self.assertEqual(trace.failure_type, failure_type)
                self.assertEqual(
                    trace.trace_status,
                    "bounce"
                    if failure_type in self.env["sms.sms"].BOUNCE_DELIVERY_ERRORS
                    else state,
                )
                self.assertEqual(trace.sms_id.state or state, state)

    # ------------------------------------------------------------
    # What reports missed
    # ------------------------------------------------------------

    def _poll(self, sms):
        """Let the next inquiry be due, and make it."""
        sms.sms_tracker_id.sms_ovh_poll_at = fields.Datetime.now()
        self._run_cron("sms_ovh.ir_cron_poll")

    def test_missing_reports_are_asked_for(self):
        self.simulator.configure(callback_mode="off")
        sms = self._send(["+33612340001", "+33612340023", "+33612340100"])
        trackers = sms.sms_tracker_id
        self.assertTrue(all(trackers.mapped("sms_ovh_poll_at")))
        self._run_cron("sms_ovh.ir_cron_poll")
        self.assertEqual(set(sms.mapped("state")), {"pending"}, "not due yet")
        self._poll(sms)
        self.assertEqual(sms.mapped("state"), ["sent", "error", "pending"])
        self.assertEqual(sms[1].failure_type, "sms_invalid_destination")
        self.assertEqual(
            [bool(tracker.sms_tracker_id.sms_ovh_poll_at) for tracker in sms],
            [False, False, True],
        )

    def test_no_report_in_the_end(self):
        self.simulator.configure(callback_mode="off")
        sms = self._send(["+33612340100"])
        tracker = sms.sms_tracker_id
        for count in range(1, len(const.POLL_AFTER) + 1):
            self.assertFalse(tracker.sms_ovh_no_report)
            self._poll(sms)
            self.assertEqual(tracker.sms_ovh_poll_count, count)
        self.assertTrue(tracker.sms_ovh_no_report)
        self.assertFalse(tracker.sms_ovh_poll_at)
        self.assertEqual(sms.state, "pending")
        # It may come after all.
        self._report(sms, 4, 1)
        self._process()
        self.assertEqual(sms.state, "sent")
        self.assertFalse(tracker.sms_ovh_no_report)

    def test_a_report_ends_the_asking(self):
        sms = self._send()
        self._report(sms, 4, 1)
        self._process()
        self.assertFalse(sms.sms_tracker_id.sms_ovh_poll_at)

    def test_ovhcloud_cannot_be_asked(self):
        self.simulator.configure(callback_mode="off")
        sms = self._send()
        self.simulator.order_faults({"kind": "500", "path": "/outgoing"})
        with mute_logger("odoo.addons.sms_ovh.models.sms_tracker"):
            self._poll(sms)
        self.assertEqual(sms.state, "pending")
        self.assertTrue(sms.sms_tracker_id.sms_ovh_poll_at)


@tagged("-at_install", "post_install")
class TestDeliveryRoute(SmsOvhCase, HttpCase):
    """The route that OVHcloud calls."""

    def _open(self, token, method="GET", **params):
        url = f"{self.base_url()}/sms_ovh/{token}/delivery"
        with self.allow_requests(all_requests=True):
            return requests.request(
                method,
                url,
                timeout=30,
                **({"params": params} if method == "GET" else {"data": params}),
            )

    def _events(self):
        return self.env["sms.ovh.event"].search([])

    def test_get_and_post(self):
        for method in ("GET", "POST"):
            with self.subTest(method=method):
                self._events().unlink()
                response = self._open(
                    self.account.callback_token,
                    method,
                    id="42",
                    ptt="4",
                    description="1",
                    descriptionDlr="Livré à l'opérateur",
                    date="20261122103000",
                )
                self.assertEqual(response.status_code, 200)
                event = self._events()
                self.assertEqual(
                    (event.account_id, event.sms_ovh_id, event.ptt, event.dlr),
                    (self.account, "42", 4, 1),
                )
                self.assertEqual(event.payload["descriptionDlr"], "Livré à l'opérateur")
                self.assertFalse(response.cookies)

    def test_wrong_token(self):
        for token in ("wrong", self.account.callback_token[:-1], "False", "%00"):
            for method in ("GET", "POST"):
                with self.subTest(token=token, method=method):
                    response = self._open(token, method, id="42", ptt="4")
                    self.assertEqual(response.status_code, 404)
        self.assertFalse(self._events())

    def test_missing_token(self):
        with self.allow_requests(all_requests=True):
            for path in ("/sms_ovh//delivery", "/sms_ovh/delivery"):
                response = requests.get(f"{self.base_url()}{path}?id=1", timeout=30)
                self.assertEqual(response.status_code, 404)
        self.assertFalse(self._events())

    def test_nonsense_is_answered_200(self):
        for params in (
            {},
            {"id": ""},
            {"id": "42", "ptt": "x" * 5000, "dlr": "-1"},
            {"id": "4" * 500},
            {"id": "42", "ptt": "99999999999999999999"},
            {"id": "4\x002", "ptt": "4", "a\x00b": "c\x00d"},
            {"id": "42", "ptt": "４"},
        ):
            with self.subTest(params=str(params)[:60]):
                response = self._open(self.account.callback_token, **params)
                self.assertEqual(response.status_code, 200)
        response = self._open(
            self.account.callback_token, "POST", id="43", junk="x" * 100_000
        )
        self.assertEqual(response.status_code, 200)
        self.assertNotIn("43", self._events().mapped("sms_ovh_id"))

    def test_from_ovhcloud_to_delivered(self):
        """The simulator itself calls: an SMS sent turns to delivered."""
        self.account.action_register_callbacks()
        self.assertIn(self.base_url(), self.account.delivery_url)
        sms = self._create_sms(["+33611111111"])
        sms.send()
        self._commit()
        callbacks = self.simulator.pop_callbacks(count=2)
        with self.allow_requests(all_requests=True):
            for callback in callbacks:
                self.assertTrue(
                    callback["url"].startswith(self.account.delivery_url), callback
                )
                response = requests.request(
                    callback["method"], callback["url"], timeout=30
                )
                self.assertEqual(response.status_code, 200)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.assertEqual(sms.state, "sent")

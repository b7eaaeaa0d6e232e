"""Whatever befalls an SMS, wherever it stands: what is sent, what is shown, nothing else.

A campaign to two contacts, an SMS in a contact's chatter and one to a bare number are
brought to each of `STATES`; then each of `ACTIONS` happens; then everything runs until
nothing is left to do. `OUTCOMES` says what must have come of it.
"""

import re
from unittest.mock import patch

from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.sms.tools.sms_api import SmsApi

from .common import DAY, KEYS_2, SERVICE_2, SmsOvhCase, last_night

# Working hours of advertising, and when OVHcloud holds SMS with the STOP clause back.
CRONS = (
    "mass_mailing.ir_cron_mass_mailing_queue",
    "sms.ir_cron_sms_scheduler_action",
    "sms_ovh.ir_cron_post_jobs",
    "sms_ovh.ir_cron_cancel",
    "sms_ovh.ir_cron_poll",
)
# Rounds of all crons after which nothing may be left to do.
ROUNDS = 6
LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)

# Where the SMS stand: in Odoo's queue; in the outbox, not posted; posted without an
# answer, and OVHcloud has it or not; held back at OVHcloud; gone, with its report.
STATES = ("queued", "outbox", "unknown_lost", "unknown_taken", "held", "delivered")

# Whom what happens is about: the two contacts of the campaign, the one of the chatter,
# the bare number.
ALL = ("first", "second", "chatter", "number")
CAMPAIGN = ("first", "second")
ACTIONS = {
    "delete_sms": ALL,
    "delete_campaign": CAMPAIGN,
    "archive_campaign": CAMPAIGN,
    "cancel": ALL,
    "pause_and_delete": CAMPAIGN,
    "delete_account": ALL,
    "archive_account": ALL,
    "change_account": ALL,
    "leave_ovhcloud": ALL,
    "opt_out": ("first",),
    "stop": ("first",),
    "delete_contact": ("first", "chatter"),
}

# What may come of those whom it is about. The others get their SMS, once.
#   closed    never sent
#   recalled  OVHcloud had it, and cancelled it
#   left      sent once
CLOSED, RECALLED, LEFT = {"closed"}, {"recalled"}, {"left"}
# What another's action does not have to wait for: OVHcloud may have sent it meanwhile.
EITHER = {"recalled", "left"}
#                    queued  outbox  lost    taken  held      delivered
OUTCOMES = {
    "delete_sms": (CLOSED, CLOSED, CLOSED, LEFT, RECALLED, LEFT),
    "delete_campaign": (CLOSED, CLOSED, CLOSED, LEFT, RECALLED, LEFT),
    "archive_campaign": (CLOSED, CLOSED, CLOSED, LEFT, RECALLED, LEFT),
    "cancel": (CLOSED, CLOSED, CLOSED, LEFT, RECALLED, LEFT),
    "pause_and_delete": (CLOSED, CLOSED, CLOSED, LEFT, RECALLED, LEFT),
    "delete_account": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
    "archive_account": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
    "change_account": (LEFT, LEFT, LEFT, LEFT, LEFT, LEFT),
    "leave_ovhcloud": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
    "opt_out": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
    "stop": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
    "delete_contact": (CLOSED, CLOSED, CLOSED, LEFT, EITHER, LEFT),
}
# May be refused instead, by a sentence that says what to do; then all get their SMS.
REFUSABLE = {
    "delete_sms",
    "delete_campaign",
    "archive_campaign",
    "pause_and_delete",
    "delete_account",
    "archive_account",
    "change_account",
    "leave_ovhcloud",
    "delete_contact",
}
# Who does these is told how many SMS that stopped, where it was some.
TOLD = REFUSABLE - {"change_account"}
# What SMS, traces and notifications may say in the end.
SHOWN = {
    "closed": {"canceled", "cancel", "error", "exception"},
    "recalled": {"canceled", "cancel"},
    "left": {"pending", "sent", "open"},
}


@tagged("-at_install", "post_install")
class TestLifeCycle(SmsOvhCase):
    """See `OUTCOMES`. Each cell is a test of its own."""

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        self.simulator.set_clock(DAY)
        self.iap = []

        def send(api, messages, delivery_reports_url=False):
            numbers = [info for message in messages for info in message["numbers"]]
            self.iap.extend(info["number"] for info in numbers)
            return [{"uuid": info["uuid"], "state": "success"} for info in numbers]

        patcher = patch.object(SmsApi, "_send_sms_batch", send)
        patcher.start()
        self.addCleanup(patcher.stop)

        self.told = []
        original = type(self.env["bus.bus"])._sendone

        def send_one(bus, target, notification_type, message):
            if notification_type == "simple_notification":
                self.told.append(message["message"])
            return original(bus, target, notification_type, message)

        patcher = patch.object(type(self.env["bus.bus"]), "_sendone", send_one)
        patcher.start()
        self.addCleanup(patcher.stop)

    # ------------------------------------------------------------
    # How it comes about
    # ------------------------------------------------------------

    def _create_all(self):
        """Queue the SMS: `self.numbers`, and the SMS by whom they are to."""
        self.numbers = dict(zip(ALL, self._numbers(len(ALL)), strict=True))
        self.mailing = self._create_mailing([self.numbers[role] for role in CAMPAIGN])
        self.mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.partner = self.env["res.partner"].create(
            {
                "name": "Zoé",
                "phone": self.numbers["chatter"],
                "country_id": self.france.id,
            }
        )
        self.partner.with_context(sms_ovh_kind="marketing")._message_sms(
            "Bonjour", put_in_queue=True
        )
        self._create_sms([self.numbers["number"]], sms_ovh_kind="marketing")
        self.env.invalidate_all()
        found = {
            sms.number: sms
            for sms in self.env["sms.sms"].search(
                [("number", "in", list(self.numbers.values()))]
            )
        }
        self.sms = {role: found[number] for role, number in self.numbers.items()}
        self.uuids = {role: sms.uuid for role, sms in self.sms.items()}
        self.trackers = {
            role: self.env["sms.tracker"].search([("sms_uuid", "=", uuid)])
            for role, uuid in self.uuids.items()
        }
        self.traces = {
            role: tracker.mailing_trace_id for role, tracker in self.trackers.items()
        }
        self.notifications = {
            role: tracker.mail_notification_id
            for role, tracker in self.trackers.items()
        }
        self.assertTrue(self.traces["first"] and self.traces["second"])
        self.assertTrue(self.notifications["chatter"])

    @property
    def _all_sms(self):
        return self.env["sms.sms"].union(*self.sms.values())

    def _bring_to(self, state):
        self._create_all()
        if state == "queued":
            self.assertEqual(set(self._all_sms.mapped("state")), {"outgoing"})
            return
        if state == "held":
            self.simulator.set_clock(last_night())
        elif state.startswith("unknown"):
            fault = {"kind": "cut_after", "accept": True}
            if state == "unknown_lost":
                fault = {"kind": "502_html", "accept": False}
            self.simulator.order_faults({**fault, "path": "/jobs$", "times": None})
        self._all_sms.send()
        self.assertEqual(set(self._all_sms.mapped("state")), {"process"})
        if state == "outbox":
            return  # posted after the commit, if at all
        with mute_logger(*LOGGERS):
            self._commit()
        self.simulator._call("DELETE", "faults")
        self.env.invalidate_all()
        if state.startswith("unknown"):
            self.assertEqual(set(self._get_jobs().mapped("state")), {"unknown"})
            self.assertEqual(set(self._all_sms.mapped("state")), {"process"})
            return
        self.assertEqual(set(self._all_sms.mapped("state")), {"pending"})
        if state == "delivered":
            self._end_reports()
            self.assertEqual(self.traces["first"].trace_status, "sent")

    def _get_jobs(self):
        return self.env["sms.ovh.job"].search(
            [("account_id.company_id", "=", self.company.id)]
        )

    def _end_reports(self):
        """Have OVHcloud asked for what is sent, as later crons would."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE sms_tracker SET sms_ovh_poll_at = now() AT TIME ZONE 'UTC'"
            " WHERE sms_ovh_poll_at IS NOT NULL"
        )
        self.env.invalidate_all()
        self._run_cron("sms_ovh.ir_cron_poll")
        self.env.invalidate_all()

    def _go_on(self):
        """Let time pass until nothing is left to do."""
        for round_number in range(ROUNDS):
            if round_number == ROUNDS - 3:
                # Who has held it back sends it.
                self.simulator.set_clock(DAY)
            with mute_logger(*LOGGERS):
                self._commit()
                for cron in CRONS:
                    self._run_cron(cron)
            # What waits for its time.
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE sms_ovh_job SET next_attempt = NULL"
                " WHERE state IN ('queued', 'unknown')"
            )
            self.env.invalidate_all()
        self._end_reports()

    # ------------------------------------------------------------
    # What happens
    # ------------------------------------------------------------

    def _do_delete_sms(self):
        self._all_sms.unlink()

    def _do_delete_campaign(self):
        self.mailing.unlink()

    def _do_archive_campaign(self):
        self.mailing.action_archive()

    def _do_cancel(self):
        if self.mailing.sms_ovh_can_cancel:
            self.mailing.action_sms_ovh_cancel()
        (self.sms["chatter"] | self.sms["number"]).action_set_canceled()

    def _do_pause_and_delete(self):
        self.mailing.action_sms_ovh_pause()
        self.mailing.unlink()

    def _do_delete_account(self):
        """Refused while a company uses it: so it leaves first."""
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.account.unlink()
        self.company.sms_ovh_account_id = False
        self.account.unlink()

    def _do_archive_account(self):
        self.account.action_archive()

    def _do_change_account(self):
        other = self._create_account(self.company, SERVICE_2, KEYS_2, connect=False)
        other.action_synchronise()
        self.company.sms_ovh_account_id = other

    def _do_leave_ovhcloud(self):
        self.company.sms_ovh_account_id = False

    def _do_opt_out(self):
        contact = self.env["mailing.contact"].search(
            [("mobile", "=", self.numbers["first"])]
        )
        contact.subscription_ids.opt_out = True

    def _do_stop(self):
        self.env["phone.blacklist"].add(self.numbers["first"])

    def _do_delete_contact(self):
        self.env["mailing.contact"].search(
            [("mobile", "=", self.numbers["first"])]
        ).unlink()
        self.partner.unlink()

    # ------------------------------------------------------------
    # What came of it
    # ------------------------------------------------------------

    def _get_outcome(self, role):
        """Return what OVHcloud and Odoo's own service did with an SMS."""
        entries = self.simulator.get_ledger(receiver=self.numbers[role])
        cancelled = [entry for entry in entries if entry["status"] == "cancelled"]
        count = len(entries) - len(cancelled) + self.iap.count(self.numbers[role])
        if count > 1:
            return f"sent {count} times"
        if count:
            return "left"
        return "recalled" if cancelled else "closed"

    def _get_shown(self, role):
        """Return what is shown of an SMS, by where; nothing where that is deleted."""
        shown = {
            "sms": self.sms[role].exists().state,
            "trace": self.traces[role].exists().trace_status,
            "notification": self.notifications[role].exists().notification_status,
        }
        return {where: value for where, value in shown.items() if value}

    def _assert_outcomes(self, state, action, refused):
        outcomes = {role: self._get_outcome(role) for role in ALL}
        shown = {role: self._get_shown(role) for role in ALL}
        allowed = {
            role: OUTCOMES[action][STATES.index(state)]
            if role in ACTIONS[action] and not refused
            else LEFT
            for role in ALL
        }
        wrong = {
            role: outcomes[role] for role in ALL if outcomes[role] not in allowed[role]
        }
        self.assertFalse(wrong, f"allowed: {allowed}, shown: {shown}")
        untrue = {}
        for role in ALL:
            may = set(SHOWN[outcomes[role]])
            if action == "delete_account" and state.startswith("unknown"):
                # Nobody can be asked any more whether it left.
                may.add("error")
                may.add("exception")
            if not set(shown[role].values()) <= may:
                untrue[role] = shown[role]
        self.assertFalse(untrue, f"what is shown is not what came of it: {outcomes}")

    def _assert_nothing_in_between(self):
        numbers = list(self.numbers.values())
        sms = self.env["sms.sms"].search([("number", "in", numbers)])
        self.assertFalse(set(sms.mapped("state")) & {"outgoing", "process"})
        left = {
            "traces": self.env["mailing.trace"].search(
                [
                    ("sms_number", "in", numbers),
                    ("trace_status", "in", ("outgoing", "process")),
                ]
            ),
            "notifications": self.env["mail.notification"].search(
                [
                    ("sms_number", "in", numbers),
                    ("notification_status", "in", ("ready", "process")),
                ]
            ),
            "jobs": self._get_jobs().filtered(
                lambda job: job.state in ("queued", "posting", "unknown")
            ),
            "cancellations": self.env["sms.tracker"].search(
                [
                    ("sms_uuid", "in", list(self.uuids.values())),
                    ("sms_ovh_cancel", "in", ("requested", "deleting")),
                ]
            ),
            "polled for nobody": self.env["sms.tracker"].search(
                [
                    ("sms_uuid", "in", list(self.uuids.values())),
                    ("sms_ovh_poll_at", "!=", False),
                    ("sms_ovh_account_id", "=", False),
                ]
            ),
        }
        self.assertFalse({name for name, records in left.items() if records})
        mailing = self.mailing.exists()
        if mailing:
            self.assertIn(mailing.state, ("done", "draft"))
            self.assertNotEqual(mailing.sms_ovh_cancel_state, "cancelling")
            self.assertFalse(mailing.sms_ovh_composing)

    def _live(self, state, action):
        self._bring_to(state)
        refused = False
        try:
            with self.env.cr.savepoint():
                getattr(self, f"_do_{action}")()
                self.env.flush_all()
        except (UserError, RedirectWarning) as error:
            if action not in REFUSABLE:
                raise
            refused = True
            self.assertGreater(len(error.args[0]), 20, "it says what to do")
        if action in TOLD and state in ("queued", "outbox") and not refused:
            # Each deletion tells of its own.
            told = sum(
                int(number)
                for message in self.told
                for number in re.findall(r"\b\d+\b", message)
            )
            self.assertEqual(told, len(ACTIONS[action]), f"told: {self.told}")
        self._go_on()
        self._assert_outcomes(state, action, refused)
        self._assert_nothing_in_between()

    def test_bare_numbers_are_asked_for_as_well(self):
        """What became of an SMS is read without a report, whomever it is to."""
        self._bring_to("delivered")
        self.assertEqual(
            {role: sms.state for role, sms in self.sms.items()},
            dict.fromkeys(ALL, "sent"),
        )


def _add_cell(state, action):
    def test(self):
        self._live(state, action)

    test.__doc__ = f"{state}, then {action}"
    setattr(TestLifeCycle, f"test_{action}_when_{state}", test)


for _action in ACTIONS:
    for _state in STATES:
        _add_cell(_state, _action)

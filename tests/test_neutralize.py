import re
from datetime import timedelta

from odoo import Command, fields
from odoo.modules.neutralize import neutralize_database
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import KEYS_1, SmsOvhCase

# Names of fields that hold something to be let in with.
SECRET_REGEX = re.compile(r"password|secret|token|_key$|_state$|client_id|login")
# Those that such a name does not make one.
NO_SECRETS = {
    ("sms.ovh.account", "callback_state"),
    ("sms.ovh.account", "stop_callback_state"),
    ("sms.ovh.account", "reply_callback_state"),
    # Without its password, which Odoo does not keep, it opens nothing.
    ("sms.ovh.user", "login"),
    ("sms.ovh.user.create", "login"),
}
FAR = timedelta(days=365)


@tagged("-at_install", "post_install")
class TestNeutralize(SmsOvhCase):
    """A neutralised copy of a database sends nothing and calls nobody."""

    def setUp(self):
        super().setUp()
        self.account.action_synchronise()
        # Of all ways to connect, each secret that there can be.
        self.account.write(
            {
                "client_id": "EU.demoserviceaccount1",
                "client_secret": "democlientsecret1democlientsecret1",
                "http_login": "compta",
                "http_password": "demo1234",
                "pending_consumer_key": "pendingconsumerkey",
                "connect_state": "0" * 64,
            }
        )
        self.account.action_synchronise()
        self.creation = self.env["sms.ovh.user.create"].create(
            {"account_id": self.account.id, "login": "x", "password": "Abcdefg1"}
        )
        self.env.flush_all()

    def _neutralize(self):
        """Do to this database what ``odoo-bin neutralize`` does."""
        self.env.flush_all()
        neutralize_database(self.env.cr)
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()

    def _count_calls(self):
        """Return how many calls the simulated OVHcloud got, of whatever kind."""
        return sum(self.simulator.get_state()["requests"].values())

    def _send_everything(self):
        """Have everything run that sends or asks, whether it is due or not."""
        crons = self.env["ir.cron"].with_context(active_test=False).search([])
        own = self.env["ir.model.data"].search(
            [("module", "in", ("sms_ovh", "sms", "mass_mailing"))]
        )
        crons = crons.browse(
            own.filtered(lambda data: data.model == "ir.cron").mapped("res_id")
        )
        self.assertGreaterEqual(len(crons), 8)
        self.env["sms.tracker"].search([]).sms_ovh_poll_at = "2020-01-01"
        for cron in crons:
            with self.enter_registry_test_mode():
                cron.with_user(self.env.ref("base.user_root")).sudo(
                    False
                ).method_direct_trigger()
        self._commit()

    def test_no_secret_is_left(self):
        secret_fields = [
            field
            for field in self.env["ir.model.fields"]
            .search(
                [
                    ("store", "=", True),
                    ("ttype", "in", ("char", "text")),
                ]
            )
            .filtered(lambda field: "sms_ovh" in field.modules.split(", "))
            if (
                SECRET_REGEX.search(field.name)
                or self.env[field.model]._fields[field.name].groups
            )
            and (field.model, field.name) not in NO_SECRETS
        ]
        names = {(field.model, field.name) for field in secret_fields}
        self.assertLessEqual(
            {("sms.ovh.account", name) for name in KEYS_1}
            | {("sms.ovh.user.create", "password")},
            names,
        )
        before = {}
        for field in secret_fields:
            for record in self.env[field.model].search([]):
                if record[field.name]:
                    before[record, field.name] = record[field.name]
        before.pop((self.account, "endpoint_url"))
        self.assertEqual(
            {name for record, name in before if record == self.account},
            {name for model, name in names if model == "sms.ovh.account"}
            - {"endpoint_url"},
        )
        self._neutralize()
        for (record, name), value in before.items():
            with self.subTest(model=record._name, field=name):
                if name == "callback_token":
                    self.assertGreaterEqual(len(record[name]), 32)
                    self.assertNotEqual(record[name], value)
                else:
                    self.assertFalse(record[name])

    def test_scheduled_actions_are_off(self):
        own = self.env["ir.model.data"].search(
            [("module", "=", "sms_ovh"), ("model", "=", "ir.cron")]
        )
        crons = self.env["ir.cron"].browse(own.mapped("res_id"))
        self.assertGreaterEqual(len(crons), 6)
        self.assertTrue(all(crons.mapped("active")))
        self._neutralize()
        self.assertFalse(any(crons.mapped("active")))

    def test_nothing_leaves(self):
        queued = self._create_sms(self._numbers(2))
        claimed = self._create_sms(self._numbers(2, 10))
        queued_job = claimed._sms_ovh_claim()
        unknown = self._create_sms(self._numbers(1, 20))
        unknown_job = unknown._sms_ovh_claim()
        unknown_job.state = "posting"
        unknown_job.write({"state": "unknown", "next_attempt": fields.Datetime.now()})
        planned = self._create_mailing(self._numbers(2, 30))
        planned.write(
            {
                "schedule_type": "scheduled",
                "schedule_date": fields.Datetime.now() + FAR,
                "state": "in_queue",
            }
        )
        begun = self._create_mailing(self._numbers(2, 40))
        begun.action_send_sms()
        begun.state = "sending"
        traces = begun.mailing_trace_ids
        self.assertEqual(set(traces.mapped("trace_status")), {"outgoing"})
        sent = self._create_sms(self._numbers(1, 50))
        sent.send()
        self._commit()
        self.assertEqual(sent.state, "pending")
        other_company = self.env["res.company"].create({"name": "Autre"})
        other = self._create_sms(
            self._numbers(1, 60), record_company_id=other_company.id
        )
        calls = self._count_calls()
        ledger = len(self.simulator.get_ledger())
        self.assertEqual(ledger, 1)

        self._neutralize()
        self.assertEqual(
            set((queued + claimed + unknown).mapped("state")), {"canceled"}
        )
        self.assertEqual(set((queued_job + unknown_job).mapped("state")), {"cancelled"})
        self.assertEqual((planned.state, begun.state), ("draft", "done"))
        self.assertEqual(set(traces.mapped("trace_status")), {"cancel"})
        self.assertEqual(other.state, "outgoing")
        self.assertEqual(sent.state, "pending")
        other.unlink()  # Odoo's own service would be called for it
        with mute_logger("odoo.addons.sms_ovh.models.sms_ovh_job"):
            self._send_everything()
            self.account.action_test_connection()
            self._create_sms(self._numbers(1, 70)).send()
            self._commit()
        self.assertEqual(self._count_calls(), calls)

        # A key of one's own does not bring the past's SMS back.
        self.account.write(KEYS_1)
        self.account.action_synchronise()
        self.account.action_resume()
        self._send_everything()
        receivers = {sms["receiver"] for sms in self.simulator.get_ledger()}
        self.assertLessEqual(receivers, {*self._numbers(1, 50), *self._numbers(1, 70)})

    def test_nothing_is_called_back(self):
        """What the original asked OVHcloud to cancel is the original's to cancel."""
        mailing = self._create_mailing(self._numbers(2))
        mailing.action_send_sms()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        trackers = mailing.mailing_trace_ids.sms_tracker_ids
        self.assertEqual(len(trackers), 2)
        trackers.sms_ovh_cancel = "requested"
        mailing.sms_ovh_cancel_state = "cancelling"
        self._neutralize()
        self.assertFalse(any(trackers.mapped("sms_ovh_cancel")))
        self.assertEqual(mailing.sms_ovh_cancel_state, "cancelled")
        self.account.write(KEYS_1)
        self.account.action_synchronise()
        self._send_everything()
        requests = self.simulator.get_state()["requests"]
        self.assertFalse([route for route in requests if route.startswith("DELETE")])

    def test_old_addresses_are_unknown(self):
        """OVHcloud, which knows the original's addresses, cannot reach the copy."""
        token = self.account.callback_token
        self._neutralize()
        Account = self.env["sms.ovh.account"]
        self.assertFalse(Account._find_by_token(token))
        self.assertTrue(Account._find_by_token(self.account.callback_token))

    def test_approval_under_way_is_lost(self):
        self._neutralize()
        self.assertFalse(self.account._finish_connection())
        self.assertFalse(self.account.connect_user_id)

    def test_twice_does_no_harm(self):
        self._neutralize()
        self._neutralize()
        self.assertEqual(self.account.state, "draft")

    def test_users_of_the_account_stay(self):
        """What is no secret is kept: a copy is made to look at it."""
        senders = self.account.sender_ids
        self.account.credit_warning_user_ids = [Command.link(self.env.uid)]
        self._neutralize()
        self.assertEqual(self.account.sender_ids, senders)
        self.assertEqual(self.company.sms_ovh_account_id, self.account)

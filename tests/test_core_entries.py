"""What is promised of every way on which core sends SMS, whoever overrides what.

Nothing is posted before the commit of who asked for it; after it, each SMS once.
"""

from collections import Counter
from contextlib import suppress
from unittest.mock import patch

from odoo import Command
from odoo.tests import tagged

from odoo.addons.sms.tools.sms_api import SmsApi

from .common import SmsOvhCase

CRONS = (
    "mass_mailing.ir_cron_mass_mailing_queue",
    "sms.ir_cron_sms_scheduler_action",
    "sms_ovh.ir_cron_post_jobs",
)


class RolledBack(Exception):
    """Who asked for SMS fails afterwards."""


class PromiseCase(SmsOvhCase):
    """Each method ``_way_...`` sends to `numbers`, as users and other addons do.

    Those that commit on their own, since they run in a cron, are none of them.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Nothing else is in the queue.
        cls.env["sms.sms"].search([]).unlink()
        cls.iap = []

        def send(api, messages, delivery_reports_url=False):
            cls.iap.append((messages, delivery_reports_url))
            return [
                {"uuid": info["uuid"], "state": "success", "credit": 0}
                for message in messages
                for info in message["numbers"]
            ]

        cls.classPatch(SmsApi, "_send_sms_batch", send)

    def setUp(self):
        super().setUp()
        self.iap.clear()
        self._next = 0

    # ------------------------------------------------------------
    # What happens
    # ------------------------------------------------------------

    def _new_numbers(self, count):
        """Return numbers that no other way sends to."""
        self._next += count
        return self._numbers(count, first=self._next - count)

    def _partners(self, numbers):
        return self.env["res.partner"].create(
            [
                {
                    "name": number,
                    "phone": number,
                    "country_id": self.france.id,
                    "company_id": self.company.id,
                }
                for number in numbers
            ]
        )

    def _run_all(self):
        """Commit, and run all that sends, twice: what is sent is not sent again."""
        for __ in range(2):
            self._commit()
            for cron in CRONS:
                self._run_cron(cron)
        self.env.invalidate_all()

    def _sent_by_ovh(self):
        return Counter(entry["receiver"] for entry in self.simulator.get_ledger())

    def _sent_by_iap(self):
        return Counter(
            info["number"]
            for messages, __ in self.iap
            for message in messages
            for info in message["numbers"]
        )

    def _get_ways(self):
        """Return name and method of each way."""
        ways = [
            (name.removeprefix("_way_"), getattr(self, name))
            for name in sorted(dir(self))
            if name.startswith("_way_")
        ]
        self.assertGreaterEqual(len(ways), 15)
        if "base.automation" not in self.env:
            ways = [way for way in ways if way[0] != "automation"]
        return ways

    # ------------------------------------------------------------
    # Methods of the queue
    # ------------------------------------------------------------

    def _way_send(self, numbers):
        self._create_sms(numbers).send()

    def _way_send_keeping_all(self, numbers):
        self._create_sms(numbers).send(unlink_sent=False, raise_exception=True)

    def _way_send_one_by_one(self, numbers):
        for sms in self._create_sms(numbers):
            sms.send()

    def _way_send_inner(self, numbers):
        """As addons do that skip `send`."""
        self._create_sms(numbers)._send()

    def _way_send_with_api(self, numbers):
        """As core does itself."""
        sms = self._create_sms(numbers)
        sms._send_with_api(self.company._get_sms_api_class()(self.env))

    def _way_send_with_api_of_the_context(self, numbers):
        sms = self._create_sms(numbers)
        sms_api = self.company._get_sms_api_class()(self.env)
        sms.with_context(sms_api=sms_api)._send()

    def _way_split_by_api(self, numbers):
        """As addons do that send in batches of their own."""
        for sms_api, sms in self._create_sms(numbers)._split_by_api():
            sms._send_with_api(sms_api)

    def _way_process_queue(self, numbers):
        """Core's one commit in it, by the cron, is that of who asked for it."""
        self._create_sms(numbers)
        with patch.object(
            type(self.env["ir.cron"]),
            "_commit_progress",
            lambda crons, processed=0, *, remaining=None, deactivate=False: 10.0,
        ):
            self.env["sms.sms"]._process_queue()

    def _way_left_in_the_queue(self, numbers):
        self._create_sms(numbers)

    def _way_resend_failed(self, numbers):
        sms = self._create_sms(numbers)
        sms.write({"state": "error", "failure_type": "sms_server"})
        sms.resend_failed()

    # ------------------------------------------------------------
    # The composer
    # ------------------------------------------------------------

    def _compose(self, numbers, **values):
        partners = self._partners(numbers)
        composer = self.env["sms.composer"].create(
            {
                "body": "Bonjour",
                "res_model": "res.partner",
                "res_ids": partners.ids,
                **values,
            }
        )
        composer.action_send_sms()

    def _way_composer_comment(self, numbers):
        self._compose(numbers, composition_mode="comment")

    def _way_composer_comment_single(self, numbers):
        for partner in self._partners(numbers):
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=partner.id
            ).create({"body": "Bonjour"}).action_send_sms()

    def _way_composer_mass(self, numbers):
        self._compose(numbers, composition_mode="mass")

    def _way_composer_mass_with_log(self, numbers):
        self._compose(numbers, composition_mode="mass", mass_keep_log=True)

    def _way_composer_mass_now(self, numbers):
        self._compose(numbers, composition_mode="mass", mass_force_send=True)

    def _way_composer_numbers(self, numbers):
        self.env["sms.composer"].create(
            {
                "body": "Bonjour",
                "composition_mode": "numbers",
                "numbers": ",".join(numbers),
            }
        ).action_send_sms()

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def _way_campaign(self, numbers):
        self._create_mailing(numbers).action_put_in_queue()

    def _way_campaign_at_once(self, numbers):
        """As *Send Now* of core, and marketing automation, call it."""
        mailing = self._create_mailing(numbers)
        mailing.action_send_sms(mailing._get_remaining_recipients())

    def _way_campaign_test(self, numbers):
        mailing = self._create_mailing([])
        self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": "\n".join(numbers)}
        ).action_send_sms()

    # ------------------------------------------------------------
    # Messages and actions
    # ------------------------------------------------------------

    def _template(self):
        return self.env["sms.template"].create(
            {
                "name": "Modèle",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Bonjour {{ object.name }}",
            }
        )

    def _action(self, method):
        return self.env["ir.actions.server"].create(
            {
                "name": "Envoyer un SMS",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_template_id": self._template().id,
                "sms_method": method,
            }
        )

    def _way_message_sms(self, numbers):
        for partner in self._partners(numbers):
            partner._message_sms("Bonjour")

    def _way_message_sms_to_numbers(self, numbers):
        partner = self._partners(self._new_numbers(1))
        partner._message_sms("Bonjour", sms_numbers=numbers)

    def _way_message_sms_in_the_queue(self, numbers):
        for partner in self._partners(numbers):
            partner._message_sms("Bonjour", put_in_queue=True)

    def _way_message_sms_with_template(self, numbers):
        template = self._template()
        for partner in self._partners(numbers):
            partner._message_sms_with_template(template)

    def _way_message_sms_schedule_mass(self, numbers):
        self._partners(numbers)._message_sms_schedule_mass(template=self._template())

    def _run_action(self, numbers, method):
        partners = self._partners(numbers)
        self._action(method).with_context(
            active_model="res.partner",
            active_ids=partners.ids,
            active_id=partners[0].id,
        ).run()

    def _way_server_action(self, numbers):
        self._run_action(numbers, "sms")

    def _way_server_action_with_note(self, numbers):
        self._run_action(numbers, "note")

    def _way_server_action_as_comment(self, numbers):
        self._run_action(numbers, "comment")

    def _way_automation(self, numbers):
        rule = self.env["base.automation"].create(
            {
                "name": "Bienvenue",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "trigger": "on_create",
                "action_server_ids": [Command.set(self._action("sms").ids)],
            }
        )
        self._partners(numbers)
        rule.active = False


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestCoreEntries(PromiseCase):
    """With an account."""

    def _assert_nothing_was_posted(self):
        self.assertEqual(self.simulator.count_jobs(), 0)
        self.assertFalse(self.simulator.get_ledger())

    def test_rolled_back(self):
        """Nobody gets an SMS that Odoo knows nothing of."""
        for name, way in self._get_ways():
            with self.subTest(way=name):
                self.simulator.reset()
                with suppress(RolledBack), self.env.cr.savepoint():
                    way(self._new_numbers(2))
                    self.env.flush_all()
                    self._assert_nothing_was_posted()
                    raise RolledBack
                self._run_all()
                self._assert_nothing_was_posted()
                self.assertFalse(self.iap)

    def test_committed(self):
        """Nothing before the commit; after it, exactly once."""
        for name, way in self._get_ways():
            with self.subTest(way=name):
                self.simulator.reset()
                numbers = self._new_numbers(3)
                way(numbers)
                self.env.flush_all()
                self._assert_nothing_was_posted()
                self._run_all()
                self.assertEqual(self._sent_by_ovh(), Counter(numbers))
                self.assertFalse(self.iap)

    def test_nothing_stays_in_between(self):
        """What left is no more in the queue, nor being processed."""
        for name, way in self._get_ways():
            with self.subTest(way=name):
                self.simulator.reset()
                numbers = self._new_numbers(2)
                way(numbers)
                self._run_all()
                sms = self.env["sms.sms"].search([("number", "in", numbers)])
                self.assertLessEqual(set(sms.mapped("state")), {"pending", "sent"})
                notifications = self.env["mail.notification"].search(
                    [("sms_number", "in", numbers)]
                )
                self.assertLessEqual(
                    set(notifications.mapped("notification_status")),
                    {"pending", "sent"},
                )
                traces = self.env["mailing.trace"].search(
                    [("sms_number", "in", numbers)]
                )
                self.assertLessEqual(
                    set(traces.mapped("trace_status")), {"pending", "sent"}
                )

    def test_campaign_to_these_only(self):
        """As automations send: the rest is nobody's, and who enters twice gets two."""
        for state in ("draft", "done"):
            with self.subTest(state=state):
                self.simulator.reset()
                numbers = self._new_numbers(5)
                mailing = self._create_mailing(numbers)
                mailing.state = state
                first = mailing._get_recipients()[0]
                for __ in range(2):
                    mailing.action_send_sms(res_ids=[first])
                    self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
                    self._run_all()
                self.assertEqual(mailing.state, state)
                self.assertEqual(
                    [entry["receiver"] for entry in self.simulator.get_ledger()],
                    [mailing.mailing_trace_ids[0].sms_number] * 2,
                )
                self.assertEqual(len(mailing.mailing_trace_ids), 2)

    def test_campaign_test_of_a_company_without_account(self):
        """Its own provider sends it, once, though its writer's company has an account."""
        sent = []

        def send(api, messages, delivery_reports_url=False):
            numbers = [info for message in messages for info in message["numbers"]]
            sent.extend(info["number"] for info in numbers)
            return [{"uuid": info["uuid"], "state": "success"} for info in numbers]

        other = self.env["res.company"].create(
            {"name": "Sans compte", "country_id": self.france.id}
        )
        self.env.user.company_ids += other
        mailing = self._create_mailing([], sms_ovh_company_id=other.id)
        self.assertFalse(mailing.sms_ovh_account_id)
        self.assertTrue(self.env.company.sms_ovh_account_id)
        (number,) = self._new_numbers(1)
        with patch.object(SmsApi, "_send_sms_batch", send):
            self.env["mailing.sms.test"].create(
                {"mailing_id": mailing.id, "numbers": number}
            ).action_send_sms()
            self._run_all()
        ledger = [entry["receiver"] for entry in self.simulator.get_ledger()]
        self.assertEqual(sent + ledger, [number])
        self.assertFalse(ledger)

    def test_unlink_sent_is_honoured(self):
        """Who wants to keep what was sent keeps it; the vacuum takes the rest."""
        for kept in (True, False):
            with self.subTest(kept=kept):
                sms = self._create_sms(self._new_numbers(2))
                sms.send(unlink_sent=not kept)
                self._run_all()
                self.assertEqual(set(sms.mapped("state")), {"pending"})
                self.assertEqual(set(sms.mapped("to_delete")), {not kept})

    def test_provider_of_others(self):
        """Handing over another provider does not get past the outbox."""
        numbers = self._new_numbers(2)
        self._create_sms(numbers).with_context(sms_api=SmsApi(self.env))._send()
        self._assert_nothing_was_posted()
        self.assertFalse(self.iap)
        self._run_all()
        self.assertEqual(self._sent_by_ovh(), Counter(numbers))
        self.assertFalse(self.iap)


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestCoreEntriesWithout(PromiseCase):
    """Without an account: all as without this addon."""

    # What core hands to its provider at once, in the caller's transaction.
    AT_ONCE = frozenset(
        {
            "campaign_test",
            "composer_comment",
            "composer_comment_single",
            "composer_mass_now",
            "composer_numbers",
            "message_sms",
            "message_sms_to_numbers",
            "message_sms_with_template",
            "process_queue",
            "resend_failed",
            "send",
            "send_inner",
            "send_keeping_all",
            "send_one_by_one",
            "send_with_api",
            "send_with_api_of_the_context",
            "server_action_as_comment",
            "split_by_api",
        }
    )

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_ovh_account_id = False

    def test_each_way(self):
        for name, way in self._get_ways():
            with self.subTest(way=name):
                self.iap.clear()
                numbers = self._new_numbers(2)
                way(numbers)
                self.env.flush_all()
                at_once = Counter(numbers if name in self.AT_ONCE else [])
                self.assertEqual(self._sent_by_iap(), at_once)
                for __, delivery_reports_url in self.iap:
                    self.assertTrue(delivery_reports_url.endswith("/sms/status"))
                self._run_all()
                twice = 2 if name == "campaign_test" else 1  # as core does
                self.assertEqual(
                    self._sent_by_iap(), Counter(dict.fromkeys(numbers, twice))
                )
                self.assertEqual(self.simulator.count_jobs(), 0)
                self.assertFalse(
                    self.env["sms.ovh.job"].search(
                        [("account_id", "=", self.account.id)]
                    )
                )

    def test_provider_of_another_addon(self):
        """One that overrides `_get_sms_api_class` only is asked by the queue as well."""
        sent = []

        class OtherApi(SmsApi):
            def _send_sms_batch(self, messages, delivery_reports_url=False):
                numbers = [info for message in messages for info in message["numbers"]]
                sent.extend(info["number"] for info in numbers)
                return [{"uuid": info["uuid"], "state": "success"} for info in numbers]

        self.patch(
            type(self.env["res.company"]), "_get_sms_api_class", lambda self: OtherApi
        )
        numbers = self._new_numbers(2)
        self._create_sms(numbers)
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(Counter(sent), Counter(numbers))
        self.assertFalse(self.iap)

    def test_values_of_the_caller_are_left_alone(self):
        for account in (self.account, False):
            with self.subTest(account=bool(account)):
                self.company.sms_ovh_account_id = account
                values = {"number": self._new_numbers(1)[0], "body": "Bonjour"}
                before = dict(values)
                self.env["sms.sms"].create([values])
                self.assertEqual(values, before)

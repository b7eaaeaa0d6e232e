from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.tests import Form, get_db_name, tagged
from odoo.tools import mute_logger

from .. import const
from .common import KEYS_1, SERVICE_1, SimulatorCase
from .test_sms_ovh_estimate import EstimateCase


@tagged("-at_install", "post_install")
class TestSmsOvhMailingSend(EstimateCase):
    """The dialogue that asks to confirm a campaign."""

    def _confirm(self, mailing, schedule=False):
        action = (
            mailing.action_sms_ovh_schedule()
            if schedule
            else mailing.action_sms_ovh_send()
        )
        return self.env[action["res_model"]].browse(action["res_id"])

    def test_send(self):
        mailing = self._create_mailing(self._numbers(3))
        send = self._confirm(mailing)
        self.assertEqual((send.state, send.sent_count, send.credits), ("done", 3, 3))
        self.assertEqual(send.credits_left, 2000)
        self.assertEqual(send.credits_after, 1997)
        self.assertEqual(mailing.state, "draft")
        action = send.action_send()
        self.assertEqual(action["type"], "ir.actions.act_window_close")
        self.assertEqual(mailing.state, "in_queue")

    def test_form(self):
        mailing = self._create_mailing(self._numbers(2))
        form = Form(self._confirm(mailing))
        self.assertEqual(form.sent_count, 2)
        self.assertEqual(len(form.country_line_ids), 1)

    def test_schedule(self):
        mailing = self._create_mailing(self._numbers(1))
        send = self._confirm(mailing, schedule=True)
        send.schedule_date = False
        with self.assertRaisesRegex(UserError, "Choose when"):
            send.action_send()
        send.schedule_date = fields.Datetime.now() - timedelta(days=1)
        with self.assertRaisesRegex(UserError, "past"):
            send.action_send()
        send.schedule_date = fields.Datetime.now() + timedelta(days=1)
        send.action_send()
        self.assertEqual(mailing.state, "in_queue")
        self.assertEqual(mailing.schedule_date, send.schedule_date)
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self.assertFalse(mailing.mailing_trace_ids)

    def test_send_directly(self):
        mailing = self._create_mailing(self._numbers(1), sms_force_send=True)
        self._confirm(mailing).action_send()
        self._commit()
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_large_list_waits_for_its_figures(self):
        mailing = self._create_mailing(self._numbers(8))
        with patch.object(const, "ESTIMATE_AT_ONCE", 5):
            send = self._confirm(mailing)
            self.assertEqual(send.state, "running")
            with self.assertRaisesRegex(UserError, "Wait until the estimate"):
                send.action_send()
            self._run_cron("sms_ovh.ir_cron_estimate")
            self.assertEqual((send.state, send.sent_count), ("done", 8))
            # Those figures hold: they are not made again.
            estimate = mailing.sms_ovh_estimate_id
            done = estimate.date_done
            again = self._confirm(mailing)
            self.assertEqual((again.state, estimate.date_done), ("done", done))
            again.action_send()
        self.assertEqual(mailing.state, "in_queue")

    def test_old_figures_are_made_again(self):
        mailing = self._create_mailing(self._numbers(2))
        send = self._confirm(mailing)
        estimate = mailing.sms_ovh_estimate_id.sudo()
        estimate.date_done -= 2 * const.ESTIMATE_FRESH
        self.env["phone.blacklist"].sudo()._add(self._numbers(1))
        action = send.action_send()
        self.assertEqual(action["res_id"], send.id)
        self.assertEqual(send.sent_count, 1)
        self.assertIn("have changed", send.change_notice)
        self.assertEqual(mailing.state, "draft")

    def test_list_changed_meanwhile(self):
        mailing = self._create_mailing(self._numbers(2))
        send = self._confirm(mailing)
        mailing.contact_list_ids.contact_ids[0].unlink()
        send.action_send()
        self.assertEqual(mailing.state, "draft")
        self.assertEqual(send.sent_count, 1)
        send.action_send()
        self.assertEqual(mailing.state, "in_queue")

    def test_list_emptied_meanwhile(self):
        mailing = self._create_mailing(self._numbers(2))
        send = self._confirm(mailing)
        mailing.contact_list_ids.contact_ids.unlink()
        with self.assertRaisesRegex(UserError, "list is empty"):
            send.action_send()
        self.assertEqual(mailing.state, "draft")

    def test_nobody_gets_it(self):
        mailing = self._create_mailing([False])
        with self.assertRaisesRegex(UserError, "Nobody would get"):
            self._confirm(mailing).action_send()

    def test_placeholder_that_fails(self):
        mailing = self._create_mailing(
            self._numbers(1), body="Bonjour {{ object.name.foo() }}"
        )
        mailing.contact_list_ids.contact_ids.name = "Camille Martin"
        send = self._confirm(mailing)
        self.assertEqual(send.state, "failed")
        with self.assertRaisesRegex(UserError, "The text fails for Camille Martin"):
            send.action_send()
        action = send.action_open_error()
        self.assertEqual(action["res_id"], mailing.contact_list_ids.contact_ids.id)
        self.assertEqual(mailing.state, "draft")

    # ------------------------------------------------------------
    # Credits
    # ------------------------------------------------------------

    def _leave(self, credits_left):
        self.simulator.set_service(SERVICE_1, creditsLeft=credits_left)
        self.account.action_synchronise()

    def test_credits_missing_warns(self):
        self._leave(1.5)
        mailing = self._create_mailing(self._numbers(3))
        send = self._confirm(mailing)
        self.assertEqual(send.credits_left, 1.5)
        self.assertIn("takes: 3; left: 1.50", send.credit_warning)
        self.assertIn("takes: 3;", mailing.sms_ovh_credit_warning)
        self.assertFalse(send.refused)
        send.action_send()
        self.assertEqual(mailing.state, "in_queue")

    def test_credits_missing_refuses(self):
        self._leave(2)
        self.company.sms_ovh_credit_policy = "refuse"
        mailing = self._create_mailing(self._numbers(3))
        send = self._confirm(mailing)
        self.assertTrue(send.refused)
        with self.assertRaisesRegex(UserError, "It is not sent"):
            send.action_send()
        self.assertEqual(mailing.state, "draft")

    def test_estimate_knows_better(self):
        """Duplicates cost nothing: what looks like too much is enough."""
        self._leave(1)
        mailing = self._create_mailing(self._numbers(1) * 3)
        self.assertTrue(mailing.sms_ovh_credit_warning)
        self._estimate(mailing)
        self.assertFalse(mailing.sms_ovh_credit_warning)

    def test_no_limit(self):
        self._leave(1)
        self.account.auto_recharge = True
        send = self._confirm(self._create_mailing(self._numbers(3)))
        self.assertFalse(send.limited)
        self.assertFalse(send.credit_warning)

    # ------------------------------------------------------------
    # Core's own ways
    # ------------------------------------------------------------

    def test_methods_of_core_ask_nothing(self):
        mailing = self._create_mailing(self._numbers(1))
        mailing.action_launch()
        self.assertEqual(mailing.state, "in_queue")

    def test_buttons(self):
        """Core's buttons, which ask without figures, are other providers' only."""
        view = self.env["mailing.mailing"].get_view(
            self.env.ref("mass_mailing_sms.mailing_mailing_view_form_sms").id, "form"
        )
        for name in ("action_put_in_queue", "action_send_mail", "action_schedule"):
            self.assertRegex(view["arch"], rf'<button name="{name}"[^>]*sms_ovh_in_use')

    def test_sent_already(self):
        mailing = self._create_mailing(self._numbers(1))
        first, second = self._confirm(mailing), self._confirm(mailing)
        first.action_send()
        with self.assertRaisesRegex(UserError, "not sent twice"):
            second.action_send()
        with self.assertRaisesRegex(UserError, "not sent twice"):
            mailing.action_sms_ovh_send()


@tagged("-at_install", "post_install")
class TestSentTwice(SimulatorCase):
    """Two users press Send in one moment, each in a transaction of their own."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env.company
            self.account_before = company.sms_ovh_account_id.id
            account = env["sms.ovh.account"].create(
                {
                    "company_id": company.id,
                    "service_name": SERVICE_1,
                    "endpoint": "custom",
                    "endpoint_url": self.simulator.api_url,
                    **KEYS_1,
                }
            )
            account.action_synchronise()
            company.sms_ovh_account_id = account
            partner = env["res.partner"].create(
                {"name": "Zoé", "phone": "+33612345678"}
            )
            mailing = env["mailing.mailing"].create(
                {
                    "subject": "Ventes privées",
                    "mailing_type": "sms",
                    "mailing_model_id": env["ir.model"]._get_id("res.partner"),
                    "mailing_domain": repr([("id", "=", partner.id)]),
                    "body_plaintext": "Bonjour",
                }
            )
            action = mailing.action_sms_ovh_send()
            self.created = [account, partner, mailing]
            self.created = [(record._name, record.id) for record in self.created]
            self.mailing_id, self.send_id = mailing.id, action["res_id"]
            self.company_id = company.id
        self.addCleanup(self._clean)

    def _clean(self):
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            company = env["res.company"].browse(self.company_id)
            company.sms_ovh_account_id = self.account_before
            for model, record_id in reversed(self.created):
                env[model].browse(record_id).unlink()

    def test_one_of_two_sends(self):
        with self.registry.cursor() as one, self.registry.cursor() as two:
            sends = [
                api.Environment(cr, SUPERUSER_ID, {})["sms.ovh.mailing.send"].browse(
                    self.send_id
                )
                for cr in (one, two)
            ]
            # Both see a draft.
            for send in sends:
                self.assertEqual(send.mailing_id.state, "draft")
            sends[0].action_send()
            with self.assertRaisesRegex(UserError, "Somebody else"):
                sends[1].action_send()
            one.commit()
            # Odoo tries a transaction again that meets another one.
            with mute_logger("odoo.sql_db"), self.assertRaises(SerializationFailure):
                sends[1].action_send()
            two.rollback()
            sends[1].invalidate_recordset()
            sends[1].env.transaction.reset()
            with self.assertRaisesRegex(UserError, "not sent twice"):
                sends[1].action_send()
            self.assertEqual(sends[1].mailing_id.state, "in_queue")

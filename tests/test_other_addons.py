"""SMS that other parts of Odoo send: as whom, as what kind, by which account.

Those of addons that need not be installed run where they are:

    ./dev/odoo -d somewhere -i sms_ovh,crm_sms,sale_sms,calendar_sms,event_sms,\
base_automation --stop-after-init --test-tags sms_ovh_everywhere
"""

from datetime import timedelta

from odoo import Command, fields
from odoo.tests import Form, new_test_user, tagged

from .common import KEYS_2, SERVICE_1, SERVICE_2, SmsOvhCase

PHONE = "+33612345678"
BODY = "Bonjour {{ object.display_name }}"


class EverywhereCase(SmsOvhCase):
    """Two companies, each with its account; what is written to is of the second."""

    # Addon without which the tests make no sense.
    addon = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.addon:
            installed = (
                cls.env["ir.module.module"]
                .sudo()
                .search_count([("name", "=", cls.addon), ("state", "=", "installed")])
            )
            if not installed:
                cls.skipTest(cls, f"{cls.addon} is not installed")
        cls.other = cls.env["res.company"].create(
            {"name": "Autre", "country_id": cls.france.id}
        )
        cls.other_account = cls._create_account(cls.other, SERVICE_2, KEYS_2)
        cls.env.user.company_ids |= cls.other
        cls.env = cls.env(
            context={
                **cls.env.context,
                "allowed_company_ids": (cls.company | cls.other).ids,
            }
        )
        cls.short = cls.other_account.sender_ids.filtered(
            lambda sender: sender.type == "shortcode"
        )[:1]
        cls.partner = cls._create_partner(company_id=cls.other.id)

    @classmethod
    def _create_partner(cls, **values):
        return cls.env["res.partner"].create(
            {"name": "Zoé", "phone": PHONE, "country_id": cls.france.id, **values}
        )

    def _create_template(self, model="res.partner", **values):
        return self.env["sms.template"].create(
            {
                "name": "Modèle",
                "model_id": self.env["ir.model"]._get_id(model),
                "body": BODY,
                **values,
            }
        )

    def _create_action(self, template, **values):
        return self.env["ir.actions.server"].create(
            {
                "name": "Envoyer un SMS",
                "model_id": template.model_id.id,
                "state": "sms",
                "sms_template_id": template.id,
                **values,
            }
        )

    def _send_all(self):
        """Send what is to be sent after the transaction and by the queue."""
        self._commit()
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()
        return self.simulator.get_ledger()

    def _assert_sent(self, count=1, service=SERVICE_2, marketing=False, sender=None):
        """Assert how many SMS left, by which account, as whom and as what kind."""
        entries = self._send_all()
        self.assertEqual([entry["service"] for entry in entries], [service] * count)
        for entry in entries:
            self.assertEqual("\nSTOP" in entry["text_sent"], marketing)
            if sender:
                self.assertEqual(entry["sender"], sender)
        return entries


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestOtherAddons(EverywhereCase):
    # ------------------------------------------------------------
    # The company of the record
    # ------------------------------------------------------------

    def test_composer_of_another_companys_record(self):
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=self.partner.id
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(
            composer.sms_ovh_sender_id, self.other_account.default_sender_id
        )
        composer.body = "Bonjour"
        composer.save().action_send_sms()
        self._assert_sent()

    def test_salesperson_chooses_the_sender(self):
        user = new_test_user(
            self.env,
            "vendeuse",
            groups="base.group_user,base.group_partner_manager",
            company_id=self.company.id,
            company_ids=(self.company | self.other).ids,
        )
        env = self.env(user=user)
        composer = Form(
            env["sms.composer"].with_context(
                active_model="res.partner", active_id=self.partner.id
            ),
            "sms.sms_composer_view_form",
        )
        found = env["sms.ovh.sender"].name_search(
            domain=[("account_id", "=", self.other_account.id)]
        )
        self.assertIn(self.short.id, [id_ for id_, __ in found])
        composer.sms_ovh_sender_id = self.short.with_env(env)
        composer.body = "Bonjour"
        composer.save().action_send_sms()
        self._assert_sent(sender="38069")

    def test_mass_to_two_companies(self):
        """Each by its own account, as whom and as what kind its own company sends."""
        own = self._create_partner(phone="+33612345679", company_id=self.company.id)
        self.other.sms_ovh_message_kind = "marketing"
        (own | self.partner)._message_sms_schedule_mass(body=BODY)
        entries = {entry["receiver"]: entry for entry in self._send_all()}
        self.assertEqual(entries[PHONE]["service"], SERVICE_2)
        self.assertEqual(entries[own.phone]["service"], SERVICE_1)
        self.assertIn("\nSTOP", entries[PHONE]["text_sent"])
        self.assertNotIn("\nSTOP", entries[own.phone]["text_sent"])

    def test_cron_sends_for_the_responsibles_company(self):
        user = new_test_user(
            self.env,
            "responsable",
            groups="base.group_user",
            company_id=self.other.id,
            company_ids=self.other.ids,
        )
        partner = self._create_partner(user_id=user.id)
        partner._message_sms("Bonjour")
        self._assert_sent()

    # ------------------------------------------------------------
    # Templates
    # ------------------------------------------------------------

    def test_template_in_the_composer(self):
        template = self._create_template(
            sms_ovh_kind="marketing",
            sms_ovh_sender_id=self.other_account.default_sender_id.id,
        )
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=self.partner.id
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(composer.sms_ovh_kind, "transactional")
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner",
                active_id=self.partner.id,
                default_template_id=template.id,
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(composer.sms_ovh_kind, "marketing")
        composer.save().action_send_sms()
        self._assert_sent(marketing=True)

    def test_what_the_user_chooses_comes_before_the_template(self):
        template = self._create_template(
            sms_ovh_kind="marketing", sms_ovh_sender_id=self.short.id
        )
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner",
                active_id=self.partner.id,
                default_template_id=template.id,
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(composer.sms_ovh_sender_id, self.short)
        default = self.other_account.default_sender_id
        composer.sms_ovh_kind = "transactional"
        composer.sms_ovh_sender_id = default
        composer.save().action_send_sms()
        self._assert_sent(sender=default.name)

    def test_message_sms_with_template(self):
        template = self._create_template(sms_ovh_sender_id=self.short.id)
        self.partner._message_sms_with_template(template=template)
        self._assert_sent(sender="38069")

    def test_message_sms_with_template_and_kind(self):
        template = self._create_template(sms_ovh_kind="marketing")
        self.partner._message_sms_with_template(template)
        self._assert_sent(marketing=True)

    def test_message_sms_with_template_that_is_gone(self):
        self.partner._message_sms_with_template(
            template_xmlid="sms_ovh.nowhere", template_fallback="Bonjour"
        )
        self._assert_sent()

    def test_schedule_mass_with_template(self):
        template = self._create_template(
            sms_ovh_kind="marketing",
            sms_ovh_sender_id=self.other_account.default_sender_id.id,
        )
        own = self._create_partner(phone="+33612345679", company_id=self.company.id)
        (own | self.partner)._message_sms_schedule_mass(template=template)
        entries = {entry["receiver"]: entry for entry in self._send_all()}
        self.assertEqual(
            {entry["service"] for entry in entries.values()}, {SERVICE_1, SERVICE_2}
        )
        for entry in entries.values():
            self.assertIn("\nSTOP", entry["text_sent"])

    def test_template_by_which_nobody_has_the_sender(self):
        """Another company's sender is none of this one's: the default one is taken."""
        template = self._create_template(
            sms_ovh_sender_id=self.account.sender_ids.filtered(
                lambda sender: sender.type == "shortcode"
            ).id
        )
        self.partner._message_sms_with_template(template)
        self._assert_sent(sender=self.other_account.default_sender_id.name)

    # ------------------------------------------------------------
    # Server actions
    # ------------------------------------------------------------

    def test_server_actions(self):
        template = self._create_template(
            sms_ovh_kind="marketing",
            sms_ovh_sender_id=self.other_account.default_sender_id.id,
        )
        for method in ("sms", "comment", "note"):
            with self.subTest(method=method):
                self.simulator.reset()
                action = self._create_action(template, sms_method=method)
                action.with_context(
                    active_model="res.partner", active_id=self.partner.id
                ).run()
                self._assert_sent(marketing=True)

    def test_server_action_without_anything_chosen(self):
        for method in ("sms", "comment", "note"):
            with self.subTest(method=method):
                self.simulator.reset()
                action = self._create_action(self._create_template(), sms_method=method)
                action.with_context(
                    active_model="res.partner", active_id=self.partner.id
                ).run()
                self._assert_sent()

    def test_server_action_never_stops_what_set_it_off(self):
        """What the short number cannot send fails on the SMS, not at the user's."""
        template = self._create_template(
            body="Voir https://boutique.example.org", sms_ovh_sender_id=self.short.id
        )
        action = self._create_action(template, sms_method="comment")
        seller = new_test_user(
            self.env,
            "vendeuse",
            "base.group_user,base.group_partner_manager",
            company_id=self.other.id,
            company_ids=(self.company | self.other).ids,
        )
        for user in (self.env.user, seller):
            with self.subTest(user=user.login):
                action.with_user(user).with_context(
                    active_model="res.partner", active_id=self.partner.id
                ).run()
                self.assertFalse(self._send_all())
                notification = self.partner.message_ids[0].notification_ids
                self.assertEqual(
                    notification.failure_type, "sms_ovh_contact_information"
                )


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestAutomation(EverywhereCase):
    addon = "base_automation"

    def test_rule(self):
        template = self._create_template(sms_ovh_kind="marketing")
        action = self._create_action(template, sms_method="sms")
        rule = self.env["base.automation"].create(
            {
                "name": "Bienvenue",
                "model_id": template.model_id.id,
                "trigger": "on_create",
                "action_server_ids": [Command.set(action.ids)],
            }
        )
        self._create_partner(phone="+33612345679", company_id=self.other.id)
        rule.active = False
        self._assert_sent(marketing=True)


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestLeads(EverywhereCase):
    addon = "crm_sms"

    def test_lead(self):
        lead = self.env["crm.lead"].create(
            {"name": "Piste", "phone": PHONE, "company_id": self.other.id}
        )
        lead._message_sms("Bonjour")
        self._assert_sent()

    def test_reply_of_a_lead(self):
        user = new_test_user(
            self.env,
            "commerciale",
            groups="sales_team.group_sale_salesman",
            company_id=self.other.id,
            company_ids=self.other.ids,
            notification_type="inbox",
        )
        self.partner.phone = False
        lead = self.env["crm.lead"].create(
            {
                "name": "Piste",
                "phone": PHONE,
                "company_id": self.other.id,
                "user_id": user.id,
            }
        )
        lead.with_context(sms_ovh_sender_id=self.short.id)._message_sms("Bonjour")
        self._assert_sent(sender="38069")
        self.simulator.forget_callbacks(SERVICE_2)
        self.simulator._call(
            "POST", f"phones/{PHONE}/reply", {"service": SERVICE_2, "text": "Oui"}
        )
        self.other_account._read_answers()
        reply = self.env["sms.ovh.reply"].search(
            [("account_id", "=", self.other_account.id)]
        )
        self.assertEqual(reply._get_record(), lead)
        self.assertEqual(reply.user_id, user)
        self.assertIn("Oui", lead.message_ids[0].body)
        self.assertEqual(
            lead.message_ids[0].notification_ids.res_partner_id, user.partner_id
        )


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestSales(EverywhereCase):
    addon = "sale_sms"

    def test_order(self):
        order = self.env["sale.order"].create(
            {"partner_id": self.partner.id, "company_id": self.other.id}
        )
        order._message_sms("Votre commande est prête.")
        self._assert_sent()

    def test_salesperson(self):
        """Who sells writes from an order, by the account of the order's company."""
        seller = new_test_user(
            self.env,
            "everywhere-seller",
            groups="sales_team.group_sale_salesman",
            company_id=self.other.id,
            company_ids=self.other.ids,
        )
        order = self.env["sale.order"].create(
            {
                "partner_id": self.partner.id,
                "company_id": self.other.id,
                "user_id": seller.id,
            }
        )
        composer = Form(
            self.env["sms.composer"]
            .with_user(seller)
            .with_context(
                allowed_company_ids=self.other.ids,
                active_model="sale.order",
                active_id=order.id,
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(
            composer.sms_ovh_sender_id, self.other_account.default_sender_id
        )
        composer.body = "Votre commande est prête."
        composer.save().action_send_sms()
        self._assert_sent(sender=self.other_account.default_sender_id.name)
        message = order.message_ids.filtered(lambda each: each.message_type == "sms")
        self.assertEqual(message.author_id, seller.partner_id)

    def test_invoice(self):
        journal = self.env["account.journal"].create(
            {
                "name": "Ventes",
                "code": "VSMS",
                "type": "sale",
                "company_id": self.other.id,
            }
        )
        invoice = (
            self.env["account.move"]
            .with_company(self.other)
            .create(
                {
                    "move_type": "out_invoice",
                    "partner_id": self.partner.id,
                    "journal_id": journal.id,
                }
            )
        )
        invoice.with_company(self.company)._message_sms("Votre facture est là.")
        self._assert_sent()


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestCalendar(EverywhereCase):
    addon = "calendar_sms"

    def test_reminder(self):
        """A calendar has no company: the one of who organises the meeting sends."""
        user = new_test_user(
            self.env,
            "organisatrice",
            groups="base.group_user",
            company_id=self.other.id,
            company_ids=self.other.ids,
        )
        template = self._create_template(
            "calendar.event",
            body="Rappel : {{ object.name }}",
            sms_ovh_sender_id=self.short.id,
        )
        alarm = self.env["calendar.alarm"].create(
            {
                "name": "Une heure avant",
                "alarm_type": "sms",
                "duration": 1,
                "interval": "hours",
                "sms_template_id": template.id,
            }
        )
        start = fields.Datetime.now() + timedelta(minutes=58)
        self.env["calendar.event"].with_user(user).with_context(
            allowed_company_ids=self.other.ids
        ).create(
            {
                "name": "Essayage",
                "start": start,
                "stop": start + timedelta(hours=1),
                "user_id": user.id,
                "partner_ids": [Command.set(self.partner.ids)],
                "alarm_ids": [Command.set(alarm.ids)],
            }
        )
        self.env["calendar.alarm_manager"].with_context(
            lastcall=fields.Datetime.now() - timedelta(minutes=15)
        )._send_reminder()
        self._assert_sent(sender="38069")


@tagged("-at_install", "post_install", "sms_ovh_everywhere")
class TestEvents(EverywhereCase):
    addon = "event_sms"

    def test_scheduler(self):
        self.env["ir.config_parameter"].set_param("event.event_mail_async", False)
        template = self._create_template("event.registration", sms_ovh_kind="marketing")
        now = fields.Datetime.now()
        event = self.env["event.event"].create(
            {
                "name": "Défilé",
                "company_id": self.other.id,
                "date_begin": now + timedelta(days=5),
                "date_end": now + timedelta(days=6),
                "event_mail_ids": [
                    Command.clear(),
                    Command.create(
                        {
                            "interval_unit": "now",
                            "interval_type": "after_sub",
                            "template_ref": f"sms.template,{template.id}",
                        }
                    ),
                ],
            }
        )
        self.env["event.registration"].create(
            {"event_id": event.id, "name": "Zoé", "phone": PHONE}
        )
        self._assert_sent(marketing=True)

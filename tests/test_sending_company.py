"""Nobody sends, or spends, by the account of a company that is not theirs."""

import http.client
import logging
from datetime import timedelta
from urllib.parse import urlsplit

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, HttpCase, new_test_user, tagged

from .. import const
from ..models import sms_ovh_event, sms_ovh_job
from .common import KEYS_2, SERVICE_2, SmsOvhCase


@tagged("-at_install", "post_install")
class TestSendingCompany(SmsOvhCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create(
            {"name": "Voisine", "country_id": cls.france.id}
        )
        cls.other_account = cls._create_account(cls.other_company, SERVICE_2, KEYS_2)
        groups = "mass_mailing.group_mass_mailing_user,base.group_partner_manager"
        cls.users = {
            name: new_test_user(
                cls.env,
                f"company_{name}",
                groups=groups,
                company_id=companies[0].id,
                company_ids=companies.ids,
            )
            for name, companies in (
                ("own", cls.company),
                ("other", cls.other_company),
                ("both", cls.other_company | cls.company),
            )
        }
        cls.sales = {
            name: new_test_user(
                cls.env,
                f"company_sales_{name}",
                groups="base.group_user,base.group_partner_manager",
                company_id=company.id,
                company_ids=company.ids,
            )
            for name, company in (("own", cls.company), ("other", cls.other_company))
        }
        cls.mailing = cls.env["mailing.mailing"]
        cls.list = cls.env["mailing.list"].create({"name": "Clients"})
        cls.env["mailing.contact"].create(
            {
                "name": "Cible",
                "mobile": "+33611111111",
                "country_id": cls.france.id,
                "list_ids": cls.list.ids,
            }
        )

    def _values(self, company, **values):
        return {
            "subject": "Soldes",
            "mailing_type": "sms",
            "mailing_model_id": self.env["ir.model"]._get_id("mailing.list"),
            "contact_list_ids": self.list.ids,
            "body_plaintext": "Bonjour",
            "sms_ovh_company_id": company and company.id,
            "sms_ovh_kind": "transactional",
            **values,
        }

    def _as(self, name, records, **context):
        user = self.users[name]
        context = {"allowed_company_ids": user.company_ids.ids, **context}
        return records.with_user(user).with_context(**context)

    def _run_queues(self):
        for xmlid in (
            "mass_mailing.ir_cron_mass_mailing_queue",
            "sms.ir_cron_sms_scheduler_action",
            "sms_ovh.ir_cron_post_jobs",
        ):
            self._run_cron(xmlid)
        self.env.invalidate_all()

    def _count(self, service):
        return len(self.simulator.get_ledger(service=service))

    # ------------------------------------------------------------
    # Refused
    # ------------------------------------------------------------

    def test_campaign_of_another_company(self):
        Mailing = self._as("other", self.env["mailing.mailing"])
        values = self._values(self.company)
        mine = Mailing.create(self._values(self.other_company))
        for call in (
            lambda: Mailing.create(values),
            lambda: Mailing.with_context(
                default_sms_ovh_company_id=self.company.id
            ).create(
                {
                    name: value
                    for name, value in values.items()
                    if name != "sms_ovh_company_id"
                }
            ),
            lambda: mine.write({"sms_ovh_company_id": self.company.id}),
            lambda: mine.web_save({"sms_ovh_company_id": self.company.id}, {}),
            lambda: mine.copy({"sms_ovh_company_id": self.company.id}),
            lambda: mine.onchange(
                {"sms_ovh_company_id": self.company.id},
                ["sms_ovh_company_id"],
                {"sms_ovh_credit_warning": {}, "sms_ovh_account_id": {}},
            ),
            lambda: mine.write(
                {"sms_ovh_sender_id": self.account.default_sender_id.id}
            ),
            # First as an e-mail, which no company sends.
            lambda: Mailing.create({**values, "mailing_type": "mail"}).write(
                {"mailing_type": "sms"}
            ),
        ):
            with self.assertRaises(AccessError) as raised:
                call()
            self.assertNotIn(self.account.service_name, str(raised.exception))
        self._as("other", self.env["ir.default"]).set(
            "mailing.mailing", "sms_ovh_company_id", self.company.id, user_id=True
        )
        with self.assertRaises(AccessError):
            Mailing.create({"subject": "x", "mailing_type": "sms"})

    def test_campaign_of_a_colleague(self):
        """Neither its text, nor its test, nor its progress."""
        mailing = self._as("own", self.env["mailing.mailing"]).create(
            self._values(self.company)
        )
        theirs = self._as("other", mailing)
        for call in (
            lambda: theirs.write({"body_plaintext": "Autre texte"}),
            lambda: theirs.read(["body_plaintext"]),
            theirs.action_put_in_queue,
            theirs.action_send_mail,
            theirs.action_send_sms,
            theirs.action_launch,
            theirs.action_sms_ovh_send,
            theirs.sms_ovh_get_progress,
            theirs.copy,
            theirs.unlink,
            lambda: (
                self._as("other", self.env["mailing.sms.test"])
                .create({"mailing_id": mailing.id, "numbers": "+33622222222"})
                .action_send_sms()
            ),
            lambda: (
                self._as("other", self.env["sms.composer"])
                .create(
                    {
                        "mailing_id": mailing.id,
                        "composition_mode": "numbers",
                        "numbers": "+33622222222",
                        "body": "Bonjour",
                    }
                )
                .action_send_sms()
            ),
        ):
            with self.assertRaises(AccessError):
                call()
        self._commit()
        self._run_queues()
        self.assertFalse(self.simulator.get_ledger())
        self.assertFalse(self._as("other", mailing).search([("id", "=", mailing.id)]))

    def test_campaign_of_no_company(self):
        Mailing = self._as("other", self.env["mailing.mailing"])
        with self.assertRaises(ValidationError):
            Mailing.create(self._values(False))
        mailing = Mailing.create(self._values(self.other_company))
        with self.assertRaises(ValidationError):
            mailing.sms_ovh_company_id = False
        # As the deletion of a company leaves it.
        self.env.user.company_id = self.company
        mailing.write({"state": "in_queue"})
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mailing_mailing SET sms_ovh_company_id = NULL WHERE id = %s",
            mailing.ids,
        )
        self.env.invalidate_all()
        self._run_queues()
        self.assertFalse(self._count(self.account.service_name))

    def test_record_company_by_hand(self):
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111"}
        )
        for name in ("own", "other"):
            mine = self.users[name].company_id
            other = self.company | self.other_company
            other -= mine
            theirs = partner.with_user(self.sales[name]).with_context(
                allowed_company_ids=mine.ids
            )
            for call in (
                lambda p=theirs, c=other: p.message_post(
                    body="Bonjour",
                    message_type="sms",
                    partner_ids=p.ids,
                    record_company_id=c.id,
                ),
                lambda p=theirs, c=other: p._message_sms(
                    "Bonjour", record_company_id=c.id
                ),
                lambda p=theirs, c=other: p.with_context(
                    allowed_company_ids=c.ids
                )._message_sms("Bonjour"),
                lambda p=theirs, c=other: (
                    p.env["sms.composer"]
                    .with_context(allowed_company_ids=c.ids)
                    .create(
                        {
                            "composition_mode": "numbers",
                            "numbers": "+33622222222",
                            "body": "Bonjour",
                        }
                    )
                    .action_send_sms()
                ),
                lambda p=theirs, c=other: (
                    p.env["sms.sms"]
                    .sudo()
                    .create(
                        {
                            "number": "+33611111111",
                            "body": "Bonjour",
                            "record_company_id": c.id,
                        }
                    )
                ),
            ):
                with (
                    self.subTest(name=name),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    call()
        self._commit()
        self._run_queues()
        self.assertFalse(self.simulator.get_ledger())

    def test_account_of_another_company_in_the_settings(self):
        with self.assertRaises(ValidationError) as raised:
            self.other_company.sms_ovh_account_id = self.account
        self.assertNotIn(self.account.service_name, str(raised.exception))
        with self.assertRaises(ValidationError):
            self.env["res.config.settings"].with_company(self.other_company).create(
                {"sms_ovh_enabled": True, "sms_ovh_account_id": self.account.id}
            ).execute()

    def test_trackers_and_traces(self):
        """What the gateway keeps is not the users', though core gives them the models."""
        sms = self._create_sms(["+33611111111"])
        sms.send()
        self._commit()
        self._run_queues()
        tracker = self.env["sms.tracker"].create({"sms_uuid": "b" * 32})
        for name in ("own", "other"):
            for values in (
                {"sms_ovh_account_id": self.account.id},
                {"sms_ovh_id": "100000001"},
                {"sms_ovh_cancel": "requested"},
            ):
                Tracker = self._as(name, self.env["sms.tracker"])
                with self.assertRaises(AccessError):
                    Tracker.create({"sms_uuid": "c" * 32, **values})
                with self.assertRaises(AccessError):
                    self._as(name, tracker).write(values)

    def test_rights_that_end_before_it_leaves(self):
        for how in ("company", "group"):
            with self.subTest(how):
                user = self.users["both"]
                user.company_ids |= self.company
                mailing = self._as(
                    "both",
                    self.env["mailing.mailing"],
                    allowed_company_ids=self.company.ids,
                ).create(self._values(self.company))
                mailing.action_put_in_queue()
                self.env.flush_all()
                if how == "company":
                    user.company_ids -= self.company
                else:
                    user.group_ids -= self.env.ref(
                        "mass_mailing.group_mass_mailing_user"
                    )
                self._run_queues()
                mailing = mailing.with_user(self.env.user)
                self.assertEqual(mailing.state, "draft")
                bodies = "".join(mailing.message_ids.mapped("body"))
                self.assertIn(user.name, bodies)
                self.assertFalse(self.simulator.get_ledger())
                self.assertFalse(mailing.mailing_trace_ids)

    def test_rights_that_end_after_it_was_composed(self):
        """Its SMS are in the queue already, or in the outbox: still nothing leaves."""
        user = self.users["both"]
        self.patch(sms_ovh_job, "UNASKED_AFTER", timedelta(days=-1))
        for how in ("company", "group"):
            for where in ("queue", "outbox"):
                with self.subTest(how, where=where):
                    user.company_ids |= self.company
                    user.group_ids |= self.env.ref(
                        "mass_mailing.group_mass_mailing_user"
                    )
                    mailing = self._as(
                        "both",
                        self.env["mailing.mailing"],
                        allowed_company_ids=self.company.ids,
                    ).create(self._values(self.company))
                    mailing.action_put_in_queue()
                    mailing = mailing.with_user(self.env.user)
                    self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
                    self.assertEqual(len(mailing.mailing_trace_ids), 1)
                    if where == "outbox":
                        self.account.pause_reason = "credit"
                        self._run_queues()
                        self.account.pause_reason = False
                    if how == "company":
                        user.company_ids -= self.company
                    else:
                        user.group_ids -= self.env.ref(
                            "mass_mailing.group_mass_mailing_user"
                        )
                    self._run_queues()
                    self.assertFalse(self.simulator.get_ledger())
                    trace = mailing.mailing_trace_ids
                    self.assertIn(trace.trace_status, ("error", "cancel"))
                    self.assertEqual(trace.failure_type, "sms_not_allowed")

    def _create_sales(self, name):
        company = self.company
        return new_test_user(
            self.env,
            f"company_leaving_{name}",
            groups="base.group_user,base.group_partner_manager",
            company_id=company.id,
            company_ids=(company | self.other_company).ids,
        )

    def _ask(self, partner, user, way):
        """Have a user ask for an SMS that waits in the queue."""
        theirs = partner.with_user(user).with_context(
            allowed_company_ids=self.company.ids
        )
        if way == "message":
            theirs._message_sms("Bonjour", put_in_queue=True)
        elif way == "post":
            theirs.message_post(
                body="Bonjour",
                message_type="sms",
                sms_numbers=["+33611111111"],
                put_in_queue=True,
            )
        else:
            theirs.env["sms.composer"].create(
                {
                    "composition_mode": way,
                    "res_model": "res.partner",
                    "res_id": partner.id,
                    "res_ids": repr(partner.ids),
                    "numbers": "+33611111111",
                    "body": "Bonjour",
                    "mass_force_send": False,
                    "sms_ovh_send_at": fields.Datetime.now() + timedelta(hours=1),
                }
            ).action_send_sms()

    def _let_leave(self):
        """Have what waits leave now."""
        waiting = self.env["sms.sms"].search([("state", "=", "outgoing")])
        waiting.sms_ovh_send_at = False
        self._commit()
        self._run_queues()
        return waiting

    def test_who_asked_is_gone_before_it_leaves(self):
        ways = ("message", "post", "comment", "mass", "numbers")
        hows = ("nothing", "company", "archived", "group", "deleted")
        cases = [("message", how, False) for how in hows]
        cases += [(way, how, True) for way in ways for how in hows[:2]]
        for way, how, has_company in cases:
            with self.subTest(way=way, how=how, has_company=has_company):
                self._check_leaving(way, how, has_company)

    def _check_leaving(self, way, how, has_company):
        """Have an SMS asked for, then something happen to who asked, then it leave."""
        partner = self.env["res.partner"].create(
            {
                "name": "Client",
                "phone": "+33611111111",
                "company_id": has_company and self.company.id,
            }
        )
        name = f"{way}_{how}_{has_company}"
        user = self._create_sales(name)
        self.simulator.reset()
        self._ask(partner, user, way)
        self.env.flush_all()
        self.assertFalse(self.simulator.get_ledger())
        if how == "company":
            user.company_id = self.other_company
            user.company_ids -= self.company
        elif how == "archived":
            user.active = False
        elif how == "group":
            user.group_ids = self.env.ref("base.group_portal")
        elif how == "deleted":
            self.env["sms.sms"].search(
                [("state", "=", "outgoing")]
            ).sms_ovh_asker_id = 2_000_000_000
        sms = self._let_leave()
        sent = len(self.simulator.get_ledger())
        self.assertEqual(sent, how == "nothing")
        if sent:
            return
        self.assertEqual(sms.state, "error")
        self.assertEqual(sms.failure_type, "sms_not_allowed")
        self.assertIn(self.company.name, sms.sms_ovh_failure_reason)
        # Somebody who may can send it again.
        sms.with_user(self._create_system(name)).action_set_outgoing()
        self._let_leave()
        self.assertEqual(len(self.simulator.get_ledger()), 1)

    def test_who_asked_is_gone_while_the_outbox_waits(self):
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111"}
        )
        self.account.pause_reason = "credit"
        gone, other = self._create_sales("gone"), self._create_sales("stays")
        for user in (gone, other):
            self._ask(partner, user, "message")
        sms = self._let_leave()
        self.assertEqual(sms.mapped("state"), ["process", "process"])
        gone.active = False
        self.account.pause_reason = False
        self.patch(sms_ovh_job, "UNASKED_AFTER", timedelta(days=-1))
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 1)
        refused = sms.exists().filtered(lambda one: one.state == "canceled")
        self.assertEqual(refused.sms_ovh_asker_id, gone)
        self.assertEqual(refused.failure_type, "sms_not_allowed")

    def _create_system(self, name):
        return new_test_user(
            self.env,
            f"company_retrying_{name}",
            groups="base.group_system",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )

    def test_what_nobody_asked_for_leaves(self):
        """Of crons, customers' clicks and automation rules, whoever set them off."""
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111", "company_id": self.company.id}
        )
        portal = new_test_user(
            self.env,
            "company_click",
            groups="base.group_portal",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        user = self._create_sales("rule")
        action = self.env["ir.actions.server"].create(
            {
                "name": "SMS",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "sms",
                "sms_method": "sms",
                "sms_template_id": self.env["sms.template"]
                .create(
                    {
                        "name": "Règle",
                        "model_id": self.env["ir.model"]._get_id("res.partner"),
                        "body": "Bonjour",
                    }
                )
                .id,
            }
        )
        for who in (portal, user):
            theirs = partner.with_user(who).sudo()
            theirs = theirs.with_context(allowed_company_ids=self.company.ids)
            theirs._message_sms_with_template(action.sms_template_id, put_in_queue=True)
            self._ask(theirs.sudo(), self.env.ref("base.user_root"), "message")
            action.with_env(theirs.env).with_context(
                active_model="res.partner", active_id=partner.id, active_ids=partner.ids
            ).run()
            who.active = False
        self.env.flush_all()
        waiting = self.env["sms.sms"].search([("state", "=", "outgoing")])
        self.assertFalse(waiting.sms_ovh_asker_id)
        self._let_leave()
        self.assertEqual(self._count(self.account.service_name), 6)

    def test_scheduled_message(self):
        """Odoo sends it later, with all rights: it is that user's all the same."""
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111"}
        )
        for name, company, count in (
            ("other", self.company, 0),
            ("own", self.company, 1),
        ):
            with self.subTest(name=name):
                theirs = partner.with_user(self.sales[name]).with_context(
                    allowed_company_ids=self.sales[name].company_ids.ids
                )
                theirs.message_post(
                    body="Bonjour",
                    message_type="sms",
                    partner_ids=partner.ids,
                    record_company_id=company.id,
                    scheduled_date=fields.Datetime.now() + timedelta(hours=1),
                )
                self.env.flush_all()
                schedules = self.env["mail.message.schedule"].search([])
                schedules.scheduled_datetime = fields.Datetime.now() - timedelta(
                    minutes=1
                )
                self._run_cron("mail.ir_cron_send_scheduled_message")
                self._commit()
                self._run_queues()
                self.assertEqual(self._count(self.account.service_name), count)
                self.assertFalse(self.env["mail.message.schedule"].search([]))

    def test_context_is_as_a_form(self):
        """What a caller writes into the context counts as what is chosen on a form."""
        partner = self.env["res.partner"].create(
            {"name": "Client", "phone": "+33611111111"}
        )
        other_sender = self.other_account.default_sender_id.id
        for values in (
            {"sms_ovh_kind": "nothing"},
            {"sms_ovh_kind": ["marketing"]},
            {"sms_ovh_sender_id": "1"},
            {"sms_ovh_sender_id": [1]},
            {"sms_ovh_sender_id": True},
            {"sms_ovh_send_at": "tomorrow"},
            {"sms_ovh_send_at": [1]},
            {"sms_ovh_send_at": 7},
        ):
            theirs = partner.with_user(self.sales["own"]).with_context(**values)
            with (
                self.subTest(values),
                self.assertRaises(ValidationError),
                self.env.cr.savepoint(),
            ):
                theirs._message_sms("Bonjour")
        for values in (
            {"sms_ovh_sender_id": other_sender},
            {"sms_ovh_sender_id": 2_000_000_000},
            {"sms_ovh_gsm7": ["all"]},
            {"sms_ovh_gsm7": "nothing"},
            {"sms_ovh_by_record": True},
            {"sms_ovh_by_record": "BY_RECORD"},
            {"sms_ovh_unasked": True},
        ):
            with self.subTest(values):
                self.simulator.reset()
                partner.with_user(self.sales["own"]).with_context(
                    allowed_company_ids=self.company.ids, **values
                )._message_sms("Bonjour")
                self._commit()
                self._run_queues()
                (sms,) = self.simulator.get_ledger()
                self.assertEqual(sms["sender"], self.account.default_sender_id.name)

    def test_technical_values_of_sms(self):
        """What the gateway writes on SMS, system administrators do not."""
        user = self._create_system("technical")
        sms = self._create_sms(["+33611111111"]).with_user(user)
        Sms = self.env["sms.sms"].with_user(user)
        given = {"number": "+33622222222", "body": "Bonjour"}
        names = [
            name
            for name, field in Sms._fields.items()
            if name.startswith("sms_ovh_") and field.store
        ]
        self.assertGreater(len(names), 10)
        for name in names:
            value = "x" if Sms._fields[name].type == "char" else 1
            for call in (
                lambda name=name, value=value: sms.write({name: value}),
                lambda name=name, value=value: sms.web_save({name: value}, {}),
                lambda name=name, value=value: Sms.create({**given, name: value}),
            ):
                with (
                    self.subTest(name),
                    self.assertRaises(AccessError),
                    self.env.cr.savepoint(),
                ):
                    call()
        with self.assertRaises(AccessError):
            sms.write({"record_company_id": self.other_company.id})
        sms.write({"body": "Bonsoir"})
        own = Sms.create(given)
        (own + sms).send()
        self._commit()
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 2)

    def test_one_that_may_not_leave_keeps_no_other(self):
        user = self.users["both"]
        bad = self._as(
            "both",
            self.env["mailing.mailing"],
            allowed_company_ids=self.company.ids,
        ).create(self._values(self.company))
        bad.action_put_in_queue()
        good = self._as("own", self.env["mailing.mailing"]).create(
            self._values(self.company)
        )
        good.action_put_in_queue()
        self.env.flush_all()
        user.company_ids -= self.company
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 1)
        self.assertIn(good.with_user(self.env.user).state, ("sending", "done"))

    def test_statistics_tell_nobody_of_what_is_not_theirs(self):
        """One whose responsible may not read it keeps no other from being told."""
        self.env["ir.config_parameter"].set_param(
            "mass_mailing.mass_mailing_reports", "True"
        )
        mailings = self.env["mailing.mailing"].create(
            [
                self._values(self.company, user_id=self.users[name].id)
                for name in ("other", "own")
            ]
        )
        mailings.write({"state": "done", "kpi_mail_required": True})
        before = self.env["mail.mail"].search([])
        mailings._action_send_statistics()
        sent = self.env["mail.mail"].search([]) - before
        self.assertEqual(len(sent), 1)
        self.assertIn(self.users["own"].email, sent.email_to)
        self.assertFalse(any(mailings.mapped("kpi_mail_required")))

    def test_stop_to_another_company(self):
        """Odoo has one blacklist: nobody takes off it what others may not send to."""
        number = "+33611111111"
        users = {
            name: new_test_user(
                self.env,
                f"company_system_{name}",
                groups="base.group_system,mass_mailing.group_mass_mailing_user",
                company_id=company.id,
                company_ids=company.ids,
            )
            for name, company in (("own", self.company), ("other", self.other_company))
        }
        Blacklist = self.env["phone.blacklist"].with_context(active_test=False)
        stop = self.env["sms.ovh.stop"].create(
            {"account_id": self.account.id, "number": number}
        )
        stop._blacklist()
        entry = Blacklist.search([("number", "=", number)])
        theirs = entry.with_user(users["other"]).with_context(
            allowed_company_ids=self.other_company.ids
        )
        requests = sum(self.simulator.get_state()["requests"].values())
        for call in (
            lambda: theirs.remove(number),
            theirs.action_archive,
            lambda: theirs.write({"active": False}),
            lambda: theirs.write({"number": "+33622222222"}),
            theirs.unlink,
            lambda: (
                theirs.env["phone.blacklist.remove"]
                .create({"phone": number})
                .action_unblacklist_apply()
            ),
            lambda: (
                theirs.env["phone.blacklist.remove"]
                .create(
                    {"phone": number, "sms_ovh_take_off": True, "sms_ovh_consent": "x"}
                )
                .action_unblacklist_apply()
            ),
        ):
            with self.assertRaises(AccessError) as raised, self.env.cr.savepoint():
                call()
            self.assertNotIn(self.account.service_name, str(raised.exception))
            self.assertNotIn(self.company.name, str(raised.exception))
        self.assertEqual(sum(self.simulator.get_state()["requests"].values()), requests)
        self.assertTrue(entry.active)
        entry.with_user(users["own"]).with_context(
            allowed_company_ids=self.company.ids
        ).remove(number)
        self.assertFalse(entry.active)
        # What others blacklist afterwards is theirs.
        theirs.add(number)
        self.assertTrue(entry.active)
        theirs.remove(number)
        self.assertFalse(entry.active)
        # Another STOP is one again.
        reply = self.env["sms.ovh.reply"].create(
            {
                "account_id": self.account.id,
                "ovh_id": "77",
                "number": number,
                "body": "STOP",
            }
        )
        reply.action_opt_out()
        self.assertTrue(entry.active)
        with self.assertRaises(AccessError):
            theirs.remove(number)

    def test_doubt_of_another_company(self):
        """“It Is No STOP” is about what was written to one's own company."""
        number = "+33611111111"
        mine, others = self.env["sms.ovh.reply"].create(
            [
                {
                    "account_id": account.id,
                    "ovh_id": "78",
                    "number": number,
                    "body": "ça suffit",
                    "seems_stop": True,
                    "held_number": number,
                }
                for account in (self.account, self.other_account)
            ]
        )
        theirs = self._as("own", mine)
        with self.assertRaises(AccessError):
            self._as("own", others).action_no_stop()
        theirs.action_no_stop()
        self.assertFalse(mine.held_number)
        self.assertEqual(others.held_number, number)
        self._as("other", others).action_no_stop()
        self.assertFalse(others.held_number)

    def test_hours_of_another_company(self):
        user = new_test_user(
            self.env,
            "company_hours",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=self.other_company.id,
            company_ids=self.other_company.ids,
        )
        Hours = (
            self.env["sms.ovh.hours"]
            .with_user(user)
            .with_context(allowed_company_ids=self.other_company.ids)
        )
        values = {"company_id": self.company.id, "country_id": self.france.id}
        mine = Hours.create({**values, "company_id": self.other_company.id})
        for call in (
            lambda: Hours.create(values),
            lambda: Hours.with_context(default_company_id=self.company.id).create(
                {"country_id": self.env.ref("base.be").id}
            ),
            lambda: mine.write({"company_id": self.company.id}),
            lambda: Hours.onchange(
                values, ["company_id"], {"company_id": {"fields": {"display_name": {}}}}
            ),
            lambda: Hours.with_context(default_company_id=self.company.id).default_get(
                ["company_id"]
            ),
        ):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                call()

    def test_read_only_values(self):
        administrator = new_test_user(
            self.env,
            "company_administrator",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        account = self.account.with_user(administrator)
        account.write({"credit_warning_threshold": 50})
        for values in (
            {"state": "connected"},
            {"credits_left": 1_000_000},
            {"callback_state": "ok"},
            {"pause_reason": False},
            {"last_sync": False},
            {"sender_ids": [Command.create({"name": "x"})]},
        ):
            with self.assertRaises(AccessError):
                account.write(values)
            with self.assertRaises(AccessError):
                account.create(values)
            result = account.load(
                ["id", *values], [["x.y", *(str(value) for value in values.values())]]
            )
            self.assertFalse(result["ids"])
        copy = account.copy()
        self.assertFalse(copy.service_name)
        self.assertEqual(copy.state, "draft")
        # What the administrator may write brings the state back, as ever.
        account.service_name = "sms-ef12345-1"
        self.assertEqual(account.state, "draft")

    def test_context_is_no_guard(self):
        user = self.account.api_user_ids[:1]
        before = sum(self.simulator.get_state()["requests"].values())
        with self.assertRaises(ValidationError):
            user.with_context(sms_ovh_sync=True).write(
                {"quota_active": True, "quota_left": -1}
            )
        self.assertEqual(sum(self.simulator.get_state()["requests"].values()), before)
        composer = self._as(
            "own", self.env["sms.composer"], sms_ovh_unattended=True
        ).create(
            {
                "composition_mode": "numbers",
                "numbers": "+33622222222",
                "body": "x" * 1000,
            }
        )
        with self.assertRaises(UserError):
            composer.action_send_sms()

    # ------------------------------------------------------------
    # As before
    # ------------------------------------------------------------

    def test_a_user_of_two_companies(self):
        for company, account in (
            (self.company, self.account),
            (self.other_company, self.other_account),
        ):
            Mailing = self._as(
                "both",
                self.env["mailing.mailing"],
                allowed_company_ids=(self.company | self.other_company).ids,
            )
            mailing = Mailing.create(self._values(company))
            mailing.action_sms_ovh_estimate()
            self.assertEqual(mailing.sms_ovh_estimate_id.sent_count, 1)
            mailing.action_put_in_queue()
            self._run_queues()
            self.assertEqual(self._count(account.service_name), 1)

    def test_a_form(self):
        with Form(
            self._as("own", self.env["mailing.mailing"]).with_context(
                default_mailing_type="sms", mailing_sms=True
            ),
            "mass_mailing_sms.mailing_mailing_view_form_sms",
        ) as form:
            form.sms_subject = "Soldes"
            form.body_plaintext = "Bonjour"
        self.assertEqual(form.record.sms_ovh_company_id, self.company)

    def test_send_now(self):
        mailing = self._as("own", self.env["mailing.mailing"]).create(
            self._values(self.company)
        )
        mailing.action_send_mail()
        self._commit()
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 1)

    def test_a_salesperson(self):
        partner = self.env["res.partner"].create(
            {
                "name": "Client",
                "phone": "+33611111111",
                "company_id": self.company.id,
            }
        )
        Composer = self.env["sms.composer"].with_user(self.sales["own"])
        Composer.with_context(allowed_company_ids=self.company.ids).create(
            {
                "composition_mode": "comment",
                "res_model": "res.partner",
                "res_id": partner.id,
                "body": "Bonjour",
            }
        ).action_send_sms()
        self._commit()
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 1)

    def test_a_customer_and_a_sister_company(self):
        """What is sent for a record goes by its company, whoever set it off."""
        partner = self.env["res.partner"].create(
            {
                "name": "Client",
                "phone": "+33611111111",
                "company_id": self.company.id,
            }
        )
        portal = new_test_user(
            self.env,
            "company_portal",
            groups="base.group_portal",
            company_id=self.other_company.id,
            company_ids=self.other_company.ids,
        )
        for user in (portal, self.sales["other"]):
            context = {"allowed_company_ids": user.company_ids.ids}
            theirs = partner.with_user(user).with_context(**context).sudo()
            theirs._message_sms("Bonjour")
            theirs.env["sms.composer"].create(
                {
                    "composition_mode": "mass",
                    "res_model": "res.partner",
                    "res_ids": repr(partner.ids),
                    "body": "Bonjour encore",
                    "mass_keep_log": False,
                    "mass_force_send": True,
                }
            ).action_send_sms()
        self._commit()
        self._run_queues()
        self.assertEqual(self._count(self.account.service_name), 4)


@tagged("-at_install", "post_install")
class TestBoundsOfCallbacks(SmsOvhCase, HttpCase):
    """What anybody can send to the addresses of callbacks is bounded, and not logged."""

    def setUp(self):
        super().setUp()
        sms_ovh_event._received.clear()
        self.addCleanup(sms_ovh_event._received.clear)
        url = urlsplit(self.base_url())
        self.address = (url.hostname, url.port)

    def _events(self):
        return self.env["sms.ovh.event"].search([])

    def _request(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(*self.address, timeout=30)
        self.addCleanup(connection.close)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with self.allow_requests(all_requests=True):
            connection.request(
                method,
                f"/sms_ovh/{self.account.callback_token}/{path}",
                body=body,
                headers=headers,
                encode_chunked=headers.get("Transfer-Encoding") == "chunked",
            )
            response = connection.getresponse()
            response.read()
        return response

    def test_chunks(self):
        form = {
            "Content_Type": "application/x-www-form-urlencoded",
            "Transfer_Encoding": "chunked",
        }
        response = self._request(
            "POST", "reply", iter([b"text=", *[b"x" * 10_000] * 420]), **form
        )
        self.assertEqual(response.status, 200)
        self.assertFalse(self._events())
        response = self._request("POST", "reply", iter([b"text=Oui", b"&id=7"]), **form)
        self.assertEqual(response.status, 200)
        self.assertEqual(self._events().payload, {"text": "Oui", "id": "7"})

    def test_methods(self):
        for method in ("HEAD", "OPTIONS", "PUT", "DELETE"):
            for kind in ("delivery", "stop", "reply"):
                self._request(method, f"{kind}?id=1")
        self.assertFalse(self._events())

    def test_parameters(self):
        query = "&".join(f"x{index}=1" for index in range(2000))
        for kind in ("delivery", "stop", "reply"):
            self._request("GET", f"{kind}?{query}&id=1&ptt=4")
        events = self._events()
        self.assertEqual(len(events), 3)
        for event in events:
            self.assertLessEqual(len(event.payload), sms_ovh_event.MAX_PARAMS)
        self.assertEqual(
            events.filtered(lambda event: event.kind == "delivery").sms_ovh_id, "1"
        )

    def test_an_inbox_has_room_for_so_many_in_an_hour(self):
        self.env["ir.config_parameter"].set_param("sms_ovh.inbox_per_hour", "5")
        for index in range(9):
            response = self._request("GET", f"delivery?id={index}&ptt=4")
            self.assertEqual(response.status, 200)
        self.env.invalidate_all()
        self.assertEqual(len(self._events()), 5)
        self.assertEqual(self.account.inbox_dropped, 4)
        activities = self.account.activity_ids.filtered(
            lambda activity: (
                activity.activity_type_id
                == self.env.ref("sms_ovh.mail_activity_type_inbox")
            )
        )
        self.assertEqual(len(activities), 1)
        self.assertGreater(const.INBOX_PER_HOUR, 100_000)

    def test_log_of_requests(self):
        token = self.account.callback_token
        with self.assertLogs("werkzeug", logging.INFO) as logs:
            for path in (
                f"/sms_ovh/{token}/reply?sender=%2B33612345678&message=Bonjour",
                f"/sms_ovh//{token}/delivery?id=1",
                f"//sms_ovh/{token}/stop",
                f"/sms_ovh%2F{token}%2Fstop",
            ):
                connection = http.client.HTTPConnection(*self.address, timeout=30)
                self.addCleanup(connection.close)
                with self.allow_requests(all_requests=True):
                    connection.request("GET", path)
                    connection.getresponse().read()
        logged = "\n".join(logs.output)
        self.assertNotIn(token, logged)
        self.assertNotIn("33612345678", logged)
        self.assertNotIn("Bonjour", logged)
        self.assertIn("/sms_ovh/***/reply?***", logged)

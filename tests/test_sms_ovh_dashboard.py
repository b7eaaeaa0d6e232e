import time
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

from pytz import utc

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..tools import ovh_client
from .common import (
    KEYS_1,
    KEYS_2,
    SERVICE_1,
    SERVICE_2,
    SimulatorCase,
    SmsOvhCase,
)

DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
REFUNDED = "+33612340039"
NO_REPORT = "+33612340100"
REFUSED = "+33612340102"
SEVERAL_CREDITS = "+41791234567"
FINAL = ("delivered", "failed", "expired")
TIMEZONE = "Europe/Paris"
LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)


@tagged("-at_install", "post_install")
class TestSmsOvhDashboard(SmsOvhCase):
    """The dashboard's figures are those of OVHcloud's own records."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(context={**cls.env.context, "tz": TIMEZONE})
        cls.account = cls.account.with_env(cls.env)
        cls.company_2 = cls.env["res.company"].create(
            {"name": "Société 2", "country_id": cls.france.id}
        )
        cls.env.user.company_ids |= cls.company_2
        cls.account_2 = cls._create_account(cls.company_2, SERVICE_2, KEYS_2)
        # Record rules are nothing to the superuser, as whom tests run.
        cls.manager = new_test_user(
            cls.env,
            "sms-manager",
            groups="base.group_system,base.group_multi_company",
            company_id=cls.company.id,
            company_ids=[Command.set((cls.company | cls.company_2).ids)],
        )

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        self.env["sms.ovh.log"].sudo().search([]).unlink()
        ovh_client._clock_cache.clear()
        # The seed knows no callback.
        (self.account | self.account_2).action_synchronise()
        self.today = fields.Date.context_today(self.account)
        self.month = self.today.replace(day=1)

    def _get(self, account=None, sender=None, companies=None, user=None):
        companies = companies or self.company
        Dashboard = self.env["sms.ovh.dashboard"].with_context(
            allowed_company_ids=companies.ids
        )
        return Dashboard.with_user(user or self.manager).get_figures(
            account_id=account and account.id, sender_id=sender and sender.id
        )

    def _set_clock(self, when):
        """Have OVHcloud live at another time."""
        self.simulator._call(
            "POST", "clock", {"now": when and self.env.tz.localize(when).isoformat()}
        )
        ovh_client._clock_cache.clear()

    def _to_utc(self, when):
        return self.env.tz.localize(when).astimezone(utc).replace(tzinfo=None)

    def _send(self, numbers, sender=None, company=None, body="Bonjour"):
        """Send now.

        :return: what was written down of it
        """
        company = company or self.company
        if sender:
            company.sms_ovh_account_id.default_sender_id = sender
        logs = self.env["sms.ovh.log"].sudo().search([])
        sms = self._create_sms(numbers, body, record_company_id=company.id)
        with mute_logger(*LOGGERS):
            sms.send()
            self._commit()
        return self.env["sms.ovh.log"].sudo().search([]) - logs

    def _send_at(self, when, numbers, **values):
        """Send at another time, in OVHcloud's records as in Odoo's."""
        self._set_clock(when)
        logs = self._send(numbers, **values)
        self.assertEqual(len(logs), len(numbers))
        logs.date = self._to_utc(when)
        return logs

    def _receive_reports(self):
        """Have OVHcloud report on all that it took, to the account that sent it."""
        accounts = self.account | self.account_2
        by_service = {account.service_name: account for account in accounts}
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            ledger = self.simulator.get_ledger()
            if all(
                sms["status"] in FINAL or sms["receiver"] == NO_REPORT for sms in ledger
            ):
                break
            time.sleep(0.1)
        services = {str(sms["id"]): sms["service"] for sms in ledger}
        # "Sent" and what became of it, of each that is reported on.
        count = 2 * sum(sms["receiver"] != NO_REPORT for sms in ledger)
        for callback in self.simulator.pop_callbacks(count=count):
            params = dict(parse_qsl(urlsplit(callback["url"]).query))
            account = by_service[services[params["id"]]]
            self.env["sms.ovh.event"]._receive_delivery(account.id, params)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env.invalidate_all()
        return self.simulator.get_ledger()

    def _sum(self, ledger, month=None, services=(SERVICE_1,), sender=None, day=None):
        """Return the figures that OVHcloud's records come to."""
        found = {"sent": 0, "delivered": 0, "failed": 0, "credits": 0}
        for sms in ledger:
            created = datetime.fromisoformat(sms["created"]).astimezone(self.env.tz)
            if (
                sms["service"] not in services
                or (sender and sms["sender"] != sender)
                or (month and created.date() < month)
                or (day and created.date() != day)
            ):
                continue
            found["sent"] += 1
            found["delivered"] += sms["status"] == "delivered"
            found["failed"] += sms["status"] in ("failed", "expired")
            found["credits"] += sms["credits"] if sms["charged"] else 0
        return found

    def _check(self, found, ledger, refused=0, **values):
        """Compare the tiles with OVHcloud's records."""
        tiles = found["tiles"]
        expected = self._sum(ledger, self.month, **values)
        self.assertEqual(tiles["sent"]["value"], expected["sent"])
        self.assertEqual(tiles["sent"]["delivered"], expected["delivered"])
        self.assertEqual(tiles["failed"]["value"], expected["failed"] + refused)
        self.assertEqual(tiles["failed"]["refused"], refused)
        self.assertAlmostEqual(tiles["credits"]["value"], expected["credits"], 2)
        for day in found["days"]:
            expected = self._sum(ledger, day=fields.Date.to_date(day["day"]), **values)
            self.assertEqual(
                day["delivered"] + day["pending"] + day["failed"], expected["sent"], day
            )
            self.assertEqual(day["delivered"], expected["delivered"], day)
            self.assertEqual(day["failed"], expected["failed"], day)
            self.assertAlmostEqual(day["credits"], expected["credits"], 2)

    def _open(self, action):
        """Return what the list shows that a tile opens."""
        return self.env[action["res_model"]].search(action["domain"])

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    def test_figures_are_those_of_the_ledger(self):
        """Several months, senders, outcomes, accounts: as OVHcloud's records."""
        name = self._sender(type="alpha", status="enable")
        short = self._sender(type="shortcode")
        first = datetime.combine(self.month, datetime.min.time())
        now = datetime.combine(self.today, datetime.min.time())
        # The very edges of a month, in the user's time zone and not in UTC.
        for when in (
            first,
            first - timedelta(minutes=1),
            now - timedelta(days=29),
            now - timedelta(days=30),
            first - timedelta(days=20),
            first - timedelta(days=70),
        ):
            self._send_at(when, [DELIVERED, UNDELIVERABLE], sender=name)
            self._send_at(when, self._numbers(3), sender=short, body="À bientôt")
        # In Odoo's records of the very time that OVHcloud has.
        self._set_clock(None)
        self._send([DELIVERED, UNDELIVERABLE, NO_REPORT, REFUSED], sender=name)
        self._send([SEVERAL_CREDITS], sender=name, body="Grüezi")
        self._send([REFUNDED, REFUNDED, DELIVERED], sender=short, body="Une panne")
        self._send(self._numbers(4), sender=name, body="Long " * 60)
        self._send(self._numbers(2), company=self.company_2)
        ledger = self._receive_reports()

        both = self.company | self.company_2
        self._check(self._get(), ledger, refused=1)
        self._check(self._get(sender=name), ledger, refused=1, sender=name.name)
        self._check(self._get(companies=self.company_2), ledger, services=(SERVICE_2,))
        services = (SERVICE_1, SERVICE_2)
        self._check(self._get(companies=both), ledger, refused=1, services=services)
        only = self._get(account=self.account, companies=both)
        self._check(only, ledger, refused=1)
        tiles = self._get(sender=short)["tiles"]
        other = self._sum(
            [sms for sms in ledger if sms["sender"] != name.name], self.month
        )
        self.assertEqual(tiles["sent"]["value"], other["sent"])
        self.assertAlmostEqual(tiles["credits"]["value"], other["credits"], 2)
        # The card at the head of the account's form says the same.
        expected = self._sum(ledger, self.month)
        self.assertEqual(self.account.month_sent, expected["sent"])
        self.assertEqual(self.account.month_failed, expected["failed"] + 1)
        self.assertAlmostEqual(self.account.month_credits, expected["credits"], 2)

    def test_lists_behind_the_tiles(self):
        self._send_at(
            datetime.combine(self.month, datetime.min.time()) - timedelta(minutes=1),
            [DELIVERED, REFUSED],
        )
        self._set_clock(None)
        sent = self._send([DELIVERED, UNDELIVERABLE, NO_REPORT, REFUSED])
        self._create_sms(self._numbers(2))
        self._receive_reports()
        tiles = self._get()["tiles"]
        self.assertEqual(tiles["sent"]["value"], 3)
        self.assertEqual(tiles["failed"]["value"], 2)
        self.assertEqual(tiles["planned"]["value"], 2)
        for name in ("sent", "failed", "planned"):
            self.assertEqual(
                len(self._open(tiles[name]["action"])), tiles[name]["value"], name
            )
        listed = self._open(tiles["credits"]["action"])
        self.assertEqual(sum(listed.mapped("credits")), tiles["credits"]["value"])
        by_number = {log.number: log for log in sent}
        self.assertEqual(by_number[DELIVERED].state, "sent")
        self.assertEqual(by_number[UNDELIVERABLE].failure_type, "sms_not_delivered")
        self.assertEqual(by_number[UNDELIVERABLE].ptt, 20)
        self.assertEqual(by_number[NO_REPORT].state, "pending")
        self.assertEqual(by_number[REFUSED].state, "refused")
        self.assertEqual(by_number[REFUSED].failure_type, "sms_number_format")

    def test_planned(self):
        """What waits counts where it will leave from, until it left."""
        name = self._sender(type="alpha", status="enable")
        short = self._sender(type="shortcode")
        self.account.default_sender_id = name
        sms = self._create_sms(self._numbers(3))
        self._create_sms(self._numbers(2), record_company_id=self.company_2.id)
        self._create_mailing(self._numbers(2), state="in_queue")

        def planned(**values):
            return self._get(**values)["tiles"]["planned"]["value"]

        self.assertEqual(planned(), 3)
        self.assertEqual(self._get()["tiles"]["planned"]["campaigns"], 1)
        self.assertEqual(planned(sender=name), 3)
        self.assertEqual(planned(sender=short), 0)
        self.assertEqual(planned(companies=self.company | self.company_2), 5)
        sms.send()
        self.account.default_sender_id = short
        self.assertEqual(planned(sender=name), 3, "in a job of the former sender")
        self.assertEqual(planned(sender=short), 0)
        queue = self._get()["queue"]
        self.assertEqual(queue["queued"], {"jobs": 1, "sms": 3})
        self._commit()
        self.assertEqual(planned(), 0)
        self.assertEqual(self._get()["queue"]["queued"]["jobs"], 0)

    def test_received(self):
        Reply = self.env["sms.ovh.reply"].sudo()
        before = fields.Datetime.to_datetime(self.env["sms.ovh.log"]._get_month_start())
        for index, date in enumerate(
            (fields.Datetime.now(), before, before - timedelta(seconds=1))
        ):
            Reply.create(
                {
                    "account_id": self.account.id,
                    "ovh_id": str(index),
                    "number": DELIVERED,
                    "received_at": date,
                }
            )
        received = self._get()["tiles"]["received"]
        self.assertEqual(received["value"], 2)
        self.assertEqual(len(self._open(received["action"])), 2)

    def test_account(self):
        """What OVHcloud says of the account itself."""
        with self.account._get_client() as client:
            client.put(
                f"/sms/{SERVICE_1}",
                {
                    "automaticRecreditAmount": "1000",
                    "creditThresholdForAutomaticRecredit": 100,
                },
            )
        self.account.action_synchronise()
        found = self._get()
        service = self.simulator.get_state()["services"][SERVICE_1]
        (card,) = found["accounts"]
        self.assertEqual(card["service_name"], SERVICE_1)
        self.assertEqual(card["credits_left"], service["creditsLeft"])
        self.assertEqual(card["credits_held"], service["creditsHoldByQuota"])
        self.assertEqual(card["recharge"], {"amount": 1000, "threshold": 100})
        self.assertTrue(card["used"])
        self.assertEqual(
            {sender["name"]: sender["status"] for sender in found["attention"]},
            {"Nouveau": "waitingValidation", "Refuse": "refused"},
        )
        self.assertEqual(
            len(self._open(found["attention_action"])), len(found["attention"])
        )
        action = self.account.action_open_dashboard()
        self.assertEqual(action["tag"], "sms_ovh.dashboard")
        self.assertEqual(action["params"], {"account_id": self.account.id})

    def test_nothing_connected(self):
        company = self.env["res.company"].create({"name": "Sans compte"})
        self.manager.company_ids |= company
        found = self._get(companies=company)
        self.assertFalse(found["accounts"])
        self.assertEqual(found["create_action"]["res_model"], "sms.ovh.account")
        self.assertEqual(found["tiles"]["sent"]["value"], 0)
        self.assertEqual(len(found["days"]), 30)
        # Keys are the system administrator's: nobody else could go on.
        administrator = new_test_user(
            self.env,
            "sms-administrator",
            groups="sms_ovh.group_sms_ovh_admin",
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )
        found = self._get(companies=company, user=administrator)
        self.assertFalse(found["create_action"])

    # ------------------------------------------------------------
    # Who sees what
    # ------------------------------------------------------------

    def test_rights(self):
        """Marketing users see the figures of their companies, and no secret."""
        self._send(self._numbers(2))
        self._send(self._numbers(1), company=self.company_2)
        user = new_test_user(
            self.env,
            "sms-marketing",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        found = self._get(user=user)
        self.assertEqual(found["tiles"]["sent"]["value"], 2)
        self.assertFalse(found["create_action"])
        self.assertFalse(found["queue"]["action"])
        for name, tile in found["tiles"].items():
            Model = self.env[tile["action"]["res_model"]].with_user(user)
            self.assertTrue(Model.has_access("read"), name)
        for secret in (*KEYS_1.values(), self.account.callback_token):
            self.assertNotIn(secret, str(found))
        # Another company's account cannot be asked for.
        other = self._get(user=user, account=self.account_2)
        self.assertFalse(other["account_id"])
        self.assertEqual(len(other["accounts"]), 1)
        self.assertEqual(other["tiles"]["sent"]["value"], 2)
        logs = self.env["sms.ovh.log"].with_user(user).search([])
        self.assertEqual(logs.account_id, self.account)
        nobody = new_test_user(self.env, "employee", groups="base.group_user")
        with self.assertRaises(AccessError):
            self._get(user=nobody)

    # ------------------------------------------------------------
    # The record behind the figures
    # ------------------------------------------------------------

    def test_figures_outlive_the_sms(self):
        """Odoo deletes what was sent; a report that comes later still counts."""
        log = self._send([DELIVERED])
        self.env["sms.sms"].search([]).unlink()
        self.assertEqual(self._get()["tiles"]["sent"]["value"], 1)
        self._receive_reports()
        self.assertEqual(log.state, "sent")
        self.assertEqual(self._get()["tiles"]["sent"]["delivered"], 1)

    def test_forward_only(self):
        log = self._send([NO_REPORT])
        keys = {(self.account.id, log.sms_ovh_id)}
        Log = self.env["sms.ovh.log"]
        self.assertFalse(Log._move(keys, "pending", False, 3))
        self.assertEqual(Log._move(keys, "error", "sms_expired", 8), keys)
        self.assertEqual(log.failure_type, "sms_expired")
        self.assertEqual(Log._move(keys, "sent", False, 4), keys)
        self.assertEqual((log.state, log.failure_type), ("sent", False))
        self.assertFalse(Log._move(keys, "error", "sms_expired", 8))
        self.assertEqual(log.ptt, 4)

    def test_another_account_of_the_same_id(self):
        """OVHcloud's ids are not said to be unique among services."""
        log = self._send([NO_REPORT])
        # Another SMS of the right account does not make it this one.
        keys = {(self.account_2.id, log.sms_ovh_id), (self.account.id, "1")}
        self.assertFalse(self.env["sms.ovh.log"]._move(keys, "sent", False, 4))
        self.assertEqual(log.state, "pending")

    def test_found_after_a_crash(self):
        """A job whose answer got lost is written down once, when it is found."""
        self.env["ir.config_parameter"].set_param("sms_ovh.check_delay", 0)
        self.simulator.order_faults({"kind": "cut_after", "path": "/jobs$"})
        self.assertFalse(self._send(self._numbers(3)))
        with mute_logger(*LOGGERS):
            self._run_cron("sms_ovh.ir_cron_post_jobs")
        ledger = self._receive_reports()
        self.assertEqual(len(ledger), 3)
        self._check(self._get(), ledger)

    def test_kept_for_more_than_a_year(self):
        logs = self._send(self._numbers(3))
        for log, days in zip(logs, (0, 395, 401), strict=True):
            log.date -= timedelta(days=days)
        self.env["sms.ovh.log"].sudo()._gc_logs()
        self.assertEqual(logs.exists(), logs[:2])

    def test_budget_of_queries(self):
        """Neither opening nor writing down takes more queries for more SMS."""
        counts = []
        for count in (1, 100):
            self._send(self._numbers(count), body=f"Pour {count}")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self._get()
            counts.append(self.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0])
        self.assertLessEqual(max(counts), 42)


@tagged("-at_install", "post_install")
class TestSmsOvhDashboardTour(SimulatorCase, HttpCase):
    """A user reads the dashboard."""

    def test_read_the_dashboard(self):
        company = self.env.ref("base.main_company")
        self.env["sms.ovh.account"].search([]).action_archive()
        account = self._create_account(company)
        admin = self.env.ref("base.user_admin")
        self.env["res.lang"]._activate_lang("en_US")
        admin.write({"lang": "en_US", "company_id": company.id})
        job = self.env["sms.ovh.job"].create(
            {
                "account_id": account.id,
                "sender_id": account.default_sender_id.id,
                "body": "Bonjour",
                "receivers": [["a", DELIVERED], ["b", UNDELIVERABLE]],
                "receiver_count": 2,
            }
        )
        self.env.flush_all()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            job = job.with_env(self.env(cr=cr))
            job._dispatch(job)
        self.env.invalidate_all()
        logs = self.env["sms.ovh.log"].search([("account_id", "=", account.id)])
        failed = logs.filtered(lambda log: log.number == UNDELIVERABLE)
        keys = {(account.id, failed.sms_ovh_id)}
        failed._move(keys, "error", "sms_not_delivered", 20)
        account.action_synchronise()
        self.start_tour("/odoo/sms-marketing", "sms_ovh_dashboard", login="admin")

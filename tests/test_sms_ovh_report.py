from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import KEYS_2, SERVICE_1, SERVICE_2
from .test_mailing_progress import (
    DELIVERED,
    NO_REPORT,
    REFUSED,
    UNDELIVERABLE,
    CampaignCase,
)

SWISS = "+41791234567"
REFUNDED = "+33612340039"


@tagged("-at_install", "post_install")
class TestSmsOvhReport(CampaignCase):
    """What a campaign came to, counted from what OVHcloud said of each SMS."""

    def _get_logs(self, mailing):
        return self.env["sms.ovh.log"].search([("mailing_id", "=", mailing.id)])

    def test_what_is_written_down(self):
        numbers = [DELIVERED, SWISS]
        mailing = self._create_mailing(numbers)
        mailing.sms_ovh_kind = "marketing"
        self._send_mailing(mailing)
        logs = self._get_logs(mailing)
        self.assertEqual(set(logs.mapped("number")), set(numbers))
        self.assertEqual(set(logs.mapped("kind")), {"marketing"})
        by_number = {log.number: log for log in logs}
        self.assertEqual(by_number[DELIVERED].country_code, "FR")
        self.assertEqual(by_number[SWISS].country_code, "CH")
        self.assertFalse(any(logs.mapped("delivered_at")))
        sms = self._create_sms([DELIVERED])
        sms.send()
        self._commit()
        log = self.env["sms.ovh.log"].search([("mailing_id", "=", False)], limit=1)
        self.assertEqual((log.number, log.kind), (DELIVERED, "transactional"))

    def test_delivered_when_the_report_says(self):
        mailing = self._create_mailing(self._numbers(5))
        self._send_mailing(mailing)
        logs = self._get_logs(mailing).sorted("number")
        sent_at = fields.Datetime.now() - timedelta(hours=1)
        logs.write({"date": sent_at})
        self.env.flush_all()
        now = fields.Datetime.now()
        local = sent_at + timedelta(hours=1, minutes=2)
        params = [
            # As OVHcloud writes it, with its time zone.
            {"date": f"{local.isoformat()}+01:00", "ptt": "4"},
            # Nothing that can be read, or no time zone, or nothing at all: now.
            {"date": "hier", "ptt": "4"},
            {"date": local.isoformat(), "ptt": "4"},
            # Before it was sent, by a clock that is wrong.
            {"date": "2020-01-01T00:00:00+00:00", "ptt": "4"},
            # OVHcloud was asked: delivered, nobody knows when.
            {},
        ]
        Event = self.env["sms.ovh.event"]
        for log, values in zip(logs, params, strict=True):
            Event._receive_delivery(
                self.account.id, {"id": log.sms_ovh_id, "description": "1", **values}
            )
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env.invalidate_all()
        self.assertEqual(set(logs.mapped("state")), {"sent"})
        named, unread, naive, early, asked = logs
        self.assertEqual(named.delivered_at, sent_at + timedelta(minutes=2))
        for log in (unread, naive):
            self.assertLess(abs(log.delivered_at - now), timedelta(minutes=1))
        self.assertEqual(early.delivered_at, sent_at)
        self.assertFalse(asked.delivered_at)

    def _read(self, domain, group=None):
        """Return the sums of the analysis, by group."""
        measures = (
            "sms_count",
            "segments",
            "credits",
            "delivered",
            "failed",
            "clicks",
            "stops",
        )
        groups = self.env["sms.ovh.report"]._read_group(
            domain, [group] if group else [], [f"{name}:sum" for name in measures]
        )
        if not group:
            return dict(zip(measures, groups[0], strict=True))
        return {
            key: dict(zip(measures, values, strict=True)) for key, *values in groups
        }

    def _sum_ledger(self, ledger):
        return {
            "taken": len(ledger),
            "segments": sum(sms["segments"] for sms in ledger),
            "credits": sum(sms["credits"] for sms in ledger if sms["charged"]),
            "delivered": sum(sms["status"] == "delivered" for sms in ledger),
            "failed": sum(sms["status"] in ("failed", "expired") for sms in ledger),
        }

    def test_sums_are_those_of_the_ledger(self):
        """Several campaigns, senders, lengths and countries: as OVHcloud charged."""
        short = self._sender(type="shortcode")
        many = [DELIVERED, UNDELIVERABLE, NO_REPORT, REFUSED, REFUNDED]
        campaigns = [
            self._create_mailing([*many, *self._numbers(5)]),
            self._create_mailing(self._numbers(4, first=20), body="Long " * 60),
            self._create_mailing(
                self._numbers(2, first=40),
                body="Bonjour {{ object.id }}",
                sms_ovh_sender_id=short.id,
            ),
            # Alone in its job: a short number does not reach Switzerland.
            self._create_mailing([SWISS], body="Grüezi"),
        ]
        ledgers = {}
        for mailing in campaigns:
            known = {sms["id"] for sms in self.simulator.get_ledger()}
            self._send_mailing(mailing)
            ledgers[mailing] = {
                sms["id"] for sms in self.simulator.get_ledger()
            } - known
        self._receive_reports()
        ledger = self.simulator.get_ledger()
        found = self._read([("mailing_id", "!=", False)], "mailing_id")
        for mailing in campaigns:
            expected = self._sum_ledger(
                [sms for sms in ledger if sms["id"] in ledgers[mailing]]
            )
            refused = int(mailing == campaigns[0])
            sums = found[mailing]
            self.assertEqual(sums["sms_count"], expected["taken"] + refused)
            self.assertEqual(sums["segments"], expected["segments"])
            self.assertAlmostEqual(sums["credits"], expected["credits"], 4)
            self.assertEqual(sums["delivered"], expected["delivered"])
            self.assertEqual(sums["failed"], expected["failed"] + refused)
        domain = [("mailing_id", "in", [mailing.id for mailing in campaigns])]
        by_country = self._read(domain, "country_id")
        swiss = by_country[self.env.ref("base.ch")]
        (of_swiss,) = [sms for sms in ledger if sms["receiver"] == SWISS]
        self.assertEqual(swiss["sms_count"], 1)
        self.assertAlmostEqual(swiss["credits"], of_swiss["credits"], 4)
        by_sender = self._read(domain, "sender_id")
        self.assertEqual(by_sender[short]["sms_count"], 2)
        self.assertEqual(self._read(domain)["sms_count"], len(ledger) + 1)

    def test_countries_of_one_text(self):
        """OVHcloud charges a job as a whole: each country gets its share of it."""
        mailing = self._create_mailing([SWISS, *self._numbers(3)])
        self.env["sms.ovh.rate"]._get_rates(self.account, ["CH", "FR"])
        self._send_mailing(mailing)
        self.assertEqual(len(mailing.mailing_trace_ids.sms_ovh_job_id), 1)
        by_country = self._read([("mailing_id", "=", mailing.id)], "country_id")
        (swiss,) = self.simulator.get_ledger(receiver=SWISS)
        self.assertGreater(swiss["credits"], 1)
        found = by_country[self.env.ref("base.ch")]["credits"]
        self.assertAlmostEqual(found, swiss["credits"], 4)
        self.assertAlmostEqual(by_country[self.france]["credits"], 3, 4)

    def test_countries_without_rates_share_equally(self):
        mailing = self._create_mailing([SWISS, *self._numbers(3)])
        self._send_mailing(mailing)
        total = sum(sms["credits"] for sms in self.simulator.get_ledger())
        by_country = self._read([("mailing_id", "=", mailing.id)], "country_id")
        found = by_country[self.france]["credits"]
        self.assertAlmostEqual(found, total * 3 / 4, 4)

    def test_results_of_a_campaign(self):
        mailing = self._create_mailing(
            [DELIVERED, UNDELIVERABLE, REFUSED, SWISS, *self._numbers(8)],
            body="Bonjour {{ object.name }}",
        )
        self._send_mailing(mailing)
        self._receive_reports()
        expected = self._sum_ledger(self.simulator.get_ledger())
        results = mailing.sms_ovh_get_results()
        self.assertEqual(results["taken"], 11)
        self.assertEqual(results["delivered"], 10)
        self.assertAlmostEqual(results["credits"], expected["credits"], 4)
        self.assertFalse(results["currency_id"], "nobody said what an SMS costs")
        self.assertFalse(results["cost"])
        self.assertEqual(
            {line["name"]: line["taken"] for line in results["countries"]},
            {self.france.name: 10, self.env.ref("base.ch").name: 1},
        )
        self.assertEqual([line["taken"] for line in results["senders"]], [11])
        # Delivered after 1, 2, … 10 minutes.
        logs = self._get_logs(mailing).filtered("delivered_at")
        for minutes, log in enumerate(logs, start=1):
            log.delivered_at = log.date + timedelta(minutes=minutes)
        self.env.flush_all()
        self.account.credit_price = 0.06
        results = mailing.sms_ovh_get_results()
        self.assertEqual(results["median"], 5.5 * 60)
        self.assertAlmostEqual(results["slowest_tenth"], 9.1 * 60)
        self.assertEqual(results["currency_id"], self.company.currency_id.id)
        self.assertAlmostEqual(results["cost"], expected["credits"] * 0.06, 4)
        # Behind a country of the table.
        action = mailing.action_view_sms_ovh_report("country_id", self.france.id)
        self.assertEqual(self._read(action["domain"])["sms_count"], 11)

    def test_a_cost_that_is_not_known_is_none(self):
        """Where nobody said what an SMS costs, nothing is shown as if it was free."""
        mailing = self._create_mailing(self._numbers(2))
        self._send_mailing(mailing)
        domain = [("mailing_id", "=", mailing.id)]

        def read():
            self.env.flush_all()
            (group,) = self.env["sms.ovh.report"].formatted_read_group(
                domain, [], ["cost:sum", "cost:sum_currency", "credits:sum"]
            )
            return group

        group = read()
        self.assertTrue(group["credits:sum"])
        # What pivots show as an empty cell, and graphs do not draw.
        self.assertIs(group["cost:sum"], False)
        self.assertIs(group["cost:sum_currency"], False)
        self.account.credit_price = 0.06
        group = read()
        self.assertAlmostEqual(group["cost:sum"], group["credits:sum"] * 0.06, 4)

    def test_clicks(self):
        mailing = self._create_mailing(
            self._numbers(3), body="Voir https://boutique.example.org"
        )
        self._send_mailing(mailing)
        self._receive_reports()
        traces = mailing.mailing_trace_ids
        for address in ("192.0.2.1", "192.0.2.2"):
            self.env["link.tracker.click"].sudo().add_click(
                self._get_code(mailing),
                ip=address,
                country_code="FR",
                mailing_trace_id=traces[0].id,
            )
        self.env.invalidate_all()
        self.assertEqual(mailing.clicked, 1)
        results = mailing.sms_ovh_get_results()
        self.assertEqual(results["clicks"], 1, "recipients who clicked, as in Odoo")
        self.assertTrue(results["has_links"])
        clicked = self.env["sms.ovh.report"].search([("clicks", "=", 1)])
        self.assertEqual(clicked.number, traces[0].sms_number)

    def _get_code(self, mailing):
        tracker = self.env["link.tracker"].search(
            [("mass_mailing_id", "=", mailing.id)]
        )
        return tracker.code

    def test_stops(self):
        numbers = self._numbers(3)
        mailing = self._send_mailing(self._create_mailing(numbers))
        self._receive_reports()
        self.simulator._call(
            "POST", f"phones/{numbers[0]}/stop", {"service": SERVICE_1}
        )
        self.account._read_answers()
        later = self._send_mailing(self._create_mailing(numbers))
        self.env.invalidate_all()
        self.assertEqual(mailing.sms_ovh_get_results()["stops"], 1)
        self.assertEqual(later.sms_ovh_get_results()["stops"], 0)
        stopped = self.env["sms.ovh.report"].search([("stops", "=", 1)])
        self.assertEqual((stopped.number, stopped.mailing_id), (numbers[0], mailing))

    def test_versions_are_compared(self):
        first = self._create_mailing(
            self._numbers(10), ab_testing_enabled=True, ab_testing_pc=20
        )
        second = first.copy({"body_plaintext": "Autre texte", "ab_testing_pc": 30})
        second.contact_list_ids = first.contact_list_ids
        self.assertEqual(first.campaign_id, second.campaign_id)
        for mailing in (first, second):
            self._send_mailing(mailing)
        self.env.invalidate_all()
        self.assertTrue(first.sms_ovh_get_results()["ab_test"])
        action = second.action_sms_ovh_compare_versions()
        found = self._read(action["domain"], "ab_version")
        self.assertEqual(
            {version: sums["sms_count"] for version, sums in found.items()},
            {"A": 2, "B": 3},
        )
        # Who gets the final sending is no version of its own.
        first.campaign_id.ab_testing_winner_mailing_id = second
        self.env.flush_all()
        self.assertEqual(set(self._read(action["domain"], "ab_version")), {"A"})

    def test_companies_stay_apart(self):
        other = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        self._create_account(other, SERVICE_2, KEYS_2)
        self._create_sms(self._numbers(2)).send()
        self._create_sms(self._numbers(3), record_company_id=other.id).send()
        self._commit()
        for companies, count in (
            (self.company, 2),
            (other, 3),
            (self.company | other, 5),
        ):
            user = new_test_user(
                self.env,
                f"report_{count}",
                groups="mass_mailing.group_mass_mailing_user",
                company_id=companies[0].id,
                company_ids=[Command.set(companies.ids)],
            )
            report = (
                self.env["sms.ovh.report"]
                .with_user(user)
                .with_context(allowed_company_ids=companies.ids)
            )
            self.assertEqual(report.search_count([]), count)

    def test_email_on_results(self):
        mailing = self._send_mailing(self._create_mailing(self._numbers(3)))
        self._receive_reports()
        self.account.credit_price = 0.06
        mailing.user_id = self.env.user
        values = mailing._prepare_statistics_email_values()
        kpi = values["kpi_data"][1]
        self.assertEqual(kpi["kpi_col1"]["value"], "3")
        self.assertIn("0.18", kpi["kpi_col1"]["col_subtitle"])
        self.assertEqual(kpi["kpi_col3"]["value"], "0")
        mails = mailing._action_send_statistics()
        self.assertIn(kpi["kpi_fullname"], mails.body_html)

    def test_email_on_results_is_in_its_readers_language(self):
        """Its frame, which is Odoo's, too: the scheduled action runs in English."""
        self.env["res.lang"]._activate_lang("fr_FR")
        self.env["ir.module.module"]._load_module_terms(
            ["digest", "mass_mailing", "mass_mailing_sms", "sms_ovh"], ["fr_FR"]
        )
        mailing = self._send_mailing(self._create_mailing(self._numbers(1)))
        mailing.user_id = new_test_user(
            self.env,
            "lectrice",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            lang="fr_FR",
        )
        body = mailing.with_context(lang="en_US")._action_send_statistics().body_html
        self.assertIn("a coûté et ce qui est revenu", body)
        self.assertIn("Envoyé par", body)
        self.assertNotIn("Sent by", body)

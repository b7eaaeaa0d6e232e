from contextlib import ExitStack
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytz

from odoo import SUPERUSER_ID, api
from odoo.exceptions import AccessError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, new_test_user, tagged
from odoo.tools import SQL, mute_logger

from ..models.sms_ovh_dashboard import OUTCOMES
from .common import SmsOvhCase

DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
REFUNDED = "+33612340039"
REFUSED = "+33612340102"
SWISS = "+41791234567"
TIMEZONES = (
    "Europe/Paris",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
LOGGERS = (
    "odoo.addons.sms_ovh.models.sms_ovh_job",
    "odoo.addons.sms_ovh.models.sms_ovh_job_reconcile",
    "odoo.addons.sms_ovh.sms_api",
)


@tagged("-at_install", "post_install")
class TestSmsOvhFigure(SmsOvhCase):
    """The figures are the log's, whatever happens to that. Each test ends by a look."""

    def setUp(self):
        super().setUp()
        self.account.action_synchronise()
        self.Log = self.env["sms.ovh.log"].sudo()
        self.Figure = self.env["sms.ovh.figure"].sudo()
        self.Log.search([]).unlink()
        self.name = self._sender(type="alpha", status="enable")
        self.short = self._sender(type="shortcode")

    def _send(self, numbers, sender=None, body="Bonjour"):
        """Send now; return what was written down of it."""
        self.account.default_sender_id = sender or self.name
        before = self.Log.search([])
        sms = self._create_sms(numbers, body)
        with mute_logger(*LOGGERS):
            sms.send()
            self._commit()
        return self.Log.search([]) - before

    def _spread(self, logs):
        """Have SMS been sent in any quarter of an hour of 40 days."""
        for index, log in enumerate(logs):
            log.date -= timedelta(days=index % 40, minutes=7 * index)

    def _receive_reports(self, count):
        """Have OVHcloud report in the wrong order, and twice."""
        callbacks = self.simulator.pop_callbacks(count=count)
        for callback in [*reversed(callbacks), *callbacks]:
            params = dict(parse_qsl(urlsplit(callback["url"]).query))
            self.env["sms.ovh.event"]._receive_delivery(self.account.id, params)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.env.invalidate_all()

    def _check(self):
        """Compare the figures with the log, and the dashboard with what that says.

        In time zones of which some begin their days within an hour of UTC.
        """
        self._check_figures()
        now = datetime.now(pytz.utc)
        for timezone in TIMEZONES:
            for sender in (self.name.browse(), self.name, self.short):
                with self.subTest(timezone=timezone, sender=sender.name):
                    self._check_dashboard(timezone, sender, now)

    def _check_dashboard(self, timezone, sender, now):
        env = self.env(context={**self.env.context, "tz": timezone})
        found = env["sms.ovh.dashboard"].get_figures(self.account.id, sender.id)
        zone = pytz.timezone(timezone)
        days = {
            day["day"]: {name: day[name] for name in (*OUTCOMES.values(), "credits")}
            for day in found["days"]
        }
        expected = {
            day: dict.fromkeys((*OUTCOMES.values(), "credits"), 0) for day in days
        }
        month = now.astimezone(zone).date().replace(day=1)
        tiles = {"sent": 0, "delivered": 0, "failed": 0, "refused": 0, "credits": 0}
        domain = [("account_id", "=", self.account.id)]
        for log in self.Log.search(
            domain + [("sender_id", "=", sender.id)] if sender else domain
        ):
            day = log.date.replace(tzinfo=pytz.utc).astimezone(zone).date()
            if str(day) in expected:
                expected[str(day)][OUTCOMES[log.state]] += 1
                expected[str(day)]["credits"] += log.credits
            if day >= month:
                tiles["sent"] += log.state in ("pending", "sent", "error")
                tiles["delivered"] += log.state == "sent"
                tiles["failed"] += log.state in ("error", "refused")
                tiles["refused"] += log.state == "refused"
                tiles["credits"] += log.credits
        for day, figures in expected.items():
            for name, value in figures.items():
                self.assertAlmostEqual(days[day][name], value, 9, (day, name))
        self.assertEqual(len(days), 30)
        self.assertEqual(found["tiles"]["sent"]["value"], tiles["sent"])
        self.assertEqual(found["tiles"]["sent"]["delivered"], tiles["delivered"])
        self.assertEqual(found["tiles"]["failed"]["value"], tiles["failed"])
        self.assertEqual(found["tiles"]["failed"]["refused"], tiles["refused"])
        self.assertEqual(found["tiles"]["credits"]["value"], round(tiles["credits"], 2))

    # ------------------------------------------------------------
    # A life
    # ------------------------------------------------------------

    def test_mixed_life(self):
        """Sent, reported on, refunded, called back, found, erased, deleted."""
        numbers = [DELIVERED, UNDELIVERABLE, REFUNDED, REFUSED]
        sent = self._send([*numbers, *self._numbers(12)])
        # Both countries share what the job cost.
        shared = self._send([DELIVERED, SWISS, *self._numbers(5)], body="Grüezi")
        short = self._send(self._numbers(9, first=30), sender=self.short)
        self.assertEqual(len(sent | shared | short), 32)
        self._create_sms(self._numbers(2, first=50))  # in the queue
        self._check()
        self._spread(sent | shared | short)
        self._check()

        self._receive_reports(count=2 * 31)
        states = (sent | shared | short).grouped("state")
        self.assertEqual({"sent", "error", "refused"}, states.keys())
        self.assertEqual(sum(states["error"].mapped("credits")), 1, "one is refunded")
        self._check()

        # Called back at OVHcloud, and delivered all the same.
        late = self._send(self._numbers(3, first=60))
        keys = {(log.account_id.id, log.sms_ovh_id) for log in late}
        self.assertEqual(self.Log._move(keys, "canceled", 0, 0, True), keys)
        self._check()
        self.assertEqual(self.Log._move(keys, "sent", False, 4), keys)
        self._check()

        # Refused, it seemed.
        (refused,) = states["refused"]
        job = self.env["sms.ovh.job"].new({"account_id": self.account.id})
        job.posted_at = refused.date
        self.Log._set_ids(job, {REFUSED: (None, "999999", 2.5)})
        refused.invalidate_recordset()
        self.assertEqual((refused.state, refused.credits), ("pending", 2.5))
        self._check()

        # What Odoo deletes, whom somebody erases, what an administrator deletes.
        self.env["sms.sms"].search([("state", "=", "sent")]).unlink()
        contact = self.env["res.partner"].create({"name": "Zoé", "phone": DELIVERED})
        contact.unlink()
        self.assertFalse(self.Log.search([("number", "=", DELIVERED)]))
        self._check()
        shared[:3].unlink()
        self._check()

        rows = self.Figure.search_count([])
        self.Figure._compact()
        self._check()
        self.assertLess(self.Figure.search_count([]), rows)
        ids = self.Figure.search([]).ids
        self.Figure._compact()
        self.assertEqual(self.Figure.search([]).ids, ids, "nothing is left to do")
        self.Figure.rebuild()
        self._check()
        self.assertEqual(self.Figure.search_count([]), len(ids))

        # What is older than anybody looks at.
        self.env["ir.config_parameter"].set_param("sms_ovh.keep_log_days", 20)
        self.Log._gc_logs()
        self._check()
        self.Log.search([]).unlink()
        self._check()
        self.Figure._compact()
        self.assertFalse(self.Figure.search([]), "what adds up to nothing is no row")

    # ------------------------------------------------------------
    # Days, and what a figure belongs to
    # ------------------------------------------------------------

    def test_days_begin_at_a_quarter(self):
        """In every time zone, and at each change of the clocks."""
        now = datetime.now(pytz.utc)
        for timezone in pytz.all_timezones:
            zone = pytz.timezone(timezone)
            for days in range(-400, 400, 7):
                offset = (now + timedelta(days=days)).astimezone(zone).utcoffset()
                self.assertFalse(offset % timedelta(minutes=15), timezone)

    def test_sender_is_deleted(self):
        """What it sent stays counted, as its log does."""
        self._send(self._numbers(3), sender=self.short)
        self.account.default_sender_id = self.name
        self.env["sms.ovh.job"].search([("sender_id", "=", self.short.id)]).unlink()
        self.short.unlink()
        self._check_figures()
        self.assertFalse(self.Figure.search([]).sender_id)
        self.assertEqual(self._get_sent(), 3)

    def test_account_is_deleted(self):
        self._send(self._numbers(3))
        self.company.sms_ovh_account_id = False
        domain = [("account_id", "=", self.account.id)]
        self.assertTrue(self.Figure.search(domain))
        self.account.unlink()
        self.assertFalse(self.Figure.search(domain))

    def _get_sent(self):
        figures = self.env["sms.ovh.dashboard"].get_figures(self.account.id)
        return figures["tiles"]["sent"]["value"]

    # ------------------------------------------------------------
    # Made anew
    # ------------------------------------------------------------

    def test_rebuild(self):
        """By system administrators, for all companies, whatever was wrong."""
        self._send(self._numbers(3))
        self.env.cr.execute("UPDATE sms_ovh_figure SET sent = sent + 7")
        self.env.cr.execute(
            "INSERT INTO sms_ovh_figure (account_id, date, pending, credits)"
            " VALUES (%s, now(), 5, 5)",
            [self.account.id],
        )
        self.assertNotEqual(self._get_sent(), 3)
        administrator = new_test_user(
            self.env, "sms-administrator", groups="sms_ovh.group_sms_ovh_admin"
        )
        with self.assertRaises(AccessError):
            self.Figure.with_user(administrator).rebuild()
        system = new_test_user(self.env, "system", groups="base.group_system")
        self.env["sms.ovh.figure"].with_user(system).rebuild()
        self.assertEqual(self._get_sent(), 3)

    def test_update_of_a_database(self):
        """Where there were no figures, they are those of what was sent before."""
        self._send(self._numbers(3))
        self.env.cr.execute("DROP TABLE sms_ovh_figure")
        self.registry.init_models(
            self.env.cr, ["sms.ovh.figure"], {"module": "sms_ovh"}, install=False
        )
        self._check_figures()
        self.assertEqual(self._get_sent(), 3)

    def test_budget_of_rows(self):
        """However many are sent at a time: a row for each sender and quarter."""
        self._send(self._numbers(100))
        self.assertEqual(self.Figure.search_count([]), 1)
        self._receive_reports(count=200)
        self.assertLessEqual(self.Figure.search_count([]), 4)


@tagged("-at_install", "post_install")
class TestSmsOvhFigureAtOnce(BaseCase):
    """Workers that write at once, each in a transaction of its own."""

    ACCOUNT_ID = -1  # nobody's

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        self._stack = ExitStack()
        self.addCleanup(self._clean)
        self.addCleanup(self._stack.close)

    def _clean(self):
        with self.registry.cursor() as cr:
            cr.execute(
                "DELETE FROM sms_ovh_figure WHERE account_id = %s", [self.ACCOUNT_ID]
            )

    def _open(self):
        """Return the figures as a worker sees them, who waits for nobody."""
        cr = self._stack.enter_context(self.registry.cursor())
        cr.execute("SET lock_timeout = '1s'")
        return api.Environment(cr, SUPERUSER_ID, {})["sms.ovh.figure"]

    def _add(self, figures, count=1):
        figures._add(
            SQL(
                "SELECT %s, NULL::int, TIMESTAMP '2026-01-01 12:01', 'sent', 0.1::float8,"
                " %s",
                self.ACCOUNT_ID,
                count,
            )
        )

    def _read(self, figures):
        return [
            (figure.sent, figure.credits)
            for figure in figures.search([("account_id", "=", self.ACCOUNT_ID)])
        ]

    def test_nobody_waits(self):
        one, two, three = self._open(), self._open(), self._open()
        for figures in (one, two, one, two):
            self._add(figures)
        one.env.cr.commit()
        self._add(two, 5)
        # Added up while another one is at it: of what both see, nothing is lost.
        three._compact()
        self.assertEqual(self._read(three), [(2, 0.2)])
        two.env.cr.commit()
        three.env.cr.commit()
        self.assertEqual(sum(sent for sent, __ in self._read(three)), 9)
        three._compact()
        self.assertEqual(self._read(three), [(9, 0.9)])
        self._add(three, -9)
        three._compact()
        self.assertEqual(self._read(three), [])

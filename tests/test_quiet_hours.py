from datetime import datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo.exceptions import ValidationError
from odoo.tests import BaseCase, Form, tagged

from ..models import sms_ovh_job
from ..tools import ovh_client
from ..tools.number_country import get_country_code
from ..tools.quiet_hours import Rules, get_holidays, next_opening
from .common import SmsOvhCase

# 2026: 23 November is a Monday, Paris is one hour ahead of UTC in winter.
MONDAY_MORNING = "2026-11-23 09:00:00"
MONDAY_EVENING = "2026-11-23 19:30:00"  # 20:30 in Paris
FRIDAY_NIGHT = "2026-11-20 22:00:00"  # 23:00 in Paris


def utc(text):
    return datetime.strptime(text, "%Y-%m-%d %H:%M")


@tagged("-at_install", "post_install")
class TestNextOpening(BaseCase):
    """When marketing SMS may leave, country by country."""

    def _assert_opening(self, moment, country_code, opening, **rules):
        self.assertEqual(
            next_opening(utc(moment), country_code, Rules(**rules)), utc(opening)
        )

    def test_open(self):
        for moment in ("2026-11-23 07:00", "2026-11-23 18:59", "2026-11-28 18:59"):
            self._assert_opening(moment, "FR", moment)

    def test_night(self):
        self._assert_opening("2026-11-23 06:59", "FR", "2026-11-23 07:00")
        self._assert_opening("2026-11-23 19:00", "FR", "2026-11-24 07:00")

    def test_sunday(self):
        self._assert_opening("2026-11-28 19:00", "FR", "2026-11-30 07:00")
        self._assert_opening("2026-11-29 12:00", "FR", "2026-11-30 07:00")

    def test_clocks_go_forward(self):
        """Between Saturday evening and Monday morning Paris loses an hour."""
        self._assert_opening("2026-03-28 18:59", "FR", "2026-03-28 18:59")
        self._assert_opening("2026-03-28 19:00", "FR", "2026-03-30 06:00")
        self._assert_opening("2026-03-30 05:59", "FR", "2026-03-30 06:00")
        self._assert_opening("2026-03-30 18:00", "FR", "2026-03-31 06:00")

    def test_clocks_go_back(self):
        self._assert_opening("2026-10-24 18:00", "FR", "2026-10-26 07:00")
        self._assert_opening("2026-10-26 06:30", "FR", "2026-10-26 07:00")
        self._assert_opening("2026-10-26 18:59", "FR", "2026-10-26 18:59")

    def test_hour_that_a_day_lacks_or_has_twice(self):
        """A rule that begins in that very hour: open when every reading says so."""
        every_day = frozenset(range(1, 8))
        # 2:30 is not shown on 29 March: the clock goes from 2:00 to 3:00, at 1:00 UTC.
        self._assert_opening(
            "2026-03-29 00:00", "FR", "2026-03-29 01:30", opens=2.5, weekdays=every_day
        )
        # 2:30 is shown twice on 25 October, at 0:30 and at 1:30 UTC.
        self._assert_opening(
            "2026-10-25 00:00", "FR", "2026-10-25 01:30", opens=2.5, weekdays=every_day
        )
        self._assert_opening(
            "2026-10-25 00:45",
            "FR",
            "2026-10-25 23:00",
            opens=0,
            closes=2.5,
            weekdays=every_day,
        )

    def test_french_holidays(self):
        # 14 July 2026 is a Tuesday; 25 May Whit Monday; 1 January a Friday in 2027.
        self._assert_opening("2026-07-13 18:00", "FR", "2026-07-15 06:00")
        self._assert_opening("2026-05-23 18:00", "FR", "2026-05-26 06:00")
        self._assert_opening("2026-12-31 19:00", "FR", "2027-01-02 07:00")
        self._assert_opening(
            "2026-07-13 18:00", "FR", "2026-07-14 06:00", holidays=False
        )

    def test_belgian_holidays(self):
        # 21 July, and not the 14th.
        self._assert_opening("2026-07-20 18:00", "BE", "2026-07-22 06:00")
        self._assert_opening("2026-07-14 10:00", "BE", "2026-07-14 10:00")
        self._assert_opening("2026-07-21 10:00", "FR", "2026-07-21 10:00")

    def test_spanish_holidays(self):
        # 8 December is one, 14 July is none. The Canary Islands are an hour behind.
        self._assert_opening("2026-12-08 10:00", "ES", "2026-12-09 08:00")
        self._assert_opening("2026-07-14 10:00", "ES", "2026-07-14 10:00")
        self.assertIn(utc("2026-10-12 00:00").date(), get_holidays("ES", 2026))

    def test_overseas(self):
        for number, country_code, opening in (
            ("+262692001122", "RE", "2026-11-24 04:00"),
            ("+262639001122", "YT", "2026-11-24 05:00"),
            ("+590690001122", "GP", "2026-11-24 12:00"),
            ("+594694001122", "GF", "2026-11-24 11:00"),
            ("+596696001122", "MQ", "2026-11-24 12:00"),
            ("+508550011", "PM", "2026-11-24 11:00"),
            ("+687751122", "NC", "2026-11-24 21:00"),
        ):
            with self.subTest(number=number):
                self.assertEqual(get_country_code(number), country_code)
                local_closing = utc(opening) - timedelta(hours=12)
                self.assertEqual(
                    next_opening(local_closing, country_code, Rules()), utc(opening)
                )
        # Tahiti is at UTC-10, the Gambier Islands at UTC-9.
        self.assertEqual(get_country_code("+68987001122"), "PF")
        self._assert_opening("2026-11-24 10:00", "PF", "2026-11-24 18:00")
        self._assert_opening("2026-11-25 05:00", "PF", "2026-11-25 18:00")

    def test_several_zones(self):
        """Open only where it is open on both coasts, and in Hawaii."""
        # 8:00 in Honolulu is 18:00 UTC; 20:00 in New York 1:00 UTC of the next day.
        self._assert_opening("2026-11-23 15:00", "US", "2026-11-23 18:00")
        self._assert_opening("2026-11-24 00:59", "US", "2026-11-24 00:59")
        self._assert_opening("2026-11-24 01:00", "US", "2026-11-24 18:00")

    def test_no_hour_in_all_zones(self):
        """Two hours in the morning: never on both coasts at once, so New York's count."""
        self._assert_opening(
            "2026-11-23 10:00", "US", "2026-11-23 14:00", opens=9, closes=11
        )

    def test_country_without_zones(self):
        self._assert_opening(
            "2026-11-23 20:00", None, "2026-11-24 07:00", zone="Europe/Paris"
        )
        self._assert_opening("2026-11-23 20:00", "XK", "2026-11-24 07:00")

    def test_country_of_a_number(self):
        for number, country_code in (
            ("+33612345678", "FR"),
            ("+32470123456", "BE"),
            ("+34612345678", "ES"),
            ("+14155550100", "US"),
            ("+15145550100", "CA"),
            ("+390612345678", "IT"),
            ("+999123456", None),
            ("+800123456", None),
            ("0612345678", None),
            ("nobody", None),
            (False, None),
        ):
            self.assertEqual(get_country_code(number), country_code, number)


@tagged("-at_install", "post_install")
class TestQuietHours(SmsOvhCase):
    """What is marketing waits for the recipient's hours, wherever it is on its way."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.sms_ovh_quiet_hours = True
        cls.env.user.tz = "Europe/Paris"
        cls.belgium = cls.env.ref("base.be")

    def setUp(self):
        super().setUp()
        self.env["sms.sms"].search([]).unlink()
        # Odoo forgets what is past by the database's clock, which is not frozen.
        self.wakes = []
        Job = type(self.env["sms.ovh.job"])
        original = Job._trigger_at

        def trigger_at(jobs, xmlid, moments):
            self.wakes += [(xmlid, moment) for moment in moments]
            return original(jobs, xmlid, moments)

        self.patch(Job, "_trigger_at", trigger_at)

    def _run_all(self):
        for xmlid in (
            "mass_mailing.ir_cron_mass_mailing_queue",
            "sms.ir_cron_sms_scheduler_action",
            "sms_ovh.ir_cron_post_jobs",
        ):
            self._run_cron(xmlid)

    def _receivers(self):
        return sorted(entry["receiver"] for entry in self.simulator.get_ledger())

    def _assert_wakes(self, xmlid, moment):
        self.assertIn((xmlid, moment), self.wakes)

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def test_in_open_hours(self):
        with freeze_time(MONDAY_MORNING):
            mailing = self._create_mailing(self._numbers(2))
            self.assertFalse(mailing.sms_ovh_leaves)
            mailing.action_put_in_queue()
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(2))
            self.assertEqual(mailing.state, "done")

    def test_sent_on_friday_night(self):
        """It leaves on Saturday at 8:00, on time, and says so before and after."""
        with freeze_time(FRIDAY_NIGHT):
            mailing = self._create_mailing(self._numbers(2))
            self.assertIn("If you send it now", mailing.sms_ovh_leaves)
            self.assertIn("Saturday 21 November", mailing.sms_ovh_leaves)
            mailing.action_put_in_queue()
            self.assertTrue(mailing.sms_ovh_leaves.startswith("Leaves on Saturday 21"))
            self._run_all()
            self._run_all()
            self.assertEqual(self._receivers(), [])
            self.assertEqual(mailing.state, "sending")
            self.assertFalse(mailing.sent_date)
            mailing.invalidate_recordset(["sms_ovh_leaves"])
            self.assertIn("leave on Saturday 21 November", mailing.sms_ovh_leaves)
            self.assertIn("quiet hours: 2.", mailing.sms_ovh_leaves)
            sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
            self.assertEqual(set(sms.mapped("state")), {"outgoing"})
            self.assertEqual(
                set(sms.mapped("sms_ovh_send_at")), {utc("2026-11-21 07:00")}
            )
            self._assert_wakes(
                "sms.ir_cron_sms_scheduler_action", utc("2026-11-21 07:00")
            )
        with freeze_time("2026-11-21 07:00:00"):
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(2))
            mailing.invalidate_recordset(["sms_ovh_leaves"])
            self.assertEqual(mailing.state, "done")
            self.assertFalse(mailing.sms_ovh_leaves)

    def test_scheduled_on_a_sunday(self):
        with freeze_time(MONDAY_MORNING):
            mailing = self._create_mailing(
                self._numbers(1),
                schedule_type="scheduled",
                schedule_date=utc("2026-11-29 10:00"),
            )
            self.assertIn("Leaves on Monday 30 November", mailing.sms_ovh_leaves)
            mailing.schedule_date = utc("2026-11-27 10:00")
            self.assertFalse(mailing.sms_ovh_leaves)
            mailing.schedule_date = utc("2026-11-29 10:00")
            mailing.action_schedule()
            self.assertEqual(mailing.state, "in_queue")
        with freeze_time("2026-11-29 10:01:00"):
            self._run_all()
            self.assertEqual(self._receivers(), [])
        with freeze_time("2026-11-30 07:00:00"):
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(1))

    def test_several_countries(self):
        """On 14 July Belgium and Spain are open, France is not; Martinique sleeps."""
        numbers = {
            "BE": "+32470123456",
            "ES": "+34612345678",
            "FR": "+33611111111",
            "MQ": "+596696001122",
        }
        with freeze_time("2026-07-14 09:00:00"):
            mailing = self._create_mailing(numbers.values())
            mailing.action_put_in_queue()
            self._run_all()
            self.assertEqual(self._receivers(), sorted((numbers["BE"], numbers["ES"])))
            self.assertEqual(mailing.state, "sending")
            mailing.invalidate_recordset(["sms_ovh_leaves"])
            self.assertRegex(
                mailing.sms_ovh_leaves,
                "hours: 2. The first leaves on Wednesday 15 July .* last on Wednesday",
            )
        with freeze_time("2026-07-15 06:00:00"):
            self._run_all()
            self.assertEqual(len(self._receivers()), 3)
            self.assertIn(numbers["FR"], self._receivers())
        with freeze_time("2026-07-15 12:00:00"):
            self._run_all()
            self.assertEqual(len(self._receivers()), 4)
            self.assertEqual(mailing.state, "done")
        jobs = self.env["sms.ovh.job"].search([("mailing_id", "=", mailing.id)])
        self.assertEqual(set(jobs.mapped("country_code")), set(numbers))

    def test_transactional_is_never_held(self):
        with freeze_time(FRIDAY_NIGHT):
            mailing = self._create_mailing(
                self._numbers(1), sms_ovh_kind="transactional"
            )
            self.assertFalse(mailing.sms_ovh_leaves)
            mailing.action_put_in_queue()
            sms = self._create_sms(self._numbers(1, first=5))
            sms.send()
            self._commit()
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(1) + self._numbers(1, 5))

    def test_off(self):
        self.company.sms_ovh_quiet_hours = False
        with freeze_time(FRIDAY_NIGHT):
            mailing = self._create_mailing(self._numbers(1))
            self.assertTrue(mailing.sms_ovh_hours_off)
            self.assertFalse(mailing.sms_ovh_leaves)
            mailing.action_put_in_queue()
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(1))

    def test_switched_off_while_waiting(self):
        with freeze_time(FRIDAY_NIGHT):
            mailing = self._create_mailing(self._numbers(1))
            mailing.action_put_in_queue()
            self._run_all()
            self.company.sms_ovh_open_to = 22
            self._run_all()
            self.assertEqual(self._receivers(), [], "still closed by the new hours")
            self.company.sms_ovh_quiet_hours = False
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(1))

    # ------------------------------------------------------------
    # On its way
    # ------------------------------------------------------------

    def test_still_queued_in_the_evening(self):
        """Composed at 19:59 and claimed after 20:00: it waits for the morning."""
        with freeze_time("2026-11-23 18:59:00"):
            sms = self._create_sms(self._numbers(2), sms_ovh_kind="marketing")
            self.assertFalse(any(sms.mapped("sms_ovh_send_at")))
        with freeze_time(MONDAY_EVENING):
            self._run_all()
            self.assertEqual(self._receivers(), [])
            self.assertEqual(set(sms.mapped("state")), {"outgoing"})
            self.assertFalse(sms.sms_ovh_job_id)
        with freeze_time("2026-11-24 07:00:00"):
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(2))

    def test_still_in_the_outbox_in_the_evening(self):
        """As for want of credit: each country by its own hours."""
        with freeze_time(MONDAY_MORNING):
            sms = self._create_sms(
                ["+33611111111", "+33622222222", "+596696001122"],
                sms_ovh_kind="marketing",
            )
        with freeze_time("2026-11-23 18:00:00"):  # open in both
            self.account._pause("credit", "Plus de SMS.")
            sms.sms_ovh_send_at = False
            self._run_all()
            jobs = sms.sms_ovh_job_id
            self.assertEqual(set(jobs.mapped("country_code")), {"FR", "MQ"})
            self.assertEqual(set(jobs.mapped("state")), {"queued"})
        with freeze_time(MONDAY_EVENING):
            self.account.action_resume()
            self._run_all()
            self.assertEqual(self._receivers(), ["+596696001122"])
            waiting = jobs.filtered(lambda job: job.state == "queued")
            self.assertEqual(waiting.country_code, "FR")
            self.assertEqual(waiting.next_attempt, utc("2026-11-24 07:00"))
            self.assertEqual(waiting.attempts, 0)
            self._assert_wakes("sms_ovh.ir_cron_post_jobs", utc("2026-11-24 07:00"))
        with freeze_time("2026-11-24 07:00:00"):
            self._run_all()
            self.assertEqual(len(self._receivers()), 3)

    def test_a_moment_before_the_end(self):
        """What a thread may post after 20:00 is not handed to it at 19:59."""
        with freeze_time("2026-11-23 18:59:50"):
            sms = self._create_sms(self._numbers(1), sms_ovh_kind="marketing")
            self._run_all()
            self.assertEqual(self._receivers(), [])
            self.assertEqual(sms.sms_ovh_job_id.next_attempt, utc("2026-11-24 07:00"))

    def test_many_held_jobs_do_not_hide_others(self):
        """More held than are looked at in one search: what may leave does."""
        with freeze_time("2026-11-23 18:00:00"):
            held = self.env["sms.sms"]
            for index in range(4):
                held += self._create_sms(
                    self._numbers(1, index),
                    body=f"Texte {index}",
                    sms_ovh_kind="marketing",
                )
            held._sms_ovh_claim()
            free = self._create_sms(self._numbers(1, 9))
            free._sms_ovh_claim()
        with (
            freeze_time(MONDAY_EVENING),
            patch.object(sms_ovh_job, "SEARCH_LIMIT", 2),
        ):
            self._run_cron("sms_ovh.ir_cron_post_jobs")
            self.assertEqual(self._receivers(), self._numbers(1, 9))

    def test_what_waits_is_not_read_again(self):
        """The queue finds nothing to do in what waits, however much it is."""
        with freeze_time(FRIDAY_NIGHT):
            self._create_sms(self._numbers(50), sms_ovh_kind="marketing")
            self._run_cron("sms.ir_cron_sms_scheduler_action")
            counts = []
            for __ in range(2):
                before = self.cr.sql_log_count
                with self.enter_registry_test_mode(), self.registry.cursor() as cr:
                    self.env["sms.sms"].with_env(self.env(cr=cr))._process_queue()
                counts.append(self.cr.sql_log_count - before)
                self._create_sms(
                    self._numbers(100, first=100), sms_ovh_kind="marketing"
                )
            self.assertEqual(counts[0], counts[1])
            self.assertLessEqual(counts[0], 5)

    def test_sent_directly(self):
        """An SMS that skips the queue does not skip the hours."""
        with freeze_time(FRIDAY_NIGHT):
            mailing = self._create_mailing(self._numbers(2), sms_force_send=True)
            mailing.action_send_mail()
            self._commit()
            self._run_all()
            self.assertEqual(self._receivers(), [])
        with freeze_time("2026-11-21 07:00:00"):
            self._run_all()
            self.assertEqual(self._receivers(), self._numbers(2))

    def test_one_trigger_for_a_moment(self):
        with freeze_time(FRIDAY_NIGHT):
            for index in range(3):
                self._create_sms(self._numbers(1, index), sms_ovh_kind="marketing")
            triggers = self.env["ir.cron.trigger"].search(
                [("call_at", "=", utc("2026-11-21 07:00"))]
            )
            self.assertEqual(len(triggers), 1)

    # ------------------------------------------------------------
    # Composer
    # ------------------------------------------------------------

    def _compose(self, **values):
        partner = self.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33611111111", "country_id": self.france.id}
        )
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=partner.id
            ),
            "sms.sms_composer_view_form",
        )
        composer.body = "Bonjour"
        for name, value in values.items():
            setattr(composer, name, value)
        return composer

    def test_composer_says_when(self):
        with freeze_time(FRIDAY_NIGHT):
            composer = self._compose()
            self.assertFalse(composer.sms_ovh_leaves)
            composer.sms_ovh_kind = "marketing"
            self.assertIn("Saturday 21 November", composer.sms_ovh_leaves)
            composer.sms_ovh_send_at = utc("2026-11-22 10:00")
            self.assertIn("Monday 23 November", composer.sms_ovh_leaves)
            composer.save().action_send_sms()
            self._commit()
            self._run_all()
            self.assertEqual(self._receivers(), [])
        with freeze_time("2026-11-23 07:00:00"):
            self._run_all()
            self.assertEqual(self._receivers(), ["+33611111111"])

    def test_send_at(self):
        with freeze_time(MONDAY_MORNING):
            composer = self._compose(sms_ovh_send_at=utc("2026-11-23 22:15"))
            self.assertFalse(composer.sms_ovh_leaves)
            composer.save().action_send_sms()
            self._commit()
            self._run_all()
            self.assertEqual(self._receivers(), [])
            sms = self.env["sms.sms"].search([])
            self.assertEqual(sms.sms_ovh_send_at, utc("2026-11-23 22:15"))
            self.assertFalse(sms.sms_ovh_wanted_at)
            self._assert_wakes(
                "sms.ir_cron_sms_scheduler_action", utc("2026-11-23 22:15")
            )
        with freeze_time("2026-11-23 22:15:00"):
            self._run_all()
            self.assertEqual(self._receivers(), ["+33611111111"])

    def test_send_at_in_the_past_is_now(self):
        with freeze_time(MONDAY_MORNING):
            composer = self._compose(sms_ovh_send_at=utc("2026-11-22 22:15"))
            composer.save().action_send_sms()
            self._commit()
            self.assertEqual(self._receivers(), ["+33611111111"])

    def test_send_at_to_several(self):
        partners = self.env["res.partner"].create(
            [{"name": number, "phone": number} for number in self._numbers(2)]
        )
        with freeze_time(MONDAY_MORNING):
            for values in (
                {
                    "composition_mode": "mass",
                    "res_model": "res.partner",
                    "res_ids": repr(partners.ids),
                    "mass_force_send": True,
                },
                {"composition_mode": "numbers", "numbers": "+33699999999"},
            ):
                self.env["sms.composer"].create(
                    {
                        "body": "Bonjour",
                        "sms_ovh_send_at": utc("2026-11-23 22:15"),
                        **values,
                    }
                ).action_send_sms()
            self._commit()
            self._run_all()
            self.assertEqual(self._receivers(), [])
        with freeze_time("2026-11-23 22:15:00"):
            self._run_all()
            self.assertEqual(self._receivers(), [*self._numbers(2), "+33699999999"])

    # ------------------------------------------------------------
    # Settings
    # ------------------------------------------------------------

    def test_defaults(self):
        company = self.env["res.company"].create({"name": "Nouvelle"})
        rules = company._sms_ovh_get_rules()
        self.assertEqual((rules.opens, rules.closes), (8, 20))
        self.assertEqual(rules.weekdays, {1, 2, 3, 4, 5, 6})
        self.assertTrue(rules.holidays)

    def test_settings(self):
        """Hours that only agree together are written together."""
        settings = Form(self.env["res.config.settings"])
        settings.sms_ovh_open_from = 21
        settings.sms_ovh_open_to = 23
        settings.sms_ovh_open_sunday = True
        settings.save().set_values()
        rules = self.company._sms_ovh_get_rules()
        self.assertEqual((rules.opens, rules.closes), (21, 23))
        self.assertIn(7, rules.weekdays)

    def test_presets(self):
        """What OVHcloud does is where a company starts; the charter is a choice."""
        settings = Form(self.env["res.config.settings"])
        self.assertEqual(settings.sms_ovh_hours_preset, "ovhcloud")
        settings.sms_ovh_hours_preset = "charter"
        self.assertEqual(settings.sms_ovh_open_to, 21.5)
        self.assertTrue(settings.sms_ovh_keep_holidays)
        self.assertFalse(settings.sms_ovh_open_sunday)
        settings.save().execute()
        evening, night = utc("2026-11-23 20:29"), utc("2026-11-23 20:30")
        opening = utc("2026-11-24 07:00")
        self.assertEqual(self.company._sms_ovh_get_opening(evening), evening)
        self.assertEqual(self.company._sms_ovh_get_opening(night), opening)
        settings = Form(self.env["res.config.settings"])
        self.assertEqual(settings.sms_ovh_hours_preset, "charter")
        settings.sms_ovh_hours_preset = "charter_all"
        self.assertTrue(settings.sms_ovh_open_sunday)
        self.assertFalse(settings.sms_ovh_keep_holidays)
        settings.sms_ovh_open_from = 9
        self.assertEqual(settings.sms_ovh_hours_preset, "other")
        settings.sms_ovh_hours_preset = "ovhcloud"
        settings.save().execute()
        self.assertEqual(self.company._sms_ovh_get_opening(evening), opening)

    def test_presets_are_what_the_pages_say(self):
        """The hours of 2026 hold, and those of the older page are OVHcloud's, too."""
        self.assertEqual(self.company._sms_ovh_get_rules(), Rules())
        for config, left in (("2026", True), ("older", False)):
            # A Saturday noon: open by the newest pages only.
            with self.subTest(config), freeze_time("2026-11-21 11:00:00"):
                self.simulator.reset()
                self.simulator.configure(marketing_hours=config)
                self.simulator.set_clock("2026-11-21T12:00:00+01:00")
                ovh_client._clock_cache.clear()
                self._create_sms(self._numbers(1), sms_ovh_kind="marketing").send()
                self._commit()
                (entry,) = self.simulator.get_ledger()
                self.assertEqual(bool(entry["sent"]), left)

    def test_hours_of_a_country(self):
        """Belgium has hours of its own; France keeps the company's."""
        numbers = ["+33611111111", "+32470123456"]
        hours = self.env["sms.ovh.hours"].create(
            {"country_id": self.belgium.id, "sms_ovh_open_to": 22}
        )
        self.assertIn("08:00 to 22:00, not on public holidays", hours.summary)
        self.env["res.lang"]._activate_lang("fr_FR")
        self.assertIn("lun., mar.", hours.with_context(lang="fr_FR").summary)
        with freeze_time(MONDAY_EVENING):
            self._create_sms(numbers, sms_ovh_kind="marketing").send()
            self._commit()
            self.assertEqual(self._receivers(), numbers[1:])
            self._create_sms(["+32470123457"], sms_ovh_kind="marketing")
            hours.sms_ovh_open_to = 20.5
            self._run_all()
            self.assertEqual(self._receivers(), numbers[1:])
            # What waits goes by the company's again, once it changes to those.
            hours.unlink()
            self.company.sms_ovh_open_to = 22
            self._run_all()
            self.assertEqual(self._receivers(), sorted([*numbers, "+32470123457"]))

    def test_hours_of_a_country_that_never_come(self):
        with self.assertRaises(ValidationError):
            self.env["sms.ovh.hours"].create(
                {"country_id": self.belgium.id, "sms_ovh_open_to": 8}
            )

    def test_hours_that_never_come(self):
        with self.assertRaisesRegex(ValidationError, "later end"):
            self.company.write({"sms_ovh_open_from": 20, "sms_ovh_open_to": 8})

    def test_days_that_never_come(self):
        with self.assertRaisesRegex(ValidationError, "at least one"):
            self.company.write(
                {
                    name: False
                    for name in self.company._fields
                    if name.startswith("sms_ovh_open_") and name.endswith("day")
                }
            )

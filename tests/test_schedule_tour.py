from datetime import datetime
from zoneinfo import ZoneInfo

from odoo.tests import HttpCase, tagged

from .common import SimulatorCase


class ScheduleTourCase(SimulatorCase, HttpCase):
    """A marketer schedules a campaign, thinks again, sends it, and calls it back."""

    def _schedule_and_cancel(self):
        self.env["sms.ovh.account"].search([]).action_archive()
        self.env["mailing.mailing"].search([("mailing_type", "=", "sms")]).unlink()
        company = self.env.ref("base.main_company")
        account = self._create_account(company)
        # Whatever the hour is, it is closed now.
        morning = datetime.now(ZoneInfo("Europe/Paris")).hour < 12
        company.write(
            {
                "country_id": self.env.ref("base.fr").id,
                "sms_ovh_account_id": account.id,
                "sms_ovh_campaign_kind": "marketing",
                "sms_ovh_quiet_hours": True,
                "sms_ovh_open_from": 18 if morning else 8,
                "sms_ovh_open_to": 19 if morning else 9,
            }
        )
        self.env["res.lang"]._activate_lang("en_US")
        admin = self.env.ref("base.user_admin")
        admin.write(
            {
                "lang": "en_US",
                "tz": "Europe/Paris",
                "group_ids": [(4, self.ref("mass_mailing.group_mass_mailing_user"))],
            }
        )
        mailing_list = self.env["mailing.list"].create({"name": "Clients du tour"})
        self.env["mailing.contact"].create(
            [
                {"name": number, "mobile": number, "list_ids": mailing_list.ids}
                for number in ("+33611111111", "+33622222222")
            ]
        )
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Soldes du dimanche",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": mailing_list.ids,
                "body_plaintext": "Bonjour",
                "user_id": admin.id,
                "sms_ovh_company_id": company.id,
            }
        )
        self.start_tour(
            "/odoo/sms-marketing", "sms_ovh_schedule_and_cancel", login="admin"
        )
        mailing.invalidate_recordset()
        self.assertEqual((mailing.state, mailing.schedule_date), ("draft", False))
        mailing.action_put_in_queue()
        self.env.ref("mass_mailing.ir_cron_mass_mailing_queue").with_user(
            self.env.ref("base.user_root")
        ).sudo(False).method_direct_trigger()
        self.start_tour("/odoo/sms-marketing", "sms_ovh_cancel_sent", login="admin")
        mailing.invalidate_recordset()
        self.assertEqual(
            mailing.mailing_trace_ids.mapped("trace_status"), ["cancel"] * 2
        )
        self.assertEqual(self.simulator.count_jobs(), 0)


@tagged("-at_install", "post_install")
class TestScheduleTour(ScheduleTourCase):
    def test_schedule_and_cancel(self):
        self._schedule_and_cancel()


@tagged("-at_install", "post_install")
class TestScheduleTourMobile(ScheduleTourCase):
    """The same at the width of a phone."""

    browser_size = "390x844"
    touch_enabled = True

    def test_schedule_and_cancel(self):
        self._schedule_and_cancel()

from datetime import timedelta
from unittest.mock import patch

from odoo.tests import HttpCase, tagged

from .. import const
from .common import SimulatorCase
from .test_mailing_progress import UNDELIVERABLE


@tagged("-at_install", "post_install")
class TestProgressTour(SimulatorCase, HttpCase):
    """A marketer watches a campaign leave and reads what it came to."""

    def test_watch_a_campaign(self):
        company = self.env.ref("base.main_company")
        self.env["sms.ovh.account"].search([]).action_archive()
        self.env["sms.sms"].search([]).unlink()
        self.env["mailing.mailing"].search([("state", "!=", "done")]).unlink()
        self._create_account(company)
        self.env["res.lang"]._activate_lang("en_US")
        admin = self.env.ref("base.user_admin")
        admin.write({"lang": "en_US", "company_id": company.id})
        numbers = [f"+3361100000{index}" for index in range(4)] + [UNDELIVERABLE]
        mailing_list = self.env["mailing.list"].create(
            {
                "name": "Clients du tour",
                "contact_ids": [
                    (0, 0, {"name": number, "mobile": number}) for number in numbers
                ],
            }
        )
        mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": mailing_list.ids,
                "body_plaintext": "Bonjour",
                "user_id": admin.id,
                "sms_ovh_company_id": company.id,
                "sms_ovh_kind": "transactional",
            }
        )
        # OVHcloud is asked at once, and as often as the tour wants to know.
        soon = (timedelta(0),) * 50
        with patch.object(const, "POLL_AFTER", soon):
            self.start_tour(
                f"/odoo/sms-marketing/{mailing.id}", "sms_ovh_progress", login="admin"
            )
        self.env.invalidate_all()
        self.assertEqual(len(self.simulator.get_ledger()), 5)
        self.assertEqual(mailing.state, "done")
        self.assertEqual(mailing.delivered, 4)

from odoo.tests import HttpCase, tagged

from .common import SimulatorCase


@tagged("-at_install", "post_install")
class TestFrenchTour(SimulatorCase, HttpCase):
    """The way to a sent campaign of a user who speaks French only."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms(["sms_ovh"], ["fr_FR"])
        admin = cls.env.ref("base.user_admin")
        admin.lang = "fr_FR"
        cls.company = admin.company_id
        cls.company.sms_ovh_quiet_hours = False
        cls._create_account(cls.company)
        mailing_list = cls.env["mailing.list"].create({"name": "Clients du tour"})
        cls.env["mailing.contact"].create(
            {"name": "Zoé", "mobile": "+33611111111", "list_ids": mailing_list.ids}
        )

    def test_french(self):
        self.start_tour("/odoo/sms-marketing", "sms_ovh_french", login="admin")
        mailing = self.env["mailing.mailing"].search([("subject", "=", "Soldes")])
        self.assertEqual(mailing.state, "in_queue")
        self.assertEqual(mailing.body_plaintext, "C'est la fete")

"""What somebody meets who writes to customers, and is no user of SMS Marketing."""

from odoo.tests import HttpCase, new_test_user, tagged

from .common import SimulatorCase

PHONE = "+33612340010"
TEXT = "Votre commande est arrivée."


class SalespersonTourCase(SimulatorCase, HttpCase):
    """A contact's number, the composer, the chatter: in French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["sms.ovh.account"].search([]).action_archive()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms(["sms_ovh", "sms"], ["fr_FR"])
        company = cls.env.ref("base.main_company")
        company.country_id = cls.env.ref("base.fr")
        cls._create_account(company)
        new_test_user(
            cls.env,
            "vendeuse",
            groups="base.group_user,base.group_partner_manager",
            company_id=company.id,
            lang="fr_FR",
        )
        cls.env["res.partner"].create(
            {"name": "Zoé Martin", "phone": PHONE, "country_id": company.country_id.id}
        )

    def _send_from_a_contact(self):
        self.start_tour("/odoo/contacts", "sms_ovh_salesperson", login="vendeuse")
        # In a test nothing is committed: what follows a commit is the cron's.
        self.env.ref("sms_ovh.ir_cron_post_jobs").with_user(
            self.env.ref("base.user_root")
        ).sudo(False).method_direct_trigger()
        (sms,) = self.simulator.get_ledger()
        self.assertEqual((sms["receiver"], sms["text_sent"]), (PHONE, TEXT))


@tagged("-at_install", "post_install")
class TestSalespersonTour(SalespersonTourCase):
    def test_send_from_a_contact(self):
        self._send_from_a_contact()


@tagged("-at_install", "post_install")
class TestSalespersonTourMobile(SalespersonTourCase):
    browser_size = "390x844"
    touch_enabled = True

    def test_send_from_a_contact(self):
        self._send_from_a_contact()

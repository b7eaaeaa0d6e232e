"""From a list with dirty numbers to a campaign that all of them get."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, new_test_user, tagged

from .common import SimulatorCase, SmsOvhCase

DIRTY = {
    "clean": "+33612340010",
    "stray zero": "00612340011",
    "two": "06 12 34 00 12 / 06 12 34 00 13",
    "rounded": "6.1234E+08",
    "landline": "01 42 68 53 00",
    "letter": "O6 12 34 00 14",
}


@tagged("-at_install", "post_install")
class TestSmsOvhNumberCorrection(SmsOvhCase):
    def setUp(self):
        super().setUp()
        self.partners = self.env["res.partner"].create(
            [
                {"name": name, "phone": phone, "country_id": self.france.id}
                for name, phone in DIRTY.items()
            ]
        )
        self.mailing = self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", self.partners.ids)]),
                "body_plaintext": "Bonjour",
            }
        )

    def _estimate(self):
        action = self.mailing.action_sms_ovh_estimate()
        return self.env["sms.ovh.mailing.send"].browse(action["res_id"])

    def _correct(self, send):
        action = send.action_correct_numbers()
        corrections = self.env[action["res_model"]].search(action["domain"])
        return action, {line.record_name: line for line in corrections}

    def test_list(self):
        send = self._estimate()
        self.assertEqual((send.sent_count, send.excluded_count), (2, 4))
        self.assertEqual(send.several_count, 1)
        self.assertTrue(send.correctable)
        __, lines = self._correct(send)
        self.assertEqual(
            {name: line.proposal for name, line in lines.items()},
            {
                "stray zero": "+33 6 12 34 00 11",
                "two": "+33 6 12 34 00 12",
                "rounded": False,
                "landline": False,
                "letter": "+33 6 12 34 00 14",
            },
        )
        for name, words in (
            ("stray zero", "zero too many"),
            ("two", "Several numbers"),
            ("rounded", "spreadsheet"),
            ("landline", "Landline"),
            ("letter", "letter"),
        ):
            self.assertEqual(lines[name].typed, DIRTY[name])
            self.assertIn(words, lines[name].reason)
        self.assertEqual(
            {partner.name: partner.phone for partner in self.partners},
            DIRTY,
            "what was typed stays until somebody accepts",
        )

    def test_accept_and_send(self):
        action, lines = self._correct(self._estimate())
        lines["rounded"].proposal = "0612340015"
        lines["stray zero"].action_accept()
        partners = {partner.name: partner for partner in self.partners}
        self.assertEqual(partners["stray zero"].phone, "+33 6 12 34 00 11")
        self.assertIn("00612340011", partners["stray zero"].message_ids[0].body)
        self.assertEqual(partners["letter"].phone, DIRTY["letter"])
        self.env["sms.ovh.number.correction"].with_context(
            **action["context"]
        ).action_accept_all()
        self.assertEqual(partners["letter"].phone, "+33 6 12 34 00 14")
        self.assertEqual(partners["rounded"].phone, "+33 6 12 34 00 15")
        self.assertEqual(partners["landline"].phone, DIRTY["landline"])
        self.assertTrue(self.mailing.sms_ovh_estimate_stale)
        send = self._estimate()
        self.assertEqual((send.sent_count, send.excluded_count), (5, 1))
        self.assertFalse(send.several_count)
        self.mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(
            {sms["receiver"] for sms in self.simulator.get_ledger()},
            {f"+336123400{index}" for index in (10, 11, 12, 14, 15)},
        )

    def test_wrong_proposal(self):
        __, lines = self._correct(self._estimate())
        for wrong, words in (("0612", "missing"), ("0142685300", "mobile")):
            lines["letter"].proposal = wrong
            with self.assertRaisesRegex(UserError, words):
                lines["letter"].action_accept()
        self.assertEqual(lines["letter"].state, "open")

    def test_who_may_not_write_the_contact(self):
        user = new_test_user(
            self.env,
            "marketing",
            groups="mass_mailing.group_mass_mailing_user",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        self.mailing.user_id = user
        action = self.mailing.with_user(user).action_sms_ovh_estimate()
        send = self.env["sms.ovh.mailing.send"].with_user(user).browse(action["res_id"])
        __, lines = self._correct(send)
        self.assertTrue(lines)
        with self.assertRaises(AccessError):
            lines["letter"].with_user(user).action_accept()
        other = new_test_user(
            self.env, "other", groups="mass_mailing.group_mass_mailing_user"
        )
        self.assertFalse(
            self.env["sms.ovh.number.correction"].with_user(other).search([])
        )

    def test_nothing_to_correct(self):
        (self.partners - self.partners[0]).unlink()
        self.assertFalse(self._estimate().correctable)

    def test_preview_says_it(self):
        preview = self.env["sms.ovh.preview"].create({"mailing_id": self.mailing.id})
        notes = {}
        for position in range(1, len(DIRTY) + 1):
            preview.position = position
            notes[preview.content["name"]] = preview.content
        self.assertIn("first mobile", notes["two"]["note"])
        self.assertEqual(notes["two"]["number"], "+33612340012")
        self.assertFalse(notes["clean"].get("note"))
        self.assertTrue(notes["stray zero"]["reason"])


@tagged("-at_install", "post_install")
class TestSmsOvhNumberCorrectionTour(SimulatorCase, HttpCase):
    """Import a list with dirty numbers, estimate, correct, send: in French."""

    typed = {
        "Propre": "06 12 34 00 10",
        "Zéro en trop": "00612340011",
        "Deux numéros": "06 12 34 00 12 / 06 12 34 00 13",
        "Lettre": "O6 12 34 00 14",
        "Arrondi": "6.1234E+08",
        "Zéro perdu": "612340016",
        "Fixe": "01 42 68 53 00",
        "Réunion": "0692 12 34 56",
    }

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.module.module"]._load_module_terms(["sms_ovh"], ["fr_FR"])
        cls.env["sms.sms"].search([]).unlink()
        cls.env["mailing.mailing"].search([("mailing_type", "=", "sms")]).unlink()
        admin = cls.env.ref("base.user_admin")
        admin.lang = "fr_FR"
        company = admin.company_id
        company.write(
            {"country_id": cls.env.ref("base.fr").id, "sms_ovh_quiet_hours": False}
        )
        cls._create_account(company)
        cls.list = cls.env["mailing.list"].create({"name": "Clients du tableur"})
        cls.mailing = cls.env["mailing.mailing"].create(
            {
                "subject": "Soldes du tableur",
                "mailing_type": "sms",
                "user_id": admin.id,
                "mailing_model_id": cls.env["ir.model"]._get_id("mailing.list"),
                "contact_list_ids": cls.list.ids,
                "body_plaintext": "Bonjour",
            }
        )

    def _run_cron(self, xmlid):
        self.env.ref(xmlid).with_user(self.env.ref("base.user_root")).sudo(
            False
        ).method_direct_trigger()
        self.env.invalidate_all()

    def _create_contacts(self):
        """Have the contacts that the spreadsheet has."""
        self.env["mailing.contact"].create(
            [
                {
                    "name": name,
                    "mobile": number,
                    "country_id": self.env.ref("base.fr").id,
                    "list_ids": self.list.ids,
                }
                for name, number in self.typed.items()
            ]
        )

    def _check_sent(self):
        """Check that all whose number could be corrected got it, and nobody else."""
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.assertEqual(
            sorted(sms["receiver"] for sms in self.simulator.get_ledger()),
            [
                "+262692123456",
                "+33612340010",
                "+33612340011",
                "+33612340012",
                "+33612340014",
                "+33612340016",
            ],
        )
        contacts = {
            contact.name: contact.mobile
            for contact in self.mailing.contact_list_ids.contact_ids
        }
        self.assertEqual(contacts["Arrondi"], "6.1234E+08", "nothing was guessed")
        self.assertEqual(contacts["Zéro en trop"], "+33 6 12 34 00 11")
        self.assertEqual(contacts["Réunion"], "0692 12 34 56")

    def test_from_the_spreadsheet_to_the_phones(self):
        self.start_tour(
            "/odoo/action-mass_mailing.action_view_mass_mailing_contacts?view_type=list",
            "sms_ovh_dirty_numbers",
            login="admin",
        )
        self._check_sent()

    def test_on_a_phone(self):
        """Lists are imported at a desk; numbers are corrected wherever one is."""
        self.browser_size = "390x844"
        self.touch_enabled = True
        self._create_contacts()
        self.start_tour("/odoo/sms-marketing", "sms_ovh_correct_numbers", login="admin")
        self._check_sent()

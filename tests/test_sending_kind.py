import sys
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError
from odoo.tests import BaseCase, Form, tagged

from ..tools import contact_information
from ..tools.contact_information import find_contact_information
from .common import KEYS_2, SERVICE_2, SmsOvhCase

# What the simulated OVHcloud sends as.
SHORT_NUMBER = "38069"
LINK = "Voir https://boutique.example.org"


@tagged("-at_install", "post_install")
class TestContactInformation(BaseCase):
    def test_found(self):
        for text, found in (
            ("Voir https://exemple.fr/a?b=1 !", "https://exemple.fr/a?b=1"),
            ("Allez sur www.exemple.paris", "www.exemple.paris"),
            ("Code sur Ma-Boutique.FR.", "Ma-Boutique.FR"),
            ("-20% sur boutique.example.com/promo", "boutique.example.com/promo"),
            ("Appelez le 01 42 68 53 00 vite", "01 42 68 53 00"),
            ("Tel:+33142685300", "+33142685300"),
            # Links that no scheme tells.
            ("Voir goo.gl/x", "goo.gl/x"),
            ("Voir example.co/x, merci", "example.co/x"),
            ("Sur exemple.store.", "exemple.store"),
            ("Sur (exemple.store)", "exemple.store"),
            ("Sur EXEMPLE.PHOTO ou ailleurs", "EXEMPLE.PHOTO"),
            ("Exemple.Store/promo", "Exemple.Store/promo"),
            ("Sur été.fr", "été.fr"),
            ("Sur exemple.fr.Merci", "exemple.fr"),
            ("Sur www.exemple.co.uk/a,b.", "www.exemple.co.uk/a,b"),
            ("wa.me/33612345678", "wa.me/33612345678"),
            ("https://exemple.fr/a,b", "https://exemple.fr/a,b"),
            ("ftp://exemple/a", "ftp://exemple/a"),
        ):
            self.assertEqual(find_contact_information(text, "FR"), found)

    def test_not_found(self):
        for text in (
            None,
            "",
            "Bonjour.Merci de votre visite",
            "Rendez-vous le 12.05.2026 à 14.30",
            "Votre code : 482913, total 1 250,00 EUR",
            "Commande S00012 du 3/4",
            "À 14h30.Rendez-vous confirmé",
            "M.Dupont, Mme.Martin et Dr.House",
            "Total 12.50 ou 1.250.000",
            "C'est demain.Il fera beau",
            "C'est demain.il fera beau",
            "C'est fini.La suite ici.Je vous attends",
            "Merci.Info à suivre",
            "S.A.R.L. et P.S., etc...fin",
            "Écrivez à contact@exemple.store",
            "Écrivez à jean.fr@exemple.store",
            "Votre facture.pdf, photo.jpg, rapport.zip et notes.md",
            "Bonjour {{ object.name }}, {{ object.mobile or object.company_id.info }}",
        ):
            self.assertIsNone(find_contact_information(text, "FR"), text)

    def test_without_the_list(self):
        """Where the list of top-level domains is not installed, the common ones count."""
        contact_information._get_top_level_domains.cache_clear()
        self.addCleanup(contact_information._get_top_level_domains.cache_clear)
        with patch.dict(sys.modules, {"tldextract": None}):
            for text, found in (
                ("Sur exemple.fr", "exemple.fr"),
                ("Voir goo.gl/x", "goo.gl/x"),
                ("Bonjour.Merci", None),
            ):
                self.assertEqual(find_contact_information(text), found)

    def test_the_list_is_offline(self):
        contact_information._get_top_level_domains.cache_clear()
        self.addCleanup(contact_information._get_top_level_domains.cache_clear)
        with patch("socket.socket", side_effect=AssertionError("no network")):
            domains = contact_information._get_top_level_domains()
        self.assertGreater(len(domains), 1000)
        self.assertLess({"fr", "store", "gl", "paris", "bzh"}, domains)


@tagged("-at_install", "post_install")
class TestSenderAndKind(SmsOvhCase):
    """As whom and as what kind of SMS something is sent, and what a sender cannot do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alpha = cls.account.default_sender_id
        cls.short = cls.account.sender_ids.filtered(
            lambda sender: sender.type == "shortcode"
        )
        cls.virtual = cls.account.sender_ids.filtered(
            lambda sender: sender.type == "virtual"
        )
        cls.partner = cls.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33 6 12 34 56 78", "country_id": cls.france.id}
        )

    def _send_mailing(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")

    def _compose(self, **values):
        """Send one SMS to the contact as a user does."""
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=self.partner.id
            ),
            "sms.sms_composer_view_form",
        )
        composer.body = "Votre commande est prête."
        for name, value in values.items():
            setattr(composer, name, value)
        composer.save().action_send_sms()
        self._commit()

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def test_campaign_defaults(self):
        mailing = self._create_mailing(self._numbers(1))
        self.assertEqual(mailing.sms_ovh_kind, "marketing")
        self.assertEqual(mailing.sms_ovh_sender_id, self.alpha)
        self.assertTrue(mailing.sms_ovh_stop_clause)
        self.company.sms_ovh_campaign_kind = "transactional"
        other = self._create_mailing(self._numbers(1))
        self.assertEqual(other.sms_ovh_kind, "transactional")
        self.assertFalse(other.sms_ovh_stop_clause)
        self.assertEqual(mailing.sms_ovh_kind, "marketing", "what was chosen stays")

    def test_campaign_by_another_sender(self):
        mailing = self._create_mailing(
            self._numbers(2), sms_ovh_sender_id=self.short.id
        )
        self.account.default_sender_id = self.virtual
        self.assertEqual(mailing.sms_ovh_sender_id, self.short)
        self._send_mailing(mailing)
        entries = self.simulator.get_ledger()
        self.assertEqual(len(entries), 2)
        for entry in entries:
            self.assertEqual(entry["sender"], SHORT_NUMBER)
        job = mailing.mailing_trace_ids.sms_ovh_job_id
        self.assertEqual(job.mailing_id, mailing)
        self.assertEqual((job.sender_id, job.kind), (self.short, "marketing"))

    def test_two_campaigns_of_one_text_stay_apart(self):
        mailings = self._create_mailing(self._numbers(1))
        mailings |= self._create_mailing(self._numbers(1, first=5))
        self._send_mailing(mailings)
        jobs = mailings.mailing_trace_ids.sms_ovh_job_id
        self.assertEqual(jobs.mailing_id, mailings)

    def test_sender_of_another_account(self):
        company = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        account = self._create_account(company, SERVICE_2, KEYS_2)
        with self.assertRaisesRegex(ValidationError, "another account"):
            self._create_mailing(
                self._numbers(1), sms_ovh_sender_id=account.default_sender_id.id
            )

    def test_company_changes_the_sender(self):
        company = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        account = self._create_account(company, SERVICE_2, KEYS_2)
        mailing = self._create_mailing(self._numbers(1))
        mailing.sms_ovh_company_id = company
        self.assertEqual(mailing.sms_ovh_sender_id, account.default_sender_id)

    def test_link_from_the_short_number(self):
        mailing = self._create_mailing(
            self._numbers(1), body=LINK, sms_ovh_sender_id=self.short.id
        )
        self.assertIn("boutique.example.org", mailing.sms_ovh_sender_warning)
        self.assertIn(self.alpha.name, mailing.sms_ovh_sender_warning)
        for action in ("action_put_in_queue", "action_schedule"):
            with self.assertRaisesRegex(UserError, "short number"):
                getattr(mailing, action)()
        self.assertEqual(mailing.state, "draft")
        mailing.sms_ovh_sender_id = self.alpha
        self.assertFalse(mailing.sms_ovh_sender_warning)

    def test_link_without_a_scheme_from_the_short_number(self):
        """Such a link is found before OVHcloud is asked, what only looks like one isn't."""
        for link in ("goo.gl/x", "example.co/x", "exemple.store"):
            mailing = self._create_mailing(
                self._numbers(1),
                body=f"Voir {link}",
                sms_ovh_sender_id=self.short.id,
            )
            self.assertIn(link, mailing.sms_ovh_sender_warning)
            with self.assertRaisesRegex(UserError, link):
                mailing.action_put_in_queue()
        self.assertEqual(self.simulator.count_jobs(), 0)
        body = "Bonjour.Merci M.Dupont, à 14h30.Rendez-vous, total 12.50"
        mailing = self._create_mailing(
            self._numbers(1),
            body=body,
            sms_ovh_sender_id=self.short.id,
            sms_ovh_kind="transactional",
        )
        self.assertFalse(mailing.sms_ovh_sender_warning)
        self._send_mailing(mailing)
        (sms,) = self.simulator.get_ledger()
        self.assertEqual(sms["message"], body)

    def test_opt_out_link_counts_as_a_link(self):
        mailing = self._create_mailing(
            self._numbers(1),
            sms_ovh_sender_id=self.short.id,
            sms_allow_unsubscribe=True,
        )
        with self.assertRaisesRegex(UserError, "short number"):
            mailing.action_put_in_queue()

    def test_link_that_a_placeholder_brings(self):
        """What only the rendered text shows is refused before OVHcloud is asked."""
        mailing = self._create_mailing(
            self._numbers(1),
            body="Appelez {{ object.mobile }}",
            sms_ovh_sender_id=self.short.id,
        )
        self._send_mailing(mailing)
        trace = mailing.mailing_trace_ids
        self.assertEqual(trace.failure_type, "sms_ovh_contact_information")
        self.assertEqual(self.simulator.count_jobs(), 0)

    def test_marketing_without_a_clause_says_how_to_opt_out(self):
        mailing = self._create_mailing(
            self._numbers(1), sms_ovh_sender_id=self.virtual.id
        )
        self.assertIn("reply STOP", mailing.sms_ovh_sender_warning)
        mailing.sms_allow_unsubscribe = True
        self.assertFalse(mailing.sms_ovh_sender_warning)
        mailing.sms_allow_unsubscribe = False
        mailing.sms_ovh_kind = "transactional"
        self.assertFalse(mailing.sms_ovh_sender_warning)

    def test_sender_that_was_disabled_meanwhile(self):
        mailing = self._create_mailing(self._numbers(1))
        self.alpha.status = "disable"
        with self.assertRaisesRegex(UserError, "any more"):
            mailing.action_put_in_queue()

    # ------------------------------------------------------------
    # Other SMS
    # ------------------------------------------------------------

    def test_composer_defaults(self):
        self._compose()
        (entry,) = self.simulator.get_ledger()
        self.assertEqual(entry["text_sent"], "Votre commande est prête.")
        self.assertEqual(entry["sender"], self.alpha.name)

    def test_composer_marketing(self):
        self._compose(sms_ovh_kind="marketing")
        (entry,) = self.simulator.get_ledger()
        self.assertIn("\nSTOP", entry["text_sent"])

    def test_composer_by_the_short_number(self):
        self._compose(sms_ovh_sender_id=self.short)
        (entry,) = self.simulator.get_ledger()
        self.assertEqual(entry["sender"], SHORT_NUMBER)

    def test_composer_link_from_the_short_number(self):
        with self.assertRaisesRegex(UserError, "short number"):
            self._compose(sms_ovh_sender_id=self.short, body=LINK)

    def test_composer_to_several(self):
        other = self.partner.copy({"phone": "+33 6 12 34 56 79"})
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "res_model": "res.partner",
                "res_ids": repr((self.partner | other).ids),
                "body": "Bonjour",
                "sms_ovh_kind": "marketing",
                "sms_ovh_sender_id": self.short.id,
            }
        )
        composer.action_send_sms()
        sms = self.env["sms.sms"].search(
            [("partner_id", "in", (self.partner | other).ids)]
        )
        self.assertEqual(len(sms), 2)
        self.assertEqual(sms.sms_ovh_sender_id, self.short)
        self.assertEqual(set(sms.mapped("sms_ovh_kind")), {"marketing"})

    def test_company_default_of_other_sms(self):
        self.company.sms_ovh_message_kind = "marketing"
        sms = self._create_sms(self._numbers(1))
        self.assertEqual(sms.sms_ovh_kind, "marketing")
        self.assertTrue(sms.sms_ovh_stop_clause)

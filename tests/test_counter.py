import logging
import re
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import Form, HttpCase, TransactionCase, new_test_user, no_retry, tagged

from ..mixins.sms_ovh_counter_mixin import get_text_as_sent
from ..tools.sms_segments import count_segments
from .common import KEYS_1, SERVICE_1, SmsOvhCase

TOO_LONG = "a" * 919
PROMOTION = (
    "Venez découvrir nos nouveautés et fêter la rentrée : 20 % de remise sur tout le"
    " magasin."
)


class CounterCase(TransactionCase):
    """A company with an OVHcloud account, which need not be reached."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.env["res.company"].create({"name": "Ma Boutique"})
        cls.env.user.company_ids |= cls.company
        cls.env.user.company_id = cls.company
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.account = cls._create_account(cls.company)

    @classmethod
    def _create_account(cls, company):
        account = cls.env["sms.ovh.account"].create(
            {"company_id": company.id, "service_name": SERVICE_1, **KEYS_1}
        )
        cls.alpha, cls.short = cls.env["sms.ovh.sender"].create(
            [
                {
                    "account_id": account.id,
                    "name": name,
                    "type": kind,
                    "status": "enable",
                }
                for name, kind in (("MaBoutique", "alpha"), ("36000", "shortcode"))
            ]
        )
        account.default_sender_id = cls.alpha
        company.sms_ovh_account_id = account
        return account

    def _create_mailing(self, body, **values):
        return self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "body_plaintext": body,
                **values,
            }
        )

    def _check(self, record, text, stop_clause=False):
        count = count_segments(text, stop_clause)
        self.assertEqual(
            (record.sms_encoding, record.sms_units, record.sms_segments),
            (count.encoding, count.units, count.segments),
        )


@tagged("-at_install", "post_install")
class TestCounter(CounterCase):
    def test_mailing(self):
        mailing = self._create_mailing(PROMOTION)
        self.assertTrue(mailing.sms_ovh_in_use)
        self.assertTrue(mailing.sms_ovh_stop_counted)
        self._check(mailing, PROMOTION, stop_clause=True)
        self.assertEqual((mailing.sms_encoding, mailing.sms_segments), ("UNICODE", 2))
        mailing.body_plaintext = PROMOTION.replace("ê", "e")
        self.assertEqual((mailing.sms_encoding, mailing.sms_segments), ("GSM7", 1))
        mailing.sms_ovh_kind = "transactional"
        self._check(mailing, mailing.body_plaintext)
        mailing.body_plaintext = False
        self.assertEqual((mailing.sms_units, mailing.sms_segments), (0, 0))

    def test_mailing_by_email(self):
        mailing = self._create_mailing(PROMOTION, mailing_type="mail")
        self.assertEqual(
            (mailing.sms_encoding, mailing.sms_units, mailing.sms_segments),
            (False, 0, 0),
        )

    def test_mailing_clause_that_the_sender_cannot_carry(self):
        mailing = self._create_mailing("Bonjour")
        self.assertEqual(mailing.sms_units, 18)
        mailing.sms_ovh_sender_id = self.short
        self.assertFalse(mailing.sms_ovh_stop_counted)
        self.assertEqual(mailing.sms_units, 7)
        sms = self.env["sms.sms"].create(
            {"body": "Bonjour", "number": "+33612345678", "mailing_id": mailing.id}
        )
        self.assertFalse(sms.sms_ovh_stop_clause)
        self.assertEqual(sms.sms_units, 7)

    def test_mailing_that_was_sent_keeps_its_figures(self):
        mailing = self._create_mailing("Bonjour")
        self.assertEqual(mailing.sms_units, 18)
        mailing.state = "done"
        self.account.default_sender_id = self.short
        self.assertEqual(mailing.sms_units, 18)

    def test_mailing_links(self):
        body = "Voir https://boutique.example.org/une/page/bien/longue?a=1 et venez"
        mailing = self._create_mailing(body, sms_allow_unsubscribe=True)
        placeholders = mailing.get_sms_link_replacements_placeholders()
        text = f"Voir {placeholders['link']} et venez{placeholders['unsubscribe']}"
        self._check(mailing, text, stop_clause=True)
        mailing.sms_allow_unsubscribe = False
        self._check(mailing, f"Voir {placeholders['link']} et venez", stop_clause=True)

    def test_mailing_figures_are_what_is_sent(self):
        partner = self.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33 6 12 34 56 78"}
        )
        mailing = self._create_mailing(
            "Voir https://boutique.example.org/une/page?a=é&b=c et venez",
            sms_allow_unsubscribe=True,
            mailing_domain=str([("id", "=", partner.id)]),
        )
        mailing.action_send_sms()
        sms = self.env["sms.sms"].search([("mailing_id", "=", mailing.id)])
        self.assertIn("/r/", sms.body)
        self.assertEqual(
            (mailing.sms_encoding, mailing.sms_segments),
            (sms.sms_encoding, sms.sms_segments),
        )
        # A code of a link or an id of an SMS may have fewer digits than it might.
        self.assertAlmostEqual(mailing.sms_units, sms.sms_units, delta=6)

    def test_mailing_opt_out_in_the_language_of_the_responsible(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        user = new_test_user(
            self.env,
            "responsable",
            "mass_mailing.group_mass_mailing_user",
            lang="fr_FR",
            company_id=self.company.id,
            company_ids=self.company.ids,
        )
        mailing = self._create_mailing("Bonjour", user_id=user.id)
        asked = []
        Composer = self.env.registry["sms.composer"]
        with patch.object(
            Composer,
            "_get_unsubscribe_info",
            lambda self, url: asked.append(self.env.lang) or url,
        ):
            mailing.get_sms_link_replacements_placeholders()
        self.assertEqual(asked, ["fr_FR"])

    def test_mailing_form(self):
        """An onchange counts as the widget does, and as the record does."""
        body = "Voir https://boutique.example.org/une/page et venez"
        form = Form(
            self.env["mailing.mailing"].with_context(default_mailing_type="sms"),
            "mass_mailing_sms.mailing_mailing_view_form_sms",
        )
        self.assertEqual((form.sms_units, form.sms_segments), (0, 0))
        form.sms_subject = "Ventes privées"
        form.body_plaintext = body
        link = self.env["mailing.mailing"].get_sms_link_replacements_placeholders()[
            "link"
        ]
        expected = len(f"Voir {link} et venez") + 11
        self.assertEqual(form.sms_units, expected)
        mailing = form.save()
        self.assertEqual(mailing.sms_units, expected)
        with Form(mailing, "mass_mailing_sms.mailing_mailing_view_form_sms") as form:
            form.sms_ovh_kind = "transactional"
            self.assertEqual(form.sms_units, expected - 11)

    def test_mailing_list_asks_for_placeholders_a_few_times(self):
        mailings = self.env["mailing.mailing"]
        for __ in range(10):
            mailings |= self._create_mailing("https://boutique.example.org")
        calls = []
        Mailing = self.env.registry["mailing.mailing"]
        origin = Mailing.get_sms_link_replacements_placeholders

        def get_placeholders(self):
            calls.append(self)
            return origin(self)

        with patch.object(
            Mailing, "get_sms_link_replacements_placeholders", get_placeholders
        ):
            mailings.sms_allow_unsubscribe = True
            mailings.flush_recordset()
        # Once for each length of an id: the ids may pass a power of ten.
        self.assertLessEqual(len(calls), 2)

    def test_mailing_filter_and_group(self):
        mailings = self._create_mailing(PROMOTION) | self._create_mailing("Bonjour")
        domain = [("id", "in", mailings.ids)]
        self.assertEqual(
            mailings.search([*domain, ("sms_segments", ">", 1)]), mailings[0]
        )
        self.assertEqual(
            mailings._read_group(domain, ["sms_encoding"], ["__count"]),
            [("GSM7", 1), ("UNICODE", 1)],
        )

    def test_template(self):
        template = self.env["sms.template"].create(
            {
                "name": "Rappel",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Bonjour {{ object.name }} https://boutique.example.org",
            }
        )
        self._check(template, template.body)

    def test_template_by_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env["sms.template"].create(
            {
                "name": "Rappel",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Party",
            }
        )
        french = template.with_context(lang="fr_FR")
        french.body = "Fête"
        self.assertEqual((template.sms_encoding, template.sms_units), ("GSM7", 5))
        self.assertEqual((french.sms_encoding, french.sms_units), ("UNICODE", 4))
        domain = [("id", "=", template.id)]
        for record, encoding in ((template, "GSM7"), (french, "UNICODE")):
            self.assertEqual(
                record.search([*domain, ("sms_encoding", "=", encoding)]), template
            )
            self.assertFalse(record.search([*domain, ("sms_encoding", "!=", encoding)]))
            self.assertEqual(
                record._read_group(domain, ["sms_encoding"], ["__count"]),
                [(encoding, 1)],
            )
        self.assertEqual(
            template.search([*domain, ("sms_segments", ">", 0)], order="sms_units"),
            template,
        )
        self.assertEqual(
            template._read_group(domain, ["sms_segments"], ["__count"]), [(1, 1)]
        )

    def test_composer(self):
        partner = self.env["res.partner"].create({"name": "Zoé"})
        composer = self.env["sms.composer"].create(
            {"res_model": "res.partner", "res_id": partner.id, "body": PROMOTION}
        )
        self._check(composer, PROMOTION)
        self.assertFalse(composer.sms_ovh_stop_counted)
        composer.body = "Voir https://boutique.example.org"
        self._check(composer, composer.body)

    def test_composer_of_a_mailing(self):
        mailing = self._create_mailing(
            "Voir https://boutique.example.org", sms_allow_unsubscribe=True
        )
        composer = self.env["sms.composer"].create(
            mailing._send_sms_get_composer_values(self.env.user.partner_id.ids)
        )
        self.assertEqual(composer.sms_units, mailing.sms_units)
        self.assertTrue(composer.sms_ovh_stop_counted)

    def test_sms(self):
        sms = self.env["sms.sms"].create({"body": PROMOTION, "number": "+33612345678"})
        self._check(sms, PROMOTION)
        sms.body = "Bonjour"
        self.assertEqual((sms.sms_encoding, sms.sms_units), ("GSM7", 7))
        sms.sms_ovh_stop_clause = True
        self.assertEqual(sms.sms_units, 18)
        self.assertEqual(
            sms._read_group(
                [("id", "=", sms.id)], ["sms_encoding"], ["sms_segments:sum"]
            ),
            [("GSM7", 1)],
        )

    def test_sms_is_counted_on_insertion(self):
        values = [{"body": PROMOTION, "number": "+33612345678"}] * 20
        self.env["sms.sms"].create(values[:1])
        with patch.object(
            self.env.registry["sms.sms"], "write", side_effect=AssertionError
        ):
            sms = self.env["sms.sms"].create(values)
            self.env.flush_all()
        self.assertEqual(set(sms.mapped("sms_segments")), {2})


@tagged("-at_install", "post_install")
class TestTextAsSent(TransactionCase):
    """`static/tests/sms_ovh_widget.test.js` has the same cases."""

    def test_links(self):
        placeholders = {
            "link": "https://www.example.com/r/xxxx/s/xxxxx",
            "unsubscribe": "\nSTOP",
        }
        link = placeholders["link"]
        for text, expected in (
            (None, ""),
            (False, ""),
            ("", ""),
            ("Bonjour", "Bonjour"),
            ("a https://b.fr/c?d=é, e", f"a {link}, e"),
            ("https://é.fr/à.", f"{link}."),
            ("HTTPS://b.fr/a,b", link),
            ("www.b.fr", link),
            ("https://b.fr/{{ object.id }}/c d", f"{link} d"),
            ("https://b.fr?{{ object.id }}&a=\u2028b", f"{link}\u2028b"),
            ("https://b.fr?a=\ufeffb\x1cc", f"{link}\ufeffb\x1cc"),
            ("https://www.example.com/sms/1/abc", "https://www.example.com/sms/1/abc"),
            (
                "https://www.example.com/r/abc.",
                "https://www.example.com/r/abc/s/xxxxx.",
            ),
            (
                "https://www.example.com/r/abc/s/5",
                "https://www.example.com/r/abc/s/5",
            ),
        ):
            self.assertEqual(get_text_as_sent(text, placeholders), expected)
            self.assertEqual(get_text_as_sent(text), text or "")
        for text in (" \n", "\u200b", "\u2060\xad", "\u3164\ufeff\ufe0f"):
            self.assertEqual(get_text_as_sent(text, placeholders, opt_out=True), "")
            self.assertEqual(get_text_as_sent(text), "")
        for text, expected in (
            ("Fête https://b.fr/ê", f"Fete {link}"),
            ("Fête {{ object.name }}", "Fete {{ object.name }}"),
            ("Fête 🎉", "Fête 🎉"),
        ):
            self.assertEqual(get_text_as_sent(text, placeholders, gsm7="all"), expected)
            self.assertEqual(get_text_as_sent(text, gsm7="off"), text)
        # A link that is sent as it is makes the SMS Unicode all the same.
        text = "Fête https://b.fr/ê"
        self.assertEqual(get_text_as_sent(text, gsm7="all"), text)
        self.assertEqual(get_text_as_sent("a", placeholders, opt_out=True), "a\nSTOP")
        self.assertEqual(get_text_as_sent("", placeholders, opt_out=True), "")


@tagged("-at_install", "post_install")
class TestTooLong(CounterCase):
    def test_mailing(self):
        mailing = self._create_mailing(TOO_LONG)
        for action in ("action_put_in_queue", "action_launch", "action_schedule"):
            with self.assertRaisesRegex(UserError, "at most 6 at a time"):
                getattr(mailing, action)()
        with self.assertRaisesRegex(UserError, "at most 6 at a time"):
            mailing.action_send_mail()
        self.assertEqual(mailing.state, "draft")

    def test_mailing_placeholders_may_stand_for_nothing(self):
        mailing = self._create_mailing("a" * 900 + "{{ object.name }}" * 2)
        self.assertGreater(mailing.sms_segments, 6)
        mailing.action_put_in_queue()
        self.assertEqual(mailing.state, "in_queue")

    def test_mailing_of_another_provider(self):
        self.company.sms_ovh_account_id = False
        mailing = self._create_mailing(TOO_LONG)
        mailing.action_put_in_queue()
        self.assertEqual(mailing.state, "in_queue")

    def test_composer(self):
        partner = self.env["res.partner"].create(
            {"name": "Zoé", "phone": "+33 6 12 34 56 78"}
        )
        composer = self.env["sms.composer"].create(
            {"res_model": "res.partner", "res_id": partner.id, "body": TOO_LONG}
        )
        with self.assertRaisesRegex(UserError, "at most 6 at a time"):
            composer.action_send_sms()


@tagged("-at_install", "post_install")
class TestTooLongSending(SmsOvhCase):
    def test_rendered_text(self):
        """A rendered text too long costs nothing, and keeps back no other."""
        sms = self._create_sms(self._numbers(1), body=TOO_LONG)
        other = self._create_sms(self._numbers(1, first=1), body="a" * 918)
        (sms | other).send(unlink_failed=False, unlink_sent=False)
        self.env.flush_all()
        self.assertEqual((sms.state, sms.failure_type), ("error", "sms_ovh_too_long"))
        self.assertNotEqual(other.state, "error")

    def test_clause_counts(self):
        mailing = self._create_mailing(self._numbers(1), body="Bonjour")
        api_sms = self._create_sms(
            self._numbers(1), body="a" * 908, mailing_id=mailing.id
        )
        self.assertTrue(api_sms.sms_ovh_stop_clause)
        self.assertEqual(api_sms.sms_segments, 7)
        api_sms.send(unlink_failed=False, unlink_sent=False)
        self.assertEqual(api_sms.failure_type, "sms_ovh_too_long")


class HootCase(HttpCase):
    """Runs the browser's unit tests of this addon, and no other."""

    def _run_hoot(self, preset):
        passed = []

        class Collect(logging.Handler):
            def emit(self, record):
                found = re.search(
                    r'"@sms_ovh" ended \(passed: (\d+)', record.getMessage()
                )
                if found:
                    passed.append(int(found[1]))

        handler = Collect()
        self._logger.addHandler(handler)
        self.addCleanup(self._logger.removeHandler, handler)
        self.browser_js(
            "/web/tests?headless&loglevel=2&timeout=15000"
            f"&preset={preset}&id={self._get_suite_id('@sms_ovh')}",
            code="",
            login="admin",
            timeout=300,
            success_signal="[HOOT] Test suite succeeded",
            error_checker=lambda message: "[HOOT]" not in message,
        )
        self.assertTrue(passed, "the tests of the addon did not run")
        self.assertGreater(passed[-1], 0, "no test of the addon passed")

    @staticmethod
    def _get_suite_id(name):
        """Return the id by which HOOT knows a suite: a 32-bit hash of its name."""
        suite_id = 0
        for char in name:
            suite_id = (suite_id * 31 + ord(char)) & 0xFFFFFFFF
        return f"{suite_id:08x}"


@tagged("-at_install", "post_install")
class TestHoot(HootCase):
    @no_retry
    def test_desktop(self):
        self._run_hoot("desktop")


@tagged("-at_install", "post_install")
class TestHootMobile(HootCase):
    browser_size = "375x667"
    touch_enabled = True

    @no_retry
    def test_mobile(self):
        self._run_hoot("mobile")


@tagged("-at_install", "post_install")
class TestCounterTour(CounterCase, HttpCase):
    def _type(self, way=""):
        admin = self.env.ref("base.user_admin")
        admin.write(
            {
                "lang": "en_US",
                "company_ids": [(4, self.company.id)],
                "company_id": self.company.id,
            }
        )
        self.start_tour(
            "/odoo/sms-marketing/new",
            f"sms_ovh_counter_tour{way}",
            login="admin",
            timeout=180,
        )
        mailing = self.env["mailing.mailing"].search(
            [("subject", "=", "Rentrée des clients")]
        )
        self.assertEqual((mailing.sms_encoding, mailing.sms_segments), ("GSM7", 1))

    def test_type_key_by_key(self):
        self._type()

    def test_type_by_keyboard(self):
        self._type("_keyboard")

    def test_session(self):
        other = self.env["res.company"].create({"name": "Autre"})
        user = new_test_user(
            self.env,
            "vendeuse",
            "base.group_user",
            password="vendeuse1",
            company_id=self.company.id,
            company_ids=(self.company | other).ids,
        )
        self.authenticate(user.login, "vendeuse1")
        info = self.make_jsonrpc_request("/web/session/get_session_info", {})
        self.assertEqual(info["sms_ovh_company_ids"], self.company.ids)

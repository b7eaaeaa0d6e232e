import re
from itertools import product

from odoo.exceptions import UserError
from odoo.tests import BaseCase, Form, tagged

from ..tools.gsm7_filling import (
    ALL,
    OFF,
    PLACEHOLDERS,
    mark_placeholders,
    unmark,
    write_gsm7,
)
from ..tools.sms_segments import STOP_CLAUSE, count_segments
from .common import SmsOvhCase

NAMES = {"Anaïs": "Anais", "Françoise": "Francoise", "Zoë": "Zoe", "Bob": "Bob"}
# One SMS in GSM-7, two in Unicode, the STOP clause included.
BODY = "Bonjour {{ object.name }}, -20 % sur tout le magasin samedi, venez nombreux !"
LINK = "https://boutique.example.org/é,b"


def render(template, *values):
    """Render a template as Odoo does: each placeholder is the next value."""
    values = iter(values)
    return re.sub(r"\{\{.+?\}\}", lambda match: next(values), template)


@tagged("-at_install", "post_install")
class TestGsm7Filling(BaseCase):
    def _write(self, choice, template, *values, links_shortened=False):
        rendered = render(mark_placeholders(template), *values)
        self.assertEqual(unmark(rendered), render(template, *values))
        return write_gsm7(rendered, choice, links_shortened)

    def test_choices(self):
        for template, values, filled, everything in (
            ("Bonjour {{ a }} !", ["Anaïs"], "Bonjour Anais !", "Bonjour Anais !"),
            ("{{ a }}, {{ b }}", ["Zoë", "Ugo’"], "Zoe, Ugo'", "Zoe, Ugo'"),
            ("{{ a }}{{ b }}", ["ï", "ë"], "ie", "ie"),
            # GSM-7 has é and à.
            ("É à {{ a }}", ["Zoé"], "É à Zoé", "É à Zoé"),
            # What does not become GSM-7 by it stays.
            ("Fête {{ a }}", ["Zoë"], "Fête Zoë", "Fete Zoe"),
            ("Fête", [], "Fête", "Fete"),
            ("{{ a }}", ["Иван ï"], "Иван ï", "Иван ï"),
            ("{{ a }} 🎉", ["Zoë"], "Zoë 🎉", "Zoë 🎉"),
            ("{{ a }}", [""], "", ""),
            ("Rien", [], "Rien", "Rien"),
        ):
            with self.subTest(template, values=values):
                plain = render(template, *values)
                self.assertEqual(self._write(OFF, template, *values), plain)
                self.assertEqual(self._write(PLACEHOLDERS, template, *values), filled)
                self.assertEqual(self._write(ALL, template, *values), everything)

    def test_links_stay(self):
        for template, values, expected in (
            (
                "{{ a }} https://b.fr/?n={{ b }}&c=ê. {{ c }}",
                ["Zoë", "Zoë", "Noël"],
                "Zoe https://b.fr/?n=Zoë&c=ê. Noel",
            ),
            ("{{ a }}", ["ï https://b.fr/ï, ï"], "i https://b.fr/ï, i"),
            ("www.{{ a }}.fr {{ b }}", ["fête", "ï"], "www.fête.fr i"),
            ("{{ a }} https://b.fr/c{{ b }}", ["ï", "–"], "i https://b.fr/c -"),
            ("https://b.fr/c{{ a }} {{ b }}", ["\u200bï", "ï"], "https://b.fr/c i i"),
        ):
            with self.subTest(template):
                for choice in (PLACEHOLDERS, ALL):
                    written = self._write(
                        choice, template, *values, links_shortened=True
                    )
                    self.assertEqual(written, expected)
        # Where the link is sent as it is, the SMS is Unicode all the same.
        text = "Zoë https://b.fr/ê"
        for choice in (PLACEHOLDERS, ALL):
            self.assertEqual(self._write(choice, "{{ a }}", text), text)

    def test_marks(self):
        for template in ("", "a", "{{ a }}", "{{ a ||| b }} {{ c }}", "{{ a", "}}"):
            self.assertEqual(unmark(mark_placeholders(template)), template)


@tagged("-at_install", "post_install")
class TestGsm7Sending(SmsOvhCase):
    """What leaves is written in GSM-7 as the company, campaign or template says."""

    def setUp(self):
        super().setUp()
        self.patch(
            self.registry["link.tracker"], "_get_title_from_url", lambda self, url: url
        )

    def _create(self, body=BODY, names=tuple(NAMES), **values):
        values.setdefault("sms_ovh_kind", "marketing")
        mailing = self._create_mailing(self._numbers(len(names)), body=body, **values)
        contacts = mailing.contact_list_ids.contact_ids.sorted("mobile")
        for contact, name in zip(contacts, names, strict=True):
            contact.name = name
        return mailing

    def _send(self, mailing):
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        return self.simulator.get_ledger()

    def _estimate(self, mailing):
        action = mailing.action_sms_ovh_estimate()
        return self.env[action["res_model"]].browse(action["res_id"])

    # ------------------------------------------------------------
    # Campaigns
    # ------------------------------------------------------------

    def test_off_by_default(self):
        self.assertEqual(self.company.sms_ovh_gsm7, OFF)
        ledger = self._send(self._create())
        self.assertEqual(sorted(sms["segments"] for sms in ledger), [1, 2, 2, 2])
        self.assertEqual(
            {sms["message"] for sms in ledger},
            {BODY.replace("{{ object.name }}", name) for name in NAMES},
        )

    def test_what_placeholders_fill_in(self):
        self.company.sms_ovh_gsm7 = PLACEHOLDERS
        mailing = self._create()
        self.assertEqual(mailing.sms_ovh_gsm7, PLACEHOLDERS)
        estimate = self._estimate(mailing).estimate_id
        self.assertEqual(estimate.segment_count, 4)
        self.assertEqual(estimate.unicode_count, 0)
        ledger = self._send(mailing)
        self.assertEqual([sms["segments"] for sms in ledger], [1] * 4)
        self.assertEqual(
            {sms["message"] for sms in ledger},
            {BODY.replace("{{ object.name }}", name) for name in NAMES.values()},
        )
        # The contacts are as they were.
        self.assertEqual(
            set(mailing.contact_list_ids.contact_ids.mapped("name")), set(NAMES)
        )

    def test_all_of_the_text(self):
        body = f"Fête {{{{ object.name }}}} : {LINK}."
        mailing = self._create(body, names=("Zoë", "Иван"), sms_ovh_gsm7=ALL)
        messages = sorted(sms["message"] for sms in self._send(mailing))
        self.assertRegex(messages[0], r"^Fete Zoe : http\S+/r/\w+/s/\d+\.$")
        self.assertRegex(messages[1], r"^Fête Иван : http\S+/r/\w+/s/\d+\.$")
        trackers = self.env["link.tracker"].search([("url", "=", LINK)])
        self.assertEqual(len(trackers), 1)

    def test_figures_of_the_form(self):
        mailing = self._create("Fête à Noël")
        self.assertEqual(mailing.sms_encoding, "UNICODE")
        mailing.sms_ovh_gsm7 = ALL
        self.assertEqual(mailing.sms_encoding, "GSM7")
        mailing.sms_ovh_gsm7 = PLACEHOLDERS
        self.assertEqual(mailing.sms_encoding, "UNICODE")
        mailing.write({"body_plaintext": "Fête 🎉", "sms_ovh_gsm7": ALL})
        self.assertEqual(mailing.sms_encoding, "UNICODE")

    def test_estimate_says_what_it_would_save(self):
        mailing = self._create()
        send = self._estimate(mailing)
        estimate = send.estimate_id
        self.assertEqual(estimate.segment_count, 7)
        self.assertEqual(estimate.unicode_count, 3)
        self.assertEqual(estimate.gsm7_better, PLACEHOLDERS)
        self.assertEqual(estimate.gsm7_better_segments, 3)
        self.assertAlmostEqual(estimate.gsm7_better_credits, 3)
        self.assertFalse(send.gsm7_saved)
        self.assertIn("would save: SMS: 3, credits: 3", send.gsm7_advice)
        self.assertEqual(
            mailing.sms_ovh_estimate_found, {"gsm7": False, "least": 1, "most": 2}
        )
        action = send.action_gsm7()
        send = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual(mailing.sms_ovh_gsm7, PLACEHOLDERS)
        estimate = send.estimate_id
        self.assertEqual(estimate.segment_count, 4)
        self.assertEqual(estimate.gsm7_saved_segments, 3)
        self.assertAlmostEqual(estimate.gsm7_saved_credits, 3)
        self.assertIn("saves: SMS: 3, credits: 3", send.gsm7_saved)
        self.assertFalse(send.gsm7_advice)
        self.assertEqual(
            mailing.sms_ovh_estimate_found, {"gsm7": True, "least": 1, "most": 1}
        )
        mailing.body_plaintext = f"{BODY} Bis"
        self.assertFalse(mailing.sms_ovh_estimate_found)

    def test_estimate_of_a_text_that_is_unicode_itself(self):
        mailing = self._create(BODY.replace("Bonjour", "Fête,"))
        send = self._estimate(mailing)
        self.assertEqual(send.estimate_id.gsm7_better, ALL)
        self.assertEqual(send.estimate_id.gsm7_better_segments, 4)
        self.assertIn(
            "the text in GSM-7 (e for ê) would save: SMS: 4,", send.gsm7_advice
        )
        send.action_gsm7()
        self.assertEqual(mailing.sms_ovh_gsm7, ALL)
        self.assertEqual([sms["segments"] for sms in self._send(mailing)], [1] * 4)

    def test_estimate_where_nothing_would_be_saved(self):
        for body, names in (
            (BODY, ("Bob",)),
            (f"{BODY} 🎉", ("Zoë",)),
            ("Zoë", ("A",)),
        ):
            send = self._estimate(self._create(body, names=names))
            self.assertFalse(send.gsm7_advice, body)
            self.assertFalse(send.gsm7_saved, body)
            self.assertFalse(send.estimate_id.gsm7_better, body)

    def test_estimate_with_links_is_what_is_charged(self):
        """Links and the opt-out link count alike with each choice."""
        body = f"{{{{ object.name }}}} {LINK} " + "a" * 20
        for choice in (OFF, PLACEHOLDERS, ALL):
            self.simulator.reset()
            mailing = self._create(
                body, sms_ovh_gsm7=choice, sms_allow_unsubscribe=True
            )
            estimate = self._estimate(mailing).estimate_id
            charged = sum(sms["credits"] for sms in self._send(mailing))
            self.assertAlmostEqual(estimate.credits, charged)
            if choice == OFF:
                would_be = charged - estimate.gsm7_better_credits
                self.assertGreater(estimate.gsm7_better_credits, 0)
            else:
                self.assertAlmostEqual(charged, would_be)

    def _get_campaign(self, level, choice, body, names):
        """Return a campaign that is written as its company, itself or a template says."""
        other = {OFF: ALL, PLACEHOLDERS: OFF, ALL: PLACEHOLDERS}[choice]
        self.company.sms_ovh_gsm7 = choice if level == "company" else other
        if level != "template":
            values = {"sms_ovh_gsm7": choice} if level == "campaign" else {}
            return self._create(body, names, **values)
        template = self._create_template(
            model_id=self.env["ir.model"]._get_id("mailing.contact"),
            body=body,
            sms_ovh_gsm7=choice,
        )
        mailing = self._create("à venir", names)
        with Form(mailing, "mass_mailing_sms.mailing_mailing_view_form_sms") as form:
            form.sms_template_id = template
        return mailing

    def test_all_agree(self):
        """Estimate, preview, counter and what leaves, in each mode, wherever it is set."""
        names = (*NAMES, "Иван", "Zoë " * 12)
        placeholder = "{{ object.name }}"
        texts = (
            BODY,
            BODY.replace("Bonjour", "Fête,"),
            f"{placeholder} : {LINK} " + "a" * 60,
            f"ê{LINK} {placeholder}",
            "Fête de Noël, -20 % sur tout le magasin samedi, venez nombreux",
            "Soldes à -20 % 🎉",
            "ï" * 65,
        )
        for level, choice, body in product(
            ("company", "campaign", "template"), (OFF, PLACEHOLDERS, ALL), texts
        ):
            with self.subTest(level=level, choice=choice, body=body):
                self.simulator.reset()
                mailing = self._get_campaign(level, choice, body, names)
                self.assertEqual(mailing.sms_ovh_gsm7, choice)
                estimate = self._estimate(mailing).estimate_id
                counter = mailing.sms_ovh_estimate_found
                typed = (mailing.sms_segments, mailing.sms_encoding)
                preview = self.env["sms.ovh.preview"].create({"mailing_id": mailing.id})
                shown = {}
                for preview.position in range(1, len(names) + 1):
                    content = preview.content
                    shown[content["number"]] = (
                        content["segments"],
                        content["encoding"].replace("GSM7", "7bits").lower(),
                    )
                ledger = self._send(mailing)
                self.assertEqual(len(ledger), len(names))
                sent = {
                    sms["receiver"]: (sms["segments"], sms["encoding"])
                    for sms in ledger
                }
                self.assertEqual(shown, sent)
                sizes = [segments for segments, __ in sent.values()]
                self.assertEqual(estimate.segment_count, sum(sizes))
                self.assertAlmostEqual(
                    estimate.credits, sum(sms["credits"] for sms in ledger)
                )
                encodings = [encoding for __, encoding in sent.values()]
                self.assertEqual(estimate.unicode_count, encodings.count("unicode"))
                self.assertEqual(
                    counter,
                    {
                        "gsm7": "unicode" not in encodings,
                        "least": min(sizes),
                        "most": max(sizes),
                    },
                )
                if placeholder not in body:
                    segments, encoding = typed
                    self.assertEqual({segments}, set(sizes))
                    self.assertEqual(
                        {encoding.replace("GSM7", "7bits").lower()}, set(encodings)
                    )

    def test_only_before_it_is_sent(self):
        mailing = self._create()
        send = self._estimate(mailing)
        mailing.action_put_in_queue()
        with self.assertRaisesRegex(UserError, "already"):
            send.action_gsm7()

    # ------------------------------------------------------------
    # Preview and tests
    # ------------------------------------------------------------

    def test_preview_marks_what_was_replaced(self):
        mailing = self._create(
            f"Bonjour {{{{ object.name }}}} {LINK} " + "b" * 120,
            names=("Maëlle Cœur",),
            sms_ovh_gsm7=PLACEHOLDERS,
        )
        content = self.env["sms.ovh.preview"].create({"mailing_id": mailing.id}).content
        marked = [
            (piece["original"], piece["text"])
            for part in content["pieces"]
            for piece in part
            if "original" in piece
        ]
        self.assertEqual(marked, [("ë", "e"), ("œ", "oe")])
        self.assertEqual(
            ["".join(piece["text"] for piece in part) for part in content["pieces"]],
            content["parts"],
        )
        self.assertEqual(content["encoding"], "GSM7")
        self.assertTrue(content["parts"][-1].endswith(STOP_CLAUSE))
        mailing.sms_ovh_gsm7 = OFF
        content = self.env["sms.ovh.preview"].create({"mailing_id": mailing.id}).content
        self.assertEqual(
            content["pieces"], [[{"text": part}] for part in content["parts"]]
        )

    def test_test_sms(self):
        mailing = self._create(names=("Zoë",), sms_ovh_gsm7=PLACEHOLDERS)
        form = Form(
            self.env["mailing.sms.test"].with_context(
                **mailing.action_test()["context"]
            )
        )
        form.numbers = "+33699999999"
        form.save().action_send_sms()
        self._commit()
        (sms,) = self.simulator.get_ledger(receiver="+33699999999")
        self.assertIn("Bonjour Zoe,", sms["message"])
        self.assertEqual(sms["segments"], 1)

    def test_text_that_fails_is_named_without_marks(self):
        mailing = self._create("{{ object.name.foo() }}", sms_ovh_gsm7=ALL)
        content = self.env["sms.ovh.preview"].create({"mailing_id": mailing.id}).content
        self.assertIn("The text fails for", content["error"])
        self.assertFalse(re.search("[\ufdd0\ufdd1]", content["error"]))

    # ------------------------------------------------------------
    # Other SMS
    # ------------------------------------------------------------

    def _create_partner(self):
        return self.env["res.partner"].create(
            {"name": "Zoë", "phone": self._numbers(1)[0]}
        )

    def _create_template(self, **values):
        return self.env["sms.template"].create(
            {
                "name": "Rappel",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "body": "Bonjour {{ object.name }}",
                **values,
            }
        )

    def _get_message(self):
        self._commit()
        (sms,) = self.simulator.get_ledger()
        self.simulator.reset()
        return sms["message"]

    def test_template(self):
        partner = self._create_partner()
        template = self._create_template()
        for company_choice, choice, expected in (
            (OFF, False, "Bonjour Zoë"),
            (PLACEHOLDERS, False, "Bonjour Zoe"),
            (PLACEHOLDERS, OFF, "Bonjour Zoë"),
            (OFF, PLACEHOLDERS, "Bonjour Zoe"),
            (OFF, ALL, "Bonjour Zoe"),
            (ALL, OFF, "Bonjour Zoë"),
        ):
            with self.subTest(company=company_choice, template=choice):
                self.company.sms_ovh_gsm7 = company_choice
                template.sms_ovh_gsm7 = choice
                partner._message_sms_with_template(template)
                self.assertEqual(self._get_message(), expected)

    def test_template_in_the_composer(self):
        partner = self._create_partner()
        template = self._create_template(sms_ovh_gsm7=PLACEHOLDERS)
        form = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner",
                active_id=partner.id,
                default_template_id=template.id,
            ),
            "sms.sms_composer_view_form",
        )
        self.assertEqual(form.body, "Bonjour Zoe")
        form.save().action_send_sms()
        self.assertEqual(self._get_message(), "Bonjour Zoe")

    def test_mass_composer(self):
        partner = self._create_partner()
        self.company.sms_ovh_gsm7 = PLACEHOLDERS
        self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "mass_force_send": True,
                "res_model": "res.partner",
                "res_ids": repr(partner.ids),
                "body": "Bonjour {{ object.name }}",
            }
        ).action_send_sms()
        self.assertEqual(self._get_message(), "Bonjour Zoe")

    def test_what_is_only_typed(self):
        partner = self._create_partner()
        for choice, expected in (
            (OFF, "Fête"),
            (PLACEHOLDERS, "Fête"),
            (ALL, "Fete"),
        ):
            self.company.sms_ovh_gsm7 = choice
            partner._message_sms("Fête")
            self.assertEqual(self._get_message(), expected)
            composer = self.env["sms.composer"].create(
                {
                    "composition_mode": "numbers",
                    "numbers": self._numbers(1)[0],
                    "body": "Fête",
                }
            )
            self.assertEqual(composer.sms_units, count_segments(expected).units)
            self.assertEqual(composer.sms_encoding, count_segments(expected).encoding)
            composer.action_send_sms()
            self.assertEqual(self._get_message(), expected)

    def test_another_provider(self):
        self.company.write({"sms_ovh_gsm7": ALL, "sms_ovh_account_id": False})
        partner = self._create_partner()
        composer = self.env["sms.composer"].create(
            {
                "composition_mode": "mass",
                "res_model": "res.partner",
                "res_ids": repr(partner.ids),
                "body": "Fête {{ object.name }}",
            }
        )
        composer.action_send_sms()
        sms = self.env["sms.sms"].search([("partner_id", "=", partner.id)])
        self.assertEqual(sms.body, "Fête Zoë")

    def test_settings(self):
        with Form(self.env["res.config.settings"]) as form:
            form.sms_ovh_gsm7 = PLACEHOLDERS
        form.record.execute()
        self.assertEqual(self.company.sms_ovh_gsm7, PLACEHOLDERS)
        mailing = Form(
            self.env["mailing.mailing"].with_context(default_mailing_type="sms"),
            "mass_mailing_sms.mailing_mailing_view_form_sms",
        )
        self.assertEqual(mailing.sms_ovh_gsm7, PLACEHOLDERS)

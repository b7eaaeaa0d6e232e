"""Numbers as people really write them, from the contact to what OVHcloud takes."""

import random
import time

import phonenumbers

from odoo.exceptions import UserError
from odoo.tests import BaseCase, Form, tagged

from ..tools.phone_number import (
    KINDS,
    clean_number,
    get_kind,
    get_number_sentences,
    parse_prefixes,
    propose_number,
)
from .common import SmsOvhCase

# (country of the contact, what its phone says, what OVHcloud gets or why it does not)
NUMBERS = [
    # Not abroad, and not to nobody.
    ("FR", "00612340010", "ambiguous"),
    ("FR", "00645678901", "ambiguous"),
    ("FR", "00 612340010", "ambiguous"),
    ("FR", "0700123456", "invalid"),
    ("FR", "0645 67 89", "short"),
    ("FR", "06 12 34 00 100", "long"),
    ("FR", "+612340010", "invalid"),
    ("FR", "+0612340010", "invalid"),
    ("FR", "32470123456", "long"),
    ("FR", "033612340010", "long"),
    ("FR", "+33692123456", "invalid"),
    ("FR", "3949", "short"),
    ("DE", "0015112345678", "ambiguous"),
    ("DE", "0015712345678", "ambiguous"),
    ("DE", "001 571 234 5678", "+15712345678"),
    ("DE", "+15712345678", "+15712345678"),
    ("BE", "047012345", "invalid"),
    ("BE", "0612340010", "invalid"),
    ("CH", "079123456", "short"),
    ("CH", "041 79 123 45 67", "invalid"),
    # International, however it is written.
    ("FR", "+33612340010", "+33612340010"),
    ("FR", "0033612340010", "+33612340010"),
    ("FR", "00 33 6 12 34 00 10", "+33612340010"),
    ("FR", "0033 (0)6 12 34 00 10", "+33612340010"),
    ("FR", "+33 (0)6 12 34 00 10", "+33612340010"),
    ("FR", "+33(0)612340010", "+33612340010"),
    ("FR", "+33 06 12 34 00 10", "+33612340010"),
    ("FR", "++33612340010", "+33612340010"),
    ("FR", "+0033612340010", "+33612340010"),
    ("FR", "(+33) 6.12.34.00.10", "+33612340010"),
    ("DE", "+33 (0)6 12 34 00 10", "+33612340010"),
    ("DE", "0033612340010", "+33612340010"),
    ("FR", "+49 (0)151 12345678", "+4915112345678"),
    ("FR", "+34 (0)612 345 678", "+34612345678"),
    ("FR", "+48 (0)512 345 678", "+48512345678"),
    ("FR", "+39 320 123 4567", "+393201234567"),
    ("FR", "00352621123456", "+352621123456"),
    ("FR", "+377 6 12 34 56 78", "+377612345678"),
    # In the country's own form.
    ("FR", "06 12 34 00 10", "+33612340010"),
    ("FR", "06.12.34.00.10", "+33612340010"),
    ("FR", "06-12-34-00-10", "+33612340010"),
    ("FR", "06/12/34/00/10", "+33612340010"),
    ("FR", "06,12,34,00,10", "+33612340010"),
    ("FR", "06_12_34_00_10", "+33612340010"),
    ("FR", "(0)6 12 34 00 10", "+33612340010"),
    ("BE", "0470 12 34 56", "+32470123456"),
    ("BE", "0470/12.34.56", "+32470123456"),
    ("CH", "079 123 45 67", "+41791234567"),
    ("LU", "621 123 456", "+352621123456"),
    ("MC", "06 12 34 56 78", "+377612345678"),
    ("DE", "0151/12345678", "+4915112345678"),
    ("ES", "612 345 678", "+34612345678"),
    ("IT", "320 123 4567", "+393201234567"),
    ("NL", "06-12345678", "+31612345678"),
    ("PL", "512 345 678", "+48512345678"),
    ("GB", "07400 123456", "+447400123456"),
    # The French overseas departments, in the plan that they share.
    ("FR", "0690123456", "+590690123456"),
    ("FR", "0691 23 45 67", "+590691234567"),
    ("FR", "0692123456", "+262692123456"),
    ("FR", "0693 12 34 56", "+262693123456"),
    ("FR", "0694 12 34 56", "+594694123456"),
    ("FR", "0696 12 34 56", "+596696123456"),
    ("FR", "0697 12 34 56", "+596697123456"),
    ("FR", "0639 01 23 45", "+262639012345"),
    ("FR", "0708 45 00 00", "+508708450000"),
    ("FR", "0508 55 12 34", "+508551234"),
    ("FR", "692123456", "+262692123456"),
    ("FR", "262692123456", "+262692123456"),
    ("RE", "0692123456", "+262692123456"),
    ("RE", "0612340010", "+33612340010"),
    ("RE", "0690123456", "+590690123456"),
    ("GP", "0692123456", "+262692123456"),
    # Spaces and signs that nobody sees.
    ("FR", "06\u202f12\u202f34\u202f00\u202f10", "+33612340010"),
    ("FR", "06\u200912\u200934\u200900\u200910", "+33612340010"),
    ("FR", "06\t12\t34\t00\t10", "+33612340010"),
    ("FR", "\u200e06 12 34 00 10\u202c", "+33612340010"),
    ("FR", "06\u200b12\u206034\u00ad00\ufeff10", "+33612340010"),
    ("FR", "06\u201112\u201334\u221200\u201410", "+33612340010"),
    (
        "FR",
        "\uff10\uff16\uff11\uff12\uff13\uff14\uff10\uff10\uff11\uff10",
        "+33612340010",
    ),
    ("FR", " 06 12 34 00 10\n", "+33612340010"),
    # Two in one cell: the first mobile.
    ("FR", "06 12 34 00 10 / 06 12 34 00 11", "+33612340010"),
    ("FR", "01 42 68 53 00 / 06 12 34 00 10", "+33612340010"),
    ("FR", "0612340010;0612340011", "+33612340010"),
    ("FR", "0612340010,0612340011", "+33612340010"),
    ("FR", "06 12 34 00 10 ou 06 12 34 00 11", "+33612340010"),
    ("FR", "06 12 34 00 10 - 06 12 34 00 11", "+33612340010"),
    ("FR", "06 12 34 00 10 06 12 34 00 11", "+33612340010"),
    ("FR", "06 12 34 00 10\n06 12 34 00 11", "+33612340010"),
    ("FR", "06123400100612340011", "+33612340010"),
    ("FR", "+33612340010+33612340011", "+33612340010"),
    ("FR", "06 12 34 00 10/11", "+33612340010"),
    ("FR", "Zoé : 06 12 34 00 10 (bureau)", "+33612340010"),
    ("FR", "tel:+33612340010", "+33612340010"),
    # What spreadsheets do.
    ("FR", "'0612340010", "+33612340010"),
    ("FR", "\u20190612340010", "+33612340010"),
    ("FR", '="0612340010"', "+33612340010"),
    ("FR", "33612340010", "+33612340010"),
    ("FR", "330612340010", "+33612340010"),
    ("FR", "612340010", "+33612340010"),
    ("FR", "612340010.0", "+33612340010"),
    ("FR", "6.1234E+08", "spreadsheet"),
    ("FR", "6,1234E+08", "spreadsheet"),
    ("FR", "6.12340010E+08", "spreadsheet"),
    ("BE", "32470123456", "+32470123456"),
    ("BE", "470123456", "+32470123456"),
    ("CH", "791234567", "+41791234567"),
    ("DE", "4915112345678", "+4915112345678"),
    ("LU", "352621123456", "+352621123456"),
    ("IT", "393201234567", "+393201234567"),
    # Letters.
    ("FR", "O6 12 34 00 10", "letters"),
    ("FR", "06 12 34 OO 10", "letters"),
    ("DE", "0170 1234567O", "letters"),
    ("FR", "zoe@example.com", "invalid"),
    # No country's code begins with a zero.
    ("FR", "+033612340010", "invalid"),
    ("FR", "00033612340010", "invalid"),
    ("FR", "+0 33 6 12 34 00 10", "invalid"),
    # Remarks in the cell.
    ("FR", "06 12 34 00 10 (bureau 2)", "+33612340010"),
    ("FR", "06 12 34 00 10 (2024)", "+33612340010"),
    ("FR", "06 12 34 00 10 poste 123", "+33612340010"),
    ("FR", "06 12 34 00 10 (après 18h30)", "+33612340010"),
    ("FR", "\u260e 01 42 68 53 00 \U0001f4f106 12 34 00 10", "+33612340010"),
    ("FR", "Port. 06 12 34 00 10 - fixe 01 42 68 53 00", "+33612340010"),
    ("FR", "tel:0612340010;ext=12", "+33612340010"),
    ("FR", "01/02/2024 06 12 34 00 10", "long"),
    ("FR", "1) 06 12 34 00 10 2) 06 12 34 00 11", "long"),
    ("FR", "\u2066+33 6 12 34 00 10\u2069", "+33612340010"),
    ("FR", "06\u300012\u300034\u300000\u300010", "+33612340010"),
    (
        "FR",
        "\u0660\u0666\u0661\u0662\u0663\u0664\u0660\u0660\u0661\u0660",
        "+33612340010",
    ),
    ("FR", "3,36E+10", "spreadsheet"),
    ("FR", "=+33612340010", "+33612340010"),
    ("FR", "6,12,34,00,10", "+33612340010"),
    ("FR", "+590 0690 35 12 34", "+590690351234"),
    ("FR", "+262 (0)692 12 34 56", "+262692123456"),
    ("BE", "0470/12 34 56 - 02/234 56 78", "+32470123456"),
    ("BE", "33612340010", "long"),
    ("CH", "079'123'45'67", "+41791234567"),
    ("LU", "0621 123 456", "invalid"),
    ("DE", "+49 (0) 171 1234567", "+491711234567"),
    ("DE", "030 12345678, 0171 1234567", "+491711234567"),
    ("IT", "06 12345678 / 320 1234567", "+393201234567"),
    ("PL", "0512345678", "invalid"),
    ("GB", "+44(0)7400123456", "+447400123456"),
    ("FR", "tel:+33-6-12-34-00-10;ext=12", "+33612340010"),
    ("FR", "tél.0612340010", "+33612340010"),
    ("FR", "https://wa.me/33612340010", "+33612340010"),
    ("FR", "33(0)612340010", "+33612340010"),
    ("FR", "+330612340010", "+33612340010"),
    ("FR", "*31#0612340010", "+33612340010"),
    ("FR", "0612340010@sms.fr", "+33612340010"),
    ("FR", "06•12•34•00•10", "+33612340010"),
    ("FR", "🇫🇷 06 12 34 00 10", "+33612340010"),
    ("FR", "06 12 34 00 10+33760123456", "+33612340010"),
    ("FR", "06123400100760123456", "+33612340010"),
    ("FR", "(0033) 6 12 34 00 10", "+33612340010"),
    ("FR", "33612340010.0", "+33612340010"),
    ("RE", "692 12 34 56", "+262692123456"),
    ("BL", "0690 35 12 34", "+590690351234"),
    ("GP", "00590 690 35 12 34", "+590690351234"),
    ("BE", "00 32 (0) 470 12 34 56", "+32470123456"),
    ("CH", "+41 079 123 45 67", "+41791234567"),
    ("LU", "+352621123456/+352661123456", "+352621123456"),
    ("DE", "0049(0)15112345678", "+4915112345678"),
    ("ES", "(34) 612 345 678", "+34612345678"),
    ("IT", "3201234567 / 0612345678", "+393201234567"),
    ("NL", "+31 06 12345678", "+31612345678"),
    ("PL", "(48) 512 345 678", "+48512345678"),
    ("GB", "0044 (0) 7400 123456", "+447400123456"),
    ("MC", "+377 06 78 63 11 22", "+377678631122"),
    ("MC", "377 6 78 63 11 22", "+377678631122"),
    ("FR", "6,12E8", "spreadsheet"),
    ("FR", "06 12 34 00 xx", "short"),
    ("FR", "212 555 0123", "long"),
]
# (country, number, what it is): it is read, and campaigns leave it out.
NO_MOBILES = [
    ("FR", "01 42 68 53 00", "landline"),
    ("FR", "0262 12 34 56", "landline"),
    ("FR", "09 72 12 34 56", "voip"),
    ("FR", "09 37 12 34 56", "voip"),
    ("FR", "0800 123 456", "toll_free"),
    ("FR", "0810 123 456", "shared_cost"),
    ("FR", "0820 123 456", "shared_cost"),
    ("FR", "0892 123 456", "premium"),
    ("FR", "0899 123 456", "premium"),
    ("FR", "0836 12 34 56", "premium"),
    ("FR", "0806 12 34 56", "uan"),
    ("BE", "02 234 56 78", "landline"),
    ("BE", "0800 12 345", "toll_free"),
    ("CH", "0900 123 456", "premium"),
    ("DE", "0700 1234 5678", "personal"),
    ("DE", "030 12345678", "landline"),
    ("ES", "912 345 678", "landline"),
    ("IT", "06 1234 5678", "landline"),
    ("NL", "097 012345678", "machine"),
    ("NL", "097 123456789", "machine"),
    ("FR", "07000011564653", "machine"),
    ("FR", "+33 7 00 00 11 56 46 54", "machine"),
    ("GP", "+590 700 5 1234 5678", "machine"),
    ("BE", "+327700010023652", "machine"),
    ("ES", "590 123 456 7890", "machine"),
    ("NO", "+47 5800 0908 3060", "machine"),
    ("GB", "070 1234 5678", "personal"),
    ("GB", "076 4012 3456", "pager"),
    ("PL", "22 123 45 67", "landline"),
]


@tagged("-at_install", "post_install")
class TestPhoneNumber(BaseCase):
    """What cannot be seen at OVHcloud: kinds, notes, proposals, speed."""

    def test_kinds(self):
        for country, raw, kind in NO_MOBILES:
            with self.subTest(raw=raw, country=country):
                found = clean_number(raw, country, "FR")
                self.assertEqual((found.kind, found.takes_sms), (kind, False))

    def test_kinds_of_every_country(self):
        """The short way to tell them says what the numbering plans say."""
        draw = random.Random(15)
        count = 0
        for region in phonenumbers.SUPPORTED_REGIONS:
            for kind in KINDS:
                example = phonenumbers.example_number_for_type(region, kind)
                if not example:
                    continue
                number = phonenumbers.format_number(
                    example, phonenumbers.PhoneNumberFormat.E164
                )
                others = [
                    f"{number[:-4]}{draw.randrange(10000):04d}",
                    f"{number[:-6]}{draw.randrange(10**6):06d}",
                    number[:-1],
                ]
                for text in (number, *others):
                    try:
                        parsed = phonenumbers.parse(text)
                    except phonenumbers.NumberParseException:
                        continue
                    e164 = phonenumbers.PhoneNumberFormat.E164
                    if phonenumbers.format_number(parsed, e164) != text:
                        continue
                    count += 1
                    # UNKNOWN, of what is no valid number, is none of them.
                    expected = KINDS.get(phonenumbers.number_type(parsed))
                    got = get_kind(text)
                    if got == "machine":
                        got = "mobile"
                    self.assertEqual(got, expected, (text, region))
                    if expected:
                        self.assertEqual(clean_number(text).number, text)
        self.assertGreater(count, 3000)

    def test_notes(self):
        for raw, notes in (
            ("0612340010", ()),
            ("0692123456", ("overseas",)),
            ("612340010", ("zero",)),
            ("33612340010", ("plus",)),
            ("0612340010 / 0612340011", ("several",)),
            ("0612340010 / 06 12 34 00 10", ()),
        ):
            self.assertEqual(clean_number(raw, "FR").notes, notes, raw)

    def test_country(self):
        self.assertEqual(clean_number("0612340010", None, "FR").number, "+33612340010")
        self.assertEqual(clean_number("0612340010", "BE", "FR").reason, "invalid")
        self.assertEqual(clean_number("0612340010").reason, "country")
        self.assertEqual(clean_number("0612340010", "XX", "").reason, "country")
        for nothing in (None, False, "", "  ", "\u200b\u00a0"):
            self.assertEqual(clean_number(nothing, "FR").reason, "missing")

    def test_proposals(self):
        for raw, country, proposal in (
            ("00612340010", "FR", "+33612340010"),
            ("0015112345678", "DE", "+4915112345678"),
            ("+612340010", "FR", "+33612340010"),
            ("033612340010", "FR", "+33612340010"),
            ("32470123456", "FR", "+32470123456"),
            ("+33692123456", "FR", "+262692123456"),
            ("0612340010", "BE", "+33612340010"),
            ("O6 12 34 OO 10", "FR", "+33612340010"),
            ("6.12340010E+08", "FR", "+33612340010"),
            ("6.1234E+08", "FR", None),
            ("06 12 34 00 1", "FR", None),
            ("personne", "FR", None),
            ("+033612340010", "FR", "+33612340010"),
            ("01/02/2024 06 12 34 00 10", "FR", "+33612340010"),
            ("1) 06 12 34 00 10 2) 06 12 34 00 11", "FR", "+33612340010"),
            ("06;12;34;00;10", "FR", "+33612340010"),
            ("Il 0612340010", "FR", "+33612340010"),
            ("06 12 34 00 10 0", "FR", None),
            ("le 01 02 2024", "FR", None),
        ):
            self.assertEqual(propose_number(raw, country, "FR"), proposal, raw)

    def test_prefixes(self):
        prefixes = parse_prefixes("+33700, 0033 7 01; nothing, +3, +33")
        self.assertEqual(prefixes, ("+33700", "+33701"))
        for raw, expected in (
            ("0700123456", "+33700123456"),
            ("+33701123456", "+33701123456"),
            ("0702123456", None),
            ("07001234", None),
        ):
            found = clean_number(raw, "FR", None, prefixes)
            self.assertEqual(found.number, expected, raw)
            self.assertEqual(found.takes_sms, bool(expected))

    def test_speed(self):
        """Cleaning and typing 20,000 numbers of a mixed list takes less than 1 s."""
        draw = random.Random(15)
        forms = (
            lambda n: f"06{n}",
            lambda n: f"+336{n}",
            lambda n: f"06 {n[:2]} {n[2:4]} {n[4:6]} {n[6:]}",
            lambda n: f"06\u202f{n[:2]}\u202f{n[2:]}",
            lambda n: f"00336{n}",
            lambda n: f"+33 (0)6{n}",
            lambda n: f"6{n}",
            lambda n: f"'06{n}",
            lambda n: f"0692{n[2:]}",
            lambda n: f"01{n}",
        )
        numbers = [
            form(f"{draw.randrange(0, 38 * 10**6):08d}")
            for _index in range(2000)
            for form in forms
        ]
        self.assertEqual(len(numbers), 20000)
        clean_number("0612340010", "FR")  # the plans are loaded once
        clean_number("0692123456", "FR")
        start = time.process_time()
        kinds = [clean_number(number, "FR", "FR").kind for number in numbers]
        taken = time.process_time() - start
        self.assertEqual(kinds.count("landline"), 2000)
        self.assertEqual(kinds.count("mobile"), 18000)
        self.assertLess(taken, 1.0)


@tagged("-at_install", "post_install")
class TestPhoneNumberSending(SmsOvhCase):
    """What OVHcloud gets of numbers, on each road."""

    def _create_partners(self, cases):
        countries = {
            country.code: country.id for country in self.env["res.country"].search([])
        }
        return self.env["res.partner"].create(
            [
                {"name": f"n{index}", "phone": raw, "country_id": countries[country]}
                for index, (country, raw, __) in enumerate(cases)
            ]
        )

    def _get_received(self):
        """Return who got which text."""
        return {sms["message"]: sms["receiver"] for sms in self.simulator.get_ledger()}

    def test_single(self):
        partners = self._create_partners(NUMBERS)
        messages = [
            partner._message_sms(f"Cas {index}")
            for index, partner in enumerate(partners)
        ]
        self._commit()
        # What is posted at once after a commit is bounded.
        self._run_cron("sms_ovh.ir_cron_post_jobs")
        self.env.invalidate_all()
        received = self._get_received()
        sentences = get_number_sentences(self.env)
        for index, (country, raw, expected) in enumerate(NUMBERS):
            with self.subTest(raw=raw, country=country):
                got = received.get(f"Cas {index}")
                notification = messages[index].notification_ids
                if expected.startswith("+"):
                    self.assertEqual(got, expected)
                else:
                    self.assertFalse(got)
                    self.assertEqual(notification.failure_type, "sms_number_format")
                    self.assertEqual(notification.notification_status, "exception")
                    self.assertEqual(notification.failure_reason, sentences[expected])
                    self.assertEqual(partners[index].phone, raw, "typed, so kept")

    def _create_partner_mailing(self, partners):
        return self.env["mailing.mailing"].create(
            {
                "subject": "Ventes privées",
                "mailing_type": "sms",
                "mailing_model_id": self.env["ir.model"]._get_id("res.partner"),
                "mailing_domain": repr([("id", "in", partners.ids)]),
                "body_plaintext": "Cas {{ object.name }}",
            }
        )

    def test_campaign(self):
        """Each number once: what the estimate says is what OVHcloud gets."""
        cases = list(
            {
                # Of one number, the first: the others would be the same number twice.
                (expected if expected.startswith("+") else raw): (
                    country,
                    raw,
                    expected,
                )
                for country, raw, expected in reversed(NUMBERS)
            }.values()
        )
        cases += NO_MOBILES
        partners = self._create_partners(cases)
        mailing = self._create_partner_mailing(partners)
        estimate = self.env["sms.ovh.estimate"]._start(mailing)
        mailing.action_put_in_queue()
        self._run_cron("mass_mailing.ir_cron_mass_mailing_queue")
        self._run_cron("sms.ir_cron_sms_scheduler_action")
        self.env.invalidate_all()
        received = self._get_received()
        traces = {trace.res_id: trace for trace in mailing.mailing_trace_ids}
        sent = 0
        for partner, (country, raw, expected) in zip(partners, cases, strict=True):
            with self.subTest(raw=raw, country=country):
                got = received.get(f"Cas {partner.name}")
                if expected.startswith("+"):
                    sent += 1
                    self.assertEqual(got, expected)
                    continue
                self.assertFalse(got)
                failure = "sms_number_format"
                if (country, raw, expected) in NO_MOBILES:
                    failure = f"sms_ovh_{expected}"
                self.assertEqual(traces[partner.id].failure_type, failure)
        self.assertEqual(len(received), sent)
        self.assertEqual(estimate.sent_count, sent)
        self.assertEqual(estimate.excluded_count, len(cases) - sent)
        overseas = estimate.line_ids.filtered(lambda line: line.country_code == "RE")
        self.assertGreater(overseas.rate, 1)

    def test_company_without_ovhcloud(self):
        """What Odoo reads without the addon stays as it is."""
        partner = self._create_partners([("FR", "0692123456", "")])
        self.assertEqual(partner.phone_sanitized, "+262692123456")
        other = self.env["res.company"].create(
            {"name": "Autre", "country_id": self.france.id}
        )
        partner = partner.with_company(other)
        self.assertFalse(partner._phone_format(number="0692123456"))
        self.assertEqual(partner._phone_format(number="32470123456"), "+32470123456")
        self.assertFalse(
            partner.with_company(self.company)._phone_format(number="32470123456")
        )

    def test_typed_number_stays_on_the_form(self):
        typed = "06 12 34 00 10 / 06 12 34 00 11"
        with Form(self.env["res.partner"]) as form:
            form.name = "Zoé"
            form.phone = typed
        partner = form.record
        self.assertEqual(partner.phone, typed)
        self.assertEqual(partner.phone_sanitized, "+33612340010")

    def test_new_range_is_let_through(self):
        # No French one: the simulator knows the plan, too.
        partner = self._create_partners([("GB", "07612345678", "")])
        self.env["ir.config_parameter"].set_param("sms_ovh.valid_prefixes", "+4476")
        partner._message_sms("Bonjour")
        self._commit()
        self.assertEqual(self._get_received(), {"Bonjour": "+447612345678"})
        blacklist = self.env["phone.blacklist"].add("+44 7612 345678")
        self.assertEqual(blacklist.number, "+447612345678")

    def test_lead_in_another_country(self):
        """What is unreadable in the record's country is not read in the company's."""
        belgium = self.env.ref("base.be")
        contact = self.env["mailing.contact"].create(
            {"name": "Zoé", "mobile": "0612340010", "country_id": belgium.id}
        )
        message = contact._message_sms("Bonjour")
        self._commit()
        self.env.invalidate_all()
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(message.notification_ids.failure_type, "sms_number_format")

    def test_sms_of_no_record(self):
        """The number of an SMS made by hand is read as the company's."""
        for number in ("0692 12 34 56", "00612340010", "0612340010 / 0612340011"):
            self._create_sms([number], body=number).send()
        self._commit()
        self.assertEqual(
            self._get_received(),
            {
                "0692 12 34 56": "+262692123456",
                "0612340010 / 0612340011": "+33612340010",
            },
        )

    def test_blacklist_by_any_form(self):
        self.env["phone.blacklist"].add("06 12 34 00 10 / 06 12 34 00 11")
        sms = self._create_sms(
            ["+33 (0)6\u202f12 34 00 10"], sms_ovh_kind="marketing", body="Soldes"
        )
        sms.send()
        self._commit()
        self.assertFalse(self.simulator.get_ledger())
        self.assertEqual(sms.failure_type, "sms_blacklist")

    def test_composer(self):
        partners = self._create_partners(
            [("FR", "0692123456", ""), ("FR", "6.1234E+08", "")]
        )
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=partners[0].id
            ),
            "sms.sms_composer_view_form",
        )
        composer.body = "Votre commande est prête."
        self.assertEqual(composer.recipient_single_number_itf, "+262692123456")
        self.assertFalse(composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = "0692123456 / 0693123456"
        self.assertIn("+262692123456", composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = "00612340010"
        self.assertIn("zero too many", composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = "0800 123 456"
        self.assertIn("Toll-Free", composer.sms_ovh_number_warning)
        composer.recipient_single_number_itf = "+33 (0)6 12\u202f34 00 10"
        self.assertFalse(composer.sms_ovh_number_warning)
        composer.save().action_send_sms()
        self._commit()
        self.assertEqual(
            self._get_received(), {"Votre commande est prête.": "+33612340010"}
        )
        composer = Form(
            self.env["sms.composer"].with_context(
                active_model="res.partner", active_id=partners[1].id
            ),
            "sms.sms_composer_view_form",
        )
        self.assertIn("spreadsheet", composer.sms_ovh_number_warning)
        composer.body = "Votre commande est prête."
        with self.assertRaises(UserError):
            composer.save().action_send_sms()

    def test_test_wizard(self):
        mailing = self._create_mailing(self._numbers(1))
        test = self.env["mailing.sms.test"].create(
            {"mailing_id": mailing.id, "numbers": "0692123456\n00612340010"}
        )
        test.action_send_sms()
        self._commit()
        self.env.invalidate_all()
        self.assertEqual(
            [sms["receiver"] for sms in self.simulator.get_ledger()], ["+262692123456"]
        )
        self.assertIn("zero too many", " ".join(mailing.message_ids.mapped("body")))

"""Tests of the GSM-7 writer, in Python.

The cases are those of ``static/tests/gsm7_vectors.js``, which drive the tests of its
JavaScript twin too. What follows ``export default`` in that file is JSON: a list of
objects with

- ``name``: what the case is about, unique;
- ``text``: null or a text;
- ``expect``: an object with ``text``, ``replacements`` (a list of the original, what
  replaced it, and how many times) and ``remaining`` (a list of characters);
- ``found``, sometimes, for JavaScript only: what marks the text, a list of a character,
  how many times, and a list of its places (start and length in UTF-16 code units).
"""

import time
import unicodedata

from markupsafe import Markup

from odoo.tests.common import BaseCase

from odoo.addons.sms_ovh.tools.gsm7 import LETTERS, SIGNS, to_gsm7
from odoo.addons.sms_ovh.tools.sms_segments import (
    GSM7_BASIC,
    GSM7_EXTENSION,
    is_gsm7,
)

from .test_sms_segments import (
    check_property,
    read_vectors,
    require_hypothesis,
    strategies,
)

# Latin letters of living orthographies: Latin-1 Supplement, Latin Extended-A and B,
# Latin Extended Additional.
LATIN = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
# Those without an equivalent: tone marks that are shaped as digits, Greek letters,
# clicks and glottal stops.
WITHOUT_EQUIVALENT = "ƄƅƍƛƧƨƪƻƼƽƾǀǁǂǃɁɂẟ"


class TestGsm7(BaseCase):
    def test_vectors(self):
        cases = read_vectors("gsm7_vectors.js")
        self.assertEqual(len({case["name"] for case in cases}), len(cases))
        for case in cases:
            with self.subTest(case["name"]):
                result = to_gsm7(case["text"])
                expected = case["expect"]
                self.assertEqual(result.text, expected["text"])
                self.assertEqual(
                    [list(replacement) for replacement in result.replacements],
                    expected["replacements"],
                )
                self.assertEqual(result.remaining, expected["remaining"])

    def test_tables(self):
        """The tables lead to GSM-7, and no character has two equivalents."""
        characters = []
        for table in (SIGNS, LETTERS):
            for equivalent, originals in table.items():
                self.assertTrue(is_gsm7(equivalent), equivalent)
                characters += originals
        self.assertEqual(len(set(characters)), len(characters))
        self.assertFalse(set(characters) & set(GSM7_BASIC + GSM7_EXTENSION))

    def test_latin_letters(self):
        """Every Latin letter has an equivalent, but those that are named here."""
        missing = []
        for character in map(chr, LATIN):
            name = unicodedata.name(character, "")
            if name.startswith("LATIN ") and not is_gsm7(to_gsm7(character).text):
                missing.append(character)
        self.assertEqual("".join(missing), WITHOUT_EQUIVALENT)

    def test_case_is_kept(self):
        for character in map(chr, LATIN):
            text = to_gsm7(character).text
            if character in WITHOUT_EQUIVALENT or not text.isalpha():
                continue
            if character.isupper() and character.lower() != character:
                self.assertTrue(text.isupper(), character)
            elif character.islower() and character.upper() != character:
                self.assertTrue(text.islower(), character)

    def test_fields(self):
        result = to_gsm7("l’été d’Anaïs 😀")
        self.assertEqual(result.text, "l'été d'Anais 😀")
        self.assertEqual(result.remaining, ["😀"])
        first = result.replacements[0]
        self.assertEqual(first.original, "’")
        self.assertEqual(first.replacement, "'")
        self.assertEqual(first.count, 2)

    def test_empty_values(self):
        for value in (None, False, "", Markup()):
            with self.subTest(repr(value)):
                self.assertEqual(to_gsm7(value), ("", [], []))

    def test_not_a_text(self):
        for value in (5, b"text", ["text"]):
            with self.subTest(repr(value)), self.assertRaises(TypeError):
                to_gsm7(value)

    def test_markup(self):
        """Markup escapes what it is joined with, which must not be sent."""
        for text in ("<b>l'été</b> &", "<b>l’été</b> ê & 😀"):
            self.assertEqual(to_gsm7(Markup(text)), to_gsm7(text))

    def test_surrogates(self):
        """Two surrogates that make a pair are one character."""
        self.assertEqual(to_gsm7("\ud83d\ude00").remaining, ["😀"])
        self.assertEqual(to_gsm7("\ude00\ud83d").remaining, ["\ude00", "\ud83d"])

    def test_long_texts(self):
        """What an opening that never closes could make slow is not."""
        for piece in ("{{ ", "ê{{", "https://", "http://»", "www.", "e\u0301", "’"):
            text = piece * (100_000 // len(piece)) + "ê"
            start = time.perf_counter()
            to_gsm7(text)
            # Far above what it takes, far below what a quadratic search would.
            self.assertLess(time.perf_counter() - start, 5, repr(piece))

    def test_property(self):
        require_hypothesis(self)
        chosen = strategies.sampled_from(
            "aeo 1²½€ç’«»…ж{}\n\t😀🇫👍🏽\ud83d\ude00"
            "\u0301\u0302\u0338\u200b\u200d\ufe0f"
        )
        anything = strategies.characters(exclude_categories=())
        texts = strategies.text(strategies.one_of(chosen, anything))

        def check(text):
            result = to_gsm7(text)
            self.assertEqual(is_gsm7(result.text), not result.remaining)
            self.assertEqual(to_gsm7(result.text).text, result.text)
            self.assertEqual(to_gsm7(result.text).replacements, [])
            if is_gsm7(text):
                self.assertEqual(result, (text, [], []))
            for original, replacement, count in result.replacements:
                self.assertFalse(is_gsm7(original))
                self.assertTrue(is_gsm7(replacement))
                self.assertGreater(count, 0)

        check_property(check, text=texts)

    def test_property_untouched(self):
        """URLs and placeholders come out as they went in, wherever they are."""
        require_hypothesis(self)
        kept = strategies.sampled_from(
            [
                "{{ object.name or ’ç’ }}",
                "https://exemple.fr/fête?q=ça",
                "www.fête.fr/ê",
                "HTTP://É.fr/{{ object.id ||| ’ê’ }}/’a",
            ]
        )
        between = strategies.text("aê’«»…ж€\u200b😀", max_size=20)

        def check(pieces):
            text = "".join(f" {before} {span} " for before, span in pieces)
            result = to_gsm7(text).text
            for _before, span in pieces:
                self.assertIn(f" {span} ", result)
                self.assertEqual(result.count(span), text.count(span))

        check_property(
            check, pieces=strategies.lists(strategies.tuples(between, kept), min_size=1)
        )

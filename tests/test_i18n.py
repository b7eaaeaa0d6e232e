import json
import re
from collections import defaultdict
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import TranslationModuleReader

FOLDER = Path(__file__).resolve().parent.parent / "i18n"
LANGUAGES = ("de", "es", "fr", "it", "nl", "pl")
STRING = r'"((?:[^"\\\\]|\\\\.)*)"'
TRANSLATED = re.compile(
    rf"\b_t\(\s*(?:/\*.*?\*/\s*)?({STRING}(?:\s*\+\s*{STRING})*)", re.S
)
# What never is one.
CONSTANTS = {"gsm7", "unicode", "max", "clause", "days", "threshold", "amount"}
CONSTANT = "|".join(CONSTANTS)
# These count to eight or to thousands, or are settings, or sentences.
ALWAYS_MANY = (
    "A check holds for %s days",
    "OVHcloud wants a password of exactly",
    "Phone numbers cannot be checked: %s",
    "This text has %(count)s characters",
)
COUNTED = re.compile(
    rf"%(?:\((?!{CONSTANT})\w+\))?s (?:recipients|characters|credits|contacts|letters"
    r"|numbers|replies|days|minutes|SMS (?:are|leave|wait|were|have))\b"
)
NOUN = re.compile(
    r"%(?:\((\w+)\))?s (?:destinataires|caractères|crédits|lettres|numéros|réponses"
    r"|Empfänger|Zeichen|Buchstaben|Nummern|Antworten|destinatarios|caracteres|créditos"
    r"|letras|números|respuestas|destinatari|caratteri|crediti|lettere|numeri|risposte"
    r"|ontvangers|tekens|letters|nummers|antwoorden|odbiorców|znaków|liter|numerów"
    r"|odpowiedzi)\b"
)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?s")


@tagged("-at_install", "post_install")
class TestTranslations(TransactionCase):
    """Each language is complete, and says all that the English text says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.languages = {
            language: polib.pofile(str(FOLDER / f"{language}.po"))
            for language in LANGUAGES
        }

    def _terms(self):
        """Return the addon's terms as Odoo exports them."""
        reader = TranslationModuleReader(self.env.cr, ["sms_ovh"])
        return {row[4] for row in reader}

    def test_every_term_is_translated(self):
        terms = self._terms()
        for language, entries in self.languages.items():
            with self.subTest(language=language):
                translated = {entry.msgid for entry in entries if entry.translated()}
                self.assertEqual(sorted(terms - translated), [])

    def test_the_template_is_up_to_date(self):
        template = polib.pofile(str(FOLDER / "sms_ovh.pot"))
        self.assertEqual(sorted(self._terms() - {e.msgid for e in template}), [])

    def test_nothing_is_fuzzy_or_obsolete(self):
        for language, entries in self.languages.items():
            with self.subTest(language=language):
                self.assertEqual([e.msgid for e in entries.fuzzy_entries()], [])
                self.assertEqual([e.msgid for e in entries.obsolete_entries()], [])

    def test_counts_need_no_plural(self):
        """A count stands behind what it counts: right for 0, 1 and many, in all."""
        for language, entries in self.languages.items():
            for entry in entries:
                if entry.msgid.startswith(ALWAYS_MANY):
                    continue
                with self.subTest(entry=entry.msgid):
                    self.assertIsNone(COUNTED.search(entry.msgid))
                for match in NOUN.finditer(entry.msgstr):
                    with self.subTest(language=language, entry=entry.msgid):
                        self.assertIn(match[1], CONSTANTS)

    def test_browser_terms_reach_the_browser(self):
        """Each text of a script has its `code:` reference: without, it stays English."""
        references = defaultdict(set)
        for entry in polib.pofile(str(FOLDER / "sms_ovh.pot")):
            for path, __ in entry.occurrences:
                if path.startswith("code:"):
                    references[entry.msgid].add(path.split("addons/sms_ovh/")[-1])
        count = 0
        for path in sorted((FOLDER.parent / "static" / "src").rglob("*.js")):
            name = str(path.relative_to(FOLDER.parent))
            source = path.read_text(encoding="utf-8")
            calls = len(re.findall(r"\b_t\(", source))
            texts = [
                "".join(
                    json.loads(f'"{piece}"') for piece in re.findall(STRING, match[1])
                )
                for match in TRANSLATED.finditer(source)
            ]
            # None is put together from a variable.
            self.assertEqual(len(texts), calls, name)
            for text in texts:
                count += 1
                with self.subTest(file=name, text=text):
                    self.assertTrue(
                        any(ref.startswith(name) for ref in references[text])
                    )
        self.assertGreater(count, 100)

    def test_values_stay_in_place(self):
        """A placeholder lost in translation would lose what the sentence is about."""
        for language, entries in self.languages.items():
            for entry in entries:
                with self.subTest(language=language, entry=entry.msgid):
                    self.assertEqual(
                        sorted(PLACEHOLDER.findall(entry.msgid)),
                        sorted(PLACEHOLDER.findall(entry.msgstr)),
                    )
                    self.assertEqual(
                        re.findall(r"</?\w+", entry.msgid),
                        re.findall(r"</?\w+", entry.msgstr),
                    )

import re
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import TranslationModuleReader

FOLDER = Path(__file__).resolve().parent.parent / "i18n"
LANGUAGES = ("de", "es", "fr", "it", "nl", "pl")
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

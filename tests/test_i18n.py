import re
from pathlib import Path

import polib

from odoo.tests import TransactionCase, tagged
from odoo.tools.translate import TranslationModuleReader

FOLDER = Path(__file__).resolve().parent.parent / "i18n"
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?s")


@tagged("-at_install", "post_install")
class TestTranslations(TransactionCase):
    """French is complete, and says all that the English text says."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.french = polib.pofile(str(FOLDER / "fr.po"))

    def _terms(self):
        """Return the addon's terms as Odoo exports them."""
        reader = TranslationModuleReader(self.env.cr, ["sms_ovh"])
        return {row[4] for row in reader}

    def test_every_term_is_translated(self):
        translated = {entry.msgid for entry in self.french if entry.translated()}
        self.assertEqual(sorted(self._terms() - translated), [])

    def test_the_template_is_up_to_date(self):
        template = polib.pofile(str(FOLDER / "sms_ovh.pot"))
        self.assertEqual(sorted(self._terms() - {e.msgid for e in template}), [])

    def test_nothing_is_fuzzy_or_obsolete(self):
        self.assertEqual([entry.msgid for entry in self.french.fuzzy_entries()], [])
        self.assertEqual([e.msgid for e in self.french.obsolete_entries()], [])

    def test_values_stay_in_place(self):
        """A placeholder lost in translation would lose what the sentence is about."""
        for entry in self.french:
            with self.subTest(entry=entry.msgid):
                self.assertEqual(
                    sorted(PLACEHOLDER.findall(entry.msgid)),
                    sorted(PLACEHOLDER.findall(entry.msgstr)),
                )
                self.assertEqual(
                    re.findall(r"</?\w+", entry.msgid),
                    re.findall(r"</?\w+", entry.msgstr),
                )

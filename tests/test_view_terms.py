"""What the views of the addon say, to whom and in which language."""

import re
from pathlib import Path

import polib
from lxml import etree

from odoo.modules import get_module_path
from odoo.tests import new_test_user, tagged

from .common import SmsOvhCase

FOLDER = Path(__file__).resolve().parent.parent / "i18n"
# Whose words stand on our pages besides our own.
CORE = (
    *("base", "base_setup", "web", "mail", "phone_validation", "sms", "utm"),
    *("link_tracker", "mass_mailing", "mass_mailing_sms"),
)
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|%%")
TAG = re.compile(r"<[^<>]*>")
LANGUAGES = {
    "de": "de_DE",
    "es": "es_ES",
    "fr": "fr_FR",
    "it": "it_IT",
    "nl": "nl_NL",
    "pl": "pl_PL",
}
SHORTEST_SENTENCE = 12


def read_terms(language, modules=CORE):
    """Return what is English and what is that language's, as {English: translation}.

    :param str language: as the file is called
    :param modules: addons of Odoo whose terms are read besides ours
    """
    terms = {}
    paths = [Path(get_module_path(name)) / "i18n" for name in modules]
    for folder in (*paths, FOLDER):
        path = folder / f"{language}.po"
        if path.exists():
            terms |= {
                entry.msgid: entry.msgstr
                for entry in polib.pofile(str(path))
                if entry.msgstr
            }
    return terms


class EnglishFinder:
    """Finds English terms in what a reader of another language is shown.

    :param str language: that one
    :param modules: addons of Odoo whose terms are looked for besides ours
    """

    def __init__(self, language, modules=CORE):
        terms = read_terms(language, modules)
        own = set()
        for text in terms.values():
            own.update(self._split(text))
        # What Odoo says itself, in English or in other words, is not ours to say.
        for name in CORE:
            path = Path(get_module_path(name)) / "i18n" / f"{language}.po"
            for entry in polib.pofile(str(path)) if path.exists() else ():
                if entry.msgstr in ("", entry.msgid):
                    own.update(self._split(entry.msgid))
        self.exact = set()
        # Sentences by what of each stands between values, the longest piece first.
        self.sentences = []
        for msgid, msgstr in terms.items():
            if msgid == msgstr:
                continue
            for piece in self._split(msgid) - own:
                self.exact.add(piece)
                literals = PLACEHOLDER.split(piece)
                longest = max(literals, key=len)
                if len(longest) >= SHORTEST_SENTENCE * (1 if len(literals) > 1 else 2):
                    self.sentences.append((longest, literals))

    @staticmethod
    def _split(text):
        """Return what of a term stands by itself on a page."""
        pieces = (re.sub(r"\s+", " ", piece).strip() for piece in TAG.split(text))
        return {piece for piece in pieces if re.search(r"[A-Za-z]{3}", piece)}

    def find(self, text):
        """Return whether `text` is, or holds, an English term."""
        text = re.sub(r"\s+", " ", text).strip()
        if text in self.exact or text.rstrip("…:. ") in self.exact:
            return True
        return any(
            longest in text and self._holds(text, literals)
            for longest, literals in self.sentences
        )

    @staticmethod
    def _holds(text, literals):
        """Return whether these stand in `text`, one after the other."""
        position = 0
        for literal in literals:
            position = text.find(literal, position)
            if position < 0:
                return False
            position += len(literal)
        return True


# What the machine room calls things; administrators read the logs, too.
MACHINE_WORDS = re.compile(
    r"\b(?:PTT|jobs?|call-?backs?|tags?|outbox|cron|payloads?|DLR|token|UUID"
    r"|web\.base\.url|endpoint)\b",
    re.IGNORECASE,
)
READ_ATTRIBUTES = ("string", "placeholder", "help", "title", "confirm", "sum", "avg")
# Models of Odoo whose views the addon changes.
CORE_MODELS = (
    *("mailing.mailing", "mailing.trace", "mailing.sms.test", "sms.composer"),
    *("sms.sms", "sms.template", "phone.blacklist.remove"),
)


@tagged("-at_install", "post_install")
class TestViewTerms(SmsOvhCase):
    """What views say, to whom they are shown, in each language."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        models = (
            cls.env["ir.model"]
            .search([])
            .filtered(lambda model: "sms_ovh" in (model.modules or "").split(", "))
        )
        own = [name for name in models.mapped("model") if name.startswith("sms.ovh.")]
        cls.models = [*own, *CORE_MODELS]

    def _read_words(self, user, model):
        """Return what the views of a model say to a user: [text, where it stands].

        :rtype: list[tuple[str, str]]
        """
        env = self.env(user=user, context={"lang": user.lang})
        Model = env[model]
        if not Model.has_access("read"):
            return []
        kinds = set(
            self.env["ir.ui.view"]
            .search([("model", "=", model), ("type", "!=", "qweb")])
            .mapped("type")
        )
        words = []
        for kind in sorted(kinds):
            found = Model.get_views([(False, kind)])
            arch = etree.fromstring(found["views"][kind]["arch"])
            shown = set()
            for node in arch.iter(etree.Element):
                if node.get("invisible") in ("1", "True"):
                    continue
                if node.get("column_invisible") in ("1", "True"):
                    continue
                if node.tag == "field":
                    shown.add(node.get("name"))
                texts = [node.get(name) for name in READ_ATTRIBUTES]
                for text in (*texts, node.text, node.tail):
                    if text and text.strip():
                        words.append((text.strip(), f"{model} {kind}"))
            fields = found["models"][model]["fields"]
            for name in shown & fields.keys():
                field = fields[name]
                texts = [field.get("string"), field.get("help")]
                if field["type"] == "selection" and field.get("selection"):
                    texts += [label for __, label in field["selection"]]
                words += [(text, f"{model}.{name}") for text in texts if text]
        return words

    def _create_user(self, login, groups, lang="fr_FR"):
        return new_test_user(
            self.env, login, groups=groups, lang=lang, company_id=self.company.id
        )

    def _load(self, code, modules):
        self.env["res.lang"]._activate_lang(code)
        self.env["ir.module.module"]._load_module_terms(list(modules), [code])

    def test_no_machine_room(self):
        """Who is no administrator reads the words of an office, in either language."""
        self._load("fr_FR", (*CORE, "sms_ovh"))
        roles = {
            "marketing": "mass_mailing.group_mass_mailing_user",
            "sales": "base.group_user,base.group_partner_manager",
        }
        own = {
            text
            for entry in polib.pofile(str(FOLDER / "fr.po"))
            for text in (entry.msgid, entry.msgstr)
        }
        count = 0
        for role, groups in roles.items():
            for lang in ("fr_FR", "en_US"):
                user = self._create_user(f"{role}_{lang}", groups, lang)
                for model in self.models:
                    for text, where in self._read_words(user, model):
                        count += text in own
                        if text not in own:
                            continue
                        with self.subTest(role=role, where=where, text=text):
                            self.assertIsNone(MACHINE_WORDS.search(text))
        self.assertGreater(count, 500)

    def test_no_english(self):
        """Each language has all that the views say, for administrators too."""
        for language, code in LANGUAGES.items():
            self._load(code, (*CORE, "sms_ovh"))
            finder = EnglishFinder(language, modules=())
            user = self._create_user(
                f"admin_{language}",
                "base.group_system,sms_ovh.group_sms_ovh_admin"
                ",mass_mailing.group_mass_mailing_user",
                code,
            )
            count = 0
            for model in self.models:
                for text, where in self._read_words(user, model):
                    count += 1
                    with self.subTest(language=language, where=where, text=text):
                        self.assertFalse(finder.find(text))
            self.assertGreater(count, 500)

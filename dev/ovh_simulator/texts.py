"""Every text of the simulator's pages, in French and English."""

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from . import data

#: Name -> text by language.
TEXTS = data.load("texts")
LANGUAGES = ("fr", "en")


def language(accept_language):
    """Return the language of a page for a browser's ``Accept-Language`` header."""
    accepted = parse_accept_header(accept_language, LanguageAccept)
    return accepted.best_match(LANGUAGES, LANGUAGES[0])


def texts(lang):
    """Return all texts in that language."""
    return {name: text[lang] for name, text in TEXTS.items()}

"""Every text of the simulator's pages, in French and English."""

from . import data

#: Name -> text by language.
TEXTS = data.load("texts")
LANGUAGES = ("fr", "en")


def language(accept_language):
    """Choose the language of a page.

    :param str accept_language: the browser's ``Accept-Language`` header.
    :return: ``en`` where the browser prefers English to French, else ``fr``.
    """
    best, best_quality = "fr", 0.0
    for choice in (accept_language or "").split(","):
        tag, _semicolon, parameter = choice.strip().partition(";")
        try:
            quality = (
                float(parameter.strip()[2:])
                if parameter.strip().startswith("q=")
                else 1.0
            )
        except ValueError:
            continue
        primary = tag.strip().lower().split("-")[0]
        if primary in LANGUAGES and quality > best_quality:
            best, best_quality = primary, quality
    return best


def texts(lang):
    """:return: dict of all texts in that language."""
    return {name: text[lang] for name, text in TEXTS.items()}

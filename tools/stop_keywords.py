"""Whether a text is a wish to get no more SMS."""

import re

from odoo.tools import remove_accents

WORD_REGEX = re.compile(r"\w+")


def normalize_words(text):
    """Return the words of `text`, without case, accents or punctuation.

    :param str|None text: any text
    :rtype: list[str]
    """
    return WORD_REGEX.findall(remove_accents(text or "").casefold())


def parse_keywords(text):
    """Return the keywords in a list separated by commas, semicolons or lines.

    :param str|None text: as a user writes it
    :return: keywords of one or several words each
    :rtype: set[str]
    """
    keywords = (
        " ".join(normalize_words(part)) for part in re.split(r"[,;\n]", text or "")
    )
    return set(keywords) - {""}


def is_stop(text, keywords):
    """Return whether `text` is one of `keywords`, or begins with one.

    :param str|None text: what somebody replied
    :param str|None keywords: as :func:`parse_keywords` reads them
    :rtype: bool
    """
    known = parse_keywords(keywords)
    words = normalize_words(text)
    return bool(words) and (words[0] in known or " ".join(words) in known)


def is_keyword(text, keywords):
    """Return whether `text` is one of `keywords` and nothing else.

    :param str|None text: what somebody replied
    :param str|None keywords: as :func:`parse_keywords` reads them
    :rtype: bool
    """
    return " ".join(normalize_words(text)) in parse_keywords(keywords)

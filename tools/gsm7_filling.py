"""Write in GSM-7 what placeholders fill into a text, or all of it.

One "ï" in a name makes a whole SMS Unicode, of 70 characters instead of 160. What is
written with :func:`.gsm7.to_gsm7` here is a text as it is rendered for one recipient,
and only where all of it becomes GSM-7 by that: otherwise nothing would be saved.
"""

import re

from .gsm7 import to_gsm7
from .links import PLACEHOLDER, find_links, replace_links
from .sms_segments import is_gsm7

#: What is written in GSM-7: nothing, what placeholders fill in, or all.
OFF = "off"
PLACEHOLDERS = "placeholders"
ALL = "all"

# Around what a placeholder fills in, while it is rendered: no characters of any text.
_BEGIN, _END = "\ufdd0", "\ufdd1"
_MARKS = re.compile(f"[{_BEGIN}{_END}]")
_FILLED = re.compile(f"{_BEGIN}([^{_BEGIN}{_END}]*){_END}")


def mark_placeholders(template):
    """Return a template that, once rendered, tells what its placeholders filled in.

    :param str template: a text with placeholders
    :rtype: str
    """
    return re.sub(PLACEHOLDER, lambda match: f"{_BEGIN}{match[0]}{_END}", template)


def unmark(rendered):
    """Return a rendered text without the marks of :func:`mark_placeholders`.

    :param str rendered: the text
    :rtype: str
    """
    return _MARKS.sub("", rendered)


def write_gsm7(rendered, choice, links_shortened=False):
    """Return a rendered text in GSM-7, or as it is where it doesn't become that.

    Links are never changed. Where they are shortened later, it does not matter which
    characters they have.

    :param str rendered: a text whose template :func:`mark_placeholders` marked
    :param str choice: ``OFF``, ``PLACEHOLDERS`` or ``ALL``
    :param bool links_shortened: whether links are shortened afterwards
    :rtype: str
    """
    text = unmark(rendered)
    if choice == OFF or is_gsm7(text):
        return text
    written = to_gsm7(text, None if choice == ALL else _get_filled(rendered)).text
    rest = replace_links(written, lambda link: "") if links_shortened else written
    return (
        written if is_gsm7(rest) and _get_links(written) == _get_links(text) else text
    )


def _get_links(text):
    """Return the links of a text, in order."""
    return [text[start:end] for start, end in find_links(text)]


def _get_filled(rendered):
    """Return where what placeholders filled in is, once the marks are gone.

    :param str rendered: the text with marks
    :return: (start, end) of each
    :rtype: list[tuple[int, int]]
    """
    spans = []
    done = removed = 0
    for match in _FILLED.finditer(rendered):
        removed += len(_MARKS.findall(rendered, done, match.start(1)))
        done = match.start(1)
        spans.append((done - removed, match.end(1) - removed))
    return spans

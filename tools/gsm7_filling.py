"""Write in GSM-7 what placeholders fill into a text, or all of it.

One "ï" in a name makes a whole SMS Unicode, of 70 characters instead of 160. This
module applies :func:`.gsm7.to_gsm7` to the text rendered for one recipient, and only if
all of it then becomes GSM-7: otherwise nothing would be saved.
"""

import re
from functools import lru_cache
from itertools import accumulate

from .gsm7 import to_gsm7
from .links import PLACEHOLDER, find_links
from .sms_segments import is_gsm7

#: What is written in GSM-7: nothing, what placeholders fill in, or all.
OFF = "off"
PLACEHOLDERS = "placeholders"
ALL = "all"

# Marks around what a placeholder fills in, while rendering. No text contains them.
_BEGIN, _END = "\ufdd0", "\ufdd1"
_MARKS = re.compile(f"[{_BEGIN}{_END}]")


def mark_placeholders(template):
    """Return a template that, once rendered, shows what its placeholders filled in.

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
    """Return a rendered text in GSM-7, or unchanged if it cannot be written so.

    Links are never changed. If they are shortened later, their characters do not count.

    :param str rendered: a text whose template :func:`mark_placeholders` marked
    :param str choice: ``OFF``, ``PLACEHOLDERS`` or ``ALL``
    :param bool links_shortened: whether links are shortened afterwards
    :rtype: str
    """
    text = unmark(rendered)
    if choice == OFF or is_gsm7(text):
        return text
    links = find_links(text)
    written = _write_pieces(rendered, text, links, choice)
    if not links:
        return written if is_gsm7(written) else text
    found = find_links(written)
    if [written[a:b] for a, b in found] != [text[a:b] for a, b in links]:
        return text
    rest = written
    for start, end in reversed(found if links_shortened else ()):
        rest = rest[:start] + rest[end:]
    return written if is_gsm7(rest) else text


@lru_cache(maxsize=10000)
def _write_piece(piece):
    """Return a piece of a text in GSM-7. Cached: recipients share most pieces."""
    return to_gsm7(piece).text


def _write_pieces(rendered, text, links, choice):
    """Return a text in GSM-7, or what was filled in.

    :param str rendered: the text with marks
    :param str text: the text without them
    :param list links: where its links are
    :param str choice: ``PLACEHOLDERS`` or ``ALL``
    :rtype: str
    """
    # Alternately as written and as filled in.
    pieces = _MARKS.split(rendered)
    borders = list(accumulate(map(len, pieces)))
    is_apart = all(
        not piece or piece[0].isalpha() or is_gsm7(piece[0]) for piece in pieces[1:]
    ) and not any(
        start <= border <= end for start, end in links for border in borders[:-1]
    )
    if is_apart:
        return "".join(
            _write_piece(piece) if choice == ALL or index % 2 else piece
            for index, piece in enumerate(pieces)
        )
    # How a piece is written depends on what precedes it: a link, or a digit.
    filled = list(zip(borders[:-1:2], borders[1::2], strict=False))
    return to_gsm7(text, None if choice == ALL else filled).text

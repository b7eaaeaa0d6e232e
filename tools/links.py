"""Find the links of a text, as phones recognise them.

One definition serves all: what is shortened and tracked, what is counted, what the
short number cannot send, and what :mod:`.gsm7` leaves alone. Its twin for the browser
is ``static/src/links.js``; ``static/tests/links_vectors.js`` holds the cases that both
must agree on.

A link begins with ``http://``, ``https://`` or ``www.`` and goes on to the next white
space, double quote or angle bracket, whatever else is in it (RFC 3986, section 2.2,
allows ``!$&'()*+,;=`` in paths and queries). What ends the sentence rather than the
link stays outside: punctuation, emoji, and closing brackets without an opening one.
Android's ``Linkify`` and iOS's data detectors cut links in this way.
"""

import re

#: A placeholder, as Odoo's inline templates recognise it: on one line. Another opening
#: inside starts a new one, which also keeps the search linear.
PLACEHOLDER = r"\{\{(?:(?!\{\{)[^\n])+?\}\}"

# Written out as ranges, so that Python and every browser cut a text in the same way:
# white space, controls, what shows nothing, and the quotes that surround links.
_STOP = (
    "\x00- \x7f-\xa0\u1680\u2000-\u200b\u200e\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    '"<>«»“”„‟‹›'
)
# What belongs to the sentence after a link: punctuation, then emoji and their joiners.
_TRAIL = frozenset(".,;:!?'*|^`\\¡§\xad¶·¿、。")
_TRAIL_RANGES = re.compile(
    "[\u2010-\u2027\u2030-\u205e\u200c\u200d\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299"
    "\ufe00-\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]"
)
_is_stop = re.compile(f"[{_STOP}]").match
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_OPENING = frozenset(_BRACKETS.values())
_replace_placeholders = re.compile(PLACEHOLDER).sub
_find_candidates = re.compile(
    r"(?:[hH][tT][tT][pP][sS]?://(?=[\w\[]|\{\{)|(?<![\w@./])[wW][wW][wW]\.(?=\w|\{\{))"
    f"(?:{PLACEHOLDER}|[^{_STOP}])+"
).finditer
# The name after "www." has another dot, or it is only a word.
_is_host = re.compile(r"www\.[^./?#]+\.[^./?#]", re.IGNORECASE).match


def find_links(text):
    """Return where the links of a text are.

    :param str text: as written, with placeholders, or as rendered; empty for none
    :return: (start, end) of each, in order
    :rtype: list[tuple[int, int]]
    """
    links = []
    for match in _find_candidates(text or ""):
        # What is inside a placeholder neither ends a link nor opens a bracket.
        url = match[0]
        if "{{" in url:
            url = _replace_placeholders(lambda found: "x" * len(found[0]), url)
        end = get_link_end(url)
        if url[:1] in "wW" and not _is_host(url[:end]):
            continue
        links.append((match.start(), match.start() + end))
    return links


def get_link_end(url):
    """Return where a link ends: before what belongs to the sentence.

    :param str url: up to white space
    :rtype: int
    """
    end = len(url)
    counts = None
    while end:
        last = url[end - 1]
        if last in _OPENING or last in _BRACKETS:
            if counts is None:
                counts = {bracket: url.count(bracket, 0, end) for bracket in "()[]{}"}
            if last in _BRACKETS and counts[last] <= counts[_BRACKETS[last]]:
                break
            counts[last] -= 1
        elif last not in _TRAIL and not _TRAIL_RANGES.match(last):
            break
        end -= 1
    return end


def may_follow_link(text):
    """Tell whether a text can follow a link directly without becoming part of it.

    :param str text: what follows
    :rtype: bool
    """
    return bool(text and (_is_stop(text) or text[0] in _TRAIL or text[0] in _BRACKETS))


def replace_links(text, replace):
    """Return a text with its links replaced.

    :param str text: the text
    :param replace: function that takes each link and returns its replacement
    :rtype: str
    """
    pieces = []
    done = 0
    for start, end in find_links(text):
        pieces += [text[done:start], replace(text[start:end])]
        done = end
    return "".join(pieces) + (text or "")[done:]


def append_visitor(text, base_url, visitor):
    """Return a text whose short links show in which SMS they were clicked.

    A link that already does, or has more than its code, stays as it is.

    :param str text: with short links
    :param str base_url: where they begin
    :param visitor: id of the SMS
    :rtype: str
    """
    start = f"{base_url}/r/"
    if not text or start not in text:
        return text or ""
    is_short = re.compile(re.escape(start) + r"[^/?#]+").fullmatch
    return replace_links(
        text, lambda url: f"{url}/s/{visitor}" if is_short(url) else url
    )

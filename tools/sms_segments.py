"""Count an SMS: its encoding, its units, its parts.

This module is plain Python and needs neither Odoo nor any package. Its twin for the
browser is ``static/src/sms_segments.js``; ``static/tests/sms_segments_vectors.js``
holds the cases that both must agree on.

Sources of the rules:

- 3GPP TS 23.038, section 6.2.1 (the GSM 7 bit default alphabet and its extension
  table) and section 6.2.3 (UCS2, which networks carry as UTF-16);
- 3GPP TS 23.040, section 9.2.3.24.1 (a part of a concatenated message gives 6 of its
  140 octets to the header that links the parts, which leaves 153 septets or 67 code
  units of 160 or 70).

National shift tables (3GPP TS 23.038, annex A) are not used: OVHcloud does not send
them. The text is counted as it is, without any Unicode normalisation.
"""

import re
from typing import NamedTuple

#: Encodings, as ``SegmentCount.encoding`` names them.
GSM7 = "GSM7"
UNICODE = "UNICODE"

#: The GSM 7 bit default alphabet (3GPP TS 23.038, section 6.2.1), 1 septet each. The
#: escape, 0x1B, is left out: it announces an extension character and is none itself.
GSM7_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

#: The extension table (3GPP TS 23.038, section 6.2.1.1), 2 septets each: the escape,
#: then the character.
GSM7_EXTENSION = "\f^{}\\[~]|€"

#: Units in a message of one part, and in each part of a longer one.
GSM7_SINGLE = 160
GSM7_MULTI = 153
UNICODE_SINGLE = 70
UNICODE_MULTI = 67

#: Parts that OVHcloud accepts in one message: 918 septets or 402 code units.
MAX_SEGMENTS = 6

#: What OVHcloud appends to a marketing message. All its characters are in the default
#: alphabet, so it never changes the encoding, and takes as many units in both.
STOP_CLAUSE = "\nSTOP:36111"

_STOP_UNITS = len(STOP_CLAUSE)

_is_basic = re.compile(f"[{re.escape(GSM7_BASIC)}]*").fullmatch
_is_gsm7 = re.compile(f"[{re.escape(GSM7_BASIC + GSM7_EXTENSION)}]*").fullmatch

# White space, controls and invisible characters, as ranges that the twin reads alike.
_is_blank = re.compile(
    "[\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f"
    "\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
).fullmatch

# Surrogate pairs written as two characters, as JSON may have them; and lone surrogates.
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_LONE_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

# Stands for the two septets of an extension character where only their place matters.
# Neither is a member of the alphabet, so neither can be in the text.
_PAIR = "\x1b\x00"
_PAIR_END = _PAIR[1]


class SegmentCount(NamedTuple):
    """The size of one SMS.

    :param str encoding: ``GSM7`` or ``UNICODE``
    :param int units: septets (``GSM7``) or UTF-16 code units (``UNICODE``) of the
        text and of the STOP clause, without what pads the parts
    :param int segments: parts that are sent, each charged as one SMS
    :param int units_per_segment: units that each part can hold: 160 or 70 when there
        is one, 153 or 67 when there are several
    :param int units_left: units still free in the last part
    """

    encoding: str
    units: int
    segments: int
    units_per_segment: int
    units_left: int


# The size of an empty message, without and with the clause. Nothing is sent, so there
# is no unit and no part; the units left are what the clause would leave.
_EMPTY = SegmentCount(GSM7, 0, 0, GSM7_SINGLE, GSM7_SINGLE)
_EMPTY_STOP = SegmentCount(GSM7, 0, 0, GSM7_SINGLE, GSM7_SINGLE - _STOP_UNITS)


def is_gsm7(text):
    """Tell whether the GSM 7 bit alphabet can write a whole text.

    :param str text: any text; the empty one counts as GSM-7
    :return: True when every character is in the default alphabet or in its extension
        table (3GPP TS 23.038, sections 6.2.1 and 6.2.1.1)
    :rtype: bool
    """
    return _is_gsm7(text) is not None


def is_blank(text):
    """Tell whether a text shows nothing that anybody could read.

    Zero-width spaces and joiners, soft hyphens and the like are sent and charged like
    any other character, but show nothing.

    :param str text: any text; ``None``, ``False`` and the empty text are blank
    :rtype: bool
    """
    return not text or _is_blank(text) is not None


def count_segments(text, stop_clause=False):
    """Count the encoding, the units and the parts of an SMS.

    One character outside the GSM 7 bit alphabet makes the whole message Unicode. Parts
    are filled in order; the two septets of an extension character, or the two code
    units of a surrogate pair, are never split: if only one unit is left for them, it
    stays empty (3GPP TS 23.040, section 9.2.3.24.1). A sequence of several code points
    that shows as one character may be split. Control characters and lone surrogates
    are one Unicode unit each.

    :param str text: the message; ``None``, ``False`` (an empty field of Odoo) and the
        empty text are an empty message
    :param bool stop_clause: whether OVHcloud appends its STOP clause, 11 units at the
        end; to an empty message it appends nothing, as nothing is sent
    :return: the size of the message; for an empty one ``GSM7``, 0 units, 0 segments,
        and in ``units_left`` what a first part can still hold (160, or 149 beside the
        clause)
    :rtype: SegmentCount
    :raise TypeError: when ``text`` is neither a text nor empty
    """
    if not text:
        return _EMPTY_STOP if stop_clause else _EMPTY
    clause = _STOP_UNITS if stop_clause else 0
    if _is_basic(text):
        units = len(text) + clause
        if units <= GSM7_SINGLE:
            return SegmentCount(GSM7, units, 1, GSM7_SINGLE, GSM7_SINGLE - units)
        # Nothing here is two septets long, so no part is padded.
        segments = -(-units // GSM7_MULTI)
        return SegmentCount(
            GSM7, units, segments, GSM7_MULTI, segments * GSM7_MULTI - units
        )
    if _is_gsm7(text):
        septets = text
        # Ten replacements in C are faster than one look at each character.
        for extension in GSM7_EXTENSION:
            septets = septets.replace(extension, _PAIR)
        units = len(septets) + clause
        if units <= GSM7_SINGLE:
            return SegmentCount(GSM7, units, 1, GSM7_SINGLE, GSM7_SINGLE - units)
        segments, last = _fill_gsm7(septets, units)
        return SegmentCount(GSM7, units, segments, GSM7_MULTI, GSM7_MULTI - last)
    encoded = _encode(text)
    units = len(encoded) // 2 + clause
    if units <= UNICODE_SINGLE:
        return SegmentCount(UNICODE, units, 1, UNICODE_SINGLE, UNICODE_SINGLE - units)
    segments, last = _fill_unicode(encoded, units)
    return SegmentCount(UNICODE, units, segments, UNICODE_MULTI, UNICODE_MULTI - last)


def _encode(text):
    """Return a text in UTF-16, little endian, a lone surrogate as one code unit."""
    try:
        return text.encode("utf-16-le")
    except UnicodeEncodeError:
        # Any character with as many code units will do. Python's own "surrogatepass"
        # looks at each one by itself.
        text = _SURROGATE_PAIR.sub("\U00010000", text).translate(_LONE_SURROGATES)
        return text.encode("utf-16-le")


def _fill_gsm7(septets, units):
    """Fill the parts of a long GSM-7 text, jumping from one cut to the next.

    :param str septets: the text, each extension character written as ``_PAIR``
    :param int units: its septets, the STOP clause included
    :return: the number of parts, and the septets in the last one
    :rtype: tuple[int, int]
    """
    length = len(septets)
    start, segments = 0, 1
    while units - start > GSM7_MULTI:
        cut = start + GSM7_MULTI
        # The clause, which follows the text, has no pair to split.
        if cut < length and septets[cut] == _PAIR_END:
            cut -= 1
        start = cut
        segments += 1
    return segments, units - start


def _fill_unicode(encoded, units):
    """Fill the parts of a long Unicode text, jumping from one cut to the next.

    :param bytes encoded: the text in UTF-16, little endian
    :param int units: its code units, the STOP clause included
    :return: the number of parts, and the code units in the last one
    :rtype: tuple[int, int]
    """
    length = len(encoded) // 2
    start, segments = 0, 1
    while units - start > UNICODE_MULTI:
        cut = start + UNICODE_MULTI
        # The high byte of a code unit tells a surrogate: 0xD8 to 0xDB open a pair,
        # 0xDC to 0xDF close it.
        if (
            cut < length
            and encoded[2 * cut + 1] & 0xFC == 0xDC
            and encoded[2 * cut - 1] & 0xFC == 0xD8
        ):
            cut -= 1
        start = cut
        segments += 1
    return segments, units - start


def split_segments(text, stop_clause=False):
    """Cut an SMS where its parts end, as :func:`count_segments` counts them.

    :param str text: the message, empty or not
    :param bool stop_clause: whether OVHcloud appends its STOP clause
    :return: the text of each part, the clause in the last ones; none for an empty
        message
    :rtype: list[str]
    """
    count = count_segments(text, stop_clause)
    if not count.segments:
        return []
    text = text + STOP_CLAUSE if stop_clause else text
    parts = [""]
    used = 0
    for character in text:
        if count.encoding == UNICODE:
            units = 2 if ord(character) > 0xFFFF else 1
        else:
            units = 2 if character in GSM7_EXTENSION else 1
        if used + units > count.units_per_segment:
            parts.append("")
            used = 0
        parts[-1] += character
        used += units
    return parts

"""Encoding and parts of an SMS, counted the way the network bills it.

Written from 3GPP TS 23.038 (default alphabet and its extension table) and TS 23.040
(six octets of each part of a long SMS hold the concatenation header). It shares no code
with the addon, on purpose: each is the other's cross-check.
"""

from typing import NamedTuple

#: 3GPP TS 23.038, section 6.2.1: one septet each. The escape character itself is not text.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
#: 3GPP TS 23.038, section 6.2.1.1: escape plus one septet each; form feed is among them.
_EXTENDED = frozenset("\f^{}\\[~]|€")

#: encoding -> (units in a single SMS, units in each part of a longer one)
LIMITS = {"7bits": (160, 153), "unicode": (70, 67)}


class Measure(NamedTuple):
    """The size of an SMS.

    ``encoding`` is OVHcloud's ``7bits`` or ``unicode``; ``units`` counts septets
    (7bits) or UTF-16 code units (unicode); ``parts`` is what is billed; ``per_part``
    the units that fit in each part.
    """

    encoding: str
    units: int
    parts: int
    per_part: int


def _costs(text):
    """Return the encoding of *text* and the number of units of each of its characters."""
    costs = []
    for char in text:
        if char in _BASIC:
            costs.append(1)
        elif char in _EXTENDED:
            costs.append(2)
        else:
            return "unicode", [2 if ord(char) > 0xFFFF else 1 for char in text]
    return "7bits", costs


def split(text):
    """Cut *text* into the parts that travel; escape and surrogate pairs stay whole.

    :param str text: the complete text, STOP clause included.
    :return: list of str; one empty part for an empty text.
    """
    encoding, costs = _costs(text)
    single, multiple = LIMITS[encoding]
    if sum(costs) <= single:
        return [text]
    parts = []
    start = used = 0
    for index, cost in enumerate(costs):
        if used + cost > multiple:
            parts.append(text[start:index])
            start, used = index, 0
        used += cost
    parts.append(text[start:])
    return parts


def measure(text):
    """Measure an SMS.

    :param str text: the complete text, STOP clause included.
    :return: its :class:`Measure`; an empty text counts as one part.
    """
    encoding, costs = _costs(text)
    units = sum(costs)
    single, multiple = LIMITS[encoding]
    if units <= single:
        return Measure(encoding, units, 1, single)
    return Measure(encoding, units, len(split(text)), multiple)

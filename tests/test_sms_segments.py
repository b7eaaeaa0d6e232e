"""Tests of the SMS counter, in Python.

The cases are those of ``static/tests/sms_segments_vectors.js``, which drive the tests
of its JavaScript twin too: files in ``tests/`` do not reach the browser, those in
``static/tests/`` reach both. What follows ``export default`` in that file is JSON: a
list of objects with

- ``name``: what the case is about, unique;
- ``text``: null, a text, or a list of pieces: a text, or ``[text, times]``;
- ``stop``: whether the STOP clause is counted;
- ``expect``: encoding, units, segments, units per segment, units left.
"""

import json
import os
from pathlib import Path

from markupsafe import Markup

from odoo.tests.common import BaseCase

from odoo.addons.sms_ovh.tools import sms_segments
from odoo.addons.sms_ovh.tools.sms_segments import count_segments, is_gsm7

try:
    import hypothesis
    from hypothesis import strategies
except ImportError:
    hypothesis = None

VECTORS = Path(__file__).parent.parent / "static" / "tests"


def read_vectors(name):
    """Read the cases that drive both the Python and the JavaScript tests.

    :param str name: file name in ``static/tests``
    :return: the cases, as their JSON gives them
    :rtype: list[dict]
    """
    content = (VECTORS / name).read_text(encoding="utf-8")
    _header, cases = content.split("\nexport default", 1)
    return json.loads(cases.rstrip().rstrip(";"))


def build_text(pieces):
    """Build the text of a case.

    :param pieces: None, a text, or a list of texts and ``[text, times]``
    :return: the text, or None
    """
    if not isinstance(pieces, list):
        return pieces
    return "".join(
        piece if isinstance(piece, str) else piece[0] * piece[1] for piece in pieces
    )


def require_hypothesis(case):
    """Skip a test that needs hypothesis, or fail where all tests must run.

    :param unittest.TestCase case: the running test
    """
    if hypothesis:
        return
    reason = "the hypothesis package is not installed: properties are not tested"
    if os.environ.get("SMS_OVH_REQUIRE_SIMULATOR") == "1":
        case.fail(reason)
    case.skipTest(reason)


def check_property(check, **arguments):
    """Check a property on generated arguments.

    :param check: function of the arguments that asserts the property
    :param arguments: hypothesis strategies, by name
    :raise AssertionError: when the property does not hold, with the smallest example
    """
    # No deadline: a busy machine is not a bug. No database: tests leave no file.
    settings = hypothesis.settings(max_examples=400, deadline=None, database=None)
    settings(hypothesis.given(**arguments)(check))()


# The septets that write each character, from the tables of 3GPP TS 23.038: the place of
# a character in the default alphabet, and in the extension table, is its code.
DEFAULT_TABLE = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION_TABLE = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
ESCAPE = 0x1B
SEPTETS = {
    character: (code,) for code, character in enumerate(DEFAULT_TABLE) if code != ESCAPE
} | {character: (ESCAPE, code) for code, character in EXTENSION_TABLE.items()}


def encode_naively(text):
    """Encode a message as a phone would, and really build its parts.

    :param str text: the whole message, its STOP clause included
    :return: the encoding, and the units of each part
    :rtype: tuple[str, list[list[int]]]
    """
    encoding, single, multi = "GSM7", 160, 153
    sequences = [SEPTETS.get(character) for character in text]
    if None in sequences:
        encoding, single, multi = "UNICODE", 70, 67
        encoded = text.encode("utf-16-be", "surrogatepass")
        sequences = []
        for index in range(0, len(encoded), 2):
            unit = int.from_bytes(encoded[index : index + 2], "big")
            previous = sequences[-1] if sequences else ()
            if (
                0xDC00 <= unit <= 0xDFFF
                and len(previous) == 1
                and 0xD800 <= previous[0] <= 0xDBFF
            ):
                sequences[-1] = (*previous, unit)
            else:
                sequences.append((unit,))
    if sum(map(len, sequences)) <= single:
        multi = single
    parts = []
    for sequence in sequences:
        if not parts or len(parts[-1]) + len(sequence) > multi:
            parts.append([])
        parts[-1].extend(sequence)
    return encoding, parts


def decode_naively(encoding, part):
    """Read one part again, which fails when a pair was cut.

    :param str encoding: ``GSM7`` or ``UNICODE``
    :param list[int] part: its units
    :return: its text
    :rtype: str
    """
    if encoding == "UNICODE":
        units = b"".join(unit.to_bytes(2, "big") for unit in part)
        return units.decode("utf-16-be", "surrogatepass")
    septets = iter(part)
    return "".join(
        EXTENSION_TABLE[next(septets)] if septet == ESCAPE else DEFAULT_TABLE[septet]
        for septet in septets
    )


class TestSmsSegments(BaseCase):
    def test_vectors(self):
        cases = read_vectors("sms_segments_vectors.js")
        self.assertGreaterEqual(len(cases), 150)
        self.assertEqual(len({case["name"] for case in cases}), len(cases))
        for case in cases:
            with self.subTest(case["name"]):
                count = count_segments(
                    build_text(case["text"]), stop_clause=case["stop"]
                )
                self.assertEqual(list(count), case["expect"])

    def test_vectors_against_naive_encoder(self):
        """The expected values themselves are those of parts really built."""
        for case in read_vectors("sms_segments_vectors.js"):
            text = build_text(case["text"])
            if not text:
                continue
            with self.subTest(case["name"]):
                self.assertEqual(
                    self._count_naively(text, case["stop"]), case["expect"]
                )

    def test_property_naive_encoder(self):
        require_hypothesis(self)
        # Runs of one character reach the borders of the parts, which texts of random
        # characters seldom do.
        alphabet = "aé\n\r€[\fêç’\x00\x1b\u00a0😀\ud83d\ude00\u200d"
        run = strategies.builds(
            str.__mul__, strategies.sampled_from(alphabet), strategies.integers(0, 160)
        )
        runs = strategies.lists(run, max_size=8).map("".join)
        gsm7 = strategies.text(
            sms_segments.GSM7_BASIC + sms_segments.GSM7_EXTENSION, max_size=400
        )
        # Random texts, lone surrogates included.
        anything = strategies.text(strategies.characters(exclude_categories=()))

        def check(text, stop_clause):
            count = count_segments(text, stop_clause=stop_clause)
            if text:
                self.assertEqual(list(count), self._count_naively(text, stop_clause))
            else:
                self.assertEqual(count.segments, 0)

        check_property(
            check,
            text=strategies.one_of(runs, gsm7, anything),
            stop_clause=strategies.booleans(),
        )

    def _count_naively(self, text, stop_clause):
        whole = text + sms_segments.STOP_CLAUSE if stop_clause else text
        encoding, parts = encode_naively(whole)
        decoded = "".join(decode_naively(encoding, part) for part in parts)
        # Compared in UTF-16, where two surrogates are one character.
        self.assertEqual(
            decoded.encode("utf-16-be", "surrogatepass"),
            whole.encode("utf-16-be", "surrogatepass"),
        )
        single, multi = (160, 153) if encoding == "GSM7" else (70, 67)
        per_segment = single if len(parts) == 1 else multi
        return [
            encoding,
            sum(map(len, parts)),
            len(parts),
            per_segment,
            per_segment - len(parts[-1]),
        ]

    def test_alphabet(self):
        """Every character of the Basic Multilingual Plane is on the right side."""
        for code in range(0x10000):
            self.assertEqual(is_gsm7(chr(code)), chr(code) in SEPTETS, hex(code))
        self.assertTrue(is_gsm7(""))
        self.assertFalse(is_gsm7("\U0001f600"))
        # The default alphabet ends with a line feed nowhere: "$" must not allow one.
        self.assertFalse(is_gsm7("ê\n"))

    def test_constants(self):
        self.assertEqual(sms_segments.MAX_SEGMENTS, 6)
        self.assertEqual(sms_segments.STOP_CLAUSE, "\nSTOP:36111")
        clause = count_segments(sms_segments.STOP_CLAUSE)
        self.assertEqual((clause.encoding, clause.units), ("GSM7", 11))

    def test_fields(self):
        count = count_segments("Été €", stop_clause=True)
        self.assertEqual(count.encoding, "GSM7")
        self.assertEqual(count.units, 17)
        self.assertEqual(count.segments, 1)
        self.assertEqual(count.units_per_segment, 160)
        self.assertEqual(count.units_left, 143)

    def test_empty_values(self):
        empty = ("GSM7", 0, 0, 160, 160)
        for value in (None, False, "", Markup()):
            with self.subTest(repr(value)):
                self.assertEqual(tuple(count_segments(value)), empty)

    def test_not_a_text(self):
        for value in (5, b"text", ["text"]):
            with self.subTest(repr(value)), self.assertRaises(TypeError):
                count_segments(value)

    def test_markup(self):
        """Markup escapes what it is joined with, which must not be counted."""
        for text in ("a<b>" * 60, "[<b>" * 60, "ê<b>" * 60):
            self.assertEqual(count_segments(Markup(text)), count_segments(text))

    def test_long_text(self):
        """What it takes is measured by ``dev/bench/segments.py``."""
        for piece in ("a", "a€", "€", "ê", "😀", "a😀", "\ud83d"):
            text = piece * (100_000 // len(piece))
            with self.subTest(repr(piece)):
                self.assertEqual(
                    list(count_segments(text, stop_clause=True)),
                    self._count_naively(text, True),
                )

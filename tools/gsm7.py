"""Write a text in the GSM 7 bit alphabet, as closely as possible.

A typographic apostrophe or a lower case c with cedilla is enough to make a message
Unicode, of 70 characters instead of 160. :func:`to_gsm7` gives the closest text in the
alphabet of 3GPP TS 23.038, section 6.2.1, says what it replaced, and names what has no
equivalent.

Its twin for the browser is ``static/src/gsm7.js``; ``static/tests/gsm7_vectors.js``
holds the cases that both must agree on. Where French, or another language, needs a
choice that Unicode data does not give, the tables below decide; the long tail (accents,
ligatures, full-width and mathematical letters) is decomposed as the Unicode Standard
says (annex 15, forms NFC and NFKD).
"""

import re
import unicodedata
from bisect import bisect_right
from typing import NamedTuple

from .links import PLACEHOLDER, find_links, may_follow_link
from .sms_segments import GSM7_BASIC, GSM7_EXTENSION, is_gsm7

#: Signs that Unicode data does not decompose, or not as a reader expects: every
#: character of a value becomes the key.
SIGNS = {
    "'": "`´‘’‚‛‹›′‵ʹʻʼʽʾʿˈꞋꞌ❛❜",
    '"': "¨«»“”„‟″‶ʺˮ〝〞〟❝❞",
    "-": "¯‐\u2011‒–—―−⁃•‣◦▪▫■□●○⸺⸻\uf0b7",
    "...": "…⋯",
    ".": "·‧∙⋅",
    ",": "¸",
    ":": "∶",
    "|": "¦",
    "/": "÷⁄∕",
    "*": "⁎∗",
    "~": "˜∼≈",
    "^": "ˆ",
    ">": "▸►➢➤",
    "->": "→",
    "<-": "←",
    "<->": "↔",
    "=>": "⇒",
    "<=": "≤",
    ">=": "≥",
    "!=": "≠",
    "+/-": "±",
    "o/oo": "‰",
    "(c)": "©",
    "(P)": "℗",
    "(R)": "®",
    "Δ": "∆",
    "Π": "∏",
    "Σ": "∑",
}

#: Letters, and signs that are read as letters, that Unicode data does not decompose.
#: The Greek capitals here are those that 3GPP TS 23.038 leaves out of the alphabet
#: because a Latin capital has their shape. A degree sign is most often that of the
#: French n° and 1°, where it stands for an o.
LETTERS = {
    "A": "ȺᴀⱭⱯⱰꞺΑ",
    "AA": "Ꜳ",
    "AO": "Ꜵ",
    "AU": "Ꜷ",
    "AV": "ꜸꜺ",
    "AY": "Ꜽ",
    "B": "ƁƂɃʙᴃᴯꞖꞴΒ",
    "C": "ƇȻᴄꜾꞒꟄꟲ",
    "D": "ÐĐƉƊƋᴅᴆꝹꟇ",
    "E": "ƎƏƐɆᴇⱻꞫΕ",
    "F": "ƑꜰꝻꞘꟳ₣",
    "G": "ƓƔǤɢʛꝽꝾꞠꞬꟐ𝼂",
    "GH": "Ƣ",
    "H": "ĦʜⱧⱵꜦꞍꞪꟵΗ",
    "HV": "Ƕ",
    "I": "ƖƗɪᵻꞮꞼΙ",
    "J": "ɈᴊꞲ",
    "K": "ƘᴋⱩꝀꝂꝄꞢꞰ𝼐Κ",
    "L": "ŁȽʟᴌⱠⱢꝆꝈꞀꞭ𝼄",
    "LL": "Ỻ",
    "M": "ƜᴍⱮꟺꟿΜ",
    "N": "ƝȠɴᴎᴻꞐꞤΝ",
    "NG": "Ŋ",
    "O": "ƆƟᴏᴐꝊꝌꞶꟀ\ua7cbΟ",
    "OE": "ŒɶꞜ",
    "OO": "Ꝏ",
    "OU": "Ȣᴕ",
    "P": "ƤᴘⱣꝐꝒꝔΡ",
    "Q": "ɊꝖꝘꞯꟴ",
    "R": "ƦɌʀʁᴙᴚⱤꝚꞂꞦꭆ",
    "S": "ⱾꜱꞄꞨꟅꟉꟘꟖ\ua7cc\ua7f1",
    "SH": "Ʃ",
    "SS": "ẞ",
    "T": "ŦƬƮȾᴛꞆꞱΤ",
    "TH": "ÞꝤꝦ",
    "TZ": "Ꜩ",
    "U": "ƱɄᴜᵾꞸꞾ",
    "UE": "Ꞟ",
    "V": "ƲɅᴠỼꝞ",
    "VY": "Ꝡ",
    "W": "ǷᴡⱲꟂ",
    "X": "ꞳΧ",
    "Y": "ƳȜɎʏỾΥ",
    "Z": "ƵȤᴢⱫⱿꝢꟆΖ",
    "ZH": "ƷƸᴣ",
    "a": "ɐɑɒᶏᶐⱥꞻꬰꭤꬱ",
    "aa": "ꜳ",
    "ao": "ꜵ",
    "au": "ꜷ",
    "av": "ꜹꜻ",
    "ay": "ꜽ",
    "b": "ƀƃɓᵬᶀꞗꞵ",
    "c": "ƈȼɕʗↄꜿꞓꞔ𝼏𝼝¢",
    "d": "ðđƌȡɖɗᵭᶁᶑꝺꟈ𝼥",
    "db": "ȸ",
    "dz": "ʣʥꭦ",
    "dzh": "ʤ𝼒𝼙",
    "e": "ǝɇɘəɚɛɜɝɞʚᴈᶒᶓᶔᶕⱸꬲꬳꬴꭡ℮",
    "f": "ƒɸᵮᶂꝼꞙꟻꬵ",
    "fng": "ʩ𝼀",
    "g": "ǥɠɡɣᵷᵹᶃꝿꞡꟑꬶ𝼁",
    "gh": "ƣ",
    "h": "ħɥɦɧʮʯⱨⱶꜧꞕꟶ",
    "hv": "ƕ",
    "i": "ıɨɩᴉᵎᵼᶖꞽꟷꟾ𝼚",
    "j": "ȷɉɟʄʝ",
    "k": "ĸƙʞᶄⱪꝁꝃꝅꞣ𝼃",
    "l": "łƚȴɫɬɭᶅⱡꝇꝉꞁꞎꬷꬸꬹ𝼑𝼓𝼦",
    "ll": "ỻ",
    "ls": "ʪ",
    "lz": "ʫ",
    "lzh": "ɮ𝼅",
    "m": "ɯɰɱᴟᵯᶆꟽꬺ",
    "n": "ƞȵɲɳᵰᶇꞑꞥꬻ𝼧",
    "ng": "ŋꬼ𝼇𝼔",
    "o": "°˚ɔɤɵɷᴑᴒᴓᴖᴗᶗⱺꝋꝍꞷꬽꬾꬿ𝼛ꟁꭃꭄ",
    "oe": "œᴔꞝꭀꭁꭂꭢ",
    "oo": "ꝏ",
    "ou": "ȣ",
    "p": "ƥᵱᵽᶈꝑꝓꝕꟼ",
    "q": "ɋʠꝗꝙ",
    "qp": "ȹ",
    "r": "ɍɹɺɻɼɽɾɿᵲᵳᶉⱹꝛꞃꞧꭅꭈꭉꭊꭋꭌꭨ𝼈𝼕𝼖𝼨ꭇ",
    "s": "ȿʂᵴᶊẜẝꞅꞩꟊꟙ𝼞𝼩ꟗ\ua7cd",
    "sh": "ʃʅʆᶋᶘꭍ𝼋𝼌",
    "t": "ŧƫƭȶʇʈᵵⱦꞇ𝼉𝼍𝼪",
    "tc": "ʨ",
    "th": "þᵺꝥꝧꟓ",
    "ts": "ʦꭧ",
    "tsh": "ʧ𝼗𝼜",
    "tz": "ꜩ",
    "u": "ʉʊᴝᴞᵿᶙꞹꞿꭎꭏꭒµ",
    "ue": "ᵫꞟ",
    "ui": "ꭐꭑ",
    "uo": "ꭣ",
    "v": "ʋʌᶌỽⱱⱴꝟ",
    "vy": "ꝡ",
    "w": "ƿʍⱳꟃꟕ",
    "x": "×⨯ᶍꭓꭔꭕꭖꭗꭘꭙ",
    "y": "ƴȝɏʎỿꭚ𝼆",
    "z": "ƶȥɀʐʑᵶᶎⱬꝣ",
    "zh": "ƹƺʒʓᶚ𝼘",
    "Æ": "ᴁꞚ",
    "æ": "ᴂꞛ",
}

#: Ranges of characters of white space other than the space, and what ends a line.
SPACES = ("\t", "\xa0", "\u1680", "\u2000-\u200a", "\u202f", "\u205f", "\u3000")
LINE_ENDS = ("\v", "\x85", "\u2028-\u2029")

#: Ranges of characters that show nothing: controls, soft hyphen, zero-width spaces and
#: joiners, direction marks, byte order mark. The nearest text is the one without them.
INVISIBLE = (
    "\x00-\x08",
    "\x0e-\x1f",
    "\x7f-\x84",
    "\x86-\x9f",
    "\xad",
    "\u061c",
    "\u180e",
    "\u200b-\u200f",
    "\u202a-\u202e",
    "\u2060-\u2064",
    "\u2066-\u206f",
    "\ufeff",
    "\ufff9-\ufffb",
)

#: What to put between a digit and a following character that is a number itself, so
#: that 2½ is not read as 21/2, nor 10² as 102.
SEPARATORS = {
    "^": ("\xb2-\xb3", "\xb9", "\u2070", "\u2074-\u2079"),
    " ": ("\xbc-\xbe", "\u2150-\u215f", "\u2189", "\u2460-\u2473", "\u24ea"),
}


def _members(ranges):
    """Expand ranges: ``("a", "x-z")`` gives ``a``, ``x``, ``y`` and ``z``."""
    return [
        chr(code) for span in ranges for code in range(ord(span[0]), ord(span[-1]) + 1)
    ]


_ALPHABET = frozenset(GSM7_BASIC + GSM7_EXTENSION)
_EQUIVALENTS = {
    character: equivalent
    for table in (SIGNS, LETTERS)
    for equivalent, characters in table.items()
    for character in characters
}
_EQUIVALENTS.update(dict.fromkeys(_members(SPACES), " "))
_EQUIVALENTS.update(dict.fromkeys(_members(LINE_ENDS), "\n"))
_EQUIVALENTS.update(dict.fromkeys(_members(INVISIBLE), ""))
_SEPARATORS = {
    character: separator
    for separator, ranges in SEPARATORS.items()
    for character in _members(ranges)
}

# The classes below are ranges for a regular expression. They are written out instead of
# using Unicode categories, so that every version of Python and every browser cuts a
# text in the same way, whatever Unicode version it knows.
_MARK = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_SELECTOR = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_JOINER = "\u200c\u200d"
_EMOJI = (
    "\u203c\u2049\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001f1e5\U0001f200-\U0001faff"
)
_FLAG = "\U0001f1e6-\U0001f1ff"
_EMOJI_TAIL = f"{_MARK}{_SELECTOR}\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f"
_GSM7 = re.escape(GSM7_BASIC + GSM7_EXTENSION)
# Marks that strike a character out, and the letters that lose them: ≮ is not nearly <.
_STRIKE = re.compile("[\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20ea\u20eb]")
_STRUCK = frozenset("".join(LETTERS.values())).union(
    character for character in _ALPHABET if character.upper() != character.lower()
)
_MARKS = re.compile(f"[{_MARK}]")
_DROPPED = re.compile(f"[{_SELECTOR}{_JOINER}]")
_SURROGATE = re.compile("[\ud800-\udfff]")

# What shows as one character and cannot be sent as it is: a flag, an emoji with others
# joined to it, a character outside the alphabet, or one inside it with marks.
_CLUSTER = (
    f"[{_FLAG}]{{2}}"
    f"|[{_EMOJI}][{_EMOJI_TAIL}]*(?:\u200d[{_EMOJI}][{_EMOJI_TAIL}]*)*[{_JOINER}]*"
    f"|[^{_GSM7}][{_MARK}{_SELECTOR}{_JOINER}]*"
    f"|[{_GSM7}][{_MARK}{_SELECTOR}]+"
)
_find_clusters = re.compile(_CLUSTER).finditer
_find_pieces = re.compile(f"(?P<kept>{PLACEHOLDER})|{_CLUSTER}").finditer


class Replacement(NamedTuple):
    """One replacement that :func:`to_gsm7` made.

    :param str original: what it replaced, a character as it shows, marks included
    :param str replacement: what took its place; empty when it was removed
    :param int count: how many times
    """

    original: str
    replacement: str
    count: int


class Gsm7Text(NamedTuple):
    """The result of :func:`to_gsm7`.

    :param str text: the closest text
    :param list[Replacement] replacements: what was replaced, in order of appearance
    :param list[str] remaining: characters that are not in the alphabet and stay, once
        each and in order of appearance; if there are none, the text is GSM-7
    """

    text: str
    replacements: list
    remaining: list


def to_gsm7(text, spans=None):
    """Return the closest text that the GSM 7 bit alphabet can write.

    A text that is already GSM-7 is not changed, nor are links (see :mod:`.links`) and
    placeholders (``{{ ... }}`` on one line). Letters keep the accents that the alphabet
    has; characters that show nothing (zero-width, soft hyphen, controls) are removed.
    What has no equivalent, such as emoji or Cyrillic, stays and is reported; so is what
    stays inside links and placeholders.

    :param str text: the message; ``None``, ``False`` (an empty field of Odoo) and the
        empty text give an empty one
    :param list|None spans: (start, end) of what may be replaced, by default all
    :return: the text, what was replaced in it and what has no equivalent
    :rtype: Gsm7Text
    :raise TypeError: when ``text`` is neither a text nor empty
    """
    if not text:
        return Gsm7Text("", [], [])
    if is_gsm7(text):
        return Gsm7Text(text, [], [])
    if _SURROGATE.search(text):
        # Two surrogates that make a pair are one character, as in the browser.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    if spans is None:
        spans = [(0, len(text))]
    starts = [start for start, __ in spans]
    writer = _Writer()
    done = 0
    for start, end, kept in _iterate_pieces(text):
        writer.keep(text[done:start])
        done = end
        piece = text[start:end]
        index = bisect_right(starts, start) - 1
        if kept or index < 0 or start >= spans[index][1]:
            for cluster in _find_clusters(piece):
                writer.remaining[cluster[0]] = None
            writer.keep(piece)
            writer.link_end = end if kept and not piece.startswith("{{") else -1
            continue
        equivalent = _equivalent(piece)
        if equivalent is None:
            writer.remaining[piece] = None
            writer.keep(piece)
        else:
            writer.replace(piece, equivalent, start, end)
    writer.keep(text[done:])
    return writer.get_result()


class _Writer:
    """Writes a text piece by piece.

    :ivar list pieces: what was written so far
    :ivar dict counts: how often each (original, replacement) pair was used
    :ivar dict remaining: what has no equivalent, in order
    :ivar str last: the last character written
    :ivar int power_end: where in the text the last power ended
    :ivar int link_end: where in the text the last link ended
    """

    def __init__(self):
        self.pieces = []
        self.counts = {}
        self.remaining = {}
        self.last = ""
        self.power_end = self.link_end = -1

    def keep(self, piece):
        """Write a piece of the text as it is."""
        self._append(piece)

    def replace(self, piece, equivalent, start, end):
        """Write what stands for the text from `start` to `end`."""
        separator = _SEPARATORS.get(piece[0])
        # The digits of one power follow each other: 10¹² is 10^12.
        if separator and "0" <= self.last <= "9" and start != self.power_end:
            equivalent = separator + equivalent
        if separator == "^":
            self.power_end = end
        # A link that ends here stays as it is: "https://a.fr/b–" is not "…/b-".
        if start == self.link_end and not may_follow_link(equivalent):
            equivalent = f" {equivalent}"
        self._append(equivalent)
        self.counts[piece, equivalent] = self.counts.get((piece, equivalent), 0) + 1

    def _append(self, written):
        self.pieces.append(written)
        self.last = written[-1:] or self.last

    def get_result(self):
        """Return the text, its replacements and what remains.

        :rtype: Gsm7Text
        """
        return Gsm7Text(
            "".join(self.pieces),
            [Replacement(*pair, count) for pair, count in self.counts.items()],
            list(self.remaining),
        )


def _iterate_pieces(text):
    """Iterate over the pieces to keep as they are, and those that the alphabet lacks.

    :param str text: any text
    :return: iterator of start, end, and whether it is kept
    :rtype: Iterator[tuple[int, int, bool]]
    """
    done = 0
    for start, end in [*find_links(text), (len(text), len(text))]:
        for match in _find_pieces(text, done, start):
            yield match.start(), match.end(), bool(match["kept"])
        if start < end:
            yield start, end, True
        done = end


def _equivalent(cluster):
    """Return the GSM-7 text closest to one character.

    :param str cluster: a character as it shows, with its marks and selectors
    :return: its equivalent, empty when the character shows nothing, or None when there
        is none
    :rtype: str or None
    """
    composed = unicodedata.normalize("NFC", _DROPPED.sub("", cluster))
    if composed in _ALPHABET:
        return composed
    if composed in _EQUIVALENTS:
        return _EQUIVALENTS[composed]
    parts = []
    for character in composed:
        # Unicode versions differ in what they decompose beyond the Basic Multilingual
        # Plane: only mathematical, enclosed and segmented letters and digits are taken.
        if character in _EQUIVALENTS:
            parts.append(character)
        elif (
            character < "\U00010000"
            or "\U0001d400" <= character <= "\U0001d7ff"
            or "\U0001f100" <= character <= "\U0001f1ff"
            or "\U0001fbf0" <= character <= "\U0001fbf9"
        ):
            parts.append(unicodedata.normalize("NFKD", character))
        else:
            return None
    decomposed = "".join(parts)
    equivalent = []
    index = 0
    while index < len(decomposed):
        base = decomposed[index]
        index += 1
        if _MARKS.match(base):
            # A mark without a base character.
            continue
        start = index
        while index < len(decomposed) and _MARKS.match(decomposed[index]):
            index += 1
        marks = decomposed[start:index]
        if marks:
            # The first mark is the nearest to the letter: ǻ gives å, and ế gives e.
            accented = unicodedata.normalize("NFC", base + marks[0])
            if accented in _ALPHABET:
                equivalent.append(accented)
                continue
            if base == " " or (_STRIKE.search(marks) and base not in _STRUCK):
                return None
        if base in _ALPHABET:
            equivalent.append(base)
        elif base in _EQUIVALENTS:
            equivalent.append(_EQUIVALENTS[base])
        else:
            return None
    return "".join(equivalent)

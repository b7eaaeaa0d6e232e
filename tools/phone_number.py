"""Read phone numbers that somebody typed, imported or copied.

One function, :func:`clean_number`, reads all numbers, wherever they come from. It
returns a valid number of a numbering plan, or a reason: for numbers abroad, it guesses
nothing.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType as Type

from .number_country import MAX_CODE_LENGTH

MAX_DIGITS = 15  # of a number in E.164

# French numbers in E.164, which most are: `phonenumbers` would return them unchanged.
FRENCH_NUMBER = re.compile(r"\+33[1-9][0-9]{8}")
MAX_GROUPS = 40  # groups of digits that are looked at in a text
MIN_DIGITS = 6  # fewer beside a number are an extension or a remark

MOBILE = "mobile"
# Type of a number -> our word. SMS are only sent to the first: those to the others are
# charged, and nobody can read them.
KINDS = {
    Type.MOBILE: MOBILE,
    # North America does not tell them apart.
    Type.FIXED_LINE_OR_MOBILE: MOBILE,
    Type.FIXED_LINE: "landline",
    Type.VOIP: "voip",
    Type.TOLL_FREE: "toll_free",
    Type.PREMIUM_RATE: "premium",
    Type.SHARED_COST: "shared_cost",
    Type.PERSONAL_NUMBER: "personal",
    Type.PAGER: "pager",
    Type.UAN: "uan",
    Type.VOICEMAIL: "voicemail",
}
# Numbers of machines, by calling code and as written after it: `phonenumbers` counts
# the Dutch ones among the mobiles, and knows none of the others.
_FRENCH_MACHINES = r"700[5-9]\d{8}"
MACHINES = {
    # 097: https://wetten.overheid.nl/BWBR0010198 (numbering plan).
    "31": r"97\d{9}",
    # 077, of 15 digits with the country's code (BIPT, since 2013).
    "32": r"77\d{11}",
    # 0700, of 14 digits, overseas of 13: ARCEP's decision 2012-0855.
    "33": r"700[0-4]\d{9}",
    "262": _FRENCH_MACHINES,
    "590": _FRENCH_MACHINES,
    "594": _FRENCH_MACHINES,
    "596": _FRENCH_MACHINES,
    # 59, of 13 digits: resolution of 2010, the only range for them from July 2026.
    "34": r"59\d{11}",
    # 58, of 12 digits: Nkom's numbering plan.
    "47": r"58\d{10}",
}

# One national numbering plan for what Odoo has as several countries: they dial each
# other without a calling code. https://www.arcep.fr (decision 2018-0881, the plan).
FRENCH_PLAN = ("FR", "RE", "GP", "MQ", "GF", "YT", "PM", "BL", "MF")
# Saint-Pierre-et-Miquelon's numbers have six digits, after 0508 in the plan.
_SHORT_PLAN_CODE = "508"

_SEPARATORS = str.maketrans("", "", " \u00a0\u202f\u2009\t.-()/'")
_SCIENTIFIC = re.compile(r"[+-]?(\d+)(?:[.,](\d+))?\s*[eE]\s*\+?(\d{1,2})")
_QUOTES = "'\"`= \t\n\r"
_DECIMALS = re.compile(r"(\+?\d{6,})[.,]0{1,2}")
# Letters where digits belong, since they look like them.
_LOOKALIKES = re.compile(
    r"(?<![^\W\d_])(?:[OoIl]{2,}|[OoIl](?=\d)|(?<=\d)[OoIl])(?![^\W\d_])"
)
_LOOKALIKE_DIGITS = str.maketrans("OoIl", "0011")
# Separators that never stand inside one number, and those that may.
_BETWEEN_NUMBERS = re.compile(r"[^\W\d_]+|[;|&\n\r*#]+|(?<=\d)[^\d+]*(?=\+)")
_MAYBE_BETWEEN = (
    re.compile(r"[/,\x1f]"),
    re.compile(r"[()\[\]]"),
    re.compile(r"\s+-+\s+|\s{2,}|\t"),
    re.compile(r"\s+"),
    re.compile(r"-+"),
)


class CleanNumber(NamedTuple):
    """The result of reading a number.

    :param str|None number: in E.164, None if none is certain
    :param str|None kind: a value of `KINDS`, "machine", or "unknown" for a range that
        is let through
    :param tuple notes: how it was read, if not as it stands: "several", "overseas",
        "zero" (a leading one was missing), "plus" (missing before the country's code)
    :param str|None reason: why there is no number: "missing", "spreadsheet", "letters",
        "country", "ambiguous", "short", "long", "invalid"
    """

    number: str = None
    kind: str = None
    notes: tuple = ()
    reason: str = None

    @property
    def takes_sms(self):
        """Whether somebody can read an SMS sent to this number."""
        return self.kind in (MOBILE, "unknown")


def get_number_sentences(env):
    """Return why there is no number and what to do, by reason of :class:`CleanNumber`.

    :param env: environment, for the language
    :rtype: dict[str, str]
    """
    return {
        "missing": env._("There is no phone number."),
        "spreadsheet": env._(
            "A spreadsheet has rounded this number to a form such as 6.1234E+08, so that"
            " its last digits are lost. Format the column as text in the spreadsheet,"
            " and import the numbers again."
        ),
        "letters": env._(
            "A letter stands where a digit belongs, such as O for 0. Correct it."
        ),
        "country": env._(
            "Nobody knows in which country this number is. Set the contact's country,"
            " or begin the number with + and the country's code."
        ),
        "ambiguous": env._(
            "It begins with 00 as international numbers do, but is one of the contact's"
            " country with a zero too many, or the other way round. Take the zero out,"
            " or begin with + and the country's code."
        ),
        "short": env._("Digits are missing: ask for the number, and complete it."),
        "long": env._(
            "There are too many digits. Correct the number; one of another country"
            " begins with + and that country's code."
        ),
        "invalid": env._(
            "No number like this exists. Correct it; one of another country begins with"
            " + and that country's code."
        ),
    }


class _Description:
    """A range of numbers of a region, as `phonenumbers` describes it."""

    __slots__ = ("_fullmatch", "lengths")

    def __init__(self, description):
        self.lengths = frozenset(description.possible_length)
        self._fullmatch = re.compile(description.national_number_pattern).fullmatch

    def matches(self, digits):
        """Tell whether a national number is in this range."""
        if self.lengths and len(digits) not in self.lengths:
            return False
        return self._fullmatch(digits) is not None


class _Region:
    """The numbering plan of a country, as `phonenumbers` has it, compiled once.

    The library's own functions look it up and compare strings on every call, which is
    most of the time that reading a list of numbers takes.
    """

    def __init__(self, code):
        metadata = phonenumbers.PhoneMetadata.metadata_for_region(code, None)
        self.code = code
        self.calling_code = str(metadata.country_code)
        prefix = metadata.national_prefix_for_parsing
        self.prefix = re.compile(prefix) if prefix else None
        self.prefix_has_groups = bool(self.prefix and self.prefix.groups)
        leading = metadata.leading_digits
        self.leading_digits = re.compile(leading) if leading else None
        self.general = _Description(metadata.general_desc)
        self.descriptions = [
            (kind, _Description(description))
            for kind, description in (
                (MOBILE, metadata.mobile),  # which most numbers are
                ("premium", metadata.premium_rate),
                ("toll_free", metadata.toll_free),
                ("shared_cost", metadata.shared_cost),
                ("voip", metadata.voip),
                ("personal", metadata.personal_number),
                ("pager", metadata.pager),
                ("uan", metadata.uan),
                ("voicemail", metadata.voicemail),
                ("landline", metadata.fixed_line),
            )
            if description and description.national_number_pattern
        ]

    def get_kind(self, digits):
        """Return the kind of a national number, None if nobody can have it."""
        if self.general.matches(digits):
            for kind, description in self.descriptions:
                if description.matches(digits):
                    return kind
        return None


@cache
def _get_region(code):
    """Return the plan of a country by its ISO code, or None."""
    return _Region(code) if code in phonenumbers.SUPPORTED_REGIONS else None


@cache
def _get_dialled_mobile(code):
    """Return a pattern of a country's mobile numbers as they are dialled, or None.

    :param str|None code: ISO code
    :rtype: re.Pattern|None
    """
    region = _get_region(code)
    if region is None or region is not _get_regions(region.calling_code)[0]:
        return None
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(code, None)
    prefix = metadata.national_prefix_for_parsing
    if prefix not in (None, "0") or not metadata.mobile.national_number_pattern:
        return None
    calling_code = region.calling_code
    machines = MACHINES.get(calling_code)
    guard = f"(?!{machines}$)" if machines else ""
    return re.compile(
        rf"(?:(?:\+|00){calling_code}0?|{'0|(?P<lost>)' if prefix else '(?P<lost>(?!))?'})"
        rf"(?P<number>{guard}(?:{metadata.mobile.national_number_pattern}))",
        re.ASCII,
    )


@cache
def _get_regions(calling_code):
    """Return the plans of the countries that share a calling code, main one first."""
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code), ())
    return [region for region in map(_get_region, codes) if region]


@cache
def _get_machines(calling_code):
    """Return a pattern of machines' numbers after a calling code, or None."""
    pattern = MACHINES.get(calling_code)
    return re.compile(pattern, re.ASCII) if pattern else None


def _split_code(digits):
    """Return (calling code, the rest) of an international number, or None."""
    if digits.startswith("0"):  # which no calling code does
        return None
    for length in range(1, MAX_CODE_LENGTH + 1):
        code = digits[:length]
        if code and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return code, digits[length:]
    return None


def _classify(calling_code, digits):
    """Return the kind of the number with these digits, None if nobody can have it."""
    machines = _get_machines(calling_code)
    if machines and machines.fullmatch(digits):
        return "machine"
    regions = _get_regions(calling_code)
    for region in regions:
        if len(regions) > 1 and region.leading_digits:
            if not region.leading_digits.match(digits):
                continue
            kind = region.get_kind(digits)
        else:
            kind = region.get_kind(digits)
            if not kind:
                continue
        return kind
    return None


@lru_cache(maxsize=20000)
def get_kind(number):
    """Return a number's kind: a value of `KINDS`, "machine", or None for nobody's.

    :param str number: in E.164
    :rtype: str|None
    """
    if not number or not number.startswith("+") or not number[1:].isdecimal():
        return None
    parts = _split_code(number[1:])
    if not parts:
        return None
    if not _get_regions(parts[0]):  # of no country, such as satellite phones
        parsed = phonenumbers.parse(number)
        return KINDS.get(phonenumbers.number_type(parsed))
    return _classify(*parts)


def _parse(digits, code):
    """Return (number, kind) as `phonenumbers` reads it, or None."""
    try:
        parsed = phonenumbers.parse(digits, code)
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    kind = get_kind(number)
    return (number, kind) if kind else None


def _read_in_region(digits, region):
    """Return (number, kind) of a national number, or None."""
    match = region.prefix and region.prefix.match(digits)
    if match and region.prefix_has_groups:
        found = _parse(digits, region.code)
        prefix = f"+{region.calling_code}"
        return found if found and found[0].startswith(prefix) else None
    candidates = [digits[match.end() :]] if match else []
    for candidate in (*candidates, digits):
        if kind := _classify(region.calling_code, candidate):
            return f"+{region.calling_code}{candidate}", kind
    return None


def _read_national(digits, code):
    """Return (number, kind) of a number as dialled in a country, or None."""
    region = _get_region(code)
    if region is None:
        return None
    in_plan = code in FRENCH_PLAN and len(digits) == 9 + digits.startswith("0")
    if in_plan and digits[-9:].startswith(_SHORT_PLAN_CODE):
        found = _read_in_region(digits[-6:], _get_region("PM"))
        if found:
            return found
    found = _read_in_region(digits, region)
    if found or not in_plan:
        return found
    for other in FRENCH_PLAN:
        if other != code and (found := _read_in_region(digits, _get_region(other))):
            return found
    return None


def _read_international(digits):
    """Return (number, kind) of a number with its country's code, or None."""
    parts = _split_code(digits)
    if not parts:
        return None
    calling_code, rest = parts
    if kind := _classify(calling_code, rest):
        return f"+{digits}", kind
    regions = _get_regions(calling_code)
    prefix = regions[0].prefix if regions else None
    if not regions or (prefix and regions[0].prefix_has_groups):
        return _parse(f"+{digits}", None)
    # With the zero that is dialled only at home; also in countries that have none.
    match = prefix.match(rest) if prefix else re.match("0", rest)
    if match and (kind := _classify(calling_code, rest[match.end() :])):
        return f"+{calling_code}{rest[match.end() :]}", kind
    return None


def _is_overseas(number, code):
    """Tell whether a national number is of another part of the French plan."""
    return code in FRENCH_PLAN and not number.startswith(
        f"+{_get_region(code).calling_code}"
    )


def _read_digits(digits, code, certain_code=False):
    """Read the digits of one number.

    :param str digits: digits, after a "+" if that was typed
    :param str|None code: ISO code of the country to which a national number belongs
    :param bool certain_code: whether a space sets off an international prefix
    :rtype: CleanNumber
    """
    if digits.startswith(("+", "00")):
        return _read_prefixed(digits, code, certain_code)
    if not _get_region(code):
        return CleanNumber(reason="country")
    found = _read_national(digits, code)
    if not digits.startswith("0") and (not found or found[1] != MOBILE):
        # It may have the country's own code without the "+".
        codes = FRENCH_PLAN if code in FRENCH_PLAN else (code,)
        own = {_get_region(own_code).calling_code for own_code in codes}
        coded = digits.startswith(tuple(own)) and _read_international(digits)
        if coded and (not found or coded[1] == MOBILE):
            return CleanNumber(*coded, ("plus",))
    if not found:
        return CleanNumber(reason=_get_refusal(digits, code))
    notes = ("overseas",) if _is_overseas(found[0], code) else ()
    region = _get_region(code)
    if not digits.startswith("0") and region.prefix and region.prefix.match("0"):
        notes += ("zero",)
    return CleanNumber(*found, notes)


def _read_prefixed(digits, code, certain_code):
    """Read a number that begins as international ones do."""
    has_plus = digits.startswith("+")
    rest = digits[1:] if has_plus else digits
    rest = rest[2:] if rest.startswith("00") else rest
    found = _read_international(rest)
    if not has_plus and not (found and certain_code):
        # It may be a national number with a zero too many.
        national = _read_national(digits[1:], code)
        if national and national[1] == MOBILE:
            return CleanNumber(reason="ambiguous")
    if not found:
        return CleanNumber(reason=_get_refusal(f"+{rest}", None))
    return CleanNumber(*found)


def _get_refusal(digits, code):
    """Return why digits are no number: "short", "long" or "invalid".

    :param str digits: a national number, or an international one after a "+"
    :param str|None code: ISO code of the country of a national number
    """
    if digits.startswith("+"):
        parts = _split_code(digits[1:])
        if not parts or not _get_regions(parts[0]):
            return "invalid"
        region, national = _get_regions(parts[0])[0], parts[1]
    else:
        region, national = _get_region(code), digits
    match = region.prefix and region.prefix.match(national)
    lengths = region.general.lengths
    length = len(national) - (match.end() if match else 0)
    if length < min(lengths):
        return "short"
    return "long" if length > max(lengths) else "invalid"


def _get_let_through(digits, code, prefixes):
    """Return the number if its range is let through though no plan has it, or None."""
    try:
        parsed = phonenumbers.parse(digits, code)
    except phonenumbers.NumberParseException:
        return None
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if number.startswith(prefixes) and phonenumbers.is_possible_number(parsed):
        return number
    return None


@lru_cache(maxsize=20)
def parse_prefixes(text):
    """Return the ranges in a list such as "+33700, 0033 7 01", in E.164.

    :param str|None text: as an administrator writes it
    :rtype: tuple[str]
    """
    prefixes = set()
    for part in re.split(r"[,;\n]", text or ""):
        digits = re.sub(r"\D", "", part).removeprefix("00")
        # A prefix shorter than a calling code and a digit would let everything through.
        if len(digits) > MAX_CODE_LENGTH:
            prefixes.add(f"+{digits}")
    return tuple(sorted(prefixes))


def _tidy(raw):
    """Return a text with plain digits and spaces, and without invisible characters."""
    if raw.isascii():
        return raw
    characters = []
    for character in unicodedata.normalize("NFKC", raw):
        category = unicodedata.category(character)
        if category == "Nd":
            character = str(unicodedata.digit(character))
        elif category == "Pd" or character == "\u2212":
            character = "-"
        elif character in "\u2044\u2215":
            character = "/"
        elif category in ("Zs", "Zl", "Zp") or character in "\u2800\u1160":
            character = " "
        elif category in ("Cf", "Mn", "Me"):
            continue
        elif category == "So":  # a picture of a telephone, before each of two
            character = "\x1f"
        characters.append(character)
    return "".join(characters)


def _get_digits(text):
    """Return the digits of a part, after a "+" if that was typed."""
    digits = re.sub(r"\D", "", text)
    return f"+{digits}" if "+" in text and digits else digits


def _has_certain_code(text):
    """Tell whether a space or the like sets off "00", or "00" and a country's code."""
    groups = re.findall(r"\d+", text)
    if len(groups) < 2 or not groups[0].startswith("00"):
        return False
    return groups[0] == "00" or _split_code(groups[0][2:]) == (groups[0][2:], "")


def _read_part(text, code, prefixes, level=0):
    """Read what may be one number, or several.

    :return: a :class:`CleanNumber` for each number that was found, or would be
    :rtype: list[CleanNumber]
    """
    digits = _get_digits(text)
    if len(digits) < MIN_DIGITS:
        return []
    found = _read_digits(digits, code, _has_certain_code(text))
    if found.number:
        return [found]
    if prefixes and (number := _get_let_through(digits, code, prefixes)):
        return [CleanNumber(number, "unknown")]
    while level < len(_MAYBE_BETWEEN):
        parts = [part for part in _MAYBE_BETWEEN[level].split(text) if part.strip()]
        level += 1
        # A short first part may begin the number; what comes after may be short.
        if len(parts) > 1 and len(_get_digits(parts[0])) >= MIN_DIGITS:
            several = [
                result
                for part in parts
                for result in _read_part(part, code, prefixes, level)
            ]
            if any(result.number for result in several):
                return several
    for count in (2, 3):
        size, over = divmod(len(digits), count)
        if not over and size > 7:  # glued together
            glued = [
                _read_digits(digits[index * size : (index + 1) * size], code)
                for index in range(count)
            ]
            if all(result.kind == MOBILE for result in glued):
                return glued
    return [found]


def propose_number(raw, country_code=None, company_code=None):
    """Return the mobile number that was probably meant, for a user to confirm.

    This is for what :func:`clean_number` does not read. See there for the parameters.

    :return: in E.164
    :rtype: str|None
    """
    text = _tidy(raw or "")
    if match := _SCIENTIFIC.fullmatch(text.strip(_QUOTES)):
        whole, decimals, exponent = match[1], match[2] or "", int(match[3])
        # The spreadsheet has rounded digits away, or there are too many.
        if len(decimals) < exponent - 1 or exponent >= MAX_DIGITS:
            return None
        text = (whole + decimals).ljust(len(whole) + exponent, "0")
    if _LOOKALIKES.search(text):
        text = text.translate(_LOOKALIKE_DIGITS)
        found = clean_number(text, country_code, company_code)
        if found.kind == MOBILE:
            return found.number
    digits = re.sub(r"\D", "", text).lstrip("0")
    readings = []
    for code in dict.fromkeys((country_code, company_code)):
        region = _get_region(code)
        if region:
            readings.append(_read_national(digits, code))
            own = digits.removeprefix(region.calling_code)
            if own != digits:
                readings.append(_read_national(own.lstrip("0"), code))
    readings.append(_read_international(digits))
    for found in readings:
        if found and found[1] == MOBILE:
            return found[0]
    return _find_inside(text, country_code, company_code)


def _find_inside(text, country_code, company_code):
    """Return the first mobile number among the groups of digits of a text, or None.

    Dates, years and other figures may stand beside it.
    """
    code = country_code if _get_region(country_code) else company_code
    groups = re.findall(r"\+?\d+", text)[:MAX_GROUPS]
    for start, first in enumerate(groups):
        # Only as dialled, or with its country's code: others could be anything.
        if not first.startswith(("0", "+")):
            continue
        digits = ""
        for index, group in enumerate(groups[start:], start):
            if digits and group.startswith("+"):
                break
            digits += group
            if len(digits) > MAX_DIGITS + 1:
                break
            if [len(left) for left in groups[index + 1 :]] == [1]:
                continue  # it probably goes on
            found = _read_digits(digits, code, digits.startswith("00"))
            if found.kind == MOBILE:
                return found.number
    return None


def clean_number(raw, country_code=None, company_code=None, valid_prefixes=()):
    """Read a phone number as people write it.

    A number without "+" or "00" is taken as one of the record's country or, if that is
    not known, of the company's. What is not certain is not read: the result then has a
    reason, and :func:`propose_number` may have a proposal to confirm.

    :param str|None raw: as somebody typed it
    :param str|None country_code: ISO code of the record's country
    :param str|None company_code: ISO code of the company's country
    :param tuple valid_prefixes: ranges to let through, see :func:`parse_prefixes`
    :rtype: CleanNumber
    """
    raw = raw or ""
    code = country_code if _get_region(country_code) else company_code
    # Most numbers are plain: the rest of this function would read them the same way.
    plain = raw.translate(_SEPARATORS)
    dialled = _get_dialled_mobile(code)
    match = dialled and dialled.fullmatch(plain)
    if match and not (plain.startswith("00") and dialled.fullmatch(plain[1:])):
        notes = ("zero",) if match["lost"] is not None else ()
        region = _get_region(code)
        return CleanNumber(f"+{region.calling_code}{match['number']}", MOBILE, notes)
    if plain.removeprefix("+").isdecimal() and plain.isascii():
        found = _read_digits(plain, code, plain != raw and _has_certain_code(raw))
        if found.number:
            return found
        if plain == raw and len(raw) <= MAX_DIGITS and not valid_prefixes:
            return found  # it cannot be several numbers, either
    return _clean(raw, code, valid_prefixes)


@lru_cache(maxsize=20000)
def _clean(raw, code, prefixes):
    """Read numbers that take longer. See :func:`clean_number`."""
    text = _tidy(raw).strip(_QUOTES)
    if not text:
        return CleanNumber(reason="missing")
    if _SCIENTIFIC.fullmatch(text):
        return CleanNumber(reason="spreadsheet")
    if _LOOKALIKES.search(text):
        return CleanNumber(reason="letters")
    if match := _DECIMALS.fullmatch(text):
        text = match[1]  # a spreadsheet's number
    results = [
        result
        for part in _BETWEEN_NUMBERS.split(text)
        if part
        for result in _read_part(part, code, prefixes)
    ]
    valid = [result for result in results if result.number]
    if not valid:
        if any(character.isdecimal() for character in text):
            return results[0] if results else CleanNumber(reason="short")
        return CleanNumber(reason="invalid")
    best = next((result for result in valid if result.takes_sms), valid[0])
    if len({result.number for result in valid}) > 1:
        best = best._replace(notes=("several", *best.notes))
    return best


def normalize_number(number, country_code=None):
    """Return `number` in E.164, or False if nobody can have it.

    This is for OVHcloud's answers, which name the numbers that it took even if they are
    in no known range. Numbers to send to are read by :func:`clean_number`.

    :param str number: as OVHcloud names it, international or national
    :param str|None country_code: ISO code by which a national number is read
    :rtype: str|bool
    """
    if number and FRENCH_NUMBER.fullmatch(number):
        return number
    return _normalize_other_number(number, country_code)


@lru_cache(maxsize=20000)
def _normalize_other_number(number, country_code):
    """See above. Cached: OVHcloud's answers repeat the numbers that it was given."""
    try:
        parsed = phonenumbers.parse(number or "", country_code or None)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_possible_number(parsed):
        return False
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def get_main_region(region):
    """Return the main country that shares a country's calling code: GB for Jersey.

    :param str region: ISO code
    :rtype: str
    """
    calling_code = phonenumbers.country_code_for_region(region)
    return phonenumbers.region_code_for_country_code(calling_code)

"""Tables of the simulated OVHcloud: countries, prices, and what a ptt code means.

Credits per country are invented round figures of the right order of magnitude (only
France, one credit, is OVHcloud's own); a program must read them from the API anyway.
"""

import functools

from . import data

_TABLES = data.load("reference")
_COUNTRIES = data.load("countries")

#: Price of one credit in euros, without tax, and the VAT rate of each billing country.
CREDIT_PRICE = 0.069
VAT_RATES = _TABLES["vat_rates"]
#: Packs: lowest number of credits (included), highest (excluded), discount on the price
#: of a credit.
PACKS = _TABLES["packs"]
#: Country code -> (name, credits for one part).
COUNTRIES = {
    code: (country["name"], country["credits"]) for code, country in _COUNTRIES.items()
}
#: Calling prefix -> country code. +1 without a more precise area code is counted as the
#: United States, the larger of the two.
PREFIXES = {country["prefix"]: code for code, country in _COUNTRIES.items()}
PREFIXES.update(
    (f"1{area}", code)
    for code, areas in _TABLES["area_codes"].items()
    for area in areas.split()
)
_LONGEST_PREFIX = max(map(len, PREFIXES))
#: Credits for one part to a country that has no price of its own.
DEFAULT_CREDITS = 2.0
#: Country -> (operators, what is shown in place of a name).
NAME_OPERATORS = _TABLES["name_operators"]
#: What becomes of it -> (restriction code, message).
NAME_RESTRICTIONS = _TABLES["name_restrictions"]
#: What a report says of a name that was blocked, and of a text of no approved template
#: in the United States.
BLOCKED_NAME = ("fail", 5, 2)
NO_TEMPLATE = ("fail", 1999, 2)
#: ptt -> (short description, longer comment, how long it lasts)
PTTS = {int(ptt): row for ptt, row in _TABLES["ptts"].items()}
#: DLR status -> text given with a report.
DLR_TEXTS = {int(dlr): text for dlr, text in _TABLES["dlr_texts"].items()}


@functools.lru_cache(maxsize=10_000)
def country_of(number):
    """Return the two-letter code of the country of *number* (E.164), or ``None``."""
    digits = number[1 : 1 + _LONGEST_PREFIX]
    for length in range(len(digits), 0, -1):
        code = PREFIXES.get(digits[:length])
        if code:
            return code
    return None


def credits_for(country):
    """Return the credits for one SMS part to that country (``None``: unknown), a float."""
    return COUNTRIES[country][1] if country in COUNTRIES else DEFAULT_CREDITS

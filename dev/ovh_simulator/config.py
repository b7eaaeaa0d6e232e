"""The simulator's configuration: what it is at first, and what each setting may be."""

import re

from . import reference
from .clock import HOURS

DEFAULT_CONFIG = {
    "latency_ms": 0,
    "callback_mode": "auto",
    "callback_delay_ms": [500, 2000],
    "callback_duplicate_share": None,
    "callback_lost_share": 0.0,
    "callback_shuffle": None,
    "callback_headers": {},
    "undeliverable_share": 0.0,
    "clock_skew_s": 0,
    "deferred_in_outgoing": False,
    "marketing_hours": "2026",
    "account_lists_all": True,
    "batch_refused": None,
    "ids_order": "receivers",
    "hlr_ms": 0,
    "hlr_credits": 0.5,
    "hlr_spelling": "e164",
    "unlisted": [],
    "names_abroad": {"be": "replaced", "es": "blocked"},
    "registered_names": [],
    "usa_templates": [],
    "seed": 1,
}
#: How a number that was looked up is written: no description says.
HLR_SPELLINGS = {
    "e164": str,
    "digits": lambda number: number.removeprefix("+"),
    "zeros": lambda number: number.replace("+", "00"),
}
#: What the ids of an answer to a job follow: nothing promises that it is the receivers.
IDS_ORDERS = ("receivers", "swapped", "shuffled")


def _is(*types):
    """:return: function that says whether a value is of a type; true is no number."""
    return lambda value: (
        isinstance(value, types) and (bool in types or not isinstance(value, bool))
    )


def _or_none(is_right):
    return lambda value: value is None or is_right(value)


def _one_of(*choices):
    return lambda value: isinstance(value, str) and value in choices


_number = _is(int, float)


def _positive(value):
    return _number(value) and value >= 0


def _share(value):
    return _number(value) and 0 <= value <= 1


def _range(value):
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_number, value))
        and 0 <= value[0] <= value[1]
    )


def _texts(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _headers(value):
    return isinstance(value, dict) and all(
        isinstance(item, str) for pair in value.items() for item in pair
    )


def _regex(value):
    try:
        return value is None or bool(re.compile(value))
    except (re.error, TypeError):
        return False


def _fates(value):
    return (
        isinstance(value, dict)
        and value.keys() <= reference.NAME_OPERATORS.keys()
        and all(fate in reference.NAME_FATES for fate in value.values())
    )


#: Setting -> (function that says whether a value is right, what it must be).
_CHECKS = {
    "latency_ms": (_positive, "a number of milliseconds"),
    "callback_mode": (_one_of("auto", "manual", "off"), "auto, manual or off"),
    "callback_delay_ms": (_range, "a list of two numbers, the smaller first"),
    "callback_duplicate_share": (_or_none(_share), "a share from 0 to 1, or null"),
    "callback_lost_share": (_share, "a share from 0 to 1"),
    "callback_shuffle": (_or_none(_is(bool)), "true, false or null"),
    "callback_headers": (_headers, "an object of texts"),
    "undeliverable_share": (_share, "a share from 0 to 1"),
    "clock_skew_s": (_number, "a number of seconds"),
    "deferred_in_outgoing": (_is(bool), "true or false"),
    "marketing_hours": (_one_of(*HOURS), f"one of {', '.join(HOURS)}"),
    "account_lists_all": (_is(bool), "true or false"),
    "batch_refused": (_regex, "a regular expression of paths, or null"),
    "ids_order": (_one_of(*IDS_ORDERS), f"one of {', '.join(IDS_ORDERS)}"),
    "hlr_ms": (_positive, "a number of milliseconds"),
    "hlr_credits": (_positive, "a number of credits"),
    "hlr_spelling": (_one_of(*HLR_SPELLINGS), f"one of {', '.join(HLR_SPELLINGS)}"),
    "unlisted": (_texts, "a list of numbers"),
    "names_abroad": (
        _fates,
        f"an object of {', '.join(reference.NAME_OPERATORS)}, each one of "
        f"{', '.join(reference.NAME_FATES)}",
    ),
    "registered_names": (_texts, "a list of senders"),
    "usa_templates": (_texts, "a list of texts, #VALUE# where anything may stand"),
    "seed": (_is(int), "a whole number"),
}


def check(changes):
    """Check changes of the configuration.

    :param dict changes: any of the keys of ``DEFAULT_CONFIG``.
    :raise ValueError: with a sentence that says what is wrong.
    """
    if not isinstance(changes, dict):
        raise ValueError("the configuration is a JSON object")
    for name, value in changes.items():
        if name not in _CHECKS:
            raise ValueError(f"unknown setting: {name}")
        is_right, expected = _CHECKS[name]
        if not is_right(value):
            raise ValueError(f"{name} must be {expected}")

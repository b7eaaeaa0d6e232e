"""Phone numbers with a fixed outcome.

All of them lie in +33 6 12 34 xx xx, the numbers that stand as examples in phone
libraries and forms. The range that ARCEP keeps for works of fiction (+33 6 39 98 xx xx)
cannot serve: ``phonenumbers``, and so Odoo, calls it invalid and refuses it before any
sending. These numbers may therefore belong to somebody: they are for the simulator
only, never for a real OVHcloud account. Any other number is simply delivered (see the
``undeliverable_share`` of the simulator's configuration for random failures).
"""

from typing import NamedTuple

from . import data


class Magic(NamedTuple):
    """What a magic number does.

    ``number`` is in E.164. ``behaviour`` is one of ``deliver``, ``fail``, ``silent``,
    ``blacklisted``, ``invalid``, ``late``, ``early``, ``reply`` and ``stop``. ``ptt``
    and ``dlr`` are the final codes of OVHcloud's delivery report, ``None`` where no
    report is ever made.
    """

    number: str
    behaviour: str
    ptt: "int | None"
    dlr: "int | None"
    fr: str
    en: str


DELIVERED = "+33612340001"
UNDELIVERABLE = "+33612340020"
INVALID_OR_BARRED = "+33612340023"
ABSENT = "+33612340024"
OPERATOR_FAILURE = "+33612340039"
NO_REPORT = "+33612340100"
BLACKLISTED = "+33612340101"
INVALID_RECEIVER = "+33612340102"
REPORT_BEFORE_ANSWER = "+33612340104"

#: Seconds (of the simulator's clock) after which what is late is delivered.
LATE_SECONDS = 30

#: What the phone that replies by itself answers to an SMS that can be answered.
AUTO_REPLY_TEXT = "Bien reçu, merci !"


def _fill(text):
    return text.format(late=LATE_SECONDS) if isinstance(text, str) else text


TABLE = tuple(
    Magic(number, *map(_fill, row)) for number, row in data.load("magic").items()
)

#: What operators say of numbers, where they are asked: no such subscriber, switched off,
#: or nothing. All others exist and are reachable.
LOOKUPS = {
    UNDELIVERABLE: "invalid",
    INVALID_OR_BARRED: "invalid",
    ABSENT: "absent",
    OPERATOR_FAILURE: "fail",
}

BY_NUMBER = {magic.number: magic for magic in TABLE}
#: Numbers that no job takes.
INVALID = [magic.number for magic in TABLE if magic.behaviour == "invalid"]

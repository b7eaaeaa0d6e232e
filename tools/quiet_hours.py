"""When marketing SMS may leave: plain Python, no ORM.

No French statute names hours for marketing SMS: the CNIL and article L. 34-5 of the
*Code des postes et des communications électroniques* speak of consent, identity and
refusal. The charter of the French operators (AF2M) names hours, and OVHcloud holds SMS
with the STOP clause back outside hours of its own, French time, wherever the recipient
is (see ``const.HOURS_PRESETS``). The hours here are those of the recipients, so all is
asked by country.

A mobile number does not tell where in a country its owner is. So where a country has
several time zones, it is open only when it is open in all of them: on both coasts of the
United States, on the Canary Islands and in Madrid. Where the rules leave no such time,
its first zone counts, which by the order of the time zone database is the most populous
one of its part. Regional holidays are left out for the same reason. Overseas
departments and territories are countries of their own here, as in ISO 3166, with their
own zones and holidays.
"""

from datetime import datetime, time, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Who asks it for one country has it load all: as Odoo starts, for all its workers at once,
# and not while the first SMS wait.
import holidays.countries
import pytz

# Countries that numbers have and the time zone database knows under another name.
ZONES = {
    "AC": ["Atlantic/St_Helena"],
    "TA": ["Atlantic/St_Helena"],
    "XK": ["Europe/Belgrade"],
}
# Days looked ahead for an hour that is open: holidays in a row, on the only days.
HORIZON = 60


class Rules(NamedTuple):
    """The hours in which marketing SMS may leave, in the recipient's time."""

    opens: float = 8.0  # hour of the day, 8.5 for 8:30
    closes: float = 20.0  # hour of the day, up to 24.0; not open any more then
    weekdays: frozenset = frozenset(range(1, 7))  # ISO: Monday is 1
    holidays: bool = True  # whether public holidays are kept
    zone: str = "UTC"  # where the country has none, or none is known


@lru_cache(maxsize=1000)
def _get_zone(name):
    """Return a time zone, from `pytz` where the system has no database of them."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        with pytz.open_resource(name) as file:
            return ZoneInfo.from_file(file, key=name)


@lru_cache(maxsize=1000)
def get_zones(country_code, default="UTC"):
    """Return the time zones of a country.

    :param str|None country_code: ISO code
    :param str default: name of the zone where no zone of the country is known
    :rtype: tuple[ZoneInfo]
    """
    code = (country_code or "").upper()
    names = ZONES.get(code) or pytz.country_timezones.get(code) or [default]
    return tuple(_get_zone(name) for name in names)


@lru_cache(maxsize=1000)
def get_holidays(country_code, year):
    """Return the public holidays that a whole country keeps in a year.

    :param str|None country_code: ISO code
    :rtype: frozenset[date]
    """
    code = (country_code or "").upper()
    if code not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(code, years=year))


def next_opening(moment_utc, country_code, rules):
    """Return when marketing SMS may next leave for a country: now, where it is open.

    :param datetime moment_utc: naive, in UTC, as Odoo stores it
    :param str|None country_code: ISO code of the recipient's country
    :param Rules rules: the sending company's
    :return: `moment_utc` or later, naive, in UTC
    :rtype: datetime
    """
    return _next_opening(moment_utc.replace(tzinfo=timezone.utc), country_code, rules)


# One moment is asked for each of a thousand recipients.
@lru_cache(maxsize=2000)
def _next_opening(moment, country_code, rules):
    zones = get_zones(country_code, rules.zone)
    opening = _find_common_opening(moment, zones, country_code, rules)
    if opening is None:
        opening = _find_opening(moment, zones[0], country_code, rules)
    if opening is None:
        # Nobody can have wanted never: nothing is lost that way, nor sent too early.
        opening = moment + timedelta(days=HORIZON)
    return opening.replace(tzinfo=None)


def _find_common_opening(moment, zones, country_code, rules):
    """Return the first moment at which all zones are open, None where there is none."""
    limit = moment + timedelta(days=HORIZON)
    while moment < limit:
        openings = [_find_opening(moment, zone, country_code, rules) for zone in zones]
        if None in openings:
            return None
        if max(openings) == moment:
            return moment
        moment = max(openings)
    return None


def _find_opening(moment, zone, country_code, rules):
    """Return the first moment at which a zone is open, None where there is none."""
    day = moment.astimezone(zone).date()
    for __ in range(HORIZON):
        if day.isoweekday() in rules.weekdays and not (
            rules.holidays and day in get_holidays(country_code, day.year)
        ):
            # A clock that is put back shows an hour twice, one that is put forward
            # leaves one out: open when every reading of the rule says so.
            opens = max(_get_moments(day, rules.opens, zone))
            closes = min(_get_moments(day, rules.closes, zone))
            if moment < closes and opens < closes:
                return max(moment, opens)
        day += timedelta(days=1)
    return None


def _get_moments(day, hour, zone):
    """Return when, in UTC, a clock in a zone shows an hour of a day."""
    local = datetime.combine(day, time()) + timedelta(minutes=round(hour * 60))
    return [
        local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc)
        for fold in (0, 1)
    ]

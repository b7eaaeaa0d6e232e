"""Compute when marketing SMS may leave: plain Python, no ORM.

No French statute sets hours for marketing SMS: the CNIL and article L. 34-5 of the
*Code des postes et des communications électroniques* deal with consent, identity and
refusal. The charter of the French operators (AF2M) sets hours, and OVHcloud holds back
SMS with the STOP clause outside its own hours, French time, wherever the recipient is
(see ``const.HOURS_PRESETS``). The hours here are in the recipients' time, so everything
depends on the country.

A mobile number does not tell where in a country its owner is. So a country with several
time zones is open only when all of them are: both coasts of the United States, the
Canary Islands and Madrid. If the rules leave no such time, its first zone counts, which
by the order of the time zone database is the most populous one of its part. Regional
holidays are ignored for the same reason. Overseas departments and territories are
countries of their own here, as in ISO 3166, with their own zones and holidays.
"""

from datetime import datetime, time, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Asking it for one country loads all of them. Importing them here does so as Odoo
# starts, once for all workers, and not while the first SMS wait.
import holidays.countries
import pytz

# Countries of phone numbers that the time zone database knows under another name.
ZONES = {
    "AC": ["Atlantic/St_Helena"],
    "TA": ["Atlantic/St_Helena"],
    "XK": ["Europe/Belgrade"],
}
# Days to look ahead for an open hour: holidays may follow each other on the only days.
HORIZON = 60


class Rules(NamedTuple):
    """The hours in which marketing SMS may leave, in the recipient's time."""

    opens: float = 8.0  # hour of the day, 8.5 for 8:30
    closes: float = 20.0  # hour of the day, up to 24.0; closed from then on
    weekdays: frozenset = frozenset(range(1, 7))  # ISO: Monday is 1
    holidays: bool = True  # whether it is closed on public holidays
    zone: str = "UTC"  # if the country has no zone, or is not known


@lru_cache(maxsize=1000)
def _get_zone(name):
    """Return a time zone, from `pytz` if the system has no time zone database."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        with pytz.open_resource(name) as file:
            return ZoneInfo.from_file(file, key=name)


@lru_cache(maxsize=1000)
def get_zones(country_code, default="UTC"):
    """Return the time zones of a country.

    :param str|None country_code: ISO code
    :param str default: name of the zone to use if none of the country is known
    :rtype: tuple[ZoneInfo]
    """
    code = (country_code or "").upper()
    names = ZONES.get(code) or pytz.country_timezones.get(code) or [default]
    return tuple(_get_zone(name) for name in names)


@lru_cache(maxsize=1000)
def get_holidays(country_code, year):
    """Return the nationwide public holidays of a country in a year.

    :param str|None country_code: ISO code
    :rtype: frozenset[date]
    """
    code = (country_code or "").upper()
    if code not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(code, years=year))


def next_opening(moment_utc, country_code, rules):
    """Return when marketing SMS may next leave for a country: now, if it is open.

    :param datetime moment_utc: naive, in UTC, as Odoo stores it
    :param str|None country_code: ISO code of the recipient's country
    :param Rules rules: the sending company's
    :return: `moment_utc` or later, naive, in UTC
    :rtype: datetime
    """
    return _next_opening(moment_utc.replace(tzinfo=timezone.utc), country_code, rules)


# The same moment is asked for a thousand recipients.
@lru_cache(maxsize=2000)
def _next_opening(moment, country_code, rules):
    zones = get_zones(country_code, rules.zone)
    opening = _find_common_opening(moment, zones, country_code, rules)
    if opening is None:
        opening = _find_opening(moment, zones[0], country_code, rules)
    if opening is None:
        # Nobody can have wanted "never". This way nothing is lost, or sent too early.
        opening = moment + timedelta(days=HORIZON)
    return opening.replace(tzinfo=None)


def _find_common_opening(moment, zones, country_code, rules):
    """Return the first moment at which all zones are open, None if there is none."""
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
    """Return the first moment at which a zone is open, None if there is none."""
    day = moment.astimezone(zone).date()
    for __ in range(HORIZON):
        if day.isoweekday() in rules.weekdays and not (
            rules.holidays and day in get_holidays(country_code, day.year)
        ):
            # A clock that is put back shows an hour twice, one that is put forward
            # skips one: it is open only if every reading of the rule says so.
            opens = max(_get_moments(day, rules.opens, zone))
            closes = min(_get_moments(day, rules.closes, zone))
            if moment < closes and opens < closes:
                return max(moment, opens)
        day += timedelta(days=1)
    return None


def _get_moments(day, hour, zone):
    """Return the moments, in UTC, at which clocks in a zone show an hour of a day."""
    local = datetime.combine(day, time()) + timedelta(minutes=round(hour * 60))
    return [
        local.replace(tzinfo=zone, fold=fold).astimezone(timezone.utc)
        for fold in (0, 1)
    ]

"""The simulator's clock, and the hours in which advertising leaves.

OVHcloud's own pages disagree on these hours. The newest hold by default: its guide of
January 2026 (Monday to Saturday, 8:00 to 20:00) and its FAQ of March 2026 (nor on public
holidays). An older page of its API (Monday to Friday, 8:00 to 22:00) is the other reading.

Paris time is computed from the rule of Directive 2000/84/EC (summer time from the last
Sunday of March to the last Sunday of October, both at 01:00 UTC) so that no time zone
database is needed.
"""

import time
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from dateutil.easter import easter


class Hours(NamedTuple):
    """The hours, in Paris, in which marketing SMS leave."""

    opens: int
    closes: int
    days: tuple  # ISO: Monday is 1
    holidays: bool  # whether public holidays are kept


#: The readings of OVHcloud's pages, by value of the setting ``marketing_hours``.
HOURS = {
    "2026": Hours(8, 20, (1, 2, 3, 4, 5, 6), True),
    "older": Hours(8, 22, (1, 2, 3, 4, 5), False),
}
NEWEST = HOURS["2026"]
#: Public holidays of mainland France: month and day, and days after Easter Sunday.
_FIXED_HOLIDAYS = {
    *((1, 1), (5, 1), (5, 8), (7, 14)),
    *((8, 15), (11, 1), (11, 11), (12, 25)),
}
_EASTER_HOLIDAYS = (1, 39, 50)

_DAY = 86400


def _last_sunday(year, month):
    """:return: POSIX time of 01:00 UTC on the last Sunday of that month (one of 31 days)."""
    last = datetime(year, month, 31, 1, tzinfo=timezone.utc)
    return (last - timedelta(days=last.isoweekday() % 7)).timestamp()


_summer_cache = {}


def paris_offset(timestamp):
    """:return: seconds to add to UTC to get Paris time at that POSIX time."""
    year = time.gmtime(timestamp).tm_year
    if year not in _summer_cache:
        _summer_cache[year] = (_last_sunday(year, 3), _last_sunday(year, 10))
    start, end = _summer_cache[year]
    return 7200 if start <= timestamp < end else 3600


def paris(timestamp):
    """:return: that POSIX time as an aware datetime in Paris time."""
    return datetime.fromtimestamp(
        timestamp, timezone(timedelta(seconds=paris_offset(timestamp)))
    )


def iso(timestamp):
    """:return: that POSIX time, or ``None``, as OVHcloud writes it: with offset."""
    return None if timestamp is None else paris(timestamp).isoformat(timespec="seconds")


def is_holiday(day):
    """:return: whether a date is a public holiday in mainland France."""
    return (day.month, day.day) in _FIXED_HOLIDAYS or (
        day - easter(day.year)
    ).days in _EASTER_HOLIDAYS


def _is_open_day(day, hours):
    return day.isoweekday() in hours.days and not (hours.holidays and is_holiday(day))


def is_open(timestamp, hours=NEWEST):
    """:return: whether marketing SMS leave at that POSIX time."""
    local = paris(timestamp)
    return (
        _is_open_day(local.date(), hours) and hours.opens <= local.hour < hours.closes
    )


def next_opening(timestamp, hours=NEWEST):
    """:return: the first POSIX time from *timestamp* on at which marketing SMS leave."""
    if is_open(timestamp, hours):
        return timestamp
    local = paris(timestamp)
    day = local.replace(
        hour=hours.opens, minute=0, second=0, microsecond=0, tzinfo=None
    )
    if local.hour >= hours.opens:
        day += timedelta(days=1)
    while not _is_open_day(day.date(), hours):
        day += timedelta(days=1)
    # 8:00 is never in the hour that summer time skips or repeats: the offset at noon
    # UTC is the right one
    utc_noon = day.replace(hour=12, tzinfo=timezone.utc).timestamp()
    return day.replace(tzinfo=timezone.utc).timestamp() - paris_offset(utc_noon)


class Clock:
    """Simulated time.

    Unset, records carry the real time (plus what was advanced) while opening hours
    always see a Tuesday at 10:00, so that a demonstration works at any hour of any day.
    Once set, one simulated time runs from the given instant at normal speed and counts
    for both.
    """

    def __init__(self):
        self._base = None
        self._since = 0.0
        self._advanced = 0.0
        #: Seconds by which time was ever moved forward: what waits for a delay sees them pass.
        self.skipped = 0.0
        #: The hours that marketing SMS keep.
        self.hours = NEWEST

    @property
    def is_set(self):
        """Whether somebody set the clock."""
        return self._base is not None

    def now(self):
        """:return: the simulated POSIX time, in seconds."""
        if self._base is None:
            return time.time() + self._advanced
        return self._base + time.monotonic() - self._since

    def elapsed(self):
        """:return: seconds, the clock's jumps included, that never run backwards."""
        return time.monotonic() + self.skipped

    def set(self, timestamp):
        """Run from *timestamp* (POSIX seconds) on; ``None`` goes back to the real time."""
        before = self.now()
        self._advanced = 0.0
        self._base = timestamp
        self._since = time.monotonic()
        self.skipped += max(0.0, self.now() - before)

    def advance(self, seconds):
        """Move forward by *seconds* (>= 0)."""
        if self._base is None:
            self._advanced += seconds
        else:
            self._base += seconds
        self.skipped += seconds

    def departure(self, timestamp, marketing):
        """:return: POSIX time at which an SMS wanted at *timestamp* leaves."""
        if marketing and self.is_set:
            return next_opening(timestamp, self.hours)
        return timestamp

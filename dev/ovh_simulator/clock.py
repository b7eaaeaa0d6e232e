"""The simulator's clock, and the hours in which advertising leaves.

OVHcloud's own pages disagree on these hours. The newest hold by default: its guide of
January 2026 (Monday to Saturday, 8:00 to 20:00) and its FAQ of March 2026 (nor on public
holidays). An older page of its API (Monday to Friday, 8:00 to 22:00) is the other reading.
"""

import functools
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from dateutil import tz
from dateutil.easter import easter

#: dateutil has a time zone database of its own, for where the system has none.
PARIS = tz.gettz("Europe/Paris")


class Hours(NamedTuple):
    """The hours, in Paris, in which marketing SMS leave."""

    opens: int
    closes: int
    days: tuple  # ISO: Monday is 1
    holidays: bool  # whether public holidays are kept

    def has_day(self, day):
        """Tell whether they leave at all on a date."""
        return day.isoweekday() in self.days and not (self.holidays and is_holiday(day))


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


@functools.lru_cache(maxsize=4096)
def _write(second):
    return datetime.fromtimestamp(second, PARIS).isoformat()


def iso(timestamp):
    """Return a POSIX time, or ``None``, as OVHcloud writes it: Paris time, with offset."""
    return None if timestamp is None else _write(int(timestamp))


def is_holiday(day):
    """Tell whether a date is a public holiday in mainland France."""
    return (day.month, day.day) in _FIXED_HOLIDAYS or (
        day - easter(day.year)
    ).days in _EASTER_HOLIDAYS


def next_opening(timestamp, hours=NEWEST):
    """Return the first POSIX time from *timestamp* on at which marketing SMS leave."""
    local = datetime.fromtimestamp(timestamp, PARIS)
    if hours.has_day(local.date()) and hours.opens <= local.hour < hours.closes:
        return timestamp
    opening = local.replace(hour=hours.opens, minute=0, second=0, microsecond=0)
    while opening < local or not hours.has_day(opening.date()):
        opening += timedelta(days=1)
    return opening.timestamp()


class Clock:
    """Simulated time.

    Unset, records carry the real time (plus what was advanced) while opening hours
    always see a Tuesday at 10:00, so that a demonstration works at any hour of any day.
    Once set, one simulated time runs from the given instant at normal speed and counts
    for both.
    """

    def __init__(self):
        #: Whether somebody set the clock.
        self.is_set = False
        self._offset = 0.0
        #: Seconds by which time was ever moved forward: what waits for a delay sees them pass.
        self.skipped = 0.0
        #: The hours that marketing SMS keep.
        self.hours = NEWEST

    def now(self):
        """Return the simulated POSIX time, in seconds."""
        return time.time() + self._offset

    def elapsed(self):
        """Return seconds, the clock's jumps included, that never run backwards."""
        return time.monotonic() + self.skipped

    def set(self, timestamp):
        """Run from *timestamp* (POSIX seconds) on; ``None`` goes back to the real time."""
        self.is_set = timestamp is not None
        offset = timestamp - time.time() if self.is_set else 0.0
        self.skipped += max(0.0, offset - self._offset)
        self._offset = offset

    def advance(self, seconds):
        """Move forward by *seconds* (>= 0)."""
        self._offset += seconds
        self.skipped += seconds

    def departure(self, timestamp, marketing):
        """Return the POSIX time at which an SMS wanted at *timestamp* leaves."""
        if marketing and self.is_set:
            return next_opening(timestamp, self.hours)
        return timestamp

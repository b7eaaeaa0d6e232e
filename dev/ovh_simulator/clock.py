"""The simulator's clock, and the hours in which advertising leaves.

Paris time is computed from the rule of Directive 2000/84/EC (summer time from the last
Sunday of March to the last Sunday of October, both at 01:00 UTC) so that no time zone
database is needed.
"""

import time
from datetime import datetime, timedelta, timezone

#: OVHcloud holds marketing SMS back from 22:00 to 8:00.
NIGHT_START, NIGHT_END = 22, 8
#: ... and at week-ends (ISO days: Saturday, Sunday).
QUIET_DAYS = (6, 7)

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


def is_open(timestamp):
    """:return: whether marketing SMS leave at that POSIX time."""
    local = paris(timestamp)
    return (
        local.isoweekday() not in QUIET_DAYS and NIGHT_END <= local.hour < NIGHT_START
    )


def next_opening(timestamp):
    """:return: the first POSIX time from *timestamp* on at which marketing SMS leave."""
    if is_open(timestamp):
        return timestamp
    local = paris(timestamp)
    day = local.replace(hour=NIGHT_END, minute=0, second=0, microsecond=0, tzinfo=None)
    if local.hour >= NIGHT_END:
        day += timedelta(days=1)
    while day.isoweekday() in QUIET_DAYS:
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
            return next_opening(timestamp)
        return timestamp

"""Paris time and opening hours."""

from datetime import datetime

import pytest
from ovh_simulator import clock


def at(text):
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize(
    "utc, local",
    [
        ("2025-03-30T00:59:59+00:00", "2025-03-30T01:59:59+01:00"),
        ("2025-03-30T01:00:00+00:00", "2025-03-30T03:00:00+02:00"),
        ("2025-10-26T00:59:59+00:00", "2025-10-26T02:59:59+02:00"),
        ("2025-10-26T01:00:00+00:00", "2025-10-26T02:00:00+01:00"),
        ("2026-12-31T23:30:00+00:00", "2027-01-01T00:30:00+01:00"),
    ],
)
def test_paris(utc, local):
    assert clock.iso(at(utc)) == local


@pytest.mark.parametrize(
    "when, leaves",
    [
        ("2025-06-03T10:00:00+02:00", "2025-06-03T10:00:00+02:00"),
        ("2025-06-03T08:00:00+02:00", "2025-06-03T08:00:00+02:00"),
        ("2025-06-03T07:59:59+02:00", "2025-06-03T08:00:00+02:00"),
        ("2025-06-03T21:59:59+02:00", "2025-06-03T21:59:59+02:00"),
        ("2025-06-03T22:00:00+02:00", "2025-06-04T08:00:00+02:00"),
        # Friday night, Saturday, Sunday
        ("2025-06-06T22:30:00+02:00", "2025-06-09T08:00:00+02:00"),
        ("2025-06-07T12:00:00+02:00", "2025-06-09T08:00:00+02:00"),
        ("2025-06-08T05:00:00+02:00", "2025-06-09T08:00:00+02:00"),
        # the weekends in which the offset changes
        ("2025-03-29T12:00:00+01:00", "2025-03-31T08:00:00+02:00"),
        ("2025-10-25T12:00:00+02:00", "2025-10-27T08:00:00+01:00"),
    ],
)
def test_next_opening(when, leaves):
    assert clock.iso(clock.next_opening(at(when))) == leaves

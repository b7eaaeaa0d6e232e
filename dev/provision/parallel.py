"""The addon's tests in Odoo, shared out to several processes.

Odoo runs its tests one after the other in one process. Each share has a database of its
own and takes whole files of tests. Files are weighed by what they took the last time on
this machine, else on the one that ``test_seconds.json`` is of, else by what stands in
them.
"""

import json
import os
import re
from pathlib import Path

from kit.cache import cache_dir

from .checkout import ADDON

MOST_SHARES = 3
# What files of tests took on two cores, for machines that know nothing yet: from the
# cache of one that does, now and then.
KNOWN_SECONDS = Path(__file__).with_name("test_seconds.json")
# Seconds, as found on two cores; only their proportions matter.
TEST_SECONDS = 0.8
BROWSER_TEST_SECONDS = 12
BROWSER_TEST = re.compile(r"\b(?:start_tour|browser_js)\(")
TEST = re.compile(r"^\s+def test_", re.MULTILINE)


def share_count(cores=None):
    """Return how many processes test at once, by default on this machine's cores."""
    return max(1, min(cores or os.cpu_count() or 1, MOST_SHARES))


def _durations_path():
    return cache_dir() / "test-seconds.json"


def read_durations():
    """Return the seconds that each file of tests took: here the last time, else elsewhere."""
    known = json.loads(KNOWN_SECONDS.read_text())
    try:
        return {**known, **json.loads(_durations_path().read_text())}
    except (OSError, ValueError):
        return known


def keep_durations(durations):
    """Keep the seconds that each file of tests took, for the next run's shares."""
    path = _durations_path()
    building = path.with_suffix(f".{os.getpid()}")
    building.write_text(json.dumps({**read_durations(), **durations}, sort_keys=True))
    building.replace(path)


def guess_seconds(source):
    """Guess the seconds that a file of tests takes from its text."""
    return TEST_SECONDS * len(TEST.findall(source)) + BROWSER_TEST_SECONDS * len(
        BROWSER_TEST.findall(source)
    )


def share_out(directory, count, durations):
    """Share the files of tests out, so that all shares take about as long.

    :param dict durations: seconds by file name, for the files that are known.
    :return: a list of at most *count* lists of file names; each file is in one of them.
    """
    seconds = {
        path.name: durations.get(path.name) or guess_seconds(path.read_text())
        for path in directory.glob("test_*.py")
    }
    shares = [[0.0, []] for __ in range(count)]
    # The longest first, each to whom has least.
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        share = min(shares, key=lambda share: share[0])
        share[0] += seconds[name]
        share[1].append(name)
    return [sorted(names) for __, names in shares if names]


def as_tags(names):
    """Write files of tests as Odoo's option ``--test-tags`` names them."""
    return ",".join(f"/{ADDON}/tests/{name}" for name in names)

"""What the log of an Odoo test run says about its tests."""

import re
from datetime import datetime

LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) \d+ (?P<level>[A-Z]+) (?P<database>\S+) "
    r"(?P<logger>[\w.\-]+): (?P<message>.*)$",
)
STARTED = re.compile(r"^Starting (?P<test>[\w.]+\.\w+) \.\.\.")
# Odoo's line after the last test of a stage, which names what the stage took.
LAST = re.compile(r"^\d+ (?:post-)?tests? in \d+")
SKIPPED = re.compile(r"^skipped (?P<test>.+?) : (?P<reason>.*)$")
FAILED = re.compile(r"^(?:FAIL|ERROR): (?:Subtest )?(?P<test>\w+ \([^)]*\)|[\w.]+)")
# These lines repeat what was counted already; a browser that is closed in the middle of
# a page's loading complains about it, when its test is over.
REPEATED = re.compile(
    r"^(\d+ failed, \d+ error\(s\) of \d+ tests|Module \w+: \d+ failures, \d+ errors "
    r"of \d+ tests|At least one test failed when loading|Error received after "
    r"termination: )",
)
# What a browser says is logged under the name of the test that it runs.
BROWSER_LOGGER = re.compile(r"^(?P<module>.+)\.(?P<test>[^.]+\.[^.]+)\.browser$")
# Odoo skips a browser test that it has no browser for; here that is a failure.
NO_BROWSER = re.compile(r"chrome|websocket", re.I)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class TestLog:
    """Reads the log of a test run line by line.

    ``started``, ``skipped`` and ``failed`` map a test's name to why; ``errors``
    are the errors in the log that no test was blamed for. ``seconds`` maps the module
    that a test stands in to what its tests took.
    """

    __test__ = False  # not a test class, whatever its name looks like

    def __init__(self):
        self.started = {}
        self.skipped = {}
        self.failed = {}
        self.errors = []
        self.seconds = {}
        self._block = None
        self._running = None  # the module of the test that runs, and since when

    def feed(self, line):
        """Read a line."""
        line = COLOURS.sub("", line.rstrip("\n"))
        match = LINE.match(line)
        if not match:
            # The continuation of a message: a traceback.
            if self._block is not None:
                self._block.append(line)
            return
        self._block = None
        message, logger = match["message"], match["logger"]
        if LAST.search(message):
            self._clock(match["time"], None)
        if found := STARTED.match(message):
            self.started[f"{logger}: {found['test']}"] = None
            self._clock(match["time"], logger)
        elif found := SKIPPED.match(message):
            name = f"{logger}: {found['test']}"
            reason = found["reason"]
            if NO_BROWSER.search(reason):
                self.failed[name] = [f"not run, for want of a browser: {reason}"]
            else:
                self.skipped[name] = reason
        elif match["level"] in ("ERROR", "CRITICAL") and not REPEATED.match(message):
            # A test with several failing subtests, or with a browser that complained
            # first, is one failed test.
            if found := BROWSER_LOGGER.match(logger):
                name = f"{found['module']}: {found['test']}"
                self._block = self.failed.setdefault(name, [])
            elif found := FAILED.match(message):
                name = f"{logger}: {found['test']}"
                self._block = self.failed.setdefault(name, [])
            else:
                self._block = []
                self.errors.append(self._block)
            self._block.append(line)

    def _clock(self, time, module):
        now = datetime.strptime(time, "%Y-%m-%d %H:%M:%S,%f")
        if self._running:
            last, since = self._running
            took = (now - since).total_seconds()
            self.seconds[last] = self.seconds.get(last, 0.0) + took
        self._running = (module, now) if module else None

    def add(self, other):
        """Take in what the log of other tests said."""
        self.started.update(other.started)
        self.skipped.update(other.skipped)
        self.failed.update(other.failed)
        self.errors += other.errors
        self.seconds.update(other.seconds)

    def counts(self):
        """Return how many passed, failed and were skipped."""
        passed = self.started.keys() - self.failed.keys() - self.skipped.keys()
        return len(passed), len(self.failed) + len(self.errors), len(self.skipped)

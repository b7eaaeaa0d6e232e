"""``dev/test [ODOO TEST OPTION...]``: all tests, or Odoo's part with other options."""

import argparse
import concurrent.futures
import contextlib
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

from kit import DEV_DIRECTORY
from kit.children import Child
from kit.testlog import TestLog
from kit.ui import say, step
from ovh_simulator.process import Process
from provision.checkout import ADDON
from provision.databases import Databases, forget_removed_checkouts
from provision.odoo_tests import (
    SILENCE_SECONDS,
    read_odoo_tests,
    require_browser,
    run_odoo_tests,
)
from provision.parallel import (
    as_tags,
    keep_durations,
    read_durations,
    share_count,
    share_out,
)
from provision.platform import platform
from provision.postgres import find_binaries

PLAIN_TESTS = ("ovh_simulator/tests", "tests")


def junit_counts(path):
    """Return how many tests of a JUnit report passed, failed and were skipped."""
    total = failed = skipped = 0
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return total - failed - skipped, failed, skipped


def run_plain_tests(parts):
    """Run the tests that need no Odoo; return how many passed, failed and were skipped."""
    counts = [0, 0, 0]
    for name in PLAIN_TESTS:
        directory = DEV_DIRECTORY / name
        if not directory.is_dir():
            continue
        report = parts.checkout.logs / f"{name.replace('/', '-')}.xml"
        report.unlink(missing_ok=True)
        say(f"==> Testing dev/{name}")
        status = Child(
            name,
            [
                *(str(parts.python.python), "-m", "pytest", "-q", "-rs", "--tb=short"),
                *("-p", "no:cacheprovider", "--rootdir", str(DEV_DIRECTORY)),
                *(f"--junit-xml={report}", str(directory)),
            ],
            parts.environment(PYTHONPATH=str(DEV_DIRECTORY)),
        ).follow()
        found = junit_counts(report) if report.exists() else (0, 1, 0)
        # Status 5: no tests; 2 and up: pytest itself failed.
        if status not in (0, 5) and not found[1]:
            found = (found[0], 1, found[2])
        counts = [sum(pair) for pair in zip(counts, found, strict=True)]
    return tuple(counts)


def _crash_test(parts):
    """Kill Odoo in the middle of sending, the short way; return the counts of its lines."""
    if os.environ.get("PGHOST") and not find_binaries():
        print(
            "skipped  the crash test: it needs a PostgreSQL server of its own to restart"
        )
        return 0, 0, 1
    say("==> Killing Odoo while it sends (dev/crash_test --quick)")
    counts = None

    def take(line):
        nonlocal counts
        print(line, end="", flush=True)
        found = re.match(r"(\d+) passed, (\d+) failed in ", line)
        if found:
            counts = int(found[1]), int(found[2]), 0

    command = [str(DEV_DIRECTORY / "crash_test"), "--quick"]
    child = Child("The crash test", command, dict(os.environ))
    status = child.follow(take, SILENCE_SECONDS)
    if counts is None or (status != 0 and not counts[1]):
        print(f"FAILED   the crash test ended with exit status {status}")
        counts = (counts or (0, 0, 0))[0], 1, 0
    return counts


def with_addon(arguments):
    """Add the addon to the modules that options of Odoo install, by ``-i`` or ``--init``."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-i", "--init", action="append", default=[])
    options, others = parser.parse_known_args(arguments)
    modules = ",".join([ADDON, *options.init]).split(",")
    return ["-i", ",".join(dict.fromkeys(modules)), *others]


def _run_chosen(parts, databases, arguments):
    """Run tests as options of Odoo choose them; return a :class:`TestLog`, and logs."""
    options = with_addon(arguments)
    if not any(
        argument.split("=")[0] in ("--test-tags", "--test-file", "--test-enable")
        for argument in arguments
    ):
        options += ["--test-tags", f"/{ADDON}"]
    with databases.of_this_run("test") as database:
        title = f"Testing {ADDON} with Odoo ({' '.join(options)})"
        log = "test-odoo.log"
        with _simulator(parts, log) as variables:
            result = run_odoo_tests(parts, database, options, log, title, **variables)
        return result, [log]


@contextlib.contextmanager
def _simulator(parts, log):
    """Have one simulator for all tests of a process of Odoo, which would start one a class.

    :return: the environment variables that tell the tests of it
    """
    log = parts.checkout.logs / log.replace("odoo", "simulator")
    with Process(parts.python.python, parts.environment(), log) as simulator:
        yield {"SMS_OVH_SIMULATOR": simulator.root}


def _run_share(parts, database, options, log):
    with _simulator(parts, log) as variables:
        return read_odoo_tests(parts, database, options, log, **variables)


@contextlib.contextmanager
def _test_databases(parts, databases, count):
    """Have databases to test in: one is made, with all that Odoo generates, and copied.

    :param int count: how many
    :return: their names, as the context's value
    """
    with contextlib.ExitStack() as stack:
        first, *others = (
            stack.enter_context(databases.of_this_run(f"test{number}", number == 1))
            for number in range(1, count + 1)
        )
        with step(f"Making a database with {ADDON}, and the assets of its pages"):
            databases.install(first, f"Installing {ADDON}", "test.log")
            log = parts.checkout.logs / "test-assets.log"
            parts.call(first, "provision.inside.generate_assets", log)
        for other in others:
            databases.copy(first, other)
        yield [first, *others]


def _run_all(parts, databases):
    """Run all tests, those of the addon in as many processes as the machine carries.

    :return: counts of those that need no Odoo; of the others, the :class:`TestLog` and
        the names of the logs
    """
    shares = share_out(parts.checkout.root / "tests", share_count(), read_durations())
    logs = [f"test-odoo-{number}.log" for number in range(1, len(shares) + 1)]
    # To update the addon runs the tests, too, that belong to its installation.
    options = [["-u", ADDON, "--test-tags", as_tags(share)] for share in shares]
    result = TestLog()
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(
            concurrent.futures.ThreadPoolExecutor(len(shares) + 1)
        )
        plain = pool.submit(run_plain_tests, parts)
        names = stack.enter_context(_test_databases(parts, databases, len(shares)))
        counts = plain.result()
        stack.enter_context(
            step(f"Testing {ADDON} with Odoo, in {len(shares)} processes")
        )
        for found in pool.map(_run_share, [parts] * len(shares), names, options, logs):
            result.add(found)
    keep_durations(
        {
            f"{module.rsplit('.', 1)[-1]}.py": round(seconds, 1)
            for module, seconds in result.seconds.items()
        }
    )
    return counts, result, logs


def _show(result, logs):
    for name, reason in result.skipped.items():
        print(f"skipped  {name}: {reason}")
    for name, lines in result.failed.items():
        print(f"{'-' * 70}\nFAILED   {name}")
        print("\n".join(lines))
    for lines in result.errors:
        print(f"{'-' * 70}\nERROR in the log")
        print("\n".join(lines))
    if result.failed or result.errors:
        print("-" * 70)
    for log in logs:
        print(f"The whole log is {log}", flush=True)


def main(arguments):
    """Run the tests; the last line is ``N passed, N failed, N skipped``.

    :param list[str] arguments: test options of Odoo; with any, only Odoo's tests are run.
    :return: the exit status, 0 only when tests were run and none failed.
    """
    parser = argparse.ArgumentParser(
        prog="dev/test",
        usage="dev/test [-h] [OPTION OF ODOO ...]",
        description=(
            "Run all tests: the simulator's, those of dev/, those of the addon in Odoo, in "
            "a database that goes away afterwards, and the short crash test. With options "
            "of Odoo, as --test-tags /sms_ovh:TestPages, only these tests of Odoo are run."
        ),
        allow_abbrev=False,
    )
    __, arguments = parser.parse_known_args(arguments)
    with platform() as parts:
        require_browser()
        databases = Databases(parts)
        forget_removed_checkouts(databases)
        if arguments:
            result, logs = _run_chosen(parts, databases, arguments)
            counts = killed = (0, 0, 0)
        else:
            counts, result, logs = _run_all(parts, databases)
        _show(result, [parts.checkout.logs / log for log in logs])
        if not arguments:
            killed = _crash_test(parts)
        passed, failed, skipped = (
            sum(group) for group in zip(counts, result.counts(), killed, strict=True)
        )
    # Whatever was written to standard error must not end up below or within this line.
    sys.stderr.flush()
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 0 if passed and not failed else 1

"""Counting the tests in an Odoo log."""

import pytest
from commands.test import junit_counts, with_addon
from kit.testlog import TestLog

PREFIX = "2026-01-02 03:04:05,678 123 {level} db {logger}: {message}"
MODULE = "odoo.addons.sms_ovh.tests.test_a"


def line(message, level="INFO", logger=MODULE):
    return PREFIX.format(level=level, logger=logger, message=message) + "\n"


def read(*lines):
    log = TestLog()
    for item in lines:
        log.feed(item)
    return log


def test_passed_failed_skipped():
    loading = "odoo.modules.loading"
    log = read(
        line("Starting TestA.test_ok ..."),
        line("Starting TestA.test_bad ..."),
        line("=" * 70),
        line("FAIL: TestA.test_bad", "ERROR"),
        "Traceback (most recent call last):\n",
        "AssertionError: 1 != 2\n",
        line("Starting TestA.test_later ..."),
        line("skipped TestA.test_later : not today"),
        line("Module sms_ovh: 1 failures, 0 errors of 3 tests", "ERROR", loading),
        line("At least one test failed when loading the modules.", "ERROR", loading),
        line(
            "1 failed, 0 error(s) of 3 tests when loading database 'db'",
            "ERROR",
            "odoo.tests.result",
        ),
    )
    assert log.counts() == (1, 1, 1)
    assert log.failed[f"{MODULE}: TestA.test_bad"][-1] == "AssertionError: 1 != 2"
    assert not log.errors


BROWSER = MODULE + ".TestTour.test_tour.browser"


@pytest.mark.parametrize(
    "lines, counts",
    [
        pytest.param(
            [
                line("Starting TestA.test_ok ..."),
                line("Starting TestA.test_ok ...", logger=f"{MODULE}b"),
            ],
            (2, 0, 0),
            id="the same name in two modules is two tests",
        ),
        pytest.param(
            [
                line("Starting TestA.test_many ..."),
                line("FAIL: Subtest TestA.test_many (i=0)", "ERROR"),
                line("FAIL: Subtest TestA.test_many (i=2)", "ERROR"),
            ],
            (0, 1, 0),
            id="failing subtests are one failed test",
        ),
        pytest.param(
            [
                line(
                    f"ERROR: setUpClass ({MODULE}.TestA)", "ERROR", "odoo.tests.suite"
                ),
                "RuntimeError: no\n",
            ],
            (0, 1, 0),
            id="a class that can not be set up is a failure",
        ),
        pytest.param(
            [
                line("Starting TestTour.test_tour ..."),
                line("skipped TestTour.test_tour : Chrome executable not found"),
            ],
            (0, 1, 0),
            id="a missing browser is a failure",
        ),
        pytest.param(
            [
                line("Starting TestTour.test_tour ..."),
                line(
                    "Error received after termination: AssetsLoadingError",
                    "ERROR",
                    BROWSER,
                ),
            ],
            (1, 0, 0),
            id="a browser that complains when closed is not",
        ),
        pytest.param(
            [
                line("Starting TestA.test_bad ..."),
                line("FAIL: TestA.test_bad", "\x1b[1;31m\x1b[1;49mERROR\x1b[0m"),
            ],
            (0, 1, 0),
            id="a log in colours",
        ),
    ],
)
def test_counts(lines, counts):
    assert read(*lines).counts() == counts


def test_error_that_no_test_is_blamed_for_is_a_failure():
    stray = line("stray", "ERROR", "odoo.sql_db")
    log = read(line("Starting TestA.test_ok ..."), stray, "Traceback\n")
    assert log.counts() == (1, 1, 0)
    assert log.errors[0][-1] == "Traceback"


def test_error_in_the_browser_belongs_to_its_test():
    log = read(
        line("Starting TestTour.test_tour ..."),
        line("FAILED: [4/4] Tour", "ERROR", BROWSER),
        line("FAIL: TestTour.test_tour", "ERROR"),
        line("Starting TestTour.test_other ..."),
        line("console error", "ERROR", BROWSER.replace("test_tour", "test_other")),
    )
    assert log.counts() == (0, 2, 0)
    assert not log.errors


def test_addon_is_installed_besides_what_was_asked_for():
    assert with_addon([]) == ["-i", "sms_ovh"]
    chosen = ["--test-tags", "/crm"]
    assert with_addon(["-i", "crm,sale", *chosen]) == [
        "-i",
        "sms_ovh,crm,sale",
        *chosen,
    ]
    assert with_addon(["--init=crm", "-iproject"]) == ["-i", "sms_ovh,crm,project"]
    assert with_addon(["-i", "sms_ovh"]) == ["-i", "sms_ovh"]


def test_junit_report(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<testsuites><testsuite name="pytest" '
        'tests="10" failures="2" errors="1" skipped="3"></testsuite></testsuites>\n'
    )
    assert junit_counts(report) == (4, 3, 3)


def test_seconds_by_file():
    at = "2026-01-02 03:04:{},000 123 INFO db {}: {}\n"
    other = "odoo.addons.sms_ovh.tests.test_b"
    log = read(
        at.format("05", MODULE, "Starting TestA.test_one ..."),
        at.format("08", MODULE, "Starting TestA.test_two ..."),
        at.format("09", other, "Starting TestB.test_one ..."),
        at.format("19", "odoo.service.server", "3 post-tests in 14.00s, 12 queries"),
        at.format("59", "odoo.service.server", "Initiating shutdown"),
    )
    assert log.seconds == {MODULE: 4.0, other: 10.0}

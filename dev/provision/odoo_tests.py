"""Odoo's tests: what they need besides Odoo, and what came of them."""

import shutil

from kit import DEV_DIRECTORY
from kit.children import Child
from kit.npm import npm_packages
from kit.ports import free_port
from kit.system import install_packages
from kit.testlog import TestLog
from kit.ui import step

BROWSERS = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
SILENCE_SECONDS = 15 * 60


def run_odoo_tests(parts, database, arguments, log_name, title, **environment):
    """Run Odoo's tests on a database, in a step; return the :class:`TestLog`."""
    with step(title):
        return read_odoo_tests(parts, database, arguments, log_name, **environment)


def read_odoo_tests(parts, database, arguments, log_name, **environment):
    """Run Odoo's tests without saying so. See :func:`run_odoo_tests`."""
    log = parts.checkout.logs / log_name
    result = TestLog()
    child = Child(
        "Odoo",
        parts.odoo_command(
            *("-d", database, "--http-port", free_port(), "--max-cron-threads", 0),
            *("--stop-after-init", *arguments),
        ),
        parts.environment(
            SMS_OVH_REQUIRE_SIMULATOR="1", SMS_OVH_AXE=str(axe_core()), **environment
        ),
    )
    with open(log, "w") as handle:

        def take(line):
            handle.write(line)
            result.feed(line)

        status = child.follow(take, SILENCE_SECONDS)
    minutes = SILENCE_SECONDS // 60
    if status is None:
        wrong = f"Odoo was silent for {minutes} minutes and was stopped"
    elif status and not result.counts()[1]:
        wrong = f"Odoo ended with exit status {status}"
    elif not result.started:
        wrong = "No test of Odoo was run"
    else:
        return result
    result.errors.append([f"{wrong}; its log is {log}."])
    return result


def require_browser():
    """Have a browser for Odoo's browser tests, installed where there is none."""
    if not any(shutil.which(name) for name in BROWSERS):
        install_packages(["chromium"], "to run the browser tests")


def axe_core():
    """Have axe-core, with which the browser tests look for what keeps users out."""
    packages = npm_packages(DEV_DIRECTORY / "axe", "to test the pages' accessibility")
    return packages / "node_modules/axe-core/axe.min.js"

"""``dev/compare_core_tests``: Odoo's own SMS tests without and with the addon, compared."""

import argparse

from ..checkout import ADDON
from ..databases import Databases
from ..platform_ import platform
from ..ui import say
from .test import require_browser, run_odoo_tests

MODULES = (
    "sms",
    "mass_mailing_sms",
    "test_mail_sms",
    "sms_twilio",
    "test_mass_mailing",
)
TAGS = ("/sms", "/mass_mailing_sms", "/test_mail_sms", "/sms_twilio")


def _run(parts, databases, modules, log_name, title):
    # at_install tests run while their module is installed, so each run installs
    # everything anew.
    with databases.of_this_run("core", make=False) as database:
        return run_odoo_tests(
            parts,
            database,
            ["-i", ",".join(modules), "--test-tags", ",".join(TAGS)],
            log_name,
            title,
        )


def main(arguments):
    """Run both and print what fails only with the addon.

    :param list[str] arguments: see ``--help``.
    :return: the exit status, 1 when something fails only with the addon.
    """
    argparse.ArgumentParser(
        prog="dev/compare_core_tests",
        description=(
            f"Run Odoo's own tests {', '.join(TAGS)} without and with {ADDON} "
            "and compare what fails."
        ),
    ).parse_args(arguments)
    with platform() as parts:
        require_browser()
        databases = Databases(parts)
        present = [name for name in MODULES if parts.source.has_module(name)]
        without = _run(
            parts,
            databases,
            present,
            "core-without.log",
            f"Odoo's own SMS tests without {ADDON}",
        )
        having = _run(
            parts,
            databases,
            [*present, ADDON],
            "core-with.log",
            f"Odoo's own SMS tests with {ADDON}",
        )
    for title, result in (("without", without), ("with", having)):
        passed, failed, skipped = result.counts()
        print(
            f"{title:>8} {ADDON}: {passed} passed, {failed} failed, {skipped} skipped"
        )
    only_with = sorted(set(having.failed) - set(without.failed))
    # A test that is no longer run, or is skipped, is lost as surely as one that fails.
    lost = sorted(
        set(without.started) - set(having.started)
        | set(having.skipped) - set(without.skipped)
    )
    for name in only_with:
        print(f"\nFails only with {ADDON}: {name}")
        print("\n".join(having.failed[name]))
    for name in lost:
        print(f"\nIs not run with {ADDON}: {name}")
    new_errors = having.errors if len(having.errors) > len(without.errors) else []
    for lines in new_errors:
        print(f"\nError in the log with {ADDON}:")
        print("\n".join(lines))
    if not without.started:
        say("No test was run, so nothing was compared.")
        return 1
    if not (only_with or lost or new_errors):
        print(f"Nothing fails only with {ADDON}.")
        return 0
    return 1

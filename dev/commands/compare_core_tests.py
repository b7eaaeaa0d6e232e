"""``dev/compare_core_tests``: Odoo's own SMS tests without and with the addon, compared."""

import argparse
import concurrent.futures

from kit.ui import say
from provision.checkout import ADDON
from provision.databases import Databases
from provision.odoo_tests import require_browser, run_odoo_tests
from provision.parallel import share_count
from provision.platform import platform

# What is installed and tested, by what that is called: all that sends SMS together, and
# a database whose one other provider is Twilio.
CASES = {
    "all": (
        ("sms", "mass_mailing_sms", "test_mail_sms", "sms_twilio", "test_mass_mailing"),
        ("/sms", "/mass_mailing_sms", "/test_mail_sms", "/sms_twilio"),
    ),
    "twilio": (("sms_twilio",), ("/sms_twilio",)),
}


def _run(parts, databases, name, addon):
    """Run the tests of a case in a database of their own; return the :class:`TestLog`."""
    modules, tags = CASES[name]
    installed = [module for module in modules if parts.source.has_module(module)]
    how = "with" if addon else "without"
    if addon:
        installed.append(ADDON)
    # at_install tests run while their module is installed, so each run installs
    # everything anew.
    with databases.of_this_run(f"core_{name}_{how}", make=False) as database:
        return run_odoo_tests(
            parts,
            database,
            ["-i", ",".join(installed), "--test-tags", ",".join(tags)],
            f"core-{name}-{how}.log",
            f"Odoo's own tests {', '.join(tags)} {how} {ADDON}",
        )


def _compare(without, having):
    """Print what the tests say else with the addon; return whether nothing fails only so."""
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
    for test in only_with:
        print(f"\nFails only with {ADDON}: {test}")
        print("\n".join(having.failed[test]))
    for test in lost:
        print(f"\nIs not run with {ADDON}: {test}")
    new_errors = having.errors if len(having.errors) > len(without.errors) else []
    for lines in new_errors:
        print(f"\nError in the log with {ADDON}:")
        print("\n".join(lines))
    if not without.started:
        say("No test was run, so nothing was compared.")
        return False
    return not (only_with or lost or new_errors)


def main(arguments):
    """Run all cases, print what fails only with the addon, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="dev/compare_core_tests",
        description=(
            f"Run Odoo's own SMS tests without and with {ADDON} and compare what fails: "
            "all together, and those of Twilio where it is alone."
        ),
    )
    parser.add_argument(
        "case", nargs="?", choices=CASES, help="only this; by default all of them"
    )
    case = parser.parse_args(arguments).case
    names = [case] if case else list(CASES)
    with platform() as parts:
        require_browser()
        databases = Databases(parts)
        with concurrent.futures.ThreadPoolExecutor(share_count()) as pool:
            running = {
                (name, addon): pool.submit(_run, parts, databases, name, addon)
                for name in names
                for addon in (False, True)
            }
        same = []
        for name in names:
            print(f"{name}:")
            same.append(
                _compare(*(running[name, addon].result() for addon in (False, True)))
            )
    if all(same):
        print(f"Nothing fails only with {ADDON}.")
        return 0
    return 1

"""``dev/conformance``: prints a report to put into an issue."""

import argparse
import platform
import sys
from importlib import metadata

from . import reading, sending
from .client import VARIABLES, Client


def _get_options(arguments):
    variables = "\n".join(f"  {name:24} {text}" for name, text in VARIABLES.items())
    parser = argparse.ArgumentParser(
        prog="dev/conformance",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Check with your own account what is unsure of OVHcloud's SMS API."
        " Only reads, unless told to send. The report has no key, number or text in it.",
        epilog="environment:\n"
        f"{variables}\n"
        "  SMS_OVH_API_URL          another address of the API, as of the simulator",
    )
    parser.add_argument(
        "--send",
        metavar="NUMBER",
        action="append",
        default=[],
        help="your own number, as +33612345678: sends at most 3 SMS, after you confirm;"
        " given for two or three numbers, it checks whose ids are whose",
    )
    return parser.parse_args(arguments)


def _run(function, *arguments):
    """Return pairs of a fact and its reading, whatever OVHcloud answers."""
    title = function.__doc__.splitlines()[0].rstrip(".")
    try:
        found = function(*arguments)
        if isinstance(found, str):
            return [(title, found)]
        return [(f"{title}: {fact}", value) for fact, value in found]
    except Exception as error:
        # One check that does not understand an answer is a finding, no end of all.
        return [(title, f"not understood: {type(error).__name__}")]


def _tell(readings):
    for fact, value in readings:
        print(f"- {fact}: {value}", flush=True)


def main(arguments):
    """Run all checks, and return the exit status. See ``--help``."""
    options = _get_options(arguments)
    client = Client()
    jobs = sending.plan(options.send) if options.send else []
    if jobs:
        print(sending.describe(jobs))
        if input("Type “yes” to send: ").strip().lower() != "yes":
            print("Nothing was sent.")
            return 1
    print(
        f"Conformance of OVHcloud's SMS API (ovh {metadata.version('ovh')}, Python"
        f" {platform.python_version()})"
    )
    for check in reading.CHECKS:
        _tell(_run(check, client))
    if jobs:
        try:
            _tell(sending.send(client, jobs))
        except Exception as error:
            print(f"- sending: not understood: {type(error).__name__}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

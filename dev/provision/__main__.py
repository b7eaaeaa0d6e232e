"""Entry point of ``dev/``'s executables: ``python -m provision COMMAND [ARG...]``."""

import importlib
import signal
import sys

from .ui import Problem, fail

COMMANDS = (
    "demo",
    "test",
    "odoo",
    "simulator",
    "compare_core_tests",
    "crash_test",
    "bench",
    "screenshots",
    "matrix",
    "check",
    "lint",
    "fresh",
    "translate",
    "pins",
    "conformance",
)


def _terminate(signum, _frame):
    """Turn SIGTERM and SIGHUP into an exit, so that what was started is stopped."""
    raise SystemExit(128 + signum)


def main(argv):
    """Run the command that ``argv`` names.

    :param list[str] argv: the command, then its own arguments.
    :return: the exit status.
    """
    name, *arguments = argv
    if name not in COMMANDS:
        return fail(
            f"Unknown command {name!r}: use one of {', '.join(COMMANDS)}.", status=2
        )
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    command = importlib.import_module(f".commands.{name}", __package__)
    try:
        return command.main(arguments)
    except Problem as problem:
        return fail(str(problem), status=problem.status)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

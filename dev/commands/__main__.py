"""Entry point of ``dev/``'s executables: ``python -m commands COMMAND [ARG...]``."""

import importlib
import os
import signal
import sys

from kit import DEV_DIRECTORY
from kit.ui import Problem, say
from provision.checkout import Checkout
from provision.python_env import python_environment

# Module of each command, whose ``main`` gets the arguments.
COMMANDS = {
    "demo": "commands.demo",
    "test": "commands.test",
    "odoo": "commands.odoo",
    "compare_core_tests": "commands.compare_core_tests",
    "crash_test": "crash.cli",
    "bench": "bench.cli",
    "screenshots": "pictures.cli",
    "matrix": "lifecycle.cli",
    "check": "commands.check",
    "lint": "commands.lint",
    "fresh": "commands.fresh",
    "translate": "commands.translate",
    "pins": "commands.pins",
}
# Module of each that Python's virtual environment runs as a program.
PROGRAMS = {"simulator": "ovh_simulator", "conformance": "conformity"}


def _become(module, arguments):
    """Run a module that needs packages in place of this program."""
    Checkout().prepare()
    python = str(python_environment().python)
    environment = {**os.environ, "PYTHONPATH": str(DEV_DIRECTORY)}
    os.execve(python, [python, "-m", module, *arguments], environment)


def _terminate(signum, _frame):
    """Turn SIGTERM and SIGHUP into an exit, so that what was started is stopped."""
    raise SystemExit(128 + signum)


def main(argv):
    """Run the command that ``argv`` begins with, and return its exit status."""
    name, *arguments = argv
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    try:
        if name in PROGRAMS:
            _become(PROGRAMS[name], arguments)
        if name not in COMMANDS:
            known = ", ".join([*COMMANDS, *PROGRAMS])
            raise Problem(f"Unknown command {name!r}: use one of {known}.", status=2)
        return importlib.import_module(COMMANDS[name]).main(arguments)
    except Problem as problem:
        say(problem)
        return problem.status
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

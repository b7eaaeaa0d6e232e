"""``dev/pins``: what the tests compare Odoo's source with, written anew."""

import argparse
import subprocess

from ..checkout import ADDON
from ..databases import Databases
from ..platform_ import platform
from ..system import guarded
from ..ui import Problem

MARK = "dev/pins: "
CODE = f"""
from odoo.addons.{ADDON}.tests import core_pins
for line in core_pins.write_pins(env):
    print({MARK!r} + line)
"""


def main(arguments):
    """Write ``tests/core_pins.json`` and print what changed in it.

    :param list[str] arguments: see ``--help``.
    :return: the exit status.
    :raise Problem: where Odoo does not get so far.
    """
    parser = argparse.ArgumentParser(
        prog="dev/pins",
        description=(
            "Write into tests/core_pins.json what the source of Odoo is that the addon "
            "overrides or relies upon, and print what changed. Run it after a change "
            "of the overrides, or after having read what Odoo changed."
        ),
    )
    parser.parse_args(arguments)
    with platform() as parts:
        databases = Databases(parts)
        with databases.of_this_run("pins") as database:
            databases.odoo("Installing", "pins.log", "-d", database, "-i", ADDON)
            done = subprocess.run(
                guarded(
                    parts.odoo_command(
                        *("shell", "-d", database, "--no-http"),
                        *("--max-cron-threads=0", "--log-level=warn"),
                    )
                ),
                input=CODE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env=parts.environment(),
                check=False,
            )
    lines = [
        line.split(MARK, 1)[1] for line in done.stdout.splitlines() if MARK in line
    ]
    if done.returncode or not lines:
        raise Problem(f"Pinning failed.\n{done.stdout}")
    print("\n".join(lines))
    return 0

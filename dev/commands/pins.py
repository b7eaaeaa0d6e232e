"""``dev/pins``: what the tests compare Odoo's source with, written anew."""

import argparse

from kit.ui import Problem
from provision.checkout import ADDON
from provision.databases import Databases
from provision.platform import platform

MARK = "dev/pins: "
CODE = f"""
from odoo.addons.{ADDON}.tests import core_pins
for line in core_pins.write_pins(env):
    print({MARK!r} + line)
"""


def main(arguments):
    """Write ``tests/core_pins.json`` and print what changed in it."""
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
            databases.install(database, "Installing", "pins.log")
            status, output = parts.shell(database, CODE)
    lines = [line.split(MARK, 1)[1] for line in output if MARK in line]
    if status or not lines:
        raise Problem("\n".join(["Pinning failed.", *output]))
    print("\n".join(lines))
    return 0

"""``dev/pins``: what the tests compare Odoo's source with, written anew."""

import argparse

from provision.checkout import ADDON
from provision.databases import Databases
from provision.platform import platform

WRITE_PINS = f"odoo.addons.{ADDON}.tests.core_pins.write_pins"


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
        with Databases(parts).installed("pins") as database:
            log = parts.checkout.logs / "pins.log"
            print(*parts.call(database, WRITE_PINS, log), sep="\n")
    return 0

"""``dev/translate``: the files of ``i18n/``, brought up to date with the addon's terms."""

import argparse
import tempfile
from pathlib import Path

from kit.system import run
from provision.checkout import ADDON
from provision.databases import Databases
from provision.platform import platform


def main(arguments):
    """Export the terms, and have each language's file hold just these."""
    parser = argparse.ArgumentParser(
        prog="dev/translate",
        description=(
            "Write the addon's terms into i18n/, in the order of Odoo's export. "
            "Translations are kept; those that are missing are left empty and named."
        ),
    )
    parser.parse_args(arguments)
    with platform() as parts:
        with (
            Databases(parts).installed("translate") as database,
            tempfile.TemporaryDirectory(prefix="sms_ovh_translate_") as directory,
        ):
            exported = Path(directory) / f"{ADDON}.pot"
            run(
                [
                    *parts.odoo_command("i18n", "export", "-d", database),
                    *("-l", "pot", "-o", str(exported), ADDON),
                ],
                "Exporting the terms",
                env=parts.environment(),
            )
            # It needs packages that are only there now.
            from upkeep.translations import merge_all

            return merge_all(exported, parts.checkout.root / "i18n")

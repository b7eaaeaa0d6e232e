"""``dev/translate``: the files of ``i18n/``, brought up to date with the addon's terms."""

import argparse
import subprocess
import tempfile
from pathlib import Path

from ..checkout import ADDON
from ..databases import Databases
from ..platform_ import DEV_DIRECTORY, platform
from ..system import guarded, run


def main(arguments):
    """Export the terms, and have each language's file hold just these.

    :param list[str] arguments: see ``--help``.
    :return: the exit status, 1 where a translation is missing.
    """
    parser = argparse.ArgumentParser(
        prog="dev/translate",
        description=(
            "Write the addon's terms into i18n/, in the order of Odoo's export. "
            "Translations are kept; those that are missing are left empty and named."
        ),
    )
    parser.parse_args(arguments)
    with platform() as parts:
        databases = Databases(parts)
        with (
            databases.of_this_run("translate") as database,
            tempfile.TemporaryDirectory(prefix="sms_ovh_translate_") as directory,
        ):
            databases.odoo("Installing", "translate.log", "-d", database, "-i", ADDON)
            exported = Path(directory) / f"{ADDON}.pot"
            run(
                [
                    *parts.odoo_command("i18n", "export", "-d", database),
                    *("-l", "pot", "-o", str(exported), ADDON),
                ],
                "Exporting the terms",
                env=parts.environment(),
            )
            return subprocess.run(
                guarded(
                    [
                        *(str(parts.python.python), "-m", "translate_.merge"),
                        *(str(exported), str(parts.checkout.root / "i18n")),
                    ]
                ),
                env=parts.environment(PYTHONPATH=str(DEV_DIRECTORY)),
                check=False,
            ).returncode

"""Run OCA's checks of a module, which look for it in a directory of its name.

They walk up to the manifest, but not as far as the root of a repository, where that of
this addon is; so what git tracks of it is laid out below one, in a directory of its own.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ADDON = "sms_ovh"
# Whose files are none of the addon's, or need no look.
LEFT_OUT = ("dev/", "docs/", "static/description/")


def main():
    """Run the checks on a copy, and return their exit status."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory() as root:
        # Where this is, they take the repository's root to be.
        (Path(root) / ".git").mkdir()
        for name in filter(None, listed.stdout.split("\0")):
            if Path(name).exists() and not name.startswith(LEFT_OUT):
                copy = Path(root) / ADDON / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(name, copy)
        return subprocess.run(
            ["oca-checks-odoo-module", f"{ADDON}/__manifest__.py"], cwd=root
        ).returncode


if __name__ == "__main__":
    sys.exit(main())

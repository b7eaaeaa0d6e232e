"""``dev/lint [HOOK...]``: what each commit is checked with, on all files."""

import argparse
import os
import shutil
import subprocess
import sys

from kit.cache import built_directory, cache_dir, locked, short_hash
from kit.npm import require_npm
from kit.system import run
from kit.ui import Problem
from provision.checkout import Checkout

PRE_COMMIT = "pre-commit==4.7.0"


def _build(directory):
    run(
        [sys.executable, "-m", "venv", str(directory)], "Creating a virtual environment"
    )
    run(
        [
            *(str(directory / "bin" / "python"), "-m", "pip"),
            *("install", "--quiet", "--no-input", PRE_COMMIT),
        ],
        f"Installing {PRE_COMMIT}",
    )
    return PRE_COMMIT


def main(arguments):
    """Run them; what they can repair is repaired, and said to be, with exit status 1."""
    parser = argparse.ArgumentParser(
        prog="dev/lint",
        description="Run the linters and formatters on all files; what can be repaired is.",
    )
    parser.add_argument(
        "hooks", nargs="*", metavar="HOOK", help="only these of .pre-commit-config.yaml"
    )
    options = parser.parse_args(arguments)
    root = Checkout().root
    if not shutil.which("git") or not (root / ".git").exists():
        raise Problem("The linters look at what git tracks: run this in a clone.")
    require_npm("to check the JavaScript and the XML")
    directory = (
        cache_dir()
        / f"lint-{short_hash(PRE_COMMIT, sys.version_info[:3], sys.executable)}"
    )
    built_directory(directory, _build)
    # Two at a time would write the same files.
    with locked(f"lint-{short_hash(root)}"):
        environment = {**os.environ, "PRE_COMMIT_HOME": str(cache_dir() / "pre-commit")}
        status = 0
        for hook in options.hooks or [None]:
            status |= subprocess.run(
                [
                    *(str(directory / "bin" / "python"), "-m", "pre_commit", "run"),
                    *("--all-files", "--show-diff-on-failure"),
                    *([hook] if hook else []),
                ],
                cwd=root,
                env=environment,
                check=False,
            ).returncode
    return 1 if status else 0

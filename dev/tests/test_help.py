"""CONTRIBUTING.md promises that each command has ``--help``."""

import subprocess
from pathlib import Path

import pytest

DEV = Path(__file__).resolve().parent.parent
# These tell the help of what they start, once all is there that it needs.
OTHERS = {"conformance", "odoo", "simulator"}
COMMANDS = sorted(
    path.name
    for path in DEV.iterdir()
    if path.is_file() and path.read_text().startswith("#!") and path.name not in OTHERS
)


def test_commands_are_found():
    assert {"demo", "fresh", "lint", "matrix", "test", "translate"} <= set(COMMANDS)


@pytest.mark.parametrize("command", [*COMMANDS, "bench/run"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(command, option):
    """It tells how it is used, and does nothing else."""
    done = subprocess.run(
        [str(DEV / command), option],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("usage: "), done.stdout
    assert "==>" not in done.stdout

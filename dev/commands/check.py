"""``dev/check [REVISION]``: a change's linters and nearest tests, in a few minutes."""

import argparse
import subprocess

from kit.ui import say
from provision.checkout import ADDON, Checkout
from provision.platform import platform

from . import lint, test

# What looks at the house as a whole, and takes seconds.
ALWAYS = (
    "test_core_pins",
    "test_i18n",
    "test_matrix_of_rights",
    "test_operators_page",
    "test_structure",
)
# Folders of the addon: what changes there has tests in `tests/`.
PRODUCT = (
    "controllers",
    "data",
    "mixins",
    "models",
    "report",
    "security",
    "tests",
    "tools",
    "views",
    "wizard",
)


def find_changed(root, revision):
    """Return the files that differ from a revision, those not committed yet included."""

    def ask(*arguments):
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return done.stdout.splitlines()

    changed = ask("diff", "--name-only", "--merge-base", revision)
    return sorted({*changed, *ask("ls-files", "--others", "--exclude-standard")})


def choose_tests(root, changed):
    """Return the test files that are nearest to what changed.

    Those that changed themselves, and those named like what changed: of
    ``models/sms_ovh_job.py``, ``tests/test_sms_ovh_job.py``.

    :return: their names, without ``.py``; none where the addon itself did not change.
    """
    ours = [path for path in changed if path.split("/")[0] in (*PRODUCT, "static")]
    if not ours:
        return []
    chosen = set(ALWAYS)
    for path in ours:
        stem = path.rsplit("/", 1)[-1].split(".")[0].removesuffix("_views")
        for name in (stem, f"test_{stem}", f"test_{stem.removeprefix('sms_ovh_')}"):
            if name.startswith("test_") and (root / "tests" / f"{name}.py").exists():
                chosen.add(name)
        if path.startswith("static/"):
            chosen.add("test_counter")
    return sorted(chosen)


def main(arguments):
    """Run them; return the exit status, 0 only when nothing was found."""
    parser = argparse.ArgumentParser(
        prog="dev/check",
        description=(
            "Run the linters, the tests that need no Odoo where dev/ changed, and those "
            "tests of the addon that are nearest to what changed. A quick look: "
            "./dev/test runs all of them."
        ),
    )
    parser.add_argument(
        "revision",
        nargs="?",
        default="origin/HEAD",
        help="what the change is compared with (default: origin/HEAD)",
    )
    options = parser.parse_args(arguments)
    found = bool(lint.main([]))
    root = Checkout().root
    changed = find_changed(root, options.revision)
    if any(path.startswith("dev/") for path in changed):
        with platform() as parts:
            __, failed, __ = test.run_plain_tests(parts)
        found = found or bool(failed)
    tests = choose_tests(root, changed)
    if tests:
        tags = ",".join(f"/{ADDON}/tests/{name}.py" for name in tests)
        found = bool(test.main(["--test-tags", tags])) or found
    else:
        say("Nothing of the addon itself changed.")
    return int(found)

"""``dev/fresh [ODOO TEST OPTION...]``: both commands of README.rst where nothing is yet."""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from kit.cache import short_hash
from kit.children import Child
from kit.ports import free_port
from kit.system import is_root, run
from kit.ui import Problem, say, seconds_text, step
from kit.web import opener
from provision.checkout import Checkout
from provision.postgres import ROOTS_PLACE

# What a machine says of itself: where programs, certificates and packages are. Nothing
# of its user.
KEPT = (
    "PATH",
    "LANG",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
KEPT_BEGINNINGS = ("PIP_", "NPM_CONFIG_")
DEMO_SECONDS = 45 * 60
READY = "Ctrl-C stops all of it."


def _environment(home):
    """Return the environment of a user who has never been here."""
    return {
        "HOME": str(home),
        **{
            name: value
            for name, value in os.environ.items()
            if name.upper() in KEPT or name.upper().startswith(KEPT_BEGINNINGS)
        },
    }


def _ask(url):
    """Ask for a page, which must be had."""
    try:
        opener.open(url, timeout=60).close()
    except OSError as error:
        raise Problem(f"{url} does not answer: {error}") from None


def _demo(clone, environment):
    """Start the demonstration, open its pages, and stop it."""
    ports = [free_port(), free_port()]
    demo = Child(
        "./dev/demo",
        [
            *(str(clone / "dev/demo"), "--port", str(ports[0])),
            *("--simulator-port", str(ports[1])),
        ],
        environment,
        log=clone.parent / "demo.log",
    )
    try:
        demo.wait_until(
            lambda: READY in demo.log.read_text(errors="replace"),
            DEMO_SECONDS,
            "does not come up",
        )
        for port, path in ((ports[0], "web/login"), (ports[1], "")):
            _ask(f"http://localhost:{port}/{path}")
    finally:
        demo.stop()


def main(arguments):
    """Run ``dev/demo`` and ``dev/test`` in a clone; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="dev/fresh",
        usage="dev/fresh [-h] [OPTION OF dev/test ...]",
        description=(
            "Run the demonstration and all tests as on a new machine: in a clone of what "
            "is committed, with an empty home and no cache. All is downloaded anew."
        ),
        allow_abbrev=False,
    )
    __, arguments = parser.parse_known_args(arguments)
    root = Checkout().root
    start = time.monotonic()
    directory = Path(tempfile.mkdtemp(prefix="sms_ovh_fresh_"))
    home = directory / "home"
    home.mkdir()
    environment = _environment(home)
    try:
        run(["git", "clone", "--quiet", str(root), str(directory / "clone")], "Cloning")
        with step("./dev/demo with an empty home"):
            _demo(directory / "clone", environment)
        say("==> ./dev/test")
        command = [str(directory / "clone/dev/test"), *arguments]
        return Child("./dev/test", command, environment).follow()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        if is_root():
            # Root's PostgreSQL is not in its home.
            key = short_hash(home / ".cache" / "sms_ovh")
            shutil.rmtree(ROOTS_PLACE / key, ignore_errors=True)
        say(f"Took {seconds_text(time.monotonic() - start)}.")

"""``dev/screenshots [SCENE...]``: the pictures of README.rst, and index.html."""

import argparse
import shutil

from kit.ui import Problem, say, step
from ovh_simulator import demonstration
from provision.checkout import ADDON
from provision.databases import Databases, forget_removed_checkouts
from provision.odoo_tests import BROWSERS, require_browser
from provision.platform import platform

from .scenes import SCENES


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/screenshots",
        description=(
            "Make the pictures of README.rst from a demonstration of its own, "
            "then static/description/index.html from README.rst."
        ),
    )
    # The pictures show these addresses: other ports make other pictures.
    demonstration.add_ports(parser, 8169, 8901)
    parser.add_argument(
        "--page-only",
        action="store_true",
        help="make no picture, only static/description/index.html",
    )
    parser.add_argument(
        "scenes",
        nargs="*",
        choices=[[], *SCENES],
        metavar="SCENE",
        help=f"only these pictures: {', '.join(SCENES)}",
    )
    return demonstration.parse(parser, arguments)


def _take(odoo_url, simulator, directory, scenes):
    """Take pictures of a running Odoo and simulator; return lines on what was taken."""
    from .browser import Error, running
    from .studio import Studio

    directory.mkdir(parents=True, exist_ok=True)
    browser = next(path for path in map(shutil.which, BROWSERS) if path)
    with running(browser) as page:
        studio = Studio(page, odoo_url, simulator, directory)
        studio.log_in()
        for name, scene in SCENES.items():
            if scenes and name not in scenes:
                continue
            try:
                studio.open("sms-marketing")
                scene(studio)
            except (Problem, Error) as error:
                raise Problem(f"{name}: {error}") from error
    sizes = sorted(studio.taken.items())
    return [
        *(f"{size / 1024:7.1f} KiB  {name}.png" for name, size in sizes),
        f"{sum(studio.taken.values()) / 1024:7.1f} KiB  {len(sizes)} pictures",
        *(f"Look at {remark}" for remark in studio.remarks),
    ]


def _photograph(parts, options, directory):
    """Make a demonstration and take the pictures."""
    require_browser()
    databases = Databases(parts)
    forget_removed_checkouts(databases)
    with databases.of_this_run("screenshots", make=False) as database:
        databases.from_template(database, demo=True)
        title = f"Installing {ADDON} with demo data in French"
        with step(title):
            databases.install(database, title, "screenshots-install.log", "--with-demo")
        with demonstration.running(parts, database, options, "screenshots") as running:
            odoo_url, simulator, __ = running
            try:
                with step("Taking the pictures"):
                    lines = _take(odoo_url, simulator, directory, options.scenes)
            except Problem as problem:
                raise Problem(
                    f"{problem}\nThe pictures could not all be taken; the logs are in"
                    f" {parts.checkout.logs}."
                ) from None
        say("\n".join(lines))


def main(arguments):
    """Make the pictures and the page, and return the exit status."""
    options = _options(arguments)
    if not options.page_only:
        demonstration.require_ports(options)
    with platform() as parts:
        description = parts.checkout.root / "static" / "description"
        if not options.page_only:
            _photograph(parts, options, description / "images")
        # It needs packages that are only there now.
        from .page import write_page

        write_page(parts.checkout.root)
        say("Look at each picture before you commit it.")
    return 0

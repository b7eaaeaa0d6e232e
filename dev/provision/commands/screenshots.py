"""``dev/screenshots [SCENE...]``: the pictures of README.rst, and index.html."""

import argparse
import shutil
import time

from ..checkout import ADDON
from ..children import Child, stop_all
from ..databases import Databases, forget_removed_checkouts
from ..platform_ import DEV_DIRECTORY, platform
from ..ports import require_free
from ..system import run
from ..ui import Problem, say, step
from .demo import ANSWER_SECONDS, answers
from .test import BROWSERS, require_browser

# As in screenshots_/scenes.py, which needs packages that this runs without.
SCENES = (
    "sent",
    "progress",
    "failures",
    "replies",
    "dashboard",
    "account",
    "estimating",
    "writing",
    "hours",
    "counter",
)


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/screenshots",
        description=(
            "Make the pictures of README.rst from a demonstration of its own, "
            "then static/description/index.html from README.rst."
        ),
    )
    # The pictures show these addresses: other ports make other pictures.
    parser.add_argument(
        "--port",
        type=int,
        default=8169,
        metavar="PORT",
        help="Odoo's port (default: %(default)s)",
    )
    parser.add_argument(
        "--simulator-port",
        type=int,
        default=8901,
        metavar="PORT",
        help="the simulated OVHcloud's port (default: %(default)s)",
    )
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
    options = parser.parse_args(arguments)
    if options.port == options.simulator_port:
        parser.error("--port and --simulator-port must differ")
    return options


def _start(child, url):
    """Wait until a server answers.

    :raise Problem: when it doesn't.
    """
    deadline = time.monotonic() + ANSWER_SECONDS
    while not answers(url):
        if child.status() is not None or time.monotonic() > deadline:
            raise Problem(
                f"{child.name} does not answer at {url}; its log is {child.log}."
            )
        time.sleep(0.3)


def _photograph(parts, databases, database, options):
    """Run the demonstration and take the pictures.

    :raise Problem: when one can't be taken.
    """
    odoo_url = f"http://localhost:{options.port}"
    simulator_url = f"http://localhost:{options.simulator_port}"
    browser = next(path for path in map(shutil.which, BROWSERS) if path)
    environment = parts.environment(PYTHONPATH=str(DEV_DIRECTORY))
    logs = parts.checkout.logs
    children = []
    try:
        with step("Starting the simulated OVHcloud and Odoo"):
            databases.set_addresses(database, odoo_url, simulator_url)
            children.append(
                Child(
                    "The simulated OVHcloud",
                    parts.simulator_command(
                        "--host", "127.0.0.1", "--port", options.simulator_port
                    ),
                    environment,
                    logs / "screenshots-simulator.log",
                )
            )
            _start(children[-1], f"http://127.0.0.1:{options.simulator_port}/")
            children.append(
                Child(
                    "Odoo",
                    parts.odoo_command(
                        "-d",
                        database,
                        "--db-filter",
                        f"^{database}$",
                        "--no-database-list",
                        "--http-interface",
                        "127.0.0.1",
                        "--http-port",
                        options.port,
                        "--workers",
                        0,
                        "--max-cron-threads",
                        2,
                    ),
                    parts.environment(),
                    logs / "screenshots-odoo.log",
                )
            )
            _start(children[-1], f"http://127.0.0.1:{options.port}/web/login")
        with step("Taking the pictures"):
            camera = Child(
                "The camera",
                [
                    str(parts.python.python),
                    "-m",
                    "screenshots_",
                    "--odoo",
                    odoo_url,
                    "--simulator",
                    simulator_url,
                    "--browser",
                    browser,
                    "--directory",
                    str(_description(parts) / "images"),
                    *options.scenes,
                ],
                environment,
            )
            children.append(camera)
            lines = list(camera.lines)
            status = camera.wait()
        say("".join(lines).rstrip())
        if status:
            raise Problem(
                f"The pictures could not all be taken; the logs are in {logs}."
            )
    finally:
        stop_all(reversed(children))


def _description(parts):
    return parts.checkout.root / "static" / "description"


def main(arguments):
    """Make the pictures and the page.

    :param list[str] arguments: see ``--help``.
    :return: the exit status.
    :raise Problem: when a port is taken, or a picture can't be taken.
    """
    options = _options(arguments)
    if not options.page_only:
        require_free(options.port, "Odoo", "--port")
        require_free(
            options.simulator_port, "the simulated OVHcloud", "--simulator-port"
        )
    with platform() as parts:
        if not options.page_only:
            require_browser()
            databases = Databases(parts)
            forget_removed_checkouts(databases)
            with databases.of_this_run("screenshots", make=False) as database:
                databases.from_template(database, demo=True)
                title = f"Installing {ADDON} with demo data in French"
                with step(title):
                    databases.odoo(
                        title,
                        "screenshots-install.log",
                        "-d",
                        database,
                        "-i",
                        ADDON,
                        "--with-demo",
                    )
                _photograph(parts, databases, database, options)
        run(
            [
                str(parts.python.python),
                "-m",
                "screenshots_.page",
                str(parts.checkout.root / "README.rst"),
                str(parts.checkout.root / "docs" / "guide.fr.rst"),
                str(_description(parts) / "index.html"),
            ],
            "Making static/description/index.html",
            env=parts.environment(PYTHONPATH=str(DEV_DIRECTORY)),
        )
        say("Look at each picture before you commit it.")
    return 0

"""``dev/demo``: French demo data, the simulated OVHcloud, and Odoo with its cron."""

import argparse
import fcntl
import time
import urllib.error
import urllib.request

from ..children import Child, stop_all
from ..databases import Databases, forget_removed_checkouts
from ..platform_ import DEV_DIRECTORY, platform
from ..ports import require_free
from ..ui import Problem, say, step

ANSWER_SECONDS = 180


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/demo",
        description="Run Odoo with the addon, demo data in French and a simulated OVHcloud.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8069,
        metavar="PORT",
        help="Odoo's port (default: %(default)s)",
    )
    parser.add_argument(
        "--simulator-port",
        type=int,
        default=8900,
        metavar="PORT",
        help="the simulated OVHcloud's port (default: %(default)s)",
    )
    parser.add_argument("--reset", action="store_true", help="make the database again")
    options = parser.parse_args(arguments)
    if options.port == options.simulator_port:
        parser.error("--port and --simulator-port must differ")
    return options


def answers(url):
    """Tell whether a server answers.

    :param str url: the page to ask for.
    :return: True when something came back, whatever it says.
    """
    # Never through a proxy: this is this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(url, timeout=60).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def _died(child):
    lines = "\n".join("    " + line for line in child.last_lines())
    return Problem(
        f"{child.name} has stopped by itself (exit status {child.status()}); its last "
        f"lines, from {child.log}:\n{lines}"
    )


def _wait_until_answering(child, url):
    deadline = time.monotonic() + ANSWER_SECONDS
    while not answers(url):
        if child.status() is not None:
            raise _died(child)
        if time.monotonic() > deadline:
            raise Problem(
                f"{child.name} does not answer at {url}; its log is {child.log}."
            )
        time.sleep(0.3)


def _welcome(odoo_url, simulator_url, logs):
    say(f"""
Odoo is running       {odoo_url}   (login admin, password admin)
The simulated OVHcloud and its virtual phones: {simulator_url}

What to try:
  1. Open both addresses side by side and log in to Odoo.
  2. In SMS Marketing (the application of that name), write an SMS to the list
     "Clients fidèles" and press Send ("Envoyer").
  3. Watch the phones receive it; in the campaign, the button "SMS" lists each one's state.
  4. Switch a phone off, send again, and see the failure and its reason in Odoo.
  5. Under Configuration > OVHcloud Settings: account, senders, what was sent and reported.

Logs: {logs}
Ctrl-C stops all of it.""")


def main(arguments):
    """Run the demonstration until Ctrl-C.

    :param list[str] arguments: see ``--help``.
    :return: the exit status.
    :raise Problem: when a port is taken or something fails to start.
    """
    options = _options(arguments)
    require_free(options.port, "Odoo", "--port")
    require_free(options.simulator_port, "the simulated OVHcloud", "--simulator-port")
    odoo_url = f"http://localhost:{options.port}"
    simulator_url = f"http://localhost:{options.simulator_port}"
    with platform() as parts, open(parts.checkout.cache / "demo.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(
                "The demonstration of this checkout is already running: stop that one first.",
                status=2,
            ) from None
        databases = Databases(parts)
        forget_removed_checkouts(databases)
        database = databases.demo(options.reset)
        databases.set_addresses(database, odoo_url, simulator_url)
        logs = parts.checkout.logs
        children = []
        try:
            with step("Starting the simulated OVHcloud and Odoo"):
                simulator = Child(
                    "The simulated OVHcloud",
                    parts.simulator_command(
                        "--host", "127.0.0.1", "--port", options.simulator_port
                    ),
                    parts.environment(PYTHONPATH=str(DEV_DIRECTORY)),
                    logs / "demo-simulator.log",
                )
                children.append(simulator)
                # Odoo reads its OVHcloud account as soon as it runs.
                _wait_until_answering(
                    simulator, f"http://127.0.0.1:{options.simulator_port}/"
                )
                odoo = Child(
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
                    logs / "demo-odoo.log",
                )
                children.append(odoo)
                _wait_until_answering(
                    odoo, f"http://127.0.0.1:{options.port}/web/login"
                )
            _welcome(odoo_url, simulator_url, logs)
            while True:
                for child in children:
                    if child.status() is not None:
                        raise _died(child)
                time.sleep(0.5)
        except KeyboardInterrupt:
            say("\nStopping ...")
            return 0
        finally:
            stop_all(reversed(children))

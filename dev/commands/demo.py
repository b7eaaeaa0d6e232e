"""``dev/demo``: French demo data, the simulated OVHcloud, and Odoo with its cron."""

import argparse
import time

from kit.cache import try_lock
from kit.ui import Problem, say
from ovh_simulator import demonstration
from provision.databases import Databases, forget_removed_checkouts
from provision.platform import platform


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/demo",
        description="Run Odoo with the addon, demo data in French and a simulated OVHcloud.",
    )
    demonstration.add_ports(parser, 8069, 8900)
    parser.add_argument("--reset", action="store_true", help="make the database again")
    return demonstration.parse(parser, arguments)


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


def _watch(children):
    """Wait for Ctrl-C, or for the :class:`Problem` that a process ends before."""
    while True:
        for child in children:
            if child.status() is not None:
                raise child.died()
        time.sleep(0.5)


def main(arguments):
    """Run the demonstration until Ctrl-C, and return the exit status."""
    options = _options(arguments)
    demonstration.require_ports(options)
    with platform() as parts, open(parts.checkout.cache / "demo.lock", "w") as lock:
        if not try_lock(lock):
            raise Problem(
                "The demonstration of this checkout is already running: stop that one first.",
                status=2,
            )
        databases = Databases(parts)
        forget_removed_checkouts(databases)
        database = databases.demo(options.reset)
        try:
            with demonstration.running(parts, database, options, "demo") as running:
                odoo_url, simulator, children = running
                _welcome(odoo_url, simulator.root, parts.checkout.logs)
                _watch(children)
        except KeyboardInterrupt:
            say("\nStopping ...")
    return 0

"""``dev/odoo ARGUMENT...``: Odoo's own command line in the platform's environment."""

import os
import re
import signal
import subprocess

from kit.ports import free_port, is_free
from kit.system import guarded
from kit.ui import say
from provision.platform import platform

DEFAULT_PORT = 8069
PORT_OPTIONS = {"-p", "--http-port", "--no-http", "--stop-after-init"}
PORT_OPTIONS |= {"-h", "--help", "--version"}


def _port_for(arguments):
    """Return variables that choose another port where Odoo's own is taken and not named."""
    names = {argument.split("=", 1)[0] for argument in arguments}
    telling = PORT_OPTIONS
    if names & {"--test-tags", "--test-enable", "--test-file"}:
        telling = telling - {"--stop-after-init"}
    first = arguments[0] if arguments else "server"
    if (
        "ODOO_HTTP_PORT" in os.environ
        or names & telling
        or any(re.match(r"-p\d+$", argument) for argument in arguments)
        or not (first.startswith("-") or first in ("server", "start"))
        or is_free(DEFAULT_PORT, "0.0.0.0")
    ):
        return {}
    port = free_port()
    say(f"Port {DEFAULT_PORT} is taken: Odoo listens on {port} (choose with -p PORT).")
    return {"ODOO_HTTP_PORT": str(port)}


def main(arguments):
    """Run Odoo and end as it ends."""
    with platform() as parts:
        process = subprocess.Popen(
            guarded(parts.odoo_command(*arguments), "TERM"),
            env=parts.environment(**_port_for(arguments)),
        )

        def forward(signum, _frame):
            process.send_signal(signum)

        # Ctrl-C reaches Odoo by itself: it shares the terminal. The others are passed on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, forward)
        signal.signal(signal.SIGHUP, forward)
        status = process.wait()
    return status if status >= 0 else 128 - status

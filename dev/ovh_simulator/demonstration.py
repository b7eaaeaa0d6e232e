"""A demonstration: Odoo beside the simulator, as people and pictures see them."""

import contextlib

from kit.children import stop_all
from kit.ports import HOST, require_free
from kit.ui import step
from kit.web import wait_until_answering
from provision.databases import Databases

from .process import Process


def add_ports(parser, odoo, simulator):
    """Add the options that name the ports.

    :param int odoo: Odoo's port by default.
    """
    for option, what, port in (
        ("--port", "Odoo", odoo),
        ("--simulator-port", "the simulated OVHcloud", simulator),
    ):
        parser.add_argument(
            option,
            type=int,
            default=port,
            metavar="PORT",
            help=f"{what}'s port (default: %(default)s)",
        )


def parse(parser, arguments):
    """Read the command line.

    :return: the options; the command ends where both ports are the same.
    """
    options = parser.parse_args(arguments)
    if options.port == options.simulator_port:
        parser.error("--port and --simulator-port must differ")
    return options


def require_ports(options):
    """Refuse ports that are taken.

    :raise Problem: when one is.
    """
    require_free(options.port, "Odoo", "--port")
    require_free(options.simulator_port, "the simulated OVHcloud", "--simulator-port")


@contextlib.contextmanager
def running(parts, database, options, name):
    """Run Odoo and the simulator for as long as the block lasts.

    :param str database: a database with the addon's demo data.
    :param options: what :func:`parse` returns.
    :param str name: what their logs are called.
    :return: Odoo's address, the simulator, and the list of processes, as the context's
        value; what the block adds to the list is stopped with them.
    :raise Problem: when one does not start.
    """
    odoo_url = f"http://localhost:{options.port}"
    simulator_url = f"http://localhost:{options.simulator_port}"
    Databases(parts).set_addresses(database, odoo_url, simulator_url)
    logs = parts.checkout.logs
    children = []
    try:
        with step("Starting the simulated OVHcloud and Odoo"):
            simulator = Process(
                parts.python.python,
                parts.environment(),
                logs / f"{name}-simulator.log",
                options.simulator_port,
            )
            children.append(simulator.process)
            # Odoo reads its OVHcloud account as soon as it runs.
            simulator.wait()
            # As people see it.
            simulator.root = simulator_url
            odoo = parts.start_odoo(
                "Odoo",
                database,
                logs / f"{name}-odoo.log",
                options.port,
                *("--db-filter", f"^{database}$", "--no-database-list"),
                *("--workers", 0, "--max-cron-threads", 2),
            )
            children.append(odoo)
            wait_until_answering(odoo, f"http://{HOST}:{options.port}/web/login")
        yield odoo_url, simulator, children
    finally:
        stop_all(reversed(children))

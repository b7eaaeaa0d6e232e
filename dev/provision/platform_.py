"""All parts together: what a command needs to run Odoo."""

import contextlib
import os
import threading
from pathlib import Path

from .cache import cache_dir
from .checkout import Checkout
from .odoo_source import odoo_source
from .postgres import running_server
from .python_env import python_environment

LAUNCHER = Path(__file__).resolve().parent / "launcher" / "odoo"
DEV_DIRECTORY = Path(__file__).resolve().parent.parent


class Platform:
    """Odoo, its Python, its database server and this checkout.

    :param OdooSource source: Odoo.
    :param PythonEnvironment python: the virtual environment.
    :param Server server: PostgreSQL.
    :param Checkout checkout: the addon.
    """

    def __init__(self, source, python, server, checkout):
        self.source = source
        self.python = python
        self.server = server
        self.checkout = checkout
        self.data_dir = cache_dir() / "data"
        self.fingerprint = f"{source.fingerprint}-{python.fingerprint}"

    def write_config(self):
        """Write the configuration file that Odoo is started with.

        :return: its path.
        """
        addons = [*self.source.addons, self.checkout.addons]
        lines = [
            "[options]",
            f"addons_path = {','.join(map(str, addons))}",
            f"data_dir = {self.data_dir}",
            "http_interface = 127.0.0.1",
            "max_cron_threads = 1",
            f"screenshots = {self.checkout.cache / 'screenshots'}",
        ]
        path = self.checkout.cache / "odoo.conf"
        # Another run of this checkout may be reading it, or another thread writing it.
        temporary = path.with_name(f"odoo.conf.{os.getpid()}.{threading.get_ident()}")
        temporary.write_text("\n".join(lines) + "\n")
        temporary.replace(path)
        return path

    def environment(self, **extra):
        """Make the environment of Odoo and of what talks to its databases.

        :param extra: more variables.
        :return: a dictionary.
        """
        path = [str(self.python.directory / "bin"), os.environ.get("PATH", os.defpath)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.source.python_path),
            "PATH": os.pathsep.join(path),
            "VIRTUAL_ENV": str(self.python.directory),
            "ODOO_RC": str(self.write_config()),
            # Compiled code stays out of the checkout, and Odoo starts faster the second time.
            "PYTHONPYCACHEPREFIX": str(cache_dir() / "pycache"),
            **self.server.environment,
            **extra,
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        return environment

    def odoo_command(self, *arguments):
        """Make the command that runs Odoo.

        :param arguments: Odoo's own.
        :return: a list.
        """
        return [str(self.python.python), str(LAUNCHER), *map(str, arguments)]

    def simulator_command(self, *arguments):
        """Make the simulator's command; its PYTHONPATH is :data:`DEV_DIRECTORY`.

        :param arguments: the simulator's own.
        :return: a list.
        """
        return [str(self.python.python), "-m", "ovh_simulator", *map(str, arguments)]


@contextlib.contextmanager
def platform():
    """Have everything for as long as the block lasts, set up where it is not yet.

    :return: a :class:`Platform`, as the context's value.
    :raise Problem: when something is missing and can't be installed.
    """
    checkout = Checkout().prepare()
    python = python_environment()
    source = odoo_source()
    with running_server() as server:
        yield Platform(source, python, server, checkout)

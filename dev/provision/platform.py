"""All parts together: what a command needs to run Odoo."""

import contextlib
import os
import subprocess
import threading
from pathlib import Path

from kit.cache import cache_dir
from kit.children import Child
from kit.ports import HOST
from kit.system import guarded

from .checkout import Checkout
from .odoo_source import odoo_source
from .postgres import running_server
from .python_env import python_environment

LAUNCHER = Path(__file__).resolve().parent / "launcher" / "odoo"


class Platform:
    """Odoo, its Python, its database server and this checkout."""

    def __init__(self, source, python, server, checkout):
        self.source = source
        self.python = python
        self.server = server
        self.checkout = checkout
        self.data_dir = cache_dir() / "data"
        self.config = checkout.cache / "odoo.conf"
        self.fingerprint = f"{source.fingerprint}-{python.fingerprint}"

    def write_config(self):
        """Write the configuration file that Odoo is started with, and return its path."""
        addons = [*self.source.addons, self.checkout.addons]
        lines = [
            "[options]",
            f"addons_path = {','.join(map(str, addons))}",
            f"data_dir = {self.data_dir}",
            "http_interface = 127.0.0.1",
            "max_cron_threads = 1",
            f"screenshots = {self.checkout.cache / 'screenshots'}",
        ]
        # Another run of this checkout may be reading it, or another thread writing it.
        own = f"odoo.conf.{os.getpid()}.{threading.get_ident()}"
        temporary = self.config.with_name(own)
        temporary.write_text("\n".join(lines) + "\n")
        temporary.replace(self.config)
        return self.config

    def environment(self, **extra):
        """Return the environment of Odoo and what talks to its databases, and more."""
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
        """Return the command that runs Odoo."""
        return [str(self.python.python), str(LAUNCHER), *map(str, arguments)]

    def shell(self, database, code, *options):
        """Run code in Odoo's shell.

        :param str code: Python; ``env`` is Odoo's environment.
        :return: the exit status, and the lines that were written, the log among them.
        """
        done = subprocess.run(
            guarded(
                self.odoo_command(
                    *("shell", "-d", database, *options, "--no-http"),
                    *("--max-cron-threads=0", "--log-level=warn"),
                )
            ),
            input=code,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self.environment(),
        )
        return done.returncode, done.stdout.splitlines()

    def start_odoo(self, name, database, log, port, *options):
        """Start an Odoo server.

        :param str name: what it is, for people.
        :param Path log: the file that gets its log.
        :param int port: where it listens; None where it has no HTTP server.
        :return: the :class:`Child`.
        """
        http = (
            ("--http-interface", HOST, "--http-port", port) if port else ("--no-http",)
        )
        command = self.odoo_command("-d", database, *http, *options)
        return Child(name, command, self.environment(), log)


@contextlib.contextmanager
def platform():
    """Have a :class:`Platform`, set up where it is not, as long as the block lasts."""
    checkout = Checkout().prepare()
    python = python_environment()
    python.use_packages()
    source = odoo_source()
    with running_server() as server:
        yield Platform(source, python, server, checkout)

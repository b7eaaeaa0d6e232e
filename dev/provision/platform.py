"""All parts together: what a command needs to run Odoo."""

import contextlib
import json
import os
import subprocess
import tempfile
import threading
from pathlib import Path

from kit import DEV_DIRECTORY
from kit.cache import cache_dir
from kit.children import Child
from kit.ports import HOST
from kit.system import guarded
from kit.ui import Problem, last_lines

from .checkout import Checkout
from .odoo_source import odoo_source
from .postgres import running_server
from .python_env import python_environment

LAUNCHER = Path(__file__).resolve().parent / "launcher" / "odoo"
CALLER = LAUNCHER.with_name("call.py")


def errors_in(lines):
    """Return those lines of a log that are errors."""
    return [line for line in lines if " ERROR " in line or " CRITICAL " in line]


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

    def run(self, command, log, mode="w", **extra):
        """Run a command of Odoo's whose output goes to a log.

        :param str mode: as of :func:`open`, to add to the log
        :param extra: more variables of its environment
        :return: the exit status, and the lines that it wrote
        """
        with open(log, mode) as stream:
            start = stream.tell()
            status = subprocess.run(
                guarded(command),
                env=self.environment(**extra),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            ).returncode
        with open(log, errors="replace") as stream:
            stream.seek(start)
            return status, stream.read().splitlines()

    def call(self, database, function, log, *options, strict=True, **values):
        """Have a new process of Odoo call a function with its environment and values.

        :param str function: with its module
        :param Path log: to which Odoo adds what it says
        :param bool strict: whether an error in the log is a failure
        :return: what it returns
        :raise Problem: when it fails
        """
        with tempfile.TemporaryDirectory(prefix="sms_ovh_call_") as folder:
            order, result = Path(folder, "order"), Path(folder, "result")
            order.write_text(json.dumps([function, values]))
            command = [
                *map(str, (self.python.python, CALLER, order, result)),
                *("-d", database, *options, "--no-http", "--max-cron-threads=0"),
            ]
            path = f"{self.source.python_path}:{DEV_DIRECTORY}"
            status, lines = self.run(command, log, "a", PYTHONPATH=path)
            errors = errors_in(lines) if strict else []
            if status or errors:
                said = last_lines(errors[:3] + lines[-20:], 23)
                raise Problem(f"{function} failed; Odoo's log is {log}.\n{said}")
            return json.loads(result.read_text())

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

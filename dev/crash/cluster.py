"""A PostgreSQL cluster of the crash test's own, which may be ended at any moment."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from kit.cache import cache_dir
from kit.system import guarded, is_root
from kit.ui import Problem, last_lines
from provision.postgres import SYSTEM_USER, PrivateCluster

START_SECONDS = 60
# The line of `postmaster.pid` that says whether connections are accepted.
STATUS_LINE = 7
# A transaction that Odoo takes for committed must be: the other settings of the
# development platform lose nothing as long as the machine itself goes on.
SETTINGS = """
synchronous_commit = on
restart_after_crash = on
"""


class CrashCluster(PrivateCluster):
    """A cluster that is made for one run and goes away with it."""

    def __init__(self):
        super().__init__()
        self._places = (self.root.parent if is_root() else cache_dir()) / "crash"
        self.root = self._places / str(os.getpid())
        self.cache_key = f"crash-{os.getpid()}"
        self._process = None

    def __enter__(self):
        self._sweep()
        self._prepare()
        self._create()
        with open(self.data / "postgresql.conf", "a") as stream:
            stream.write(SETTINGS)
        self._own(self.socket)
        self.launch()
        return self

    def __exit__(self, *args):
        if self._process and self._process.poll() is None:
            self.end(signal.SIGQUIT)
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.rmtree(self.socket, ignore_errors=True)

    def _sweep(self):
        """Remove what killed runs left: their server died with them."""
        if not self._places.is_dir():
            return
        for place in self._places.iterdir():
            if place.name.isdecimal() and not Path("/proc", place.name).exists():
                shutil.rmtree(place, ignore_errors=True)

    def launch(self):
        """Start the server and wait until it accepts connections."""
        options = {"user": SYSTEM_USER, "group": SYSTEM_USER} if is_root() else {}
        status = self.data / "postmaster.pid"
        status.unlink(missing_ok=True)
        with open(self.log, "a") as log:
            self._process = subprocess.Popen(
                # It ends with this process, even when that is killed.
                guarded(
                    [
                        str(self.binaries / "postgres"),
                        *("-D", str(self.data), "-k", str(self.socket), "-p", "5432"),
                    ],
                    "QUIT",
                ),
                cwd="/",
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                extra_groups=[] if is_root() else None,
                **options,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                lines = status.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready":
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                tail = last_lines(self.log.read_text().splitlines())
                raise Problem(f"The crash test's PostgreSQL does not start:\n{tail}")
            time.sleep(0.02)

    def end(self, how):
        """End the server.

        :param int how: ``SIGINT`` cuts the connections and shuts down properly,
            ``SIGQUIT`` drops everything, so that the next start has to recover
        """
        self._process.send_signal(how)
        self._process.wait()

    def restart(self, how):
        """End the server and start it again. See :meth:`end`."""
        self.end(how)
        self.launch()

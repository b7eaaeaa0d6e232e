"""Odoo, as the scenarios handle it."""

import contextlib
import json
import os
import select
import signal
import subprocess

from kit import DEV_DIRECTORY
from kit.system import guarded
from kit.ui import Problem

START_SECONDS = 120
STOP_SECONDS = 3


class Life:
    """One process forked from the host, and the file that gets what it returns."""

    def __init__(self, pid, result):
        self._result = result
        self._handle = None
        with contextlib.suppress(ProcessLookupError):
            # Else it has ended already.
            self._handle = os.pidfd_open(pid)

    def wait(self, seconds=None):
        """Wait for its end, and return whether it has ended."""
        if self._handle is not None:
            if not select.select([self._handle], [], [], seconds)[0]:
                return False
            os.close(self._handle)
            self._handle = None
        return True

    def kill(self):
        """Kill it outright, unless it has ended."""
        if self._handle is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        self.wait()

    @property
    def killed(self):
        """Whether it was killed, once it has ended."""
        return not self._result.exists()

    def result(self):
        """Wait for its end, and return what it returned.

        :raise Problem: when it did not
        """
        self.wait()
        text = "" if self.killed else self._result.read_text()
        if not text:
            raise Problem("A process of Odoo failed; see its log.")
        return json.loads(text)


class Host:
    """Odoo, from which processes are forked. See :mod:`crash.host`.

    :param platform: the platform, with the crash test's own server
    :param Path folder: where results are kept
    """

    def __init__(self, platform, database, folder, log):
        self._folder = folder
        self._number = 0
        path = f"{platform.source.python_path}:{DEV_DIRECTORY}"
        command = [
            *(str(platform.python.python), "-m", "crash.host"),
            *("-d", database, "--no-http", "--max-cron-threads=0"),
            *("--db_maxconn", "64"),
        ]
        with open(log, "a") as stream:
            self._process = subprocess.Popen(
                guarded(command),
                cwd=DEV_DIRECTORY,
                env=platform.environment(PYTHONPATH=path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            )
        self._take()

    def _take(self):
        """Return the line that it writes next."""
        output = self._process.stdout
        line = ""
        if select.select([output], [], [], START_SECONDS)[0]:
            line = output.readline()
        if not line:
            raise Problem("Odoo does not start, or has ended; see its log.")
        return line

    def start(self, name, /, **arguments):
        """Fork a process that runs a function of :mod:`crash.lives`; return its Life."""
        self._number += 1
        result = self._folder / f"result-{self._number}"
        order = {"name": name, "arguments": arguments, "result": str(result)}
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return Life(int(self._take()), result)

    def run(self, name, /, **arguments):
        """Fork a process and wait for what it returns. See :meth:`start`."""
        return self.start(name, **arguments).result()

    def stop(self):
        """End Odoo, and what was forked from it."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

"""Odoo, as the scenarios handle it."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading

from kit import DEV_DIRECTORY
from kit.system import guarded
from kit.ui import Problem

START_SECONDS = 120
STOP_SECONDS = 3


class Life:
    """One process forked from the host.

    :param Path result: the file that gets what it returns
    """

    def __init__(self, pid, result):
        self.pid = pid
        self._result = result
        self._ended = threading.Event()
        self.status = None

    def end(self, status):
        """Note that it has ended."""
        self.status = status
        self._ended.set()

    def wait(self, seconds=None):
        """Wait for its end.

        :return: whether it has ended
        """
        return self._ended.wait(seconds)

    def kill(self):
        """Kill it outright, unless it has ended."""
        if not self._ended.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._ended.wait()

    @property
    def killed(self):
        """Whether it was killed."""
        return self.status == -signal.SIGKILL

    def result(self):
        """Wait for its end.

        :return: what it returned
        :raise Problem: when it did not
        """
        self._ended.wait()
        if self.status:
            raise Problem(f"A process of Odoo failed (exit status {self.status}).")
        return json.loads(self._result.read_text())


class Host:
    """Odoo, from which processes are forked. See :mod:`crash.host`.

    :param platform: the platform, with the crash test's own server
    :param Path folder: where results are kept
    """

    def __init__(self, platform, database, folder, log):
        self._folder = folder
        self._lives = {}
        self._started = queue.Queue()
        self._number = 0
        path = f"{platform.source.python_path}:{DEV_DIRECTORY}"
        with open(log, "a") as stream:
            self._process = subprocess.Popen(
                guarded(
                    [
                        *(str(platform.python.python), "-m", "crash.host"),
                        *("-d", database, "--no-http", "--max-cron-threads=0"),
                        *("--db_maxconn", "64"),
                    ]
                ),
                cwd=DEV_DIRECTORY,
                env=platform.environment(PYTHONPATH=path),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stream,
                text=True,
                start_new_session=True,
            )
        threading.Thread(target=self._read, daemon=True).start()
        self._take(START_SECONDS)

    def _read(self):
        for line in self._process.stdout:
            message = json.loads(line)
            if "status" in message:
                self._lives[message["number"]].end(message["status"])
                continue
            if "pid" in message:
                result = self._folder / f"result-{message['number']}"
                self._lives[message["number"]] = Life(message["pid"], result)
            self._started.put(message)
        self._started.put(None)

    def _take(self, seconds):
        try:
            message = self._started.get(timeout=seconds)
        except queue.Empty:
            message = None
        if message is None:
            raise Problem("Odoo does not start, or has ended; see its log.")
        return message

    def start(self, name, /, **arguments):
        """Fork a process.

        :param str name: function of :mod:`crash.lives`
        :rtype: Life
        """
        self._number += 1
        order = {
            "number": self._number,
            "name": name,
            "arguments": arguments,
            "result": str(self._folder / f"result-{self._number}"),
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._lives[self._take(START_SECONDS)["number"]]

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

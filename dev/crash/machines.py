"""Odoo and the simulated OVHcloud, as the scenarios handle them."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from provision.platform_ import DEV_DIRECTORY
from provision.system import guarded
from provision.ui import Problem

START_SECONDS = 120
STOP_SECONDS = 3
# Never through a proxy: all of it is this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Simulator:
    """The admin routes of the simulated OVHcloud.

    :param str root: its address
    """

    def __init__(self, root):
        self.root = root
        self.api_url = f"{root}/1.0"

    def call(self, method, path, content=None):
        """Call an admin route.

        :return: the decoded answer
        """
        request = urllib.request.Request(
            f"{self.root}/simulator/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        with _opener.open(request, timeout=120) as response:
            return json.load(response)

    def configure(self, **config):
        """Change the configuration."""
        self.call("POST", "config", config)

    def order_faults(self, *faults):
        """Have coming requests fail."""
        self.call("POST", "faults", list(faults))

    def clear_faults(self):
        """Forget the faults that are left."""
        self.call("DELETE", "faults")

    def state(self, *parts):
        """Return these parts of the state."""
        return self.call("GET", f"state?only={','.join(parts)}")

    def finish_callbacks(self, quiet=1.0, seconds=60):
        """Have all reports made that are due or scheduled, and wait for the last.

        :param float quiet: seconds without a report after which there are none left
        :param float seconds: wait no longer than this
        """
        counts, since = None, time.monotonic()
        deadline = since + seconds
        while time.monotonic() < deadline:
            self.call("POST", "callbacks/flush")
            now = self.state("callbacks")["callbacks"]["counts"]
            if now != counts:
                counts, since = now, time.monotonic()
            elif time.monotonic() - since > quiet:
                return
            time.sleep(0.1)
        raise Problem("The simulator's delivery reports come to no end.")


class Life:
    """One process forked from the host.

    :param int pid: its id
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
    :param str database: the database
    :param Path folder: where results are kept
    :param Path log: Odoo's log
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
        :param arguments: its arguments
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


def wait_for_file(path, child, what):
    """Wait until `path` is there.

    :param Path path: the file
    :param child: the :class:`provision.children.Child` that makes it
    :param str what: what the child is, for people
    :return: its text
    :raise Problem: when the child ends, or takes too long
    """
    deadline = time.monotonic() + START_SECONDS
    while not Path(path).exists():
        if child.status() is not None or time.monotonic() > deadline:
            raise Problem(f"{what} does not start; its log is {child.log}.")
        time.sleep(0.05)
    return Path(path).read_text()


def wait_for_page(url, child, what):
    """Wait until a server answers. See :func:`wait_for_file`."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            _opener.open(url, timeout=START_SECONDS).close()
            return
        except OSError:
            if child.status() is not None or time.monotonic() > deadline:
                raise Problem(
                    f"{what} does not start; its log is {child.log}."
                ) from None
            time.sleep(0.1)

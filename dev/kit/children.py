"""Processes that a command starts and stops, with all that they start themselves."""

import collections
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import DEV_DIRECTORY
from .system import guarded
from .ui import Problem

STOP_SECONDS = 12


class Child:
    """A process in its own session, so that all it starts is stopped with it.

    :param str name: what it is, for people.
    :param Path log: the file that its output goes to.
    :param output: where it goes without such a file; by default it can be read from
        :attr:`lines`.
    """

    def __init__(self, name, command, environment, log=None, output=subprocess.PIPE):
        self.name = name
        self.log = log
        if log:
            output = open(log, "w")
        try:
            self._process = subprocess.Popen(
                guarded(command, "TERM"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                encoding="utf-8",
                errors="replace",
            )
        finally:
            if log:
                output.close()
        self.lines = self._process.stdout

    @property
    def pid(self):
        """The id of the process."""
        return self._process.pid

    def status(self):
        """Tell how it ended.

        :return: its exit status, or None while it runs.
        """
        return self._process.poll()

    def wait(self):
        """Wait for its end.

        :return: its exit status.
        """
        return self._process.wait()

    def follow(self, take=None, silence=float("inf")):
        """Hand on its output until it ends; it is stopped then, whatever happens.

        :param take: function of each line, by default it is printed.
        :param float silence: seconds without a line after which it is stopped.
        :return: its exit status, None where it was stopped for its silence.
        """
        watchdog = _Watchdog(self, silence)
        try:
            for line in self.lines:
                watchdog.alive()
                if take:
                    take(line)
                else:
                    print(line, end="", flush=True)
            status = self.wait()
        finally:
            watchdog.end()
            self.stop()
        return None if watchdog.barked else status

    def last_lines(self, count=15):
        """Read the end of its log.

        :param int count: the number of lines.
        :return: the lines.
        """
        with open(self.log, errors="replace") as handle:
            return [line.rstrip("\n") for line in collections.deque(handle, count)]

    def died(self):
        """Return the :class:`Problem` of a process that was to run on."""
        ending = f"{self.name} has stopped by itself (exit status {self.status()})"
        if not self.log:
            return Problem(f"{ending}.")
        lines = "\n".join(f"    {line}" for line in self.last_lines())
        return Problem(f"{ending}; its last lines, from {self.log}:\n{lines}")

    def signal(self, signum):
        try:
            os.killpg(self._process.pid, signum)
        except ProcessLookupError:
            pass

    def _group_lives(self):
        self._process.poll()
        try:
            os.killpg(self._process.pid, 0)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def stop(self):
        """Stop it and all that it started; one that doesn't listen is killed."""
        stop_all([self])

    def clean(self):
        """Remove what it left behind, once it has ended."""


def stop_all(children, seconds=STOP_SECONDS):
    """Stop processes together; Ctrl-C while they stop kills them at once.

    :param float seconds: how long they may take before they are killed.
    """
    children = list(children)
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and any(
            child._group_lives() for child in children
        ):
            time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    for child in children:
        child.signal(signal.SIGKILL)
        child._process.wait()
        child.clean()


class Server(Child):
    """A server of ``dev/``: it writes its port into a file once it accepts connections.

    :param str name: what it is, for people.
    :param list command: the command, without the option ``--port-file``.
    :param dict environment: its environment, but for the path of Python's modules.
    :param Path log: as of any :class:`Child`; without one it writes where this process
        does.
    """

    def __init__(self, name, command, environment, log=None):
        self._folder = tempfile.TemporaryDirectory(prefix="sms_ovh_")
        self._port_file = Path(self._folder.name) / "port"
        super().__init__(
            name,
            [*command, "--port-file", str(self._port_file)],
            {**environment, "PYTHONPATH": str(DEV_DIRECTORY)},
            log,
            output=None,
        )

    def wait_for_port(self, seconds=180):
        """Wait until it accepts connections.

        :param float seconds: how long that may take.
        :return: its port.
        :raise Problem: when it has ended, or takes longer.
        """
        deadline = time.monotonic() + seconds
        while not self._port_file.exists():
            if self.status() is not None:
                raise self.died()
            if time.monotonic() > deadline:
                raise Problem(f"{self.name} does not start; its log is {self.log}.")
            time.sleep(0.05)
        return int(self._port_file.read_text())

    def clean(self):
        """Remove what it left behind."""
        self._folder.cleanup()


class _Watchdog:
    """Stops a child that has shown no sign of life for too long.

    :param float seconds: how long it may be silent.
    """

    def __init__(self, child, seconds):
        self._child = child
        self._seconds = seconds
        self._last = time.monotonic()
        self._ended = threading.Event()
        self.barked = False
        threading.Thread(target=self._watch, daemon=True).start()

    def alive(self):
        """Note a sign of life."""
        self._last = time.monotonic()

    def end(self):
        """Stop watching."""
        self._ended.set()

    def _watch(self):
        while not self._ended.wait(5):
            if time.monotonic() - self._last > self._seconds:
                self.barked = True
                self._child.stop()
                return

"""Processes that a command starts and stops, with all that they start themselves."""

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import DEV_DIRECTORY
from .system import guarded
from .ui import Problem, last_lines

STOP_SECONDS = 12


class Child:
    """A process in its own session, so that all it starts is stopped with it.

    :param str name: what it is, for people.
    :param Path log: the file that its output goes to.
    :param output: where it goes without such a file; by default :meth:`follow` reads it.
    """

    def __init__(self, name, command, environment, log=None, output=subprocess.PIPE):
        self.name = name
        self.log = log
        with open(log, "w") if log else contextlib.nullcontext(output) as output:
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
        #: The id of the process.
        self.pid = self._process.pid
        #: Return its exit status: at its end, or at once, None while it runs.
        self.wait, self.status = self._process.wait, self._process.poll

    def follow(self, take=None, silence=float("inf")):
        """Hand on its output until it ends; it is stopped then, whatever happens.

        :param take: function of each line, by default it is printed.
        :param float silence: seconds without a line after which it is stopped.
        :return: its exit status, None where it was stopped for its silence.
        """
        last, barked, ended = time.monotonic(), False, threading.Event()

        def watch():
            nonlocal barked
            while not ended.wait(5):
                if time.monotonic() - last > silence:
                    barked = True
                    return self.stop()

        threading.Thread(target=watch, daemon=True).start()
        try:
            for line in self._process.stdout:
                last = time.monotonic()
                if take:
                    take(line)
                else:
                    print(line, end="", flush=True)
            status = self.wait()
        finally:
            ended.set()
            self.stop()
        return None if barked else status

    def _problem(self, what):
        if not self.log:
            return Problem(f"{self.name} {what}.")
        lines = last_lines(self.log.read_text(errors="replace").splitlines())
        return Problem(f"{self.name} {what}; its last lines, from {self.log}:\n{lines}")

    def died(self):
        """Return the :class:`Problem` of a process that was to run on."""
        return self._problem(f"has stopped by itself (exit status {self.status()})")

    def wait_until(self, condition, seconds, complaint):
        """Wait until a condition holds.

        :param str complaint: what is wrong where it does not in time.
        :raise Problem: then, or when the process has ended before.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self.status() is not None:
                raise self.died()
            if time.monotonic() > deadline:
                raise self._problem(complaint)
            time.sleep(0.1)

    def signal(self, signum):
        """Send a signal to it and all that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)

    def _group_lives(self):
        self.status()
        try:
            os.killpg(self.pid, 0)
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
    with contextlib.suppress(KeyboardInterrupt):
        while time.monotonic() < deadline and any(
            child._group_lives() for child in children
        ):
            time.sleep(0.1)
    for child in children:
        child.signal(signal.SIGKILL)
        child.wait()
        child.clean()


class Server(Child):
    """A server of ``dev/``: it writes its port into a file once it accepts connections.

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
        """Wait until it accepts connections, and return its port."""
        self.wait_until(self._port_file.exists, seconds, "does not start")
        return int(self._port_file.read_text())

    def clean(self):
        """Remove what it left behind."""
        self._folder.cleanup()

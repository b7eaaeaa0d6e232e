"""Processes that a command starts and stops, with all that they start themselves."""

import collections
import os
import signal
import subprocess
import threading
import time

from .system import guarded

STOP_SECONDS = 12


class Child:
    """A process in its own session, so that all it starts is stopped with it.

    :param str name: what it is, for people.
    :param list command: the command.
    :param dict environment: its environment.
    :param Path log: the file that its output goes to; without one the output can be
        read from :attr:`lines`.
    """

    def __init__(self, name, command, environment, log=None):
        self.name = name
        self.log = log
        output = open(log, "w") if log else subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                guarded(command, "TERM"),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=not log,
                **({} if log else {"errors": "replace", "encoding": "utf-8"}),
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

    def last_lines(self, count=15):
        """Read the end of its log.

        :param int count: the number of lines.
        :return: the lines.
        """
        with open(self.log, errors="replace") as handle:
            return [line.rstrip("\n") for line in collections.deque(handle, count)]

    def _signal(self, signum):
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


def stop_all(children, seconds=STOP_SECONDS):
    """Stop processes together; Ctrl-C while they stop kills them at once.

    :param children: the processes.
    :param float seconds: how long they may take before they are killed.
    """
    children = list(children)
    for child in children:
        child._signal(signal.SIGTERM)
    deadline = time.monotonic() + seconds
    try:
        while time.monotonic() < deadline and any(
            child._group_lives() for child in children
        ):
            time.sleep(0.1)
    except KeyboardInterrupt:
        pass
    for child in children:
        child._signal(signal.SIGKILL)
        child._process.wait()


class Watchdog:
    """Stops a child that has shown no sign of life for too long.

    :param Child child: the child.
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

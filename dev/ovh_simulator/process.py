"""The simulator started as a process of its own: the one place that does."""

import os
import sys

from kit.children import Server

from .client import Simulator


class Process(Simulator):
    """A simulator that was started, and what can be ordered from it.

    As a context it is there until the block ends.

    :param python: the Python that has its packages, by default this one.
    :param dict environment: its environment, by default this process's.
    :param Path log: the file that its output goes to, by default where this process's
        output goes.
    :param int port: where it listens; 0 picks a free port.
    :param options: others of its command line, as ``latency_ms``.
    """

    def __init__(
        self, python=sys.executable, environment=None, log=None, port=0, **options
    ):
        command = [str(python), "-m", __package__, "--port", str(port)]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        if not log:
            command.append("--quiet")
        super().__init__(None)
        self.process = Server(
            "The simulated OVHcloud", command, environment or os.environ, log
        )

    def wait(self, seconds=180):
        """Wait until it accepts connections; its address is known then.

        :param float seconds: how long that may take.
        :return: the simulator itself.
        :raise Problem: when it does not start.
        """
        self.root = f"http://127.0.0.1:{self.process.wait_for_port(seconds)}"
        return self

    def stop(self):
        """End it."""
        self.process.stop()

    def __enter__(self):
        try:
            return self.wait()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *args):
        self.stop()

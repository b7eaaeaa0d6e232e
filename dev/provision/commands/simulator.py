"""``dev/simulator [OPTION...]``: the simulated OVHcloud alone."""

import os

from ..checkout import Checkout
from ..platform_ import DEV_DIRECTORY
from ..python_env import python_environment


def main(arguments):
    """Become the simulator.

    :param list[str] arguments: the simulator's own; see ``--help``.
    :return: never.
    """
    Checkout().prepare()
    python = python_environment()
    environment = {**os.environ, "PYTHONPATH": str(DEV_DIRECTORY)}
    os.execve(
        python.python,
        [str(python.python), "-m", "ovh_simulator", *arguments],
        environment,
    )

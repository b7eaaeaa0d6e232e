"""``dev/conformance [OPTION...]``: what is unsure of OVHcloud's API, checked there."""

import os

from ..checkout import Checkout
from ..platform_ import DEV_DIRECTORY
from ..python_env import python_environment


def main(arguments):
    """Become the check.

    :param list[str] arguments: the check's own; see ``--help``.
    :return: never.
    """
    Checkout().prepare()
    python = python_environment()
    environment = {**os.environ, "PYTHONPATH": str(DEV_DIRECTORY)}
    os.execve(
        python.python,
        [str(python.python), "-m", "conformance_", *arguments],
        environment,
    )

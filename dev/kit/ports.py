"""TCP ports of this machine."""

import socket

from .ui import Problem

HOST = "127.0.0.1"


def is_free(port, host=HOST):
    """Return whether a server can listen on a port."""
    with socket.socket() as probe:
        # As servers do: a port that was used a moment ago counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port():
    """Let the kernel choose a free port."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def require_free(port, what, option):
    """Refuse a port that is taken, by the option that chooses another one."""
    if not is_free(port):
        raise Problem(
            f"Port {port}, which {what} needs, is taken: choose another one with "
            f"{option} PORT.",
            status=2,
        )

"""What the kernel says of processes."""

import os
from pathlib import Path


def get_cpu(*pids):
    """Return the seconds of processor time that processes have used.

    Process time says what something costs whatever else the machine does.
    """
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def get_children(pid):
    """Return the ids of the processes that a process has started."""
    children = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if int(fields[1]) == pid:
            children.append(int(path.parent.name))
    return children

"""What the kernel says of processes."""

import psutil


def get_cpu(*pids):
    """Return the seconds of processor time that processes have used.

    Process time says what something costs whatever else the machine does.
    """
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)

"""Ports, and stopping what was started with all that it started."""

import os
import socket
import subprocess
import sys
import time

import pytest
from commands.demo import main as demo
from kit.children import Child, stop_all
from kit.ports import free_port, is_free, require_free
from kit.ui import Problem
from provision.postgres import find_binaries
from psutil import STATUS_ZOMBIE, Process, pid_exists

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid):
    # Where nothing reaps orphans, a dead one stays in the table.
    return pid_exists(pid) and Process(pid).status() != STATUS_ZOMBIE


def assert_ends(pid):
    deadline = time.monotonic() + 5
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(pid)


def test_free_and_taken_ports():
    port = free_port()
    assert is_free(port)
    require_free(port, "Odoo", "--port")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        assert not is_free(port)
        with pytest.raises(Problem, match=rf"{port}.*--port PORT") as caught:
            require_free(port, "Odoo", "--port")
    assert caught.value.status == 2


def test_demo_refuses_a_taken_port_before_anything_else():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Problem, match=f"Port {port}"):
            demo(["--port", str(port)])


def test_child_that_does_not_listen_is_killed_with_its_own_children(tmp_path):
    log = tmp_path / "log"
    child = Child("stubborn", [sys.executable, "-c", STUBBORN], dict(os.environ), log)
    child.wait_until(lambda: log.read_text().strip(), 10, "says nothing")
    grandchild = int(log.read_text())
    stop_all(iter([child]), seconds=0.5)
    assert child.status() is not None
    assert_ends(grandchild)


def test_child_ends_with_a_parent_that_is_killed(tmp_path):
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from kit.children import Child\n"
        'command = [sys.executable, "-c", "import time; time.sleep(60)"]\n'
        f"log = Path({str(tmp_path / 'log')!r})\n"
        'child = Child("sleeper", command, dict(os.environ), log)\n'
        "print(child._process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    )
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert_ends(pid)


def test_last_lines_of_a_log(tmp_path):
    log = tmp_path / "log"
    child = Child(
        "talker",
        [sys.executable, "-c", 'print("\\n".join(map(str, range(100))))'],
        dict(os.environ),
        log,
    )
    child.wait()
    lines = str(child.died()).splitlines()
    assert lines[0] == (
        f"talker has stopped by itself (exit status 0); its last lines, from {log}:"
    )
    assert lines[1:] == [f"    {number}" for number in range(85, 100)]


def test_newest_postgresql_is_chosen(tmp_path):
    for major in ("9.6", "13", "15"):
        (tmp_path / major / "bin").mkdir(parents=True)
        (tmp_path / major / "bin" / "initdb").write_text("")
    assert find_binaries([tmp_path]) == tmp_path / "15" / "bin"

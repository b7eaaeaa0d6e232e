"""The program: options, port, signals; and that its constants need no web framework."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def run(*arguments):
    """Start Python with these arguments."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def start(*options):
    return run("-m", "ovh_simulator", "--port", *options)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_life(tmp_path, how):
    port_file = tmp_path / "port"
    process = start(
        *("0", "--port-file", str(port_file)),
        *("--latency-ms", "5", "--callback-delay-ms", "7"),
    )
    try:
        line = process.stdout.readline()
        root = f"http://127.0.0.1:{int(port_file.read_text())}"
        assert f"{root}/" in line
        for _ in range(2):
            config = requests.get(f"{root}/simulator/config", timeout=5).json()
            assert (config["latency_ms"], config["callback_delay_ms"]) == (5, [7, 7])
            # options of the command line survive a reset
            requests.post(f"{root}/simulator/reset", timeout=5)
        # open pages and hanging requests do not keep it alive
        with requests.get(f"{root}/simulator/events", stream=True, timeout=5) as page:
            assert next(page.iter_lines())
            began = time.monotonic()
            process.send_signal(how)
            assert process.wait(8) in (0, -how)
            assert time.monotonic() - began < 5
        output, errors = process.communicate()
        assert output == "" and errors == ""
    finally:
        process.kill()
        process.communicate()


def test_port_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start(port)
        output, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert output == "" and len(errors.strip().splitlines()) == 1 and port in errors


def test_quiet(tmp_path):
    port_file = tmp_path / "port"
    process = start("0", "--quiet", "--port-file", str(port_file))
    for _ in range(200):
        if port_file.exists():
            break
        time.sleep(0.05)
    process.terminate()
    output, errors = process.communicate(timeout=10)
    assert (output, errors) == ("", "") and port_file.exists()


def test_constants_need_no_framework():
    code = (
        "import sys\nfor name in ('fastapi', 'starlette', 'uvicorn', 'httpx'):\n    "
        "sys.modules[name] = None\n"
        "from ovh_simulator import magic, seed, gsm\nprint(seed.SERVICE_1, magic.DELIVERED)"
    )
    process = run("-c", code)
    _output, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors

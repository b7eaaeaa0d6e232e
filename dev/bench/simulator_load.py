"""Does the simulator keep up? Signed requests at a fixed rate, each held for 100 ms.

The load comes from a process of its own, so that the simulator has one core to itself.
A request is sent when its time has come, whether or not earlier ones were answered: a
simulator that is too slow falls behind and is found out. Exit code 1 where less
than 98 % of the offered requests were answered in time or any failed.
"""

import argparse
import asyncio
import hashlib
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ovh_simulator import seed
from ovh_simulator.process import Process

from bench.processes import get_cpu

#: Share of the offered requests that must be answered in time.
REQUIRED = 0.98
#: Kept-alive connections; with 100 ms each, 500 requests/s keep about 50 of them busy.
CONNECTIONS = 150


def _request(host, path, body):
    """:return: one signed ``POST`` as it goes over the wire."""
    timestamp = str(int(time.time()))
    signed = "+".join(
        (
            seed.APPLICATION_SECRET_1,
            seed.CONSUMER_KEY_1,
            "POST",
            f"http://{host}{path}",
            body,
            timestamp,
        )
    )
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Ovh-Application: {seed.APPLICATION_KEY_1}\r\n"
        f"X-Ovh-Consumer: {seed.CONSUMER_KEY_1}\r\nX-Ovh-Timestamp: {timestamp}\r\n"
        f"X-Ovh-Signature: $1${hashlib.sha1(signed.encode()).hexdigest()}\r\n\r\n{body}"
    ).encode()


async def _answer(reader):
    """:return: the status of one answer, its body read."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


async def _offer(port, rate, seconds):
    """Offer the load.

    :return: (list of (seconds from due time to answer, status), seconds from first due
        time to last answer).
    """
    host = f"127.0.0.1:{port}"
    path = f"/1.0/sms/{seed.SERVICE_1}/jobs"
    idle = asyncio.Queue()
    for _ in range(CONNECTIONS):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    results = []

    async def one(index, due):
        body = json.dumps(
            {
                "message": "Votre commande est prête.",
                "receivers": [f"+336123410{index % 100:02d}"],
                "sender": seed.SENDER_ENABLED,
                "noStopClause": True,
                "tag": f"bench-{index}",
            }
        )
        connection = await idle.get()
        try:
            connection[1].write(_request(host, path, body))
            status = await _answer(connection[0])
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        else:
            idle.put_nowait(connection)
        results.append((time.perf_counter() - due, status))

    start = time.perf_counter() + 0.1
    tasks = []
    for index in range(int(rate * seconds)):
        due = start + index / rate
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.ensure_future(one(index, due)))
    await asyncio.gather(*tasks)
    return results, time.perf_counter() - start


def main(arguments=None):
    """Run the benchmark, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--rate", type=float, default=500, help="requests per second (default: 500)"
    )
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--latency-ms", type=float, default=100)
    options = parser.parse_args(arguments)
    with Process(latency_ms=options.latency_ms) as simulator:
        # Enough credits for the whole run.
        simulator.set_service(seed.SERVICE_1, creditsLeft=1e9)
        pid = simulator.process.pid
        port = int(simulator.root.rsplit(":", 1)[1])
        before = get_cpu(pid)
        results, took = asyncio.run(_offer(port, options.rate, options.seconds))
        cpu = (get_cpu(pid) - before) / took
    good = sorted(seconds for seconds, status in results if status == 200)
    failed = len(results) - len(good)
    # the last request is due one interval before the end and takes the ordered latency
    achieved = len(good) / max(took - options.latency_ms / 1000, options.seconds)
    over = [seconds * 1000 - options.latency_ms for seconds in good] or [float("inf")]
    print(
        f"offered {options.rate:.0f} requests/s for {options.seconds:.0f} s, answered "
        f"{achieved:.1f} requests/s, {failed} failed\n"
        f"over the ordered {options.latency_ms:.0f} ms: p50 {over[len(over) // 2]:.1f} ms, "
        f"p99 {over[len(over) * 99 // 100]:.1f} ms, worst {over[-1]:.1f} ms\n"
        f"simulator: {cpu:.0%} of one core"
    )
    if failed or achieved < options.rate * REQUIRED:
        print("FELL BEHIND")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

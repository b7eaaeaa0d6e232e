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

import aiohttp
from ovh_simulator import seed
from ovh_simulator.process import Process

from bench.processes import get_cpu

#: Share of the offered requests that must be answered in time.
REQUIRED = 0.98
#: Kept-alive connections; with 100 ms each, 500 requests/s keep about 50 of them busy.
CONNECTIONS = 150


def _sign(url, body):
    """Return the headers of a signed ``POST``."""
    timestamp = str(int(time.time()))
    keys = (seed.APPLICATION_SECRET_1, seed.CONSUMER_KEY_1)
    signed = "+".join((*keys, "POST", url, body, timestamp))
    return {
        "Content-Type": "application/json",
        "X-Ovh-Application": seed.APPLICATION_KEY_1,
        "X-Ovh-Consumer": seed.CONSUMER_KEY_1,
        "X-Ovh-Timestamp": timestamp,
        "X-Ovh-Signature": f"$1${hashlib.sha1(signed.encode()).hexdigest()}",
    }


async def _offer(simulator, rate, seconds):
    """Offer the load.

    :return: (list of (seconds from due time to answer, status), seconds from first due
        time to last answer).
    """
    url = f"{simulator.api_url}/sms/{seed.SERVICE_1}/jobs"
    results = []

    async def one(session, index, due):
        body = json.dumps(
            {
                "message": "Votre commande est prête.",
                "receivers": [f"+336123410{index % 100:02d}"],
                "sender": seed.SENDER_ENABLED,
                "noStopClause": True,
                "tag": f"bench-{index}",
            }
        )
        try:
            async with session.post(url, data=body, headers=_sign(url, body)) as answer:
                await answer.read()
                status = answer.status
        except aiohttp.ClientError:
            status = 0
        results.append((time.perf_counter() - due, status))

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as session:
        start = time.perf_counter() + 0.1
        tasks = []
        for index in range(int(rate * seconds)):
            due = start + index / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            tasks.append(asyncio.ensure_future(one(session, index, due)))
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
    latency = options.latency_ms
    with Process(latency_ms=latency) as simulator:
        # Enough credits for the whole run.
        simulator.set_service(seed.SERVICE_1, creditsLeft=1e9)
        pid = simulator.process.pid
        before = get_cpu(pid)
        results, took = asyncio.run(_offer(simulator, options.rate, options.seconds))
        cpu = (get_cpu(pid) - before) / took
    good = sorted(seconds for seconds, status in results if status == 200)
    failed = len(results) - len(good)
    # the last request is due one interval before the end and takes the ordered latency
    achieved = len(good) / max(took - latency / 1000, options.seconds)
    over = [seconds * 1000 - latency for seconds in good] or [float("inf")]
    print(
        f"offered {options.rate:.0f} requests/s for {options.seconds:.0f} s, answered "
        f"{achieved:.1f} requests/s, {failed} failed\n"
        f"over the ordered {latency:.0f} ms: p50 {over[len(over) // 2]:.1f} ms, "
        f"p99 {over[len(over) * 99 // 100]:.1f} ms, worst {over[-1]:.1f} ms\n"
        f"simulator: {cpu:.0%} of one core"
    )
    if failed or achieved < options.rate * REQUIRED:
        print("FELL BEHIND")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

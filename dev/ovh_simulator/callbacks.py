"""The calls that OVHcloud makes to its customer: delivery reports, STOP, replies.

Eight lanes with kept-alive connections; what concerns one SMS always takes the same
lane, so that calls only arrive out of order where the configuration wants them to.
"""

import asyncio
import collections
import itertools
import zlib
from typing import NamedTuple
from urllib.parse import urlencode

import httpx

LANES = 8
#: Seconds after which the customer's server is given up.
TIMEOUT = 15
#: Outcomes kept for ``/simulator/state``.
LOG_SIZE = 1000


def add_query(url, parameters):
    """Return *url* with *parameters* (a dict) added to whatever query it has."""
    url, hash_sign, fragment = url.partition("#")
    separator = "&" if "?" in url else "?"
    if url.endswith(("?", "&")):
        separator = ""
    return f"{url}{separator}{urlencode(parameters)}{hash_sign}{fragment}"


class Callback(NamedTuple):
    """One call to make, of a kind (``delivery``, ``stop``, ``reply``), about ``key``."""

    id: int
    kind: str
    key: object
    url: str

    @property
    def lane(self):
        """The lane that makes it."""
        return zlib.crc32(str(self.key).encode()) % LANES

    def record(self):
        """Return the call as the admin routes show it."""
        return {"id": self.id, "kind": self.kind, "method": "GET", "url": self.url}


class Callbacks:
    """Keeps the calls that wait, makes the others.

    :param config: the simulator's configuration, a dict that may change at any time.
    """

    def __init__(self, config):
        self.config = config
        self._client = None
        self._lanes = []
        self._workers = []
        self.reset()

    def reset(self):
        """Forget everything that waits."""
        self._ids = itertools.count(1)
        self.pending = {}
        self.log = collections.deque(maxlen=LOG_SIZE)
        self.counts = collections.Counter()
        for lane in self._lanes:
            while not lane.empty():
                lane.get_nowait()

    async def start(self):
        """Open the client and the lanes."""
        self._client = httpx.AsyncClient(
            timeout=TIMEOUT,
            limits=httpx.Limits(
                max_connections=LANES,
                max_keepalive_connections=LANES,
                keepalive_expiry=30,
            ),
            trust_env=False,
            headers={"User-Agent": "OVHcloud-SMS-simulator"},
        )
        self._lanes = [asyncio.Queue() for _ in range(LANES)]
        self._workers = [asyncio.create_task(self._work(lane)) for lane in self._lanes]

    async def stop(self):
        """Close the lanes and the client; what still waits is not called."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
        self._client, self._lanes, self._workers = None, [], []

    def emit(self, kind, key, url, hold=False):
        """Make a call now, or keep it where the mode is ``manual`` (or *hold* is set).

        :return: the :class:`Callback`, ``None`` where the mode is ``off``.
        """
        if self.config["callback_mode"] == "off":
            return None
        callback = Callback(next(self._ids), kind, key, url)
        if hold or self.config["callback_mode"] == "manual" or not self._lanes:
            self.pending[callback.id] = callback
        else:
            self._lanes[callback.lane].put_nowait(callback)
        return callback

    async def _work(self, lane):
        while True:
            await self.deliver(await lane.get())

    async def deliver(self, callback):
        """Make one call.

        :return: ``{"id", "kind", "url", "status"}``, or with ``error`` in place of ``status``.
        """
        outcome = callback.record()
        del outcome["method"]
        try:
            headers = self.config["callback_headers"]
            response = await self._client.get(callback.url, headers=headers)
            outcome["status"] = response.status_code
            self.counts[str(response.status_code)] += 1
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            outcome["error"] = f"{type(error).__name__}: {error}"
            self.counts["error"] += 1
        self.log.append(outcome)
        return outcome

    async def deliver_all(self, callbacks):
        """Make these calls, those of one SMS in their order, and wait for all.

        :return: list of outcomes, in the order of *callbacks*.
        """
        lanes = [[] for _ in range(LANES)]
        for callback in callbacks:
            lanes[callback.lane].append(callback)

        async def run(lane):
            return {callback.id: await self.deliver(callback) for callback in lane}

        outcomes = {}
        for results in await asyncio.gather(*map(run, lanes)):
            outcomes.update(results)
        return [outcomes[callback.id] for callback in callbacks]

    def records(self):
        """Return the calls that wait, as the admin routes show them."""
        return [callback.record() for callback in self.pending.values()]

    def take(self):
        """Return the calls that wait, which they no longer do."""
        taken, self.pending = list(self.pending.values()), {}
        return taken

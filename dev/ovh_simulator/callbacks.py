"""The calls that OVHcloud makes to its customer: delivery reports, STOP, replies.

Eight lanes with kept-alive connections; what concerns one SMS always takes the same
lane, so that calls only arrive out of order where the configuration wants them to.
"""

import asyncio
import collections
import zlib
from urllib.parse import urlencode

LANES = 8
#: Seconds after which the customer's server is given up.
TIMEOUT = 15
#: Outcomes kept for ``/simulator/state``.
LOG_SIZE = 1000


def add_query(url, parameters):
    """:return: *url* with *parameters* (a dict) added to whatever query it has."""
    url, hash_sign, fragment = url.partition("#")
    separator = "&" if "?" in url else "?"
    if url.endswith(("?", "&")):
        separator = ""
    return f"{url}{separator}{urlencode(parameters)}{hash_sign}{fragment}"


class Callback:
    """One call to make, of a kind (``delivery``, ``stop``, ``reply``), about ``key``."""

    __slots__ = ("id", "kind", "key", "url")
    method = "GET"

    def __init__(self, id_, kind, key, url):
        self.id = id_
        self.kind = kind
        self.key = key
        self.url = url

    def record(self):
        """:return: the call as the admin routes show it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "method": self.method,
            "url": self.url,
        }


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
        self._next_id = 1
        self.pending = {}
        self.log = collections.deque(maxlen=LOG_SIZE)
        self.counts = collections.Counter()
        for lane in self._lanes:
            while not lane.empty():
                lane.get_nowait()
                lane.task_done()

    async def start(self):
        """Open the client and the lanes."""
        import httpx  # only needed by a running server: seed, magic and the world work without

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
        self._workers = [
            asyncio.ensure_future(self._work(lane)) for lane in self._lanes
        ]

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
        callback = Callback(self._next_id, kind, key, url)
        self._next_id += 1
        if hold or self.config["callback_mode"] == "manual" or not self._lanes:
            self.pending[callback.id] = callback
        else:
            self._lanes[self._lane(callback)].put_nowait(callback)
        return callback

    @staticmethod
    def _lane(callback):
        return zlib.crc32(str(callback.key).encode()) % LANES

    async def _work(self, lane):
        while True:
            callback = await lane.get()
            try:
                await self.deliver(callback)
            finally:
                lane.task_done()

    async def deliver(self, callback):
        """Make one call.

        :return: ``{"id", "kind", "url", "status"}``, or with ``error`` in place of ``status``.
        """
        import httpx

        outcome = {"id": callback.id, "kind": callback.kind, "url": callback.url}
        try:
            response = await self._client.request(
                callback.method, callback.url, headers=self.config["callback_headers"]
            )
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
            lanes[self._lane(callback)].append(callback)

        async def run(lane):
            return [await self.deliver(callback) for callback in lane]

        outcomes = {}
        for results in await asyncio.gather(*map(run, lanes)):
            outcomes.update((outcome["id"], outcome) for outcome in results)
        return [outcomes[callback.id] for callback in callbacks]

    def take(self):
        """:return: the calls that wait, which they no longer do."""
        taken, self.pending = list(self.pending.values()), {}
        return taken

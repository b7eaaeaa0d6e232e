"""The simulated OVHcloud without its web server: customers, credits, SMS, operators, phones.

Nothing here waits: what is due later stands in a queue that :meth:`World.pump` works
off, called by the server's own task and before every look at the state.
"""

import copy
import hashlib
import heapq
import itertools
import random
import time
from collections import Counter

from . import magic, seed
from .callbacks import Callbacks
from .clock import HOURS, Clock, iso
from .config import DEFAULT_CONFIG, check
from .customers import Customers
from .faults import Faults
from .operators import Operators
from .recipients import Recipients
from .records import Service
from .sending import Sending

# As at OVHcloud, an id does not come back with the next start of the simulator: Odoo
# keeps them.
FIRST_SMS_ID = max(seed.FIRST_SMS_ID, time.time_ns() // 10_000_000)
#: Seconds that a request's timestamp may be off.
TIMESTAMP_TOLERANCE = 180


class World(Customers, Sending, Operators, Recipients):
    """Everything the simulator knows.

    :param dict options: configuration given on the command line; resets come back to it.
    """

    def __init__(self, options=None):
        self.options = options or {}
        self.config = {}
        self.callbacks = Callbacks(self.config)
        #: Called without arguments when something new became due or a phone changed.
        self.on_wake = None
        self.on_phone = None
        self._change = itertools.count(1)
        self.reset()

    def reset(self):
        """Go back to the seed; options of the command line stay."""
        self.config.clear()
        self.config.update(copy.deepcopy(DEFAULT_CONFIG))
        self.config.update(copy.deepcopy(self.options))
        self.clock = Clock()
        self.clock.hours = HOURS[self.config["marketing_hours"]]
        self._offsets = set()
        self.faults = Faults()
        self.callbacks.reset()
        self.requests = Counter()
        self.jobs = []
        self.ledger = []
        self.phones = {}
        self.forwarded = []
        self.waiting = {}
        self._departures = []
        self._events = []
        self._order = itertools.count()
        self._sms_ids = itertools.count(FIRST_SMS_ID)
        self._incoming_ids = itertools.count(seed.FIRST_INCOMING_ID)
        self._lookup_ids = itertools.count(FIRST_SMS_ID)
        self._credential_ids = itertools.count(700000001)
        self._random = random.Random(self.config["seed"])
        now = self.clock.now()
        self.services = {
            name: Service(name, data) for name, data in seed.SERVICES.items()
        }
        for service in self.services.values():
            self._blacklist(service, magic.BLACKLISTED, None)
        self.credentials = {}
        self.credential_tokens = {}
        self.access_tokens = {}
        for consumer_key, data in seed.CREDENTIALS.items():
            self.credentials[consumer_key] = {
                "id": next(self._credential_ids),
                "application": data["application"],
                "customer": data["customer"],
                "status": data["status"],
                "created": now,
                "expires": None,
                "last_use": None,
                "allowed_ips": None,
                "redirection": None,
                "rules": [
                    {"method": method, "path": "/*"}
                    for method in ("GET", "POST", "PUT", "DELETE")
                ],
            }
        self._wake()

    def configure(self, changes):
        """Change the configuration.

        :param dict changes: any of the keys of ``DEFAULT_CONFIG``.
        :raise ValueError: with a sentence that says what is wrong; nothing is changed then.
        """
        check(changes)
        self.config.update(copy.deepcopy(changes))
        if "seed" in changes:
            self._random.seed(changes["seed"])
        if "marketing_hours" in changes:
            self.clock.hours = HOURS[changes["marketing_hours"]]
            self._plan_departures()

    def state(self, only=None):
        """:return: the state as JSON data, all of it or *only* the parts named."""
        self.pump()
        parts = {
            "clock": self.clock_state,
            "config": lambda: self.config,
            "services": lambda: {
                name: service.state() for name, service in self.services.items()
            },
            "credentials": lambda: {
                key: self._credential_state(data)
                for key, data in self.credentials.items()
            },
            "ledger": lambda: [sms.ledger() for sms in self.ledger],
            "jobs": lambda: self.jobs,
            "requests": lambda: dict(self.requests),
            "callbacks": lambda: {
                "pending": [
                    callback.record() for callback in self.callbacks.pending.values()
                ],
                "counts": dict(self.callbacks.counts),
                "log": list(self.callbacks.log),
            },
            "faults": lambda: [fault.record() for fault in self.faults.orders],
            "phones": lambda: {
                number: phone.record() for number, phone in self.phones.items()
            },
            "forwarded": lambda: self.forwarded,
        }
        return {
            name: part() for name, part in parts.items() if only is None or name in only
        }

    def _credential_state(self, data):
        return {
            **data,
            "created": iso(data["created"]),
            "expires": iso(data["expires"]),
            "last_use": iso(data["last_use"]),
        }

    def clock_state(self):
        """:return: the clock as JSON data."""
        return {"now": iso(self.clock.now()), "set": self.clock.is_set}

    def set_clock(self, timestamp):
        """Set the clock to POSIX seconds, or back to real time with ``None``."""
        self.clock.set(timestamp)
        self._plan_departures()

    def _plan_departures(self):
        """Judge what is held back for the opening by clock and hours as they are now."""
        self._departures = [
            (self.clock.departure(sms.wanted, sms.marketing), sms.id)
            for sms in self.waiting.values()
        ]
        heapq.heapify(self._departures)
        self.pump()
        self._wake()

    def advance_clock(self, seconds):
        """Move the clock forward."""
        self.clock.advance(seconds)
        self.pump()
        self._wake()

    def api_time(self):
        """:return: what ``/auth/time`` answers: the records' time, in whole seconds."""
        now = self.clock.now()
        self._offsets.add(round(now - time.time()))
        return int(now + self.config["clock_skew_s"])

    def is_in_time(self, timestamp):
        """Tell whether a call may be signed with a time.

        Who was told the time before somebody moved the clock still gets in.

        :param int timestamp: POSIX seconds.
        """
        real = time.time() + self.config["clock_skew_s"]
        return any(
            abs(timestamp - real - offset) <= TIMESTAMP_TOLERANCE
            for offset in (0, *self._offsets)
        )

    def _wake(self):
        if self.on_wake:
            self.on_wake()

    def _later(self, seconds, action, *args, patient=False):
        """Have ``action(*args)`` done in *seconds*; a flush hurries no *patient* one."""
        heapq.heappush(
            self._events,
            (self.clock.elapsed() + seconds, next(self._order), patient, action, args),
        )

    def pump(self, hurry=False):
        """Do all that is due.

        :param bool hurry: also what would be due later, except what is late on purpose.
        :return: seconds until something else is due, ``None`` where nothing is.
        """
        while self._departures and self._departures[0][0] <= self.clock.now():
            sms = self.waiting.pop(heapq.heappop(self._departures)[1], None)
            if sms is not None:
                self._depart(sms)
        patient = []
        while self._events and (hurry or self._events[0][0] <= self.clock.elapsed()):
            event = heapq.heappop(self._events)
            if event[2] and event[0] > self.clock.elapsed():
                patient.append(event)
                continue
            event[3](*event[4])
        for event in patient:
            heapq.heappush(self._events, event)
        waits = []
        if self._departures:
            waits.append(self._departures[0][0] - self.clock.now())
        if self._events:
            waits.append(self._events[0][0] - self.clock.elapsed())
        return max(0.0, min(waits)) if waits else None

    def _chance(self, purpose, key, share):
        """:return: whether *key* is of the *share* it happens to, alike on every run."""
        if share <= 0:
            return False
        text = f"{self.config['seed']}:{purpose}:{key}"
        return (
            int.from_bytes(hashlib.sha1(text.encode()).digest()[:4], "big")
            < share * 2**32
        )

    def _delay(self):
        """:return: seconds until the next report, none where they come by hand."""
        if self.config["callback_mode"] == "manual":
            return 0.0
        low, high = self.config["callback_delay_ms"]
        return self._random.uniform(low, high) / 1000

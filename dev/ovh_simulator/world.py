"""The simulated OVHcloud without its web server: customers, credits, SMS, operators, phones.

Nothing here waits: what is due later stands in a queue that :meth:`World.pump` works
off, called by the server's own task and before every look at the state.
"""

import hashlib
import heapq
import itertools
import random
import time
from collections import Counter
from typing import NamedTuple

from . import magic, seed
from .callbacks import Callbacks
from .clock import HOURS, Clock, iso
from .config import Config
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


class _Event(NamedTuple):
    """Something to do later; the order is that of what is due at the same time."""

    due: float
    order: int
    is_patient: bool
    action: object
    arguments: tuple


class World(Customers, Sending, Operators, Recipients):
    """Everything the simulator knows.

    :param Config options: settings that resets come back to.
    """

    def __init__(self, options=None):
        self.options = options or Config()
        self.config = {}
        self.callbacks = Callbacks(self.config)
        #: Called without arguments when something new became due.
        self.on_wake = None
        #: Called with the number of a phone that changed, or ``None`` where all did.
        self.on_phone = None
        self._change = itertools.count(1)
        self.reset()

    def reset(self):
        """Go back to the seed; options of the command line stay."""
        self.config.clear()
        self.config.update(self.options.model_dump())
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
        self.services = {
            name: Service(name, data) for name, data in seed.SERVICES.items()
        }
        for service in self.services.values():
            self.blacklist(service, magic.BLACKLISTED)
        self.credentials = {}
        self.credential_tokens = {}
        self.access_tokens = {}
        methods = ("GET", "POST", "PUT", "DELETE")
        rules = [{"method": method, "path": "/*"} for method in methods]
        for consumer_key, row in seed.CREDENTIALS.items():
            self.add_credential(consumer_key, *row, rules=rules)
        self._wake()
        if self.on_phone:
            self.on_phone(None)

    def configure(self, config):
        """Change the settings that a :class:`Config` names."""
        changes = config.model_dump(exclude_unset=True)
        self.config.update(changes)
        if "seed" in changes:
            self._random.seed(changes["seed"])
        if "marketing_hours" in changes:
            self.clock.hours = HOURS[changes["marketing_hours"]]
            self._plan_departures()

    def state(self, only=None):
        """Return the state as JSON data, all of it or *only* the parts named."""
        self.pump()
        parts = {
            "clock": self.clock_state,
            "config": lambda: self.config,
            "services": lambda: {
                name: service.state() for name, service in self.services.items()
            },
            "credentials": lambda: {
                key: {
                    **credential,
                    **{
                        time: iso(credential[time])
                        for time in ("created", "expires", "last_use")
                    },
                }
                for key, credential in self.credentials.items()
            },
            "ledger": lambda: [sms.ledger() for sms in self.ledger],
            "jobs": lambda: self.jobs,
            "requests": lambda: dict(self.requests),
            "callbacks": lambda: {
                "pending": self.callbacks.records(),
                "counts": dict(self.callbacks.counts),
                "log": list(self.callbacks.log),
            },
            "faults": self.faults.records,
            "phones": lambda: {
                number: phone.record() for number, phone in self.phones.items()
            },
            "forwarded": lambda: self.forwarded,
        }
        return {
            name: part() for name, part in parts.items() if only is None or name in only
        }

    def clock_state(self):
        """Return the clock as JSON data."""
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
        self._proceed()

    def advance_clock(self, seconds):
        """Move the clock forward."""
        self.clock.advance(seconds)
        self._proceed()

    def api_time(self):
        """Return what ``/auth/time`` answers: the records' time, in whole seconds."""
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

    def _proceed(self):
        """Do what is due, and have the server see what is due next."""
        self.pump()
        self._wake()

    def _later(self, seconds, action, *args, patient=False):
        """Have ``action(*args)`` done in *seconds*; a flush hurries no *patient* one."""
        due = self.clock.elapsed() + seconds
        event = _Event(due, next(self._order), patient, action, args)
        heapq.heappush(self._events, event)

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
        while self._events and (hurry or self._events[0].due <= self.clock.elapsed()):
            event = heapq.heappop(self._events)
            if event.is_patient and event.due > self.clock.elapsed():
                patient.append(event)
            else:
                event.action(*event.arguments)
        for event in patient:
            heapq.heappush(self._events, event)
        waits = [due - self.clock.now() for due, _id in self._departures[:1]]
        waits += [event.due - self.clock.elapsed() for event in self._events[:1]]
        return max(0.0, min(waits)) if waits else None

    def _chance(self, purpose, key, share):
        """Tell whether *key* is of the *share* it happens to, alike on every run."""
        if share <= 0:
            return False
        digest = hashlib.sha1(
            f"{self.config['seed']}:{purpose}:{key}".encode()
        ).digest()
        return int.from_bytes(digest[:4], "big") < share * 2**32

    def _delay(self):
        """Return seconds until the next report, none where they come by hand."""
        if self.config["callback_mode"] == "manual":
            return 0.0
        low, high = self.config["callback_delay_ms"]
        return self._random.uniform(low, high) / 1000

"""The simulated OVHcloud without its web server: customers, credits, SMS, operators, phones.

Nothing here waits: what is due later stands in a queue that :meth:`World.pump` works
off, called by the server's own task and before every look at the state.
"""

import copy
import hashlib
import heapq
import ipaddress
import itertools
import random
import re
import secrets
import time
from collections import Counter

from . import errors, gsm, magic, reference, seed
from .callbacks import Callbacks, add_query
from .clock import HOURS, Clock, iso
from .faults import Faults
from .records import Incoming, Lookup, Phone, Service, Sms

# As at OVHcloud, an id does not come back with the next start of the simulator: Odoo
# keeps them.
FIRST_SMS_ID = max(seed.FIRST_SMS_ID, time.time_ns() // 10_000_000)

#: The clause OVHcloud appends to marketing SMS: 11 characters, its line break included.
STOP_CLAUSE = f"\nSTOP:{seed.STOP_NUMBER}"
MAX_TAG = 20
#: What an SMS from a Time2Chat number costs, as a multiple of its country's credits.
TIME2CHAT_CREDITS = 2
#: Seconds that a request's timestamp may be off.
TIMESTAMP_TOLERANCE = 180
#: An SMS from the short number can be answered for 48 hours.
REPLY_WINDOW = 48 * 3600
#: Minutes after which an SMS is given up unless the job says otherwise.
DEFAULT_VALIDITY = 2880
#: Shares used where the configuration leaves them to the mode: a real OVHcloud is not
#: tidy, a test wants it so.
AUTO_DUPLICATES, MANUAL_DUPLICATES = 0.05, 0.0

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_FRENCH_MOBILE = re.compile(r"\+33[67][0-9]{8}")
_ALPHA_SENDER = re.compile(r"[A-Za-z0-9]{1,11}")
#: What OVHcloud refuses from its short number: addresses of web sites, and phone numbers.
_CONTACT = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]+\.(?:com|fr|net|org|eu|io|be|ch|de|es|it|uk|me|ly|info|biz|shop|link|app|co)\b"
    r"|(?<![\w+])(?:\+|00)[1-9](?:[ .-]?\d){7,13}(?!\d)|(?<!\d)0[1-9](?:[ .-]?\d{2}){4}(?!\d)",
    re.IGNORECASE,
)

DEFAULT_CONFIG = {
    "latency_ms": 0,
    "callback_mode": "auto",
    "callback_delay_ms": [500, 2000],
    "callback_duplicate_share": None,
    "callback_lost_share": 0.0,
    "callback_shuffle": None,
    "callback_headers": {},
    "undeliverable_share": 0.0,
    "clock_skew_s": 0,
    "deferred_in_outgoing": False,
    "marketing_hours": "2026",
    "account_lists_all": True,
    "batch_refused": None,
    "ids_order": "receivers",
    "hlr_ms": 0,
    "hlr_credits": 0.5,
    "hlr_spelling": "e164",
    "unlisted": [],
    "names_abroad": {"be": "replaced", "es": "blocked"},
    "registered_names": [],
    "usa_templates": [],
    "seed": 1,
}
#: How a number that was looked up is written: no description says.
HLR_SPELLINGS = {
    "e164": str,
    "digits": lambda number: number.removeprefix("+"),
    "zeros": lambda number: number.replace("+", "00"),
}
#: What the ids of an answer to a job follow: nothing promises that it is the receivers.
IDS_ORDERS = ("receivers", "swapped", "shuffled")


def _share(value):
    return value is None or (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and 0 <= value <= 1
    )


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _texts(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _regex(value):
    try:
        return value is None or bool(re.compile(value))
    except (re.error, TypeError):
        return False


_CONFIG_CHECKS = {
    "latency_ms": (
        lambda value: _number(value) and value >= 0,
        "a number of milliseconds",
    ),
    "callback_mode": (
        lambda value: value in ("auto", "manual", "off"),
        "auto, manual or off",
    ),
    "callback_delay_ms": (
        lambda value: (
            isinstance(value, list)
            and len(value) == 2
            and all(map(_number, value))
            and 0 <= value[0] <= value[1]
        ),
        "a list of two numbers, the smaller first",
    ),
    "callback_duplicate_share": (_share, "a share from 0 to 1, or null"),
    "callback_lost_share": (
        lambda value: value is not None and _share(value),
        "a share from 0 to 1",
    ),
    "callback_shuffle": (
        lambda value: value is None or isinstance(value, bool),
        "true, false or null",
    ),
    "callback_headers": (
        lambda value: (
            isinstance(value, dict)
            and all(isinstance(item, str) for pair in value.items() for item in pair)
        ),
        "an object of texts",
    ),
    "undeliverable_share": (
        lambda value: value is not None and _share(value),
        "a share from 0 to 1",
    ),
    "clock_skew_s": (_number, "a number of seconds"),
    "deferred_in_outgoing": (lambda value: isinstance(value, bool), "true or false"),
    "marketing_hours": (
        lambda value: isinstance(value, str) and value in HOURS,
        f"one of {', '.join(HOURS)}",
    ),
    "account_lists_all": (lambda value: isinstance(value, bool), "true or false"),
    "batch_refused": (_regex, "a regular expression of paths, or null"),
    "ids_order": (
        lambda value: value in IDS_ORDERS,
        f"one of {', '.join(IDS_ORDERS)}",
    ),
    "hlr_ms": (
        lambda value: _number(value) and value >= 0,
        "a number of milliseconds",
    ),
    "hlr_credits": (
        lambda value: _number(value) and value >= 0,
        "a number of credits",
    ),
    "hlr_spelling": (
        lambda value: isinstance(value, str) and value in HLR_SPELLINGS,
        f"one of {', '.join(HLR_SPELLINGS)}",
    ),
    "unlisted": (_texts, "a list of numbers"),
    "names_abroad": (
        lambda value: (
            isinstance(value, dict)
            and value.keys() <= reference.NAME_OPERATORS.keys()
            and all(fate in reference.NAME_FATES for fate in value.values())
        ),
        f"an object of {', '.join(reference.NAME_OPERATORS)}, each one of "
        f"{', '.join(reference.NAME_FATES)}",
    ),
    "registered_names": (_texts, "a list of senders"),
    "usa_templates": (_texts, "a list of texts, #VALUE# where anything may stand"),
    "seed": (
        lambda value: isinstance(value, int) and not isinstance(value, bool),
        "a whole number",
    ),
}


def is_of_template(text, templates):
    """:return: whether *text* is one of these, ``#VALUE#`` standing for anything."""
    return any(
        re.fullmatch(".*".join(map(re.escape, template.split("#VALUE#"))), text, re.S)
        for template in templates
    )


def normalize_number(text):
    """:return: *text* as an E.164 number, or ``None`` where it can't receive SMS."""
    number = re.sub(r"[\s.()-]", "", text)
    if number.startswith("00"):
        number = "+" + number[2:]
    if not _E164.fullmatch(number) or (
        number.startswith("+33") and not _FRENCH_MOBILE.fullmatch(number)
    ):
        return None
    return number


class World:
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

    # ------------------------------------------------------------------ state

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
        if not isinstance(changes, dict):
            raise ValueError("the configuration is a JSON object")
        for name, value in changes.items():
            if name not in _CONFIG_CHECKS:
                raise ValueError(f"unknown setting: {name}")
            check, expected = _CONFIG_CHECKS[name]
            if not check(value):
                raise ValueError(f"{name} must be {expected}")
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

    # ------------------------------------------------------------------ what is due

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

    # ------------------------------------------------------------------ services and rights

    def service(self, customer, name):
        """:return: that customer's :class:`Service`.

        :raise ApiError: 404 where there is none of that name or it is another customer's.
        """
        if name not in seed.CUSTOMERS.get(customer, {}).get("services", ()):
            raise errors.no_service()
        return self.services[name]

    def phone(self, number):
        """:return: the :class:`Phone` of that number, made where it is new."""
        if number not in self.phones:
            self.phones[number] = Phone(number)
        return self.phones[number]

    def touch(self, phone):
        """Tell the pages that *phone* changed."""
        phone.changed = next(self._change)
        if self.on_phone:
            self.on_phone(phone.number)

    def new_credential(self, application, rules, redirection, allowed_ips):
        """Ask for a consumer key.

        :return: (consumer key, token of the page where the customer approves it).
        """
        consumer_key = secrets.token_hex(16)
        token = secrets.token_hex(32)
        self.credentials[consumer_key] = {
            "id": next(self._credential_ids),
            "application": application,
            "customer": None,
            "status": "pendingValidation",
            "created": self.clock.now(),
            "expires": None,
            "last_use": None,
            "allowed_ips": allowed_ips,
            "redirection": redirection,
            "rules": rules,
        }
        self.credential_tokens[token] = consumer_key
        return consumer_key, token

    def decide_credential(self, consumer_key, status, customer=None, validity=None):
        """Set what became of a consumer key.

        :param str status: ``validated``, ``refused``, ``expired`` or ``pendingValidation``.
        :param str customer: who approved it; by default who it belonged to, or the
            first customer.
        :param int validity: seconds it stays valid, ``None`` for ever.
        """
        credential = self.credentials[consumer_key]
        credential["status"] = status
        if status == "validated":
            if not (customer or credential["customer"]):
                customer = (
                    seed.CUSTOMER_2
                    if credential["application"] == seed.APPLICATION_KEY_2
                    else seed.CUSTOMER_1
                )
            credential["expires"] = (
                None if validity is None else self.clock.now() + validity
            )
        if customer:
            credential["customer"] = customer

    # ------------------------------------------------------------------ sending

    def send(self, service, body, user=None, virtual_number=None):
        """Accept a sending job.

        :param Service service: whose SMS these are.
        :param dict body: parameters of ``POST .../jobs``, types checked.
        :param User user: the API user whose job it is.
        :param str virtual_number: the number it is sent from.
        :return: (the answer as ``sms.SmsSendingReport``, list of the :class:`Sms`).
        :raise ApiError: where OVHcloud refuses the job.
        """
        self.pump()
        message = body["message"]
        if not message:
            raise errors.bad_request("[message] Given data is empty")
        tag = body.get("tag", "")
        if len(tag) > MAX_TAG:
            raise errors.bad_request(
                f"[tag] Given data is too long, {MAX_TAG} characters at most"
            )
        deferred = body.get("differedPeriod", 0)
        validity = body.get("validityPeriod", DEFAULT_VALIDITY)
        if deferred < 0 or validity <= 0:
            raise errors.bad_request(
                "[differedPeriod, validityPeriod] Given data is not a number of minutes"
            )
        if service.status != "enable":
            raise errors.forbidden("This SMS account is disabled")
        origin, kind = self._origin(service, body, virtual_number)
        if kind == "shortcode" and _CONTACT.search(message):
            raise errors.bad_request("cannot send contact information with shortcode")
        marketing = kind == "alpha" and not body.get("noStopClause", False)
        text = message + STOP_CLAUSE if marketing else message
        valid, invalid = self._receivers(service, body)
        measure = gsm.measure(text)
        costs = [
            round(
                measure.parts
                * reference.credits_for(reference.country_of(number))
                * (TIME2CHAT_CREDITS if kind == "time2chat" else 1),
                4,
            )
            for number in valid
        ]
        total = round(sum(costs), 4)
        self._charge(service, user, total)

        now = self.clock.now()
        job_id = len(self.jobs) + 1
        accepted = []
        for number, cost in zip(valid, costs, strict=True):
            sms = Sms()
            sms.id = next(self._sms_ids)
            sms.job_id = job_id
            sms.service, sms.user, sms.virtual_number = (
                service.name,
                user and user.login,
                virtual_number,
            )
            sms.receiver, sms.sender, sms.message, sms.text_sent = (
                number,
                origin,
                message,
                text,
            )
            sms.units, sms.segments, sms.encoding = (
                measure.units,
                measure.parts,
                measure.encoding,
            )
            sms.credits, sms.tag, sms.charged, sms.payer = (
                cost,
                tag,
                True,
                user if user and user.quota_active else None,
            )
            sms.status, sms.ptt, sms.dlr = "pending", 0, 0
            sms.created, sms.wanted, sms.sent, sms.delivered = (
                now,
                now + deferred * 60,
                None,
                None,
            )
            sms.deferred, sms.validity, sms.marketing = deferred, validity, marketing
            sms.can_reply = kind in ("shortcode", "virtual", "time2chat")
            sms.named, sms.shown = kind == "alpha", self._shown(number, origin, kind)
            sms.hidden = False
            service.sms[sms.id] = sms
            service.by_tag.setdefault(tag, []).append(sms)
            self.ledger.append(sms)
            accepted.append(sms)
        self.jobs.append(
            {
                "id": job_id,
                "service": service.name,
                "user": user and user.login,
                "virtual_number": virtual_number,
                "sender": origin,
                "message": message,
                "tag": tag,
                "created": iso(now),
                "deferred_minutes": deferred,
                "ids": [sms.id for sms in accepted],
                "invalid_receivers": invalid,
                "credits": total,
            }
        )
        for sms in accepted:
            leaves = self.clock.departure(sms.wanted, marketing)
            if leaves <= now:
                self._depart(sms)
            else:
                sms.deferred = max(deferred, int((leaves - now) // 60))
                self.waiting[sms.id] = sms
                heapq.heappush(self._departures, (leaves, sms.id))
        self.pump()
        self._wake()
        report = {
            "ids": self._order_ids([sms.id for sms in accepted]),
            "invalidReceivers": invalid,
            "tag": tag,
            "totalCreditsRemoved": total,
            "validReceivers": valid,
        }
        return report, accepted

    def look_up(self, service, body):
        """Ask operators about numbers.

        :param Service service: who asks and pays.
        :param dict body: parameters of ``POST .../hlr``, types checked.
        :return: the answer as ``sms.SmsSendingReport``.
        :raise ApiError: where OVHcloud refuses.
        """
        if body.get("receiversDocumentUrl"):
            raise errors.bad_request(
                "[receiversDocumentUrl] The document can not be read"
            )
        if not body.get("receivers"):
            raise errors.bad_request("Missing parameter(s): (receivers)")
        if service.status != "enable":
            raise errors.forbidden("This SMS account is disabled")
        valid, invalid = {}, {}
        for receiver in body["receivers"]:
            number = normalize_number(receiver)
            if number is None:
                invalid[receiver] = True
            else:
                valid[number] = True
        total = round(self.config["hlr_credits"] * len(valid), 4)
        self._charge(service, None, total)
        now = self.clock.now()
        ids = []
        for number in valid:
            lookup = Lookup()
            lookup.id = next(self._lookup_ids)
            lookup.service, lookup.number, lookup.created = service.name, number, now
            lookup.ends = now + self.config["hlr_ms"] / 1000
            lookup.behaviour = magic.LOOKUPS.get(number, "reachable")
            service.lookups[lookup.id] = lookup
            ids.append(lookup.id)
        return {
            "ids": self._order_ids(ids),
            "invalidReceivers": list(invalid),
            "tag": "",
            "totalCreditsRemoved": total,
            "validReceivers": list(valid),
        }

    def _order_ids(self, ids):
        """:return: the ids of an answer in the order that the configuration asks for."""
        if self.config["ids_order"] == "swapped" and len(ids) > 1:
            return [ids[1], ids[0], *ids[2:]]
        if self.config["ids_order"] == "shuffled":
            self._random.shuffle(ids)
        return ids

    @staticmethod
    def _origin(service, body, virtual_number):
        """:return: (what the phone shows as sender, type of sender)."""
        if virtual_number:
            return virtual_number, "virtual"
        # where both are given, OVHcloud ignores the sender
        if body.get("senderForResponse"):
            return seed.SHORT_NUMBER, "shortcode"
        name = body.get("sender")
        if not name:
            raise errors.bad_request(
                "Please provide a sender, or set senderForResponse"
            )
        sender = service.senders.get(name)
        if sender is None:
            raise errors.forbidden(
                f"Sms sender {name} does not exists. Please create it first"
            )
        if sender["status"] != "enable":
            raise errors.forbidden(f"Sms sender {name} is not enabled")
        if sender["type"] == "shortcode":
            return seed.SHORT_NUMBER, "shortcode"
        return name, sender["type"]

    def _name_fate(self, number, name):
        """:return: what operators of the number's country do to a sender with a name."""
        if name in self.config["registered_names"]:
            return "kept"
        country = reference.country_of(number)
        return self.config["names_abroad"].get(country, "kept")

    def _shown(self, number, origin, kind):
        """:return: what the phone of *number* shows as sender."""
        if kind == "alpha" and self._name_fate(number, origin) == "replaced":
            return reference.NAME_OPERATORS[reference.country_of(number)][1]
        return origin

    @staticmethod
    def _receivers(service, body):
        """:return: (numbers that get the SMS, each once; what was given but gets none)."""
        if body.get("receiversSlotId"):
            raise errors.no_object("slotId", body["receiversSlotId"])
        if body.get("receiversDocumentUrl"):
            raise errors.bad_request(
                "[receiversDocumentUrl] The document can not be read"
            )
        if not body.get("receivers"):
            raise errors.bad_request("Missing parameter(s): (receivers)")
        valid, invalid = {}, {}
        for receiver in body["receivers"]:
            number = normalize_number(receiver)
            refused = number is None or number in service.blacklist
            if not refused and number in magic.BY_NUMBER:
                refused = magic.BY_NUMBER[number].behaviour == "invalid"
            if refused:
                invalid[receiver] = True
            else:
                valid[number] = True
        return list(valid), list(invalid)

    def _charge(self, service, user, total):
        if user and user.quota_active:
            if user.quota_left < total:
                raise errors.forbidden(
                    "Not enough credits left in the quota of this user "
                    f"({user.quota_left:g} left)"
                )
            user.quota_left = round(user.quota_left - total, 4)
            return
        if service.credits_left < total:
            raise errors.forbidden(
                f"Not enough credits on this SMS account ({service.credits_left:g} left)"
            )
        service.credits_left = round(service.credits_left - total, 4)
        amount = service.writable["automaticRecreditAmount"]
        if (
            amount
            and service.credits_left
            < service.writable["creditThresholdForAutomaticRecredit"]
        ):
            service.credits_left = round(service.credits_left + float(amount), 4)

    def _refund(self, sms):
        if not sms.charged:
            return
        sms.charged = False
        service = self.services[sms.service]
        user = sms.payer
        if (
            user is not None
            and user.quota_active
            and service.users.get(user.login) is user
        ):
            user.quota_left = round(user.quota_left + sms.credits, 4)
        else:
            service.credits_left = round(service.credits_left + sms.credits, 4)

    def cancel(self, sms):
        """Cancel an SMS that has not left; its credits come back."""
        del self.waiting[sms.id]
        sms.status = "cancelled"
        self._refund(sms)

    # ------------------------------------------------------------------ operators

    def _behaviour(self, sms):
        known = magic.BY_NUMBER.get(sms.receiver)
        if known:
            return known.behaviour, known.ptt, known.dlr
        if sms.named and self._name_fate(sms.receiver, sms.sender) == "blocked":
            return reference.BLOCKED_NAME
        if reference.country_of(sms.receiver) == "us" and not is_of_template(
            sms.message, self.config["usa_templates"]
        ):
            return reference.NO_TEMPLATE
        if self._chance("undeliverable", sms.id, self.config["undeliverable_share"]):
            return "fail", 20, 2
        return "deliver", 4, 1

    def _depart(self, sms):
        """The SMS leaves OVHcloud for the operator."""
        sms.sent = self.clock.now()
        sms.status = "sent"
        phone = self.phone(sms.receiver)
        phone.add(sms)
        self.touch(phone)
        # a STOP may have come since the job was accepted
        if sms.receiver in self.services[sms.service].blacklist:
            self._later(self._delay(), self._finish, sms, "fail", 23, 2)
            return
        behaviour, ptt, dlr = self._behaviour(sms)
        if behaviour == "silent":
            return
        if behaviour == "early":
            # made known by the server before it answers; see early_callbacks
            return
        first = self._delay()
        self._later(first, self._accepted, sms)
        if behaviour == "late":
            self._later(
                max(first, magic.LATE_SECONDS),
                self._finish,
                sms,
                behaviour,
                ptt,
                dlr,
                patient=True,
            )
        else:
            self._later(first + self._delay(), self._finish, sms, behaviour, ptt, dlr)

    def early_callbacks(self, accepted):
        """Finish the SMS whose report comes before the answer to their job.

        :param list accepted: the :class:`Sms` of the job.
        :return: callbacks to make before answering, held back from the lanes.
        """
        calls = []
        for sms in accepted:
            if sms.status == "sent" and self._behaviour(sms)[0] == "early":
                sms.ptt, sms.dlr = 3, 4
                calls.append(self._report(sms, hold=True))
                sms.ptt, sms.dlr, sms.status, sms.delivered = (
                    4,
                    1,
                    "delivered",
                    self.clock.now(),
                )
                calls.append(self._report(sms, hold=True))
                self.touch(self.phone(sms.receiver))
        if self.config["callback_mode"] == "manual":
            return []
        calls = [call for call in calls if call is not None]
        for call in calls:
            del self.callbacks.pending[call.id]
        return calls

    def _accepted(self, sms):
        """The operator took the SMS over."""
        if sms.status == "sent":
            sms.ptt, sms.dlr = 3, 4
            self._reported(sms, wander=True)

    def _finish(self, sms, behaviour, ptt, dlr):
        """The operator has a final word, unless the phone is off."""
        if sms.status not in ("sent", "buffered"):
            return
        phone = self.phone(sms.receiver)
        if behaviour != "fail" and not phone.on:
            if sms.status == "sent":
                sms.status, sms.ptt, sms.dlr = "buffered", 24, 8
                phone.buffered.append((sms, behaviour))
                remaining = sms.sent + sms.validity * 60 - self.clock.now()
                self._later(max(0.0, remaining), self._expire, sms, patient=True)
                self._reported(sms)
            return
        sms.ptt, sms.dlr = ptt, dlr
        if behaviour == "fail":
            sms.status = "expired" if ptt == 8 else "failed"
            if dlr == 16:
                self._refund(sms)
        else:
            sms.status = "delivered"
            sms.delivered = self.clock.now()
        self._reported(sms)
        if behaviour == "stop":
            self._later(self._delay(), self._automatic_stop, sms)
        elif behaviour == "reply" and sms.can_reply:
            self._later(self._delay(), self._receive, sms, magic.AUTO_REPLY_TEXT)

    def _expire(self, sms):
        """The phone stayed off longer than the SMS is valid."""
        if sms.status == "buffered":
            sms.status, sms.ptt, sms.dlr = "expired", 8, 2
            self._reported(sms)

    def _url(self, sms, name):
        """:return: URL set for ``callback`` or ``stop_callback`` (*name*), or ``None``."""
        service = self.services[sms.service]
        user = service.users.get(sms.user)
        account = service.writable["callBack" if name == "callback" else "stopCallBack"]
        return (user and getattr(user, name)) or account

    def _report(self, sms, hold=False):
        url = self._url(sms, "callback")
        if not url:
            return None
        return self.callbacks.emit("delivery", sms.id, self._report_url(sms, url), hold)

    def _report_url(self, sms, url):
        return add_query(
            url,
            {
                "id": sms.id,
                "ptt": sms.ptt,
                "date": iso(self.clock.now()),
                "description": sms.dlr,
                "descriptionDlr": reference.DLR_TEXTS[sms.dlr],
            },
        )

    def _reported(self, sms, wander=False):
        """Tell page and customer; reports get lost, doubled or (*wander*) overtaken."""
        self.touch(self.phone(sms.receiver))
        url = self._url(sms, "callback")
        if not url:
            return
        manual = self.config["callback_mode"] == "manual"
        key = f"{sms.id}:{sms.ptt}"
        if self._chance("lost", key, self.config["callback_lost_share"]):
            self.callbacks.counts["lost"] += 1
            return
        call = (self.callbacks.emit, "delivery", sms.id, self._report_url(sms, url))
        shuffle = self.config["callback_shuffle"]
        shuffle = not manual if shuffle is None else shuffle
        delay = 0.0
        if shuffle and wander:
            # up to twice the longest delay: in about half of all cases the final report
            # is faster
            delay = (
                self._random.uniform(0, 2 * self.config["callback_delay_ms"][1]) / 1000
            )
            if manual:
                delay = 0.0
                if self._chance("overtaken", key, 0.5):
                    # after what is queued already: the final report among it
                    call = (self._later, 0.0, *call)
        self._later(delay, *call)
        share = self.config["callback_duplicate_share"]
        if share is None:
            share = MANUAL_DUPLICATES if manual else AUTO_DUPLICATES
        if self._chance("duplicate", key, share):
            self._later(delay + self._delay(), *call)

    # ------------------------------------------------------------------ phones

    def power(self, number, on):
        """Switch a phone on or off; what waited for it is delivered when it comes back."""
        phone = self.phone(number)
        phone.on = on
        if on:
            buffered, phone.buffered = phone.buffered, []
            for sms, behaviour in buffered:
                self._later(0.0, self._finish, sms, behaviour, 4, 1)
        self.touch(phone)
        self.pump()
        self._wake()

    def _received(self, number, service):
        """:return: the SMS that this phone got, newest first, as (:class:`Sms`)."""
        phone = self.phones.get(number)
        for entry in reversed(phone.messages if phone else ()):
            if (
                isinstance(entry, Sms)
                and entry.status == "delivered"
                and service in (None, entry.service)
            ):
                yield entry

    def reply(self, number, text, service=None):
        """A recipient answers the last SMS that can be, or texts the virtual number.

        :return: the ``sms.Incoming`` record, or the blacklist entry where the answer is STOP.
        :raise LookupError: with a sentence, where there is nothing to answer to.
        """
        answered = next(
            (sms for sms in self._received(number, service) if sms.can_reply), None
        )
        if answered is not None and answered.virtual_number is None:
            if self.clock.now() > answered.sent + REPLY_WINDOW:
                raise LookupError("the short number takes answers for 48 hours only")
        if answered is None:
            numbers = self.services[service].virtual_numbers if service else ()
            if not numbers:
                raise LookupError(
                    "no SMS on this phone can be answered: they come from names, not numbers"
                )
            incoming = self._store_incoming(
                number, text, self.services[service], virtual_number=numbers[0]
            )
        else:
            incoming = self._receive(answered, text)
        self.pump()
        self._wake()
        return incoming.record()

    def _receive(self, sms, text):
        """*text* arrives as the answer to *sms*."""
        service = self.services[sms.service]
        incoming = self._store_incoming(sms.receiver, text, service, sms)
        if text.strip().upper() == "STOP":
            self._stop(sms)
        return incoming

    def _store_incoming(
        self, number, text, service, answered=None, virtual_number=None
    ):
        incoming = Incoming()
        incoming.id = next(self._incoming_ids)
        incoming.service = service.name
        incoming.user = answered and answered.user
        incoming.virtual_number = (
            answered.virtual_number if answered else virtual_number
        )
        incoming.sender, incoming.message, incoming.created = (
            number,
            text,
            self.clock.now(),
        )
        incoming.tag = answered.tag if answered else ""
        service.incoming[incoming.id] = incoming
        phone = self.phone(number)
        phone.add(
            {
                "direction": "out",
                "text": text,
                "at": incoming.created,
                "to": incoming.virtual_number or seed.SHORT_NUMBER,
            }
        )
        self.touch(phone)
        self._forward(service, incoming, answered)
        return incoming

    def _forward(self, service, incoming, answered):
        """Do with a reply what the service's ``smsResponse`` says."""
        response = service.writable["smsResponse"]
        for option in response.get("trackingOptions") or ():
            self.forwarded.append(
                {
                    **option,
                    "incoming": incoming.id,
                    "text": incoming.message,
                    "at": iso(incoming.created),
                }
            )
        if response["responseType"] == "cgi" and response.get("cgiUrl"):
            url = add_query(
                response["cgiUrl"],
                {
                    "id": incoming.id,
                    "sender": incoming.sender,
                    "message": incoming.message,
                    "date": iso(incoming.created),
                    "tag": incoming.tag,
                    **({"smsId": answered.id} if answered else {}),
                },
            )
            self._later(
                self._delay(), self.callbacks.emit, "reply", incoming.sender, url
            )
        elif response["responseType"] == "text" and response.get("text") and answered:
            body = {
                "message": response["text"],
                "receivers": [incoming.sender],
                "senderForResponse": True,
            }
            try:
                self.send(service, body, virtual_number=answered.virtual_number)
            except errors.ApiError:
                # no credits left, or a text the short number refuses: nothing is answered then
                self.forwarded.append(
                    {
                        "media": "none",
                        "incoming": incoming.id,
                        "text": response["text"],
                        "at": iso(incoming.created),
                    }
                )

    def stop(self, number, service=None):
        """A recipient answers STOP to the last SMS received.

        :return: the new entry of the blacklist.
        :raise LookupError: with a sentence, where the phone got no SMS.
        """
        sms = next(self._received(number, service), None)
        if sms is None:
            raise LookupError("this phone received no SMS to answer STOP to")
        phone = self.phone(number)
        phone.add(
            {
                "direction": "out",
                "text": "STOP",
                "at": self.clock.now(),
                "to": seed.STOP_NUMBER if not sms.can_reply else sms.sender,
            }
        )
        self.touch(phone)
        entry = self._stop(sms)
        self.pump()
        self._wake()
        return entry

    def _automatic_stop(self, sms):
        phone = self.phone(sms.receiver)
        phone.add(
            {
                "direction": "out",
                "text": "STOP",
                "at": self.clock.now(),
                "to": seed.STOP_NUMBER if not sms.can_reply else sms.sender,
            }
        )
        self.touch(phone)
        self._stop(sms)

    def _stop(self, sms):
        entry = self._blacklist(self.services[sms.service], sms.receiver, sms)
        url = self._url(sms, "stop_callback")
        if url:
            url = add_query(
                url,
                {
                    "id": sms.id,
                    "number": sms.receiver,
                    "date": entry["dateCreation"],
                    "message": "STOP",
                },
            )
            self._later(self._delay(), self.callbacks.emit, "stop", sms.receiver, url)
        return entry

    def blacklist(self, service, number):
        """Put a number on the blacklist without a callback, as one of long ago."""
        return self._blacklist(service, number, None)

    def _blacklist(self, service, number, sms):
        entry = {
            "batchID": None,
            "dateCreation": iso(self.clock.now()),
            "number": number,
            "smsOutgoingID": sms and sms.id,
        }
        return service.blacklist.setdefault(number, entry)

    # ------------------------------------------------------------------ senders and users

    def add_sender(self, service, name, reason=None, description=None):
        """A customer asks for a sender.

        :return: the sender's name.
        :raise ApiError: where OVHcloud refuses it.
        """
        if name in service.senders:
            raise errors.conflict(f"Sms sender {name} already exists")
        available = next(
            (each for each in service.available_senders if each["sender"] == name), None
        )
        number = normalize_number(name) if name.startswith(("+", "00")) else None
        if number:
            if number in service.senders:
                raise errors.conflict(f"Sms sender {number} already exists")
            service.add_sender(
                number, "numeric", "waitingValidation", description or ""
            )
            code = f"{self._random.randrange(10**6):06d}"
            service.senders[number]["validationMedia"] = "sms"
            phone = self.phone(number)
            phone.add(
                {
                    "direction": "in",
                    "text": f"OVHcloud : votre code de validation est {code}.",
                    "parts": 1,
                    "encoding": "7bits",
                    "sender": "OVHcloud",
                    "status": "delivered",
                    "at": self.clock.now(),
                    "can_reply": False,
                    "service": None,
                }
            )
            self.touch(phone)
            service.codes = {**getattr(service, "codes", {}), number: code}
            return number
        if not _ALPHA_SENDER.fullmatch(name) or name.isdigit():
            raise errors.bad_request(
                "[sender] Given data must be 11 letters and digits at most, not digits only"
            )
        if not reason:
            raise errors.bad_request("Please provide a reason")
        if available:
            referer = "nic" if available["referer"] == "nichandle" else "domain"
            service.add_sender(
                name, "alpha", "enable", description or "", referer=referer
            )
        else:
            service.add_sender(name, "alpha", "waitingValidation", description or "")
        return name

    @staticmethod
    def validate_sender(service, sender, code):
        """A customer proves that a phone number is theirs.

        :raise ApiError: where there is nothing to validate or the code is wrong.
        """
        if sender["type"] != "numeric" or sender["status"] != "waitingValidation":
            raise errors.bad_request("This sender does not wait for a code")
        if getattr(service, "codes", {}).get(sender["sender"]) != code.strip():
            raise errors.bad_request("[code] Given data is not the code that was sent")
        sender["status"] = "enable"

    @staticmethod
    def set_quota(service, user, information):
        """Change a user's quota; its credits come out of the account and go back to it.

        :param dict information: ``sms.Quota``, either property optional.
        :raise ApiError: 403 where the account has not that many credits, 400 for a
            negative quota.
        """
        active = (
            information.get(
                "quotaStatus", "active" if user.quota_active else "inactive"
            )
            == "active"
        )
        left = float(information.get("quotaLeft", user.quota_left))
        if left < 0:
            raise errors.bad_request("[quotaLeft] Given data is negative")
        if not active:
            left = 0.0
        taken = left - (user.quota_left if user.quota_active else 0.0)
        if taken > service.credits_left:
            raise errors.forbidden(
                f"Not enough credits on this SMS account ({service.credits_left:g} left)"
            )
        service.credits_left = round(service.credits_left - taken, 4)
        user.quota_active, user.quota_left = active, left

    @staticmethod
    def address_allowed(address, allowed):
        """:return: whether *address* is in a network of *allowed* (``None``: any is)."""
        if not allowed:
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(
            ip in ipaddress.ip_network(network, strict=False) for network in allowed
        )

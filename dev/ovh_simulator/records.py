"""What the simulated OVHcloud stores, and how the API and the admin routes show it."""

import uuid
from collections import deque
from dataclasses import dataclass, field

from . import errors, reference, seed
from .clock import iso
from .data import load
from .schema import MODELS

_LEDGER = (
    *("id", "service", "user", "receiver", "sender", "shown", "message", "text_sent"),
    *("segments", "encoding", "credits", "tag", "job_id", "status", "ptt", "dlr"),
    *("created", "sent", "delivered", "charged"),
)
_LEDGER_TIMES = ("created", "sent", "delivered")


@dataclass(slots=True, eq=False)
class Sms:
    """One SMS to one receiver; times are POSIX seconds, ``None`` until they come.

    ``wanted`` is when it is to leave, ``named`` whether its sender is a name, ``shown``
    what the phone shows as sender, ``payer`` the API user whose quota paid.
    """

    id: int
    job_id: int
    service: str
    user: "str | None"
    virtual_number: "str | None"
    receiver: str
    sender: str
    shown: str
    named: bool
    message: str
    text_sent: str
    units: int
    segments: int
    encoding: str
    credits: float
    tag: str
    created: float
    wanted: float
    deferred: int
    validity: int
    marketing: bool
    can_reply: bool
    payer: "dict | None"
    status: str = "pending"
    ptt: int = 0
    dlr: int = 0
    sent: "float | None" = None
    delivered: "float | None" = None
    charged: bool = True
    hidden: bool = False

    def as_model(self, model):
        """Return the SMS as ``sms.Outgoing``, ``sms.Job`` or ``sms.VirtualNumberJob``."""
        outgoing = {
            "batchID": None,
            "creationDatetime": iso(self.created),
            "credits": self.credits,
            "deliveredAt": iso(self.delivered),
            "deliveryReceipt": self.dlr,
            "differedDelivery": self.deferred,
            "id": self.id,
            "message": self.text_sent,
            "messageID": None,
            "messageLength": len(self.text_sent),
            "numberOfSms": self.segments,
            "ptt": self.ptt,
            "receiver": self.receiver,
            "sender": self.sender,
            "sentAt": iso(self.sent),
            "tag": self.tag,
            "tariffCode": f"SMS-{(reference.country_of(self.receiver) or 'xx').upper()}",
        }
        return {name: outgoing[name] for name in MODELS[model]}

    def ledger(self):
        """Return the SMS as a row of the simulator's ledger."""
        row = {name: getattr(self, name) for name in _LEDGER}
        return {**row, **{name: iso(row[name]) for name in _LEDGER_TIMES}}

    def shown_on_phone(self):
        """Return the SMS as its phone shows it."""
        return {
            "direction": "in",
            "id": self.id,
            "text": self.text_sent,
            "sender": self.shown,
            "service": self.service,
            "parts": self.segments,
            "encoding": self.encoding,
            "units": self.units,
            "status": self.status,
            "ptt": self.ptt,
            "at": iso(self.delivered or self.sent or self.created),
            "can_reply": self.can_reply,
        }


@dataclass(slots=True, eq=False)
class Incoming:
    """An SMS received from a recipient."""

    id: int
    user: "str | None"
    virtual_number: "str | None"
    sender: str
    message: str
    created: float
    tag: str

    def record(self):
        """Return the SMS as ``sms.Incoming``."""
        return {
            "creationDatetime": iso(self.created),
            "credits": 1.0,
            "id": self.id,
            "message": self.message,
            "sender": self.sender,
            "tag": self.tag,
        }


@dataclass(slots=True, eq=False)
class Lookup:
    """One number that operators were asked about."""

    id: int
    number: str
    created: float
    ends: float
    behaviour: str

    def status(self, now):
        """Return how far the question is."""
        if now >= self.ends:
            return "error" if self.behaviour == "fail" else "done"
        return "todo" if now < (self.created + self.ends) / 2 else "doing"

    def record(self, now, spelling):
        """Return the lookup as ``sms.HlrLookupNumber``.

        :param float now: POSIX time.
        :param spelling: function that writes the number as the configuration says.
        """
        done = self.status(now) == "done"
        valid = done and self.behaviour != "invalid"
        return {
            "datetime": iso(self.created),
            "id": self.id,
            "msisdn": spelling(self.number),
            "operatorCode": "20801" if valid else "",
            "ported": False,
            "reachable": valid and self.behaviour != "absent",
            "roaming": False,
            "status": self.status(now),
            "valid": valid,
        }


@dataclass(slots=True, eq=False)
class Phone:
    """A virtual phone: switched on or off, and what it received and answered.

    What it shows are :class:`Sms`, and dicts: answers, and OVHcloud's own SMS.
    """

    number: str
    on: bool = True
    #: Conversations keep this many messages; older ones are in the ledger only.
    messages: deque = field(default_factory=lambda: deque(maxlen=60))
    changed: int = 0
    buffered: list = field(default_factory=list)

    def record(self):
        """Return the phone as the page shows it."""
        return {
            "number": self.number,
            "on": self.on,
            "changed": self.changed,
            "messages": [
                {**entry, "at": iso(entry["at"])}
                if isinstance(entry, dict)
                else entry.shown_on_phone()
                for entry in self.messages
            ],
        }


def new_user(login, password, quota=None):
    """Return a new API user, as ``sms.User``."""
    return {
        **load("user"),
        "login": login,
        "password": password,
        "quotaInformations": {
            "quotaLeft": quota or 0.0,
            "quotaStatus": "inactive" if quota is None else "active",
        },
    }


def has_quota(user):
    """Tell whether what an API user (or ``None``) sends is paid by a quota of its own."""
    return bool(user) and user["quotaInformations"]["quotaStatus"] == "active"


class Service:
    """One SMS Pro service with all that hangs on it."""

    def __init__(self, name, data):
        self.name = name
        #: Properties of ``sms.Account`` that are set; the others follow from something else.
        self.account = {
            **load("service"),
            "description": data["description"],
            "creditsLeft": data["credits"],
        }
        self.senders = {}
        #: Number -> ``sms.VirtualNumber``.
        self.virtual_numbers = {}
        for sender in data["senders"]:
            self.add_sender(*sender)
        #: Sender -> the code that proves it to be the customer's.
        self.codes = {}
        self.users = {
            login: new_user(login, seed.USER_PASSWORD, quota)
            for login, quota in data["users"].items()
        }
        #: Name -> from where OVHcloud knows it to be the customer's.
        self.available_senders = data["available_senders"]
        self.blacklist = {}
        #: Document id -> proof of a sender; its content once it was uploaded.
        self.documents = {}
        self.sms = {}
        self.by_tag = {}
        self.incoming = {}
        self.lookups = {}

    def take(self, credits, user=None):
        """Take credits from a user's quota or the account; what is negative is given back.

        :raise ApiError: 403 where there are not that many.
        """
        purse, name, whose = self.account, "creditsLeft", "on this SMS account"
        if has_quota(user):
            purse, name = user["quotaInformations"], "quotaLeft"
            whose = "left in the quota of this user"
        if credits > max(purse[name], 0):
            raise errors.forbidden(f"Not enough credits {whose} ({purse[name]:g} left)")
        purse[name] = round(purse[name] - credits, 4)

    def set_quota(self, user, information):
        """Change a user's quota; its credits come out of the account and go back to it.

        :param dict information: ``sms.Quota``, either property optional.
        :raise ApiError: 403 where the account has not that many credits, 400 for a
            negative quota.
        """
        quota = {**user["quotaInformations"], **information}
        if quota["quotaLeft"] < 0:
            raise errors.bad_request("[quotaLeft] Given data is negative")
        is_active = quota["quotaStatus"] == "active"
        quota["quotaLeft"] = float(quota["quotaLeft"]) if is_active else 0.0
        self.take(quota["quotaLeft"] - user["quotaInformations"]["quotaLeft"])
        user["quotaInformations"] = quota

    def change(self, changes):
        """Set properties of the account; what objects do not name in them stays."""
        for name, value in changes.items():
            if isinstance(self.account[name], dict):
                value = {**self.account[name], **value}
            elif name == "automaticRecreditAmount" and value is not None:
                value = str(value)
            self.account[name] = value

    def add_sender(
        self, sender, type, status, description="", comment=None, referer="custom"
    ):
        """Add a sender; a virtual number also becomes a number of the service."""
        self.senders[sender] = {
            "comment": comment,
            "description": description,
            "referer": "virtual" if type == "virtual" else referer,
            "sender": sender,
            "status": status,
            "type": type,
            "validationMedia": None,
        }
        if type == "virtual":
            country = reference.country_of(sender) or "fr"
            country = "uk" if country == "gb" else country
            self.virtual_numbers[sender] = {"countryCode": country, "number": sender}

    def record(self):
        """Return the service as ``sms.AccountWithIAM``."""
        quotas = [user["quotaInformations"] for user in self.users.values()]
        return {
            **self.account,
            "creditsHoldByQuota": round(sum(quota["quotaLeft"] for quota in quotas), 4),
            "iam": iam(self.name, self.account["description"]),
            "name": self.name,
            "userQuantityWithQuota": sum(map(has_quota, self.users.values())),
        }

    def state(self):
        """Return the service as the admin routes show it."""
        return {
            **self.record(),
            "senders": list(self.senders.values()),
            "users": list(self.users.values()),
            "blacklists": list(self.blacklist.values()),
            "documents": [
                {**document, "content": (document["content"] or b"").decode("latin-1")}
                for document in self.documents.values()
            ],
            "incoming": [incoming.record() for incoming in self.incoming.values()],
            "lookups": [lookup.number for lookup in self.lookups.values()],
        }


def iam(name, display_name):
    """Return the ``iam.ResourceMetadata`` of a service."""
    urn = f"urn:v1:eu:resource:sms:{name}"
    return {
        "displayName": display_name,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, urn)),
        "state": "OK",
        "tags": {},
        "urn": urn,
    }

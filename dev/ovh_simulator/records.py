"""What the simulated OVHcloud stores, and how the API and the admin routes show it."""

import uuid
from dataclasses import dataclass

from . import reference, seed
from .clock import iso
from .data import load
from .schema import MODELS

_LEDGER = (
    *("id", "service", "user", "receiver", "sender", "shown", "message", "text_sent"),
    *("segments", "encoding", "credits", "tag", "job_id", "status", "ptt", "dlr"),
    *("created", "sent", "delivered", "charged"),
)
_LEDGER_TIMES = ("created", "sent", "delivered")


def _uuid(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:v1:eu:resource:sms:{name}"))


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
    payer: "User | None"
    status: str = "pending"
    ptt: int = 0
    dlr: int = 0
    sent: "float | None" = None
    delivered: "float | None" = None
    charged: bool = True
    hidden: bool = False

    def outgoing(self):
        """:return: the SMS as ``sms.Outgoing``."""
        return {
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

    def job(self):
        """:return: the SMS as ``sms.Job``."""
        outgoing = self.outgoing()
        return {name: outgoing[name] for name in MODELS["sms.Job"]}

    def virtual_number_job(self):
        """:return: the SMS as ``sms.VirtualNumberJob``."""
        outgoing = self.outgoing()
        return {name: outgoing[name] for name in MODELS["sms.VirtualNumberJob"]}

    def ledger(self):
        """:return: the SMS as a row of the simulator's ledger."""
        row = {name: getattr(self, name) for name in _LEDGER}
        return {**row, **{name: iso(row[name]) for name in _LEDGER_TIMES}}


@dataclass(slots=True, eq=False)
class Incoming:
    """An SMS received from a recipient."""

    id: int
    service: str
    user: "str | None"
    virtual_number: "str | None"
    sender: str
    message: str
    created: float
    tag: str

    def record(self):
        """:return: the SMS as ``sms.Incoming``."""
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
    service: str
    number: str
    created: float
    ends: float
    behaviour: str

    def status(self, now):
        """:return: how far the question is."""
        if now >= self.ends:
            return "error" if self.behaviour == "fail" else "done"
        return "todo" if now < (self.created + self.ends) / 2 else "doing"

    def record(self, now, spelling):
        """:return: the lookup as ``sms.HlrLookupNumber``.

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


class Phone:
    """A virtual phone: switched on or off, and what it received and answered."""

    __slots__ = ("number", "on", "messages", "changed", "buffered")

    #: Conversations keep this many messages; older ones are in the ledger only.
    KEPT = 60

    def __init__(self, number):
        self.number = number
        self.on = True
        self.messages = []
        self.changed = 0
        self.buffered = []

    def add(self, entry):
        """Append an :class:`Sms`, or a dict: an answer, or OVHcloud's own SMS."""
        self.messages.append(entry)
        if len(self.messages) > self.KEPT:
            del self.messages[: -self.KEPT]

    def record(self):
        """:return: the phone as the page shows it."""
        shown = []
        for entry in self.messages:
            if isinstance(entry, Sms):
                shown.append(
                    {
                        "direction": "in",
                        "id": entry.id,
                        "text": entry.text_sent,
                        "sender": entry.shown,
                        "service": entry.service,
                        "parts": entry.segments,
                        "encoding": entry.encoding,
                        "units": entry.units,
                        "status": entry.status,
                        "ptt": entry.ptt,
                        "at": iso(entry.delivered or entry.sent or entry.created),
                        "can_reply": entry.can_reply,
                    }
                )
            else:
                shown.append({**entry, "at": iso(entry["at"])})
        return {
            "number": self.number,
            "on": self.on,
            "changed": self.changed,
            "messages": shown,
        }


class User:
    """An API user of a service."""

    def __init__(self, login, password, quota=None):
        self.login = login
        self.password = password
        self.quota_active = quota is not None
        self.quota_left = quota or 0.0
        self.alert = {
            "alertEmail": "",
            "alertNumber": "",
            "alertThreshold": -1,
            "support": "mail",
        }
        self.callback = None
        self.stop_callback = None
        self.ip_restrictions = []

    def record(self):
        """:return: the user as ``sms.User``."""
        return {
            "alertThresholdInformations": self.alert,
            "callBack": self.callback,
            "ipRestrictions": self.ip_restrictions,
            "login": self.login,
            "password": self.password,
            "quotaInformations": {
                "quotaLeft": self.quota_left,
                "quotaStatus": "active" if self.quota_active else "inactive",
            },
            "stopCallBack": self.stop_callback,
        }


class Service:
    """One SMS Pro service with all that hangs on it."""

    def __init__(self, name, data):
        self.name = name
        self.writable = {**load("service"), "description": data["description"]}
        self.channel = data["channel"]
        self.credits_left = data["credits"]
        self.status = "enable"
        self.smpp = False
        self.senders = {}
        self.virtual_numbers = []
        for sender in data["senders"]:
            self.add_sender(**sender)
        self.users = {
            user["login"]: User(user["login"], seed.USER_PASSWORD, user["quota"])
            for user in data["users"]
        }
        self.available_senders = [
            dict(available) for available in data["available_senders"]
        ]
        self.blacklist = {}
        #: Document id -> proof of a sender; its content once it was uploaded.
        self.documents = {}
        self.sms = {}
        self.by_tag = {}
        self.incoming = {}
        self.lookups = {}

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
            self.virtual_numbers.append(sender)

    def quota_held(self):
        """:return: credits set aside for users with a quota."""
        return round(
            sum(user.quota_left for user in self.users.values() if user.quota_active), 4
        )

    def record(self):
        """:return: the service as ``sms.AccountWithIAM``."""
        return {
            **self.writable,
            "channel": self.channel,
            "creditsHoldByQuota": self.quota_held(),
            "creditsLeft": self.credits_left,
            "iam": iam(self.name, self.writable["description"]),
            "name": self.name,
            "smpp": self.smpp,
            "status": self.status,
            "userQuantityWithQuota": sum(
                user.quota_active for user in self.users.values()
            ),
        }

    def state(self):
        """:return: the service as the admin routes show it."""
        return {
            **self.record(),
            "senders": list(self.senders.values()),
            "users": [user.record() for user in self.users.values()],
            "blacklists": list(self.blacklist.values()),
            "documents": [
                {**document, "content": (document["content"] or b"").decode("latin-1")}
                for document in self.documents.values()
            ],
            "incoming": [incoming.record() for incoming in self.incoming.values()],
            "lookups": [lookup.number for lookup in self.lookups.values()],
        }


def iam(name, display_name):
    """:return: the ``iam.ResourceMetadata`` of a service."""
    return {
        "displayName": display_name,
        "id": _uuid(name),
        "state": "OK",
        "tags": {},
        "urn": f"urn:v1:eu:resource:sms:{name}",
    }

"""Customers: their keys and services, senders and API users."""

import re
import secrets

from . import errors, seed
from .numbers import normalize_number
from .records import Phone

_ALPHA_SENDER = re.compile(r"[A-Za-z0-9]{1,11}")


class Customers:
    """The part of the :class:`World` that customers own."""

    def phone(self, number):
        """Return the :class:`Phone` of that number, made where it is new."""
        if number not in self.phones:
            self.phones[number] = Phone(number)
        return self.phones[number]

    def show(self, number, entry=None):
        """Tell the pages that a phone changed, perhaps by an entry that it gets."""
        phone = self.phone(number)
        if entry is not None:
            phone.messages.append(entry)
        phone.changed = next(self._change)
        if self.on_phone:
            self.on_phone(number)

    def add_credential(
        self,
        consumer_key,
        application,
        customer=None,
        status="pendingValidation",
        **values,
    ):
        """Keep a consumer key.

        :param values: its ``rules``, ``redirection`` and ``allowed_ips``.
        """
        self.credentials[consumer_key] = {
            "id": next(self._credential_ids),
            "application": application,
            "customer": customer,
            "status": status,
            "created": self.clock.now(),
            "expires": None,
            "last_use": None,
            "allowed_ips": None,
            "redirection": None,
            **values,
        }

    def new_credential(self, application, **values):
        """Ask for a consumer key.

        :return: (consumer key, token of the page where the customer approves it).
        """
        consumer_key = secrets.token_hex(16)
        token = secrets.token_hex(32)
        self.add_credential(consumer_key, application, **values)
        self.credential_tokens[token] = consumer_key
        return consumer_key, token

    def decide_credential(self, consumer_key, status, customer=None, validity=None):
        """Set what became of a consumer key.

        :param str status: ``validated``, ``refused``, ``expired`` or ``pendingValidation``.
        :param str customer: who approved it; by default who it belonged to, or the
            first customer.
        :param int validity: seconds it stays valid; none is for ever.
        """
        credential = self.credentials[consumer_key]
        credential["status"] = status
        if status == "validated":
            is_second = credential["application"] == seed.APPLICATION_KEY_2
            first = seed.CUSTOMER_2 if is_second else seed.CUSTOMER_1
            customer = customer or credential["customer"] or first
            credential["expires"] = self.clock.now() + validity if validity else None
        if customer:
            credential["customer"] = customer

    def ask_sender(self, service, sender, reason=None, description=""):
        """Add what a customer asks for as sender, and return its name.

        :raise ApiError: where OVHcloud refuses it.
        """
        name = sender.strip()
        number = normalize_number(name) if name.startswith(("+", "00")) else None
        for taken in {name, number} & service.senders.keys():
            raise errors.conflict(f"Sms sender {taken} already exists")
        if number:
            return self._add_number(service, number, description)
        if not _ALPHA_SENDER.fullmatch(name) or name.isdigit():
            raise errors.bad_request(
                "[sender] Given data must be 11 letters and digits at most, not digits only"
            )
        if not reason:
            raise errors.bad_request("Please provide a reason")
        if name in service.available_senders:
            known = service.available_senders[name]
            referer = "nic" if known == "nichandle" else "domain"
            service.add_sender(name, "alpha", "enable", description, referer=referer)
        else:
            service.add_sender(name, "alpha", "waitingValidation", description)
        return name

    def _add_number(self, service, number, description):
        """Add a phone number as sender, which gets the code that validates it."""
        service.add_sender(number, "numeric", "waitingValidation", description)
        service.senders[number]["validationMedia"] = "sms"
        service.codes[number] = f"{self._random.randrange(10**6):06d}"
        self.show(
            number,
            {
                "direction": "in",
                "text": f"OVHcloud : votre code de validation est {service.codes[number]}.",
                "parts": 1,
                "encoding": "7bits",
                "sender": "OVHcloud",
                "status": "delivered",
                "at": self.clock.now(),
                "can_reply": False,
                "service": None,
            },
        )
        return number

    @staticmethod
    def validate_sender(service, sender, code):
        """A customer proves that a phone number is theirs.

        :raise ApiError: where there is nothing to validate or the code is wrong.
        """
        if sender["type"] != "numeric" or sender["status"] != "waitingValidation":
            raise errors.bad_request("This sender does not wait for a code")
        if service.codes.get(sender["sender"]) != code.strip():
            raise errors.bad_request("[code] Given data is not the code that was sent")
        sender["status"] = "enable"

"""Customers: their keys and services, senders and API users."""

import ipaddress
import re
import secrets

from . import errors, seed
from .numbers import normalize_number
from .records import Phone

_ALPHA_SENDER = re.compile(r"[A-Za-z0-9]{1,11}")


class Customers:
    """The part of the :class:`World` that customers own."""

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

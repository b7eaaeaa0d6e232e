"""Sending jobs: what OVHcloud refuses, what an SMS costs, and who pays."""

import heapq
import re

from . import errors, gsm, magic, reference, seed
from .clock import iso
from .numbers import normalize_number
from .records import Lookup, Sms, has_quota

#: The clause OVHcloud appends to marketing SMS: 11 characters, its line break included.
STOP_CLAUSE = f"\nSTOP:{seed.STOP_NUMBER}"
MAX_TAG = 20
#: What an SMS from a Time2Chat number costs, as a multiple of its country's credits.
TIME2CHAT_CREDITS = 2
#: Minutes after which an SMS is given up unless the job says otherwise.
DEFAULT_VALIDITY = 2880
#: What OVHcloud refuses from its short number: addresses of web sites, and phone numbers.
_CONTACT = re.compile(
    r"https?://|\bwww\.|\b[a-z0-9-]+\.(?:com|fr|net|org|eu|io|be|ch|de|es|it|uk|me|ly|info|biz|shop|link|app|co)\b"
    r"|(?<![\w+])(?:\+|00)[1-9](?:[ .-]?\d){7,13}(?!\d)|(?<!\d)0[1-9](?:[ .-]?\d{2}){4}(?!\d)",
    re.IGNORECASE,
)


class Sending:
    """The part of the :class:`World` that takes jobs."""

    def send(self, service, body, user=None, virtual_number=None):
        """Accept a sending job.

        :param Service service: whose SMS these are.
        :param dict body: parameters of ``POST .../jobs``, types checked.
        :param dict user: the API user whose job it is.
        :param str virtual_number: the number it is sent from.
        :return: (the answer as ``sms.SmsSendingReport``, list of the :class:`Sms`).
        :raise ApiError: where OVHcloud refuses the job.
        """
        self.pump()
        self._check_job(body)
        self._check_enabled(service)
        origin, kind = self._origin(service, body, virtual_number)
        if kind == "shortcode" and _CONTACT.search(body["message"]):
            raise errors.bad_request("cannot send contact information with shortcode")
        marketing = kind == "alpha" and not body.get("noStopClause", False)
        text = body["message"] + (STOP_CLAUSE if marketing else "")
        measure = gsm.measure(text)
        valid, invalid = self._receivers(body, service.blacklist, magic.INVALID)
        costs = [self._cost(number, kind, measure.parts) for number in valid]
        total = round(sum(costs), 4)
        self._charge(service, user, total)
        now = self.clock.now()
        deferred = body.get("differedPeriod", 0)
        common = {
            "job_id": len(self.jobs) + 1,
            "service": service.name,
            "user": user and user["login"],
            "virtual_number": virtual_number,
            "sender": origin,
            "named": kind == "alpha",
            "message": body["message"],
            "text_sent": text,
            "units": measure.units,
            "segments": measure.parts,
            "encoding": measure.encoding,
            "tag": body.get("tag", ""),
            "created": now,
            "wanted": now + deferred * 60,
            "deferred": deferred,
            "validity": body.get("validityPeriod", DEFAULT_VALIDITY),
            "marketing": marketing,
            "can_reply": kind in ("shortcode", "virtual", "time2chat"),
            "payer": user if has_quota(user) else None,
        }
        accepted = [
            Sms(
                id=next(self._sms_ids),
                receiver=number,
                shown=self._shown(number, origin, kind),
                credits=cost,
                **common,
            )
            for number, cost in zip(valid, costs, strict=True)
        ]
        return self._accept(service, common, accepted, valid, invalid, total), accepted

    def _accept(self, service, job, accepted, valid, invalid, total):
        """Keep a job and its SMS, and have those leave whose time it is.

        :param dict job: what its SMS have in common.
        :return: the answer as ``sms.SmsSendingReport``.
        """
        for sms in accepted:
            service.sms[sms.id] = sms
            service.by_tag.setdefault(sms.tag, []).append(sms)
        self.ledger += accepted
        shown = ("service", "user", "virtual_number", "sender", "message", "tag")
        self.jobs.append(
            {
                "id": job["job_id"],
                **{name: job[name] for name in shown},
                "created": iso(job["created"]),
                "deferred_minutes": job["deferred"],
                "ids": [sms.id for sms in accepted],
                "invalid_receivers": invalid,
                "credits": total,
            }
        )
        for sms in accepted:
            leaves = self.clock.departure(sms.wanted, sms.marketing)
            if leaves <= sms.created:
                self._depart(sms)
            else:
                sms.deferred = max(sms.deferred, int((leaves - sms.created) // 60))
                self.waiting[sms.id] = sms
                heapq.heappush(self._departures, (leaves, sms.id))
        self._proceed()
        return self._report_job(accepted, valid, invalid, total, job["tag"])

    @staticmethod
    def _check_job(body):
        """Refuse what can be told from the job alone.

        :raise ApiError: as OVHcloud does.
        """
        if not body["message"]:
            raise errors.bad_request("[message] Given data is empty")
        if len(body.get("tag", "")) > MAX_TAG:
            raise errors.bad_request(
                f"[tag] Given data is too long, {MAX_TAG} characters at most"
            )
        if body.get("differedPeriod", 0) < 0 or body.get("validityPeriod", 1) <= 0:
            raise errors.bad_request(
                "[differedPeriod, validityPeriod] Given data is not a number of minutes"
            )
        if body.get("receiversSlotId"):
            raise errors.no_object("slotId", body["receiversSlotId"])

    @staticmethod
    def _check_enabled(service):
        if service.account["status"] != "enable":
            raise errors.forbidden("This SMS account is disabled")

    @staticmethod
    def _cost(number, kind, parts):
        """Return the credits of an SMS."""
        credits = parts * reference.credits_for(reference.country_of(number))
        return round(credits * (TIME2CHAT_CREDITS if kind == "time2chat" else 1), 4)

    def look_up(self, service, body):
        """Ask operators about numbers.

        :param Service service: who asks and pays.
        :param dict body: parameters of ``POST .../hlr``, types checked.
        :return: the answer as ``sms.SmsSendingReport``.
        :raise ApiError: where OVHcloud refuses.
        """
        self._check_enabled(service)
        valid, invalid = self._receivers(body)
        total = round(self.config["hlr_credits"] * len(valid), 4)
        self._charge(service, None, total)
        now = self.clock.now()
        lookups = [
            Lookup(
                id=next(self._lookup_ids),
                number=number,
                created=now,
                ends=now + self.config["hlr_ms"] / 1000,
                behaviour=magic.LOOKUPS.get(number, "reachable"),
            )
            for number in valid
        ]
        service.lookups.update((lookup.id, lookup) for lookup in lookups)
        return self._report_job(lookups, valid, invalid, total)

    def _report_job(self, records, valid, invalid, total, tag=""):
        """Return an answer as ``sms.SmsSendingReport``, its ids as the settings order them."""
        ids = [record.id for record in records]
        if self.config["ids_order"] == "swapped":
            ids[:2] = ids[1::-1]
        elif self.config["ids_order"] == "shuffled":
            self._random.shuffle(ids)
        return {
            "ids": ids,
            "invalidReceivers": invalid,
            "tag": tag,
            "totalCreditsRemoved": total,
            "validReceivers": valid,
        }

    @staticmethod
    def _origin(service, body, virtual_number):
        """Return (what the phone shows as sender, type of sender)."""
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
        """Return what operators of the number's country do to a sender with a name."""
        if name in self.config["registered_names"]:
            return "kept"
        country = reference.country_of(number)
        return self.config["names_abroad"].get(country, "kept")

    def _shown(self, number, origin, kind):
        """Return what the phone of *number* shows as sender."""
        if kind == "alpha" and self._name_fate(number, origin) == "replaced":
            return reference.NAME_OPERATORS[reference.country_of(number)][1]
        return origin

    @staticmethod
    def _receivers(body, *refused):
        """Return (numbers taken, each once; what was given but is refused).

        :raise ApiError: where none is given.
        """
        if body.get("receiversDocumentUrl"):
            raise errors.bad_request(
                "[receiversDocumentUrl] The document can not be read"
            )
        if not body.get("receivers"):
            raise errors.bad_request("Missing parameter(s): (receivers)")
        valid, invalid = {}, {}
        for receiver in body["receivers"]:
            number = normalize_number(receiver)
            if number is None or any(number in numbers for numbers in refused):
                invalid[receiver] = True
            else:
                valid[number] = True
        return list(valid), list(invalid)

    @staticmethod
    def _charge(service, user, total):
        service.take(total, user)
        account = service.account
        amount = account["automaticRecreditAmount"]
        threshold = account["creditThresholdForAutomaticRecredit"]
        if not has_quota(user) and amount and account["creditsLeft"] < threshold:
            service.take(-float(amount))

    def _refund(self, sms):
        if sms.charged:
            sms.charged = False
            service, user = self.services[sms.service], sms.payer
            is_there = user and service.users.get(user["login"]) is user
            service.take(-sms.credits, user if is_there else None)

    def cancel(self, sms):
        """Cancel an SMS that has not left; its credits come back."""
        del self.waiting[sms.id]
        sms.status = "cancelled"
        self._refund(sms)

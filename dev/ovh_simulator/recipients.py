"""What recipients do with their phones: answer, opt out, switch them off."""

from . import errors, seed
from .callbacks import add_query
from .clock import iso
from .records import Incoming, Sms

#: An SMS from the short number can be answered for 48 hours.
REPLY_WINDOW = 48 * 3600


class Recipients:
    """The part of the :class:`World` that holds the phones."""

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
        incoming = Incoming(
            id=next(self._incoming_ids),
            service=service.name,
            user=answered and answered.user,
            virtual_number=answered.virtual_number if answered else virtual_number,
            sender=number,
            message=text,
            created=self.clock.now(),
            tag=answered.tag if answered else "",
        )
        service.incoming[incoming.id] = incoming
        to = incoming.virtual_number or seed.SHORT_NUMBER
        self._show_answer(number, text, incoming.created, to)
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
        entry = self._answer_stop(sms)
        self.pump()
        self._wake()
        return entry

    def _answer_stop(self, sms):
        """The phone answers STOP to an SMS."""
        to = sms.sender if sms.can_reply else seed.STOP_NUMBER
        self._show_answer(sms.receiver, "STOP", self.clock.now(), to)
        return self._stop(sms)

    def _show_answer(self, number, text, at, to):
        phone = self.phone(number)
        phone.add({"direction": "out", "text": text, "at": at, "to": to})
        self.touch(phone)

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

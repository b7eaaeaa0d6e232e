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
        self.show(number)
        self._proceed()

    def _received(self, number, service):
        """Return the :class:`Sms` that this phone got, newest first."""
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

        :return: the ``sms.Incoming`` record.
        :raise Refused: where there is nothing to answer to.
        """
        answered = next(
            (sms for sms in self._received(number, service) if sms.can_reply), None
        )
        if answered is not None:
            service = answered.service
            is_late = self.clock.now() > answered.sent + REPLY_WINDOW
            if is_late and answered.virtual_number is None:
                raise errors.Refused(
                    "the short number takes answers for 48 hours only", 409
                )
        elif service is None or not self.services[service].virtual_numbers:
            raise errors.Refused(
                "no SMS on this phone can be answered: they come from names, not numbers",
                409,
            )
        incoming = self._receive(number, text, self.services[service], answered)
        self._proceed()
        return incoming.record()

    def _receive(self, number, text, service, answered=None):
        """A text arrives: the answer to an SMS, or one to the service's virtual number."""
        virtual_number = next(iter(service.virtual_numbers), None)
        incoming = Incoming(
            id=next(self._incoming_ids),
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
        if answered and text.strip().upper() == "STOP":
            self._stop(answered)
        return incoming

    def _forward(self, service, incoming, answered):
        """Do with a reply what the service's ``smsResponse`` says."""
        response = service.account["smsResponse"]
        for option in response["trackingOptions"] or ():
            self._note_forward(incoming, incoming.message, **option)
        if response["responseType"] == "cgi" and response["cgiUrl"]:
            parameters = {
                "id": incoming.id,
                "sender": incoming.sender,
                "message": incoming.message,
                "date": iso(incoming.created),
                "tag": incoming.tag,
                **({"smsId": answered.id} if answered else {}),
            }
            url = add_query(response["cgiUrl"], parameters)
            self._call_later("reply", incoming.sender, url)
        elif response["responseType"] == "text" and response["text"] and answered:
            body = {
                "message": response["text"],
                "receivers": [incoming.sender],
                "senderForResponse": True,
            }
            try:
                self.send(service, body, virtual_number=answered.virtual_number)
            except errors.ApiError:
                # no credits left, or a text the short number refuses: nothing is answered then
                self._note_forward(incoming, response["text"], media="none")

    def _note_forward(self, incoming, text, **option):
        at = iso(incoming.created)
        self.forwarded.append(
            {**option, "incoming": incoming.id, "text": text, "at": at}
        )

    def _call_later(self, kind, key, url):
        self._later(self._delay(), self.callbacks.emit, kind, key, url)

    def stop(self, number, service=None):
        """A recipient answers STOP to the last SMS received.

        :return: the new entry of the blacklist.
        :raise Refused: where the phone got no SMS.
        """
        sms = next(self._received(number, service), None)
        if sms is None:
            raise errors.Refused("this phone received no SMS to answer STOP to", 409)
        entry = self._answer_stop(sms)
        self._proceed()
        return entry

    def _answer_stop(self, sms):
        """The phone answers STOP to an SMS."""
        to = sms.sender if sms.can_reply else seed.STOP_NUMBER
        self._show_answer(sms.receiver, "STOP", self.clock.now(), to)
        return self._stop(sms)

    def _show_answer(self, number, text, at, to):
        self.show(number, {"direction": "out", "text": text, "at": at, "to": to})

    def _stop(self, sms):
        entry = self.blacklist(self.services[sms.service], sms.receiver, sms)
        url = self._url(sms, "stopCallBack")
        if url:
            parameters = {
                "id": sms.id,
                "number": sms.receiver,
                "date": entry["dateCreation"],
                "message": "STOP",
            }
            self._call_later("stop", sms.receiver, add_query(url, parameters))
        return entry

    def blacklist(self, service, number, sms=None):
        """Put a number on the blacklist; without an SMS, as one of long ago."""
        entry = {
            "batchID": None,
            "dateCreation": iso(self.clock.now()),
            "number": number,
            "smsOutgoingID": sms and sms.id,
        }
        return service.blacklist.setdefault(number, entry)

"""What operators do with an SMS that left, and the reports on it."""

from . import magic, reference
from .callbacks import add_query
from .clock import iso
from .numbers import is_of_template

#: Shares used where the configuration leaves them to the mode: a real OVHcloud is not
#: tidy, a test wants it so.
AUTO_DUPLICATES, MANUAL_DUPLICATES = 0.05, 0.0


class Operators:
    """The part of the :class:`World` behind OVHcloud."""

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
        self.show(sms.receiver, sms)
        # a STOP may have come since the job was accepted
        if sms.receiver in self.services[sms.service].blacklist:
            self._later(self._delay(), self._finish, sms, "fail", 23, 2)
            return
        behaviour, ptt, dlr = self._behaviour(sms)
        # what is early is made known by the server before it answers: see early_callbacks
        if behaviour in ("silent", "early"):
            return
        first = self._delay()
        self._later(first, self._accepted, sms)
        final = (self._finish, sms, behaviour, ptt, dlr)
        if behaviour == "late":
            self._later(max(first, magic.LATE_SECONDS), *final, patient=True)
        else:
            self._later(first + self._delay(), *final)

    def early_callbacks(self, accepted):
        """Finish the SMS whose report comes before the answer to their job.

        :param list accepted: the :class:`Sms` of the job.
        :return: callbacks to make before answering, held back from the lanes.
        """
        calls = []
        for sms in accepted:
            if sms.status == "sent" and self._behaviour(sms)[0] == "early":
                for ptt, dlr in ((3, 4), (4, 1)):
                    sms.ptt, sms.dlr = ptt, dlr
                    url = self._report_url(sms)
                    if url:
                        calls.append(self.callbacks.emit("delivery", sms.id, url, True))
                sms.status, sms.delivered = "delivered", self.clock.now()
                self.show(sms.receiver)
        if self.config["callback_mode"] == "manual":
            return []
        # None: the mode has none made
        calls = [call for call in calls if call is not None]
        for call in calls:
            del self.callbacks.pending[call.id]
        return calls

    def _accepted(self, sms):
        """The operator took the SMS over."""
        if sms.status == "sent":
            self._report(sms, "sent", 3, 4, wander=True)

    def _finish(self, sms, behaviour, ptt, dlr):
        """The operator has a final word, unless the phone is off."""
        if sms.status not in ("sent", "buffered"):
            return
        phone = self.phone(sms.receiver)
        if behaviour == "fail":
            if dlr == 16:
                self._refund(sms)
            self._report(sms, "expired" if ptt == 8 else "failed", ptt, dlr)
            return
        if not phone.on:
            if sms.status == "sent":
                phone.buffered.append((sms, behaviour))
                remaining = sms.sent + sms.validity * 60 - self.clock.now()
                self._later(max(0.0, remaining), self._expire, sms, patient=True)
                self._report(sms, "buffered", 24, 8)
            return
        sms.delivered = self.clock.now()
        self._report(sms, "delivered", ptt, dlr)
        if behaviour == "stop":
            self._later(self._delay(), self._answer_stop, sms)
        elif behaviour == "reply" and sms.can_reply:
            answer = (sms.receiver, magic.AUTO_REPLY_TEXT, self.services[sms.service])
            self._later(self._delay(), self._receive, *answer, sms)

    def _expire(self, sms):
        """The phone stayed off longer than the SMS is valid."""
        if sms.status == "buffered":
            self._report(sms, "expired", 8, 2)

    def _url(self, sms, name):
        """Return the URL set for ``callBack`` or ``stopCallBack`` (*name*), or ``None``."""
        service = self.services[sms.service]
        user = service.users.get(sms.user)
        return (user and user[name]) or service.account[name]

    def _report_url(self, sms):
        """Return the URL that tells what became of an SMS, or ``None``."""
        url = self._url(sms, "callBack")
        if not url:
            return None
        parameters = {
            "id": sms.id,
            "ptt": sms.ptt,
            "date": iso(self.clock.now()),
            "description": sms.dlr,
            "descriptionDlr": reference.DLR_TEXTS[sms.dlr],
        }
        return add_query(url, parameters)

    def _report(self, sms, status, ptt, dlr, wander=False):
        """Tell page and customer what became of an SMS.

        Reports get lost, doubled or (*wander*) overtaken.
        """
        sms.status, sms.ptt, sms.dlr = status, ptt, dlr
        self.show(sms.receiver)
        url = self._report_url(sms)
        if not url:
            return
        key = f"{sms.id}:{sms.ptt}"
        if self._chance("lost", key, self.config["callback_lost_share"]):
            self.callbacks.counts["lost"] += 1
            return
        is_manual = self.config["callback_mode"] == "manual"
        call = (self.callbacks.emit, "delivery", sms.id, url)
        shuffle = self.config["callback_shuffle"]
        delay = 0.0
        if wander and (not is_manual if shuffle is None else shuffle):
            # up to twice the longest delay: in about half of all cases the final report
            # is faster
            wandered = self._random.uniform(0, 2 * self.config["callback_delay_ms"][1])
            if not is_manual:
                delay = wandered / 1000
            elif self._chance("overtaken", key, 0.5):
                # after what is queued already: the final report among it
                call = (self._later, 0.0, *call)
        self._later(delay, *call)
        share = self.config["callback_duplicate_share"]
        if share is None:
            share = MANUAL_DUPLICATES if is_manual else AUTO_DUPLICATES
        if self._chance("duplicate", key, share):
            self._later(delay + self._delay(), *call)

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
            self._later(self._delay(), self._answer_stop, sms)
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

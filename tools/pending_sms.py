"""SMS that OVHcloud took and holds back: its list of those that have not left yet."""

from datetime import datetime
from typing import NamedTuple

from odoo.tools import split_every

from .ovh_calls import read_many
from .ovh_client import OvhError, OvhUnreadableAnswer
from .ovh_times import parse_time
from .phone_number import normalize_number

# SMS asked for at a time, and in one reading at most.
SLICE = 200
LIMIT = 2000
# Ids looked up in Odoo at a time.
KNOWN_SLICE = 5000


class OvhTooManyPending(OvhError):
    """More SMS wait at OVHcloud than are asked for in one go."""


class PendingEntry(NamedTuple):
    """One SMS that OVHcloud holds back."""

    ovh_id: str
    number: str  # in E.164
    message: str  # including the clause, if OVHcloud appends it
    created: datetime | None  # naive UTC by OVHcloud's clock
    credits: float


class PendingReading:
    """One reading of the list, newest first and only as far back as needed.

    The list has only ids, of everything that the account has waiting; ids grow with
    time. Those that Odoo knows are skipped, the others are read. One reading serves to
    look for several jobs: it continues where it stopped. If anything but
    :class:`OvhTooManyPending` is raised, drop it: entries may be missing.

    :param client: `OvhSmsClient`, for the list
    :param tuple client_args: of `http2sms.create_client`, for the threads
    :param str path: the API's path of the list
    :param int size: calls at a time
    :param get_known: function that returns which ids (set of str) Odoo knows
    :raise OvhError: if OVHcloud cannot be asked
    """

    def __init__(self, client, client_args, path, size, get_known):
        self.clock_offset = client.get_clock_offset()
        self._client_args = client_args
        self._path = path
        self._size = size
        self._entries = []
        self._oldest_read = None  # time of the last entry that was read
        ids = sorted({int(ovh_id) for ovh_id in client.get(path) or []}, reverse=True)
        self._slices = split_every(SLICE, self._drop_known(ids, get_known))
        self._asked = 0
        self._ended = False

    @staticmethod
    def _drop_known(ids, get_known):
        for some in split_every(KNOWN_SLICE, map(str, ids)):
            known = get_known(set(some))
            yield from (ovh_id for ovh_id in some if ovh_id not in known)

    # pylint: disable-next=method-required-super
    def read(self, since, until):
        """Return the SMS created between two times, by OVHcloud's clock.

        An SMS without a readable time is always included.

        :param datetime since: naive UTC
        :param datetime until: naive UTC
        :rtype: list[PendingEntry]
        :raise OvhTooManyPending: if too many newer SMS come before them
        :raise OvhError: if OVHcloud cannot be asked
        """
        while not self._ended and not (self._oldest_read and self._oldest_read < since):
            if self._asked >= LIMIT:
                raise OvhTooManyPending(
                    f"More than {LIMIT} SMS that Odoo does not know wait at OVHcloud"
                )
            self._read_slice()
        return [
            entry
            for entry in self._entries
            if not entry.created or since <= entry.created <= until
        ]

    def _read_slice(self):
        ids = next(self._slices, None)
        if ids is None:
            self._ended = True
            return
        self._asked += len(ids)
        answers = read_many(self._client_args, self._path, ids, self._size)
        for ovh_id, sms in zip(ids, answers, strict=True):
            if sms is None:
                continue  # it left meanwhile
            if not isinstance(sms, dict) or not sms.get("receiver"):
                raise OvhUnreadableAnswer("An SMS without a receiver")
            created = _read_time(sms.get("creationDatetime"))
            self._oldest_read = created or self._oldest_read
            self._entries.append(
                PendingEntry(
                    ovh_id,
                    normalize_number(sms["receiver"]),
                    sms.get("message") or "",
                    created,
                    sms.get("credits") or 0,
                )
            )


def _read_time(value):
    """Return a time of the API as Odoo keeps it, None if it cannot be read."""
    try:
        return parse_time(value) or None
    except (TypeError, ValueError):
        return None

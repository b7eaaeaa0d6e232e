"""Calls to OVHcloud for many ids: in parallel, and many in one call where possible.

No ORM here. OVHcloud's own console reads up to 50 objects with one GET: the ids joined
by commas, and a header that says so. Which paths take this is not documented, so a path
that refuses is read one by one from then on.
"""

import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from odoo.tools import split_every

from .http2sms import create_client
from .ovh_client import (
    OvhBadRequest,
    OvhError,
    OvhNotFound,
    OvhNotGranted,
    OvhServerError,
    OvhThrottled,
    OvhUnreadableAnswer,
    quote_path,
)

_logger = logging.getLogger(__name__)

# Ids in one call: as many as OVHcloud's own console asks for.
BATCH_SIZE = 50
# Times that an inquiry answered with a 429 is tried, seconds in between unless OVHcloud
# says how many, and the most seconds that are waited here.
FETCH_TRIES = 5
FETCH_PAUSE = 1
LONGEST_PAUSE = 30
# Errors with which a path that takes no batch may answer one.
BATCH_REFUSALS = (
    OvhBadRequest,
    OvhNotFound,
    OvhNotGranted,
    OvhServerError,
    OvhUnreadableAnswer,
)
# Seconds for which a path is read one by one: if it takes no batch, if OVHcloud failed.
_REFUSED_TTL = 24 * 3600
_FAILED_TTL = 60
_refused = {}  # (base URL, path) -> time.monotonic() until which it is read one by one

CANCELLED = "cancelled"
GONE = "gone"
# OVHcloud did not say: ask again.
OPEN = "open"


def call_many(client_args, call, items, size):
    """Make one call for each item, several at a time.

    :param tuple client_args: of `http2sms.create_client`
    :param call: function of a client and an item; each thread has its own client
    :param list items: the items to call for
    :param int size: calls at a time
    :return: what `call` returned, in the order of `items`
    :rtype: list
    :raise OvhError: the error of the first that failed; no further call is begun then
    """
    local = threading.local()
    clients = []
    failed = threading.Event()

    def run(item):
        if failed.is_set():
            return None  # never returned: the failure is raised
        if not hasattr(local, "client"):
            local.client = create_client(client_args)
            clients.append(local.client)
        try:
            return call(local.client, item)
        except OvhError:
            failed.set()
            raise

    if not items:
        return []
    try:
        with ThreadPoolExecutor(min(size, len(items)), "sms_ovh_call") as executor:
            futures = [executor.submit(run, item) for item in items]
        errors = [future.exception() for future in futures]
        for error in filter(None, errors):
            raise error
        return [future.result() for future in futures]
    finally:
        for client in clients:
            client.close()


def patient(function, *args, **kwargs):
    """Call OVHcloud, and try again a few times if it asks to slow down.

    :raise OvhError: what the call raises; :class:`OvhThrottled` only the last time
    """
    for tries_left in reversed(range(FETCH_TRIES)):
        try:
            return function(*args, **kwargs)
        except OvhThrottled as error:
            if not tries_left:
                raise
            time.sleep(min(error.retry_after or FETCH_PAUSE, LONGEST_PAUSE))


def read_many(client_args, path, ids, size):
    """Read many objects of one list.

    :param tuple client_args: of `http2sms.create_client`
    :param str path: the API's path of the list that the ids are from
    :param ids: what follows the path, one for each object
    :param int size: calls at a time
    :return: the answers, in the order of `ids`; None for what does not exist
    :rtype: list
    :raise OvhError: the error of the first call that failed: it is all or nothing
    """
    ids = [str(id_) for id_ in ids]
    found = {}
    if len(ids) > 1 and takes_batches(client_args, path):
        pieces = [list(piece) for piece in split_every(BATCH_SIZE, ids)]

        def read_piece(client, piece):
            # Another thread may have found out meanwhile.
            if takes_batches(client_args, path):
                return read_batch(client, client_args, path, piece)
            return {}

        # The first alone: if it is refused, no other is tried.
        found = call_many(client_args, read_piece, pieces[:1], 1)[0]
        for more in call_many(client_args, read_piece, pieces[1:], size):
            found.update(more)
    left = [id_ for id_ in dict.fromkeys(ids) if id_ not in found]

    def read_one(client, id_):
        with contextlib.suppress(OvhNotFound):
            return patient(client.get, f"{path}/{quote_path(id_)}")
        return None

    found.update(zip(left, call_many(client_args, read_one, left, size), strict=True))
    return [found[id_] for id_ in ids]


def read_batch(client, client_args, path, ids):
    """Read up to `BATCH_SIZE` objects of one list in one call.

    :param list ids: of different objects, as texts
    :return: the answers by id; ids missing from it have to be read one by one
    :rtype: dict
    :raise OvhError: if OVHcloud cannot be asked
    """
    try:
        entries = patient(client.get_batch, path, ids)
        if not isinstance(entries, list) or not all(
            isinstance(entry, dict) and "key" in entry for entry in entries
        ):
            raise OvhUnreadableAnswer("The answer is no batch")
    except BATCH_REFUSALS as error:
        _logger.info("OVHcloud: %s is read one by one: %r", path, error)
        lifetime = _FAILED_TTL if isinstance(error, OvhServerError) else _REFUSED_TTL
        _refused[client_args[0], path] = time.monotonic() + lifetime
        return {}
    found = {}
    for entry in entries:
        key, value = str(entry["key"]), entry.get("value")
        # What is unreadable, or of another id, is then read by itself.
        if value is None or entry.get("error") or key not in ids:
            continue
        if isinstance(value, dict) and str(value.get("id", key)) != key:
            continue
        found[key] = value
    return found


def takes_batches(client_args, path):
    """Tell whether this list may take batches: it is not known to refuse them.

    :rtype: bool
    """
    return time.monotonic() > _refused.get((client_args[0], path), float("-inf"))


# ------------------------------------------------------------
# Calling back
# ------------------------------------------------------------


def cancel_many(client_args, outgoing_path, sms_ovh_ids, size):
    """Cancel SMS that OVHcloud has and may not have sent yet, several at a time.

    :param tuple client_args: of `http2sms.create_client`
    :param str outgoing_path: the API's ``outgoing`` path for these SMS
    :param sms_ovh_ids: OVHcloud's ids
    :param int size: calls at a time
    :return: `CANCELLED`, `GONE` or `OPEN` by id; nothing is raised
    :rtype: dict
    """
    sms_ovh_ids = list(sms_ovh_ids)
    jobs_path = get_jobs_path(outgoing_path)

    def cancel(client, sms_ovh_id):
        try:
            return _cancel(client, jobs_path, outgoing_path, sms_ovh_id)
        except OvhError as error:
            _logger.warning("OVHcloud SMS: SMS %s not cancelled: %r", sms_ovh_id, error)
            return OPEN

    outcomes = call_many(client_args, cancel, sms_ovh_ids, size)
    return dict(zip(sms_ovh_ids, outcomes, strict=True))


def get_jobs_path(outgoing_path):
    """Return the API's path of SMS that have not left, from that of SMS sent."""
    return outgoing_path.removesuffix("outgoing") + "jobs"


def _cancel(client, jobs_path, outgoing_path, sms_ovh_id):
    """Cancel one SMS.

    :raise OvhError: if OVHcloud does not say what became of it
    """
    quoted = quote_path(sms_ovh_id)
    with contextlib.suppress(OvhNotFound):
        patient(client.delete, f"{jobs_path}/{quoted}")
        return CANCELLED
    # It left, or was cancelled by an earlier call whose answer was lost.
    try:
        patient(client.get, f"{outgoing_path}/{quoted}")
        return GONE
    except OvhNotFound:
        return CANCELLED

"""Threads that call SMS back which OVHcloud holds: no ORM in here."""

import contextlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .http2sms import create_client
from .job_pool import FETCH_PAUSE, FETCH_TRIES, POST_WITHIN
from .ovh_client import OvhError, OvhNotFound, OvhThrottled, quote_path

_logger = logging.getLogger(__name__)

CANCELLED = "cancelled"
GONE = "gone"
# OVHcloud did not say: to be asked for again.
OPEN = "open"


def cancel_many(client_args, outgoing_path, sms_ovh_ids, size):
    """Cancel SMS that OVHcloud has and may not have sent yet, several at a time.

    :param tuple client_args: of `http2sms.create_client`
    :param str outgoing_path: the API's path of what was sent their way
    :param sms_ovh_ids: OVHcloud's ids
    :param int size: calls at a time
    :return: `CANCELLED`, `GONE` or `OPEN` by id; nothing is raised
    :rtype: dict
    """
    sms_ovh_ids = list(sms_ovh_ids)
    if not sms_ovh_ids:
        return {}
    jobs_path = get_jobs_path(outgoing_path)
    local = threading.local()
    clients = []

    def cancel(sms_ovh_id):
        if not hasattr(local, "client"):
            local.client = create_client(client_args)
            clients.append(local.client)
        try:
            return _cancel(local.client, jobs_path, outgoing_path, sms_ovh_id)
        except OvhError as error:
            _logger.warning("OVHcloud SMS: SMS %s not cancelled: %r", sms_ovh_id, error)
            return OPEN

    try:
        with ThreadPoolExecutor(
            min(size, len(sms_ovh_ids)), "sms_ovh_cancel"
        ) as executor:
            outcomes = executor.map(cancel, sms_ovh_ids)
            return dict(zip(sms_ovh_ids, outcomes, strict=True))
    finally:
        for client in clients:
            client.close()


def get_jobs_path(outgoing_path):
    """Return the API's path of what has not left, beside that of what was sent."""
    return outgoing_path.removesuffix("outgoing") + "jobs"


def _cancel(client, jobs_path, outgoing_path, sms_ovh_id):
    """Cancel one SMS.

    :raise OvhError: where OVHcloud does not say what became of it
    """
    quoted = quote_path(sms_ovh_id)
    with contextlib.suppress(OvhNotFound):
        _call(client.delete, f"{jobs_path}/{quoted}")
        return CANCELLED
    # It left, or an earlier call whose answer was lost cancelled it.
    try:
        _call(client.get, f"{outgoing_path}/{quoted}")
        return GONE
    except OvhNotFound:
        return CANCELLED


def _call(method, path):
    """Call OVHcloud, some times where it asks to slow down."""
    for tries_left in reversed(range(FETCH_TRIES)):
        try:
            return method(path)
        except OvhThrottled as error:
            if not tries_left:
                raise
            time.sleep(min(error.retry_after or FETCH_PAUSE, POST_WITHIN))

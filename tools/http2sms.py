"""http2sms, OVHcloud's older way of sending: all that an API user's login allows.

No ORM here. It can only send: no list, no report, no inquiry by tag.
"""

import contextlib
import logging
import math
import re
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from requests.exceptions import RequestException

from .ovh_client import (
    OvhAddressRefused,
    OvhBadRequest,
    OvhCredentialRefused,
    OvhLoginRefused,
    OvhNotGranted,
    OvhOutOfCredit,
    OvhServerError,
    OvhSmsClient,
    OvhThrottled,
    OvhUnreadableAnswer,
    create_session,
    network_error,
    read_json,
)
from .sms_segments import UNICODE, count_segments

_logger = logging.getLogger(__name__)

# Meaning of `status`: https://help.ovhcloud.com/csm/en-sms-sending-via-url-http2sms
DONE = {100, 101}
REFUSED = {201, 202}  # a parameter is missing, or wrong
ADDRESS_REFUSED = 401
# The time zone in which a deferred SMS is scheduled.
TIMEZONE = ZoneInfo("Europe/Paris")

# The logged-in API user sends, whichever user the job's path names.
JOBS_PATH = re.compile(r"/sms/([^/]+)(?:/users/[^/]+)?/jobs")


class Http2SmsAccess(NamedTuple):
    """The arguments of :class:`Http2SmsClient`, as plain values."""

    url: str
    login: str
    password: str
    timeout: tuple

    def __repr__(self):
        """Show no secrets: error reports contain local variables."""
        return f"{type(self).__name__}({self.url!r})"


class OvhSmsAccess(NamedTuple):
    """The arguments of :class:`OvhSmsClient`, as plain values."""

    base_url: str
    application_key: str
    application_secret: str
    consumer_key: str
    timeout: tuple
    client_id: str | None = None
    client_secret: str | None = None
    token_url: str | None = None

    def __repr__(self):
        """Show no secrets: error reports contain local variables."""
        return f"{type(self).__name__}({self.base_url!r})"


def create_client(client_args):
    """Return a client for what `sms.ovh.account._get_client_args` returns.

    :param tuple client_args: OvhSmsAccess, or Http2SmsAccess
    :rtype: OvhSmsClient|Http2SmsClient
    """
    if isinstance(client_args, Http2SmsAccess):
        return Http2SmsClient(*client_args)
    return OvhSmsClient(*client_args)


class Http2SmsClient:
    """Replacement for :class:`OvhSmsClient`, as far as sending goes.

    :param str url: address of http2sms
    :param str login: API user of the service
    :param str password: that user's; sent in the body of a POST, never in a URL
    :param tuple timeout: (connect, read) in seconds
    """

    def __init__(self, url, login, password, timeout=(5, 20)):
        self.url = url
        self._login = login
        self._password = password
        self._timeout = timeout
        self._session = create_session()

    def __repr__(self):
        return f"{type(self).__name__}({self.url!r})"

    def close(self):
        """Close the connection."""
        self._session.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    def get(self, path, **params):
        """Refuse: nothing can be read. See :meth:`OvhSmsClient.get`."""
        raise self._not_possible()

    def get_batch(self, path, ids):
        """Refuse: nothing can be read. See :meth:`OvhSmsClient.get_batch`."""
        raise self._not_possible()

    def put(self, path, data):
        """Refuse: nothing can be changed. See :meth:`OvhSmsClient.put`."""
        raise self._not_possible()

    def delete(self, path):
        """Refuse: nothing can be deleted. See :meth:`OvhSmsClient.delete`."""
        raise self._not_possible()

    @staticmethod
    def _not_possible():
        return OvhNotGranted("http2sms only sends")

    def post(self, path, data):
        """Send one job to one receiver.

        An answer names no receivers. With several, nobody could tell whose SMS an id
        is, nor which of them was refused.

        :param str path: as of the API, ``/sms/<service>/jobs``
        :param dict data: as of the API
        :return: as the API answers, with ``creditsLeft`` added
        :rtype: dict
        :raise OvhError: always one of its subclasses, and nothing else
        """
        match = JOBS_PATH.fullmatch(path)
        if not match:
            raise self._not_possible()
        if not (self._login and self._password):
            raise OvhCredentialRefused("The login or its password is missing")
        receivers = data["receivers"]
        if len(receivers) != 1:
            raise OvhBadRequest("http2sms takes one receiver at a time")
        content = self._post_form(self._prepare_form(unquote(match[1]), data))
        status = content["status"]
        if status not in DONE:
            error = self._read_refusal(status, content)
            if error is None:
                return self._prepare_report(data, [], None)
            raise error
        ids = content.get("SmsIds") or content.get("smsIds")
        if not isinstance(ids, list) or not ids:
            raise OvhUnreadableAnswer("No ids in the answer", status=200)
        return self._prepare_report(data, ids[:1], content.get("creditLeft"))

    def _prepare_form(self, service_name, data):
        """Return http2sms's parameters for a job of the API."""
        form = {
            "account": service_name,
            "login": self._login,
            "password": self._password,
            "from": data.get("sender") or "",
            "to": ",".join(data["receivers"]),
            # http2sms takes a carriage return as a line break.
            "message": data["message"].replace("\r\n", "\n").replace("\n", "\r"),
            "contentType": "application/json",
            "tag": data.get("tag") or "",
        }
        if data.get("noStopClause"):
            form["noStop"] = "1"
        if data.get("senderForResponse"):
            form["senderForResponse"] = "1"
        if count_segments(data["message"], False).encoding == UNICODE:
            form["smsCoding"] = "2"
        if data.get("differedPeriod"):
            leaves = datetime.now(TIMEZONE) + timedelta(minutes=data["differedPeriod"])
            form["deferred"] = leaves.strftime("%H%M%d%m%Y")
        return form

    def _post_form(self, form):
        """POST `form` and return the decoded answer, its status an integer."""
        failure = response = None
        try:
            response = self._session.post(self.url, data=form, timeout=self._timeout)
        except RequestException as error:
            failure = network_error(error)
        # Error reports contain local variables.
        del form
        if failure is not None:
            # Outside the except block: the exception of `requests` carries the request,
            # and with it the password.
            raise failure
        status = response.status_code
        _logger.info("OVHcloud: POST of http2sms: %s", status)
        if status == 429:
            raise OvhThrottled(
                "Too many requests",
                status=status,
                retry_after=OvhSmsClient._retry_after(response),
            )
        if status >= 500:
            raise OvhServerError("OVHcloud failed", status=status)
        with contextlib.suppress(ArithmeticError, KeyError, TypeError, ValueError):
            content = read_json(response)
            return {**content, "status": int(content["status"])}
        raise OvhUnreadableAnswer("The answer is not JSON", status=status)

    @staticmethod
    def _read_refusal(status, content):
        """Return the error that a refusal means, None if it concerns the receiver.

        :rtype: OvhError|None
        """
        words = str(content.get("message") or status)[:500]
        lower = words.lower()
        if status == ADDRESS_REFUSED:
            return OvhAddressRefused(words, status=status)
        if status not in REFUSED:
            _logger.warning("OVHcloud: http2sms answers the unknown status %s", status)
            error = OvhUnreadableAnswer(words, status=status)
        elif "credit" in lower:
            error = OvhOutOfCredit(words, status=status)
        elif re.search(r"\b(login|password|account)\b", lower):
            error = OvhLoginRefused(words, status=status)
        elif re.search(r"\bparameter to\b|\breceivers?\b", lower):
            error = None
        elif re.search(r"\b(parameter|missing) from\b", lower):
            error = OvhBadRequest(f"sender: {words}", status=status)
        else:
            error = OvhBadRequest(words, status=status)
        return error

    @staticmethod
    def _prepare_report(data, ids, credit_left):
        """Return the answer in the form that the API gives."""
        valid = data["receivers"] if ids else []
        try:
            credits_left = float(credit_left)
        except (ArithmeticError, TypeError, ValueError):
            credits_left = None
        if credits_left is not None and not math.isfinite(credits_left):
            credits_left = None
        return {
            "ids": ids,
            "validReceivers": valid,
            "invalidReceivers": [n for n in data["receivers"] if n not in valid],
            # Not in the answer: the credits left show how many there were.
            "totalCreditsRemoved": None,
            "tag": data.get("tag"),
            "creditsLeft": credits_left,
        }

"""All HTTP to OVHcloud, and what can go wrong with it, as typed errors.

No ORM here. One client belongs to one thread: it keeps one connection alive.
"""

import logging
import time
from urllib.parse import quote

import ovh
import requests
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import MaxRetryError, NewConnectionError

_logger = logging.getLogger(__name__)

# OVHcloud's clock against ours changes slowly: asked for once an hour and base URL,
# not once per client, which would double the calls of a short-lived one.
_CLOCK_TTL = 3600
_clock_cache = {}


class OvhError(Exception):
    """What every failed call to OVHcloud raises; its subclasses say what went wrong.

    :param str message: OVHcloud's own words, or ours where it said nothing. Never a
        credential: nothing that was sent is ever part of it.
    :param int|None status: HTTP status of the answer, None without an answer
    :param str error_code: ``errorCode`` of the answer
    :param str query_id: ``X-Ovh-QueryID``, by which OVHcloud's support finds the call
    :param int|None retry_after: seconds that OVHcloud asks to wait
    """

    # Whether the call may have been carried out although it failed here. Only then
    # may the same SMS be on its way already, and must not be sent again blindly.
    may_be_done = False

    def __init__(
        self, message, status=None, error_code="", query_id="", retry_after=None
    ):
        super().__init__(message)
        self.message = message
        self.status = status
        self.error_code = error_code
        self.query_id = query_id
        self.retry_after = retry_after

    def __repr__(self):
        return (
            f"{type(self).__name__}({self.message!r}, status={self.status!r}, "
            f"error_code={self.error_code!r}, query_id={self.query_id!r})"
        )


class OvhUnreachable(OvhError):
    """No connection could be made: nothing was sent."""


class OvhNoAnswer(OvhError):
    """The call left but no answer came: a time-out, or a connection that was cut."""

    may_be_done = True


class OvhCredentialRefused(OvhError):
    """The application key, the secret or the consumer key is refused."""


class OvhUnknownApplication(OvhCredentialRefused):
    """OVHcloud does not know the application key."""


class OvhSignatureRefused(OvhCredentialRefused):
    """The signature does not match: the application secret is wrong."""


class OvhConsumerKeyRefused(OvhCredentialRefused):
    """The consumer key is unknown, not approved yet, refused or expired."""


class OvhClockOff(OvhError):
    """The timestamp of the call is too far from OVHcloud's clock."""


class OvhNotGranted(OvhError):
    """The consumer key is good but was not given the right to this call."""


class OvhNotFound(OvhError):
    """The service, or the object in it, does not exist."""


class OvhBadRequest(OvhError):
    """OVHcloud refuses the content of the call; ``message`` says why."""


class OvhOutOfCredit(OvhError):
    """Too few credits on the account, or in the API user's quota."""


class OvhThrottled(OvhError):
    """Too many calls (429): nothing was done, ``retry_after`` says when to go on."""


class OvhServerError(OvhError):
    """OVHcloud failed (5xx): the call may or may not have been carried out."""

    may_be_done = True


class OvhUnreadableAnswer(OvhError):
    """An answer came that is not what the API promises: done or not, one can't tell."""

    may_be_done = True


class _SignedClient(ovh.Client):
    """The `ovh` package's client, for any base URL and without its configuration.

    The parent's constructor takes named regions only, and looks up whatever it is not
    given in the environment and in ovh.conf files: another program's credentials could
    then send this company's SMS. So the parent's is not called.
    """

    def __init__(  # pylint: disable=super-init-not-called
        self, base_url, application_key, application_secret, consumer_key, timeout
    ):
        self._endpoint = base_url
        self._application_key = application_key
        self._application_secret = application_secret
        self._consumer_key = consumer_key
        self._client_id = None
        self._client_secret = None
        self._oauth2 = None
        self._time_delta = None
        self._timeout = timeout
        self._session = requests.Session()
        # A redirect would repeat a signed call elsewhere; the API has none.
        self._session.max_redirects = 0

    def set_time_delta(self, seconds):
        """Set what the parent would ask OVHcloud for: its clock minus ours."""
        self._time_delta = seconds


def quote_path(value):
    """Return `value` fit to stand as one segment of an API path."""
    return quote(str(value), safe="")


class OvhSmsClient:
    """Signed calls to one OVHcloud API, typed errors only.

    :param str base_url: base URL of the API, with its version (``.../1.0``)
    :param str application_key: key of the application
    :param str application_secret: secret of the application; signs, is never sent
    :param str consumer_key: key by which the account's owner let the application in
    :param tuple timeout: (connect, read) in seconds
    """

    def __init__(
        self,
        base_url,
        application_key,
        application_secret,
        consumer_key,
        timeout=(5, 20),
    ):
        self.base_url = base_url.rstrip("/")
        self._complete = bool(application_key and application_secret and consumer_key)
        self._client = _SignedClient(
            self.base_url,
            application_key or "",
            application_secret or "",
            consumer_key or "",
            timeout,
        )

    def __repr__(self):
        return f"{type(self).__name__}({self.base_url!r})"

    def close(self):
        """Close the connection."""
        self._client._session.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()

    # What one asks OVHcloud for

    def get(self, path, **params):
        """GET `path`, with `params` as its query. See :meth:`call`."""
        params = {key: value for key, value in params.items() if value is not None}
        if params:
            path = f"{path}?{self._client._prepare_query_string(params)}"
        return self.call("GET", path)

    def post(self, path, data):
        """POST `data` to `path`. See :meth:`call`."""
        return self.call("POST", path, data)

    def put(self, path, data):
        """PUT `data` at `path`. See :meth:`call`."""
        return self.call("PUT", path, data)

    def delete(self, path):
        """DELETE `path`. See :meth:`call`."""
        return self.call("DELETE", path)

    # The one method that talks

    def call(self, method, path, data=None):
        """Make one signed call.

        :param str method: HTTP method
        :param str path: path below the base URL, its query included
        :param dict|None data: body, sent as JSON
        :return: the decoded answer (None where OVHcloud answers ``null`` or nothing)
        :raise OvhError: always one of its subclasses, and nothing else
        """
        if not self._complete:
            raise OvhCredentialRefused("A key is missing")
        self._set_clock()
        return self._send(method, path, data, need_auth=True)

    def get_clock_offset(self):
        """Return OVHcloud's clock minus ours, in seconds.

        :raise OvhError: where OVHcloud cannot be asked
        """
        try:
            server_time = self._send("GET", "/auth/time", None, need_auth=False)
        except OvhError as error:
            # Nothing but the time was asked for, so nothing else can have been done.
            error.may_be_done = False
            raise
        if not isinstance(server_time, int):
            error = OvhUnreadableAnswer("The time is not a number")
            error.may_be_done = False
            raise error
        return server_time - int(time.time())

    def _set_clock(self):
        cached = _clock_cache.get(self.base_url)
        if cached is None or time.monotonic() - cached[1] > _CLOCK_TTL:
            cached = (self.get_clock_offset(), time.monotonic())
            _clock_cache[self.base_url] = cached
        self._client.set_time_delta(cached[0])

    def _send(self, method, path, data, need_auth):
        failure = None
        try:
            response = self._client.raw_call(
                method=method, path=path, data=data, need_auth=need_auth
            )
        except RequestException as error:
            failure = self._network_error(error)
        except Exception as error:  # noqa: BLE001
            # The promise is that nothing but OvhError leaves this class: a surprise
            # in the middle of a call must not roll back what other calls have done.
            _logger.warning(
                "OVHcloud: %s %s raised %s", method, path, type(error).__name__
            )
            failure = OvhNoAnswer(f"Unexpected error: {type(error).__name__}")
        if failure:
            # Raised out of the except block on purpose: the exception of `requests`
            # carries the request with its headers, and chained to ours it would reach
            # whatever reports errors.
            raise failure
        return self._read(method, path, response)

    @staticmethod
    def _network_error(error):
        reason = error.args[0] if error.args else None
        never_connected = isinstance(error, ConnectTimeout) or (
            isinstance(reason, MaxRetryError)
            and isinstance(reason.reason, NewConnectionError)
        )
        if never_connected or isinstance(
            error, requests.exceptions.InvalidURL | requests.exceptions.ProxyError
        ):
            return OvhUnreachable("No connection to OVHcloud")
        if isinstance(error, requests.exceptions.SSLError):
            return OvhUnreachable("No secure connection to OVHcloud")
        if isinstance(error, requests.exceptions.TooManyRedirects):
            return OvhUnreadableAnswer("OVHcloud answered with a redirect")
        if isinstance(error, requests.exceptions.Timeout):
            return OvhNoAnswer("OVHcloud did not answer in time")
        return OvhNoAnswer("The connection to OVHcloud was cut")

    @classmethod
    def _read(cls, method, path, response):
        """Return what `response` says, or raise what it means."""
        status = response.status_code
        query_id = response.headers.get("X-Ovh-QueryID", "")
        try:
            content = None if status == 204 else response.json()
            readable = True
        except ValueError:
            content, readable = None, False
        if 200 <= status < 300:
            if readable:
                return content
            raise OvhUnreadableAnswer(
                "The answer is not JSON", status=status, query_id=query_id
            )
        details = content if isinstance(content, dict) else {}
        message = str(details.get("message") or response.reason or status)[:500]
        error_code = str(details.get("errorCode") or "")
        error = cls._error_class(status, error_code, message, bool(details))(
            message,
            status=status,
            error_code=error_code,
            query_id=query_id,
            retry_after=cls._retry_after(response),
        )
        if isinstance(error, OvhClockOff):
            # Our clock was set, or OVHcloud's: ask again before the next call.
            _clock_cache.clear()
        _logger.info(
            "OVHcloud: %s %s: %s %s (query id %s)",
            method,
            path.split("?")[0],
            status,
            error_code,
            query_id or "none",
        )
        raise error

    @staticmethod
    def _error_class(status, error_code, message, readable):
        """Return the class of error that an answer means.

        OVHcloud types the 403 by `error_code`; for the rest the status, and for
        credits, clock and signature only its words, tell.
        """
        words = message.lower()
        if status == 429:
            return OvhThrottled
        if status >= 500:
            return OvhServerError
        if not readable:
            # A proxy or a firewall spoke, not the API.
            return OvhUnreadableAnswer
        if error_code == "QUERY_TIME_OUT" or "timestamp" in words:
            return OvhClockOff
        if "signature" in words:
            return OvhSignatureRefused
        if error_code == "INVALID_KEY" or "application key" in words:
            return OvhUnknownApplication
        if error_code in ("NOT_CREDENTIAL", "INVALID_CREDENTIAL"):
            return OvhConsumerKeyRefused
        if error_code == "NOT_GRANTED_CALL":
            return OvhNotGranted
        if status == 402 or (status in (400, 403, 409) and "credit" in words):
            return OvhOutOfCredit
        return {
            401: OvhCredentialRefused,
            403: OvhNotGranted,
            404: OvhNotFound,
            460: OvhNotFound,
        }.get(status, OvhBadRequest)

    @staticmethod
    def _retry_after(response):
        value = response.headers.get("Retry-After", "")
        return int(value) if value.isdigit() else None

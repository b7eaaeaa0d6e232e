"""All HTTP calls to OVHcloud, with typed errors for what can go wrong.

No ORM here. One client belongs to one thread: it keeps one connection alive.
"""

import json
import logging
import math
import re
import time
import zlib
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError, SSLError
from urllib.parse import quote, urlsplit

import ovh
import requests
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from oauthlib.oauth2.rfc6749.tokens import prepare_bearer_headers
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, RequestException
from urllib3.exceptions import (
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

_logger = logging.getLogger(__name__)

# The offset of OVHcloud's clock changes slowly. It is read once per hour and base URL,
# not once per client, which would double the calls of a short-lived one.
_CLOCK_TTL = 3600
_clock_cache = {}

# OVHcloud's words when it does not accept a call's signature or time and names no
# `errorCode`. Other wordings are not looked for: the text of an SMS might contain them.
_SIGNATURE_WORDS = ("invalid signature", "signature mismatch")
_CLOCK_WORDS = ("query out of time", "invalid timestamp", "timestamp out of")

# Access tokens of OAuth2 service accounts by (URL, id, secret), each with its expiry:
# a client lives for a few calls, a token for an hour.
_token_cache = {}
# Seconds before its expiry from which a token is no longer used, its lifetime if
# OVHcloud does not say, and the longest lifetime.
_TOKEN_MARGIN = 60
_TOKEN_LIFETIME = 600
_MAX_TOKEN_LIFETIME = 86400

# Most bytes of an answer that are read, unpacked: the longest ones are lists of ids.
MAX_ANSWER_SIZE = 8 * 1024 * 1024
_CHUNK_SIZE = 64 * 1024
# Most seconds that are waited because OVHcloud asks to.
MAX_RETRY_AFTER = 3600
# Characters of OVHcloud's names: services, senders, API users, numbers and ids. The
# comma is for several ids at once.
_NAME_REGEX = re.compile(r"(?!\.+$)[\w .,@&'+-]{1,128}")


class OvhError(Exception):
    """Base of the errors of failed calls to OVHcloud; subclasses say what went wrong.

    :param str message: OVHcloud's own words, or ours if it said nothing. Never a
        credential: nothing that was sent is ever part of it.
    :param int|None status: HTTP status of the answer, None without an answer
    :param str error_code: ``errorCode`` of the answer
    :param str query_id: ``X-Ovh-QueryID``, with which OVHcloud's support finds the call
    :param int|None retry_after: seconds that OVHcloud asks to wait
    """

    # Whether the call may have been carried out although it failed here. Only then may
    # the same SMS already be on its way, so that it must not be sent again blindly.
    may_be_done = False
    # Whether the call only read, and so asked OVHcloud to change nothing.
    reading = False

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


class OvhServiceAccountRefused(OvhCredentialRefused):
    """The OAuth2 client id, its secret or the token made from them is refused."""


class OvhLoginRefused(OvhCredentialRefused):
    """http2sms refuses the service, the API user's login or its password."""


class OvhAddressRefused(OvhCredentialRefused):
    """The API user may not send from this server's IP address."""


class OvhClockOff(OvhError):
    """The timestamp of the call is too far from OVHcloud's clock."""


class OvhNotGranted(OvhError):
    """The consumer key is valid but was not granted this call."""


class OvhNotFound(OvhError):
    """The service, or the object in it, does not exist."""


class OvhBadRequest(OvhError):
    """OVHcloud refuses the content of the call; ``message`` says why."""


class OvhUnsafeName(OvhBadRequest):
    """A name that cannot be OVHcloud's; in a path it would mean something else."""


class OvhOutOfCredit(OvhError):
    """Too few credits on the account, or in the API user's quota."""


class OvhThrottled(OvhError):
    """Too many calls (429): nothing was done, ``retry_after`` says how long to wait."""


class OvhServerError(OvhError):
    """OVHcloud failed (5xx): the call may or may not have been carried out."""

    may_be_done = True


class OvhUnreadableAnswer(OvhError):
    """The answer is not what the API promises: the call may or may not be done."""

    may_be_done = True


class AnswerTooLong(RequestException):
    """The answer is longer than any that OVHcloud gives."""


class _BoundedAdapter(HTTPAdapter):
    """Reads at most `MAX_ANSWER_SIZE` of an answer, also if it unpacks to more."""

    def send(self, request, stream=False, **kwargs):  # pylint: disable=arguments-differ
        """Override of `requests` to read the body here, whatever `stream` says."""
        response = super().send(request, stream=True, **kwargs)
        try:
            response._content = self._read_body(response.raw)
        except AnswerTooLong:
            raise
        except ReadTimeoutError as error:
            raise requests.exceptions.ReadTimeout(error, request=request) from None
        except SSLError as error:
            raise requests.exceptions.SSLError(error, request=request) from None
        except (HTTPError, OSError) as error:
            raise requests.exceptions.ConnectionError(error, request=request) from None
        finally:
            if response._content is False:
                response.close()
        response._content_consumed = True
        return response

    @staticmethod
    def _read_body(raw):
        """Return the body, unpacked.

        :raise AnswerTooLong: if it is too long
        """
        body = bytearray()
        while chunk := raw.read(_CHUNK_SIZE, decode_content=False):
            body += chunk
            if len(body) > MAX_ANSWER_SIZE:
                raise AnswerTooLong("The answer is too long")
        encoding = raw.headers.get("Content-Encoding", "").strip().lower()
        if encoding in ("", "identity") or not body:
            return bytes(body)
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise HTTPError("Unknown encoding")
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        try:
            unpacked = unpacker.decompress(bytes(body), MAX_ANSWER_SIZE + 1)
        except zlib.error as error:
            raise HTTPError("The answer cannot be unpacked") from error
        if len(unpacked) > MAX_ANSWER_SIZE:
            raise AnswerTooLong("The answer is too long")
        if not unpacker.eof:
            raise HTTPError("The answer was cut")
        return unpacked


def create_session():
    """Return a `requests` session that follows no redirects and reads bounded answers.

    :rtype: requests.Session
    """
    session = requests.Session()
    # A redirect would repeat a signed call, or a password, elsewhere; the API has none.
    session.max_redirects = 0
    session.headers["Accept-Encoding"] = "gzip, deflate"
    for scheme in ("http://", "https://"):
        session.mount(scheme, _BoundedAdapter())
    return session


def read_json(response):
    """Return the decoded JSON of an answer.

    :raise ValueError: if it is not JSON, is nested too deeply, or has a number that is
        infinite or not a number
    """
    try:
        return json.loads(
            response.content, parse_constant=_read_number, parse_float=_read_number
        )
    except RecursionError:
        raise ValueError("Nested too deeply") from None


def _read_number(text):
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("Not a number")
    return number


class _SignedClient(ovh.Client):
    """The `ovh` package's client, for any base URL and without its configuration.

    The parent's constructor takes only named regions, and looks up missing arguments in
    the environment and in ovh.conf files: another program's credentials could then send
    this company's SMS. So it is not called.
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
        self._session = create_session()

    def set_service_account(self, token_url, client_id, client_secret):
        """Make the calls with an OAuth2 service account.

        :rtype: _ServiceAccount
        """
        self._oauth2 = _ServiceAccount(
            self._session, token_url, client_id, client_secret, self._timeout
        )
        return self._oauth2

    def set_time_delta(self, seconds):
        """Set OVHcloud's clock minus ours, which the parent would ask for itself."""
        self._time_delta = seconds


class _ServiceAccount(requests.auth.AuthBase):
    """An OAuth2 service account as the `ovh` package's client uses one.

    That package's own class takes only named regions, refuses the plain HTTP of a
    simulator, has no time-out while it fetches a token, and writes tokens to the debug
    log. So `oauthlib` handles the protocol, and the calls are made like all others.

    :param requests.Session session: session that makes the calls
    """

    def __init__(self, session, token_url, client_id, client_secret, timeout):
        self.session = session
        self._key = (token_url, client_id, client_secret)
        self._timeout = timeout
        session.auth = self

    def __call__(self, request):
        """Add the token to a call of the API, as `requests` expects."""
        prepare_bearer_headers(self.get_token(), request.headers)
        return request

    def get_token(self):
        """Return an access token that is still valid.

        :raise OvhError: if there is none to be had; nothing else was asked for then
        """
        token, end = _token_cache.get(self._key, (None, 0))
        if not token or time.monotonic() > end:
            token, end = self._fetch_token()
            _token_cache[self._key] = token, end
        return token

    def drop_token(self):
        """Forget the token, because OVHcloud refuses it.

        :return: whether there was one to forget
        :rtype: bool
        """
        return bool(_token_cache.pop(self._key, None))

    def _fetch_token(self):
        token_url, client_id, client_secret = self._key
        client = BackendApplicationClient(client_id, scope=["all"])
        failure = response = None
        try:
            # Not the session of the calls, which would ask for a token itself.
            with create_session() as session:
                response = session.post(
                    token_url,
                    data=client.prepare_request_body(),
                    auth=(client_id, client_secret),
                    headers={
                        "Accept": "application/json",
                        "Content-Type": "application/x-www-form-urlencoded",
                    },
                    timeout=self._timeout,
                    allow_redirects=False,
                )
        except RequestException as error:
            failure = network_error(error)
        # Error reports contain local variables.
        del client_secret
        if failure is None:
            failure = self._read_token(client, response)
        if failure is not None:
            # Only a token was asked for, so nothing else can have been done.
            failure.may_be_done = False
            raise failure
        try:
            lifetime = float(client.token.get("expires_in") or _TOKEN_LIFETIME)
        except (OverflowError, TypeError, ValueError):
            lifetime = _TOKEN_LIFETIME
        lifetime = min(lifetime, _MAX_TOKEN_LIFETIME) - _TOKEN_MARGIN
        return client.access_token, time.monotonic() + max(0, lifetime)

    @staticmethod
    def _read_token(client, response):
        """Let `client` read the token in `response`.

        :return: the error that the answer means, None if it is a token
        :rtype: OvhError|None
        """
        status = response.status_code
        query_id = response.headers.get("X-Ovh-QueryID", "")
        details = {"status": status, "query_id": query_id}
        _logger.info("OVHcloud: POST of an OAuth2 token: %s", status)
        if status == 429:
            return OvhThrottled(
                "Too many tokens are asked for",
                retry_after=OvhSmsClient._retry_after(response),
                **details,
            )
        if status >= 500:
            return OvhServerError("OVHcloud gives no token", **details)
        try:
            client.parse_request_body_response(response.text)
        except OAuth2Error as error:
            if 400 <= status < 500:
                return OvhServiceAccountRefused(
                    "OVHcloud refuses the service account",
                    error_code=str(error.error or "")[:100],
                    **details,
                )
        except (
            ArithmeticError,
            AttributeError,
            KeyError,
            RecursionError,
            TypeError,
            ValueError,
            Warning,
        ) as error:
            _logger.info("OVHcloud: an OAuth2 token raised %s", type(error).__name__)
        else:
            if 200 <= status < 300:
                return None
        return OvhUnreadableAnswer("The answer is no token", **details)


def is_safe_name(value):
    """Return whether `value` looks like one of OVHcloud's names."""
    value = str(value)
    return bool(_NAME_REGEX.fullmatch(value)) and value == value.strip()


def quote_path(value):
    """Return `value` quoted as one segment of an API path.

    Quoting alone is not enough: an API user named ``..`` would be the service itself.

    :raise OvhUnsafeName: if it does not look like one of OVHcloud's names
    """
    value = str(value)
    if not is_safe_name(value):
        raise OvhUnsafeName(f"Not a name of OVHcloud: {value[:40]!r}")
    return quote(value, safe="")


def network_error(error):
    """Return the error that an exception of `requests` means.

    :rtype: OvhError
    """
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
        wrapped = getattr(reason, "reason", None)
        causes = (wrapped, *getattr(wrapped, "args", ()))
        if any(isinstance(cause, SSLCertVerificationError) for cause in causes):
            return OvhUnreachable("No secure connection to OVHcloud")
        # Encryption may also fail while the answer is read.
        return OvhNoAnswer("The secure connection to OVHcloud failed")
    if isinstance(error, AnswerTooLong):
        return OvhUnreadableAnswer("The answer is too long")
    if isinstance(error, requests.exceptions.TooManyRedirects):
        return OvhUnreadableAnswer("OVHcloud answered with a redirect")
    if isinstance(error, requests.exceptions.Timeout):
        return OvhNoAnswer("OVHcloud did not answer in time")
    return OvhNoAnswer("The connection to OVHcloud was cut")


class OvhSmsClient:
    """Signed calls to one OVHcloud API, typed errors only.

    :param str base_url: base URL of the API, with its version (``.../1.0``)
    :param str application_key: key of the application
    :param str application_secret: secret of the application; signs, is never sent
    :param str consumer_key: key by which the account's owner authorised the application
    :param tuple timeout: (connect, read) in seconds
    :param str client_id: id of an OAuth2 service account, in place of the three keys
    :param str client_secret: its secret
    :param str token_url: where a token is fetched with them
    """

    def __init__(
        self,
        base_url,
        application_key,
        application_secret,
        consumer_key,
        timeout=(5, 20),
        client_id=None,
        client_secret=None,
        token_url=None,
    ):
        self.base_url = base_url.rstrip("/")
        keys = (application_key, application_secret, consumer_key)
        self._complete = all((client_id, client_secret) if token_url else keys)
        self._client = _SignedClient(
            self.base_url,
            application_key or "",
            application_secret or "",
            consumer_key or "",
            timeout,
        )
        self._service_account = None
        if token_url:
            self._service_account = self._client.set_service_account(
                token_url, client_id or "", client_secret or ""
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

    # Calls by HTTP method

    def get(self, path, **params):
        """GET `path`, with `params` as its query. See :meth:`call`."""
        params = {key: value for key, value in params.items() if value is not None}
        if params:
            path = f"{path}?{self._client._prepare_query_string(params)}"
        return self.call("GET", path)

    def get_batch(self, path, ids):
        """GET several objects of one list at once. See :meth:`call`.

        :param str path: of the list
        :param ids: of the objects
        :return: if OVHcloud takes batches, a list of dicts with ``key``, ``value`` and
            ``error``
        """
        joined = ",".join(map(quote_path, ids))
        return self.call("GET", f"{path}/{joined}", headers={"X-Ovh-Batch": ","})

    def post(self, path, data):
        """POST `data` to `path`. See :meth:`call`."""
        return self.call("POST", path, data)

    def put(self, path, data):
        """PUT `data` at `path`. See :meth:`call`."""
        return self.call("PUT", path, data)

    def delete(self, path):
        """DELETE `path`. See :meth:`call`."""
        return self.call("DELETE", path)

    # The call itself

    def call(self, method, path, data=None, headers=None):
        """Make one signed call.

        :param str method: HTTP method
        :param str path: path below the base URL, its query included
        :param dict|None data: body, sent as JSON
        :param dict|None headers: more headers; the signature does not cover them
        :return: the decoded answer (None if OVHcloud answers ``null`` or nothing)
        :raise OvhError: always one of its subclasses, and nothing else
        """
        try:
            return self._call(method, path, data, headers)
        except OvhError as error:
            error.reading = method == "GET"
            raise

    def _call(self, method, path, data, headers):
        """Make one signed call, and repeat it if refused for its time or signature."""
        if not self._complete:
            raise OvhCredentialRefused("A key is missing")
        if self._service_account:
            return self._call_with_token(method, path, data, headers)
        self._set_clock()
        try:
            return self._send(method, path, data, need_auth=True, headers=headers)
        except (OvhClockOff, OvhSignatureRefused):
            # Nothing was done. The time is in the signature, and clocks get set: forget
            # the known offset of OVHcloud's clock, and ask for it once more.
            _clock_cache.pop(self.base_url, None)
        self._set_clock()
        return self._send(method, path, data, need_auth=True, headers=headers)

    def _call_with_token(self, method, path, data, headers):
        """Make one call with an OAuth2 token, and repeat it if the token is refused."""
        self._service_account.get_token()
        try:
            return self._send(method, path, data, need_auth=True, headers=headers)
        except OvhServiceAccountRefused:
            # A refused token did nothing: a new one may repeat the call.
            if not self._service_account.drop_token():
                raise
        self._service_account.get_token()
        return self._send(method, path, data, need_auth=True, headers=headers)

    def request_consumer_key(self, rules, redirection):
        """Ask for a consumer key, which its owner has to approve on OVHcloud's page.

        :param list rules: (method, path) pairs that the key is to grant
        :param str redirection: URL to which OVHcloud's page sends the owner back
        :return: (consumer key, URL of OVHcloud's page)
        :rtype: tuple[str, str]
        :raise OvhError: always one of its subclasses, and nothing else
        """
        if not self._client._application_key:
            raise OvhCredentialRefused("A key is missing")
        answer = self._send(
            "POST",
            "/auth/credential",
            {
                "accessRules": [
                    {"method": method, "path": path} for method, path in rules
                ],
                "redirection": redirection,
            },
            need_auth=False,
        )
        try:
            consumer_key, url = answer["consumerKey"], answer["validationUrl"]
            # The user's browser is sent there: it must be a web URL.
            valid = urlsplit(url).scheme in ("https", urlsplit(self.base_url).scheme)
            valid = valid and urlsplit(url).hostname and isinstance(consumer_key, str)
        except (AttributeError, KeyError, TypeError, ValueError):
            valid = False
        if not valid:
            raise OvhUnreadableAnswer("No page to approve a consumer key")
        return consumer_key, url

    def get_clock_offset(self):
        """Return OVHcloud's clock minus ours, in seconds.

        :raise OvhError: if OVHcloud cannot be asked
        """
        try:
            server_time = self._send("GET", "/auth/time", None, need_auth=False)
        except OvhError as error:
            # Only the time was asked for, so nothing else can have been done.
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

    def _send(self, method, path, data, need_auth, headers=None):
        failure = None
        try:
            response = self._client.raw_call(
                method=method,
                path=path,
                data=data,
                need_auth=need_auth,
                # A copy, to which the `ovh` package adds its own headers.
                headers=dict(headers or {}),
            )
        except RequestException as error:
            failure = network_error(error)
        except OvhError:
            raise
        except Exception as error:
            # This class promises to raise nothing but OvhError: a surprise in the
            # middle of a call must not roll back what other calls have done.
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

    def _read(self, method, path, response):
        """Return the content of `response`, or raise the error that it means."""
        status = response.status_code
        query_id = response.headers.get("X-Ovh-QueryID", "")
        try:
            content = None if status == 204 else read_json(response)
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
        error_class = self._error_class(status, error_code, message, bool(details))
        if self._service_account and error_class in (
            OvhConsumerKeyRefused,
            OvhCredentialRefused,
        ):
            error_class = OvhServiceAccountRefused
        error = error_class(
            message,
            status=status,
            error_code=error_code,
            query_id=query_id,
            retry_after=self._retry_after(response),
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

        For a 403, OVHcloud's `error_code` tells; otherwise the status does. For
        credits, clock and signature only the message may tell.
        """
        words = message.lower()
        if status == 429:
            return OvhThrottled
        if status >= 500:
            return OvhServerError
        if not readable:
            # A proxy or a firewall answered, not the API.
            return OvhUnreadableAnswer
        if error_code == "QUERY_TIME_OUT" or (
            not error_code and any(each in words for each in _CLOCK_WORDS)
        ):
            return OvhClockOff
        if error_code == "INVALID_SIGNATURE" or (
            not error_code and any(each in words for each in _SIGNATURE_WORDS)
        ):
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
        """Return the seconds that OVHcloud asks to wait, None if it does not say.

        It says so as a number, possibly with decimals, or as an HTTP date.
        """
        value = response.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{0,9})?", value, re.ASCII):
            return min(math.ceil(float(value)), MAX_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(value)
            moment = moment.replace(tzinfo=moment.tzinfo or timezone.utc)
            seconds = (moment - datetime.now(timezone.utc)).total_seconds()
        except (IndexError, OverflowError, TypeError, ValueError):
            return None
        return min(max(math.ceil(seconds), 0), MAX_RETRY_AFTER)

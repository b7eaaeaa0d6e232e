"""What stands before every API call: keys, signature, rights, faults, latency, JSON."""

import asyncio
import contextlib
import functools
import hashlib
import hmac
import itertools
import json
import re
import time
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from starlette.responses import Response

from . import errors, schema, seed
from .numbers import is_allowed

#: Paths below which the API answers; both are the same API.
PREFIXES = ("/1.0", "/v1")
#: Seconds after which a request that meets the ``timeout`` fault is dropped at the latest.
LONGEST_HANG = 600
#: Ids that one call may ask for at once: as many as OVHcloud's own console does.
MAX_BATCH = 50

_PREFIX = re.compile(f"^({'|'.join(map(re.escape, PREFIXES))})(?=/)")

_query_ids = itertools.count(1)
_started = format(int(time.time()), "x")


def query_id():
    """Return a value for ``X-OVH-QUERYID``, unique if no two start in one second."""
    return f"EU.ext-sim.{_started}.{next(_query_ids):x}"


class JsonResponse(Response):
    """A JSON answer with the headers of OVHcloud's gateway."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, content, status_code=200, headers=None):
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        super().__init__(
            body, status_code, {"X-OVH-QUERYID": query_id(), **(headers or {})}
        )


def error_response(error, headers=None):
    """Return the answer that an :class:`errors.ApiError` is."""
    return JsonResponse(error.body(), error.status, headers)


async def _wait_until_gone(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


class NoResponse(Response):
    """No answer: the connection stays open until the client gives up, or is reset.

    :param transport: the connection to reset, if any.
    """

    def __init__(self, transport=None):
        super().__init__()
        self._transport = transport

    async def __call__(self, scope, receive, send):
        if self._transport is not None:
            self._transport.abort()
        with contextlib.suppress(asyncio.TimeoutError):
            # once the server has noticed, it expects no answer any more
            return await asyncio.wait_for(_wait_until_gone(receive), LONGEST_HANG)
        await super().__call__(scope, receive, send)


_FAULT_ERRORS = {
    "429": "Too many requests, please slow down",
    "500": "Internal server error",
}
_FAULT_BODIES = {"garbage": '{"ids":[1000', "empty": b""}
_BAD_GATEWAY = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body>\r\n<center><h1>502 Bad Gateway</h1>"
    "</center>\r\n</body>\r\n</html>\r\n"
)


def fault_response(fault, request):
    """Return the answer that a request gets which meets *fault*."""
    headers = {}
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.kind in _FAULT_ERRORS:
        message = _FAULT_ERRORS[fault.kind]
        return error_response(errors.ApiError(int(fault.kind), message), headers)
    if fault.kind == "answer":
        return JsonResponse(fault.content, int(fault.status), headers)
    if fault.kind == "502_html":
        return Response(_BAD_GATEWAY, 502, media_type="text/html")
    if fault.kind in _FAULT_BODIES:
        headers["X-OVH-QUERYID"] = query_id()
        media_type = JsonResponse.media_type
        return Response(_FAULT_BODIES[fault.kind], 200, headers, media_type)
    if fault.kind == "timeout":
        return NoResponse()
    connections = request.app.state.connections
    return NoResponse(connections.get(tuple(request.scope["client"] or ())))


def change_response(response, changes):
    """Return *response* with other properties in its object, or in each of its list."""
    content = json.loads(response.body)
    for entry in content if isinstance(content, list) else [content]:
        if isinstance(entry, dict):
            # one of several that were asked for at once
            value = entry.get("value") if "key" in entry else entry
            if isinstance(value, dict):
                value.update(changes)
    return JsonResponse(content, response.status_code)


class Caller(NamedTuple):
    """Who makes a call: the customer, and its credential (``None`` with OAuth2)."""

    customer: str
    credential: "dict | None" = None


def base_of(request):
    """Return the address under which a request came in."""
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def address_of(request):
    """Return the IP address that a request came from."""
    return request.client.host if request.client else ""


def _urls(request):
    """Return the URLs that the client may have signed: ours, and a proxy's."""
    scope, headers = request.scope, request.headers
    target = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    scheme = headers.get("x-forwarded-proto", scope["scheme"])
    host = headers.get("x-forwarded-host", headers.get("host", ""))
    return {base_of(request) + target, f"{scheme}://{host}{target}"}


def application_of(request):
    """Return (application key, application) of a request."""
    key = request.headers.get("x-ovh-application")
    if key not in seed.APPLICATIONS:
        raise errors.invalid_key()
    return key, seed.APPLICATIONS[key]


@functools.lru_cache(maxsize=1000)
def _pattern(path):
    return re.compile(".*".join(map(re.escape, path.split("*"))))


def rule_allows(rule, method, path):
    """Tell whether an access rule (in its path, ``*`` is anything) covers a call."""
    return rule["method"] == method and _pattern(rule["path"]).fullmatch(path)


def _is_signed(request, secret, consumer_key, timestamp, body):
    """Tell whether a request bears the right signature, for one of its URLs."""
    given = request.headers.get("x-ovh-signature", "").encode()
    for url in _urls(request):
        start = "+".join((secret, consumer_key, request.method, url, "")).encode()
        signed = start + body + b"+" + timestamp.encode()
        right = b"$1$" + hashlib.sha1(signed).hexdigest().encode()
        if hmac.compare_digest(given, right):
            return True
    return False


def authenticate(world, request, path, body):
    """Check who makes a call and whether they may.

    :param str path: path of the call without version prefix.
    :param bytes body: the body as received, which the signature covers.
    :return: the :class:`Caller`.
    :raise ApiError: the gateway's error.
    """
    headers = request.headers
    authorization = headers.get("authorization", "")
    if authorization.lower().startswith("bearer "):
        granted = world.access_tokens.get(authorization[7:].strip())
        if granted is None or granted[1] < world.clock.elapsed():
            raise errors.invalid_credential()
        return Caller(granted[0])
    application_key, application = application_of(request)
    consumer_key = headers.get("x-ovh-consumer")
    if not consumer_key:
        raise errors.login_first()
    credential = world.credentials.get(consumer_key)
    if credential is None or credential["application"] != application_key:
        raise errors.no_credential()
    timestamp = headers.get("x-ovh-timestamp", "")
    is_time = re.fullmatch(r"[0-9]{1,12}", timestamp)
    if not is_time or not world.is_in_time(int(timestamp)):
        raise errors.out_of_time()
    if not _is_signed(request, application["secret"], consumer_key, timestamp, body):
        raise errors.invalid_signature()
    now, expires = world.clock.now(), credential["expires"]
    if credential["status"] == "validated" and expires and expires <= now:
        credential["status"] = "expired"
    if credential["status"] != "validated":
        raise errors.invalid_credential()
    if not is_allowed(address_of(request), credential["allowed_ips"]):
        raise errors.forbidden_address()
    if path != "/auth/currentCredential" and not any(
        rule_allows(rule, request.method, path) for rule in credential["rules"]
    ):
        raise errors.not_granted()
    credential["last_use"] = now
    return Caller(credential["customer"], credential)


@dataclass(slots=True)
class Call:
    """One API call, checked: who calls, the path's parameters, query, body, world."""

    world: object
    request: object
    caller: "Caller | None"
    path: dict
    query: dict
    body: dict
    #: Callbacks to make before the answer.
    first: list = field(default_factory=list)

    @property
    def services(self):
        """Names of the caller's services."""
        return seed.CUSTOMERS.get(self.caller.customer, {}).get("services", ())

    @property
    def service(self):
        """The service named in the path.

        :raise ApiError: 404 where the caller has none of that name.
        """
        if self.path["serviceName"] not in self.services:
            raise errors.no_service()
        return self.world.services[self.path["serviceName"]]


def path_of(request):
    """Return the path of a request without version prefix."""
    return _PREFIX.sub("", request.scope["path"])


async def meet(request, template, perform):
    """Run one request through counting, latency and ordered faults.

    :param str template: name of the call in the request counts.
    :param perform: coroutine function from the request to the response.
    """
    world = request.app.state.world
    world.requests[template] += 1
    body = await request.body() if world.faults.read_bodies else b""
    fault = world.faults.take(
        request.method, path_of(request), body.decode("utf-8", "replace")
    )
    latency = world.config["latency_ms"] + (fault.latency_ms if fault else 0)
    if latency:
        # what was received takes effect even when the client has left meanwhile
        await request.body()
        await asyncio.sleep(latency / 1000)
    if fault is None or fault.kind == "latency":
        return await perform(request)
    if fault.kind == "change":
        return change_response(await perform(request), fault.content)
    if fault.accept:
        await perform(request)
    return fault_response(fault, request)


def split_batch(call, operation, path):
    """Return (name of the path's last parameter, the ids given where it is several).

    OVHcloud's console reads many objects at once so. Which paths take it nobody says:
    where the configuration has it refused, the header is not looked at, and the ids
    are one id that does not exist.

    :raise ApiError: where they are too many.
    """
    separator = call.request.headers.get("x-ovh-batch")
    refused = call.world.config["batch_refused"]
    if (
        not separator
        or operation.method != "GET"
        or not operation.path.endswith("}")
        or (refused is not None and re.search(refused, path))
    ):
        return None, ()
    name = list(call.path)[-1]
    keys = call.path[name].split(separator)
    if len(keys) > MAX_BATCH:
        raise errors.bad_request(f"[{name}] {MAX_BATCH} at most in one batch")
    return name, keys


def answer_one(call, handler, name, key):
    """Return the entry of one id in the answer to a call for several."""
    call.path = {**call.path, name: key}
    try:
        return {"key": key, "value": handler(call), "error": None}
    except errors.ApiError as error:
        return {"key": key, "value": None, "error": error.body()}


async def answer(operation, handler, request):
    """Return the response to a call that met no fault."""
    world = request.app.state.world
    caller = None
    try:
        body = await request.body()
        path = path_of(request)
        if operation.authenticated:
            caller = authenticate(world, request, path, body)
        parameters = read_parameters(operation, request, body)
        call = Call(world, request, caller, request.path_params, *parameters)
        name, keys = split_batch(call, operation, path)
        if name:
            return JsonResponse([answer_one(call, handler, name, key) for key in keys])
        content = handler(call)
        if call.first:
            await world.callbacks.deliver_all(call.first)
    except errors.ApiError as error:
        return error_response(error)
    return JsonResponse(content)


class ApiRoute(APIRoute):
    """A call of :mod:`schema`, whose endpoint is a function from :class:`Call` to data."""

    def get_route_handler(self):
        perform = functools.partial(answer, schema.CALLS[self.name], self.endpoint)

        async def handle(request):
            return await meet(request, self.name, perform)

        return handle


def read_parameters(operation, request, body):
    """Return (query, body) of a request as dicts, checked against *operation*.

    :raise ApiError: 400 where they do not fit.
    """
    text = request.scope["query_string"].decode("latin-1")
    query = schema.check_query(operation, parse_qsl(text, keep_blank_values=True))
    if request.method not in ("POST", "PUT"):
        return query, {}
    try:
        data = json.loads(body) if body.strip() else None
    except ValueError:
        raise errors.bad_request("Invalid JSON received") from None
    if operation.body or operation.body_model:
        return query, schema.check_body(operation, data)
    return query, data or {}

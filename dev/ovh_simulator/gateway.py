"""What stands before every API call: keys, signature, rights, faults, latency, JSON."""

import asyncio
import hashlib
import hmac
import itertools
import json
import re
import time
from urllib.parse import parse_qsl

from fastapi.routing import APIRoute
from starlette.responses import Response

from . import errors, schema, seed

#: Paths below which the API answers; both are the same API.
PREFIXES = ("/1.0", "/v1")
#: Seconds after which a request that meets the ``timeout`` fault is dropped at the latest.
LONGEST_HANG = 600
#: Ids that one call may ask for at once: as many as OVHcloud's own console does.
MAX_BATCH = 50

_query_ids = itertools.count(1)
_started = format(int(time.time()), "x")


def query_id():
    """:return: a value for ``X-OVH-QUERYID``, unique if no two start in one second."""
    return f"EU.ext-sim.{_started}.{next(_query_ids):x}"


class JsonResponse(Response):
    """A JSON answer with the headers of OVHcloud's gateway."""

    media_type = "application/json; charset=utf-8"

    def __init__(self, content, status_code=200, headers=None):
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        super().__init__(
            body, status_code, {"X-OVH-QUERYID": query_id(), **(headers or {})}
        )


class CutResponse(Response):
    """No answer: the connection is reset."""

    def __init__(self, connections):
        super().__init__()
        self._connections = connections

    async def __call__(self, scope, receive, send):
        transport = self._connections.get(tuple(scope["client"] or ()))
        if transport is not None:
            transport.abort()
        # once the server has noticed, it expects no answer any more
        while (await receive())["type"] != "http.disconnect":
            pass


class HangingResponse(Response):
    """No answer: the connection stays open until the client gives up."""

    async def __call__(self, scope, receive, send):
        async def gone():
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            await asyncio.wait_for(gone(), LONGEST_HANG)
        except asyncio.TimeoutError:
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


def fault_response(fault, connections):
    """:return: the answer that a request gets which meets *fault*."""
    headers = {"X-OVH-QUERYID": query_id()}
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    if fault.kind in _FAULT_ERRORS:
        error = errors.ApiError(int(fault.kind), _FAULT_ERRORS[fault.kind])
        return JsonResponse(error.body(), error.status, headers)
    if fault.kind == "answer":
        return JsonResponse(fault.content, int(fault.status), headers)
    if fault.kind == "502_html":
        return Response(_BAD_GATEWAY, 502, media_type="text/html")
    if fault.kind in _FAULT_BODIES:
        media_type = JsonResponse.media_type
        return Response(_FAULT_BODIES[fault.kind], 200, headers, media_type)
    if fault.kind == "timeout":
        return HangingResponse()
    return CutResponse(connections)


def change_response(response, changes):
    """:return: *response* with other properties in its object, or in each of its list."""
    content = json.loads(response.body)
    entries = content if isinstance(content, list) else [content]
    for entry in entries:
        if isinstance(entry, dict):
            # one of several that were asked for at once
            value = entry.get("value") if "key" in entry else entry
            if isinstance(value, dict):
                value.update(changes)
    return JsonResponse(content, response.status_code)


class Caller:
    """Who makes a call: the customer, and its credential (``None`` with OAuth2)."""

    __slots__ = ("customer", "consumer_key", "credential")

    def __init__(self, customer, consumer_key=None, credential=None):
        self.customer = customer
        self.consumer_key = consumer_key
        self.credential = credential


def _urls(request):
    """:return: the URLs that the client may have signed: ours, and a proxy's."""
    scope = request.scope
    target = (
        scope["raw_path"].decode("latin-1") if scope.get("raw_path") else scope["path"]
    )
    if scope["query_string"]:
        target += "?" + scope["query_string"].decode("latin-1")
    headers = request.headers
    host = headers.get("host", "")
    urls = [f"{scope['scheme']}://{host}{target}"]
    if "x-forwarded-proto" in headers or "x-forwarded-host" in headers:
        scheme = headers.get("x-forwarded-proto", scope["scheme"])
        urls.append(f"{scheme}://{headers.get('x-forwarded-host', host)}{target}")
    return urls


def application_of(request):
    """:return: (application key, application) of a request.

    :raise ApiError: ``INVALID_KEY`` where it is missing or unknown.
    """
    key = request.headers.get("x-ovh-application", "")
    application = seed.APPLICATIONS.get(key)
    if application is None:
        raise errors.invalid_key()
    return key, application


_rule_cache = {}


def rule_allows(rule, method, path):
    """:return: whether an access rule (in its path, ``*`` is anything) covers a call."""
    if rule["method"] != method:
        return False
    pattern = _rule_cache.get(rule["path"])
    if pattern is None:
        if len(_rule_cache) > 1000:
            _rule_cache.clear()
        pattern = re.compile(".*".join(map(re.escape, rule["path"].split("*"))))
        _rule_cache[rule["path"]] = pattern
    return bool(pattern.fullmatch(path))


def _is_signed(request, secret, consumer_key, timestamp, body):
    """:return: whether a request bears the right signature, for one of its URLs."""
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
    if not re.fullmatch(r"[0-9]{1,12}", timestamp) or not world.is_in_time(
        int(timestamp)
    ):
        raise errors.out_of_time()
    if not _is_signed(request, application["secret"], consumer_key, timestamp, body):
        raise errors.invalid_signature()
    now = world.clock.now()
    if (
        credential["expires"] is not None
        and credential["expires"] <= now
        and credential["status"] == "validated"
    ):
        credential["status"] = "expired"
    if credential["status"] != "validated":
        raise errors.invalid_credential()
    if not world.address_allowed(
        request.client.host if request.client else "", credential["allowed_ips"]
    ):
        raise errors.forbidden_address()
    if path != "/auth/currentCredential" and not any(
        rule_allows(rule, request.method, path) for rule in credential["rules"]
    ):
        raise errors.not_granted()
    credential["last_use"] = now
    return Caller(credential["customer"], consumer_key, credential)


class Call:
    """One API call, checked: who calls, the path's parameters, query, body, world."""

    __slots__ = ("world", "request", "caller", "path", "query", "body", "first")

    def __init__(self, world, request, caller, path, query, body):
        self.world = world
        self.request = request
        self.caller = caller
        self.path = path
        self.query = query
        self.body = body
        #: Callbacks to make before the answer.
        self.first = []

    @property
    def service(self):
        """The service named in the path.

        :raise ApiError: 404 where the caller has none of that name.
        """
        return self.world.service(self.caller.customer, self.path["serviceName"])


def path_of(request):
    """:return: path of a request without version prefix."""
    path = request.scope["path"]
    for prefix in PREFIXES:
        if path.startswith(prefix + "/"):
            return path[len(prefix) :]
    return path


async def meet(world, connections, request, template, perform):
    """Run one request through counting, latency and ordered faults.

    :param str template: name of the call in the request counts.
    :param perform: coroutine function that does the work and gives the response.
    :return: the response.
    """
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
        return await perform()
    if fault.kind == "change":
        return change_response(await perform(), fault.content)
    if fault.accept:
        await perform()
    return fault_response(fault, connections)


def batch_separator(call, operation, path):
    """:return: what separates the ids that a call asks for at once, ``None`` for one.

    OVHcloud's console reads many objects at once so. Which paths take it nobody says:
    where the configuration has it refused, the header is not looked at, and the ids
    are one id that does not exist.
    """
    separator = call.request.headers.get("x-ovh-batch")
    refused = call.world.config["batch_refused"]
    if (
        not separator
        or call.request.method != "GET"
        or not operation.path.endswith("}")
        or (refused is not None and re.search(refused, path))
    ):
        return None
    return separator


def answer_each(call, handler, separator):
    """:return: the answers to a call for several ids, each with its id or its error.

    :raise ApiError: where they are too many.
    """
    name = list(call.path)[-1]
    keys = call.path[name].split(separator)
    if len(keys) > MAX_BATCH:
        raise errors.bad_request(f"[{name}] {MAX_BATCH} at most in one batch")
    entries = []
    for key in keys:
        entry = {"key": key, "value": None, "error": None}
        call.path = {**call.path, name: key}
        try:
            entry["value"] = handler(call)
        except errors.ApiError as error:
            entry["error"] = error.body()
        entries.append(entry)
    return entries


class ApiRoute(APIRoute):
    """A route whose endpoint is a plain function from a :class:`Call` to the data answered."""

    def get_route_handler(self):
        operation, handler = self.endpoint.operation, self.endpoint.handler

        async def handle(request):
            world = request.app.state.world

            async def perform():
                try:
                    body = await request.body()
                    path = path_of(request)
                    caller = (
                        authenticate(world, request, path, body)
                        if operation.authenticated
                        else None
                    )
                    call = Call(
                        world,
                        request,
                        caller,
                        request.path_params,
                        *read_parameters(operation, request, body),
                    )
                    separator = batch_separator(call, operation, path)
                    if separator:
                        return JsonResponse(answer_each(call, handler, separator))
                    content = handler(call)
                    if call.first:
                        await world.callbacks.deliver_all(call.first)
                except errors.ApiError as error:
                    return JsonResponse(error.body(), error.status, error.headers)
                return JsonResponse(content)

            return await meet(
                world,
                request.app.state.connections,
                request,
                operation.template,
                perform,
            )

        return handle


def read_parameters(operation, request, body):
    """:return: (query, body) of a request as dicts, checked against *operation*.

    :raise ApiError: 400 where they do not fit.
    """
    pairs = parse_qsl(
        request.scope["query_string"].decode("latin-1"), keep_blank_values=True
    )
    query = schema.check_query(operation, pairs)
    if request.method not in ("POST", "PUT"):
        return query, {}
    try:
        data = json.loads(body) if body.strip() else None
    except ValueError:
        raise errors.bad_request("Invalid JSON received") from None
    if operation.body or operation.body_model:
        return query, schema.check_body(operation, data)
    return query, data or {}

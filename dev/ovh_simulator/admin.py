"""The simulator's own routes: its state, faults, the clock, and what recipients do."""

import json
import math
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from . import schema
from .numbers import normalize_number
from .schema import ENUMS

router = APIRouter(prefix="/simulator")


class _Refused(Exception):
    """A request to the simulator that makes no sense; becomes a JSON error."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


def refused_response(_request, error):
    """:return: the answer to a :class:`_Refused`."""
    return JSONResponse({"error": str(error)}, error.status)


def install(app):
    """Add the routes to a FastAPI application."""
    app.add_exception_handler(_Refused, refused_response)
    app.include_router(router)


async def _body(request, default=None):
    raw = await request.body()
    if not raw.strip():
        return default
    try:
        return json.loads(raw)
    except ValueError:
        raise _Refused("the body is not JSON") from None


async def _object(request, known):
    body = await _body(request, {})
    if not isinstance(body, dict):
        raise _Refused("the body is a JSON object")
    unknown = set(body) - set(known)
    if unknown:
        raise _Refused(f"unknown field: {', '.join(sorted(unknown))}")
    return body


def _world(request):
    return request.app.state.world


@router.get("/state")
async def state(request: Request):
    """The whole state; ``?only=ledger,requests`` names the parts wanted."""
    only = request.query_params.get("only")
    return JSONResponse(_world(request).state(only and only.split(",")))


@router.post("/reset")
async def reset(request: Request):
    """Back to the seed."""
    world = _world(request)
    world.reset()
    request.app.state.feed.reset()
    return JSONResponse({"reset": True})


@router.get("/config")
async def config(request: Request):
    """The configuration."""
    return JSONResponse(_world(request).config)


@router.post("/config")
async def configure(request: Request):
    """Change the configuration."""
    try:
        _world(request).configure(await _body(request, {}))
    except ValueError as error:
        raise _Refused(str(error)) from None
    return JSONResponse(_world(request).config)


@router.get("/callbacks")
async def callbacks(request: Request):
    """The callbacks that wait to be asked for."""
    world = _world(request)
    world.pump()
    return JSONResponse(
        [callback.record() for callback in world.callbacks.pending.values()]
    )


def _take(world):
    """:return: all callbacks there are to make, even those that the mode defers."""
    mode = world.config["callback_mode"]
    if mode == "auto":
        # collect what is scheduled in place of handing it to the lanes
        world.config["callback_mode"] = "manual"
    try:
        world.pump(hurry=True)
    finally:
        world.config["callback_mode"] = mode
    return world.callbacks.take()


@router.post("/callbacks/flush")
async def flush(request: Request):
    """Make all pending callbacks and tell what came of each."""
    world = _world(request)
    return JSONResponse(await world.callbacks.deliver_all(_take(world)))


@router.post("/callbacks/pop")
async def pop(request: Request):
    """Hand out all pending callbacks, which are then not made."""
    return JSONResponse([callback.record() for callback in _take(_world(request))])


@router.get("/faults")
async def faults(request: Request):
    """The faults that are ordered."""
    return JSONResponse([fault.record() for fault in _world(request).faults.orders])


@router.post("/faults")
async def order_faults(request: Request):
    """Order one fault or a list of them."""
    try:
        _world(request).faults.add(await _body(request, []))
    except ValueError as error:
        raise _Refused(str(error)) from None
    return await faults(request)


@router.delete("/faults")
async def clear_faults(request: Request):
    """Forget the faults that are ordered."""
    _world(request).faults.clear()
    return JSONResponse([])


@router.get("/clock")
async def clock(request: Request):
    """The simulated time."""
    return JSONResponse(_world(request).clock_state())


@router.post("/clock")
async def set_clock(request: Request):
    """Set the clock, free it, or move it forward."""
    world = _world(request)
    body = await _object(request, ("now", "advance_s"))
    if len(body) != 1:
        raise _Refused("give either now or advance_s")
    if "advance_s" in body:
        seconds = body["advance_s"]
        if (
            isinstance(seconds, bool)
            or not isinstance(seconds, (int, float))
            or not math.isfinite(seconds)
            or seconds < 0
        ):
            raise _Refused("advance_s is a number of seconds, zero or more")
        world.advance_clock(seconds)
    elif body["now"] is None:
        world.set_clock(None)
    else:
        try:
            instant = datetime.fromisoformat(body["now"].replace("Z", "+00:00"))
        except (ValueError, AttributeError):
            instant = None
        if instant is None or instant.tzinfo is None:
            raise _Refused(
                "now is an ISO datetime with offset, such as "
                "2025-06-01T21:59:00+02:00, or null"
            )
        world.set_clock(instant.timestamp())
    return JSONResponse(world.clock_state())


def _number(text):
    number = normalize_number(text)
    if number is None:
        raise _Refused(f"{text} is not a mobile number", 404)
    return number


def _known_service(world, name):
    if name is not None and name not in world.services:
        raise _Refused(f"unknown service {name}", 404)
    return name


@router.post("/phones/{number}/reply")
async def reply(request: Request, number: str):
    """The recipient answers."""
    world = _world(request)
    body = await _object(request, ("text", "service"))
    if not isinstance(body.get("text"), str) or not body["text"]:
        raise _Refused("text is what the recipient writes")
    try:
        return JSONResponse(
            world.reply(
                _number(number),
                body["text"],
                _known_service(world, body.get("service")),
            )
        )
    except LookupError as error:
        raise _Refused(error.args[0], 409) from None


@router.post("/phones/{number}/stop")
async def stop(request: Request, number: str):
    """The recipient answers STOP."""
    world = _world(request)
    body = await _object(request, ("service",))
    try:
        return JSONResponse(
            world.stop(_number(number), _known_service(world, body.get("service")))
        )
    except LookupError as error:
        raise _Refused(error.args[0], 409) from None


@router.post("/phones/{number}/power")
async def power(request: Request, number: str):
    """The recipient switches the phone on or off."""
    world = _world(request)
    body = await _object(request, ("on",))
    if not isinstance(body.get("on"), bool):
        raise _Refused("on is true or false")
    number = _number(number)
    world.power(number, body["on"])
    return JSONResponse(world.phone(number).record())


@router.post("/credentials/{consumer_key}")
async def credential(request: Request, consumer_key: str):
    """Decide about a consumer key in place of the customer, or let it expire."""
    world = _world(request)
    body = await _object(request, ("status", "customer"))
    if consumer_key not in world.credentials:
        raise _Refused("unknown consumer key", 404)
    if body.get("status") not in (
        "validated",
        "refused",
        "expired",
        "pendingValidation",
    ):
        raise _Refused("status is validated, refused, expired or pendingValidation")
    world.decide_credential(consumer_key, body["status"], body.get("customer"))
    return JSONResponse({"consumerKey": consumer_key, "status": body["status"]})


@router.post("/services/{service}")
async def service_change(request: Request, service: str):
    """Set any property of an account, as OVHcloud's staff could."""
    world = _world(request)
    _known_service(world, service)
    body = await _body(request, {})
    try:
        schema.check_object("body", body, "sms.Account", writing=False)
    except schema.errors.ApiError as error:
        raise _Refused(error.message) from None
    record = world.services[service]
    attributes = {
        "channel": "channel",
        "creditsLeft": "credits_left",
        "smpp": "smpp",
        "status": "status",
    }
    fixed = [
        name for name in body if name not in attributes and name not in record.writable
    ]
    if fixed:
        raise _Refused(
            f"can not be set, it follows from something else: {', '.join(fixed)}"
        )
    for name, value in body.items():
        if name in attributes:
            setattr(
                record,
                attributes[name],
                float(value) if name == "creditsLeft" else value,
            )
        elif isinstance(record.writable[name], dict):
            record.writable[name] = {**record.writable[name], **value}
        elif name == "automaticRecreditAmount" and value is not None:
            record.writable[name] = str(value)
        else:
            record.writable[name] = value
    return JSONResponse(record.record())


@router.post("/services/{service}/blacklists")
async def blacklists_add(request: Request, service: str):
    """Put numbers on the blacklist that answered STOP some time ago."""
    world = _world(request)
    _known_service(world, service)
    body = await _object(request, ("numbers",))
    numbers = body.get("numbers")
    if not isinstance(numbers, list):
        raise _Refused("numbers is a list of mobile numbers")
    for number in [_number(number) for number in numbers]:
        world.blacklist(world.services[service], number)
    return JSONResponse({"added": len(numbers)})


@router.delete("/services/{service}/virtualNumbers/{number}")
async def virtual_number_delete(request: Request, service: str, number: str):
    """Take a virtual number away: its paths answer 404, its sender stays listed."""
    world = _world(request)
    _known_service(world, service)
    numbers = world.services[service].virtual_numbers
    if _number(number) not in numbers:
        raise _Refused(f"unknown virtual number {number}", 404)
    numbers.remove(_number(number))
    return JSONResponse(numbers)


@router.put("/documents/{service}/{document}")
async def document_content(request: Request, service: str, document: str):
    """Take a proof, as OVHcloud's object storage does."""
    world = _world(request)
    _known_service(world, service)
    record = world.services[service].documents.get(document)
    if record is None:
        raise _Refused(f"unknown document {document}", 404)
    record["content"] = await request.body()
    return JSONResponse({})


@router.post("/services/{service}/senders/{sender}")
async def sender_change(request: Request, service: str, sender: str):
    """Decide about a sender, as OVHcloud's moderators do."""
    world = _world(request)
    _known_service(world, service)
    body = await _object(request, ("status", "comment", "type"))
    record = world.services[service].senders.get(sender)
    if record is None and body.get("type") in ENUMS["sms.TypeSenderEnum"]:
        # one that OVHcloud's staff adds, such as a Time2Chat number
        world.services[service].add_sender(sender, body["type"], "enable")
        record = world.services[service].senders[sender]
    if record is None:
        raise _Refused(f"unknown sender {sender}", 404)
    if body.get("type", record["type"]) != record["type"]:
        raise _Refused("the type of a sender stays")
    if body.get("status", record["status"]) not in ENUMS["sms.StatusSenderEnum"]:
        raise _Refused(f"status is one of {', '.join(ENUMS['sms.StatusSenderEnum'])}")
    if not isinstance(body.get("comment"), (str, type(None))):
        raise _Refused("comment is a text or null")
    record.update(body)
    return JSONResponse(record)

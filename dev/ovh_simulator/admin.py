"""The simulator's own routes: its state, faults, the clock, and what recipients do."""

import inspect
import json
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, Field
from starlette.responses import JSONResponse

from . import schema
from .config import Amount, Config, Declared
from .errors import ApiError, Refused
from .faults import Fault
from .numbers import normalize_number

router = APIRouter(prefix="/simulator")


def _refused_response(_request, error):
    return JSONResponse({"error": str(error)}, error.status)


def install(app):
    """Add the routes to a FastAPI application."""
    app.add_exception_handler(Refused, _refused_response)
    app.include_router(router)


def _read_number(_world, text):
    number = normalize_number(text)
    if number is None:
        raise Refused(f"{text} is not a mobile number", 404)
    return number


def _known(objects, key, what):
    if key not in objects:
        raise Refused(f"unknown {what} {key}", 404)
    return objects[key]


#: What paths name -> function from the world and the text to what the handler gets.
_PATH_READERS = {
    "number": _read_number,
    "service": lambda world, name: _known(world.services, name, "service"),
}


def _serve(template, answer, read=None):
    """Have a call answered with JSON.

    :param str template: the call: ``GET /config``.
    :param answer: function from the world, what the path names, and the ``body`` where
        there is one, to the data answered.
    :param read: function from the body's decoded JSON to what *answer* gets.
    """
    method, path = template.split(" ")

    async def endpoint(request: Request):
        world = request.app.state.world
        values = dict(request.path_params)
        for name in values.keys() & _PATH_READERS:
            values[name] = _PATH_READERS[name](world, values[name])
        if read:
            try:
                values["body"] = read(json.loads(await request.body() or "{}"))
            except json.JSONDecodeError:
                raise Refused("the body is not JSON") from None
        content = answer(world, **values)
        return JSONResponse(await content if inspect.isawaitable(content) else content)

    router.add_api_route(path, endpoint, methods=[method], name=template)


@router.get("/state")
async def state(request: Request):
    """The whole state; ``?only=ledger,requests`` names the parts wanted."""
    only = request.query_params.get("only")
    return JSONResponse(request.app.state.world.state(only and only.split(",")))


def _reset(world):
    world.reset()
    return {"reset": True}


def _configure(world, body):
    world.configure(body)
    return world.config


def _callbacks(world):
    world.pump()
    return world.callbacks.records()


def _take(world):
    """Return all callbacks there are to make, even those that the mode defers."""
    mode = world.config["callback_mode"]
    if mode == "auto":
        # collect what is scheduled in place of handing it to the lanes
        world.config["callback_mode"] = "manual"
    try:
        world.pump(hurry=True)
    finally:
        world.config["callback_mode"] = mode
    return world.callbacks.take()


def _pop(world):
    return [callback.record() for callback in _take(world)]


def _read_faults(content):
    orders = content if isinstance(content, list) else [content]
    return [Fault.read(order) for order in orders]


def _order_faults(world, body):
    world.faults.orders += body
    return world.faults.records()


class _ClockChange(Declared):
    # an ISO datetime with offset, such as 2025-06-01T21:59:00+02:00
    now: Annotated[AwareDatetime, Field(strict=False)] | None = None
    advance_s: Amount = 0


def _set_clock(world, body):
    if len(body.model_fields_set) != 1:
        raise Refused("give either now or advance_s")
    if "advance_s" in body.model_fields_set:
        world.advance_clock(body.advance_s)
    else:
        world.set_clock(body.now and body.now.timestamp())
    return world.clock_state()


class _Stop(Declared):
    service: str | None = None

    def service_in(self, world):
        return self.service and _known(world.services, self.service, "service").name


class _Reply(_Stop):
    text: Annotated[str, Field(min_length=1)]


class _Power(Declared):
    on: bool


def _power(world, number, body):
    world.power(number, body.on)
    return world.phone(number).record()


class _Decision(Declared):
    status: Literal["validated", "refused", "expired", "pendingValidation"]
    customer: str | None = None


def _credential(world, consumer_key, body):
    _known(world.credentials, consumer_key, "consumer key")
    world.decide_credential(consumer_key, body.status, body.customer)
    return {"consumerKey": consumer_key, "status": body.status}


def _read_account(content):
    try:
        schema.check_object("body", content, "sms.Account", writing=False)
    except ApiError as error:
        raise Refused(error.message) from None
    return content


def _service_change(_world, service, body):
    fixed = body.keys() - service.account.keys()
    if fixed:
        raise Refused(
            f"can not be set, follows from something else: {', '.join(fixed)}"
        )
    if "creditsLeft" in body:
        body["creditsLeft"] = float(body["creditsLeft"])
    service.change(body)
    return service.record()


class _Numbers(Declared):
    numbers: list[str]


def _blacklists_add(world, service, body):
    for number in [_read_number(world, text) for text in body.numbers]:
        world.blacklist(service, number)
    return {"added": len(body.numbers)}


def _virtual_number_delete(_world, service, number):
    _known(service.virtual_numbers, number, "virtual number")
    del service.virtual_numbers[number]
    return list(service.virtual_numbers)


@router.put("/documents/{service}/{document}")
async def document_content(request: Request, service: str, document: str):
    """Take a proof, as OVHcloud's object storage does."""
    services = request.app.state.world.services
    documents = _known(services, service, "service").documents
    _known(documents, document, "document")["content"] = await request.body()
    return JSONResponse({})


class _SenderChange(Declared):
    status: Literal[schema.ENUMS["sms.StatusSenderEnum"]] = "enable"
    comment: str | None = None
    type: Literal[schema.ENUMS["sms.TypeSenderEnum"]] | None = None


def _sender_change(_world, service, sender, body):
    if body.type and sender not in service.senders:
        # one that OVHcloud's staff adds, such as a Time2Chat number
        service.add_sender(sender, body.type, "enable")
    record = _known(service.senders, sender, "sender")
    if (body.type or record["type"]) != record["type"]:
        raise Refused("the type of a sender stays")
    record.update(body.model_dump(exclude_unset=True, exclude={"type"}))
    return record


for _template, _answer, _read in (
    ("POST /reset", _reset, None),
    ("GET /config", lambda world: world.config, None),
    ("POST /config", _configure, Config.read),
    ("GET /callbacks", _callbacks, None),
    (
        "POST /callbacks/flush",
        lambda world: world.callbacks.deliver_all(_take(world)),
        None,
    ),
    ("POST /callbacks/pop", _pop, None),
    ("GET /faults", lambda world: world.faults.records(), None),
    ("POST /faults", _order_faults, _read_faults),
    ("DELETE /faults", lambda world: world.faults.orders.clear() or [], None),
    ("GET /clock", lambda world: world.clock_state(), None),
    ("POST /clock", _set_clock, _ClockChange.read),
    (
        "POST /phones/{number}/reply",
        lambda world, number, body: world.reply(
            number, body.text, body.service_in(world)
        ),
        _Reply.read,
    ),
    (
        "POST /phones/{number}/stop",
        lambda world, number, body: world.stop(number, body.service_in(world)),
        _Stop.read,
    ),
    ("POST /phones/{number}/power", _power, _Power.read),
    ("POST /credentials/{consumer_key}", _credential, _Decision.read),
    ("POST /services/{service}", _service_change, _read_account),
    ("POST /services/{service}/blacklists", _blacklists_add, _Numbers.read),
    (
        "DELETE /services/{service}/virtualNumbers/{number}",
        _virtual_number_delete,
        None,
    ),
    ("POST /services/{service}/senders/{sender}", _sender_change, _SenderChange.read),
):
    _serve(_template, _answer, _read)

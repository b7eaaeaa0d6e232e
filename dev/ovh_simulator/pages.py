"""The web pages: virtual phones, help, and the approval of a consumer key."""

import asyncio
import contextlib
import heapq
import json
import os
import re
from datetime import timedelta
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    StreamingResponse,
)
from starlette.staticfiles import StaticFiles

from . import data, magic, seed
from .clock import iso
from .texts import language, texts

_HERE = os.path.dirname(__file__)
_STATIC = os.path.join(_HERE, "static")
_TEMPLATES = Environment(
    loader=FileSystemLoader(os.path.join(_HERE, "templates")),
    autoescape=True,
    undefined=StrictUndefined,
)
#: Phones shown at once; a search finds the others.
SHOWN = 48
#: Seconds in which changes are gathered before a page hears of them.
GATHER = 0.15
#: Seconds between summaries on a page where nothing happens.
HEARTBEAT = 5
#: Seconds a consumer key can be made valid for, by the form's value.
VALIDITIES = {
    "3600": 3600,
    "86400": 86400,
    "2592000": int(timedelta(days=30).total_seconds()),
    "0": None,
}

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter()


class Feed:
    """Tells open pages which phones changed.

    :param World world: whose phones.
    """

    def __init__(self, world):
        self._world = world
        self._readers = set()
        world.on_phone = self.changed

    def changed(self, number):
        """A phone changed."""
        for reader in self._readers:
            reader.numbers.add(number)
            reader.event.set()

    def reset(self):
        """Everything changed."""
        for reader in self._readers:
            reader.fresh = True
            reader.event.set()

    def summary(self):
        """:return: what stands in the page's header."""
        world = self._world
        clock = world.clock
        return {
            "services": [
                {
                    "name": service.name,
                    "description": service.writable["description"],
                    "credits": service.credits_left,
                }
                for service in world.services.values()
            ],
            "sms": len(world.ledger),
            "clock": iso(clock.now()) if clock.is_set else None,
        }

    def phones(self, numbers=None):
        """:return: up to ``SHOWN`` phones, of *numbers* or all, last changed first."""
        phones = self._world.phones
        if numbers is None:
            chosen = [phone for phone in phones.values() if phone.messages]
        else:
            chosen = [phones[number] for number in numbers if number in phones]
        return [
            phone.record()
            for phone in heapq.nlargest(SHOWN, chosen, key=lambda phone: phone.changed)
        ]

    def search(self, text):
        """:return: phone records whose number or conversation contains *text*."""
        wanted = text.casefold().strip()
        digits = re.sub(r"[^0-9]", "", wanted)
        digits = digits[1:] if digits.startswith("0") else digits
        found = []
        newest = sorted(
            (phone for phone in self._world.phones.values() if phone.messages),
            key=lambda phone: -phone.changed,
        )
        for phone in newest:
            record = phone.record()
            if (len(digits) > 2 and digits in phone.number) or any(
                wanted in message["text"].casefold() for message in record["messages"]
            ):
                found.append(record)
                if len(found) == SHOWN:
                    break
        return found

    async def stream(self):
        """:return: server-sent events: ``snapshot``, then ``phones`` and ``summary``."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            while True:
                if reader.fresh:
                    reader.fresh = False
                    reader.numbers.clear()
                    yield _event(
                        "snapshot", {"phones": self.phones(), "summary": self.summary()}
                    )
                else:
                    numbers, reader.numbers = reader.numbers, set()
                    yield _event(
                        "phones",
                        {"phones": self.phones(numbers), "summary": self.summary()},
                    )
                reader.event.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.event.wait(), HEARTBEAT)
                await asyncio.sleep(GATHER)
        finally:
            self._readers.discard(reader)


class _Reader:
    """One open page."""

    def __init__(self):
        self.event = asyncio.Event()
        self.numbers = set()
        self.fresh = True


def _event(name, data):
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _page(request, name, status=200, **values):
    """Fill a page's template with its texts and *values*, all of which are escaped."""
    lang = language(request.headers.get("accept-language"))
    words = texts(lang)
    page = _TEMPLATES.get_template(name).render(
        **words, texts=words, lang=lang, **values
    )
    return HTMLResponse(page, status, _HEADERS)


def _base(request):
    return f"{request.scope['scheme']}://{request.headers.get('host', '')}"


def _keys(request):
    return {
        "base": f"{_base(request)}/1.0",
        "key_application": seed.APPLICATION_KEY_1,
        "key_secret": seed.APPLICATION_SECRET_1,
        "key_consumer": seed.CONSUMER_KEY_1,
        "service_name": seed.SERVICE_1,
    }


@router.get("/")
async def phones(request: Request):
    """The virtual phones."""
    lang = language(request.headers.get("accept-language"))
    feed = request.app.state.feed
    request.app.state.world.pump()
    # what there is now stands in the page: it need not wait for the first event
    snapshot = {"phones": feed.phones(), "summary": feed.summary()}
    return _page(
        request,
        "phones.html",
        texts_json=json.dumps(texts(lang)),
        snapshot_json=json.dumps(snapshot),
        **_keys(request),
    )


@router.get("/simulator/events")
async def events(request: Request):
    """What happens on the phones, as server-sent events."""
    return StreamingResponse(
        request.app.state.feed.stream(),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.get("/simulator/phones")
async def search(request: Request):
    """The phones that were written to; ``?search=`` for those that match."""
    feed = request.app.state.feed
    text = request.query_params.get("search", "").strip()
    return JSONResponse(feed.search(text) if text else feed.phones())


@router.get("/help")
@router.get("/simulator/help")
async def help_page(request: Request):
    """Keys, magic numbers and routes of the simulator."""
    return _page(
        request,
        "help.html",
        magic=magic.TABLE,
        routes=data.load("routes"),
        **_keys(request),
    )


def _login_page(request, token, consumer_key, wrong=False, status=200):
    credential = request.app.state.world.credentials[consumer_key]
    return _page(
        request,
        "login.html",
        status,
        token=token,
        application=seed.APPLICATIONS[credential["application"]]["name"],
        rules=credential["rules"],
        wrong=wrong,
    )


def _note(request, text, status=200):
    return _page(request, "note.html", status, note=text)


def _asked(world, token):
    """:return: the consumer key that waits for an answer under *token*, or ``None``."""
    consumer_key = world.credential_tokens.get(token)
    if (
        consumer_key
        and world.credentials[consumer_key]["status"] == "pendingValidation"
    ):
        return consumer_key
    return None


@router.get("/auth/")
async def login(request: Request):
    """Ask the customer to approve a consumer key."""
    token = request.query_params.get("credentialToken", "")
    consumer_key = _asked(request.app.state.world, token)
    if consumer_key is None:
        return _note(request, "login_unknown", 404)
    return _login_page(request, token, consumer_key)


@router.post("/auth/")
async def login_answer(request: Request):
    """The customer approves a consumer key, or refuses."""
    world = request.app.state.world
    form = dict(parse_qsl((await request.body()).decode()))
    token = form.get("credentialToken", "")
    consumer_key = _asked(world, token)
    if consumer_key is None:
        return _note(request, "login_unknown", 404)
    customer = form.get("login", "").strip()
    if seed.CUSTOMERS.get(customer, {}).get("password") != form.get("password"):
        return _login_page(request, token, consumer_key, wrong=True, status=403)
    refused = form.get("action") == "refuse"
    world.decide_credential(
        consumer_key,
        "refused" if refused else "validated",
        customer,
        VALIDITIES.get(form.get("validity", "0")),
    )
    redirection = world.credentials[consumer_key]["redirection"]
    if redirection:
        return RedirectResponse(redirection, 303)
    return _note(request, "login_refused" if refused else "login_done")


def install(app):
    """Add the pages to a FastAPI application whose state has the world."""
    app.state.feed = Feed(app.state.world)
    app.include_router(router)
    app.mount(
        "/simulator/static",
        StaticFiles(directory=_STATIC),
        name="static",
    )

"""The web pages: virtual phones, help, and the approval of a consumer key."""

import asyncio
import contextlib
import heapq
import itertools
import json
import re
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import (
    HTMLResponse,
    JSONResponse,
    RedirectResponse,
    StreamingResponse,
)
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import data, magic, seed
from .clock import iso
from .gateway import base_of
from .records import Phone
from .texts import language, texts

_HERE = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(_HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters["json"] = json.dumps
#: Phones shown at once; a search finds the others.
SHOWN = 48
#: Seconds in which changes are gathered before a page hears of them.
GATHER = 0.15
#: Seconds between summaries on a page where nothing happens.
HEARTBEAT = 5
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter()


class _Reader:
    """One open page."""

    def __init__(self):
        self.event = asyncio.Event()
        self.numbers = set()
        self.is_fresh = True


class Feed:
    """Tells open pages which phones changed.

    :param World world: whose phones.
    """

    def __init__(self, world):
        self._world = world
        self._readers = set()
        world.on_phone = self._tell

    def _tell(self, number):
        for reader in self._readers:
            if number is None:
                reader.is_fresh = True
            else:
                reader.numbers.add(number)
            reader.event.set()

    def summary(self):
        """Return what stands in the page's header."""
        world = self._world
        clock = world.clock
        return {
            "services": [
                {
                    "name": service.name,
                    "description": service.account["description"],
                    "credits": service.account["creditsLeft"],
                }
                for service in world.services.values()
            ],
            "sms": len(world.ledger),
            "clock": iso(clock.now()) if clock.is_set else None,
        }

    def phones(self, numbers=None):
        """Return up to ``SHOWN`` phones, of *numbers* or all, last changed first."""
        phones = self._world.phones
        if numbers is None:
            chosen = [phone for phone in phones.values() if phone.messages]
        else:
            chosen = [phones[number] for number in numbers if number in phones]
        newest = heapq.nlargest(SHOWN, chosen, key=lambda phone: phone.changed)
        return [phone.record() for phone in newest]

    def snapshot(self, numbers=None):
        """Return what a page shows."""
        return {"phones": self.phones(numbers), "summary": self.summary()}

    def search(self, text):
        """Return up to ``SHOWN`` phones whose number or conversation contains *text*."""
        wanted = text.casefold()
        digits = re.sub(r"[^0-9]", "", wanted).removeprefix("0")
        used = [phone for phone in self._world.phones.values() if phone.messages]
        used.sort(key=lambda phone: -phone.changed)
        found = (
            record
            for record in map(Phone.record, used)
            if (len(digits) > 2 and digits in record["number"])
            or any(wanted in entry["text"].casefold() for entry in record["messages"])
        )
        return list(itertools.islice(found, SHOWN))

    async def stream(self):
        """Yield server-sent events: ``snapshot``, then ``phones``, each with the summary."""
        reader = _Reader()
        self._readers.add(reader)
        try:
            while True:
                numbers, reader.numbers = reader.numbers, set()
                if reader.is_fresh:
                    reader.is_fresh = False
                    yield _event("snapshot", self.snapshot())
                else:
                    yield _event("phones", self.snapshot(numbers))
                reader.event.clear()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(reader.event.wait(), HEARTBEAT)
                await asyncio.sleep(GATHER)
        finally:
            self._readers.discard(reader)


def _event(name, data):
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _page(request, name, status=200, **values):
    """Fill a page's template with its texts and *values*, all of which are escaped."""
    lang = language(request.headers.get("accept-language"))
    words = texts(lang)
    base = f"{base_of(request)}/1.0"
    page = _TEMPLATES.get_template(name).render(
        **words, texts=words, lang=lang, seed=seed, base=base, **values
    )
    return HTMLResponse(page, status, _HEADERS)


@router.get("/")
async def phones(request: Request):
    """The virtual phones."""
    request.app.state.world.pump()
    # what there is now stands in the page: it need not wait for the first event
    return _page(request, "phones.html", snapshot=request.app.state.feed.snapshot())


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
    routes = data.load("routes")
    return _page(request, "help.html", magic=magic.TABLE, routes=routes)


def _asked(world, token):
    """Return the consumer key that waits for an answer under *token*, or ``None``."""
    consumer_key = world.credential_tokens.get(token)
    credential = world.credentials.get(consumer_key, {"status": None})
    return consumer_key if credential["status"] == "pendingValidation" else None


def _login_page(request, token, wrong=False):
    """Ask the customer to approve a consumer key."""
    consumer_key = _asked(request.app.state.world, token)
    if consumer_key is None:
        return _page(request, "note.html", 404, note="login_unknown")
    credential = request.app.state.world.credentials[consumer_key]
    return _page(
        request,
        "login.html",
        403 if wrong else 200,
        token=token,
        application=seed.APPLICATIONS[credential["application"]]["name"],
        rules=credential["rules"],
        wrong=wrong,
    )


@router.get("/auth/")
async def login(request: Request):
    """The page to which a program that asks for a consumer key sends its user."""
    return _login_page(request, request.query_params.get("credentialToken", ""))


@router.post("/auth/")
async def login_answer(request: Request):
    """The customer approves a consumer key, or refuses."""
    world = request.app.state.world
    form = dict(parse_qsl((await request.body()).decode()))
    token, validity = form.get("credentialToken", ""), form.get("validity", "")
    consumer_key = _asked(world, token)
    customer = form.get("login", "").strip()
    password = seed.CUSTOMERS.get(customer, {}).get("password")
    if consumer_key is None or password is None or password != form.get("password"):
        return _login_page(request, token, wrong=True)
    status = "refused" if form.get("action") == "refuse" else "validated"
    validity = int(validity) if validity.isdecimal() else 0
    world.decide_credential(consumer_key, status, customer, validity)
    redirection = world.credentials[consumer_key]["redirection"]
    if redirection:
        return RedirectResponse(redirection, 303)
    note = "login_refused" if status == "refused" else "login_done"
    return _page(request, "note.html", note=note)


def install(app):
    """Add the pages to a FastAPI application whose state has the world."""
    app.state.feed = Feed(app.state.world)
    app.include_router(router)
    app.mount("/simulator/static", StaticFiles(directory=_HERE / "static"))

"""The web application and the process that serves it."""

import asyncio
import contextlib
import os
import socket
import tempfile

import uvicorn
from fastapi import FastAPI
from kit.ui import Problem
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from . import admin, api, errors, http2sms, oauth2, pages
from .gateway import PREFIXES, error_response
from .world import World

#: Seconds that open requests and event streams get when the process is asked to stop.
SHUTDOWN_SECONDS = 1


async def _keep_pumping(world, wake):
    """Do what is due when it is due."""
    while True:
        wait = world.pump()
        wake.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(wake.wait(), wait)


def create_app(options=None):
    """Build the application.

    :param Config options: settings that resets come back to.
    :return: a FastAPI application with the :class:`World` as ``app.state.world``.
    """
    world = World(options)

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        wake = asyncio.Event()
        world.on_wake = wake.set
        await world.callbacks.start()
        pumping = asyncio.ensure_future(_keep_pumping(world, wake))
        try:
            yield
        finally:
            world.on_wake = None
            pumping.cancel()
            await asyncio.gather(pumping, return_exceptions=True)
            await world.callbacks.stop()

    # the interactive documentation would load scripts from other hosts
    app = FastAPI(
        title="OVHcloud SMS simulator",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.world = world
    app.state.connections = {}
    for prefix in PREFIXES:
        app.include_router(api.router(), prefix=prefix)
    app.include_router(oauth2.router)
    app.include_router(http2sms.router)
    admin.install(app)
    pages.install(app)

    async def not_found(request, _error):
        if request.scope["path"].startswith(PREFIXES):
            world.requests[f"{request.method} (unknown)"] += 1
        return error_response(errors.invalid_url())

    app.add_exception_handler(404, not_found)
    app.add_exception_handler(405, not_found)
    return app


def listen(host, port):
    """Open the listening socket.

    :param int port: 0 picks a free one.
    :raise Problem: where the address is in use, or not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named, asyncio sends without delay: else every answer on a
    # kept-alive connection would wait 40 ms for an acknowledgement.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(1024)
    except OSError as error:
        sock.close()
        why = error.strerror or error
        raise Problem(f"Cannot listen on {host}:{port}: {why}.") from None
    return sock


def write_port(path, port):
    """Write *port* to the file *path* in one step: who reads it sees all of it or no file."""
    folder = os.path.dirname(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=".port-", dir=folder)
    with os.fdopen(handle, "w") as stream:
        stream.write(f"{port}\n")
    os.replace(temporary, path)


class Server(uvicorn.Server):
    """uvicorn that tells when it accepts connections.

    :param on_ready: called without arguments.
    """

    def __init__(self, config, on_ready=None):
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets=None):
        """Start serving, then tell."""
        await super().startup(sockets=sockets)
        if self.started and self._on_ready:
            self._on_ready()


def _protocol(connections):
    """Return an HTTP protocol class for uvicorn that keeps *connections*, for faults.

    :param dict connections: client address -> transport, kept up to date.
    """

    class Protocol(AutoHTTPProtocol):
        def connection_made(self, transport):
            super().connection_made(transport)
            self._address = tuple((transport.get_extra_info("peername") or ())[:2])
            connections[self._address] = transport

        def connection_lost(self, exc):
            connections.pop(self._address, None)
            super().connection_lost(exc)

    return Protocol


def make_server(app, on_ready=None):
    """Return its :class:`Server`; run it with ``run(sockets=[listen(...)])``."""
    config = uvicorn.Config(
        app,
        http=_protocol(app.state.connections),
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return Server(config, on_ready)

"""Access to the connections below the web server, for faults that cut one."""

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def protocol(connections):
    """:return: an HTTP protocol class for uvicorn that keeps *connections*.

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

"""``python -m ovh_simulator``: run the simulated OVHcloud until it is asked to stop."""

import argparse
import contextlib
import sys

from kit.ui import Problem

from .config import Config
from .errors import Refused
from .server import create_app, listen, make_server, write_port


def _parse(arguments):
    """Return (options, settings) of a command line."""
    parser = argparse.ArgumentParser(prog="ovh_simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0 picks a free one")
    parser.add_argument(
        "--latency-ms",
        type=float,
        metavar="N",
        help="how long each API call takes at least",
    )
    parser.add_argument(
        "--callback-delay-ms",
        type=float,
        metavar="N",
        help="how long each step of a delivery takes (default: 500 to 2000)",
    )
    parser.add_argument(
        "--port-file",
        metavar="FILE",
        help="file that gets the port once connections are accepted",
    )
    parser.add_argument("--quiet", action="store_true", help="do not print the address")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error("--port is a number from 0 to 65535")
    settings = {}
    if options.latency_ms is not None:
        settings["latency_ms"] = options.latency_ms
    if options.callback_delay_ms is not None:
        settings["callback_delay_ms"] = [options.callback_delay_ms] * 2
    try:
        return options, Config.read(settings)
    except Refused as error:
        parser.error(str(error))


def main(arguments=None):
    """Run the simulator.

    :param list arguments: command line, that of the process by default.
    :return: exit code; 2 where the port can not be had.
    """
    options, settings = _parse(arguments)
    try:
        sock = listen(options.host, options.port)
    except Problem as error:
        print(error, file=sys.stderr)
        return 2
    port = sock.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    root = f"http://{host}:{port}"

    def ready():
        if options.port_file:
            write_port(options.port_file, port)
        if not options.quiet:
            print(
                f"OVHcloud SMS simulator: {root}/ (API {root}/1.0, "
                f"help {root}/simulator/help)",
                flush=True,
            )

    # uvicorn has stopped cleanly when it repeats the signal it was stopped by
    with contextlib.suppress(KeyboardInterrupt):
        make_server(create_app(settings), ready).run(sockets=[sock])
    return 0


if __name__ == "__main__":
    sys.exit(main())

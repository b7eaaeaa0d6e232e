"""``python -m ovh_simulator``: run the simulated OVHcloud until it is asked to stop."""

import argparse
import sys

from .server import PortTaken, create_app, listen, make_server, write_port


def _arguments(arguments):
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
    for name in ("latency_ms", "callback_delay_ms"):
        if (getattr(options, name) or 0) < 0:
            parser.error(f"--{name.replace('_', '-')} is zero or more")
    return options


def main(arguments=None):
    """Run the simulator.

    :param list arguments: command line, that of the process by default.
    :return: exit code; 2 where the port can not be had.
    """
    options = _arguments(arguments)
    config = {}
    if options.latency_ms is not None:
        config["latency_ms"] = options.latency_ms
    if options.callback_delay_ms is not None:
        config["callback_delay_ms"] = [
            options.callback_delay_ms,
            options.callback_delay_ms,
        ]
    try:
        sock = listen(options.host, options.port)
    except PortTaken as error:
        print(error, file=sys.stderr)
        return 2
    port = sock.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host

    def ready():
        if options.port_file:
            write_port(options.port_file, port)
        if not options.quiet:
            print(
                f"OVHcloud SMS simulator: http://{host}:{port}/ (API "
                f"http://{host}:{port}/1.0, "
                f"help http://{host}:{port}/simulator/help)",
                flush=True,
            )

    server = make_server(create_app(config), ready)
    try:
        server.run(sockets=[sock])
    except KeyboardInterrupt:
        # uvicorn has stopped cleanly and repeats the signal it was stopped by
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A simulator on a free port, clients for it, and a server that takes its callbacks."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import ovh
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from ovh_simulator import client, seed, server

SERVICE = f"/sms/{seed.SERVICE_1}"
USER = f"/users/{seed.USER_WITHOUT_QUOTA}"
VIRTUAL = f"/virtualNumbers/{seed.VIRTUAL_NUMBER}"
#: What an SMS can be sent by, as a path below the account.
OWNERS = ("", USER, VIRTUAL)
PHONE = "+33612341000"


@pytest.fixture(scope="session")
def base():
    """Address of a running simulator."""
    sock = server.listen("127.0.0.1", 0)
    ready = threading.Event()
    running = server.make_server(server.create_app(), ready.set)
    thread = threading.Thread(
        target=running.run, kwargs={"sockets": [sock]}, daemon=True
    )
    thread.start()
    assert ready.wait(20)
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


class Simulator(client.Simulator):
    """The admin routes of a simulator, whose refusals are looked at."""

    def call(self, method, path, body=None, status=200):
        """Return what the admin route answers, after checking the HTTP status."""
        found, answer = self.ask(method, path.removeprefix("/"), body)
        assert found == status, answer
        return answer

    def post(self, path, body=None, status=200):
        return self.call("POST", path, body, status)

    def get(self, path):
        return self.call("GET", path)

    def advance(self, seconds):
        self.post("/clock", {"advance_s": seconds})

    def reply(self, text, number=PHONE, status=200):
        return self.post(f"/phones/{number}/reply", {"text": text}, status)

    def state(self, part):
        return self.get_state(part)[part]

    @property
    def ledger(self):
        return self.get_ledger()

    def wait(self, condition, seconds=5):
        """Wait until *condition* gives something true; :return: that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not happen in time")


@pytest.fixture
def simulator(base):
    """The simulator in its initial state, callbacks by hand."""
    simulator = Simulator(base)
    simulator.reset()
    simulator.configure(callback_mode="manual")
    yield simulator
    simulator.clear_faults()


def make_client(
    base,
    application=seed.APPLICATION_KEY_1,
    secret=seed.APPLICATION_SECRET_1,
    consumer=seed.CONSUMER_KEY_1,
    version="1.0",
    timeout=5,
):
    """:return: OVHcloud's own client, pointed at the simulator."""
    client = ovh.Client(
        endpoint="ovh-eu",
        application_key=application,
        application_secret=secret,
        consumer_key=consumer,
        timeout=timeout,
    )
    client._endpoint = f"{base}/{version}"
    return client


@pytest.fixture
def client(base, simulator):
    return make_client(base)


@pytest.fixture
def client2(base, simulator):
    return make_client(
        base, seed.APPLICATION_KEY_2, seed.APPLICATION_SECRET_2, seed.CONSUMER_KEY_2
    )


@pytest.fixture
def left(client):
    """How many credits are left."""
    return lambda: client.get(SERVICE)["creditsLeft"]


@pytest.fixture
def send(client):
    """Send from the account; by default not marketing, from the approved sender."""

    def send(receivers, message="Bonjour", path="", **body):
        body = {
            "message": message,
            "receivers": [receivers] if isinstance(receivers, str) else receivers,
            "noStopClause": True,
            "sender": seed.SENDER_ENABLED,
            **body,
        }
        if "virtualNumbers" in path:
            del body["sender"], body["noStopClause"]
        return client.post(
            f"{SERVICE}{path}/jobs",
            **{key: value for key, value in body.items() if value is not None},
        )

    return send


class _Server(ThreadingHTTPServer):
    # With less, one of the simulator's lanes may have to knock again, after a second.
    request_queue_size = 64
    daemon_threads = True


@pytest.fixture
def customer():
    """A customer's web server: keeps the callbacks it gets."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            parts = urlsplit(self.path)
            calls.append(
                {
                    "path": parts.path,
                    "headers": dict(self.headers),
                    "client": self.client_address,
                    "at": time.monotonic(),
                    **dict(parse_qsl(parts.query)),
                }
            )
            self.send_response(204 if parts.path != "/broken" else 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield SimpleNamespace(calls=calls, url=f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.fixture
def description():
    """OVHcloud's own description of the API, where it is at hand."""
    path = Path(__file__).resolve().parents[4] / "shared/ovh/sms.json"
    if not path.exists():
        pytest.skip(
            "OVHcloud's description of its API (../shared/ovh/sms.json) is not here"
        )
    return json.loads(path.read_text("utf-8"))

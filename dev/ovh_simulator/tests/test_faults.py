"""Faults that were ordered, and what they leave behind."""

import time

import ovh
import pytest
import requests
from conftest import SERVICE, make_client
from ovh_simulator import seed

JOBS = "jobs$"


@pytest.mark.parametrize(
    "kind, accept, error",
    [
        ("500", False, ovh.exceptions.APIError),
        ("500", True, ovh.exceptions.APIError),
        ("502_html", False, ovh.exceptions.InvalidResponse),
        ("502_html", True, ovh.exceptions.InvalidResponse),
        ("garbage", True, ovh.exceptions.InvalidResponse),
        ("empty", True, ovh.exceptions.InvalidResponse),
        ("empty", False, ovh.exceptions.InvalidResponse),
        ("cut_before", True, ovh.exceptions.HTTPError),
        ("cut_after", False, ovh.exceptions.HTTPError),
        ("timeout", False, ovh.exceptions.HTTPError),
        ("timeout", True, ovh.exceptions.HTTPError),
    ],
)
def test_what_is_accepted(base, simulator, kind, accept, error):
    client = make_client(base, timeout=0.7)
    client.get("/sms")
    simulator.post("/faults", {"kind": kind, "accept": accept, "path": JOBS})
    job = {
        "message": "a",
        "receivers": ["+33612341000"],
        "sender": seed.SENDER_ENABLED,
        "tag": "t",
    }
    with pytest.raises(error):
        client.post(f"{SERVICE}/jobs", **job)
    accepted = kind == "cut_after" or (accept and kind != "cut_before")
    assert len(simulator.ledger) == (1 if accepted else 0)
    assert len(client.get(f"{SERVICE}/outgoing", tag="t")) == (1 if accepted else 0)
    assert simulator.get("/faults") == []
    # the fault is used up
    assert client.post(f"{SERVICE}/jobs", **job)["ids"]


@pytest.mark.parametrize("retry_after", [None, 7])
def test_429(base, client, simulator, retry_after):
    simulator.post(
        "/faults", {"kind": "429", "path": "^/sms$", "retry_after": retry_after}
    )
    with pytest.raises(ovh.exceptions.APIError) as caught:
        client.get("/sms")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers.get("Retry-After") == (
        retry_after and str(retry_after)
    )
    assert client.get("/sms")


def test_502_is_a_page(base, simulator):
    simulator.post("/faults", {"kind": "502_html"})
    answer = requests.get(f"{base}/1.0/auth/time", timeout=5)
    assert answer.status_code == 502 and answer.headers["Content-Type"].startswith(
        "text/html"
    )


def test_which_requests_meet_a_fault(client, simulator):
    client.get("/sms")
    simulator.post(
        "/faults",
        [{"kind": "500", "method": "get", "path": "senders", "skip": 1, "times": 2}],
    )

    def status(call):
        try:
            call()
        except ovh.exceptions.APIError as error:
            return error.response.status_code
        return 200

    def senders():
        return client.get(f"{SERVICE}/senders")

    assert status(lambda: client.get("/sms")) == 200
    assert [status(senders) for _ in range(4)] == [200, 500, 500, 200]
    simulator.post("/faults", {"kind": "500", "times": None})
    assert [status(senders) for _ in range(3)] == [500] * 3
    assert simulator.get("/faults")[0]["times"] is None
    simulator.call("DELETE", "/faults")
    assert status(senders) == 200
    for order in (
        {"kind": "x"},
        {"kind": "500", "path": "("},
        {"kind": "500", "times": -1},
        {"kind": "500", "a": 1},
        [{"kind": "500"}, 3],
        {"kind": "latency", "latency_ms": "long"},
    ):
        simulator.post("/faults", order, status=400)
    assert simulator.get("/faults") == []


def test_latency(client, simulator):
    client.get("/sms")
    simulator.post("/faults", {"kind": "latency", "latency_ms": 300})
    start = time.monotonic()
    client.get("/sms")
    assert 0.3 <= time.monotonic() - start < 2
    simulator.post("/config", {"latency_ms": 150})
    start = time.monotonic()
    client.get("/sms")
    assert 0.15 <= time.monotonic() - start < 2


def test_requests_are_counted(client, simulator):
    client.get(f"{SERVICE}/senders")
    client.get(f"{SERVICE}/senders")
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get("/sms/other/senders")
    counts = simulator.state("requests")
    assert (
        counts["GET /sms/{serviceName}/senders"] == 3 and counts["GET /auth/time"] == 1
    )


def test_a_fault_of_certain_bodies(client, simulator, send):
    """The others of the same path are carried out."""
    simulator.post(
        "/faults", {"kind": "500", "path": JOBS, "body": "Promo", "times": None}
    )
    assert simulator.get("/faults")[0]["body"] == "Promo"
    for __ in range(2):
        with pytest.raises(ovh.exceptions.APIError):
            send("+33612341000", "Promo d'été")
        send("+33612341000", "Rendez-vous")
    assert {sms["message"] for sms in simulator.ledger} == {"Rendez-vous"}
    simulator.post("/faults", {"kind": "500", "body": "("}, 400)

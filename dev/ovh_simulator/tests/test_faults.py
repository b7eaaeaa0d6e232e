"""Faults that were ordered, and what they leave behind."""

import time

import ovh
import pytest
import requests
from conftest import PHONE, SERVICE, make_client
from ovh_simulator import seed

JOBS = "jobs$"
Unreadable, Lost = ovh.exceptions.InvalidResponse, ovh.exceptions.HTTPError


def status(call, *arguments, **values):
    """Return the HTTP status of a call."""
    try:
        call(*arguments, **values)
    except ovh.exceptions.APIError as error:
        return error.response.status_code
    return 200


@pytest.mark.parametrize(
    "kind, accept, error",
    [
        ("500", False, ovh.exceptions.APIError),
        ("500", True, ovh.exceptions.APIError),
        ("502_html", False, Unreadable),
        ("502_html", True, Unreadable),
        ("garbage", True, Unreadable),
        ("empty", True, Unreadable),
        ("empty", False, Unreadable),
        ("cut_before", True, Lost),
        ("cut_after", False, Lost),
        ("timeout", False, Lost),
        ("timeout", True, Lost),
    ],
)
def test_what_is_accepted(base, simulator, kind, accept, error):
    client = make_client(base, timeout=0.7)
    client.get("/sms")
    simulator.order_faults({"kind": kind, "accept": accept, "path": JOBS})
    job = {"message": "a", "receivers": [PHONE], "tag": "t"}
    job["sender"] = seed.SENDER_ENABLED
    with pytest.raises(error):
        client.post(f"{SERVICE}/jobs", **job)
    accepted = kind == "cut_after" or (accept and kind != "cut_before")
    assert len(simulator.ledger) == (1 if accepted else 0)
    assert len(client.get(f"{SERVICE}/outgoing", tag="t")) == (1 if accepted else 0)
    assert simulator.get("/faults") == []
    # the fault is used up
    assert client.post(f"{SERVICE}/jobs", **job)["ids"]


@pytest.mark.parametrize(
    "retry_after", [None, 7, "1.5", "Wed, 21 Oct 2026 07:28:00 GMT"]
)
def test_429(client, simulator, retry_after):
    simulator.order_faults(
        {"kind": "429", "path": "^/sms$", "retry_after": retry_after}
    )
    with pytest.raises(ovh.exceptions.APIError) as caught:
        client.get("/sms")
    assert caught.value.response.status_code == 429
    expected = retry_after and str(retry_after)
    assert caught.value.response.headers.get("Retry-After") == expected
    assert client.get("/sms")


def test_502_is_a_page(base, simulator):
    simulator.order_faults({"kind": "502_html"})
    answer = requests.get(f"{base}/1.0/auth/time", timeout=5)
    assert answer.status_code == 502
    assert answer.headers["Content-Type"].startswith("text/html")


def test_which_requests_meet_a_fault(client, simulator):
    senders = f"{SERVICE}/senders"
    client.get("/sms")
    simulator.order_faults(
        {"kind": "500", "method": "get", "path": "senders", "skip": 1, "times": 2}
    )
    assert status(client.get, "/sms") == 200
    assert [status(client.get, senders) for _ in range(4)] == [200, 500, 500, 200]
    simulator.order_faults({"kind": "500", "times": None})
    assert [status(client.get, senders) for _ in range(3)] == [500] * 3
    assert simulator.get("/faults")[0]["times"] is None
    simulator.clear_faults()
    assert status(client.get, senders) == 200


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "x"},
        {"kind": "500", "path": "("},
        {"kind": "500", "body": "("},
        {"kind": "500", "times": -1},
        {"kind": "500", "a": 1},
        [{"kind": "500"}, 3],
        {"kind": "latency", "latency_ms": "long"},
        {"kind": "change", "path": SERVICE},
    ],
)
def test_orders_are_checked(simulator, order):
    simulator.post("/faults", order, status=400)
    assert simulator.get("/faults") == []


def test_latency(client, simulator):
    def seconds():
        start = time.monotonic()
        client.get("/sms")
        return time.monotonic() - start

    client.get("/sms")
    simulator.order_faults({"kind": "latency", "latency_ms": 300})
    assert 0.3 <= seconds() < 2
    simulator.configure(latency_ms=150)
    assert 0.15 <= seconds() < 2


def test_requests_are_counted(client, simulator):
    paths = (SERVICE, SERVICE, "/sms/other")
    found = [status(client.get, f"{path}/senders") for path in paths]
    assert found == [200, 200, 404]
    counts = simulator.state("requests")
    assert counts["GET /sms/{serviceName}/senders"] == 3
    assert counts["GET /auth/time"] == 1


def test_a_fault_of_certain_bodies(simulator, send):
    """The others of the same path are carried out."""
    simulator.order_faults(
        {"kind": "500", "path": JOBS, "body": "Promo", "times": None}
    )
    assert simulator.get("/faults")[0]["body"] == "Promo"
    for __ in range(2):
        assert status(send, PHONE, "Promo d'été") == 500
        send(PHONE, "Rendez-vous")
    assert {sms["message"] for sms in simulator.ledger} == {"Rendez-vous"}


def test_any_answer(client, simulator):
    content = {"message": "Not granted", "errorCode": "NOT_GRANTED_CALL"}
    order = {"kind": "answer", "status": 403, "content": content, "path": "^/sms$"}
    simulator.order_faults(order)
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        client.get("/sms")
    simulator.order_faults({"kind": "answer", "content": [], "path": "^/sms$"})
    assert client.get("/sms") == []


def test_changed_answer(client, simulator):
    change = {"kind": "change", "content": {"creditsLeft": "n/a"}, "path": SERVICE}
    simulator.order_faults({**change, "times": 2})
    service = client.get(SERVICE)
    assert (service["creditsLeft"], service["name"]) == ("n/a", seed.SERVICE_1)

"""What nobody knows of OVHcloud, in either reading: lists, batches, order of ids."""

import ovh
import pytest
from conftest import SERVICE
from ovh_simulator import gateway, magic, seed

NUMBERS = [f"+3361234{index:04d}" for index in range(1000, 1060)]
USER = f"/users/{seed.USER_WITHOUT_QUOTA}"
VIRTUAL = f"/virtualNumbers/{seed.VIRTUAL_NUMBER}"


def batch(client, path, keys):
    """:return: what the API answers for several ids at once."""
    answer = client.raw_call(
        "GET", f"{path}/{','.join(map(str, keys))}", headers={"X-Ovh-Batch": ","}
    )
    return answer.status_code, answer.json()


def test_batch(client, simulator, send):
    ids = send(NUMBERS[:3])["ids"]
    status, entries = batch(client, f"{SERVICE}/outgoing", [*ids, 1])
    assert status == 200
    assert [entry["key"] for entry in entries] == [*map(str, ids), "1"]
    assert [entry["value"]["receiver"] for entry in entries[:3]] == NUMBERS[:3]
    assert (
        entries[3]["value"] is None
        and "does not exist" in entries[3]["error"]["message"]
    )
    assert simulator.state("requests")["GET /sms/{serviceName}/outgoing/{id}"] == 1


def test_batch_of_names(client, simulator):
    status, entries = batch(
        client, f"{SERVICE}/senders", client.get(f"{SERVICE}/senders")
    )
    assert status == 200
    assert all(entry["value"]["sender"] == entry["key"] for entry in entries)


@pytest.mark.parametrize("refused", [".", "/outgoing/"])
def test_batch_refused(client, simulator, send, refused):
    simulator.post("/config", {"batch_refused": refused})
    ids = send(NUMBERS[:2])["ids"]
    assert batch(client, f"{SERVICE}/outgoing", ids)[0] == 400


def test_batch_is_bounded(client, send):
    ids = send(NUMBERS)["ids"]
    assert len(ids) > gateway.MAX_BATCH
    assert batch(client, f"{SERVICE}/outgoing", ids)[0] == 400


@pytest.mark.parametrize("all_of_them", [True, False])
def test_lists_of_the_account(client, simulator, send, all_of_them):
    simulator.post("/config", {"account_lists_all": all_of_them})
    of_user = send(NUMBERS[0], path=USER)["ids"]
    of_number = send(NUMBERS[1], path=VIRTUAL)["ids"]
    own = send(NUMBERS[2])["ids"]
    expected = {*own, *of_user, *of_number} if all_of_them else {*own}
    assert set(client.get(f"{SERVICE}/outgoing")) == expected
    assert client.get(f"{SERVICE}{USER}/outgoing") == of_user
    assert client.get(f"{SERVICE}{VIRTUAL}/outgoing") == of_number
    if not all_of_them:
        with pytest.raises(ovh.exceptions.ResourceNotFoundError):
            client.get(f"{SERVICE}/outgoing/{of_user[0]}")


@pytest.mark.parametrize("order", ["receivers", "swapped", "shuffled"])
def test_order_of_ids(client, simulator, send, order):
    simulator.post("/config", {"ids_order": order, "seed": 3})
    report = send(NUMBERS)
    receivers = [
        client.get(f"{SERVICE}/outgoing/{sms_id}")["receiver"]
        for sms_id in report["ids"]
    ]
    assert sorted(receivers) == sorted(report["validReceivers"])
    assert (receivers == report["validReceivers"]) is (order == "receivers")


def test_unlisted(client, simulator, send):
    simulator.post("/config", {"unlisted": NUMBERS[:1]})
    ids = send(NUMBERS[:2], tag="t")["ids"]
    assert client.get(f"{SERVICE}/outgoing", tag="t") == ids[1:]
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get(f"{SERVICE}/outgoing/{ids[0]}")
    simulator.post("/config", {"unlisted": []})
    assert client.get(f"{SERVICE}/outgoing", tag="t") == ids


def test_any_answer(client, simulator):
    content = {
        "message": "This call has not been granted",
        "errorCode": "NOT_GRANTED_CALL",
    }
    order = {"kind": "answer", "status": 403, "content": content, "path": "^/sms$"}
    simulator.post("/faults", order)
    with pytest.raises(ovh.exceptions.NotGrantedCall):
        client.get("/sms")
    simulator.post("/faults", {"kind": "answer", "content": [], "path": "^/sms$"})
    assert client.get("/sms") == []


def test_changed_answer(client, simulator):
    change = {"kind": "change", "content": {"creditsLeft": "n/a"}, "path": SERVICE}
    simulator.post("/faults", {**change, "times": 2})
    service = client.get(SERVICE)
    assert (service["creditsLeft"], service["name"]) == ("n/a", seed.SERVICE_1)
    simulator.post("/faults", {"kind": "change", "path": SERVICE}, 400)


@pytest.mark.parametrize("retry_after", ["1.5", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_forms_of_retry_after(client, simulator, retry_after):
    simulator.post(
        "/faults", {"kind": "429", "path": "^/sms$", "retry_after": retry_after}
    )
    with pytest.raises(ovh.exceptions.APIError) as caught:
        client.get("/sms")
    assert caught.value.response.headers["Retry-After"] == retry_after


def test_a_virtual_number_that_is_gone(client, simulator, send):
    simulator.call(
        "DELETE", f"/services/{seed.SERVICE_1}/virtualNumbers/{seed.VIRTUAL_NUMBER}"
    )
    assert seed.VIRTUAL_NUMBER in client.get(f"{SERVICE}/senders")
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        send(NUMBERS[0], path=VIRTUAL)


def test_old_stops(client, simulator):
    simulator.post(f"/services/{seed.SERVICE_1}/blacklists", {"numbers": NUMBERS[:2]})
    assert set(NUMBERS[:2]) <= set(client.get(f"{SERVICE}/blacklists"))


@pytest.mark.parametrize("spelling", ["e164", "digits", "zeros"])
def test_look_up(client, simulator, spelling):
    simulator.post(
        "/config", {"hlr_spelling": spelling, "hlr_credits": 0.25, "hlr_ms": 60000}
    )
    credits_left = client.get(SERVICE)["creditsLeft"]
    asked = [NUMBERS[0], magic.UNDELIVERABLE, magic.ABSENT, magic.OPERATOR_FAILURE]
    answer = client.post(f"{SERVICE}/hlr", receivers=[*asked, "12"])
    assert answer["validReceivers"] == asked
    assert answer["invalidReceivers"] == ["12"]
    assert answer["totalCreditsRemoved"] == 1
    assert client.get(SERVICE)["creditsLeft"] == credits_left - 1
    assert client.get(f"{SERVICE}/hlr") == answer["ids"]
    read = [client.get(f"{SERVICE}/hlr/{id_}") for id_ in answer["ids"]]
    assert {lookup["status"] for lookup in read} == {"todo"}
    simulator.post("/clock", {"advance_s": 61})
    __, entries = batch(client, f"{SERVICE}/hlr", answer["ids"])
    found = [entry["value"] for entry in entries]
    assert [
        (lookup["status"], lookup["valid"], lookup["reachable"]) for lookup in found
    ] == [
        ("done", True, True),
        ("done", False, False),
        ("done", True, False),
        ("error", False, False),
    ]
    prefix = {"e164": "+", "digits": "", "zeros": "00"}[spelling]
    assert found[0]["msisdn"] == prefix + NUMBERS[0][1:]


@pytest.mark.parametrize(
    ("fate", "registered", "status", "shown"),
    [
        ("blocked", [], ("failed", 5), seed.SENDER_ENABLED),
        ("blocked", [seed.SENDER_ENABLED], ("delivered", 4), seed.SENDER_ENABLED),
        ("replaced", [], ("delivered", 4), "+34600000000"),
        ("kept", [], ("delivered", 4), seed.SENDER_ENABLED),
    ],
)
def test_names_in_spain(client, simulator, send, fate, registered, status, shown):
    simulator.post(
        "/config", {"names_abroad": {"es": fate}, "registered_names": registered}
    )
    send(["+34612345678", NUMBERS[0]])
    send("+34612345679", senderForResponse=True)
    simulator.post("/callbacks/flush")
    spanish, french, short = simulator.ledger
    assert (spanish["status"], spanish["ptt"]) == status
    assert (spanish["sender"], spanish["shown"]) == (seed.SENDER_ENABLED, shown)
    phone = simulator.state("phones")["+34612345678"]
    assert phone["messages"][0]["sender"] == shown
    assert french["status"] == short["status"] == "delivered"
    found = client.get(f"{SERVICE}/exceptions", receiver="+34612345678")
    assert [entry["restrictionCode"] for entry in found] == {
        "blocked": ["BLOCKED"],
        "replaced": ["ALPHA"],
        "kept": [],
    }[fate]


def test_texts_in_the_usa(simulator, send):
    simulator.post("/config", {"usa_templates": ["Your code is #VALUE#."]})
    numbers = ["+12125550123", "+15145550123", "+18095550123"]
    send(numbers, "Your code is 1234.")
    send(numbers, "Your code is 1234. Buy more")
    simulator.post("/callbacks/flush")
    assert [(sms["status"], sms["ptt"]) for sms in simulator.ledger] == [
        *[("delivered", 4)] * 3,
        ("failed", 1999),
        *[("delivered", 4)] * 2,
    ]


@pytest.mark.parametrize(
    "setting",
    [
        {"names_abroad": {"fr": "blocked"}},
        {"names_abroad": {"es": "lost"}},
        {"usa_templates": "Your code"},
        {"registered_names": None},
        {"account_lists_all": 1},
        {"hlr_spelling": "roman"},
        {"batch_refused": "("},
        {"ids_order": "other"},
        {"unlisted": "+33612341000"},
    ],
)
def test_settings_are_checked(simulator, setting):
    simulator.post("/config", setting, 400)

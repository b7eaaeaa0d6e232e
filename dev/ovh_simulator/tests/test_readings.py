"""What nobody knows of OVHcloud, in either reading: lists, batches, order of ids."""

import ovh
import pytest
from conftest import SERVICE, USER, VIRTUAL
from ovh_simulator import gateway, magic, seed

NUMBERS = [f"+3361234{index:04d}" for index in range(1000, 1060)]
OUTGOING = f"{SERVICE}/outgoing"


def batch(client, path, keys):
    """:return: what the API answers for several ids at once."""
    answer = client.raw_call(
        "GET", f"{path}/{','.join(map(str, keys))}", headers={"X-Ovh-Batch": ","}
    )
    return answer.status_code, answer.json()


def test_batch(client, simulator, send):
    ids = send(NUMBERS[:3])["ids"]
    status, entries = batch(client, OUTGOING, [*ids, 1])
    assert status == 200
    assert [entry["key"] for entry in entries] == [*map(str, ids), "1"]
    assert [entry["value"]["receiver"] for entry in entries[:3]] == NUMBERS[:3]
    assert entries[3]["value"] is None
    assert "does not exist" in entries[3]["error"]["message"]
    assert simulator.state("requests")["GET /sms/{serviceName}/outgoing/{id}"] == 1


def test_batch_of_names(client, simulator):
    senders = f"{SERVICE}/senders"
    status, entries = batch(client, senders, client.get(senders))
    assert status == 200
    assert all(entry["value"]["sender"] == entry["key"] for entry in entries)


@pytest.mark.parametrize("refused", [".", "/outgoing/"])
def test_batch_refused(client, simulator, send, refused):
    simulator.configure(batch_refused=refused)
    ids = send(NUMBERS[:2])["ids"]
    assert batch(client, OUTGOING, ids)[0] == 400


def test_batch_is_bounded(client, send):
    ids = send(NUMBERS)["ids"]
    assert len(ids) > gateway.MAX_BATCH
    assert batch(client, OUTGOING, ids)[0] == 400


@pytest.mark.parametrize("all_of_them", [True, False])
def test_lists_of_the_account(client, simulator, send, all_of_them):
    simulator.configure(account_lists_all=all_of_them)
    of_user = send(NUMBERS[0], path=USER)["ids"]
    of_number = send(NUMBERS[1], path=VIRTUAL)["ids"]
    own = send(NUMBERS[2])["ids"]
    expected = {*own, *of_user, *of_number} if all_of_them else {*own}
    assert set(client.get(OUTGOING)) == expected
    assert client.get(f"{SERVICE}{USER}/outgoing") == of_user
    assert client.get(f"{SERVICE}{VIRTUAL}/outgoing") == of_number
    if not all_of_them:
        with pytest.raises(ovh.exceptions.ResourceNotFoundError):
            client.get(f"{OUTGOING}/{of_user[0]}")


@pytest.mark.parametrize("order", ["receivers", "swapped", "shuffled"])
def test_order_of_ids(client, simulator, send, order):
    simulator.configure(ids_order=order, seed=3)
    report = send(NUMBERS)
    receivers = [client.get(f"{OUTGOING}/{id_}")["receiver"] for id_ in report["ids"]]
    assert sorted(receivers) == sorted(report["validReceivers"])
    assert (receivers == report["validReceivers"]) is (order == "receivers")


def test_unlisted(client, simulator, send):
    simulator.configure(unlisted=NUMBERS[:1])
    ids = send(NUMBERS[:2], tag="t")["ids"]
    assert client.get(OUTGOING, tag="t") == ids[1:]
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get(f"{OUTGOING}/{ids[0]}")
    simulator.configure(unlisted=[])
    assert client.get(OUTGOING, tag="t") == ids


def test_a_virtual_number_that_is_gone(client, simulator, send):
    simulator.remove_virtual_number(seed.SERVICE_1, seed.VIRTUAL_NUMBER)
    assert seed.VIRTUAL_NUMBER in client.get(f"{SERVICE}/senders")
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        send(NUMBERS[0], path=VIRTUAL)


def test_old_stops(client, simulator):
    simulator.add_stops(seed.SERVICE_1, NUMBERS[:2])
    assert set(NUMBERS[:2]) <= set(client.get(f"{SERVICE}/blacklists"))


@pytest.mark.parametrize("spelling", ["e164", "digits", "zeros"])
def test_look_up(client, simulator, left, spelling):
    simulator.configure(hlr_spelling=spelling, hlr_credits=0.25, hlr_ms=60000)
    before = left()
    asked = [NUMBERS[0], magic.UNDELIVERABLE, magic.ABSENT, magic.OPERATOR_FAILURE]
    answer = client.post(f"{SERVICE}/hlr", receivers=[*asked, "12"])
    assert answer["validReceivers"] == asked
    assert answer["invalidReceivers"] == ["12"]
    assert answer["totalCreditsRemoved"] == 1
    assert left() == before - 1
    assert client.get(f"{SERVICE}/hlr") == answer["ids"]
    read = [client.get(f"{SERVICE}/hlr/{id_}") for id_ in answer["ids"]]
    assert {lookup["status"] for lookup in read} == {"todo"}
    simulator.advance(61)
    __, entries = batch(client, f"{SERVICE}/hlr", answer["ids"])
    found = [entry["value"] for entry in entries]
    names = ("status", "valid", "reachable")
    assert [tuple(lookup[name] for name in names) for lookup in found] == [
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
    simulator.configure(usa_templates=["Your code is #VALUE#."])
    numbers = ["+12125550123", "+15145550123", "+18095550123"]
    send(numbers, "Your code is 1234.")
    send(numbers, "Your code is 1234. Buy more")
    simulator.post("/callbacks/flush")
    assert [(sms["status"], sms["ptt"]) for sms in simulator.ledger] == [
        *[("delivered", 4)] * 3,
        ("failed", 1999),
        *[("delivered", 4)] * 2,
    ]

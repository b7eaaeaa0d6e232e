"""Delivery reports, STOP and replies: what is called, when, how often."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import SERVICE
from ovh_simulator import magic, seed
from ovh_simulator.callbacks import add_query

PHONE = "+33612341000"


def query(callback):
    return {
        key: values[0]
        for key, values in parse_qs(urlsplit(callback["url"]).query).items()
    }


def pairs(callbacks):
    return [
        (
            int(query(each)["id"]),
            int(query(each)["ptt"]),
            int(query(each)["description"]),
        )
        for each in callbacks
    ]


@pytest.mark.parametrize(
    "url, expected",
    [
        ("http://a/b", "http://a/b?x=1"),
        ("http://a/b?", "http://a/b?x=1"),
        ("http://a/b?token=t", "http://a/b?token=t&x=1"),
        ("http://a/b?token=t#top", "http://a/b?token=t&x=1#top"),
    ],
)
def test_the_query_of_the_url_stays(url, expected):
    assert add_query(url, {"x": 1}) == expected


def test_parameters(client, simulator, send):
    client.put(SERVICE, callBack="http://odoo.example/report?token=t&db=x")
    id_ = send(PHONE)["ids"][0]
    first, last = simulator.get("/callbacks")
    assert (
        first["url"].startswith("http://odoo.example/report?token=t&db=x&id=")
        and first["kind"] == "delivery"
    )
    assert query(last) == {
        "token": "t",
        "db": "x",
        "id": str(id_),
        "ptt": "4",
        "description": "1",
        "descriptionDlr": "DELIVERED",
        "date": query(last)["date"],
    }
    assert pairs([first, last]) == [(id_, 3, 4), (id_, 4, 1)]
    assert simulator.post("/callbacks/pop") == [first, last]
    assert simulator.get("/callbacks") == []


@pytest.mark.parametrize("entry", magic.TABLE, ids=lambda entry: entry.behaviour)
def test_magic_numbers(client, simulator, send, entry):
    client.put(
        SERVICE,
        callBack="http://odoo.example/report",
        stopCallBack="http://odoo.example/stop",
        smsResponse={"responseType": "cgi", "cgiUrl": "http://odoo.example/reply"},
    )
    report = send(entry.number, senderForResponse=True)
    if entry.behaviour in ("blacklisted", "invalid"):
        assert report["invalidReceivers"] == [entry.number]
        return
    id_ = report["ids"][0]
    if entry.behaviour == "late":
        assert pairs(simulator.post("/callbacks/pop")) == [(id_, 3, 4)]
        simulator.post("/clock", {"advance_s": magic.LATE_SECONDS - 5})
        assert simulator.post("/callbacks/pop") == []
        simulator.post("/clock", {"advance_s": 5})
    callbacks = simulator.post("/callbacks/pop")
    kinds = [each["kind"] for each in callbacks]
    sms = client.get(f"{SERVICE}/outgoing/{id_}")
    if entry.behaviour == "silent":
        assert (
            callbacks == []
            and sms["deliveredAt"] is None
            and sms["deliveryReceipt"] == 0
        )
        return
    assert pairs([each for each in callbacks if each["kind"] == "delivery"])[-1] == (
        id_,
        entry.ptt,
        entry.dlr,
    )
    assert (sms["ptt"], sms["deliveryReceipt"]) == (entry.ptt, entry.dlr)
    assert (sms["deliveredAt"] is not None) is (entry.ptt == 4)
    assert ("reply" in kinds, "stop" in kinds) == (
        entry.behaviour == "reply",
        entry.behaviour == "stop",
    )
    assert client.get(SERVICE)["creditsLeft"] == (2000 if entry.dlr == 16 else 1999)
    assert simulator.ledger[0]["charged"] is (entry.dlr != 16)
    assert client.get(f"{SERVICE}/incoming") != [] or entry.behaviour != "reply"
    assert (entry.number in client.get(f"{SERVICE}/blacklists")) is (
        entry.behaviour == "stop"
    )


def test_flush_calls_and_tells(client, simulator, send, customer):
    simulator.post("/config", {"callback_headers": {"X-Test": "yes"}})
    client.put(SERVICE, callBack=f"{customer.url}/report")
    client.put(f"{SERVICE}/users/compta", callBack=f"{customer.url}/broken")
    ids = send([f"+336123420{n:02d}" for n in range(20)])["ids"]
    send(PHONE, path="/users/compta")
    outcomes = simulator.post("/callbacks/flush")
    assert [each["status"] for each in outcomes] == [204] * 40 + [500] * 2
    assert {call["headers"]["X-Test"] for call in customer.calls} == {"yes"}
    for id_ in ids:
        assert [call["ptt"] for call in customer.calls if call["id"] == str(id_)] == [
            "3",
            "4",
        ]
    # connections are kept alive, and bounded
    assert len({call["client"] for call in customer.calls}) <= 8
    client.put(SERVICE, callBack="http://127.0.0.1:9/refused")
    send(PHONE)
    assert all("error" in each for each in simulator.post("/callbacks/flush"))


def test_automatic_mode_is_late_and_does_not_wait_for_the_customer(
    client, simulator, send, customer
):
    client.put(SERVICE, callBack=f"{customer.url}/report")
    simulator.post(
        "/config",
        {
            "callback_mode": "auto",
            # Long enough that a busy machine makes all first reports before any second.
            "callback_delay_ms": [500, 500],
            "callback_shuffle": False,
            "callback_duplicate_share": 0,
        },
    )
    sent_at = time.monotonic()
    ids = send([f"+336123420{n:02d}" for n in range(10)])["ids"]
    assert customer.calls == []
    assert client.get(f"{SERVICE}/outgoing/{ids[0]}")["deliveryReceipt"] == 0
    simulator.wait(lambda: len(customer.calls) == 20)
    assert [call["ptt"] for call in customer.calls[:10]] == ["3"] * 10
    # from the sending on, since a busy machine may be late with the first report only
    assert customer.calls[0]["at"] - sent_at >= 0.5
    assert customer.calls[-1]["at"] - sent_at >= 1.0
    # the log is written once the answer has come
    assert simulator.wait(lambda: simulator.state("callbacks")["counts"] == {"204": 20})


def test_a_flush_hurries_the_automatic_mode(client, simulator, send, customer):
    client.put(SERVICE, callBack=f"{customer.url}/report")
    simulator.post(
        "/config",
        {
            "callback_mode": "auto",
            "callback_delay_ms": [60000, 60000],
            "callback_duplicate_share": 0,
        },
    )
    send(PHONE)
    assert len(simulator.post("/callbacks/flush")) == 2
    assert (
        simulator.get("/config")["callback_mode"] == "auto" and len(customer.calls) == 2
    )


def test_shuffled_duplicated_lost(client, simulator, send):
    client.put(SERVICE, callBack="http://odoo.example/report")
    numbers = [f"+33612343{n:03d}" for n in range(200)]
    simulator.post(
        "/config",
        {
            "callback_shuffle": True,
            "callback_duplicate_share": 0.2,
            "callback_lost_share": 0.1,
        },
    )
    send(numbers)
    calls = pairs(simulator.post("/callbacks/pop"))
    unique = set(calls)
    assert 340 <= len(unique) <= 380  # a tenth of 400 is lost
    assert 45 <= len(calls) - len(unique) <= 100  # a fifth comes twice
    overtaken = sum(
        1
        for id_ in {call[0] for call in calls}
        if (id_, 3, 4) in unique
        and (id_, 4, 1) in unique
        and calls.index((id_, 4, 1)) < calls.index((id_, 3, 4))
    )
    assert 40 <= overtaken <= 130
    simulator.post("/reset")
    simulator.post(
        "/config",
        {
            "callback_mode": "manual",
            "callback_shuffle": True,
            "callback_duplicate_share": 0.2,
            "callback_lost_share": 0.1,
        },
    )
    client.put(SERVICE, callBack="http://odoo.example/report")
    send(numbers)
    assert pairs(simulator.post("/callbacks/pop")) == calls  # the same again


def test_a_share_is_undeliverable(client, simulator, send):
    simulator.post("/config", {"undeliverable_share": 0.25})
    send([f"+33612343{n:03d}" for n in range(400)])
    simulator.get("/callbacks")
    failed = [row for row in simulator.ledger if (row["ptt"], row["dlr"]) == (20, 2)]
    assert 70 <= len(failed) <= 130
    other = {row["id"] for row in failed}
    simulator.post("/reset")
    simulator.post(
        "/config", {"callback_mode": "manual", "undeliverable_share": 0.25, "seed": 2}
    )
    send([f"+33612343{n:03d}" for n in range(400)])
    assert {row["id"] for row in simulator.ledger if row["ptt"] == 20} != other


def test_mode_off(client, simulator, send):
    client.put(SERVICE, callBack="http://odoo.example/report")
    simulator.post("/config", {"callback_mode": "off", "callback_delay_ms": [0, 0]})
    id_ = send(PHONE)["ids"][0]
    assert client.get(f"{SERVICE}/outgoing/{id_}")["ptt"] == 4
    assert simulator.post("/callbacks/flush") == []


def test_report_before_the_answer(client, simulator, customer, send):
    client.put(SERVICE, callBack=f"{customer.url}/report")
    simulator.post(
        "/config", {"callback_mode": "auto", "callback_delay_ms": [5000, 5000]}
    )
    id_ = send(magic.REPORT_BEFORE_ANSWER)["ids"][0]
    assert [(call["id"], call["ptt"]) for call in customer.calls] == [
        (str(id_), "3"),
        (str(id_), "4"),
    ]


def test_user_callbacks_come_first(client, simulator, send):
    client.put(
        SERVICE,
        callBack="http://account.example/",
        stopCallBack="http://account.example/stop",
    )
    client.put(f"{SERVICE}/users/compta", callBack="http://user.example/")
    send(PHONE, path="/users/compta")
    assert {
        urlsplit(each["url"]).netloc for each in simulator.post("/callbacks/pop")
    } == {"user.example"}
    simulator.post(f"/phones/{PHONE}/stop")
    assert [
        urlsplit(each["url"]).netloc for each in simulator.post("/callbacks/pop")
    ] == ["account.example"]


def test_stop(client, simulator, send):
    client.put(SERVICE, stopCallBack="http://odoo.example/stop?token=t")
    simulator.post(f"/phones/{PHONE}/stop", {}, status=409)
    id_ = send(PHONE, noStopClause=False)["ids"][0]
    entry = simulator.post(f"/phones/{PHONE}/stop")
    assert (entry["number"], entry["smsOutgoingID"]) == (PHONE, id_)
    (call,) = simulator.get("/callbacks")
    assert (
        call["kind"] == "stop"
        and query(call)["number"] == PHONE
        and query(call)["token"] == "t"
    )
    assert client.get(f"{SERVICE}/incoming") == []


def test_replies(client, simulator, send):
    client.put(
        SERVICE,
        smsResponse={
            "responseType": "cgi",
            "cgiUrl": "http://odoo.example/reply",
            "trackingOptions": [
                {
                    "media": "email",
                    "sender": "sms@example.com",
                    "target": "boss@example.com",
                }
            ],
        },
    )
    incoming = f"{SERVICE}/incoming"
    send(PHONE)
    simulator.post(
        f"/phones/{PHONE}/reply", {"text": "oui"}, status=409
    )  # a name can not be answered
    send(PHONE, senderForResponse=True, tag="question")
    answer = simulator.post(f"/phones/{PHONE}/reply", {"text": "oui é €"})
    assert client.get(f"{incoming}/{answer['id']}") == answer
    assert (answer["sender"], answer["message"], answer["tag"]) == (
        PHONE,
        "oui é €",
        "question",
    )
    assert (
        client.get(incoming, sender=PHONE)
        == client.get(incoming, tag="question")
        == [answer["id"]]
    )
    (call,) = [
        each for each in simulator.post("/callbacks/pop") if each["kind"] == "reply"
    ]
    assert query(call)["message"] == "oui é €"
    assert simulator.state("forwarded")[0]["target"] == "boss@example.com"
    # to the virtual number
    number = f"{SERVICE}/virtualNumbers/{seed.VIRTUAL_NUMBER}"
    send(PHONE, path=f"/virtualNumbers/{seed.VIRTUAL_NUMBER}")
    second = simulator.post(f"/phones/{PHONE}/reply", {"text": "non"})
    assert client.get(f"{number}/incoming") == [second["id"]]
    # anybody can text a virtual number
    third = simulator.post(
        "/phones/+33612349999/reply", {"text": "bonjour", "service": seed.SERVICE_1}
    )
    assert client.get(f"{number}/incoming") == [second["id"], third["id"]]
    client.delete(f"{incoming}/{third['id']}")
    assert client.get(incoming) == [answer["id"], second["id"]]
    simulator.post("/phones/+33612349998/reply", {"text": "x"}, status=409)
    simulator.post("/phones/abc/reply", {"text": "x"}, status=404)
    simulator.post(f"/phones/{PHONE}/reply", {"text": ""}, status=400)


def test_a_reply_that_says_stop(client, simulator, send):
    send(PHONE, senderForResponse=True)
    simulator.post(f"/phones/{PHONE}/reply", {"text": " stop "})
    assert (
        PHONE in client.get(f"{SERVICE}/blacklists")
        and len(client.get(f"{SERVICE}/incoming")) == 1
    )


def test_the_short_number_takes_replies_for_48_hours(client, simulator, send):
    send(PHONE, senderForResponse=True)
    simulator.post("/clock", {"advance_s": 48 * 3600 - 10})
    simulator.post(f"/phones/{PHONE}/reply", {"text": "oui"})
    simulator.post("/clock", {"advance_s": 20})
    simulator.post(f"/phones/{PHONE}/reply", {"text": "oui"}, status=409)


def test_automatic_answer(client, simulator, send):
    client.put(SERVICE, smsResponse={"responseType": "text", "text": "Merci"})
    send(PHONE, senderForResponse=True)
    simulator.post(f"/phones/{PHONE}/reply", {"text": "oui"})
    assert [row["text_sent"] for row in simulator.ledger] == ["Bonjour", "Merci"]
    assert client.get(SERVICE)["creditsLeft"] == 1998


def test_phone_switched_off(client, simulator, send):
    client.put(SERVICE, callBack="http://odoo.example/report")
    simulator.post(f"/phones/{PHONE}/power", {"on": False})
    id_ = send(PHONE)["ids"][0]
    assert pairs(simulator.post("/callbacks/pop")) == [(id_, 3, 4), (id_, 24, 8)]
    simulator.post(f"/phones/{PHONE}/stop", {}, status=409)
    simulator.post(f"/phones/{PHONE}/power", {"on": True})
    assert pairs(simulator.post("/callbacks/pop")) == [(id_, 4, 1)]
    # given up when its validity ends
    simulator.post(f"/phones/{PHONE}/power", {"on": False})
    id_ = send(PHONE, validityPeriod=60)["ids"][0]
    simulator.post("/callbacks/pop")
    simulator.post("/clock", {"advance_s": 3599})
    assert simulator.post("/callbacks/pop") == []
    simulator.post("/clock", {"advance_s": 2})
    assert pairs(simulator.post("/callbacks/pop")) == [(id_, 8, 2)]
    simulator.post(f"/phones/{PHONE}/power", {"on": True})
    assert simulator.post("/callbacks/pop") == []
    simulator.post(f"/phones/{PHONE}/power", {"on": "yes"}, status=400)


def test_stop_between_acceptance_and_departure(client, simulator, send):
    send(PHONE)
    later = send(PHONE, differedPeriod=10)["ids"][0]
    simulator.post(f"/phones/{PHONE}/stop")
    simulator.post("/clock", {"advance_s": 601})
    assert client.get(f"{SERVICE}/outgoing/{later}")["ptt"] == 23

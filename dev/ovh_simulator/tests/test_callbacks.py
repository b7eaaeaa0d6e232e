"""Delivery reports, STOP and replies: what is called, when, how often."""

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from conftest import PHONE, SERVICE, USER, VIRTUAL
from ovh_simulator import magic, seed
from ovh_simulator.callbacks import add_query

REPORT = "http://odoo.example/report"
NUMBERS = [f"+33612343{n:03d}" for n in range(400)]


def query(callback):
    return dict(parse_qsl(urlsplit(callback["url"]).query))


def pairs(callbacks):
    """Return (id, ptt, DLR) of delivery reports."""
    names = ("id", "ptt", "description")
    return [tuple(int(query(each)[name]) for name in names) for each in callbacks]


@pytest.fixture
def pop(simulator):
    """Take the calls that wait."""
    return lambda: simulator.post("/callbacks/pop")


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


def test_parameters(client, simulator, send, pop):
    client.put(SERVICE, callBack=f"{REPORT}?token=t&db=x")
    id_ = send(PHONE)["ids"][0]
    first, last = simulator.get("/callbacks")
    assert first["url"].startswith(f"{REPORT}?token=t&db=x&id=")
    assert first["kind"] == "delivery"
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
    assert pop() == [first, last]
    assert simulator.get("/callbacks") == []


@pytest.mark.parametrize("entry", magic.TABLE, ids=lambda entry: entry.behaviour)
def test_magic_numbers(client, simulator, send, pop, left, entry):
    client.put(
        SERVICE,
        callBack=REPORT,
        stopCallBack="http://odoo.example/stop",
        smsResponse={"responseType": "cgi", "cgiUrl": "http://odoo.example/reply"},
    )
    report = send(entry.number, senderForResponse=True)
    if entry.behaviour in ("blacklisted", "invalid"):
        assert report["invalidReceivers"] == [entry.number]
        return
    id_ = report["ids"][0]
    if entry.behaviour == "late":
        assert pairs(pop()) == [(id_, 3, 4)]
        simulator.advance(magic.LATE_SECONDS - 5)
        assert pop() == []
        simulator.advance(5)
    callbacks = pop()
    kinds = [each["kind"] for each in callbacks]
    sms = client.get(f"{SERVICE}/outgoing/{id_}")
    if entry.behaviour == "silent":
        assert callbacks == []
        assert sms["deliveredAt"] is None and sms["deliveryReceipt"] == 0
        return
    reports = [each for each in callbacks if each["kind"] == "delivery"]
    assert pairs(reports)[-1] == (id_, entry.ptt, entry.dlr)
    assert (sms["ptt"], sms["deliveryReceipt"]) == (entry.ptt, entry.dlr)
    assert (sms["deliveredAt"] is not None) is (entry.ptt == 4)
    is_reply, is_stop = entry.behaviour == "reply", entry.behaviour == "stop"
    assert ("reply" in kinds, "stop" in kinds) == (is_reply, is_stop)
    assert left() == (2000 if entry.dlr == 16 else 1999)
    assert simulator.ledger[0]["charged"] is (entry.dlr != 16)
    assert client.get(f"{SERVICE}/incoming") != [] or not is_reply
    assert (entry.number in client.get(f"{SERVICE}/blacklists")) is is_stop


def test_flush_calls_and_tells(client, simulator, send, customer):
    simulator.configure(callback_headers={"X-Test": "yes"})
    client.put(SERVICE, callBack=f"{customer.url}/report")
    client.put(f"{SERVICE}{USER}", callBack=f"{customer.url}/broken")
    ids = send(NUMBERS[:20])["ids"]
    send(PHONE, path=USER)
    outcomes = simulator.post("/callbacks/flush")
    assert [each["status"] for each in outcomes] == [204] * 40 + [500] * 2
    assert {call["headers"]["X-Test"] for call in customer.calls} == {"yes"}
    for id_ in ids:
        ptts = [call["ptt"] for call in customer.calls if call["id"] == str(id_)]
        assert ptts == ["3", "4"]
    # connections are kept alive, and bounded
    assert len({call["client"] for call in customer.calls}) <= 8
    client.put(SERVICE, callBack="http://127.0.0.1:9/refused")
    send(PHONE)
    assert all("error" in each for each in simulator.post("/callbacks/flush"))


def test_automatic_mode_is_late_and_does_not_wait_for_the_customer(
    client, simulator, send, customer
):
    client.put(SERVICE, callBack=f"{customer.url}/report")
    simulator.configure(
        callback_mode="auto",
        # Long enough that a busy machine makes all first reports before any second.
        callback_delay_ms=[500, 500],
        callback_shuffle=False,
        callback_duplicate_share=0,
    )
    sent_at = time.monotonic()
    ids = send(NUMBERS[:10])["ids"]
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
    simulator.configure(
        callback_mode="auto",
        callback_delay_ms=[60000, 60000],
        callback_duplicate_share=0,
    )
    send(PHONE)
    assert len(simulator.post("/callbacks/flush")) == 2
    assert simulator.get("/config")["callback_mode"] == "auto"
    assert len(customer.calls) == 2


def test_shuffled_duplicated_lost(client, simulator, send, pop):
    def calls():
        simulator.reset()
        simulator.configure(
            callback_mode="manual",
            callback_shuffle=True,
            callback_duplicate_share=0.2,
            callback_lost_share=0.1,
        )
        client.put(SERVICE, callBack=REPORT)
        send(NUMBERS[:200])
        return pairs(pop())

    found = calls()
    unique = set(found)
    assert 340 <= len(unique) <= 380  # a tenth of 400 is lost
    assert 45 <= len(found) - len(unique) <= 100  # a fifth comes twice
    overtaken = sum(
        {(id_, 3, 4), (id_, 4, 1)} <= unique
        and found.index((id_, 4, 1)) < found.index((id_, 3, 4))
        for id_ in {call[0] for call in found}
    )
    assert 40 <= overtaken <= 130
    assert calls() == found  # the same again


def test_a_share_is_undeliverable(simulator, send):
    def failed(**config):
        simulator.reset()
        simulator.configure(callback_mode="manual", undeliverable_share=0.25, **config)
        send(NUMBERS)
        simulator.get("/callbacks")
        return {row["id"] for row in simulator.get_ledger(ptt=20, dlr=2)}

    first = failed()
    assert 70 <= len(first) <= 130
    assert failed(seed=2) != first


def test_mode_off(client, simulator, send):
    client.put(SERVICE, callBack=REPORT)
    simulator.configure(callback_mode="off", callback_delay_ms=[0, 0])
    id_ = send(PHONE)["ids"][0]
    assert client.get(f"{SERVICE}/outgoing/{id_}")["ptt"] == 4
    assert simulator.post("/callbacks/flush") == []


def test_report_before_the_answer(client, simulator, customer, send):
    client.put(SERVICE, callBack=f"{customer.url}/report")
    simulator.configure(callback_mode="auto", callback_delay_ms=[5000, 5000])
    id_ = str(send(magic.REPORT_BEFORE_ANSWER)["ids"][0])
    calls = [(call["id"], call["ptt"]) for call in customer.calls]
    assert calls == [(id_, "3"), (id_, "4")]


def test_user_callbacks_come_first(client, simulator, send, pop):
    account = "http://account.example/"
    client.put(SERVICE, callBack=account, stopCallBack=f"{account}stop")
    client.put(f"{SERVICE}{USER}", callBack="http://user.example/")
    send(PHONE, path=USER)
    assert {urlsplit(each["url"]).netloc for each in pop()} == {"user.example"}
    simulator.post(f"/phones/{PHONE}/stop")
    assert [urlsplit(each["url"]).netloc for each in pop()] == ["account.example"]


def test_stop(client, simulator, send):
    client.put(SERVICE, stopCallBack="http://odoo.example/stop?token=t")
    simulator.post(f"/phones/{PHONE}/stop", {}, status=409)
    id_ = send(PHONE, noStopClause=False)["ids"][0]
    entry = simulator.post(f"/phones/{PHONE}/stop")
    assert (entry["number"], entry["smsOutgoingID"]) == (PHONE, id_)
    (call,) = simulator.get("/callbacks")
    assert call["kind"] == "stop"
    assert query(call)["number"] == PHONE and query(call)["token"] == "t"
    assert client.get(f"{SERVICE}/incoming") == []


def test_replies(client, simulator, send, pop):
    option = {"media": "email", "sender": "a@example.com", "target": "b@example.com"}
    client.put(
        SERVICE,
        smsResponse={
            "responseType": "cgi",
            "cgiUrl": "http://odoo.example/reply",
            "trackingOptions": [option],
        },
    )
    incoming = f"{SERVICE}/incoming"
    send(PHONE)
    simulator.reply("oui", status=409)  # a name can not be answered
    send(PHONE, senderForResponse=True, tag="question")
    answer = simulator.reply("oui é €")
    assert client.get(f"{incoming}/{answer['id']}") == answer
    found = (answer["sender"], answer["message"], answer["tag"])
    assert found == (PHONE, "oui é €", "question")
    assert client.get(incoming, sender=PHONE) == [answer["id"]]
    assert client.get(incoming, tag="question") == [answer["id"]]
    (call,) = [each for each in pop() if each["kind"] == "reply"]
    assert query(call)["message"] == "oui é €"
    assert simulator.state("forwarded")[0]["target"] == "b@example.com"
    # to the virtual number
    of_number = f"{SERVICE}{VIRTUAL}/incoming"
    send(PHONE, path=VIRTUAL)
    second = simulator.reply("non")
    assert client.get(of_number) == [second["id"]]
    # anybody can text a virtual number
    text = {"text": "bonjour", "service": seed.SERVICE_1}
    third = simulator.post("/phones/+33612349999/reply", text)
    assert client.get(of_number) == [second["id"], third["id"]]
    client.delete(f"{incoming}/{third['id']}")
    assert client.get(incoming) == [answer["id"], second["id"]]
    simulator.reply("x", "+33612349998", status=409)
    simulator.reply("x", "abc", status=404)
    simulator.reply("", status=400)


def test_a_reply_that_says_stop(client, simulator, send):
    send(PHONE, senderForResponse=True)
    simulator.reply(" stop ")
    assert PHONE in client.get(f"{SERVICE}/blacklists")
    assert len(client.get(f"{SERVICE}/incoming")) == 1


def test_the_short_number_takes_replies_for_48_hours(simulator, send):
    send(PHONE, senderForResponse=True)
    simulator.advance(48 * 3600 - 10)
    simulator.reply("oui")
    simulator.advance(20)
    simulator.reply("oui", status=409)


def test_automatic_answer(client, simulator, send, left):
    client.put(SERVICE, smsResponse={"responseType": "text", "text": "Merci"})
    send(PHONE, senderForResponse=True)
    simulator.reply("oui")
    assert [row["text_sent"] for row in simulator.ledger] == ["Bonjour", "Merci"]
    assert left() == 1998


def test_phone_switched_off(client, simulator, send, pop):
    def switch(on, status=200):
        simulator.post(f"/phones/{PHONE}/power", {"on": on}, status)

    client.put(SERVICE, callBack=REPORT)
    switch(False)
    id_ = send(PHONE)["ids"][0]
    assert pairs(pop()) == [(id_, 3, 4), (id_, 24, 8)]
    simulator.post(f"/phones/{PHONE}/stop", {}, status=409)
    switch(True)
    assert pairs(pop()) == [(id_, 4, 1)]
    # given up when its validity ends
    switch(False)
    id_ = send(PHONE, validityPeriod=60)["ids"][0]
    pop()
    simulator.advance(3599)
    assert pop() == []
    simulator.advance(2)
    assert pairs(pop()) == [(id_, 8, 2)]
    switch(True)
    assert pop() == []
    switch("yes", status=400)


def test_stop_between_acceptance_and_departure(client, simulator, send):
    send(PHONE)
    later = send(PHONE, differedPeriod=10)["ids"][0]
    simulator.post(f"/phones/{PHONE}/stop")
    simulator.advance(601)
    assert client.get(f"{SERVICE}/outgoing/{later}")["ptt"] == 23

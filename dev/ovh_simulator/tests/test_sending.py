"""Jobs: what is refused, what is charged, when it leaves, what is found afterwards."""

import ovh
import pytest
import requests
from conftest import OWNERS, PHONE, SERVICE, USER, VIRTUAL
from ovh_simulator import magic, seed
from ovh_simulator.reference import country_of
from test_auth import raw

JOBS, OUTGOING = f"{SERVICE}/jobs", f"{SERVICE}/outgoing"
Bad, Gone = ovh.exceptions.BadParametersError, ovh.exceptions.ResourceNotFoundError


@pytest.mark.parametrize(
    "body, message",
    [
        ({"unknown": 1}, "not described"),
        ({"message": None}, "Missing"),
        ({"message": 3}, "message"),
        ({"message": ""}, "empty"),
        ({"receivers": PHONE}, "receivers"),
        ({"receivers": [33612341000]}, "receivers"),
        ({"receivers": []}, "Missing"),
        ({"noStopClause": "true"}, "noStopClause"),
        ({"differedPeriod": True}, "differedPeriod"),
        ({"differedPeriod": -1}, "minutes"),
        ({"validityPeriod": 0}, "minutes"),
        ({"priority": "urgent"}, "priority"),
        ({"charset": "latin1"}, "charset"),
        ({"tag": "x" * 21}, "tag"),
        ({"sender": None}, "sender"),
        ({"receiversSlotId": "3"}, "does not exist"),
    ],
)
def test_refused_bodies(client, simulator, left, body, message):
    right = {"message": "a", "receivers": [PHONE], "sender": seed.SENDER_ENABLED}
    given = {k: value for k, value in {**right, **body}.items() if value is not None}
    with pytest.raises((Bad, Gone), match=message):
        client.post(JOBS, **given)
    assert simulator.ledger == [] and left() == 2000


@pytest.mark.parametrize("body", ["[]", '"x"', "{", ""])
def test_bodies_that_are_not_objects(base, simulator, body):
    assert raw(base, JOBS, "POST", body).status_code == 400


@pytest.mark.parametrize(
    "sender",
    [
        seed.SENDER_WAITING,
        seed.SENDER_REFUSED,
        seed.SENDER_DISABLED,
        "Inconnu",
        seed.SENDER_COMPANY_2,
    ],
)
def test_senders_that_may_not_send(simulator, send, sender):
    with pytest.raises(ovh.exceptions.APIError, match=f"Sms sender {sender}") as caught:
        send(PHONE, sender=sender)
    assert caught.value.response.status_code == 403
    assert simulator.ledger == []


def test_report_and_charge(client, simulator, send, left):
    valid = ["+33612341001", "00 33 6 12 34 10 02", "+32470123456", "+33612341001"]
    invalid = [
        "0612341003",
        "+33112345678",
        magic.BLACKLISTED,
        magic.INVALID_RECEIVER,
    ]
    report = send([*valid[:2], *invalid, *valid[2:]], message="x" * 161, tag="run-1")
    assert report["validReceivers"] == ["+33612341001", "+33612341002", "+32470123456"]
    assert report["invalidReceivers"] == invalid
    assert len(set(report["ids"])) == 3 and report["tag"] == "run-1"
    belgium = client.get("/sms/rates/destinations", country="be")["credit"]
    assert belgium != 1
    assert report["totalCreditsRemoved"] == pytest.approx(2 * (1 + 1 + belgium))
    assert left() == pytest.approx(2000 - report["totalCreditsRemoved"])
    for id_, number in zip(report["ids"], report["validReceivers"], strict=True):
        sms = client.get(f"{OUTGOING}/{id_}")
        assert (sms["receiver"], sms["numberOfSms"], sms["tag"]) == (number, 2, "run-1")
    assert [row["charged"] for row in simulator.ledger] == [True] * 3


def test_nobody_to_send_to(simulator, send, left):
    report = send([magic.INVALID_RECEIVER])
    assert (report["ids"], report["totalCreditsRemoved"], left()) == ([], 0, 2000)


def test_not_enough_credits(simulator, send, left):
    simulator.set_service(seed.SERVICE_1, creditsLeft=1.5)
    with pytest.raises(ovh.exceptions.APIError, match="Not enough credits"):
        send(["+33612341001", "+33612341002"])
    assert (left(), simulator.ledger) == (1.5, [])
    send("+33612341001")
    assert left() == 0.5


def test_automatic_recharge(client, simulator, send, left):
    client.put(
        SERVICE, automaticRecreditAmount="250", creditThresholdForAutomaticRecredit=50
    )
    simulator.set_service(seed.SERVICE_1, creditsLeft=51)
    send(PHONE)
    assert left() == 50
    send(PHONE)
    assert left() == 299


def test_stop_clause(simulator, send):
    send(PHONE, message="a" * 149, noStopClause=False)
    send(PHONE, message="a" * 150, noStopClause=None)
    send(PHONE, message="a" * 160)
    send(PHONE, message="a" * 160, senderForResponse=True, noStopClause=False)
    send(PHONE, message="a" * 160, path=VIRTUAL)
    rows = simulator.ledger
    assert [row["segments"] for row in rows] == [1, 2, 1, 1, 1]
    ends = [row["text_sent"].endswith("a\nSTOP:36111") for row in rows]
    assert ends == [True, True, False, False, False]
    senders = [*[seed.SENDER_ENABLED] * 3, seed.SHORT_NUMBER, seed.VIRTUAL_NUMBER]
    assert [row["sender"] for row in rows] == senders
    assert rows[0]["message"] == "a" * 149


@pytest.mark.parametrize(
    "text",
    [
        "Voir https://exemple.fr/x",
        "Voir www.exemple.fr",
        "Voir exemple.fr/r/abc",
        "Appelez le 01 23 45 67 89",
        "Appelez le 0123456789",
        "Appelez le +33 1 23 45 67 89",
        "Appelez 0033123456789",
        "Voir BOUTIQUE.COM",
    ],
)
def test_contact_information_from_the_short_number(simulator, send, text):
    refusal = "cannot send contact information with shortcode"
    with pytest.raises(Bad, match=refusal):
        send(PHONE, message=text, senderForResponse=True)
    assert simulator.ledger == []
    assert send(PHONE, message=text)["ids"]
    assert send(PHONE, text, VIRTUAL)["ids"]


@pytest.mark.parametrize(
    "text",
    [
        "Rendez-vous le 12/06/2025 à 14:30",
        "Code 482913",
        "Commande S00042, total 1 234,50",
        "C'est prêt.Merci",
        "12.50 EUR",
    ],
)
def test_harmless_text_from_the_short_number(simulator, send, text):
    assert send(PHONE, message=text, senderForResponse=True)["ids"]


def test_user_quota_pays(client, simulator, send, left):
    owner = f"/users/{seed.USER_WITH_QUOTA}"
    user = f"{SERVICE}{owner}"
    send(PHONE, path=owner)
    quota = client.get(user)["quotaInformations"]
    assert quota == {"quotaLeft": 499, "quotaStatus": "active"}
    assert left() == 2000 and client.get(SERVICE)["creditsHoldByQuota"] == 499
    send(PHONE, path=USER)
    assert left() == 1999
    client.put(user, quotaInformations={"quotaLeft": 0.5})
    assert left() == 1999 + 498.5
    with pytest.raises(ovh.exceptions.APIError, match="quota"):
        send(PHONE, path=owner)
    (id_,) = client.get(f"{user}/outgoing")
    assert id_ == simulator.ledger[0]["id"]
    assert client.get(f"{user}/outgoing/{id_}")["id"] == id_
    with pytest.raises(Gone):
        client.get(f"{SERVICE}{USER}/outgoing/{id_}")


def test_outgoing_filters(client, simulator, send):
    first = send(PHONE, tag="one")["ids"]
    second = send([magic.UNDELIVERABLE], tag="two", senderForResponse=True)["ids"]
    simulator.get("/callbacks")
    created = client.get(f"{OUTGOING}/{first[0]}")["creationDatetime"]
    for query, found in (
        ({}, first + second),
        ({"tag": "one"}, first),
        ({"tag": "none"}, []),
        ({"ptt": 20}, second),
        ({"deliveryReceipt": 1}, first),
        ({"receiver": "0033612341000"}, first),
        ({"sender": seed.SHORT_NUMBER}, second),
        ({"creationDatetime.from": created}, first + second),
        ({"creationDatetime.to": "2020-01-01T00:00:00Z"}, []),
    ):
        assert client.get(OUTGOING, **query) == found, query
    for bad in ({"ptt": "x"}, {"limit": 5}, {"creationDatetime.from": "yesterday"}):
        with pytest.raises(Bad):
            client.get(OUTGOING, **bad)
    client.delete(f"{OUTGOING}/{first[0]}")
    assert client.get(OUTGOING) == second
    with pytest.raises(Gone):
        client.get(f"{OUTGOING}/{first[0]}")


@pytest.mark.parametrize("path", OWNERS)
def test_deferred(client, simulator, send, left, path):
    kept, cancelled = (
        send(number, path=path, differedPeriod=60, tag="later")["ids"][0]
        for number in ("+33612341001", "+33612341002")
    )
    jobs, outgoing = f"{SERVICE}{path}/jobs", f"{SERVICE}{path}/outgoing"
    assert client.get(jobs) == [kept, cancelled]
    assert client.get(outgoing, tag="later") == []
    assert client.get(f"{jobs}/{kept}")["differedDelivery"] == 60
    before = left()
    client.delete(f"{jobs}/{cancelled}")
    assert left() == before + 1
    simulator.advance(3599)
    assert client.get(jobs) == [kept]
    simulator.advance(2)
    assert client.get(jobs) == []
    assert client.get(outgoing, tag="later") == [kept]
    with pytest.raises(Gone):
        client.delete(f"{jobs}/{kept}")
    assert [row["status"] for row in simulator.ledger] == ["delivered", "cancelled"]


def test_deferred_may_be_shown_in_outgoing(client, simulator, send):
    id_ = send(PHONE, differedPeriod=5, tag="later")["ids"][0]
    assert client.get(OUTGOING, tag="later") == []
    simulator.configure(deferred_in_outgoing=True)
    assert client.get(OUTGOING, tag="later") == [id_]
    assert client.get(f"{OUTGOING}/{id_}")["sentAt"] is None


def test_marketing_waits_for_the_opening(client, simulator, send):
    simulator.set_clock("2025-06-01T12:00:00+02:00")
    marketing = send("+33612341001", noStopClause=False)["ids"][0]
    other = send("+33612341002")["ids"][0]
    short = send("+33612341003", senderForResponse=True, noStopClause=False)["ids"][0]
    assert client.get(JOBS) == [marketing]
    assert client.get(OUTGOING) == [other, short]
    simulator.set_clock("2025-06-02T07:59:30+02:00")
    assert client.get(JOBS) == [marketing]
    simulator.set_clock("2025-06-02T08:00:00+02:00")
    assert client.get(JOBS) == []
    sent_at = client.get(f"{OUTGOING}/{marketing}")["sentAt"]
    assert sent_at.startswith("2025-06-02T08:00:00")


def test_marketing_hours_of_the_older_page(client, simulator, send):
    # a Tuesday evening, then a Saturday
    simulator.set_clock("2025-06-03T21:00:00+02:00")
    held = send("+33612341001", noStopClause=False)["ids"][0]
    assert client.get(JOBS) == [held]
    simulator.configure(marketing_hours="older")
    assert client.get(JOBS) == []
    simulator.set_clock("2025-06-07T12:00:00+02:00")
    saturday = send("+33612341002", noStopClause=False)["ids"][0]
    assert client.get(JOBS) == [saturday]
    simulator.configure(marketing_hours="2026")
    assert client.get(JOBS) == []
    simulator.post("/config", {"marketing_hours": "2019"}, status=400)


def test_the_free_clock_never_holds_marketing(client, simulator, send):
    simulator.set_clock("2025-06-01T23:00:00+02:00")
    held = send(PHONE, noStopClause=False)["ids"][0]
    assert client.get(JOBS) == [held]
    simulator.set_clock(None)
    assert client.get(JOBS) == []
    for _hours in range(0, 168, 7):
        simulator.advance(7 * 3600)
        send(PHONE, noStopClause=False)
    assert client.get(JOBS) == []


@pytest.mark.parametrize(
    "text, sender, free",
    [
        ("x" * 150, "alpha", False),
        ("x" * 150, "alpha", True),
        ("ê" * 60, "alpha", False),
        ("€" * 153, "shortcode", False),
    ],
)
def test_estimate_agrees_with_the_charge(client, simulator, send, text, sender, free):
    estimate = client.post(
        "/sms/estimate", message=text, noStopClause=free, senderType=sender
    )
    send(PHONE, text, noStopClause=free, senderForResponse=sender == "shortcode")
    (row,) = simulator.ledger
    assert estimate["parts"] == row["segments"]
    assert estimate["charactersClass"] == row["encoding"]


def test_ptts_and_rates(client, base, simulator):
    assert client.get("/sms/ptts", ptt=23)["duration"] == "permanent"
    with pytest.raises(Gone):
        client.get("/sms/ptts", ptt=999)
    with pytest.raises(Bad):
        client.get("/sms/ptts")
    # the price list needs no signature
    rates = f"{base}/1.0/sms/rates/destinations"
    assert requests.get(f"{rates}?country=fr", timeout=5).json()["credit"] == 1
    assert requests.get(f"{rates}?country=xx", timeout=5).status_code == 400


@pytest.mark.parametrize(
    "number, country",
    [
        ("+33612345678", "fr"),
        ("+14155550123", "us"),
        ("+18765550000", "jm"),
        ("+262692123456", "re"),
        ("+262639123456", "yt"),
        ("+77011234567", "kz"),
        ("+79161234567", "ru"),
        ("+9990000000", None),
    ],
)
def test_country_of_a_number(number, country):
    assert country_of(number) == country


def test_http2sms(base, simulator, client):
    fields = {
        "account": seed.SERVICE_1,
        "login": seed.USER_WITH_QUOTA,
        "password": seed.USER_PASSWORD,
        "from": seed.SENDER_ENABLED,
        "to": f"0033612341001,{PHONE}",
        "message": "un\rdeux",
        "noStop": "1",
        "contentType": "application/json",
        "tag": "t",
    }

    def call(method="POST", **changes):
        given = {"data" if method == "POST" else "params": {**fields, **changes}}
        url = f"{base}/cgi-bin/sms/http2sms.cgi"
        return requests.request(method, url, timeout=5, **given)

    for method in ("POST", "GET"):
        answer = call(method).json()
        assert answer["status"] == 100 and len(answer["SmsIds"]) == 2
    assert answer["creditLeft"] == "496"
    assert {row["text_sent"] for row in simulator.ledger} == {"un\ndeux"}
    assert simulator.ledger[0]["user"] == seed.USER_WITH_QUOTA
    assert call("GET", contentType="text/plain").text.startswith("OK\n494\n")
    for change, status in (
        ({"message": ""}, 201),
        ({"to": ""}, 201),
        ({"password": "x"}, 202),
        ({"from": "Inconnu"}, 202),
        ({"deferred": "tomorrow"}, 202),
        ({"to": "x"}, 202),
    ):
        assert call(**change).json()["status"] == status, change
    assert len(simulator.ledger) == 6
    user = f"{SERVICE}/users/{seed.USER_WITH_QUOTA}"
    client.put(user, ipRestrictions=["10.1.2.3"])
    assert call().json()["status"] == 401
    client.put(user, ipRestrictions=[])
    simulator.set_clock("2025-06-03T10:00:00+02:00")
    call(deferred="123003062025")
    (id_, _other) = client.get(JOBS)
    assert client.get(f"{JOBS}/{id_}")["differedDelivery"] in (149, 150)

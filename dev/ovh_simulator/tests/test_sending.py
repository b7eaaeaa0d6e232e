"""Jobs: what is refused, what is charged, when it leaves, what is found afterwards."""

import ovh
import pytest
import requests
from conftest import SERVICE
from ovh_simulator import magic, seed

PHONE = "+33612341000"


def left(client, service=SERVICE):
    return client.get(service)["creditsLeft"]


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
def test_refused_bodies(client, simulator, body, message):
    given = {
        "message": "a",
        "receivers": [PHONE],
        "sender": seed.SENDER_ENABLED,
        **body,
    }
    given = {key: value for key, value in given.items() if value is not None}
    with pytest.raises(
        (ovh.exceptions.BadParametersError, ovh.exceptions.ResourceNotFoundError),
        match=message,
    ):
        client.post(f"{SERVICE}/jobs", **given)
    assert simulator.ledger == [] and left(client) == 2000


def test_bodies_that_are_not_objects(base, client, simulator):
    for body in ("[]", '"x"', "{", ""):
        client_body = body
        response = _signed_post(base, client_body)
        assert response.status_code == 400, body


def _signed_post(base, body):
    from test_auth import raw

    return raw(base, f"{SERVICE}/jobs", "POST", body)


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


def test_report_and_charge(client, simulator, send):
    numbers = [
        "+33612341001",
        "00 33 6 12 34 10 02",
        "0612341003",
        "+33112345678",
        magic.BLACKLISTED,
        magic.INVALID_RECEIVER,
        "+32470123456",
        "+33612341001",
    ]
    report = send(numbers, message="x" * 161, tag="run-1")
    assert report["validReceivers"] == ["+33612341001", "+33612341002", "+32470123456"]
    assert report["invalidReceivers"] == [
        "0612341003",
        "+33112345678",
        magic.BLACKLISTED,
        magic.INVALID_RECEIVER,
    ]
    assert len(set(report["ids"])) == 3 and report["tag"] == "run-1"
    belgium = client.get("/sms/rates/destinations", country="be")["credit"]
    assert belgium != 1
    assert report["totalCreditsRemoved"] == pytest.approx(2 * (1 + 1 + belgium))
    assert left(client) == pytest.approx(2000 - report["totalCreditsRemoved"])
    for id_, number in zip(report["ids"], report["validReceivers"], strict=True):
        sms = client.get(f"{SERVICE}/outgoing/{id_}")
        assert (sms["receiver"], sms["numberOfSms"], sms["tag"]) == (number, 2, "run-1")
    assert [row["charged"] for row in simulator.ledger] == [True] * 3


def test_nobody_to_send_to(client, simulator, send):
    report = send([magic.INVALID_RECEIVER])
    assert (report["ids"], report["totalCreditsRemoved"], left(client)) == ([], 0, 2000)


def test_not_enough_credits(client, simulator, send):
    simulator.post(f"/services/{seed.SERVICE_1}", {"creditsLeft": 1.5})
    with pytest.raises(ovh.exceptions.APIError, match="Not enough credits"):
        send(["+33612341001", "+33612341002"])
    assert (left(client), simulator.ledger) == (1.5, [])
    send("+33612341001")
    assert left(client) == 0.5


def test_automatic_recharge(client, simulator, send):
    client.put(
        SERVICE, automaticRecreditAmount="250", creditThresholdForAutomaticRecredit=50
    )
    simulator.post(f"/services/{seed.SERVICE_1}", {"creditsLeft": 51})
    send(PHONE)
    assert left(client) == 50
    send(PHONE)
    assert left(client) == 299


def test_stop_clause(client, simulator, send):
    send(PHONE, message="a" * 149, noStopClause=False)
    send(PHONE, message="a" * 150, noStopClause=None)
    send(PHONE, message="a" * 160)
    send(PHONE, message="a" * 160, senderForResponse=True, noStopClause=False)
    send(PHONE, message="a" * 160, path=f"/virtualNumbers/{seed.VIRTUAL_NUMBER}")
    rows = simulator.ledger
    assert [row["segments"] for row in rows] == [1, 2, 1, 1, 1]
    assert [row["text_sent"].endswith("a\nSTOP:36111") for row in rows] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [row["sender"] for row in rows] == [seed.SENDER_ENABLED] * 3 + [
        seed.SHORT_NUMBER,
        seed.VIRTUAL_NUMBER,
    ]
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
def test_contact_information_from_the_short_number(client, simulator, send, text):
    with pytest.raises(
        ovh.exceptions.BadParametersError,
        match="cannot send contact information with shortcode",
    ):
        send(PHONE, message=text, senderForResponse=True)
    assert simulator.ledger == []
    assert (
        send(PHONE, message=text)["ids"]
        and send(PHONE, text, f"/virtualNumbers/{seed.VIRTUAL_NUMBER}")["ids"]
    )


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


def test_user_quota_pays(client, simulator, send):
    user = f"{SERVICE}/users/{seed.USER_WITH_QUOTA}"
    send(PHONE, path=f"/users/{seed.USER_WITH_QUOTA}")
    assert client.get(user)["quotaInformations"] == {
        "quotaLeft": 499,
        "quotaStatus": "active",
    }
    assert left(client) == 2000 and client.get(SERVICE)["creditsHoldByQuota"] == 499
    send(PHONE, path=f"/users/{seed.USER_WITHOUT_QUOTA}")
    assert left(client) == 1999
    client.put(user, quotaInformations={"quotaLeft": 0.5})
    assert left(client) == 1999 + 498.5
    with pytest.raises(ovh.exceptions.APIError, match="quota"):
        send(PHONE, path=f"/users/{seed.USER_WITH_QUOTA}")
    ids = client.get(f"{user}/outgoing")
    assert (
        ids == [simulator.ledger[0]["id"]]
        and client.get(f"{user}/outgoing/{ids[0]}")["id"] == ids[0]
    )
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get(f"{SERVICE}/users/{seed.USER_WITHOUT_QUOTA}/outgoing/{ids[0]}")


def test_outgoing_filters(client, simulator, send):
    first = send(PHONE, tag="one")["ids"]
    second = send([magic.UNDELIVERABLE], tag="two", senderForResponse=True)["ids"]
    simulator.get("/callbacks")
    outgoing = f"{SERVICE}/outgoing"
    assert client.get(outgoing) == first + second
    assert client.get(outgoing, tag="one") == first
    assert client.get(outgoing, tag="none") == []
    assert client.get(outgoing, ptt=20) == second
    assert client.get(outgoing, deliveryReceipt=1) == first
    assert client.get(outgoing, receiver="0033612341000") == first
    assert client.get(outgoing, sender=seed.SHORT_NUMBER) == second
    created = client.get(f"{outgoing}/{first[0]}")["creationDatetime"]
    assert client.get(outgoing, **{"creationDatetime.from": created}) == first + second
    assert client.get(outgoing, **{"creationDatetime.to": "2020-01-01T00:00:00Z"}) == []
    for bad in ({"ptt": "x"}, {"limit": 5}, {"creationDatetime.from": "yesterday"}):
        with pytest.raises(ovh.exceptions.BadParametersError):
            client.get(outgoing, **bad)
    client.delete(f"{outgoing}/{first[0]}")
    assert client.get(outgoing) == second
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get(f"{outgoing}/{first[0]}")


@pytest.mark.parametrize(
    "path", ["", "/users/compta", f"/virtualNumbers/{seed.VIRTUAL_NUMBER}"]
)
def test_deferred(client, simulator, send, path):
    kept, cancelled = (
        send(number, path=path, differedPeriod=60, tag="later")["ids"][0]
        for number in ("+33612341001", "+33612341002")
    )
    jobs, outgoing = f"{SERVICE}{path}/jobs", f"{SERVICE}{path}/outgoing"
    assert client.get(jobs) == [kept, cancelled]
    assert client.get(outgoing, tag="later") == []
    assert client.get(f"{jobs}/{kept}")["differedDelivery"] == 60
    before = left(client)
    client.delete(f"{jobs}/{cancelled}")
    assert left(client) == before + 1
    simulator.post("/clock", {"advance_s": 3599})
    assert client.get(jobs) == [kept]
    simulator.post("/clock", {"advance_s": 2})
    assert client.get(jobs) == []
    assert client.get(outgoing, tag="later") == [kept]
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.delete(f"{jobs}/{kept}")
    assert [row["status"] for row in simulator.ledger] == ["delivered", "cancelled"]


def test_deferred_may_be_shown_in_outgoing(client, simulator, send):
    id_ = send(PHONE, differedPeriod=5, tag="later")["ids"][0]
    assert client.get(f"{SERVICE}/outgoing", tag="later") == []
    simulator.post("/config", {"deferred_in_outgoing": True})
    assert client.get(f"{SERVICE}/outgoing", tag="later") == [id_]
    assert client.get(f"{SERVICE}/outgoing/{id_}")["sentAt"] is None


def test_marketing_waits_for_the_opening(client, simulator, send):
    simulator.post("/clock", {"now": "2025-06-01T12:00:00+02:00"})
    marketing = send("+33612341001", noStopClause=False)["ids"][0]
    other = send("+33612341002")["ids"][0]
    short = send("+33612341003", senderForResponse=True, noStopClause=False)["ids"][0]
    assert client.get(f"{SERVICE}/jobs") == [marketing]
    assert client.get(f"{SERVICE}/outgoing") == [other, short]
    simulator.post("/clock", {"now": "2025-06-02T07:59:30+02:00"})
    assert client.get(f"{SERVICE}/jobs") == [marketing]
    simulator.post("/clock", {"now": "2025-06-02T08:00:00+02:00"})
    assert client.get(f"{SERVICE}/jobs") == []
    assert client.get(f"{SERVICE}/outgoing/{marketing}")["sentAt"].startswith(
        "2025-06-02T08:00:00"
    )


def test_marketing_hours_of_the_older_page(client, simulator, send):
    # a Tuesday evening, then a Saturday
    simulator.post("/clock", {"now": "2025-06-03T21:00:00+02:00"})
    held = send("+33612341001", noStopClause=False)["ids"][0]
    assert client.get(f"{SERVICE}/jobs") == [held]
    simulator.post("/config", {"marketing_hours": "older"})
    assert client.get(f"{SERVICE}/jobs") == []
    simulator.post("/clock", {"now": "2025-06-07T12:00:00+02:00"})
    saturday = send("+33612341002", noStopClause=False)["ids"][0]
    assert client.get(f"{SERVICE}/jobs") == [saturday]
    simulator.post("/config", {"marketing_hours": "2026"})
    assert client.get(f"{SERVICE}/jobs") == []
    simulator.post("/config", {"marketing_hours": "2019"}, status=400)


def test_the_free_clock_never_holds_marketing(client, simulator, send):
    simulator.post("/clock", {"now": "2025-06-01T23:00:00+02:00"})
    held = send(PHONE, noStopClause=False)["ids"][0]
    assert client.get(f"{SERVICE}/jobs") == [held]
    simulator.post("/clock", {"now": None})
    assert client.get(f"{SERVICE}/jobs") == []
    for _hours in range(0, 168, 7):
        simulator.post("/clock", {"advance_s": 7 * 3600})
        send(PHONE, noStopClause=False)
    assert client.get(f"{SERVICE}/jobs") == []


def test_estimate_agrees_with_the_charge(client, simulator, send):
    for text, sender, free in (
        ("x" * 150, "alpha", False),
        ("x" * 150, "alpha", True),
        ("ê" * 60, "alpha", False),
        ("€" * 153, "shortcode", False),
    ):
        estimate = client.post(
            "/sms/estimate", message=text, noStopClause=free, senderType=sender
        )
        send(
            PHONE,
            message=text,
            noStopClause=free,
            senderForResponse=sender == "shortcode",
        )
        row = simulator.ledger[-1]
        assert (estimate["parts"], estimate["charactersClass"]) == (
            row["segments"],
            row["encoding"],
        )


def test_ptts_and_rates(client, base, simulator):
    assert client.get("/sms/ptts", ptt=23)["duration"] == "permanent"
    with pytest.raises(ovh.exceptions.ResourceNotFoundError):
        client.get("/sms/ptts", ptt=999)
    with pytest.raises(ovh.exceptions.BadParametersError):
        client.get("/sms/ptts")
    # the price list needs no signature
    answer = requests.get(f"{base}/1.0/sms/rates/destinations?country=fr", timeout=5)
    assert answer.json()["credit"] == 1
    assert (
        requests.get(
            f"{base}/1.0/sms/rates/destinations?country=xx", timeout=5
        ).status_code
        == 400
    )


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
    from ovh_simulator.reference import country_of

    assert country_of(number) == country


def test_http2sms(base, simulator, client):
    url = f"{base}/cgi-bin/sms/http2sms.cgi"
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
    for answer in (
        requests.post(url, fields, timeout=5),
        requests.get(url, fields, timeout=5),
    ):
        assert answer.json()["status"] == 100 and len(answer.json()["SmsIds"]) == 2
    assert answer.json()["creditLeft"] == "496"
    assert {row["text_sent"] for row in simulator.ledger} == {"un\ndeux"}
    assert simulator.ledger[0]["user"] == seed.USER_WITH_QUOTA
    assert requests.get(
        url, {**fields, "contentType": "text/plain"}, timeout=5
    ).text.startswith("OK\n494\n")
    for change, status in (
        ({"message": ""}, 201),
        ({"to": ""}, 201),
        ({"password": "x"}, 202),
        ({"from": "Inconnu"}, 202),
        ({"deferred": "tomorrow"}, 202),
        ({"to": "x"}, 202),
    ):
        assert (
            requests.post(url, {**fields, **change}, timeout=5).json()["status"]
            == status
        ), change
    assert len(simulator.ledger) == 6
    client.put(f"{SERVICE}/users/{seed.USER_WITH_QUOTA}", ipRestrictions=["10.1.2.3"])
    assert requests.post(url, fields, timeout=5).json()["status"] == 401
    client.put(f"{SERVICE}/users/{seed.USER_WITH_QUOTA}", ipRestrictions=[])
    simulator.post("/clock", {"now": "2025-06-03T10:00:00+02:00"})
    requests.post(url, {**fields, "deferred": "123003062025"}, timeout=5)
    assert client.get(f"{SERVICE}/jobs/{client.get(SERVICE + '/jobs')[0]}")[
        "differedDelivery"
    ] in (149, 150)

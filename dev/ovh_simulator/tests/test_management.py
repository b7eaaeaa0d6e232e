"""Account, senders, users, blacklist."""

import ovh
import pytest
from conftest import PHONE, SERVICE
from ovh_simulator import magic, seed

Bad, Gone, Conflict = (
    ovh.exceptions.BadParametersError,
    ovh.exceptions.ResourceNotFoundError,
    ovh.exceptions.ResourceConflictError,
)
SENDERS, USERS = f"{SERVICE}/senders", f"{SERVICE}/users"


def test_account_put(client, simulator):
    option = {"media": "email", "sender": "a@example.com", "target": "b@example.com"}
    response = {
        "responseType": "cgi",
        "cgiUrl": "https://odoo.example/r",
        "trackingOptions": [option],
    }
    url = "https://odoo.example/x?y=1"
    client.put(SERVICE, description="Neuf", callBack=url, smsResponse=response)
    account = client.get(SERVICE)
    assert (account["description"], account["callBack"]) == ("Neuf", url)
    assert account["smsResponse"]["trackingOptions"] == [option]
    assert account["smsResponse"]["text"] is None
    client.put(SERVICE, callBack=None)
    assert client.get(SERVICE)["callBack"] is None
    for body in (
        {"creditsLeft": 1},
        {"unknown": 1},
        {"description": 3},
        {"description": None},
        {"callBack": "nowhere"},
        {"automaticRecreditAmount": 42},
        {"smsResponse": {"responseType": "fax"}},
        {"smsResponse": {"trackingOptions": [{"media": "pigeon"}]}},
        {"iam": {}},
        {},
    ):
        with pytest.raises(Bad):
            client.put(SERVICE, **body)
    assert client.get(SERVICE) == {**account, "callBack": None}


def test_senders(client):
    senders = {name: client.get(f"{SENDERS}/{name}") for name in client.get(SENDERS)}
    statuses = {
        name: sender["status"]
        for name, sender in senders.items()
        if sender["type"] == "alpha"
    }
    assert statuses == {
        "MaBoutique": "enable",
        "Nouveau": "waitingValidation",
        "Refuse": "refused",
        "Ancien": "disable",
    }
    types = {sender["type"] for sender in senders.values()}
    assert types == {"alpha", "shortcode", "virtual"}
    assert senders["Refuse"]["comment"] and senders["Nouveau"]["comment"] is None


def test_life_of_a_sender(client, simulator, send):
    neuf = f"{SENDERS}/Neuf"
    asked = {"sender": "Neuf", "reason": "Notre marque", "description": "d"}
    assert client.post(SENDERS, **asked) == "Neuf"
    assert client.get(neuf)["status"] == "waitingValidation"
    with pytest.raises(Conflict):
        client.post(SENDERS, sender="Neuf", reason="r")
    for name in ("TropLongPour11", "123456", "à", "a b", ""):
        with pytest.raises(Bad):
            client.post(SENDERS, sender=name, reason="r")
    with pytest.raises(Bad, match="reason"):
        client.post(SENDERS, sender="Autre")
    simulator.set_sender(seed.SERVICE_1, "Neuf", status="refused", comment="Non")
    assert client.get(neuf)["comment"] == "Non"
    with pytest.raises(ovh.exceptions.APIError):
        client.put(neuf, status="enable")
    client.put(f"{SENDERS}/Ancien", status="enable", description="De retour")
    assert send(PHONE, sender="Ancien")["ids"]
    client.delete(neuf)
    with pytest.raises(Gone):
        client.get(neuf)
    for name in (seed.SENDER_SHORT, seed.VIRTUAL_NUMBER):
        with pytest.raises(ovh.exceptions.APIError):
            client.delete(f"{SENDERS}/{name}")


def test_available_senders(client, simulator):
    url = f"{SERVICE}/sendersAvailableForValidation"
    available = client.get(url, referer="domain")
    assert available == [{"referer": "domain", "sender": "DemoBoutik"}]
    client.post(SENDERS, sender="DemoBoutik", reason="domain")
    assert client.get(f"{SENDERS}/DemoBoutik")["status"] == "enable"
    assert client.get(url, referer="domain") == []


def test_numeric_sender_is_validated_by_a_code(client, simulator, send):
    number = client.post(SENDERS, sender="+33612340950")
    code = simulator.state("phones")[number]["messages"][0]["text"][-7:-1]
    wrong = "000000" if code != "000000" else "000001"
    with pytest.raises(Bad):
        client.post(f"{SENDERS}/{number}/validate", code=wrong)
    client.post(f"{SENDERS}/{number}/validate", code=code)
    assert client.get(f"{SENDERS}/{number}")["status"] == "enable"
    assert send(PHONE, sender=number)["ids"]


def test_users(client, simulator, left):
    neuf, quota_user = f"{USERS}/neuf", f"{USERS}/{seed.USER_WITH_QUOTA}"
    assert client.get(USERS) == [seed.USER_WITH_QUOTA, seed.USER_WITHOUT_QUOTA]
    assert client.post(USERS, login="neuf", password="abcd1234") is None
    for body in (
        {"login": "x", "password": "short"},
        {"login": "x", "password": "with-dash"},
        {"login": "a b", "password": "abcd1234"},
        {"login": "x"},
    ):
        with pytest.raises(Bad):
            client.post(USERS, **body)
    with pytest.raises(Conflict):
        client.post(USERS, login="neuf", password="abcd1234")
    client.put(
        neuf,
        quotaInformations={"quotaStatus": "active", "quotaLeft": 300},
        alertThresholdInformations={"support": "both", "alertThreshold": 20},
        callBack="http://odoo.example/u",
    )
    user, account = client.get(neuf), client.get(SERVICE)
    assert user["alertThresholdInformations"]["alertThreshold"] == 20
    assert user["callBack"] == "http://odoo.example/u"
    assert account["creditsLeft"] == 1700
    assert account["creditsHoldByQuota"] == 800
    assert account["userQuantityWithQuota"] == 2
    for body in (
        {"ipRestrictions": ["1.1.1.1"] * 6},
        {"ipRestrictions": ["x"]},
        {"login": "other"},
        {"quotaInformations": {"quotaLeft": -1}},
        {"password": "bad"},
    ):
        with pytest.raises(Bad):
            client.put(neuf, **body)
    with pytest.raises(ovh.exceptions.APIError, match="Not enough credits"):
        client.put(neuf, quotaInformations={"quotaLeft": 2001})
    assert client.get(neuf) == user
    client.put(neuf, quotaInformations={"quotaStatus": "inactive"})
    assert left() == 2000
    client.delete(quota_user)
    assert left() == 2500
    with pytest.raises(Gone):
        client.get(quota_user)


def test_blacklist(client, simulator, send):
    url = f"{SERVICE}/blacklists"
    assert client.get(url) == [magic.BLACKLISTED]
    id_ = send(PHONE)["ids"][0]
    simulator.post(f"/phones/{PHONE}/stop")
    assert client.get(url, smsOutgoingID=id_) == [PHONE]
    assert send(PHONE)["invalidReceivers"] == [PHONE]
    client.delete(f"{url}/{PHONE}")
    assert send(PHONE)["validReceivers"] == [PHONE]
    with pytest.raises(Gone):
        client.get(f"{url}/{PHONE}")


@pytest.mark.parametrize(
    "path, body, status",
    [
        (f"/services/{seed.SERVICE_1}", {"creditsHoldByQuota": 1}, 400),
        (f"/services/{seed.SERVICE_1}", {"channel": "radio"}, 400),
        ("/services/none", {}, 404),
        (f"/services/{seed.SERVICE_1}/senders/none", {}, 404),
        ("/credentials/none", {"status": "validated"}, 404),
        ("/clock", {"now": "noon"}, 400),
        ("/clock", {"now": "2025-06-01T12:00:00"}, 400),
        ("/clock", {"advance_s": -1}, 400),
        ("/clock", {}, 400),
        ("/clock", {"advance_s": True}, 400),
        *(
            ("/config", setting, 400)
            for setting in (
                {"callback_mode": "x"},
                {"latency_ms": -1},
                {"unknown": 1},
                {"callback_delay_ms": [2, 1]},
                [],
                {"names_abroad": {"fr": "blocked"}},
                {"names_abroad": {"es": "lost"}},
                {"usa_templates": "Your code"},
                {"registered_names": None},
                {"account_lists_all": 1},
                {"hlr_spelling": "roman"},
                {"batch_refused": "("},
                {"ids_order": "other"},
                {"unlisted": "+33612341000"},
            )
        ),
    ],
)
def test_staff_routes_refuse_nonsense(simulator, path, body, status):
    simulator.post(path, body, status)


def test_staff_change_an_account(simulator):
    changes = {"status": "disable", "channel": "marketing"}
    changed = simulator.set_service(seed.SERVICE_1, **changes)
    assert (changed["status"], changed["channel"]) == ("disable", "marketing")


def test_reset(simulator, send, left):
    send(PHONE)
    simulator.order_faults({"kind": "500"})
    simulator.set_clock("2020-01-01T00:00:00+01:00")
    simulator.configure(latency_ms=5)
    simulator.reset()
    state = simulator.get("/state")
    empty = ("ledger", "requests", "faults", "jobs", "phones")
    assert not any(state[part] for part in empty)
    assert state["config"]["latency_ms"] == 0 and not state["clock"]["set"]
    assert left() == 2000

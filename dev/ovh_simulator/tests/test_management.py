"""Account, senders, users, blacklist."""

import ovh
import pytest
from conftest import SERVICE
from ovh_simulator import magic, seed

Bad, Gone, Conflict = (
    ovh.exceptions.BadParametersError,
    ovh.exceptions.ResourceNotFoundError,
    ovh.exceptions.ResourceConflictError,
)


def test_account_put(client, simulator):
    options = [{"media": "email", "sender": "a@example.com", "target": "b@example.com"}]
    client.put(
        SERVICE,
        description="Neuf",
        callBack="https://odoo.example/x?y=1",
        smsResponse={
            "responseType": "cgi",
            "cgiUrl": "https://odoo.example/r",
            "trackingOptions": options,
        },
    )
    account = client.get(SERVICE)
    assert (account["description"], account["callBack"]) == (
        "Neuf",
        "https://odoo.example/x?y=1",
    )
    assert (
        account["smsResponse"]["trackingOptions"] == options
        and account["smsResponse"]["text"] is None
    )
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
    ):
        with pytest.raises(Bad):
            client.put(SERVICE, **body)
    with pytest.raises(Bad):
        client.put(SERVICE)
    assert client.get(SERVICE) == {**account, "callBack": None}


def test_senders(client, simulator, send):
    senders = f"{SERVICE}/senders"
    names = client.get(senders)
    statuses = {name: client.get(f"{senders}/{name}") for name in names}
    assert {
        name: sender["status"]
        for name, sender in statuses.items()
        if sender["type"] == "alpha"
    } == {
        "MaBoutique": "enable",
        "Nouveau": "waitingValidation",
        "Refuse": "refused",
        "Ancien": "disable",
    }
    assert {sender["type"] for sender in statuses.values()} == {
        "alpha",
        "shortcode",
        "virtual",
    }
    assert statuses["Refuse"]["comment"] and statuses["Nouveau"]["comment"] is None
    assert (
        client.post(senders, sender="Neuf", reason="Notre marque", description="d")
        == "Neuf"
    )
    assert client.get(f"{senders}/Neuf")["status"] == "waitingValidation"
    with pytest.raises(Conflict):
        client.post(senders, sender="Neuf", reason="r")
    for name in ("TropLongPour11", "123456", "à", "a b", ""):
        with pytest.raises(Bad):
            client.post(senders, sender=name, reason="r")
    with pytest.raises(Bad, match="reason"):
        client.post(senders, sender="Autre")
    simulator.post(
        f"/services/{seed.SERVICE_1}/senders/Neuf",
        {"status": "refused", "comment": "Non"},
    )
    assert client.get(f"{senders}/Neuf")["comment"] == "Non"
    with pytest.raises(ovh.exceptions.APIError):
        client.put(f"{senders}/Neuf", status="enable")
    client.put(f"{senders}/Ancien", status="enable", description="De retour")
    assert send("+33612341000", sender="Ancien")["ids"]
    client.delete(f"{senders}/Neuf")
    with pytest.raises(Gone):
        client.get(f"{senders}/Neuf")
    for name in (seed.SENDER_SHORT, seed.VIRTUAL_NUMBER):
        with pytest.raises(ovh.exceptions.APIError):
            client.delete(f"{senders}/{name}")


def test_available_senders(client, simulator):
    url = f"{SERVICE}/sendersAvailableForValidation"
    available = client.get(url, referer="domain")
    assert available == [{"referer": "domain", "sender": "DemoBoutik"}]
    client.post(f"{SERVICE}/senders", sender="DemoBoutik", reason="domain")
    assert client.get(f"{SERVICE}/senders/DemoBoutik")["status"] == "enable"
    assert client.get(url, referer="domain") == []


def test_numeric_sender_is_validated_by_a_code(client, simulator, send):
    number = client.post(f"{SERVICE}/senders", sender="+33612340950")
    code = simulator.state("phones")[number]["messages"][0]["text"][-7:-1]
    wrong = "000000" if code != "000000" else "000001"
    with pytest.raises(Bad):
        client.post(f"{SERVICE}/senders/{number}/validate", code=wrong)
    client.post(f"{SERVICE}/senders/{number}/validate", code=code)
    assert client.get(f"{SERVICE}/senders/{number}")["status"] == "enable"
    assert send("+33612341000", sender=number)["ids"]


def test_users(client, simulator):
    users = f"{SERVICE}/users"
    assert client.get(users) == [seed.USER_WITH_QUOTA, seed.USER_WITHOUT_QUOTA]
    assert client.post(users, login="neuf", password="abcd1234") is None
    for body in (
        {"login": "x", "password": "short"},
        {"login": "x", "password": "with-dash"},
        {"login": "a b", "password": "abcd1234"},
        {"login": "x"},
    ):
        with pytest.raises(Bad):
            client.post(users, **body)
    with pytest.raises(Conflict):
        client.post(users, login="neuf", password="abcd1234")
    client.put(
        f"{users}/neuf",
        quotaInformations={"quotaStatus": "active", "quotaLeft": 300},
        alertThresholdInformations={"support": "both", "alertThreshold": 20},
        callBack="http://odoo.example/u",
    )
    user = client.get(f"{users}/neuf")
    assert (
        user["alertThresholdInformations"]["alertThreshold"] == 20
        and user["callBack"] == "http://odoo.example/u"
    )
    account = client.get(SERVICE)
    assert (
        account["creditsLeft"],
        account["creditsHoldByQuota"],
        account["userQuantityWithQuota"],
    ) == (1700, 800, 2)
    for body in (
        {"ipRestrictions": ["1.1.1.1"] * 6},
        {"ipRestrictions": ["x"]},
        {"login": "other"},
        {"quotaInformations": {"quotaLeft": -1}},
        {"password": "bad"},
    ):
        with pytest.raises(Bad):
            client.put(f"{users}/neuf", **body)
    with pytest.raises(ovh.exceptions.APIError, match="Not enough credits"):
        client.put(f"{users}/neuf", quotaInformations={"quotaLeft": 2001})
    assert client.get(f"{users}/neuf") == user
    client.put(f"{users}/neuf", quotaInformations={"quotaStatus": "inactive"})
    assert client.get(SERVICE)["creditsLeft"] == 2000
    client.delete(f"{users}/{seed.USER_WITH_QUOTA}")
    assert client.get(SERVICE)["creditsLeft"] == 2500
    with pytest.raises(Gone):
        client.get(f"{users}/{seed.USER_WITH_QUOTA}")


def test_blacklist(client, simulator, send):
    url = f"{SERVICE}/blacklists"
    assert client.get(url) == [magic.BLACKLISTED]
    id_ = send("+33612341000")["ids"][0]
    simulator.post("/phones/+33612341000/stop")
    assert client.get(url, smsOutgoingID=id_) == ["+33612341000"]
    assert send("+33612341000")["invalidReceivers"] == ["+33612341000"]
    client.delete(f"{url}/+33612341000")
    assert send("+33612341000")["validReceivers"] == ["+33612341000"]
    with pytest.raises(Gone):
        client.get(f"{url}/+33612341000")


def test_staff_routes_refuse_nonsense(simulator):
    simulator.post(f"/services/{seed.SERVICE_1}", {"creditsHoldByQuota": 1}, status=400)
    simulator.post(f"/services/{seed.SERVICE_1}", {"channel": "radio"}, status=400)
    simulator.post("/services/none", {}, status=404)
    simulator.post(f"/services/{seed.SERVICE_1}/senders/none", {}, status=404)
    simulator.post("/credentials/none", {"status": "validated"}, status=404)
    for config in (
        {"callback_mode": "x"},
        {"latency_ms": -1},
        {"unknown": 1},
        {"callback_delay_ms": [2, 1]},
        [],
    ):
        simulator.post("/config", config, status=400)
    for clock in (
        {"now": "noon"},
        {"now": "2025-06-01T12:00:00"},
        {"advance_s": -1},
        {},
        {"advance_s": True},
    ):
        simulator.post("/clock", clock, status=400)
    changed = simulator.post(
        f"/services/{seed.SERVICE_1}", {"status": "disable", "channel": "marketing"}
    )
    assert (changed["status"], changed["channel"]) == ("disable", "marketing")


def test_reset(base, client, simulator, send):
    send("+33612341000")
    simulator.post("/faults", {"kind": "500"})
    simulator.post("/clock", {"now": "2020-01-01T00:00:00+01:00"})
    simulator.post("/config", {"latency_ms": 5})
    simulator.post("/reset")
    state = simulator.get("/state")
    assert (
        state["ledger"] == []
        and state["requests"] == {}
        and state["faults"] == []
        and state["jobs"] == []
    )
    assert (
        state["config"]["latency_ms"] == 0
        and not state["clock"]["set"]
        and state["phones"] == {}
    )
    assert client.get(SERVICE)["creditsLeft"] == 2000

"""Keys, signature, time and rights."""

import hashlib
import time

import ovh
import pytest
import requests
from conftest import SERVICE, make_client
from ovh_simulator import seed

INVALID = "This credential is not valid"


def raw(base, path, method="GET", body="", version="1.0", **changes):
    """One signed request made by hand, so that each piece can be wrong."""
    url = f"{base}/{version}{path}"
    timestamp = str(changes.get("timestamp", int(time.time())))
    consumer = changes.get("consumer", seed.CONSUMER_KEY_1)
    secret = changes.get("secret", seed.APPLICATION_SECRET_1)
    signed_url, signed_body = changes.get("signed", (url, body))
    signed = "+".join((secret, consumer, method, signed_url, signed_body, timestamp))
    headers = {
        "X-Ovh-Application": changes.get("application", seed.APPLICATION_KEY_1),
        "X-Ovh-Consumer": consumer,
        "X-Ovh-Timestamp": timestamp,
        "X-Ovh-Signature": "$1$" + hashlib.sha1(signed.encode()).hexdigest(),
        **changes.get("headers", {}),
    }
    headers = {key: value for key, value in headers.items() if value is not None}
    return requests.request(method, url, data=body, headers=headers, timeout=5)


@pytest.mark.parametrize("version", ["1.0", "v1"])
def test_both_versions(base, simulator, version):
    assert make_client(base, version=version).get("/sms") == [seed.SERVICE_1]
    answer = raw(base, "/sms", version=version)
    assert answer.status_code == 200
    assert answer.headers["X-OVH-QUERYID"] != raw(base, "/sms").headers["X-OVH-QUERYID"]


@pytest.mark.parametrize(
    "changes, status, code",
    [
        ({"application": "nobody"}, 403, "INVALID_KEY"),
        ({"headers": {"X-Ovh-Application": None}}, 403, "INVALID_KEY"),
        ({"headers": {"X-Ovh-Consumer": None}}, 403, "NOT_CREDENTIAL"),
        ({"consumer": "nobody"}, 403, "NOT_CREDENTIAL"),
        ({"consumer": seed.CONSUMER_KEY_2}, 403, "NOT_CREDENTIAL"),
        ({"secret": "wrong"}, 400, "INVALID_SIGNATURE"),
        ({"headers": {"X-Ovh-Signature": None}}, 400, "INVALID_SIGNATURE"),
        ({"headers": {"X-Ovh-Signature": "Ã©"}}, 400, "INVALID_SIGNATURE"),
        ({"timestamp": int(time.time()) - 3600}, 400, "QUERY_TIME_OUT"),
        ({"timestamp": "soon"}, 400, "QUERY_TIME_OUT"),
        ({"consumer": seed.CONSUMER_KEY_PENDING}, 403, "INVALID_CREDENTIAL"),
        ({"consumer": seed.CONSUMER_KEY_REFUSED}, 403, "INVALID_CREDENTIAL"),
        ({"consumer": seed.CONSUMER_KEY_EXPIRED}, 403, "INVALID_CREDENTIAL"),
    ],
)
def test_refused(base, simulator, changes, status, code):
    answer = raw(base, "/sms", **changes)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert answer.json()["httpCode"].startswith(f"{status} ")


def test_signature_covers_the_body(base, simulator):
    body = '{"message":"a","noStopClause":true,"senderType":"alpha"}'
    assert raw(base, "/sms/estimate", "POST", body).status_code == 200
    other = (f"{base}/1.0/sms/estimate", body.replace('"a"', '"b"'))
    changed = raw(base, "/sms/estimate", "POST", body, signed=other)
    assert changed.json()["errorCode"] == "INVALID_SIGNATURE"


def test_signature_behind_a_proxy(base, simulator):
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "ovh.example"}
    signed = ("https://ovh.example/1.0/sms", "")
    assert raw(base, "/sms", headers=headers, signed=signed).json() == [seed.SERVICE_1]


@pytest.mark.parametrize(
    "consumer, error, message",
    [
        (seed.CONSUMER_KEY_PENDING, ovh.exceptions.InvalidCredential, INVALID),
        (seed.CONSUMER_KEY_EXPIRED, ovh.exceptions.InvalidCredential, INVALID),
        ("nobody", ovh.exceptions.NotCredential, "This credential does not exist"),
    ],
)
def test_the_official_client_gets_its_typed_errors(
    base, simulator, consumer, error, message
):
    with pytest.raises(error, match=message) as caught:
        make_client(base, consumer=consumer).get("/sms")
    assert caught.value.query_id
    simulator.set_credential(seed.CONSUMER_KEY_PENDING, "validated")
    approved = make_client(base, consumer=seed.CONSUMER_KEY_PENDING)
    assert approved.get("/sms") == [seed.SERVICE_1]


def test_clock_skew_is_corrected_by_the_client(base, simulator):
    simulator.configure(clock_skew_s=7200)
    assert raw(base, "/sms").json()["errorCode"] == "QUERY_TIME_OUT"
    theirs = requests.get(f"{base}/1.0/auth/time", timeout=5).json()
    assert abs(theirs - time.time() - 7200) < 3
    assert make_client(base).get("/sms") == [seed.SERVICE_1]


def ask(base, **changes):
    """Ask for a consumer key.

    :return: (client, answer, form that answers the page in place of the customer).
    """
    client = make_client(base, consumer="none")
    rules = [{"method": "GET", "path": "/sms"}, {"method": "GET", "path": "/sms/*"}]
    back = "http://odoo.example/back?state=1"
    answer = client.request_consumerkey(
        **{"access_rules": rules, "redirect_url": back, **changes}
    )
    form = {
        "credentialToken": answer["validationUrl"].rpartition("=")[2],
        "login": seed.CUSTOMER_2,
        "password": seed.CUSTOMER_PASSWORD,
    }
    return client, answer, form


def test_approval(base, simulator):
    client, answer, form = ask(base)
    assert answer["state"] == "pendingValidation"
    with pytest.raises(ovh.exceptions.InvalidCredential):
        client.get("/sms")
    page = requests.get(answer["validationUrl"], timeout=5)
    assert page.status_code == 200
    assert "/sms/*" in page.text and 'lang="fr"' in page.text

    def post(**changes):
        return requests.post(
            f"{base}/auth/", {**form, **changes}, allow_redirects=False, timeout=5
        )

    assert post(password="wrong").status_code == 403
    back = post(validity="3600")
    assert back.status_code == 303
    assert back.headers["Location"] == "http://odoo.example/back?state=1"
    # whoever logs in gives access to their own services
    assert client.get("/sms") == [seed.SERVICE_2]
    current = client.get("/auth/currentCredential")
    assert current["status"] == "validated"
    assert current["rules"][1] == {"method": "GET", "path": "/sms/*"}
    assert current["expiration"] > current["creation"]
    with pytest.raises(
        ovh.exceptions.NotGrantedCall, match="This call has not been granted"
    ):
        client.put(f"/sms/{seed.SERVICE_2}", description="x")
    simulator.advance(3700)
    with pytest.raises(ovh.exceptions.InvalidCredential):
        client.get("/sms")
    # an answered request can not be answered again
    assert post().status_code == 404


def test_refusal(base, simulator):
    client, _answer, form = ask(base, redirect_url=None)
    refusal = {**form, "login": seed.CUSTOMER_1, "action": "refuse"}
    assert requests.post(f"{base}/auth/", refusal, timeout=5).status_code == 200
    with pytest.raises(ovh.exceptions.InvalidCredential):
        client.get("/sms")


@pytest.mark.parametrize(
    "changes",
    [
        {"access_rules": []},
        {"access_rules": [{"method": "FETCH", "path": "/sms"}]},
        {"access_rules": [{"method": "GET", "path": "sms"}]},
        {"redirect_url": "javascript:alert(1)"},
        {"allowedIPs": ["nowhere"]},
    ],
)
def test_bad_requests_for_a_key(base, simulator, changes):
    with pytest.raises(ovh.exceptions.BadParametersError):
        ask(base, **changes)


def test_allowed_ips(base, simulator):
    for networks, allowed in ((["10.0.0.0/8"], False), (["127.0.0.0/8"], True)):
        client, answer, _form = ask(base, allowedIPs=networks)
        simulator.set_credential(answer["consumerKey"], "validated")
        if allowed:
            assert client.get("/sms") == [seed.SERVICE_1]
        else:
            with pytest.raises(ovh.exceptions.Forbidden):
                client.get("/sms")


def test_other_customers_do_not_exist(client, client2):
    assert client2.get("/sms") == [seed.SERVICE_2]
    for mine, other in (
        (client, seed.SERVICE_2),
        (client2, seed.SERVICE_1),
        (client, "sms-none-1"),
    ):
        with pytest.raises(
            ovh.exceptions.ResourceNotFoundError, match="This service does not exist"
        ):
            mine.get(f"/sms/{other}/senders")


def test_oauth2(base, simulator, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    token_url = f"{base}/auth/oauth2/token"
    monkeypatch.setitem(ovh.client.OAUTH2_TOKEN_URLS, "ovh-eu", token_url)

    def make(secret):
        keys = {"client_id": seed.CLIENT_ID_2, "client_secret": secret}
        client = ovh.Client(endpoint="ovh-eu", timeout=5, **keys)
        client._endpoint = f"{base}/1.0"
        return client

    assert make(seed.CLIENT_SECRET_2).get("/sms") == [seed.SERVICE_2]
    with pytest.raises(ovh.exceptions.OAuth2FailureError):
        make("wrong").get("/sms")
    invented = {"Authorization": "Bearer invented"}
    answer = requests.get(f"{base}/1.0/sms", headers=invented, timeout=5)
    assert answer.status_code == 403
    assert answer.json()["errorCode"] == "INVALID_CREDENTIAL"


def test_unknown_call(client, simulator):
    with pytest.raises(ovh.exceptions.ResourceNotFoundError, match="invalid"):
        client.get(f"{SERVICE}/nothing")

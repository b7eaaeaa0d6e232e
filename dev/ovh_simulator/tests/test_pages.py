"""The web pages."""

import json
import re

import pytest
import requests
from conftest import SERVICE
from ovh_simulator import admin, magic, texts

EVIL = "<script>alert('x')</script> & \"co\""


@pytest.mark.parametrize(
    "header, expected",
    [
        (None, "fr"),
        ("", "fr"),
        ("de", "fr"),
        ("en", "en"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("fr;q=0.3,en;q=0.8", "en"),
        ("en;q=x", "fr"),
    ],
)
def test_language(header, expected):
    assert texts.language(header) == expected


@pytest.mark.parametrize(
    "path", ["/", "/help", "/simulator/help", "/auth/?credentialToken=none"]
)
@pytest.mark.parametrize("lang", texts.LANGUAGES)
def test_pages(base, simulator, path, lang):
    answer = requests.get(base + path, headers={"Accept-Language": lang}, timeout=5)
    assert answer.status_code == (404 if "none" in path else 200)
    assert f'<html lang="{lang}">' in answer.text and "{{" not in answer.text
    # nothing comes from another host
    assert not re.search(r'(src|href)="(https?:)?//', answer.text)
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    for asset in re.findall(r'(?:src|href)="(/simulator/static/[^"]+)"', answer.text):
        assert requests.get(base + asset, timeout=5).status_code == 200


def test_help_names_every_magic_number_and_route(base, simulator):
    def without_names(path):
        return re.sub(r"\{.*?\}", "{", path)

    text = requests.get(f"{base}/help", timeout=5).text
    assert all(entry.number in text for entry in magic.TABLE)
    found = set(map(without_names, re.findall(r"/simulator/[^<]+", text)))
    assert {without_names(route.path) for route in admin.router.routes} <= found


def test_every_text_exists_in_both_languages():
    for name, pair in texts.TEXTS.items():
        assert set(pair) == set(texts.LANGUAGES) and all(pair.values()), name


def events(base, count):
    """:return: the first *count* server-sent events of a new page."""
    response = requests.get(f"{base}/simulator/events", stream=True, timeout=10)
    lines = response.iter_lines(decode_unicode=True)
    for _ in range(count):
        name = data = None
        for line in lines:
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line:
                break
        yield name, data
    response.close()


def test_live_updates(base, simulator, send):
    send("+33612341001", message=EVIL)
    page = requests.get(base, timeout=5).text
    # the page starts with what there is
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    stream = events(base, 2)
    name, data = next(stream)
    (phone,) = data["phones"]
    assert (name, phone["number"]) == ("snapshot", "+33612341001")
    assert phone["messages"][0]["text"] == EVIL
    send("+33612341002", message="Où êtes-vous ?", senderForResponse=True)
    name, data = next(stream)
    (phone,) = data["phones"]
    assert (name, phone["number"]) == ("phones", "+33612341002")
    message = phone["messages"][0]
    assert (message["parts"], message["encoding"]) == (1, "unicode")
    assert (message["status"], message["can_reply"]) == ("delivered", True)
    assert data["summary"]["sms"] == 2
    assert data["summary"]["services"][0]["credits"] == 1998
    stream.close()


def test_search(base, simulator, send):
    send("+33612341001", message="Votre commande")
    send("+33612341002", message="Votre rendez-vous")

    def numbers(text):
        url = f"{base}/simulator/phones"
        found = requests.get(url, {"search": text}, timeout=5).json()
        return [phone["number"] for phone in found]

    assert numbers("") == ["+33612341002", "+33612341001"]
    assert numbers("06 12 34 10 01") == ["+33612341001"]
    assert numbers("RENDEZ") == ["+33612341002"]
    assert numbers("absent") == []


def test_the_login_page_escapes(base, simulator, client):
    client.get(SERVICE)
    answer = client.request_consumerkey([{"method": "GET", "path": f"/{EVIL}"}])
    page = requests.get(answer["validationUrl"], timeout=5).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


def test_the_page_sets_sms_as_text_only(base, simulator):
    script = requests.get(f"{base}/simulator/static/phones.js", timeout=5).text
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", script
    )

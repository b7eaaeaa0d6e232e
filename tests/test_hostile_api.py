"""What a hostile or broken API, a name or a text cannot do."""

import contextlib
import gzip
import json
import socket
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from threading import Thread

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..mixins.sms_ovh_counter_mixin import PLACEHOLDER_REGEX, get_text_as_sent
from ..tools import http2sms, ovh_client
from ..tools.contact_information import find_contact_information
from ..tools.gsm7 import to_gsm7
from .common import KEYS_1, SERVICE_1, SmsOvhCase

JOB = {"message": "Bonjour", "receivers": ["+33611111111"]}
UNSAFE_NAMES = (
    "",
    ".",
    "..",
    "...",
    "/",
    "a/b",
    "../users",
    "%2e%2e",
    "a\\b",
    "a?b=c",
    "a#b",
    "a\nb",
    "..\n",
    " .. ",
    " ",
    "a\x00b",
    "a;b",
    "x" * 129,
)


def is_quick(function):
    """Return whether `function` takes less than two seconds, the second time at most."""
    for __ in range(2):
        start = time.monotonic()
        function()
        if time.monotonic() - start < 2:
            return True
    return False


@tagged("-at_install", "post_install")
class TestHostileApi(SmsOvhCase):
    """Whatever an API answers, a call ends soon, and with a typed error."""

    def _serve(self, body, status="200 OK", **headers):
        """Answer each call this, and return the server's address."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        lines = [
            f"{name.replace('_', '-')}: {value}" for name, value in headers.items()
        ]
        head = "\r\n".join(
            [f"HTTP/1.1 {status}", *lines, "Connection: close", "", ""]
        ).encode()

        def serve():
            while True:
                try:
                    connection, __ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    try:
                        connection.sendall(head)
                        for part in body if isinstance(body, list) else [body]:
                            connection.sendall(part)
                        connection.shutdown(socket.SHUT_WR)
                        while connection.recv(65536):
                            pass
                    except OSError:
                        continue  # the client had enough

        Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}"

    def _raise(self, url):
        """Return the error of a call of the API and of one of http2sms."""
        client = ovh_client.OvhSmsClient(f"{url}/1.0", *KEYS_1.values())
        self.addCleanup(client.close)
        ovh_client._clock_cache[client.base_url] = (0, float("inf"))
        older = http2sms.Http2SmsClient(f"{url}/http2sms.cgi", "compta", "demo1234")
        self.addCleanup(older.close)
        for caller in (client, older):
            with self.assertRaises(ovh_client.OvhError) as raised:
                caller.post(f"/sms/{SERVICE_1}/jobs", JOB)
            yield raised.exception

    def test_answers_that_cannot_be_read(self):
        long = json.dumps({"message": "x" * ovh_client.MAX_ANSWER_SIZE}).encode()
        bomb = gzip.compress(b"[" + b" " * (400 * 1024 * 1024), 1)
        for name, body, headers in (
            ("nested", b"[" * 200_000, {}),
            ("nested objects", b'{"a":' * 200_000, {}),
            ("no number", b'{"status": NaN}', {}),
            ("endless number", b'{"status": 1e999}', {}),
            ("digits", b'{"status": ' + b"1" * 5000 + b"}", {}),
            ("no text", b'"\xff\xfe', {}),
            ("long", long, {"Content_Length": len(long)}),
            ("long, of no length", [b'{"a": "', *[b"x" * 1_000_000] * 40], {}),
            ("unpacked", bomb, {"Content_Encoding": "gzip"}),
        ):
            with self.subTest(name):
                url = self._serve(body, **headers)
                for error in self._raise(url):
                    self.assertIs(type(error), ovh_client.OvhUnreadableAnswer)
                    self.assertTrue(error.may_be_done)

    def test_unpacking_takes_neither_time_nor_room(self):
        bomb = gzip.compress(b"[" + b" " * (400 * 1024 * 1024), 1)
        url = self._serve(bomb, Content_Encoding="gzip")
        self.assertTrue(is_quick(lambda: list(self._raise(url))))

    def test_packed_answers_are_read(self):
        url = self._serve(gzip.compress(b'{"a": [1, 2.5]}'), Content_Encoding="gzip")
        client = ovh_client.OvhSmsClient(f"{url}/1.0", *KEYS_1.values())
        self.addCleanup(client.close)
        ovh_client._clock_cache[client.base_url] = (0, float("inf"))
        self.assertEqual(client.get("/sms"), {"a": [1, 2.5]})

    def test_errors_that_cannot_be_read(self):
        for status, error_class in (
            ("400 Bad Request", ovh_client.OvhUnreadableAnswer),
            ("500 Internal Server Error", ovh_client.OvhServerError),
        ):
            url = self._serve(b"[" * 200_000, status)
            for error in self._raise(url):
                self.assertIs(type(error), error_class)

    def test_when_to_go_on(self):
        soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90))
        for value, expected in (
            ("12", 12),
            ("1.5", 2),
            ("9" * 9, ovh_client.MAX_RETRY_AFTER),
            ("²", None),
            ("٣", None),
            ("-5", None),
            ("1e5", None),
            ("nan", None),
            ("Mon, 99 Foo 2026", None),
            ("9" * 5000, None),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            (soon, 90),
        ):
            with self.subTest(value):
                # As the bytes of a header come: Latin-1.
                value = value.encode().decode("latin-1")
                url = self._serve(
                    b'{"message": "Slow down"}', "429 Too Many", Retry_After=value
                )
                for error in self._raise(url):
                    self.assertIs(type(error), ovh_client.OvhThrottled)
                    if expected is None:
                        self.assertIsNone(error.retry_after)
                    else:
                        self.assertAlmostEqual(error.retry_after, expected, delta=3)

    def test_tokens(self):
        for body in (
            b"[" * 200_000,
            b'{"access_token": "x", "token_type": "bearer", "expires_in": "soon"}',
            b'{"access_token": "x", "token_type": "bearer", "expires_in": 1e999}',
            b'{"access_token": 1, "token_type": [], "expires_in": []}',
            b"null",
        ):
            with self.subTest(body[:80]):
                url = self._serve(body)
                client = ovh_client.OvhSmsClient(
                    f"{url}/1.0",
                    *("", "", ""),
                    client_id="EU.x",
                    client_secret="x",
                    token_url=f"{url}/token",
                )
                self.addCleanup(client.close)
                ovh_client._token_cache.clear()
                with contextlib.suppress(ovh_client.OvhError):
                    client.get("/sms")
                ovh_client._token_cache.clear()

    def test_names(self):
        for name in UNSAFE_NAMES:
            with self.subTest(name), self.assertRaises(ovh_client.OvhUnsafeName):
                ovh_client.quote_path(name)
        for name, quoted in (
            (SERVICE_1, SERVICE_1),
            ("+33700000001", "%2B33700000001"),
            (100000001, "100000001"),
            ("prénom.nom+sms@example.com", "pr%C3%A9nom.nom%2Bsms%40example.com"),
            ("Ma Boutique", "Ma%20Boutique"),
            (".cache", ".cache"),
        ):
            self.assertEqual(ovh_client.quote_path(name), quoted)

    def test_texts_that_would_take_long(self):
        placeholders = {"link": "http://x.y/r/a/s/1", "unsubscribe": "\nSTOP"}
        for piece in (
            *("{{", "{{ ", "{{a", "{{\n", "{{|||", "https://a?{{", "é{{", "a.", "1."),
            *("www.", "aaaa", "a-", "://a.b", "\u0301", "\U0001f600\u200d"),
        ):
            text = piece * 25_000
            for end in ("", "é}}"):
                with self.subTest(piece, end=end):
                    for function in (
                        lambda text: PLACEHOLDER_REGEX.sub("", text),
                        lambda text: get_text_as_sent(text, placeholders, True),
                        to_gsm7,
                        find_contact_information,
                    ):
                        self.assertTrue(
                            is_quick(lambda f=function, text=text + end: f(text))
                        )


@tagged("-at_install", "post_install")
class TestUnsafeNames(SmsOvhCase):
    """A name that is none reaches no path of the API."""

    def _count(self):
        return sum(self.simulator.get_state()["requests"].values())

    def test_api_users_and_senders(self):
        before = self._count()
        for name in UNSAFE_NAMES[1:]:
            if "\x00" in name:
                continue  # PostgreSQL has no such text
            with self.subTest(name):
                user = self.env["sms.ovh.user"].create(
                    {"account_id": self.account.id, "login": name}
                )
                sender = self.env["sms.ovh.sender"].create(
                    {
                        "account_id": self.account.id,
                        "name": name,
                        "type": "alpha",
                        "status": "enable",
                    }
                )
                for action in (
                    user.action_delete,
                    lambda user=user: user.write({"alert_threshold": 5}),
                    sender.action_delete,
                    sender.action_enable,
                    sender.action_disable,
                ):
                    with self.assertRaises(UserError):
                        action()
        self.assertEqual(self._count(), before)

    def test_creation_of_an_api_user(self):
        for name in UNSAFE_NAMES:
            if "\x00" in name:
                continue
            creation = self.env["sms.ovh.user.create"].create(
                {"account_id": self.account.id, "login": name}
            )
            with self.subTest(name), self.assertRaises(UserError):
                creation.action_create()

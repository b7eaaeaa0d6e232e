"""The routes that OVHcloud calls, called by whoever wants to break them."""

import http.client
import random
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import odoo.service.server
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .. import const
from ..models import sms_ovh_account_answers, sms_ovh_event
from .common import SmsOvhCase

BAD_REQUESTS = 10_000
CONNECTIONS = 8
# Of the bad requests, those that take the whole way; the others begin at the server's
# handler.
OVER_THE_NETWORK = 500
KINDS = ("delivery", "stop", "reply")
METHODS = (
    *("GET", "POST") * 4,
    *("HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "XYZZY"),
)
CONTENT_TYPES = (
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=utf-7",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/json",
    "text/plain; charset=no-such-charset",
    "text/xml",
    "*/*",
    "\xff\xfe",
)
NAMES = (
    *("id", "ptt", "dlr", "description", "descriptionDlr", "date"),
    *("self", "token", "kind", "params", "env", "db", "debug", "id[]", "a.b", ""),
    *("__class__", "%00", "%F0%9F%92%A9", "x" * 300),
)
VALUES = (
    *(
        "1",
        "4",
        "-1",
        "0",
        "2147483648",
        "9" * 300,
        "1e9",
        "NaN",
        "%D9%A4",
        "%EF%BC%94",
    ),
    *("%00", "%ff%fe", "%ED%A0%80", "%zz", "%", "%27;%20DROP%20TABLE%20sms_ovh_event"),
    *("<script>", "{{7*7}}", "../../etc/passwd", "x" * 3000, "", "a%00b", "%0d%0aX: y"),
)


@tagged("-at_install", "post_install")
class TestBadCallbacks(SmsOvhCase, HttpCase):
    def setUp(self):
        super().setUp()
        url = urlsplit(self.base_url())
        self.address = (url.hostname, url.port)
        self.random = random.Random(20261123)

    def _count_rows(self):
        return self.env["sms.ovh.event"].search_count([])

    # ------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------

    def _prepare_token(self):
        """Return what is no token of an account, as it stands in an address."""
        token = self.account.callback_token
        choose = self.random.choice
        return choose(
            (
                token[:-1],
                token + "A",
                token.swapcase(),
                token[::-1],
                # Not by chance the token itself.
                token[:-1] + choose("-_~.!*'()%20%00".replace(token[-1], "")),
                f"%00{token}",
                f"{token}%0a",
                f"..%2f{token}",
                "".join(self.random.choices("abcXYZ019-_", k=43)),
                "x" * 128,
                "x" * self.random.randrange(1, 4000),
                "False",
                "None",
                "%27%20OR%20%271%27=%271",
                "%F0%9F%92%A9" * 20,
                "%ff" * 40,
                quote("é" * 32),
                "",
            )
        )

    def _prepare_query(self):
        choose = self.random.choice
        count = choose((0, 1, 2, 6, 6, 6, 60))
        separator = choose("&&&;")
        return separator.join(
            f"{choose(NAMES)}={choose(VALUES)}" for __ in range(count)
        )

    def _prepare_body(self):
        choose = self.random.choice
        kind = choose(
            ("none",) * 8
            + ("form",) * 6
            + ("bytes", "multipart", "multipart", "json", "large")
        )
        if kind == "form":
            return self._prepare_query().encode("latin-1")
        if kind == "bytes":
            return self.random.randbytes(self.random.randrange(2000))
        if kind == "multipart":
            whole = (
                b'--x\r\nContent-Disposition: form-data; name="id"; filename="a"\r\n'
                b"\r\n1\r\n--x--\r\n"
            )
            return whole[: self.random.randrange(len(whole) + 1)]
        if kind == "json":
            return choose((b'{"id": 1', b"[" * 500, b"null", b'{"params": {"id": 1}}'))
        if kind == "large":
            return b"id=1&junk=" + b"x" * self.random.randrange(16_000, 70_000)
        return b""

    def _prepare_request(self, token):
        """Return the bytes of one request that is wrong in one way or several."""
        choose = self.random.choice
        method = choose(METHODS)
        kind = choose((*KINDS * 4, "none", "", "delivery/", "Delivery", "delivery%00"))
        path = f"/sms_ovh/{token}/{kind}"
        query = self._prepare_query()
        body = self._prepare_body()
        headers = [f"{method} {path}{'?' + query if query else ''} HTTP/1.0", "Host: x"]
        if body or choose((True, False)):
            headers.append(f"Content-Type: {choose(CONTENT_TYPES)}")
            length = choose((len(body),) * 8 + ("-5", "abc", ""))
            headers.append(f"Content-Length: {length}")
        for header in (
            "Cookie: session_id=" + "x" * 40,
            "X-Forwarded-For: 127.0.0.1, \xe9",
            "Accept-Language: zz-ZZ;q=abc",
            "Transfer-Encoding: chunked",
            "Range: bytes=0-",
        ):
            if self.random.random() < 0.05:
                headers.append(header)
        return "\r\n".join(headers).encode("latin-1") + b"\r\n\r\n" + body

    def _call(self, content):
        """Send the bytes of one request.

        :return: the answer's status, 0 where the server only closes the connection
        :rtype: int
        """
        with socket.create_connection(self.address, timeout=30) as connection:
            with suppress(OSError):
                # A server that has read enough closes the connection.
                connection.sendall(content)
                connection.shutdown(socket.SHUT_WR)
            try:
                response = http.client.HTTPResponse(connection)
                response.begin()
                return response.status
            except (OSError, http.client.HTTPException):
                return 0

    def _handle(self, content):
        """Have the server's own handler answer the bytes of one request, as `_call`.

        Without a connection and a thread for each, which take most of the time that
        many take: what reads, dispatches and answers them is the same.
        """
        ours, theirs = socket.socketpair()
        with ours, theirs:
            ours.sendall(content)
            ours.shutdown(socket.SHUT_WR)
            httpd = odoo.service.server.server.httpd
            with suppress(Exception):
                # The server closes the connection, then.
                httpd.RequestHandlerClass(theirs, self.address, httpd)
            theirs.close()
            try:
                response = http.client.HTTPResponse(ours)
                response.begin()
                return response.status
            except (OSError, http.client.HTTPException):
                return 0

    def _call_all(self, contents, connections=CONNECTIONS):
        """Send many requests over several connections at a time.

        :param int connections: how many; 0 for none, see `_handle`
        :return: pairs of a request's bytes and the answer's status
        """
        call = self._call if connections else self._handle
        with (
            self.allow_requests(all_requests=True),
            # The server's own: what it refuses before Odoo sees it, it fails to log.
            mute_logger(
                "odoo.addons.sms_ovh.controllers.main",
                "odoo.http",
                "odoo.service.server",
                "werkzeug",
            ),
            # The handler names the thread that it runs in: not this one.
            ThreadPoolExecutor(connections or 1) as executor,
        ):
            return list(zip(contents, executor.map(call, contents), strict=True))

    # ------------------------------------------------------------
    # Tests
    # ------------------------------------------------------------

    def test_wrong_tokens(self):
        """Whatever is asked with a wrong token: no row, and no failure of Odoo's."""
        before = self._count_rows()
        contents = [
            self._prepare_request(self._prepare_token()) for __ in range(BAD_REQUESTS)
        ]
        answers = self._call_all(contents[:OVER_THE_NETWORK])
        answers += self._call_all(contents[OVER_THE_NETWORK:], connections=0)
        self.assertEqual(len(answers), BAD_REQUESTS)
        for content, status in answers:
            if not (status == 0 or 300 <= status < 500):
                self.fail(f"{status}: {content[:300]!r}")
        counts = Counter(status for __, status in answers)
        # They do reach Odoo: what the server itself refuses is the smaller part.
        self.assertGreater(counts[404], BAD_REQUESTS / 2, counts)
        self.assertEqual(self._count_rows(), before)

    def test_right_token_with_nonsense(self):
        """Nonsense that carries the right token never makes Odoo fail either."""
        token = self.account.callback_token
        contents = [self._prepare_request(token) for __ in range(1000)]
        before = self._count_rows()
        for content, status in self._call_all(contents):
            if status >= 500:
                self.fail(f"{status}: {content[:300]!r}")
        self.assertLessEqual(self._count_rows() - before, len(contents))

    def test_parameters_named_as_variables(self):
        """Parameters may have any name, those of the route's own variables too."""
        token = self.account.callback_token
        for kind in KINDS:
            before = self._count_rows()
            for query in ("id=1&self=1", "id=1&token=x", "id=1&kind=x&params=y"):
                with self.subTest(kind=kind, query=query):
                    response = self.url_open(f"/sms_ovh/{token}/{kind}?{query}")
                    self.assertEqual(response.status_code, 200)
            self.assertEqual(self._count_rows() - before, 3)

    def test_sizes(self):
        """A body that is no callback's is read as one: not at all."""
        token = self.account.callback_token
        before = self._count_rows()
        for kind in KINDS:
            body = f"id=1&junk={'x' * const.MAX_CALLBACK_SIZE}".encode()
            content = (
                f"POST /sms_ovh/{token}/{kind} HTTP/1.0\r\nHost: x\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            ).encode()
            ((__, status),) = self._call_all([content + body])
            self.assertEqual(status, 200)
        self.assertEqual(self._count_rows(), before)

    def test_replays(self):
        """The same report again and again is received, and changes nothing."""
        self.account.action_synchronise()
        sms = self._create_sms(["+33611111111"])
        sms.send()
        self._commit()
        self.env.invalidate_all()
        self.assertTrue(sms.sms_ovh_id)
        token = self.account.callback_token
        path = f"/sms_ovh/{token}/delivery?id={sms.sms_ovh_id}&ptt=%s&description=%s"
        for ptt, dlr in [(4, 1)] * 20 + [(20, 2), (3, 4), (4, 1)]:
            self.assertEqual(self.url_open(path % (ptt, dlr)).status_code, 200)
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.assertEqual((sms.state, sms.failure_type), ("sent", False))
        states = Counter(
            self.env["sms.ovh.event"]
            .search([("sms_ovh_id", "=", sms.sms_ovh_id)])
            .mapped("state")
        )
        self.assertEqual(states, {"done": 1, "late": 22})

    def test_ids_of_another_account(self):
        """A right token opens its own account only."""
        self.account.action_synchronise()
        sms = self._create_sms(["+33611111111"])
        sms.send()
        self._commit()
        self.env.invalidate_all()
        self.assertTrue(sms.sms_ovh_id)
        other = self.env["sms.ovh.account"].create({"service_name": "sms-other-1"})
        self.url_open(
            f"/sms_ovh/{other.callback_token}/delivery?id={sms.sms_ovh_id}&ptt=20"
        )
        self._run_cron("sms_ovh.ir_cron_process_events")
        self.assertEqual(sms.state, "pending")

    def test_tokens_are_compared_in_constant_time(self):
        """Each token is compared as a whole, with that of every account."""
        other = self.env["sms.ovh.account"].create({"service_name": "sms-other-1"})
        compared = []

        def compare(first, second):
            compared.append((first, second))
            return False

        token = self.account.callback_token
        with patch.object(sms_ovh_account_answers, "compare_digest", compare):
            for kind in KINDS:
                response = self.url_open(f"/sms_ovh/{token}/{kind}?id=1")
                self.assertEqual(response.status_code, 404)
        for account in (self.account, other):
            pair = (account.callback_token.encode(), token.encode())
            self.assertEqual(compared.count(pair), 3)
        self.assertFalse(self._count_rows())

    def test_a_callback_is_one_query(self):
        """However many reports come: each is one INSERT, and nothing else is asked."""
        token = self.account.callback_token
        event_model = self.env["sms.ovh.event"]
        account_model = self.env["sms.ovh.account"]
        account_model._find_by_token(token)
        # The cron that treats them is woken by the first one.
        event_model._receive_delivery(self.account.id, {"id": "1"})
        for number in range(2, 5):
            with self.assertQueryCount(0):
                account_id = account_model._find_by_token(token)
            with (
                patch.object(sms_ovh_event, "WAKE_EVERY", 3600),
                self.assertQueryCount(1),
            ):
                event_model._receive_delivery(account_id, {"id": str(number)})
        self.assertEqual(self._count_rows(), 4)

    def test_new_token(self):
        """An address that was replaced is refused at once, the new one is not."""
        old = self.account.callback_token
        self.assertEqual(
            self.url_open(f"/sms_ovh/{old}/delivery?id=1").status_code, 200
        )
        self.account.callback_token = new = "n" * 43
        self.env.flush_all()
        for token, status in ((old, 404), (new, 200)):
            response = self.url_open(f"/sms_ovh/{token}/delivery?id=2")
            self.assertEqual(response.status_code, status)

    def test_no_cookies(self):
        """Whatever a callback asks for, it is answered as to a machine."""
        path = f"/sms_ovh/{self.account.callback_token}/delivery"
        response = self.url_open(
            f"{path}?id=1&utm_source=x&debug=1&auth_login=x&editable=1"
        )
        self.assertEqual((response.status_code, response.text), (200, "OK"))
        self.assertFalse(response.cookies)

    def test_archived_account(self):
        """Nobody is called back for an account that is no longer used."""
        self.account.company_id.sms_ovh_account_id = False
        self.account.active = False
        response = self.url_open(
            f"/sms_ovh/{self.account.callback_token}/delivery?id=1"
        )
        self.assertEqual(response.status_code, 404)

import logging
import os
import socket
import ssl
import tempfile
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from odoo.tests import tagged

from ..tools import ovh_client
from .common import KEYS_1, SERVICE_1, SmsOvhCase

PATH = f"/sms/{SERVICE_1}"


@tagged("-at_install", "post_install")
class TestOvhClient(SmsOvhCase):
    def _client(self, **values):
        values = {"base_url": self.simulator.api_url, **KEYS_1, **values}
        client = ovh_client.OvhSmsClient(**values)
        self.addCleanup(client.close)
        return client

    def _assert_error(self, client, error_class, may_be_done):
        with self.assertRaises(ovh_client.OvhError) as raised:
            client.post(f"{PATH}/jobs", {"message": "x", "receivers": ["+33611111111"]})
        error = raised.exception
        self.assertIs(type(error), error_class, repr(error))
        self.assertEqual(error.may_be_done, may_be_done)
        return error

    def test_signed_calls(self):
        client = self._client()
        self.assertEqual(client.get(PATH)["creditsLeft"], 2000)
        client.put(PATH, {"callBack": "https://example.com/é?a=b"})
        self.assertEqual(client.get(PATH)["callBack"], "https://example.com/é?a=b")
        self.assertEqual(client.get(f"{PATH}/outgoing", tag="a tag&b"), [])

    def test_versions(self):
        for version in ("1.0", "v1"):
            with self.subTest(version=version):
                client = self._client(base_url=f"{self.simulator.root}/{version}/")
                self.assertEqual(client.get("/sms"), [SERVICE_1])

    def test_clock_is_corrected(self):
        self.simulator.configure(clock_skew_s=7200)
        self.assertAlmostEqual(self._client().get_clock_offset(), 7200, delta=5)
        self.assertEqual(self._client().get("/sms"), [SERVICE_1])

    def test_clock_is_asked_for_once(self):
        for __ in range(3):
            self._client().get("/sms")
        requests = self.simulator.get_state()["requests"]
        self.assertEqual(requests["GET /auth/time"], 1)

    def test_clock_is_asked_for_again(self):
        """Who was told the time before a clock was set: the call is made once more."""
        client = self._client()
        client.get("/sms")
        self.simulator.configure(clock_skew_s=7200)
        for path in ("/sms", f"/sms/{SERVICE_1}"):
            client.get(path)
        requests = self.simulator.get_state()["requests"]
        self.assertEqual(requests["GET /auth/time"], 2)
        for content in (
            {"message": "Invalid signature", "errorCode": "INVALID_SIGNATURE"},
            {"message": "Query out of time", "errorCode": "QUERY_TIME_OUT"},
            {"message": "Invalid signature"},
        ):
            order = {"kind": "answer", "status": 400, "content": content}
            self.simulator.order_faults({**order, "path": "^/sms$"})
            self.assertEqual(client.get("/sms"), [SERVICE_1])

    def test_other_words(self):
        """What OVHcloud says of a text or a time in it is not about keys or clock."""
        for message in (
            "[message] the signature of your brand is not allowed",
            "[creationDatetime.from] Given timestamp is not valid",
        ):
            content = {"message": message, "class": "Client::BadRequest"}
            self.simulator.order_faults(
                {"kind": "answer", "status": 400, "content": content, "path": "^/sms$"}
            )
            with self.assertRaises(ovh_client.OvhBadRequest):
                self._client().get("/sms")

    def test_forms_of_retry_after(self):
        soon = datetime.now(timezone.utc) + timedelta(seconds=90)
        for value, low, high in (
            ("7", 7, 7),
            ("1.2", 2, 2),
            (format_datetime(soon, usegmt=True), 85, 91),
            ("1000000", 3600, 3600),
            ("0", 0, 0),
            ("-5", None, None),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
            ("inf", None, None),
            ("soon", None, None),
        ):
            self.simulator.order_faults(
                {"kind": "429", "path": "^/sms$", "retry_after": value}
            )
            with self.subTest(value=value):
                with self.assertRaises(ovh_client.OvhThrottled) as caught:
                    self._client().get("/sms")
                found = caught.exception.retry_after
                if low is None:
                    self.assertIsNone(found)
                else:
                    self.assertLessEqual(low, found)
                    self.assertLessEqual(found, high)

    def test_clock_off(self):
        """Asked for once more, and no oftener: then it is said."""
        client = self._client()
        client.get("/sms")
        content = {"message": "Query out of time", "errorCode": "QUERY_TIME_OUT"}
        self.simulator.order_faults(
            *[{"kind": "answer", "status": 400, "content": content, "path": "^/sms$"}]
            * 2
        )
        with self.assertRaises(ovh_client.OvhClockOff) as caught:
            client.get("/sms")
        self.assertFalse(caught.exception.may_be_done)
        self.assertEqual(client.get("/sms"), [SERVICE_1])

    def test_refused_keys(self):
        for values, error_class in [
            ({"application_key": "unknownkey"}, ovh_client.OvhUnknownApplication),
            ({"application_secret": "wrongsecret"}, ovh_client.OvhSignatureRefused),
            ({"consumer_key": "unknownkey"}, ovh_client.OvhConsumerKeyRefused),
            (
                {"consumer_key": "demopending00000000000000000pend"},
                ovh_client.OvhConsumerKeyRefused,
            ),
            (
                {"consumer_key": "demorefused00000000000000000refu"},
                ovh_client.OvhConsumerKeyRefused,
            ),
            (
                {"consumer_key": "demoexpired00000000000000000expi"},
                ovh_client.OvhConsumerKeyRefused,
            ),
            ({"consumer_key": ""}, ovh_client.OvhCredentialRefused),
        ]:
            with self.subTest(**values):
                error = self._assert_error(self._client(**values), error_class, False)
                for key in (*KEYS_1.values(), *values.values()):
                    if key:
                        self.assertNotIn(key, repr(error) + str(error))
        self.assertFalse(self.simulator.get_ledger())

    def test_refused_content(self):
        self.patch(type(self), "wrong_calls_wanted", True)
        with self.assertRaises(ovh_client.OvhBadRequest) as raised:
            self._client().post(f"{PATH}/jobs", {"message": "x", "nonsense": 1})
        self.assertEqual(raised.exception.status, 400)
        self.assertTrue(raised.exception.query_id)
        self.assertTrue(raised.exception.message)

    def test_not_found(self):
        with self.assertRaises(ovh_client.OvhNotFound):
            self._client().get(f"{PATH}/senders/nobody")

    def test_out_of_credit(self):
        self.simulator.set_service(SERVICE_1, creditsLeft=0)
        client = self._client()
        with self.assertRaises(ovh_client.OvhOutOfCredit):
            client.post(
                f"{PATH}/jobs",
                {
                    "message": "x",
                    "receivers": ["+33611111111"],
                    "sender": "MaBoutique",
                    "noStopClause": True,
                },
            )

    def test_throttled(self):
        self.simulator.order_faults({"kind": "429", "path": "/jobs$", "retry_after": 7})
        error = self._assert_error(self._client(), ovh_client.OvhThrottled, False)
        self.assertEqual(error.retry_after, 7)
        self.simulator.order_faults({"kind": "429", "path": "/jobs$"})
        error = self._assert_error(self._client(), ovh_client.OvhThrottled, False)
        self.assertIsNone(error.retry_after)

    def test_failures_of_the_server(self):
        for kind, error_class in [
            ("500", ovh_client.OvhServerError),
            ("502_html", ovh_client.OvhServerError),
            ("garbage", ovh_client.OvhUnreadableAnswer),
            ("empty", ovh_client.OvhUnreadableAnswer),
            ("cut_before", ovh_client.OvhNoAnswer),
            ("cut_after", ovh_client.OvhNoAnswer),
        ]:
            with self.subTest(kind=kind):
                self.simulator.order_faults({"kind": kind, "path": "/jobs$"})
                self._assert_error(self._client(), error_class, True)

    def test_time_out(self):
        self.simulator.order_faults(
            {"kind": "latency", "path": "/jobs$", "latency_ms": 12000}
        )
        # Odoo raises the time-outs of its tests to ten seconds, so it is these.
        client = self._client(timeout=10)
        self._assert_error(client, ovh_client.OvhNoAnswer, True)

    def test_unreachable(self):
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            client = self._client(base_url=f"http://127.0.0.1:{port}/1.0")
            self._assert_error(client, ovh_client.OvhUnreachable, False)
        # With the clock known the call itself finds nobody.
        ovh_client._clock_cache[client.base_url] = (0, float("inf"))
        self._assert_error(client, ovh_client.OvhUnreachable, False)

    def test_redirect_is_not_followed(self):
        """A signed call is never repeated elsewhere."""
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def answer():
            connection, __ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(
                    b"HTTP/1.1 307 Temporary Redirect\r\nContent-Length: 0\r\n"
                    + f"Location: {self.simulator.api_url}/sms\r\n\r\n".encode()
                )

        thread = Thread(target=answer)
        thread.start()
        self.addCleanup(thread.join)
        client = self._client(
            base_url=f"http://127.0.0.1:{server.getsockname()[1]}/1.0"
        )
        ovh_client._clock_cache[client.base_url] = (0, float("inf"))
        self._assert_error(client, ovh_client.OvhUnreadableAnswer, True)

    def _serve_secure(self, behave):
        """Serve one connection over TLS with a certificate of its own.

        :param behave: gets the connection and the bare socket below it
        :return: (a client of it, path of the certificate)
        """
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = str(Path(folder.name) / "certificate.pem")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(key, hashes.SHA256())
        )
        Path(path).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def serve():
            bare, __ = server.accept()
            with bare, socket.socket(fileno=os.dup(bare.fileno())) as copy:
                try:
                    with context.wrap_socket(bare, server_side=True) as connection:
                        behave(connection, copy)
                except OSError:
                    # The client did not accept the certificate.
                    return

        thread = Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        port = server.getsockname()[1]
        client = self._client(base_url=f"https://127.0.0.1:{port}/1.0", timeout=(5, 5))
        ovh_client._clock_cache[client.base_url] = (0, float("inf"))
        return client, path

    def test_encryption_fails_before_the_call(self):
        """Without a good certificate nothing is sent."""
        client, __ = self._serve_secure(lambda connection, bare: None)
        self._assert_error(client, ovh_client.OvhUnreachable, False)

    def test_encryption_fails_after_the_call(self):
        """The call has arrived: it must never be taken for one that never left."""
        received = []

        def garble(connection, bare):
            while b"receivers" not in b"".join(received):
                received.append(connection.recv(65536))
            # A record of application data that nobody encrypted.
            bare.sendall(b"\x17\x03\x03\x00\x20" + b"x" * 32)

        client, path = self._serve_secure(garble)
        with patch.dict("os.environ", {"REQUESTS_CA_BUNDLE": path}):
            self._assert_error(client, ovh_client.OvhNoAnswer, True)
        self.assertIn(b"+33611111111", b"".join(received))

    def test_environment_is_not_read(self):
        """Another program's credentials never send this company's SMS."""
        environment = {
            "OVH_APPLICATION_KEY": KEYS_1["application_key"],
            "OVH_APPLICATION_SECRET": KEYS_1["application_secret"],
            "OVH_CONSUMER_KEY": KEYS_1["consumer_key"],
            "OVH_CLIENT_ID": "someone",
        }
        with patch.dict("os.environ", environment):
            self.assertEqual(self._client().get("/sms"), [SERVICE_1])
            with self.assertRaises(ovh_client.OvhCredentialRefused):
                self._client(application_key=None, consumer_key=None).get("/sms")

    def test_secrets_stay_inside(self):
        """Neither messages, representations nor chained exceptions hold a key."""
        for kind in ("cut_before", "500", "garbage"):
            self.simulator.order_faults({"kind": kind, "path": "/jobs$"})
            client = self._client()
            with self.assertLogs("", logging.DEBUG) as logs:
                error = self._assert_error(
                    client,
                    {
                        "cut_before": ovh_client.OvhNoAnswer,
                        "500": ovh_client.OvhServerError,
                        "garbage": ovh_client.OvhUnreadableAnswer,
                    }[kind],
                    True,
                )
                logging.getLogger(__name__).info("%r %s %r", error, error, client)
            self.assertIsNone(error.__cause__)
            self.assertIsNone(error.__context__)
            output = "\n".join(logs.output)
            for key in KEYS_1.values():
                self.assertNotIn(key, output)

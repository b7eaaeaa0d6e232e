from unittest.mock import patch

from odoo.tests import tagged

from ..tools import ovh_calls, ovh_client
from .common import KEYS_1, SERVICE_1, SimulatorCase

SERVICE = f"/sms/{SERVICE_1}"
OUTGOING = f"{SERVICE}/outgoing"
ONE = "GET /sms/{serviceName}/outgoing/{id}"


@tagged("-at_install", "post_install")
class TestOvhCalls(SimulatorCase):
    """Reading many at once, whether OVHcloud takes that or not."""

    def setUp(self):
        super().setUp()
        self.client_args = (self.simulator.api_url, *KEYS_1.values(), (5, 5))

    def _send(self, count):
        """Have OVHcloud take SMS; return their ids."""
        client = ovh_client.OvhSmsClient(*self.client_args)
        with client:
            report = client.post(
                f"{SERVICE}/jobs",
                {
                    "message": "Bonjour",
                    "receivers": [f"+3361{index:07d}" for index in range(count)],
                    "sender": "MaBoutique",
                    "noStopClause": True,
                },
            )
        return report["ids"]

    def _read(self, ids, path=OUTGOING, size=4):
        return ovh_calls.read_many(self.client_args, path, ids, size)

    def _count(self, call=ONE):
        return self.simulator.get_state()["requests"].get(call, 0)

    def test_order(self):
        """The answers come in the order of the questions; what is missing is None."""
        ids = self._send(9)
        for refused in (None, "."):
            self.simulator.configure(batch_refused=refused)
            with self.subTest(refused=refused):
                self.assertEqual(self._read([]), [])
                answers = self._read([*ids[:4], 1, *ids[4:], ids[0]])
                self.assertIsNone(answers.pop(4))
                self.assertEqual([answer["id"] for answer in answers], [*ids, ids[0]])

    def test_calls(self):
        """Fifty in one call; refused, one by one, and that is tried once."""
        ids = self._send(120)
        self.assertEqual([answer["id"] for answer in self._read(ids)], ids)
        self.assertEqual(self._count(), 3)
        self.simulator.configure(batch_refused="/outgoing/")
        for count in (3 + 1 + 120, 3 + 1 + 2 * 120):
            self.assertEqual([answer["id"] for answer in self._read(ids)], ids)
            self.assertEqual(self._count(), count)
        names = ["MaBoutique", "Nouveau", "none"]
        answers = self._read(names, f"{SERVICE}/senders")
        self.assertEqual([bool(answer) for answer in answers], [True, True, False])
        # The one that is not there is asked for by itself.
        self.assertEqual(self._count("GET /sms/{serviceName}/senders/{sender}"), 2)

    def test_numbers(self):
        """What stands in a path is quoted, the commas between are not."""
        numbers = ["+33611111111", "+33622222222"]
        self.simulator.add_stops(SERVICE_1, numbers)
        answers = self._read(numbers, f"{SERVICE}/blacklists")
        self.assertEqual([answer["number"] for answer in answers], numbers)
        self.assertEqual(self._count("GET /sms/{serviceName}/blacklists/{number}"), 1)

    def test_untrue_batches(self):
        """An answer that is no batch, or another's, is not believed."""
        ids = self._send(3)
        right = [{"key": str(ids[0]), "value": {"id": ids[0]}, "error": None}]
        for content in (
            {"id": ids[0], "receiver": "+33611111111"},
            [],
            "fine",
            [1, 2, 3],
            [{"key": str(ids[0]), "value": {"id": ids[1], "receiver": "x"}}],
            [{"key": "7", "value": {"id": 7, "receiver": "x"}}],
            [*right, {"key": str(ids[1]), "value": None, "error": "failed"}],
        ):
            ovh_calls._refused.clear()
            self.simulator.order_faults(
                {"kind": "answer", "content": content, "path": "/outgoing/"}
            )
            with self.subTest(content=content):
                answers = self._read(ids)
                self.assertEqual([answer["id"] for answer in answers], ids)

    def test_failing_batches(self):
        """Where only the batch fails, all is read one by one."""
        ids = self._send(3)
        for fault in (
            {"kind": "500"},
            {"kind": "502_html"},
            {"kind": "garbage"},
            {"kind": "answer", "status": 403, "content": {"message": "no"}},
        ):
            ovh_calls._refused.clear()
            self.simulator.order_faults({**fault, "path": "/outgoing/"})
            with self.subTest(fault=fault):
                self.assertEqual([answer["id"] for answer in self._read(ids)], ids)

    def test_throttled(self):
        """A 429 is waited for, not for ever."""
        ids = self._send(3)
        fault = {"kind": "429", "path": "/outgoing/"}
        for refused in (None, "."):
            self.simulator.configure(batch_refused=refused)
            self.simulator.order_faults({**fault, "times": 3})
            with patch.object(ovh_calls, "FETCH_PAUSE", 0.01):
                self.assertEqual([answer["id"] for answer in self._read(ids)], ids)
                self.simulator.order_faults({**fault, "times": None})
                with self.assertRaises(ovh_client.OvhThrottled):
                    self._read(ids)
            self.simulator._call("DELETE", "faults")

    def test_fails(self):
        """An inquiry is answered in full or not at all."""
        ids = self._send(5)
        for kind, error in (
            ("500", ovh_client.OvhServerError),
            ("cut_before", ovh_client.OvhNoAnswer),
        ):
            ovh_calls._refused.clear()
            self.simulator.order_faults(
                {"kind": kind, "path": "/outgoing/", "times": None}
            )
            with self.assertRaises(error):
                self._read(ids)
            self.simulator._call("DELETE", "faults")

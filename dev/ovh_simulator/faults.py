"""Faults ordered for coming requests."""

import re

KINDS = (
    "latency",
    "429",
    "500",
    "502_html",
    "cut_before",
    "cut_after",
    "timeout",
    "garbage",
    "empty",
    "answer",
    "change",
)
#: Faults for which the order may say whether the request takes effect before it fails.
ACCEPTING = ("500", "502_html", "timeout", "garbage", "empty", "answer")
_FIELDS = (
    *("kind", "method", "path", "body", "skip", "times", "retry_after", "latency_ms"),
    *("accept", "status", "content"),
)


class Fault:
    """A fault, the requests it is for, and how many of them remain.

    :param dict order: as posted to ``/simulator/faults``.
    :raise ValueError: with a sentence that says what is wrong.
    """

    def __init__(self, order):
        if not isinstance(order, dict):
            raise ValueError("a fault is a JSON object")
        unknown = set(order) - set(_FIELDS)
        if unknown:
            raise ValueError(f"unknown field: {', '.join(sorted(unknown))}")
        self.kind = order.get("kind")
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        self.method = order.get("method") and str(order["method"]).upper()
        self.path, self._pattern = self._regex(order, "path")
        self.body, self._body_pattern = self._regex(order, "body")
        self.skip = self._number(order, "skip", 0)
        self.times = (
            None
            if "times" in order and order["times"] is None
            else self._number(order, "times", 1)
        )
        self.retry_after = order.get("retry_after")
        self.latency_ms = self._number(order, "latency_ms", 0)
        #: What is answered by "answer"; by "change", what is put into the object answered.
        self.status = self._number(order, "status", 200)
        self.content = order.get("content")
        if self.kind == "change" and not isinstance(self.content, dict):
            raise ValueError("content must be the object's properties to change")
        self.accept = self.kind == "cut_after" or (
            self.kind in ACCEPTING and bool(order.get("accept"))
        )

    @staticmethod
    def _regex(order, name):
        value = order.get(name)
        try:
            return value, re.compile(value) if value else None
        except (re.error, TypeError) as error:
            raise ValueError(f"{name} is not a regular expression: {error}") from None

    @staticmethod
    def _number(order, name, default):
        value = order.get(name, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"{name} must be a number, zero or more")
        return value

    def matches(self, method, path, body=""):
        """:return: whether the fault is for that request; it counts the ones it lets pass."""
        if self.times == 0 or (self.method and self.method != method):
            return False
        if self._pattern and not self._pattern.search(path):
            return False
        if self._body_pattern and not self._body_pattern.search(body):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def record(self):
        """:return: the fault with what remains of it."""
        return {name: getattr(self, name) for name in _FIELDS}


class Faults:
    """The faults that are ordered, in the order in which they were."""

    def __init__(self):
        self.orders = []

    def add(self, orders):
        """Add one order or a list of them; none is added where one is wrong.

        :raise ValueError: with a sentence that says what is wrong.
        """
        self.orders += [
            Fault(order) for order in (orders if isinstance(orders, list) else [orders])
        ]

    def clear(self):
        """Forget all orders."""
        self.orders = []

    @property
    def read_bodies(self):
        """Whether any is for requests with a certain body."""
        return any(fault.body for fault in self.orders)

    def take(self, method, path, body=""):
        """:return: the fault this request meets and uses up, or ``None``."""
        for fault in self.orders:
            if fault.matches(method, path, body):
                if fault.times == 0:
                    self.orders.remove(fault)
                return fault
        return None

"""Faults ordered for coming requests."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, model_validator

from .config import Amount, Declared, Regex

#: Faults for which the order may say whether the request takes effect before it fails.
ACCEPTING = ("500", "502_html", "timeout", "garbage", "empty", "answer")


class Fault(Declared):
    """A fault, the requests it is for, and how many of them remain.

    ``status`` and ``content`` are what ``answer`` answers; ``content`` is also what
    ``change`` puts into the object answered.
    """

    kind: Literal[(*ACCEPTING, "latency", "429", "cut_before", "cut_after", "change")]
    method: Annotated[str, AfterValidator(str.upper)] | None = None
    path: Regex | None = None
    body: Regex | None = None
    skip: Amount = 0
    times: Amount | None = 1
    retry_after: Any = None
    latency_ms: Amount = 0
    accept: bool = False
    status: Amount = 200
    content: Any = None

    @model_validator(mode="after")
    def _check_kind(self):
        if self.kind == "change" and not isinstance(self.content, dict):
            raise ValueError("content must be the object's properties to change")
        if self.kind not in ACCEPTING:
            self.accept = self.kind == "cut_after"
        return self

    def matches(self, method, path, body=""):
        """Tell whether the fault is for that request, counting the ones it lets pass."""
        if (
            self.times == 0
            or (self.method and self.method != method)
            or (self.path and not re.search(self.path, path))
            or (self.body and not re.search(self.body, body))
        ):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that are ordered, in the order in which they were."""

    def __init__(self):
        self.orders = []

    def records(self):
        """Return the faults with what remains of them."""
        return [fault.model_dump() for fault in self.orders]

    @property
    def read_bodies(self):
        """Whether any is for requests with a certain body."""
        return any(fault.body for fault in self.orders)

    def take(self, method, path, body=""):
        """Return the fault this request meets and uses up, or ``None``."""
        for fault in self.orders:
            if fault.matches(method, path, body):
                if fault.times == 0:
                    self.orders.remove(fault)
                return fault
        return None

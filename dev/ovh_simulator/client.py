"""A running simulator and what can be ordered from it, as programs do."""

import json
import time
import urllib.error
import urllib.request

from kit.ui import Problem
from kit.web import opener


class Simulator:
    """The admin routes of a simulator; its page ``/simulator/help`` explains them."""

    def __init__(self, root):
        self.root = root

    @property
    def api_url(self):
        """Where OVHcloud's API is."""
        return f"{self.root}/1.0"

    def ask(self, method, path, content=None, timeout=120):
        """Call an admin route, whatever it answers.

        :return: (HTTP status, decoded answer).
        """
        request = urllib.request.Request(
            f"{self.root}/simulator/{path}",
            method=method,
            data=None if content is None else json.dumps(content).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with opener.open(request, timeout=timeout) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def call(self, method, path, content=None):
        """Call an admin route.

        :return: the decoded answer.
        :raise ValueError: where it is refused.
        """
        status, answer = self.ask(method, path, content)
        if status != 200:
            raise ValueError(f"{method} {path}: HTTP {status}, {answer}")
        return answer

    def reset(self):
        """Go back to the seed."""
        self.call("POST", "reset")

    def configure(self, **config):
        """Change the configuration."""
        return self.call("POST", "config", config)

    def set_clock(self, now):
        """Set OVHcloud's clock: an ISO text, or None for the real time."""
        self.call("POST", "clock", {"now": now})

    def order_faults(self, *faults):
        """Have coming requests fail."""
        return self.call("POST", "faults", list(faults))

    def clear_faults(self):
        """Forget the faults that are left."""
        self.call("DELETE", "faults")

    def set_service(self, service, **values):
        """Change properties of an account as OVHcloud's staff would."""
        return self.call("POST", f"services/{service}", values)

    def set_sender(self, service, sender, **values):
        """Change a sender as OVHcloud's staff would."""
        return self.call("POST", f"services/{service}/senders/{sender}", values)

    def add_stops(self, service, numbers):
        """Have these numbers answered STOP some time ago."""
        return self.call("POST", f"services/{service}/blacklists", {"numbers": numbers})

    def remove_virtual_number(self, service, number):
        """Take a virtual number away, whose sender stays listed."""
        return self.call("DELETE", f"services/{service}/virtualNumbers/{number}")

    def set_credential(self, consumer_key, status):
        """Change the status of a consumer key."""
        return self.call("POST", f"credentials/{consumer_key}", {"status": status})

    def get_state(self, *parts):
        """Return the state, all of it or these parts."""
        only = f"?only={','.join(parts)}" if parts else ""
        return self.call("GET", f"state{only}")

    def get_ledger(self, **values):
        """Return the SMS that OVHcloud took, those with `values`."""
        return [
            sms
            for sms in self.get_state("ledger")["ledger"]
            if all(sms[name] == value for name, value in values.items())
        ]

    def get_requests(self):
        """Return how many requests there were, by call."""
        return self.get_state("requests")["requests"]

    def count_jobs(self):
        """Return how many calls posted a job, whatever became of them."""
        return sum(
            count
            for route, count in self.get_requests().items()
            if route.startswith("POST ") and route.endswith("/jobs")
        )

    def finish_callbacks(self, quiet=1.0, seconds=60):
        """Have all reports made that are due or scheduled, and wait for the last.

        :param float quiet: seconds without a report after which there are none left.
        :param float seconds: wait no longer than this.
        :raise Problem: when it takes longer.
        """
        counts, since = None, time.monotonic()
        deadline = since + seconds
        while time.monotonic() < deadline:
            self.call("POST", "callbacks/flush")
            now = self.get_state("callbacks")["callbacks"]["counts"]
            if now != counts:
                counts, since = now, time.monotonic()
            elif time.monotonic() - since > quiet:
                return
            time.sleep(0.1)
        raise Problem("The simulator's delivery reports come to no end.")

    def pop_callbacks(self, count=0):
        """Return the callbacks that are due, oldest first, and forget them.

        :param int count: how many to wait for; they are made a moment after the answer.
        :raise AssertionError: where fewer come.
        """
        callbacks = []
        deadline = time.monotonic() + 10
        while True:
            callbacks += self.call("POST", "callbacks/pop")
            if len(callbacks) >= count:
                return callbacks
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(callbacks)} of {count} callbacks came")
            time.sleep(0.05)

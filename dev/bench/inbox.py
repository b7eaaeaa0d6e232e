"""The inbox: what receiving and treating delivery reports costs."""

import contextlib
import random
from urllib.parse import urlencode

from provision.checkout import ADDON

from . import twilio
from .figures import get_cost

WORKERS = 2
CONNECTIONS = 8
SIZES = (1000, 50000)
REQUESTS = 2000
TWILIO_REQUESTS = 300
ROUNDS = 4
DRAINED = 15000
DRAINS = 3
# What two equal measurements may differ by.
NOISE = 0.15


class _Costs:
    """Best of several measurements of one kind of request."""

    def __init__(self):
        self.rate = 0
        self.odoo = self.postgres = float("inf")

    def add(self, found, count):
        """Add a measurement of `count` requests."""
        self.rate = max(self.rate, count / found["seconds"])
        self.odoo = min(self.odoo, 1000 * found["odoo"] / count)
        self.postgres = min(self.postgres, 1000 * found["postgres"] / count)

    @property
    def total(self):
        """Milliseconds of processor time of one request."""
        return self.odoo + self.postgres

    def describe(self, name):
        """Return the figures in one line."""
        return (
            f"{name}: {self.rate:,.0f} requests/s, {self.odoo:.2f} ms of Odoo's CPU and"
            f" {self.postgres:.2f} ms of PostgreSQL's each"
        )


def _write_reports(token, ids):
    """Return requests as OVHcloud makes them: one report on each of these SMS."""
    draw = random.Random(20260101)
    fixed = {"ptt": 4, "description": 1, "descriptionDlr": "Success"}

    def write(sms_ovh_id):
        date = f"2026010112{draw.randrange(60):02d}00"
        query = urlencode({"id": sms_ovh_id, "date": date, **fixed})
        return ["GET", f"/sms_ovh/{token}/delivery?{query}", {}, ""]

    return [write(sms_ovh_id) for sms_ovh_id in ids]


def _write_twilio_reports(signed):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(twilio.REPORT)
    return [
        [
            "POST",
            f"/sms_twilio/status/{uuid}",
            {**form, "X-Twilio-Signature": sign},
            body,
        ]
        for uuid, sign in signed
    ]


def _load(server, requests, costs, figures):
    """Send `requests` and add what they cost."""
    found = server.load(requests, CONNECTIONS)
    figures.expect("requests that failed", found["failed"], 0)
    costs.add(found, len(requests))


def _drain(machines, database, account_id, ids, size, figures):
    """Drain a report on each of these SMS, among `size` traces; return its cost, and rate."""
    found = machines.run("drain", database, account_id=account_id, ids=ids)
    count = len(ids)
    figures.expect("reports by state", found["states"], {"done": count})
    cost = get_cost(found, count)
    rate = count / found["wall"]
    figures.note(
        f"draining {count:,} reports among {size:,} traces: {rate:,.0f}/s,"
        f" {cost:.3f} ms of CPU and {found['queries'] / count:.3f} queries each"
    )
    return cost, rate


def _measure_requests(machines, databases, token, ids, signed, figures):
    """Measure the three routes, in turns, among few and among many traces.

    :param dict databases: by number of traces, as are OVHcloud's ``ids`` and the UUID and
        signature of Twilio's reports, ``signed``
    :return: costs of /web/health, of Twilio's route and of ours, by number of traces
    """
    draw = random.Random(20260101)
    routes = ("/web/health", "sms_twilio", "ours")
    costs = {name: {size: _Costs() for size in databases} for name in routes}
    health_requests = [["GET", "/web/health", {}, ""]] * REQUESTS
    with contextlib.ExitStack() as stack:
        servers = {
            size: stack.enter_context(machines.server(database, WORKERS))
            for size, database in databases.items()
        }
        for number in range(ROUNDS):
            for size, server in servers.items():
                first = number * TWILIO_REQUESTS
                some = signed[size][first : first + TWILIO_REQUESTS]
                chosen = draw.choices(ids[size], k=REQUESTS)
                for name, requests in (
                    ("/web/health", health_requests),
                    ("ours", _write_reports(token, chosen)),
                    ("sms_twilio", _write_twilio_reports(some)),
                ):
                    _load(server, requests, costs[name][size], figures)
    return costs


def inbox(machines, figures):
    """Delivery reports: CPU against Twilio's, rate against /web/health, and draining."""
    few, many = SIZES
    database = machines.database(ADDON, "sms_twilio")
    api_url = machines.simulator(0).api_url
    token, account_id, twilio_id = machines.run(
        "set_up_reports", database, api_url=api_url
    )
    databases = {few: database, many: machines.copy_database(database)}
    ids, signed = {}, {}
    for size, name in databases.items():
        ids[size] = machines.run("add_sent", name, account_id=account_id, count=size)
        count = ROUNDS * TWILIO_REQUESTS
        signed[size] = machines.run(
            "add_twilio_sent", name, company_id=twilio_id, count=count
        )
    costs = _measure_requests(machines, databases, token, ids, signed, figures)
    health, twilio_costs, ours = costs.values()
    received = sum(machines.run("count_events", name) for name in databases.values())
    drained, rate = {}, 0
    for number in range(DRAINS):
        for size, name in databases.items():
            if size == few and number:
                machines.run("clear", name)
                ids[size] = machines.run(
                    "add_sent", name, account_id=account_id, count=size
                )
            some, ids[size] = ids[size][:DRAINED], ids[size][DRAINED:]
            cost, rate_now = _drain(machines, name, account_id, some, size, figures)
            drained[size] = min(cost, drained.get(size, cost))
            rate = max(rate, rate_now)
    for size in SIZES:
        for name, found in costs.items():
            figures.note(found[size].describe(f"{name} among {size:,} traces"))
    figures.equal("reports in the inbox", received, ROUNDS * REQUESTS * len(SIZES))
    for size in SIZES:
        figures.at_most(
            f"CPU of a report to Twilio's among {size:,} traces",
            ours[size].total / twilio_costs[size].total,
            0.25,
            "x",
        )
    figures.at_least(
        "requests/s to those of /web/health",
        max(ours[size].rate / health[size].rate for size in SIZES),
        0.85,
        "x",
    )
    totals = {size: ours[size].total for size in SIZES}
    figures.flat("CPU of a report received", totals, NOISE, " ms")
    figures.flat("CPU of a report drained", drained, NOISE, " ms")
    figures.at_least("reports drained a second", rate, 2000)

"""The inbox: what receiving and treating delivery reports costs."""

import random
from urllib.parse import urlencode

from ovh_simulator import seed
from provision.checkout import ADDON

from . import twilio
from .machines import KEYS

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
    requests = []
    for sms_ovh_id in ids:
        query = urlencode(
            {
                "id": sms_ovh_id,
                "ptt": 4,
                "date": f"2026010112{draw.randrange(60):02d}00",
                "description": 1,
                "descriptionDlr": "Success",
            }
        )
        requests.append(["GET", f"/sms_ovh/{token}/delivery?{query}", {}, ""])
    return requests


def _write_twilio_reports(signed):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(twilio.REPORT)
    return [
        [
            "POST",
            f"/sms_twilio/status/{uuid}",
            {**headers, "X-Twilio-Signature": signature},
            body,
        ]
        for uuid, signature in signed
    ]


def _load(server, requests, costs, figures):
    """Send `requests` and add what they cost."""
    found = server.load(requests, CONNECTIONS)
    if found["failed"]:
        figures.equal("requests that failed", found["failed"], 0)
    costs.add(found, len(requests))


def _drain(machines, database, account_id, ids, size, figures):
    """Measure the draining of one report on each of these SMS.

    :param int size: traces that there are
    :return: milliseconds of processor time a report, and reports a second
    """
    found = machines.run("drain", database, account_id=account_id, ids=ids)
    count = len(ids)
    if found["states"] != {"done": count}:
        figures.equal("reports by state", found["states"], {"done": count})
    cost = 1000 * (found["cpu"] + found["postgres"]) / count
    rate = count / found["wall"]
    figures.note(
        f"draining {count:,} reports among {size:,} traces: {rate:,.0f}/s,"
        f" {cost:.3f} ms of CPU and {found['queries'] / count:.3f} queries each"
    )
    return cost, rate


def inbox(machines, figures):
    """Delivery reports: CPU against Twilio's, rate against /web/health, and draining."""
    database = machines.database(ADDON, "sms_twilio")
    token, account_id, twilio_id = machines.run(
        "set_up_reports", database, keys=KEYS, service_name=seed.SERVICE_1
    )
    health, twilio_costs = _Costs(), _Costs()
    ours = {size: _Costs() for size in SIZES}
    drained, rates = {}, {}
    received = expected = 0
    draw = random.Random(20260101)
    health_requests = [["GET", "/web/health", {}, ""]] * REQUESTS
    for size in SIZES:
        machines.run("clear", database)
        ids = machines.run("add_sent", database, account_id=account_id, count=size)
        signed = []
        if size == SIZES[0]:
            signed = machines.run(
                "add_twilio_sent",
                database,
                company_id=twilio_id,
                count=ROUNDS * TWILIO_REQUESTS,
            )
        with machines.server(database, WORKERS) as server:
            for __ in range(ROUNDS):
                _load(server, health_requests, health, figures)
                requests = _write_reports(token, draw.choices(ids, k=REQUESTS))
                _load(server, requests, ours[size], figures)
                expected += REQUESTS
                if signed:
                    requests = _write_twilio_reports(signed[:TWILIO_REQUESTS])
                    del signed[:TWILIO_REQUESTS]
                    _load(server, requests, twilio_costs, figures)
        received += machines.run("count_events", database)
        measured = []
        draw.shuffle(ids)
        for number in range(DRAINS):
            if size <= DRAINED and number:
                machines.run("clear", database)
                arguments = {"account_id": account_id, "count": size}
                ids = machines.run("add_sent", database, **arguments)
            some, ids = ids[:DRAINED], ids[DRAINED:]
            measured.append(
                _drain(machines, database, account_id, some, size, figures)
            )
        drained[size] = min(cost for cost, __ in measured)
        rates[size] = max(rate for __, rate in measured)
    first, *__, last = SIZES
    figures.note(health.describe("/web/health"))
    figures.note(twilio_costs.describe("sms_twilio's route"))
    for size in SIZES:
        figures.note(ours[size].describe(f"ours among {size:,} traces"))
    figures.equal("reports in the inbox", received, expected)
    figures.at_most(
        "CPU of a report to Twilio's", ours[first].total / twilio_costs.total, 0.25, "x"
    )
    figures.at_least(
        "requests/s to those of /web/health",
        max(costs.rate for costs in ours.values()) / health.rate,
        0.85,
        "x",
    )
    totals = {size: ours[size].total for size in SIZES}
    figures.flat("CPU of a report received", totals, NOISE, " ms")
    figures.flat("CPU of a report drained", drained, NOISE, " ms")
    figures.at_least("reports drained a second", rates[last], 2000)

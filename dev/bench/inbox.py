"""The inbox: what receiving and treating delivery reports costs."""

import contextlib
import random
from urllib.parse import urlencode

from provision.checkout import ADDON

from . import twilio

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


def _measure_requests(machines, databases, token, ids, signed, figures):
    """Measure the three routes, in turns, among few and among many traces.

    :param dict databases: by number of traces
    :param dict ids: OVHcloud's ids, likewise
    :param dict signed: UUID and signature of Twilio's reports, likewise
    :return: costs of /web/health, of Twilio's route and of ours, by number of traces
    """
    draw = random.Random(20260101)
    health, twilio_costs, ours = (
        {size: _Costs() for size in databases} for __ in range(3)
    )
    health_requests = [["GET", "/web/health", {}, ""]] * REQUESTS
    with contextlib.ExitStack() as stack:
        servers = {
            size: stack.enter_context(machines.server(database, WORKERS))
            for size, database in databases.items()
        }
        for number in range(ROUNDS):
            for size, server in servers.items():
                _load(server, health_requests, health[size], figures)
                requests = _write_reports(token, draw.choices(ids[size], k=REQUESTS))
                _load(server, requests, ours[size], figures)
                first = number * TWILIO_REQUESTS
                some = signed[size][first : first + TWILIO_REQUESTS]
                requests = _write_twilio_reports(some)
                _load(server, requests, twilio_costs[size], figures)
    return health, twilio_costs, ours


def inbox(machines, figures):
    """Delivery reports: CPU against Twilio's, rate against /web/health, and draining."""
    few, many = SIZES
    database = machines.database(ADDON, "sms_twilio")
    token, account_id, twilio_id = machines.run("set_up_reports", database)
    databases = {few: database, many: machines.copy_database(database)}
    ids, signed = {}, {}
    for size, name in databases.items():
        ids[size] = machines.run("add_sent", name, account_id=account_id, count=size)
        count = ROUNDS * TWILIO_REQUESTS
        signed[size] = machines.run(
            "add_twilio_sent", name, company_id=twilio_id, count=count
        )
    health, twilio_costs, ours = _measure_requests(
        machines, databases, token, ids, signed, figures
    )
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
        figures.note(health[size].describe(f"/web/health among {size:,} traces"))
        figures.note(twilio_costs[size].describe(f"sms_twilio among {size:,} traces"))
        figures.note(ours[size].describe(f"ours among {size:,} traces"))
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

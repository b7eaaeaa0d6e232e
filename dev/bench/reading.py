"""Reading many SMS back from OVHcloud: calls and seconds, with batches and without."""

from ovh_simulator.seed import SERVICE_1

LATENCY_MS = 100
RECONCILED = 500
POLLED = 10000
STOPS = 50000
# Seconds that reading all of them may take, with batches.
STOP_SECONDS = 30
# Value of the simulator's `batch_refused`: one by one is how all was read before.
READINGS = {"with batches": None, "one by one": "."}


def _measure(machines, database, simulator, name, refused, **arguments):
    """Have Odoo read something, and count the calls that it took.

    :param str name: of :mod:`bench.inside`
    :param refused: value of the simulator's ``batch_refused``
    :return: (what was measured, calls)
    """
    simulator.configure(batch_refused=refused)
    before = sum(simulator.get_requests().values())
    found = machines.run(name, database, **arguments)
    return found, sum(simulator.get_requests().values()) - before


def reading(machines, figures):
    """Reconcile a job of 500, poll 10,000 SMS, read 50,000 STOP, at 100 ms a call."""
    simulator = machines.simulator(LATENCY_MS)
    database = machines.ovh_database(simulator)
    for label, refused in READINGS.items():
        machines.simulator(LATENCY_MS)
        machines.run("clear", database)
        # Nobody is sent to who is on the blacklist of the round before.
        machines.run("clear_stops", database)
        machines.run("queue", database, count=RECONCILED, same=True)
        simulator.order_faults({"kind": "502_html", "path": "/jobs$", "accept": True})
        machines.run("send", database)
        found, calls = _measure(machines, database, simulator, "reconcile", refused)
        figures.note(
            f"reconciling a job of {RECONCILED}, {label}: {calls} calls,"
            f" {found['wall']:.1f} s"
        )
        figures.equal("its state", found["states"], {"accepted": 1})
        if refused is None:
            figures.at_most("calls to reconcile it", calls, 15)

        machines.simulator(LATENCY_MS)
        machines.run("clear", database)
        machines.run("queue", database, count=POLLED, same=True)
        machines.run("send", database)
        found, calls = _measure(machines, database, simulator, "poll", refused)
        figures.note(
            f"polling {POLLED:,} SMS, {label}: {calls} calls, {found['wall']:.1f} s"
        )
        figures.equal("their states", found["states"], {"sent": POLLED})

        machines.simulator(LATENCY_MS)
        machines.run("clear_stops", database)
        simulator.add_stops(
            SERVICE_1, [f"+336{10000000 + index}" for index in range(STOPS)]
        )
        found, calls = _measure(machines, database, simulator, "read_stops", refused)
        figures.note(
            f"reading {STOPS:,} STOP, {label}: {calls} calls, {found['wall']:.1f} s"
        )
        figures.at_least("numbers on the blacklist", found["count"], STOPS)
        if refused is None:
            figures.at_most("seconds to read them", found["wall"], STOP_SECONDS, " s")

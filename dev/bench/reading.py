"""Reading many SMS back from OVHcloud: calls and seconds, with batches and without."""

from ovh_simulator.seed import SERVICE_1

LATENCY_MS = 100
RECONCILED = 500
POLLED = 10000
STOPS = 50000
# Seconds that reading all of them may take, with batches.
STOP_SECONDS = 30
LOST_ANSWER = {"kind": "502_html", "path": "/jobs$", "accept": True}
# Value of the simulator's `batch_refused`: one by one is how all was read before.
READINGS = {"with batches": None, "one by one": "."}


def reading(machines, figures):
    """Reconcile a job of 500, poll 10,000 SMS, read 50,000 STOP, at 100 ms a call."""
    simulator = machines.simulator(LATENCY_MS)
    database = machines.ovh_database(simulator)

    def measure(name, what, label, refused):
        """Have Odoo read something; return what was measured, and the calls it took."""
        simulator.configure(batch_refused=refused)
        before = sum(simulator.get_requests().values())
        found = machines.run(name, database)
        calls = sum(simulator.get_requests().values()) - before
        figures.note(f"{what}, {label}: {calls} calls, {found['wall']:.1f} s")
        return found, calls

    def send(count, *faults):
        machines.simulator(LATENCY_MS)
        machines.run("clear", database)
        machines.run("queue", database, count=count, same=True)
        simulator.order_faults(*faults)
        machines.run("send", database)

    for way in READINGS.items():
        # Nobody is sent to who is on the blacklist of the round before.
        machines.run("clear_stops", database)
        send(RECONCILED, LOST_ANSWER)
        what = f"reconciling a job of {RECONCILED}"
        found, calls = measure("reconcile", what, *way)
        figures.equal("its state", found["states"], {"accepted": 1})
        if way[1] is None:
            figures.at_most("calls to reconcile it", calls, 15)

        send(POLLED)
        found, __ = measure("poll", f"polling {POLLED:,} SMS", *way)
        figures.equal("their states", found["states"], {"sent": POLLED})

        machines.simulator(LATENCY_MS)
        machines.run("clear_stops", database)
        numbers = [f"+336{10000000 + index}" for index in range(STOPS)]
        simulator.add_stops(SERVICE_1, numbers)
        found, __ = measure("read_stops", f"reading {STOPS:,} STOP", *way)
        figures.at_least("numbers on the blacklist", found["count"], STOPS)
        if way[1] is None:
            figures.at_most("seconds to read them", found["wall"], STOP_SECONDS, " s")

"""The dashboard: how long its server method takes, by the SMS in the database."""

import statistics

SIZES = (5000, 50000, 500000)
BOUND = 100


def opening(machines, figures, sizes=SIZES):
    """The dashboard's figures, with 5,000 to 500,000 SMS of the last 30 days.

    Each size in a new process of Odoo: its first opening, and those that follow. The
    SMS are all of the period that is shown, which is the worst that can be. At last,
    all of the largest size are in Odoo's queue, too, as if they had been sent today.
    """
    database = machines.ovh_database(machines.simulator(0))
    usual = {}

    def measure(size, text):
        found = machines.run("open_dashboard", database)
        median = statistics.median(found["next"])
        figures.note(
            f"{size:,} SMS{text}: {found['first']:,.0f} ms the first time in a process,"
            f" {median:,.0f} ms afterwards, {found['queries']} queries"
        )
        if found["sent"] != size:
            figures.equal("SMS counted", found["sent"], size)
        return found["first"], median

    for size in sizes:
        machines.run("clear", database)
        machines.run("fill_log", database, count=size)
        __, usual[size] = measure(size, "")
    machines.run("fill_queue", database)
    first, __ = measure(size, ", all of them today")
    figures.at_most(f"first opening with {size:,} SMS of today", first, 1000, " ms")
    few, many = sizes[0], sizes[-1]
    for size in (few, many):
        figures.at_most(f"openings with {size:,} SMS", usual[size], BOUND, " ms")
    figures.note(f"{many:,} SMS to {few:,}: {usual[many] / usual[few]:,.1f}x")
    machines.run("clear", database)

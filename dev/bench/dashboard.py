"""The dashboard: how long its server method takes, by the SMS in the database."""

import statistics

SIZES = (5000, 50000, 500000)


def opening(machines, figures, sizes=SIZES):
    """The dashboard's figures, with 5,000 to 500,000 SMS of the last 30 days.

    Each size in a new process of Odoo: its first opening, and those that follow. The
    SMS are all of the period that is shown, which is the worst that can be.
    """
    database = machines.ovh_database(machines.simulator(0))
    usual = {}
    for size in sizes:
        machines.run("clear", database)
        machines.run("fill_log", database, count=size)
        found = machines.run("open_dashboard", database)
        usual[size] = statistics.median(found["next"])
        figures.note(
            f"{size:,} SMS: {found['first']:,.0f} ms the first time in a process,"
            f" {usual[size]:,.0f} ms afterwards, {found['queries']} queries"
        )
        if found["sent"] != size:
            figures.equal("SMS counted", found["sent"], size)
    figures.at_most(f"first opening with {size:,} SMS", found["first"], 1000, " ms")
    slope = (usual[size] - usual[sizes[0]]) / (size - sizes[0]) * 100000
    figures.note(f"slope: {slope:,.0f} ms for each 100,000 SMS more")
    machines.run("clear", database)

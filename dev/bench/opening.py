"""What a user opens: how long its server method takes, by the SMS in the database."""

import statistics

DASHBOARD_SIZES = (5000, 50000, 500000)
PROGRESS_SIZES = (5000, 50000)


def _describe(figures, what, found):
    """Print how long something took, and return its usual milliseconds."""
    usual = statistics.median(found["next"])
    figures.note(
        f"{what}: {found['first']:,.0f} ms the first time in a process,"
        f" {usual:,.0f} ms afterwards, {found['queries']} queries"
    )
    return usual


def dashboard(machines, figures, sizes=DASHBOARD_SIZES):
    """The dashboard's figures, with 5,000 to 500,000 SMS of the last 30 days.

    Each size in a new process of Odoo: its first opening, and those that follow. The
    SMS are all of the period that is shown, which is the worst that can be. At last,
    all of the largest size are in Odoo's queue, too, as if they had been sent today.
    """
    database = machines.ovh_database(machines.simulator(0))
    usual = {}

    def measure(size, text):
        found = machines.run("open_dashboard", database)
        figures.expect("SMS counted", found["sent"], size)
        return found["first"], _describe(figures, f"{size:,} SMS{text}", found)

    for size in sizes:
        machines.run("clear", database)
        machines.run("fill_log", database, count=size)
        __, usual[size] = measure(size, "")
    machines.run("fill_queue", database)
    first, __ = measure(size, ", all of them today")
    figures.at_most(f"first opening with {size:,} SMS of today", first, 1000, " ms")
    few, many = sizes[0], sizes[-1]
    for size in (few, many):
        figures.at_most(f"openings with {size:,} SMS", usual[size], 100, " ms")
    figures.note(f"{many:,} SMS to {few:,}: {usual[many] / usual[few]:,.1f}x")
    machines.run("clear", database)


def progress(machines, figures, sizes=PROGRESS_SIZES):
    """The progress of a campaign with 5,000 and 50,000 failures that can be retried."""
    database = machines.ovh_database(machines.simulator(0))
    for size in sizes:
        machines.run("clear", database)
        mailing_id = machines.run("fill_failures", database, count=size)
        found = machines.run("open_progress", database, mailing_id=mailing_id)
        usual = _describe(figures, f"{size:,} failures", found)
        figures.expect("SMS that can be retried", found["retryable"], size)
    figures.at_most(f"progress with {size:,} failures", usual, 60, " ms")
    machines.run("clear", database)

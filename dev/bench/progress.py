"""The progress of a campaign: how long its server method takes, by its failures."""

import statistics

SIZES = (5000, 50000)


def progress(machines, figures, sizes=SIZES):
    """The progress of a campaign with 5,000 and 50,000 failures that can be retried."""
    database = machines.ovh_database(machines.simulator(0))
    for size in sizes:
        machines.run("clear", database)
        mailing_id = machines.run("fill_failures", database, count=size)
        found = machines.run("open_progress", database, mailing_id=mailing_id)
        usual = statistics.median(found["next"])
        figures.note(
            f"{size:,} failures: {found['first']:,.0f} ms the first time in a process,"
            f" {usual:,.0f} ms afterwards, {found['queries']} queries"
        )
        if found["retryable"] != size:
            figures.equal("SMS that can be retried", found["retryable"], size)
    figures.at_most(f"progress with {size:,} failures", usual, 60, " ms")
    machines.run("clear", database)

"""Estimating: how long one waits to know what a campaign comes to."""

SIZES = (1000, 10000)
ROUNDS = 2
# Seconds that the larger one may take.
TARGET = 60
# MiB that it may take on top of what Odoo has: no more than a slice and the numbers.
MEMORY = 40
# How much more one recipient of the larger list may cost: what one machine's moods make
# of two equal measurements.
NOISE = 0.25


def estimate(machines, figures):
    """Seconds to estimate campaigns to 1,000 and 10,000, with placeholders and a link."""
    database = machines.ovh_database(machines.simulator(0))
    lists = {
        size: machines.run("add_recipients", database, count=size) for size in SIZES
    }
    best = {}
    memory = 0
    for size in SIZES:
        for __ in range(ROUNDS):
            machines.run("clear", database)
            found = machines.run("estimate", database, list_id=lists[size])
            figures.note(
                f"{size:,} recipients, {found['segments']:,} SMS: {found['wall']:.1f} s,"
                f" of which {found['cpu']:.1f} s of Odoo's CPU and"
                f" {found['postgres']:.1f} s of PostgreSQL's; {found['memory']:.0f} MiB"
                " more of memory"
            )
            if found["state"] != "done" or found["count"] != size:
                figures.equal("recipients estimated", found["count"], size)
            memory = max(memory, found["memory"])
            cost = 1000 * (found["cpu"] + found["postgres"]) / size
            if size not in best or cost < best[size][0]:
                best[size] = cost, found["wall"]
    figures.at_most(
        f"estimate of {SIZES[-1]:,} recipients", best[SIZES[-1]][1], TARGET, " s"
    )
    figures.at_most("memory for it", memory, MEMORY, " MiB")
    figures.flat(
        "ms of CPU per recipient",
        {size: cost for size, (cost, __) in best.items()},
        NOISE,
        " ms",
    )

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
# How much of the time an estimate may take that it took before numbers were cleaned, and
# what placeholders fill in was written in GSM-7.
RATIO = 1.0


def cleaning(machines, figures):
    """What cleaning numbers and writing in GSM-7 add to an estimate of 10,000."""
    database = machines.ovh_database(machines.simulator(0))
    size = SIZES[-1]
    list_id = machines.run("add_recipients", database, count=size)
    machines.run("accent_names", database, list_id=list_id)
    runs = {
        "before": {"cleaning": False},
        "nothing in GSM-7": {"choice": "off"},
        "placeholders in GSM-7": {"choice": "placeholders"},
        "all in GSM-7": {"choice": "all"},
    }
    best = dict.fromkeys(runs, float("inf"))
    # In turns, so that the machine's moods meet each of them.
    for __ in range(ROUNDS + 1):
        for name, values in runs.items():
            machines.run("clear", database)
            found = machines.run("estimate", database, list_id=list_id, **values)
            figures.equal(f"recipients estimated, {name}", found["count"], size)
            best[name] = min(best[name], found["cpu"] + found["postgres"])
    for name, seconds in best.items():
        figures.note(f"{name}: {seconds:.2f} s of CPU")
    for name in list(runs)[1:]:
        ratio = best[name] / best["before"]
        figures.at_most(f"of the time before, {name}", ratio, RATIO + NOISE / 5)


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

"""Composing: what it costs to make a campaign's SMS, against Odoo's own way."""

SIZES = (1000, 10000, 100000)
CORE_SIZES = (1000, 10000)
ROUNDS = 2
# How much more one SMS of the largest campaign may cost, and ours than Odoo's own: what
# one machine's moods make of two equal measurements.
NOISE = 0.15


def compose(machines, figures):
    """Milliseconds per SMS composed, at 1,000, 10,000 and 100,000 recipients."""
    plain = machines.database()
    ovh = machines.ovh_database(machines.simulator(0))
    lists = {
        database: {
            size: machines.run("add_recipients", database, count=size) for size in sizes
        }
        for database, sizes in ((plain, CORE_SIZES), (ovh, SIZES))
    }
    best = {plain: {}, ovh: {}}
    for name, database, size in (
        *(
            (name, database, size)
            for size in CORE_SIZES
            for __ in range(ROUNDS)
            for name, database in (("Odoo without the addon", plain), ("ours", ovh))
        ),
        ("ours", ovh, SIZES[-1]),
    ):
        machines.run("clear", database)
        found = machines.run("compose", database, list_id=lists[database][size])
        if found["count"] != size:
            figures.equal(f"SMS composed by {name}", found["count"], size)
        cost = 1000 * (found["cpu"] + found["postgres"]) / size
        figures.note(
            f"{name}: {size:,} SMS, {1000 * found['wall'] / size:.3f} ms each, of which"
            f" {1000 * found['cpu'] / size:.3f} ms of Odoo's CPU and"
            f" {1000 * found['postgres'] / size:.3f} ms of PostgreSQL's"
        )
        best[database][size] = min(best[database].get(size, cost), cost)
    figures.flat("ms of CPU per SMS", best[ovh], NOISE, " ms")
    for size in CORE_SIZES:
        figures.at_most(
            f"ours to Odoo without the addon at {size:,}",
            best[ovh][size] / best[plain][size],
            1 + NOISE,
            "x",
        )

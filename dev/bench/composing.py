"""Composing: what it costs to make a campaign's SMS, against Odoo's own way."""

SIZES = (1000, 10000, 100000)
CORE_SIZES = (1000, 10000)
# How much more one SMS of the largest campaign may cost, and ours than Odoo's own: what
# one machine's moods make of two equal measurements.
NOISE = 0.15


def compose(machines, figures):
    """Milliseconds per SMS composed, at 1,000, 10,000 and 100,000 recipients."""
    ovh = machines.ovh_database(machines.simulator(0))
    lists = {size: machines.run("add_recipients", ovh, count=size) for size in SIZES}
    costs = {}
    for name, on, sizes in (("Odoo's own way", False, CORE_SIZES), ("ours", True, SIZES)):
        machines.run("set_sending_account", ovh, on=on)
        costs[name] = {}
        for size in sizes:
            machines.run("clear", ovh)
            found = machines.run("compose", ovh, list_id=lists[size])
            if found["count"] != size:
                figures.equal(f"SMS composed by {name}", found["count"], size)
            costs[name][size] = 1000 * found["wall"] / size
            figures.note(
                f"{name}: {size:,} SMS, {costs[name][size]:.3f} ms each, of which"
                f" {1000 * found['cpu'] / size:.3f} ms of Odoo's CPU"
            )
    core, ours = costs.values()
    figures.flat("ms per SMS", ours, NOISE, " ms")
    for size in CORE_SIZES:
        figures.at_most(
            f"ours to Odoo's own way at {size:,}", ours[size] / core[size], 1 + NOISE, "x"
        )

"""What it costs to make a campaign's SMS, and to know before what they come to."""

from .figures import get_cost

SIZES = (1000, 10000, 100000)
CORE_SIZES = (1000, 10000)
ROUNDS = 2
# How much more one SMS of the largest campaign may cost, and ours than Odoo's own: what
# one machine's moods make of two equal measurements. An estimate's are larger.
NOISE = 0.15
ESTIMATE_NOISE = 0.25
# Seconds that the larger estimate may take.
TARGET = 60
# MiB that it may take on top of what Odoo has: no more than a slice and the numbers.
MEMORY = 40
# How much of the time an estimate may take that it took before numbers were cleaned, and
# what placeholders fill in was written in GSM-7.
RATIO = 1.05


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
    both = (("Odoo without the addon", plain), ("ours", ovh))
    turns = [(*each, size) for size in CORE_SIZES for each in both * ROUNDS]
    for name, database, size in (*turns, ("ours", ovh, SIZES[-1])):
        machines.run("clear", database)
        found = machines.run("compose", database, list_id=lists[database][size])
        figures.expect(f"SMS composed by {name}", found["count"], size)
        cost = get_cost(found, size)
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


def cleaning(machines, figures):
    """What cleaning numbers and writing in GSM-7 add to an estimate of 10,000."""
    database = machines.ovh_database(machines.simulator(0))
    size = CORE_SIZES[-1]
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
        figures.at_most(f"of the time before, {name}", ratio, RATIO)


def estimate(machines, figures):
    """Seconds to estimate campaigns to 1,000 and 10,000, with placeholders and a link."""
    database = machines.ovh_database(machines.simulator(0))
    lists = {
        size: machines.run("add_recipients", database, count=size)
        for size in CORE_SIZES
    }
    best = {}
    memory = 0
    for size in CORE_SIZES:
        for __ in range(ROUNDS):
            machines.run("clear", database)
            found = machines.run("estimate", database, list_id=lists[size])
            figures.note(
                f"{size:,} recipients, {found['segments']:,} SMS: {found['wall']:.1f} s,"
                f" of which {found['cpu']:.1f} s of Odoo's CPU and"
                f" {found['postgres']:.1f} s of PostgreSQL's; {found['memory']:.0f} MiB"
                " more of memory"
            )
            reached = found["state"], found["count"]
            figures.expect("recipients estimated", reached, ("done", size))
            memory = max(memory, found["memory"])
            cost = get_cost(found, size), found["wall"]
            best[size] = min(best.get(size, cost), cost)
    wall = best[CORE_SIZES[-1]][1]
    figures.at_most(f"estimate of {CORE_SIZES[-1]:,} recipients", wall, TARGET, " s")
    figures.at_most("memory for it", memory, MEMORY, " MiB")
    costs = {size: cost for size, (cost, __) in best.items()}
    figures.flat("ms of CPU per recipient", costs, ESTIMATE_NOISE, " ms")

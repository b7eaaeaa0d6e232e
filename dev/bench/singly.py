"""SMS that are sent one by one in one transaction, as an automation rule does."""

from .sending import LATENCY_MS


def singly(machines, figures, count=40, rounds=5):
    """40 sends of one SMS in one transaction, against one send of 40, to the commit's end.

    In turns, and the best of each. What the commit leaves to the scheduled action is
    sent by that, and all of it is.
    """
    ovh = machines.ovh_database(machines.simulator(LATENCY_MS))
    best = {}
    for __ in range(rounds):
        for name, one_by_one in (("at once", False), ("one by one", True)):
            machines.run("clear", ovh)
            found = machines.run(
                "send_as_user", ovh, count=count, one_by_one=one_by_one
            )
            best[name] = min(best.get(name, found["wall"]), found["wall"])
            if found["states"] != {"pending": count}:
                figures.equal(f"{name}, states", found["states"], {"pending": count})
    for name, wall in best.items():
        figures.note(f"{count} SMS {name}: {1000 * wall:,.0f} ms")
    ratio = best["one by one"] / best["at once"]
    figures.at_most("time one by one to at once", ratio, 2, "x")

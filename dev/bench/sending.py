"""Sending: SMS per second, against Odoo's own providers at the same latency."""

LATENCY_MS = 100
THREADS = 16


def _send(machines, figures, name, database, count, same, **arguments):
    """Queue and send a campaign; return what :func:`bench.inside.send` measured."""
    machines.run("clear", database)
    machines.run("queue", database, count=count, same=same)
    found = machines.run("send", database, **arguments)
    figures.note(
        f"{name}: {count / found['wall']:,.0f} SMS/s,"
        f" {1000 * found['cpu'] / count:.3f} ms of Odoo's CPU,"
        f" {1000 * found['postgres'] / count:.3f} ms of PostgreSQL's and"
        f" {found['queries'] / count:.2f} queries per SMS"
    )
    figures.expect(f"{name}, states", found["states"], {"pending": count})
    return found


def same_text(machines, figures, count=10000, rounds=3):
    """One text, 10,000 recipients: against Odoo's IAP provider.

    In turns, and the best of each, so that a busy moment of the machine does not weigh
    on one of them only.
    """
    iap = machines.database()
    machines.run("set_up_iap", iap, root=machines.standins(LATENCY_MS))
    ovh = machines.ovh_database(machines.simulator(LATENCY_MS))
    best = {}
    for __ in range(rounds):
        for name, database in (("IAP", iap), ("OVHcloud", ovh)):
            found = _send(machines, figures, name, database, count, same=True)
            best[name] = min(best.get(name, found["wall"]), found["wall"])
    ratio = best["IAP"] / best["OVHcloud"]
    figures.at_least("OVHcloud's SMS/s to IAP's", ratio, 2, "x")


def different_texts(machines, figures, count=1000, twilio_count=200, rounds=3):
    """A different text each: against Odoo's Twilio provider, and what 16 threads can.

    The best of some rounds of ours: the bound leaves no room for a busy machine.
    """
    twilio = machines.database("sms_twilio")
    root = machines.standins(LATENCY_MS)
    machines.run("set_up_twilio", twilio)
    found = _send(
        machines,
        figures,
        "Twilio",
        twilio,
        twilio_count,
        same=False,
        twilio_root=root,
    )
    twilio_rate = twilio_count / found["wall"]
    ovh = machines.ovh_database(machines.simulator(LATENCY_MS))
    best = min(
        _send(machines, figures, "OVHcloud", ovh, count, same=False)["wall"]
        for __ in range(rounds)
    )
    ratio = count / best / twilio_rate
    figures.at_least("OVHcloud's SMS/s to Twilio's", ratio, 14, "x")
    bound = count * LATENCY_MS / 1000 / THREADS
    figures.at_most(f"time to the bound of {bound:.2f} s", best / bound, 1.25, "x")


def memory(machines, figures, sizes=(10000, 50000)):
    """Memory of the process that sends 10,000 and 50,000 SMS, and its queries."""
    ovh = machines.ovh_database(machines.simulator(0))
    found = {
        size: _send(machines, figures, "OVHcloud", ovh, size, same=True)
        for size in sizes
    }
    first, last = found[sizes[0]]["memory"], found[sizes[-1]]["memory"]
    figures.at_most("memory over its start", last, 300, " MiB")
    # A process that has come this far grows a little by what Python keeps for itself.
    text = f"growth from {sizes[0]:,} to {sizes[-1]:,}"
    figures.at_most(text, last - first, 10, " MiB")
    queries = {size: found[size]["queries"] / size for size in sizes}
    figures.flat("queries per SMS", queries, 0.1)


def singly(machines, figures, count=40, rounds=5):
    """40 sends of one SMS in one transaction, against one send of 40, to the commit's end.

    As an automation rule sends. In turns, and the best of each. What the commit leaves to
    the scheduled action is sent by that, and all of it is.
    """
    ovh = machines.ovh_database(machines.simulator(LATENCY_MS))
    best = {}
    for __ in range(rounds):
        for name, one_by_one in (("at once", False), ("one by one", True)):
            machines.run("clear", ovh)
            values = {"count": count, "one_by_one": one_by_one}
            found = machines.run("send_as_user", ovh, **values)
            best[name] = min(best.get(name, found["wall"]), found["wall"])
            figures.expect(f"{name}, states", found["states"], {"pending": count})
    for name, wall in best.items():
        figures.note(f"{count} SMS {name}: {1000 * wall:,.0f} ms")
    ratio = best["one by one"] / best["at once"]
    figures.at_most("time one by one to at once", ratio, 2, "x")

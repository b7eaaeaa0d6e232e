"""Sending: SMS per second, against Odoo's own providers at the same latency."""

LATENCY_MS = 100
THREADS = 16


def _send(machines, database, count, same, **arguments):
    """Queue and send a campaign.

    :return: what :func:`bench.inside.send` measured
    """
    machines.run("clear", database)
    machines.run("queue", database, count=count, same=same)
    return machines.run("send", database, **arguments)


def _describe(name, count, found):
    return (
        f"{name}: {count / found['wall']:,.0f} SMS/s,"
        f" {1000 * found['cpu'] / count:.3f} ms of Odoo's CPU,"
        f" {1000 * found['postgres'] / count:.3f} ms of PostgreSQL's and"
        f" {found['queries'] / count:.2f} queries per SMS"
    )


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
            found = _send(machines, database, count, same=True)
            figures.note(_describe(name, count, found))
            if found["states"] != {"pending": count}:
                figures.equal(f"{name}, states", found["states"], {"pending": count})
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
    found = _send(machines, twilio, twilio_count, same=False, twilio_root=root)
    figures.note(_describe("Twilio", twilio_count, found))
    if found["states"] != {"pending": twilio_count}:
        figures.equal("Twilio, states", found["states"], {"pending": twilio_count})
    twilio_rate = twilio_count / found["wall"]
    ovh = machines.ovh_database(machines.simulator(LATENCY_MS))
    best = float("inf")
    for __ in range(rounds):
        found = _send(machines, ovh, count, same=False)
        figures.note(_describe("OVHcloud", count, found))
        if found["states"] != {"pending": count}:
            figures.equal("OVHcloud, states", found["states"], {"pending": count})
        best = min(best, found["wall"])
    figures.at_least(
        "OVHcloud's SMS/s to Twilio's", count / best / twilio_rate, 14, "x"
    )
    bound = count * LATENCY_MS / 1000 / THREADS
    figures.at_most(f"time to the bound of {bound:.2f} s", best / bound, 1.25, "x")


def memory(machines, figures, sizes=(10000, 50000)):
    """Memory of the process that sends 10,000 and 50,000 SMS, and its queries."""
    ovh = machines.ovh_database(machines.simulator(0))
    found = {size: _send(machines, ovh, size, same=True) for size in sizes}
    for size in sizes:
        figures.note(_describe("OVHcloud", size, found[size]))
        figures.equal("states", found[size]["states"], {"pending": size})
    figures.at_most("memory over its start", found[sizes[-1]]["memory"], 300, " MiB")
    # A process that has come this far grows a little by what Python keeps for itself.
    growth = found[sizes[-1]]["memory"] - found[sizes[0]]["memory"]
    figures.at_most(f"growth from {sizes[0]:,} to {sizes[-1]:,}", growth, 10, " MiB")
    figures.flat(
        "queries per SMS",
        {size: found[size]["queries"] / size for size in sizes},
        0.1,
    )

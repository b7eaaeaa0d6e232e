"""The checks that only read: each gives a reading of one fact, without ids or numbers."""

from urllib.parse import quote

from .client import Refused

# Nothing of this kind stands at OVHcloud, so nobody can tell.
NOTHING = "nothing there to tell by"
BATCH_LISTS = ("outgoing", "incoming", "jobs", "senders", "users", "blacklists")
BATCH_LISTS += ("virtualNumbers",)
NOBODY = "conformancenobody"


def _list(client, path):
    """Return a list of OVHcloud's as texts, empty where it is refused."""
    try:
        return [str(each) for each in client.get(path)]
    except (Refused, TypeError):
        return []


def service(client):
    """The service can be read, and is enabled."""
    try:
        return f"{client.get('')['status']}"
    except Refused as refused:
        return f"cannot be read: {refused}"


def batches(client):
    """Several objects are read in one call, by list (X-Ovh-Batch)."""
    for name in BATCH_LISTS:
        # One and another that is not there tell as well.
        other = "1" if name in ("outgoing", "incoming", "jobs") else NOBODY
        ids = [*_list(client, f"/{name}"), other][:2]
        if len(ids) < 2:
            yield name, NOTHING
            continue
        try:
            entries = client.get_batch(f"/{name}", ids)
        except Refused as refused:
            yield name, f"refused: {refused}"
            continue
        taken = isinstance(entries, list) and all(
            isinstance(entry, dict) and {"key", "value"} <= entry.keys()
            for entry in entries
        )
        yield name, "taken" if taken and len(entries) == len(ids) else "another answer"


def lists(client):
    """What API users and virtual numbers have is in the account's lists, too."""
    owners = {
        label: [f"{path}/{quote(each, safe='')}" for each in _list(client, path)]
        for label, path in (
            ("API users", "/users"),
            ("virtual numbers", "/virtualNumbers"),
        )
    }
    for label, prefixes in owners.items():
        for name in ("outgoing", "incoming"):
            own = {
                each
                for prefix in prefixes
                for each in _list(client, f"{prefix}/{name}")
            }
            held = own & set(_list(client, f"/{name}"))
            reading = "all" if held == own else "some" if held else "none"
            yield f"{name} of {label}", reading if own else NOTHING


def deferred(client):
    """What waits to leave is among the sent SMS, too."""
    waiting = set(_list(client, "/jobs"))
    if not waiting:
        return NOTHING
    held = waiting & set(_list(client, "/outgoing"))
    return "yes" if held == waiting else "some" if held else "no"


def missing(client):
    """What is answered for an object that does not exist."""
    try:
        client.get(f"/senders/{NOBODY}")
    except Refused as refused:
        return str(refused)
    return "an object"


def blacklist(client):
    """How the blacklist writes numbers."""
    numbers = _list(client, "/blacklists")
    forms = {
        "+" if number.startswith("+") else "00" if number.startswith("00") else "bare"
        for number in numbers
    }
    return ", ".join(sorted(forms)) or NOTHING


def times_of_users(client):
    """An API user's list of sent SMS takes no period, as described."""
    logins = _list(client, "/users")
    if not logins:
        return NOTHING
    period = {"creationDatetime.from": "2026-01-01T00:00:00+00:00"}
    try:
        client.get(f"/users/{quote(logins[0], safe='')}/outgoing", **period)
    except Refused as refused:
        return f"refused: {refused}"
    return "taken"


CHECKS = (service, batches, lists, deferred, times_of_users, missing, blacklist)

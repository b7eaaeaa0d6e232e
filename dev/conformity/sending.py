"""The checks that send: at most three SMS, shown and confirmed before."""

import re
import time
import uuid

from .client import Refused
from .reading import NOTHING

MOST = 3
TEXT = "Test OVHcloud / Odoo"
LISTED_WITHIN = 30  # seconds
DEFERRED_MINUTES = 60


def _get_sender(client):
    """Return how a job names the first sender that is enabled."""
    for name in client.get("/senders"):
        sender = client.get(f"/senders/{name}")
        if sender["status"] == "enable" and sender["type"] == "alpha":
            return {"sender": name}
    return {"senderForResponse": True}


def plan(numbers):
    """Return the jobs to send: label and content, which together are `MOST` SMS at most."""
    if not 1 <= len(numbers) <= MOST:
        raise SystemExit(f"Give --send from one to {MOST} times.")
    jobs = [("order", {"receivers": numbers, "noStopClause": True})]
    left = MOST - len(numbers)
    if left >= 1:
        content = {"receivers": numbers[:1], "differedPeriod": DEFERRED_MINUTES}
        jobs.append(("deferred", {**content, "noStopClause": True}))
    if left >= 2:
        # One or two, whichever OVHcloud makes of it: so it stands in for the first.
        jobs[0] = ("twice", {"receivers": numbers * 2, "noStopClause": True})
    return jobs


def describe(jobs):
    """Return what is going to be sent, for whoever confirms it."""
    lines = ["This sends at most 3 SMS, which your account pays for:"]
    for label, content in jobs:
        later = " in an hour, cancelled before" if "differedPeriod" in content else ""
        numbers = ", ".join(content["receivers"])
        lines.append(f"- “{TEXT}” to {numbers}{later} ({label})")
    return "\n".join(lines)


def _wait_listed(client, tag, count):
    """Return (ids listed with a tag, seconds until they were)."""
    start = time.monotonic()
    listed = []
    while time.monotonic() - start < LISTED_WITHIN:
        listed = client.get("/outgoing", tag=tag)
        if len(listed) >= count:
            break
        time.sleep(1)
    return listed, round(time.monotonic() - start)


def _check_order(client, report):
    """Return whether the ids of an answer follow its receivers."""
    receivers = []
    for sms_id in report["ids"]:
        try:
            receivers.append(client.get(f"/outgoing/{sms_id}")["receiver"])
        except Refused:
            return "cannot be read yet"
    return "follow" if receivers == report["validReceivers"] else "do not follow"


def _check_deferred(client, report, listed):
    """Return where OVHcloud lists what it holds back, and cancel that."""
    (sms_id,) = report["ids"]
    places = [
        name
        for name, ids in (("jobs", client.get("/jobs")), ("outgoing", listed))
        if sms_id in ids
    ]
    try:
        client.call("DELETE", f"/jobs/{sms_id}")
        cancelled = "cancelled"
    except Refused as refused:
        cancelled = f"not cancelled: {refused}"
    return f"{' and '.join(places) or 'nowhere'}; {cancelled}"


def send(client, jobs):
    """Send them, and yield pairs of a fact and its reading."""
    sender = _get_sender(client)
    for label, content in jobs:
        tag = f"check{uuid.uuid4().hex}"[:20]
        try:
            report = client.call(
                "POST", "/jobs", {"message": TEXT, "tag": tag, **sender, **content}
            )
        except Refused as refused:
            yield f"a job ({label})", f"refused: {refused}"
            continue
        if label == "deferred":
            time.sleep(1)
            listed = client.get("/outgoing", tag=tag)
            yield "a deferred SMS is listed in", _check_deferred(client, report, listed)
            continue
        count = len(report["ids"])
        listed, seconds = _wait_listed(client, tag, count)
        yield "listed by its tag", f"{len(listed)} of {count} after {seconds} s"
        if label == "twice":
            yield "a number that stands twice in a job gets", f"{count} SMS"
        order = _check_order(client, report) if count > 1 else NOTHING
        yield "ids of an answer", order
        if count:
            text = client.get(f"/outgoing/{report['ids'][0]}")["message"]
            clause = re.sub(r"[0-9]", "0", text.removeprefix(TEXT))
            said = repr(clause) if clause else "nothing"
            yield "appended to a text without clause", said

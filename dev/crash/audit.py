"""The simulator's ledger against Odoo's records, number by number."""

from collections import defaultdict
from typing import NamedTuple

# What Odoo may say of an SMS, by what became of it at OVHcloud, when each report
# has reached it.
STATES = {
    "pending": {"pending"},
    "sent": {"pending"},
    "buffered": {"pending"},
    "delivered": {"sent"},
    "failed": {"error"},
    "expired": {"error"},
}
# What notifications of a campaign may say, by the state of the SMS.
TRACE_STATUSES = {
    "pending": {"pending"},
    "sent": {"sent"},
    "error": {"error", "bounce"},
}
OPEN_JOBS = ("queued", "posting", "unknown")


class Expected(NamedTuple):
    """One SMS that was given to Odoo.

    ``refused`` says whether OVHcloud refuses the number, ``undone`` whether the
    transaction that wanted it was never committed, ``campaign`` is the subject of the
    campaign that it is part of.
    """

    number: str
    text: str
    refused: bool = False
    undone: bool = False
    campaign: str = ""


class Audit:
    """What a comparison found.

    ``sent`` counts the SMS that OVHcloud took; ``twice`` are those that it took more than
    once, ``lost`` those that it never took, or that Odoo does not know, ``untrue`` what
    Odoo says that is not so.
    """

    def __init__(self):
        self.sent = 0
        self.twice, self.lost, self.untrue = [], [], []

    @property
    def good(self):
        """Whether all is as it must be."""
        return not (self.twice or self.lost or self.untrue)

    def explain(self, most=None):
        """Return lines on what is wrong, by default all of each kind."""
        lines = []
        for name in ("twice", "lost", "untrue"):
            found = getattr(self, name)
            lines += [f"{name}: {line}" for line in found[:most]]
            if len(found) > len(found[:most]):
                lines.append(f"{name}: and {len(found) - most} more")
        return lines


def compare(expected, ledger, records, all_reported=True):
    """Compare what was wanted, what OVHcloud did and what Odoo says.

    :param list[Expected] expected: the SMS of a scenario
    :param list[dict] ledger: the simulator's, of the whole run
    :param dict records: see :func:`crash.lives.read_records`, of the whole run
    :param bool all_reported: whether each delivery report has reached Odoo; where not,
        "pending" is the truth as far as Odoo can know it
    """
    audit = Audit()
    taken = defaultdict(list)
    for row in ledger:
        taken[row["receiver"], row["message"]].append(row)
    known = defaultdict(list)
    for row in records["sms"]:
        known[row["number"], row["body"]].append(row)
    tags = set()
    for sms in expected:
        rows = taken.get((sms.number, sms.text), [])
        copies = known.get((sms.number, sms.text), [])
        audit.sent += len(rows)
        name = f"{sms.number} “{sms.text}”"
        if len(rows) > 1:
            seen = ", ".join(f"{row['id']} of job {row['tag']}" for row in rows)
            audit.twice.append(f"{name}: {seen}")
        if sms.undone:
            if rows or copies:
                audit.untrue.append(f"{name} was never committed, and left")
            continue
        if len(copies) != 1:
            audit.lost.append(f"{name}: {len(copies)} times in Odoo")
            continue
        copy = copies[0]
        tags.add(copy["tag"])
        if sms.refused and rows:
            audit.untrue.append(f"{name} is refused, and left")
        elif sms.refused:
            # Cancelled, where Odoo knew before that OVHcloud would refuse it.
            if copy["state"] not in ("error", "canceled") or not copy["failure_type"]:
                audit.untrue.append(f"{name} was refused, Odoo says {copy['state']}")
        elif not rows:
            audit.lost.append(f"{name}: never taken; Odoo says {copy['state']}")
        else:
            untruths = _untruths(copy, rows[0], all_reported)
            audit.untrue += [f"{name}: {words}" for words in untruths]
    audit.untrue += _untrue_jobs(tags - {None}, ledger, records["jobs"])
    states = {mailing["subject"]: mailing["state"] for mailing in records["mailings"]}
    for campaign in sorted({sms.campaign for sms in expected} - {""}):
        if states[campaign] != "done":
            audit.untrue.append(f"campaign {campaign} ended as {states[campaign]}")
    return audit


def _untrue_jobs(tags, ledger, records):
    """Return which of the jobs with those tags are open, or charged wrongly."""
    charged = defaultdict(float)
    for row in ledger:
        charged[row["tag"]] += row["credits"]
    jobs = {job["tag"]: job for job in records}
    for tag in tags:
        job = jobs[tag]
        if job["state"] in OPEN_JOBS:
            yield f"job {tag} ended as {job['state']}"
        elif tag in charged and abs(job["credits"] - charged[tag]) > 0.001:
            yield f"job {tag} was charged {charged[tag]:g}, Odoo says {job['credits']:g}"


def _untruths(copy, row, all_reported):
    """Return what Odoo says of an SMS that its row of the ledger does not bear out."""
    states = STATES[row["status"]] | (set() if all_reported else {"pending"})
    if copy["state"] not in states:
        yield f"{row['status']} at OVHcloud, Odoo says {copy['state']}"
    if copy["id"] != str(row["id"]) or copy["tag"] != row["tag"]:
        yield (
            f"SMS {row['id']} of job {row['tag']}, Odoo says {copy['id']} of"
            f" {copy['tag']}"
        )
    if copy["job_state"] != "accepted":
        yield f"its job is accepted, Odoo says {copy['job_state']}"
    if copy["tracked"]:
        if copy["tracker_id"] != str(row["id"]):
            yield f"SMS {row['id']}, its tracker says {copy['tracker_id']}"
        # What is sent to a mere number is tracked, but no campaign's.
        if copy["traced"] and copy["trace_status"] not in TRACE_STATUSES.get(
            copy["state"], ()
        ):
            yield f"Odoo says {copy['state']}, its trace {copy['trace_status']}"

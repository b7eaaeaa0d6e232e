"""What the crash test plays through.

Each scenario is a generator of one :class:`Outcome` for each line that is printed.
"""

import signal
import time
from typing import NamedTuple

from ovh_simulator import magic

from . import audit

# Seconds. What counts is their order: a job that was left is only asked for when
# nobody can be posting it any more.
TIMING = {
    "connect": 0.3,
    "read": 0.7,
    "post_within": 0.3,
    "retry": 0.2,
    "retry_max": 3,
}
CHECK_DELAY = 1
# Seconds without anything done after which what remains is given up.
LONGEST = 180
EVERYTHING = [["queue"], ["post"], ["drain"]]
LATENCY = 60  # milliseconds of each of the simulator's answers
CALLBACK_DELAY = [0, 40]
FIRST_NUMBER = 5_000_000  # behind the simulator's magic numbers
REFUSED = (magic.INVALID_RECEIVER, magic.BLACKLISTED)
ACCEPTED = (magic.NO_REPORT, magic.REPORT_BEFORE_ANSWER, magic.UNDELIVERABLE)
# By the simulator's clock, with summer time over.
NIGHT, MORNING = "2030-11-26T23:00:00+01:00", "2030-11-27T10:00:00+01:00"
JOBS = {"method": "POST", "path": "/jobs$"}
OUTGOING = {"method": "GET", "path": "/outgoing"}

# Step -> the lives that lead to it: (roles, step or None to run to the end, nth time).
STEPS = {
    "before the claim": [("queue", True, 1)],
    "claimed, not committed": [("queue", True, 1)],
    "after the claim": [("queue", True, 1)],
    "taken, not committed": [("queue", True, 1)],
    "before the call": [("queue", True, 3)],
    "during the call": [("queue", True, 3)],
    "accepted, before the answer": [("queue", True, 3)],
    "after the answer": [("queue", True, 3)],
    # The first time: on a busy machine all answers are there by then.
    "settled, not committed": [("queue", True, 1)],
    "between jobs": [("queue", True, 1)],
    "left job found, not committed": [
        ("queue", "before the call", 2),
        ("post", True, 1),
    ],
    "asked for, not committed": [("queue", "after the answer", 2), ("post", True, 1)],
    "not known, put back, not committed": [
        ("queue", "before the call", 2),
        ("post", True, 1),
    ],
    "before the drain": [("queue", None, 0), ("drain", True, 1)],
    "drained, not committed": [("queue", None, 0), ("drain", True, 1)],
}
USER_STEPS = ("user's transaction", "after a user's commit")
# How the simulator has to behave for a step to be what its name says.
STEP_FAULTS = {
    "during the call": {**JOBS, "kind": "latency", "latency_ms": 350, "times": None},
    "accepted, before the answer": {
        **JOBS,
        "kind": "timeout",
        "accept": True,
        "times": None,
    },
}


class Failing(NamedTuple):
    """How OVHcloud fails: faults that are ordered, and changes of its configuration."""

    orders: tuple = ()
    config: "dict | None" = None
    all_reported: bool = True  # whether each report arrives


def _failing(kind, times=5, **order):
    return Failing(({"kind": kind, "times": times, **order},))


# Line -> what fails.
FAULTS = {
    "cut before acceptance": _failing("cut_before"),
    "cut after acceptance": _failing("cut_after"),
    "time-out, not accepted": _failing("timeout", 4),
    "time-out, accepted": _failing("timeout", 4, accept=True),
    "accepted after the time-out": _failing("latency", 4, latency_ms=1200),
    "500, not accepted": _failing("500"),
    "500, accepted": _failing("500", accept=True),
    "502 in HTML, not accepted": _failing("502_html"),
    "502 in HTML, accepted": _failing("502_html", accept=True),
    "unreadable answer": Failing(
        (
            {"kind": "garbage", "accept": True, "times": 3},
            {"kind": "empty", "accept": True, "times": 3},
            {"kind": "garbage", "times": 2},
        )
    ),
    "storm of 429": Failing(
        ({"kind": "429", "times": 25}, {"kind": "429", "retry_after": 1, "times": 5})
    ),
    "inquiries fail too": Failing(
        (
            {"kind": "cut_after", "times": 3},
            {"kind": "500", "times": 2},
            {**OUTGOING, "kind": "500", "times": 3},
            {**OUTGOING, "kind": "502_html", "times": 2},
            {**OUTGOING, "kind": "429", "times": 2},
            {**OUTGOING, "kind": "timeout", "times": 1},
            {**OUTGOING, "kind": "cut_before", "times": 1},
            {**OUTGOING, "kind": "garbage", "times": 1},
        )
    ),
    "ids shuffled": Failing(config={"ids_order": "shuffled"}),
    "ids shuffled, answers lost, no batches": Failing(
        ({"kind": "cut_after", "times": 3},),
        {"ids_order": "shuffled", "batch_refused": "."},
    ),
    "lists split, answers lost": Failing(
        ({"kind": "502_html", "accept": True, "times": 3},),
        {"account_lists_all": False, "ids_order": "swapped"},
    ),
    "reports lost": Failing((), {"callback_lost_share": 0.4}, all_reported=False),
    "reports doubled": Failing((), {"callback_duplicate_share": 1.0}),
    "reports shuffled": Failing(
        (), {"callback_delay_ms": [0, 400], "callback_shuffle": True}
    ),
}


class Outcome(NamedTuple):
    """One line of the result."""

    name: str
    audit: audit.Audit
    kills: int = 0
    faults: tuple = ()  # sentences on what else is wrong
    notes: str = ""

    @property
    def good(self):
        """Whether all is as it must be."""
        return self.audit.good and not self.faults


class Run:
    """What the scenarios share.

    :param random.Random chance: where chance comes from
    :param start_server: function that starts an Odoo server with its scheduled actions,
        and returns its :class:`kit.children.Child`
    """

    def __init__(self, host, simulator, cluster, chance, options, start_server):
        self.start_server = start_server
        self.host = host
        self.simulator = simulator
        self.cluster = cluster
        self.chance = chance
        self.options = options
        self._next_number = FIRST_NUMBER
        self._campaigns = 0
        self._waiting = 0

    def numbers(self, count):
        """Return numbers that no other SMS of this run goes to."""
        first, self._next_number = self._next_number, self._next_number + count
        return [f"+3361{number:07d}" for number in range(first, first + count)]

    def settings(self, **config):
        """Have the simulator behave, but for what `config` says."""
        self.simulator.clear_faults()
        self.simulator.configure(
            **{
                "latency_ms": LATENCY,
                "callback_mode": "auto",
                "callback_delay_ms": CALLBACK_DELAY,
                "callback_duplicate_share": None,
                "callback_lost_share": 0.0,
                "callback_shuffle": None,
                "undeliverable_share": 0.03,
                "ids_order": "receivers",
                "batch_refused": None,
                "account_lists_all": True,
                **config,
            }
        )

    def campaign(self, same, different):
        """Put two campaigns into Odoo's queue, unusual numbers among them.

        :param int same: recipients of one text
        :param int different: recipients with a text of their own
        :return: an :class:`audit.Expected` of each
        """
        self._campaigns += 1
        expected = []
        for count, kind in ((same, "A"), (different, "B")):
            if not count:
                continue
            numbers = [*self.numbers(count), *REFUSED, *ACCEPTED]
            self.chance.shuffle(numbers)
            name = f"Essai {self._campaigns}{kind}"
            values = {"name": name, "numbers": numbers, "same": kind == "A"}
            texts = self.host.run("create_campaign", **values)
            expected += [
                audit.Expected(number, text, refused=number in REFUSED, campaign=name)
                for number, text in texts.items()
            ]
        return expected

    def work(self, threads=None, **arguments):
        """Start a process that sends; return it. See :func:`crash.lives.work`."""
        arguments = {"seconds": LONGEST, **arguments}
        return self.host.start(
            "work", threads=threads or EVERYTHING, timing=TIMING, **arguments
        )

    def finish(self):
        """Let Odoo run to the end, undisturbed; return sentences on what went wrong."""
        self.simulator.clear_faults()
        faults = self.check(self.work().result())
        self.simulator.finish_callbacks()
        faults += self.check(self.work([["drain"]]).result())
        counts = self.simulator.get_state("callbacks")["callbacks"]["counts"]
        events = self.host.run("read_records")["events"]
        waiting = events.get("waiting", 0)
        new, self._waiting = waiting - self._waiting, waiting
        if new > 0:
            faults.append(f"{new} reports speak of SMS that Odoo does not know")
        taken, kept = counts.get("200", 0), sum(events.values())
        if kept < taken:
            faults.append(f"{taken} reports were taken, {kept} are kept")
        return faults

    @staticmethod
    def check(result):
        """Return sentences on what went wrong in a process that was left in peace."""
        faults = [f"{count} times {name}" for name, count in result["errors"].items()]
        if not result["done"]:
            faults.append(
                f"work is left, and none was done for {LONGEST} s: {result['left']},"
                f" {result['busy']} threads busy"
            )
        return faults

    @staticmethod
    def wait_for(condition):
        """Wait until a condition holds, and return whether it did in time."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.1)
        return False

    def end(self, name, expected, kills=0, faults=(), notes="", finish=True, **options):
        """Let Odoo run to the end, and return the :class:`Outcome` of a scenario.

        :param faults: sentences on what went wrong before
        :param bool finish: whether it runs, else it has
        :param options: of :func:`audit.compare`
        """
        if finish:
            faults = [*faults, *self.finish()]
        ledger = self.simulator.get_ledger()
        records = self.host.run("read_records")
        found = audit.compare(expected, ledger, records, **options)
        return Outcome(name, found, kills, tuple(faults), notes)


def _step_life(run, name, roles, step, nth):
    """Live one of the lives that lead to a step.

    :return: (kills, sentences on what went wrong)
    """
    if step is None:
        run.work([[roles]]).result()
        run.simulator.finish_callbacks(quiet=0.3)
        return 0, []
    reached = name if step is True else step
    run.simulator.clear_faults()
    if reached in STEP_FAULTS:
        run.simulator.order_faults(STEP_FAULTS[reached])
    life = run.work([[roles]], step={"name": reached, "nth": nth}, seconds=20)
    life.wait()
    run.simulator.clear_faults()
    return (1, []) if life.killed else (0, [f"“{reached}” was not reached"])


def steps(run):
    """Odoo killed at every step there is."""
    groups = [[name] for name in (*STEPS, *USER_STEPS)]
    if run.options.quick:
        # What is left behind is asked for together, which saves the waiting.
        groups = [sum(groups[start : start + 6], []) for start in range(0, 18, 6)]
    for group in groups:
        run.settings()
        states = {}
        for name in group:
            if name in USER_STEPS:
                states[name] = _user_step(run, name)
                continue
            expected = run.campaign(same=14, different=7)
            kills, faults = 0, []
            for roles, step, nth in STEPS[name]:
                killed, wrong = _step_life(run, name, roles, step, nth)
                kills += killed
                faults += wrong
            states[name] = expected, kills, faults
        left = run.finish()
        for name, (expected, kills, faults) in states.items():
            faults += left
            yield run.end(f"killed {name}", expected, kills, faults, finish=False)


def _user_step(run, name):
    """Have a user killed while sending from a form."""
    numbers = run.numbers(3)
    text = f"Formulaire {numbers[0]}"
    values = {"name": text, "numbers": numbers, "timing": TIMING}
    life = run.host.start("send_now", step={"name": name}, **values)
    life.wait()
    undone = name == "user's transaction"
    expected = [
        audit.Expected(number, f"{text} {number}", undone=undone) for number in numbers
    ]
    if life.killed:
        return expected, 1, []
    return expected, 0, [f"“{name}” was not reached"]


def random_kills(run):
    """Odoo killed again and again, whenever."""
    wanted = run.options.kills or (15 if run.options.quick else 60)
    waves = (300, 200) if run.options.quick else (1500, 1500)
    run.settings(latency_ms=80)
    expected = run.campaign(*waves)
    kills = 0
    while kills < wanted:
        life = run.work()
        if not life.wait(run.chance.uniform(0.15, 2.0)):
            life.kill()
            kills += 1
        else:
            # All is sent and not all kills are spent: more work.
            life.result()
            expected += run.campaign(waves[0] // 3, waves[1] // 3)
    # What was left behind is asked for one by one: quicker answers, shorter wait.
    run.settings(latency_ms=20)
    yield run.end("killed whenever", expected, kills)


def crons(run):
    """A whole Odoo server killed while its scheduled actions send, and started again."""
    run.settings(latency_ms=150)
    expected = run.campaign(2500, 200)
    wrong = []
    kills = 0
    for __ in range(3):
        posted = run.simulator.count_jobs()
        server = run.start_server()
        try:
            # What the scheduled actions do of themselves once the server is there.
            if not run.wait_for(
                lambda posted=posted: run.simulator.count_jobs() > posted
            ):
                wrong.append("a server that was started sends nothing")
            time.sleep(run.chance.uniform(0, 0.6))
            server.signal(signal.SIGKILL)
            server.wait()
            kills += 1
        finally:
            server.stop()
        if not run.host.run("count_open", role="queue"):
            break
    server = run.start_server()
    try:
        if not run.wait_for(lambda: not run.host.run("count_open", role="queue")):
            wrong.append("the last server does not send what the others left")
    finally:
        server.stop()
    # What was being sent at the kills is asked for in the hurried way.
    run.settings()
    yield run.end("a server and its crons killed", expected, kills, wrong)


def faults(run):
    """OVHcloud or the network failing in the middle of a call."""
    for name, (orders, config, all_reported) in FAULTS.items():
        run.settings(**(config or {}))
        expected = run.campaign(same=14, different=20)
        run.simulator.order_faults(*({**JOBS, **order} for order in orders))
        wrong = run.check(run.work().result())
        wrong += [
            f"{fault['times']} of the faults “{fault['kind']}” were not met"
            for fault in run.simulator.get_state("faults")["faults"]
        ]
        yield run.end(name, expected, faults=wrong, all_reported=all_reported)
    run.settings()
    expected = run.campaign(same=14, different=60)
    life = run.work()
    for __ in range(3):
        time.sleep(run.chance.uniform(0.2, 0.6))
        run.simulator.process.signal(signal.SIGSTOP)
        time.sleep(run.chance.uniform(0.8, 2.5))
        run.simulator.process.signal(signal.SIGCONT)
    yield run.end("OVHcloud hangs", expected, faults=run.check(life.result()))


def night(run):
    """Odoo killed while OVHcloud takes SMS that it holds back until the morning."""
    run.settings()
    run.simulator.set_clock(NIGHT)
    expected = run.campaign(same=14, different=20)
    kills, wrong = 0, []
    for step, role, nth in (
        ("after the answer", "queue", 3),
        ("accepted, before the answer", "post", 1),
    ):
        killed, missed = _step_life(run, step, role, True, nth)
        kills += killed
        wrong += missed
    yield run.end("killed at night", expected, kills, wrong)
    run.simulator.set_clock(MORNING)
    wrong = run.finish()
    run.simulator.set_clock(None)
    yield run.end("in the morning", expected, faults=wrong, finish=False)


def database(run):
    """The database's connections cut, and PostgreSQL restarted, in the middle."""
    run.settings()
    blows = [
        ("connections cut", lambda: run.host.run("cut_connections")),
        ("PostgreSQL restarted", lambda: run.cluster.restart(signal.SIGINT)),
        ("PostgreSQL killed", lambda: run.cluster.restart(signal.SIGQUIT)),
    ]
    for name, strike in blows:
        expected = run.campaign(same=300, different=250)
        life = run.work()
        strikes = 0
        for __ in range(4):
            if life.wait(run.chance.uniform(0.3, 1.2)):
                break
            strike()
            strikes += 1
        # Calls that are under way when the connection goes do fail.
        result = life.result()
        wrong = [] if result["done"] else ["work is left"]
        failed = sum(result["errors"].values())
        yield run.end(
            f"{name} {strikes} times",
            expected,
            0,
            wrong,
            f"{failed} calls failed and were made again",
            all_reported=False,
        )


def _together(run, name, size, lives, drain=None):
    """Have processes at work at once, and end the scenario.

    :param size: recipients of one text, and of texts of their own
    :param list lives: arguments of :meth:`Run.work` for each that ends by itself
    :param drain: those of one that drains as long as it is told
    """
    expected = run.campaign(*size)
    lives = [run.work(threads, **values) for threads, values in lives]
    drains = [run.work([["drain"]], **drain)] if drain else []
    results = [life.result() for life in lives]
    results += [{**life.result(), "done": True} for life in drains]
    wrong = sum((run.check(result) for result in results), [])
    conflicts = sum(result["conflicts"] for result in results)
    return run.end(name, expected, 0, wrong, f"{conflicts} conflicts survived")


def workers(run):
    """Two workers at once over one queue."""
    run.settings(latency_ms=20)
    size = (700, 300) if run.options.quick else (4300, 700)
    both = [([["queue"], ["post"]], {"slice_size": 100})] * 2
    yield _together(run, "two workers, one queue", size, both)


def reports(run):
    """Delivery reports arriving, 8 at a time, while SMS are still being sent."""
    run.settings(latency_ms=30, callback_delay_ms=[0, 10])
    size = (300, 200) if run.options.quick else (1000, 1000)
    senders = [([["queue"]], {}), ([["post"]], {})]
    drain = {"until_done": False, "seconds": 10}
    yield _together(run, "reports while sending", size, senders, drain)


SCENARIOS = {
    "steps": steps,
    "random": random_kills,
    "crons": crons,
    "faults": faults,
    "night": night,
    "database": database,
    "workers": workers,
    "reports": reports,
}
QUICK = ("steps", "random")

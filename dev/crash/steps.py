"""The steps at which a process kills itself, reached by wrapping the addon's methods.

The addon knows nothing of them.
"""

import functools
import os
import signal
import threading

from odoo.addons.sms_ovh.tools import ovh_client, transaction

# Seconds into a call at which nothing has come of it yet, where the simulator is told
# to take longer, and at which all has but the answer.
INTO_CALL = 0.1
BEFORE_ANSWER = 0.4

_countdown = None


class _Countdown:
    """Kills this process when it is called for the nth time.

    :param int nth: which call is the last
    """

    def __init__(self, name, nth):
        self.name = name
        self._left = nth
        self._lock = threading.Lock()

    def __call__(self):
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                # The signal ends this thread too, a moment later.
                threading.Event().wait()


def _wrap(owner, name, before=None, after=None):
    """Have a method call a function of its arguments before it, or of its result after it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        if before:
            before(args)
        result = original(*args, **kwargs)
        if after:
            after(args, result)
        return result

    setattr(owner, name, wrapper)


def _before(die, owner, name):
    _wrap(owner, name, before=lambda args: die())


def _after(die, owner, name, counts=lambda args, result: True):
    _wrap(owner, name, after=lambda args, result: counts(args, result) and die())


def _into_call(die, owner, name, seconds):
    """Die when a job has been on its way for some time."""
    _wrap(
        owner,
        name,
        lambda args: args[1] == "POST" and threading.Timer(seconds, die).start(),
    )


def _after_commit_of(die, owner, name, counts=lambda args, result: True):
    """Die after the commit that makes last what the method `name` did."""
    called = threading.local()

    def note(args):
        called.since = counts(args, None) or getattr(called, "since", False)

    def end(args, result):
        if getattr(called, "since", False):
            called.since = False
            die()

    _wrap(owner, name, before=note)
    _wrap(transaction, "transact", after=end)


def _in_code(die, owner, name):
    """Leave it to who calls :func:`reached`."""


def _found(args, result):
    """Return whether a call found something."""
    return bool(result)


def _settles(args, result):
    """Return whether a call of `_settle` brings answers."""
    return bool(args[1])


JOB, EVENT = "sms.ovh.job", "sms.ovh.event"
CLIENT = ovh_client.OvhSmsClient
# Name of the step -> the way to die there, the method that marks it and its class or
# model, and what else that way wants to know.
STEPS = {
    "before the claim": (_before, JOB, "_claim"),
    "claimed, not committed": (_after, JOB, "_claim"),
    "after the claim": (_after_commit_of, JOB, "_claim"),
    "taken, not committed": (_after, JOB, "_take", _found),
    "before the call": (_before, CLIENT, "post"),
    "during the call": (_into_call, CLIENT, "_send", INTO_CALL),
    "accepted, before the answer": (_into_call, CLIENT, "_send", BEFORE_ANSWER),
    "after the answer": (_after, CLIENT, "post"),
    "settled, not committed": (_after, JOB, "_settle", _settles),
    "between jobs": (_after_commit_of, JOB, "_settle", _settles),
    "left job found, not committed": (_after, JOB, "_recover", _found),
    "asked for, not committed": (_after, JOB, "_reconcile"),
    "not known, put back, not committed": (_after, JOB, "_postpone"),
    "before the drain": (_before, EVENT, "_process"),
    "drained, not committed": (_after, EVENT, "_process"),
    "user's transaction": (_in_code, JOB, ""),
    "after a user's commit": (_before, JOB, "_dispatch"),
}


def install(registry, name, nth=1):
    """Have this process killed at a step.

    :param registry: the database's, whose classes are wrapped
    :param str name: a key of :data:`STEPS`
    :param int nth: at which time that the step is reached
    """
    global _countdown
    _countdown = _Countdown(name, nth)
    way, owner, *rest = STEPS[name]
    way(_countdown, registry[owner] if isinstance(owner, str) else owner, *rest)


def reached(name):
    """Tell that a step is reached that no method of the addon marks."""
    if _countdown and _countdown.name == name:
        _countdown()

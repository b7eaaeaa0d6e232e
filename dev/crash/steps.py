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
                _die()


def _die():
    os.kill(os.getpid(), signal.SIGKILL)
    # The signal ends this thread too, a moment later.
    threading.Event().wait()


def _wrap(owner, name, die, before=None, after=None):
    """Have a method die before it does something, or once it has.

    :param before: function of its arguments that says whether it dies before
    :param after: function of its arguments and its result that says whether after
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        if before and before(args):
            die()
        result = original(*args, **kwargs)
        if after and after(args, result):
            die()
        return result

    setattr(owner, name, wrapper)


def _before(owner, name, die):
    _wrap(owner, name, die, before=lambda args: True)


def _after(owner, name, die, only_with_result=False):
    _wrap(
        *(owner, name, die),
        after=lambda args, result: result or not only_with_result,
    )


def _into_call(die, seconds):
    """Die when a job has been on its way for some time."""
    _wrap(
        *(ovh_client.OvhSmsClient, "_send"),
        lambda: threading.Timer(seconds, die).start(),
        before=lambda args: args[1] == "POST",
    )


def _settles(args):
    """Return whether a call of `_settle` brings answers."""
    return bool(args[1])


def _after_settling(job, die):
    _wrap(job, "_settle", die, after=lambda args, result: _settles(args))


def _after_commit_of(job, name, die, counts=lambda args: True):
    """Die after the commit that makes last what the method `name` did."""
    original, transact = getattr(job, name), transaction.transact
    called = threading.local()

    @functools.wraps(original)
    def wrapper(*args, **kwargs):
        called.since = counts(args) or getattr(called, "since", False)
        return original(*args, **kwargs)

    @functools.wraps(transact)
    def transact_wrapper(env, function):
        result = transact(env, function)
        if getattr(called, "since", False):
            called.since = False
            die()
        return result

    setattr(job, name, wrapper)
    transaction.transact = transact_wrapper


# Name of the step -> function of (job class, event class, countdown).
STEPS = {
    "before the claim": lambda job, event, die: _before(job, "_claim", die),
    "claimed, not committed": lambda job, event, die: _after(job, "_claim", die),
    "after the claim": lambda job, event, die: _after_commit_of(job, "_claim", die),
    "taken, not committed": lambda job, event, die: _after(
        job, "_take", die, only_with_result=True
    ),
    "before the call": lambda job, event, die: _before(
        ovh_client.OvhSmsClient, "post", die
    ),
    "during the call": lambda job, event, die: _into_call(die, INTO_CALL),
    "accepted, before the answer": lambda job, event, die: _into_call(
        die, BEFORE_ANSWER
    ),
    "after the answer": lambda job, event, die: _after(
        ovh_client.OvhSmsClient, "post", die
    ),
    "settled, not committed": lambda job, event, die: _after_settling(job, die),
    "between jobs": lambda job, event, die: _after_commit_of(
        job, "_settle", die, _settles
    ),
    "left job found, not committed": lambda job, event, die: _after(
        job, "_recover", die, only_with_result=True
    ),
    "asked for, not committed": lambda job, event, die: _after(job, "_reconcile", die),
    "not known, put back, not committed": lambda job, event, die: _after(
        job, "_postpone", die
    ),
    "before the drain": lambda job, event, die: _before(event, "_process", die),
    "drained, not committed": lambda job, event, die: _after(event, "_process", die),
    "user's transaction": lambda job, event, die: None,  # see `reached`
    "after a user's commit": lambda job, event, die: _before(job, "_dispatch", die),
}


def install(registry, name, nth=1):
    """Have this process killed at a step.

    :param registry: the database's, whose classes are wrapped
    :param str name: a key of :data:`STEPS`
    :param int nth: at which time that the step is reached
    """
    global _countdown
    _countdown = _Countdown(name, nth)
    STEPS[name](registry["sms.ovh.job"], registry["sms.ovh.event"], _countdown)


def reached(name):
    """Tell that a step is reached that no method of the addon marks."""
    if _countdown and _countdown.name == name:
        _countdown()

"""Transactions of scheduled actions, which commit their work piece by piece."""

import logging
import random
import time
from contextlib import contextmanager
from contextvars import ContextVar

from psycopg2.errors import (
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
)

from odoo.exceptions import ConcurrencyError

_logger = logging.getLogger(__name__)

# Times that a transaction is tried if others conflict with it.
TRIES = 10
CONFLICTS = (
    ConcurrencyError,
    DeadlockDetected,
    LockNotAvailable,
    SerializationFailure,
)
# The cursor whose transaction is the addon's own, to commit as it sees fit.
_owned_cursor = ContextVar("sms_ovh_owned_cursor", default=None)


def transact(env, function):
    """Run `function` and commit, and try again if other transactions conflict.

    Until the commit, OVHcloud's answers are only in memory: a conflict must not lose
    them.

    :param env: environment of the transaction, which nobody else waits for
    :param function: what to do; it may be called several times, each time in a new
        transaction that knows nothing of the previous one
    :return: what `function` returns
    """
    for attempt in range(TRIES):
        try:
            result = function()
            env.flush_all()
            env.cr.commit()  # pylint: disable=invalid-commit
            return result
        except CONFLICTS:
            env.cr.rollback()
            env.transaction.reset()
            if attempt == TRIES - 1:
                raise
            _logger.info("OVHcloud SMS: conflict with another transaction, again")
            # Not for long: answers wait to be written down.
            time.sleep(random.uniform(0, min(0.05 * 2**attempt, 1)))


@contextmanager
def owning(env):
    """Mark the running transaction as a scheduled action's own, free to commit.

    :param env: its environment
    """
    token = _owned_cursor.set(env.cr)
    try:
        yield
    finally:
        _owned_cursor.reset(token)


def owns(env):
    """Return whether the running transaction may be committed. See :func:`owning`.

    :rtype: bool
    """
    return _owned_cursor.get() is env.cr

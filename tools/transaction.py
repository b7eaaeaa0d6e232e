"""Transactions of scheduled actions: what is done is committed, a piece at a time."""

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

# Times that a transaction is tried which another one conflicts with.
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
    """Run `function` and commit, as often as other transactions conflict with it.

    What OVHcloud answered is in memory only until then, so a conflict must not lose it.

    :param env: environment of the transaction, which nobody else waits for
    :param function: what to do; it may be called several times, each in a transaction
        that knows nothing of the time before
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
    """Say that the running transaction is a scheduled action's, to be committed.

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

"""The per-user cache: its places, its locks, and directories that are complete or redone."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

STAMP = ".complete"


def cache_dir():
    """Tell where the cache is, and create it.

    :return: the absolute path of a directory, outside of any checkout.
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(
        os.path.expanduser("~"), ".cache"
    )
    path = Path(base).absolute() / "sms_ovh"
    path.mkdir(parents=True, exist_ok=True)
    return path


def short_hash(*parts, length=8):
    """Hash texts and bytes into a short name.

    :param parts: what the name depends on.
    :param int length: the number of hexadecimal digits.
    :return: the name.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        # The length keeps ('ab', 'c') apart from ('a', 'bc').
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()[:length]


def _lock_file(name):
    directory = cache_dir() / "locks"
    directory.mkdir(exist_ok=True)
    return directory / f"{name}.lock"


@contextlib.contextmanager
def locked(name):
    """Hold a lock that every process of this user respects; wait for it when it is taken.

    The kernel releases it when its holder dies, however it dies.

    :param str name: what is locked.
    """
    with open(_lock_file(name), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class SharedLock:
    """A lock that many may hold at once; its last holder can find out that it is the last.

    :param str name: what is locked.
    """

    def __init__(self, name):
        self._handle = open(_lock_file(name), "w")

    def acquire(self):
        """Become one of the holders."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def is_last(self):
        """Tell whether nobody else holds the lock; it then belongs to the caller alone.

        :return: True when nobody else holds it.
        """
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self):
        """Stop holding the lock."""
        self._handle.close()


def complete(directory):
    """Tell whether a directory made by :func:`built_directory` can be trusted.

    :return: what its stamp says, or None.
    """
    try:
        return (directory / STAMP).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def built_directory(directory, build):
    """Make a directory once: an interrupted or half-made one is thrown away and made again.

    :param Path directory: the directory; its name should depend on what it is made from.
    :param build: a function that fills the (empty) directory and returns the text of
        its stamp.
    :return: the stamp's text.
    """
    stamp = complete(directory)
    if stamp is not None:
        return stamp
    with locked(f"build-{directory.name}"):
        stamp = complete(directory)
        if stamp is not None:
            return stamp
        if directory.exists():
            shutil.rmtree(directory)
        directory.mkdir(parents=True)
        stamp = build(directory)
        # Written last and moved into place: either it is whole or it is not there.
        temporary = directory / (STAMP + ".new")
        temporary.write_text(stamp)
        temporary.replace(directory / STAMP)
        return stamp

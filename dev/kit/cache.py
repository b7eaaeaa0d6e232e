"""The per-user cache: its places, its locks, and directories that are complete or redone."""

import contextlib
import fcntl
import hashlib
import os
import shutil
from pathlib import Path

STAMP = ".complete"


def cache_dir():
    """Create the user's cache, outside of any checkout, and return its absolute path."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base).absolute() / "sms_ovh"
    path.mkdir(parents=True, exist_ok=True)
    return path


def short_hash(*parts, length=8):
    """Return a name of hexadecimal digits that texts and bytes hash to."""
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


def try_lock(handle):
    """Lock an open file for its holder alone, unless somebody else holds it.

    :return: whether it is locked.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def locked(name):
    """Hold a lock that every process of this user respects; wait for it when it is taken.

    The kernel releases it when its holder dies, however it dies.
    """
    with open(_lock_file(name), "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class SharedLock:
    """A lock that many may hold at once; its last holder can find out that it is the last."""

    def __init__(self, name):
        self._handle = open(_lock_file(name), "w")

    def acquire(self):
        """Become one of the holders."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def is_last(self):
        """Return whether nobody else holds the lock, which is then the caller's alone."""
        return try_lock(self._handle)

    def release(self):
        """Stop holding the lock."""
        self._handle.close()


def complete(directory):
    """Return the stamp of a directory that :func:`built_directory` made, None without it."""
    try:
        return (directory / STAMP).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def built_directory(directory, build):
    """Make a directory once: an interrupted or half-made one is thrown away and made again.

    :param Path directory: its name should depend on what it is made from.
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

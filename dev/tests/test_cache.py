"""The cache: what is complete is trusted, all else is made again; locks and keys."""

import multiprocessing
import os

import pytest
from kit import cache
from provision.python_env import environment_key


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_cache_is_where_the_user_says(tmp_path):
    assert cache.cache_dir() == tmp_path / "cache" / "sms_ovh"
    assert cache.cache_dir().is_dir()


def test_hash_keeps_parts_apart():
    assert cache.short_hash("ab", "c") != cache.short_hash("a", "bc")
    assert cache.short_hash("a", "b") == cache.short_hash("a", b"b")


def test_directory_is_built_once():
    directory = cache.cache_dir() / "thing"
    built = []

    def build(path):
        built.append(path)
        (path / "content").write_text("x")
        return "version 1"

    assert cache.built_directory(directory, build) == "version 1"
    assert cache.built_directory(directory, build) == "version 1"
    assert built == [directory]


def test_interrupted_directory_is_built_again_from_nothing():
    directory = cache.cache_dir() / "thing"

    def interrupted(path):
        (path / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.built_directory(directory, interrupted)
    assert cache.complete(directory) is None

    def build(path):
        assert not list(path.iterdir())
        return "whole"

    assert cache.built_directory(directory, build) == "whole"


def _hold(name, started, leave):
    lock = cache.SharedLock(name)
    lock.acquire()
    started.set()
    leave.wait(10)
    # No clean-up at all, as when it is killed.
    os._exit(0)


def test_last_holder_of_a_shared_lock_knows_it():
    context = multiprocessing.get_context("fork")
    started, leave = context.Event(), context.Event()
    other = context.Process(target=_hold, args=("users", started, leave))
    other.start()
    assert started.wait(10)
    lock = cache.SharedLock("users")
    lock.acquire()
    assert not lock.is_last()
    leave.set()
    other.join(10)
    assert lock.is_last()
    lock.release()


def test_environment_key_follows_what_matters():
    base = environment_key("a==1\n# comment\nb==2\n", (3, 11, 2), "/usr/bin/python3")
    assert (
        environment_key("# other comment\na==1\n\nb==2", (3, 11, 2), "/usr/bin/python3")
        == base
    )
    assert environment_key("a==1\nb==3", (3, 11, 2), "/usr/bin/python3") != base
    assert environment_key("a==1\nb==2", (3, 12, 1), "/usr/bin/python3") != base
    assert environment_key("a==1\nb==2", (3, 11, 2), "/opt/python3") != base

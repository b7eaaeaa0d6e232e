"""Sharing tests out to several processes."""

import json

from provision.checkout import Checkout
from provision.parallel import (
    KNOWN_SECONDS,
    as_tags,
    guess_seconds,
    share_count,
    share_out,
)


def test_each_file_is_in_one_share():
    directory = Checkout().root / "tests"
    files = sorted(path.name for path in directory.glob("test_*.py"))
    for count in (1, 2, 3):
        shares = share_out(directory, count, {})
        assert len(shares) == count
        assert sorted(name for share in shares for name in share) == files


def test_known_files_are_there():
    directory = Checkout().root / "tests"
    known = json.loads(KNOWN_SECONDS.read_text())
    assert not [name for name in known if not (directory / name).exists()]


def test_shares_weigh_alike(tmp_path):
    for name in ("long", "b", "c", "d"):
        (tmp_path / f"test_{name}.py").write_text("    def test_it(self): ...\n")
    durations = {"test_long.py": 30.0, "test_b.py": 10.0, "test_c.py": 11.0}
    # What nobody timed yet is guessed.
    assert share_out(tmp_path, 2, durations) == [
        ["test_long.py"],
        ["test_b.py", "test_c.py", "test_d.py"],
    ]


def test_fewer_files_than_processes(tmp_path):
    (tmp_path / "test_one.py").write_text("    def test_it(self): ...\n")
    assert share_out(tmp_path, 3, {}) == [["test_one.py"]]


def test_browsers_weigh_more():
    assert guess_seconds(
        '    def test_a(self):\n        self.start_tour("x")\n'
    ) > 5 * (guess_seconds("    def test_a(self):\n        self.run()\n"))


def test_share_count():
    assert [share_count(cores) for cores in (1, 2, 64)] == [1, 2, 3]


def test_as_tags():
    assert as_tags(["test_a.py", "test_b.py"]) == (
        "/sms_ovh/tests/test_a.py,/sms_ovh/tests/test_b.py"
    )

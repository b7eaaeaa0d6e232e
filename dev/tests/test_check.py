"""``dev/check`` runs the tests that are nearest to what changed."""

import subprocess

from commands.check import ALWAYS, choose_tests, find_changed


def _git(root, *arguments):
    subprocess.run(
        ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
        + list(arguments),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def test_what_changed(tmp_path):
    """Committed, not committed, and new; what is ignored is not."""
    _git(tmp_path, "init", "-b", "main")
    (tmp_path / ".gitignore").write_text("*.log\n")
    for name in ("kept.py", "committed.py", "edited.py"):
        (tmp_path / name).write_text("")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-m", "first")
    _git(tmp_path, "tag", "start")
    (tmp_path / "committed.py").write_text("1")
    _git(tmp_path, "commit", "-am", "second")
    (tmp_path / "edited.py").write_text("1")
    (tmp_path / "new.py").write_text("")
    (tmp_path / "new.log").write_text("")
    assert find_changed(tmp_path, "start") == ["committed.py", "edited.py", "new.py"]


def test_nearest_tests(tmp_path):
    (tmp_path / "tests").mkdir()
    for name in ("test_cancel", "test_links", "test_sms_ovh_job", "test_dashboard"):
        (tmp_path / "tests" / f"{name}.py").write_text("")
    for path, names in {
        "models/sms_ovh_job.py": {"test_sms_ovh_job"},
        "models/sms_ovh_dashboard.py": {"test_dashboard"},
        "tests/test_cancel.py": {"test_cancel"},
        "tools/links.py": {"test_links"},
        "static/src/links.js": {"test_links", "test_counter"},
        "views/res_partner_views.xml": set(),
    }.items():
        assert set(choose_tests(tmp_path, [path])) == names | set(ALWAYS)
    assert not choose_tests(tmp_path, ["README.rst", "dev/lint", "docs/limits.rst"])

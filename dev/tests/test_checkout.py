"""What a checkout is known by."""

import pytest
from kit.ui import Problem
from provision.checkout import Checkout


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "any-name"
    (root / "models").mkdir(parents=True)
    (root / "__manifest__.py").write_text("{'name': 'x', 'depends': ['sms', 'mail']}")
    (root / "models" / "a.py").write_text("1")
    return Checkout(root)


def test_addon_is_linked_under_its_technical_name(checkout):
    checkout.prepare()
    assert (checkout.addons / "sms_ovh").resolve() == checkout.root
    # A link that somebody turned elsewhere is put right.
    (checkout.addons / "sms_ovh").unlink()
    (checkout.addons / "sms_ovh").symlink_to("/nowhere")
    checkout.prepare()
    assert (checkout.addons / "sms_ovh").resolve() == checkout.root


def test_two_checkouts_have_two_keys(checkout, tmp_path):
    assert Checkout(tmp_path / "other").key != checkout.key


def test_dependencies(checkout):
    assert checkout.dependencies() == ["mail", "sms"]


@pytest.mark.parametrize("text", ["{'name': ", "import os"])
def test_broken_manifest_is_said(checkout, text):
    (checkout.root / "__manifest__.py").write_text(text)
    with pytest.raises(Problem, match="__manifest__"):
        checkout.dependencies()


@pytest.mark.parametrize(
    "path, matters",
    [
        ("models/a.py", True),
        ("views/a.xml", True),
        ("i18n/fr.po", True),
        ("static/description/icon.png", True),
        ("tests/test_a.py", False),
        ("dev/demo", False),
        (".git/HEAD", False),
        ("static/src/a.js", False),
        ("models/__pycache__/a.cpython-311.pyc", False),
    ],
)
def test_fingerprint_follows_what_is_installed(checkout, path, matters):
    before = checkout.fingerprint()
    target = checkout.root / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("changed")
    assert (checkout.fingerprint() != before) is matters


def test_fingerprint_follows_names(checkout):
    before = checkout.fingerprint()
    (checkout.root / "models" / "a.py").rename(checkout.root / "models" / "b.py")
    assert checkout.fingerprint() != before

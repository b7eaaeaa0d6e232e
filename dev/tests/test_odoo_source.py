"""Recognising source trees of Odoo."""

import pytest
from kit.ui import Problem
from provision.odoo_source import existing_source, release_of


def make_odoo(root, series=(19, 0)):
    (root / "odoo" / "addons" / "base").mkdir(parents=True)
    (root / "odoo" / "addons" / "base" / "__manifest__.py").write_text("{}")
    (root / "odoo" / "release.py").write_text(
        f"FINAL = 'final'\nversion_info = ({series[0]!r}, {series[1]}, 0, FINAL, 0, '')\n"
    )


def test_git_checkout(tmp_path):
    make_odoo(tmp_path)
    (tmp_path / "addons" / "web").mkdir(parents=True)
    (tmp_path / "addons" / "web" / "__manifest__.py").write_text("{}")
    source = existing_source(str(tmp_path))
    assert source.python_path == tmp_path
    assert source.addons == [tmp_path / "addons"]
    assert (
        source.has_module("web")
        and source.has_module("base")
        and not source.has_module("sms")
    )


def test_package_directory_and_unpacked_root(tmp_path):
    packages = tmp_path / "usr/lib/python3/dist-packages"
    packages.mkdir(parents=True)
    make_odoo(packages)
    # Debian's package leaves a directory "addons" next to "odoo" that holds no modules.
    (packages / "addons").mkdir()
    for home in (tmp_path, packages):
        source = existing_source(str(home))
        assert source.python_path == packages
        assert source.addons == []


def test_odoo_among_other_packages_comes_without_them(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    packages = tmp_path / "dist-packages"
    packages.mkdir()
    make_odoo(packages)
    (packages / "lxml").mkdir()
    (packages / "lxml" / "__init__.py").write_text("")
    for _again in range(2):
        source = existing_source(str(packages))
        assert source.python_path != packages
        assert [path.name for path in source.python_path.iterdir()] == ["odoo"]
        assert source.has_module("base")


@pytest.mark.parametrize(
    "series, found", [((18, 0), "18.0"), (("saas~19", 1), "saas~19.1")]
)
def test_other_series_is_refused(tmp_path, series, found):
    make_odoo(tmp_path, series)
    assert release_of(tmp_path) == found
    with pytest.raises(Problem, match=found):
        existing_source(str(tmp_path))


def test_no_odoo_is_said(tmp_path):
    with pytest.raises(Problem, match="holds no Odoo"):
        existing_source(str(tmp_path))

"""Reading apt's sources, and what is done with unpacked packages."""

import os

import pytest
from kit.ui import Problem
from provision import debian

ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main contrib # near
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/other.gpg] https://other.example/ apt-vendor main
deb http://mirror.example/debian-security bookworm-security main
"""

DEB822 = """\
Types: deb deb-src
# a comment inside a paragraph
URIs: http://mirror.example/debian
Suites: bookworm
 bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
"""


def _uris(*places):
    """Return what apt prints of the addresses that it would read."""
    return "".join(f"'{place}/binary-amd64/Packages.xz' file 0 \n" for place in places)


def test_mirror_is_that_of_the_release():
    uris = _uris(
        "https://vendor.example/apt/dists/vendor-bookworm/main",
        "http://mirror.example/debian-security/dists/bookworm-security/main",
        "cdrom:[Debian 12]/dists/bookworm/main",
        "http://contrib.example/debian/dists/bookworm/contrib",
        "http://mirror.example/debian/dists/bookworm/main",
    )
    assert debian.choose_mirror(uris, "bookworm") == "http://mirror.example/debian"


def test_mirror_where_sources_name_a_suite_in_general():
    uris = _uris(
        "https://vendor.example/apt/dists/nodistro/main",
        "http://mirror.example/debian/dists/stable/main",
    )
    assert debian.choose_mirror(uris, "bookworm") == "http://mirror.example/debian"


def _machine_mirror(etc_apt):
    """Have apt read these sources in place of the machine's."""
    return debian.machine_mirror("-o", f"Dir::Etc={etc_apt}")


@pytest.mark.parametrize(
    "name",
    ["sources.list", "sources.list.d/debian.list", "sources.list.d/debian.sources"],
)
def test_machine_mirror_reads_both_formats(tmp_path, monkeypatch, name):
    monkeypatch.setattr(debian, "codename", lambda: "bookworm")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(DEB822 if name.endswith(".sources") else ONE_LINE)
    assert _machine_mirror(tmp_path) == "http://mirror.example/debian"


def test_machine_without_a_mirror_says_what_to_do(tmp_path):
    with pytest.raises(Problem, match="ODOO_HOME"):
        _machine_mirror(tmp_path)


def test_dependencies():
    value = (
        "python3-reportlab (>= 4.0.4-1~), python3:any, fonts-a | fonts-b, libjs-jquery"
    )
    assert debian.dependencies(value) == [
        "python3-reportlab",
        "python3",
        "fonts-a",
        "libjs-jquery",
    ]


@pytest.mark.parametrize(
    "line, kept",
    [
        ('Acquire::http::Proxy "http://proxy.example:3128";', True),
        ('Acquire::https::CAInfo "/etc/ssl/certs/own.pem";', True),
        ('APT::Update::Post-Invoke:: "rm -f /var/cache/apt/archives/*.deb";', False),
        ('Dir::State "var/lib/apt";', False),
        ('Acquire::IndexTargets::deb::DEP-11::MetaKey "x";', False),
    ],
)
def test_machine_settings(line, kept):
    assert (debian.MACHINE_SETTINGS_LEFT_OUT.match(line) is None) is kept


def test_absolute_links_are_made_to_stay_inside(tmp_path):
    target = tmp_path / "usr/share/javascript/lib.js"
    target.parent.mkdir(parents=True)
    target.write_text("x")
    links = tmp_path / "usr/lib/odoo"
    links.mkdir(parents=True)
    (links / "inside.js").symlink_to("/usr/share/javascript/lib.js")
    (links / "directory").symlink_to("/usr/share/javascript")
    (links / "elsewhere").symlink_to("/nowhere/at/all")
    (links / "relative").symlink_to("inside.js")
    assert debian.relocate_symlinks(tmp_path) == 2
    assert (links / "inside.js").read_text() == "x"
    assert not os.path.isabs(os.readlink(links / "inside.js"))
    assert (links / "directory" / "lib.js").read_text() == "x"
    assert os.readlink(links / "elsewhere") == "/nowhere/at/all"
    assert os.readlink(links / "relative") == "inside.js"

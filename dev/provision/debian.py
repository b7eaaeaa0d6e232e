"""Debian packages fetched and unpacked into the cache, without installing anything.

apt itself downloads and checks the signatures, from the mirror that the
machine's sources name, with lists and state of its own: the machine's apt
set-up is read and never written.
"""

import os
import platform
import re
import subprocess
from pathlib import Path

from kit.cache import cache_dir
from kit.system import is_debian, run
from kit.ui import Problem, step

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
# Suites whose mirror is Debian's main archive whatever the release is called.
GENERIC_SUITES = ("stable", "testing", "unstable", "sid", "oldstable")
# Of the addresses that apt would read: those of a mirror's main component.
MAIN = re.compile(r"^'(?!cdrom:|file:|copy:)(\S+?)/dists/(\S+?)/main/binary-", re.M)
# Hooks would run the machine's own housekeeping; index targets would download
# what desktops need; directories and sources are set to our own.
MACHINE_SETTINGS_LEFT_OUT = re.compile(
    r"^(Dir\b|APT::Update::(Pre|Post)-Invoke|DPkg\b|Acquire::IndexTargets|APT::Default-Release|APT::Periodic)",
    re.I,
)


def choose_mirror(uris, codename):
    """Pick the mirror of a release's main archive from ``apt-get update --print-uris``."""
    for wanted in ((codename,), GENERIC_SUITES):
        for mirror, suite in MAIN.findall(uris):
            if suite in wanted:
                return mirror
    return None


def codename():
    """Return the name of the machine's release, as ``bookworm``; empty when it has none."""
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def machine_mirror(*options):
    """Return the mirror that the machine's sources name, by more options of apt's."""
    uris = run(["apt-get", "update", "--print-uris", *options], "Reading apt's sources")
    mirror = choose_mirror(uris, codename())
    if not mirror:
        raise Problem(
            "The machine's apt sources name no mirror of Debian: add one to "
            "/etc/apt/sources.list, or set ODOO_HOME to a source tree of Odoo 19.",
        )
    return mirror


class Archive:
    """One suite of Debian, as ``sid``, seen through apt with its own lists and state."""

    def __init__(self, suite):
        if not is_debian():
            raise Problem(
                "Odoo 19 is fetched as a Debian package, and this machine's system is "
                "not Debian: set ODOO_HOME to a source tree of Odoo 19, then start this "
                "again.",
            )
        self.suite = suite
        self.root = cache_dir() / "apt" / suite
        self.config = self.root / "apt.conf"
        self.archives = self.root / "archives"
        self.environment = {
            **os.environ,
            "APT_CONFIG": str(self.config),
            "LC_ALL": "C.UTF-8",
        }

    def _write_config(self):
        for directory in ("lists/partial", "archives/partial", "state"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        # Empty: nothing is installed as far as this apt knows.
        (self.root / "status").write_text("")
        keyring = next((path for path in KEYRINGS if path.exists()), None)
        if not keyring:
            raise Problem(
                "Debian's archive keyring is missing, so what is downloaded could not "
                'be checked: ask the administrator for "sudo apt-get install '
                'debian-archive-keyring", then start this again.',
            )
        (self.root / "sources.list").write_text(
            f"deb [signed-by={keyring}] {machine_mirror()} {self.suite} main\n"
        )
        # The machine's proxies, time-outs and credentials are kept; what apt would do
        # around them is not.
        machine = run(
            ["apt-config", "dump"], "Reading apt's settings", stderr=subprocess.DEVNULL
        ).splitlines()
        settings = [
            *(line for line in machine if not MACHINE_SETTINGS_LEFT_OUT.match(line)),
            f'Dir::Etc::sourcelist "{self.root}/sources.list";',
            'Dir::Etc::sourceparts "/dev/null";',
            'Dir::Etc::main "/dev/null";',
            'Dir::Etc::parts "/dev/null";',
            'Dir::Etc::preferences "/dev/null";',
            'Dir::Etc::preferencesparts "/dev/null";',
            f'Dir::State "{self.root}/state";',
            f'Dir::State::lists "{self.root}/lists";',
            f'Dir::State::status "{self.root}/status";',
            f'Dir::Cache "{self.root}";',
            f'Dir::Cache::archives "{self.root}/archives";',
            'Acquire::Languages "none";',
            # apt's own user could not reach a cache below a private home.
            'APT::Sandbox::User "root";',
        ]
        self.config.write_text("\n".join(settings) + "\n")

    def update(self):
        """Fetch the suite's list of packages."""
        self._write_config()
        # Without Error-Mode, a mirror that fails only earns a warning.
        self._apt_get(
            f"Reading the list of packages of Debian {self.suite}",
            *("update", "-q", "-o", "APT::Update::Error-Mode=any"),
        )

    def _apt_get(self, title, *arguments):
        with step(title):
            command = ["apt-get", *arguments]
            run(command, title, env=self.environment, cwd=self.archives)

    def download(self, packages, title):
        """Return the files of packages, downloaded where missing, each checked by apt."""
        self._apt_get(title, "download", "-q", *packages)
        return [
            max(
                self.archives.glob(f"{package}_*.deb"),
                key=lambda path: path.stat().st_mtime,
            )
            for package in packages
        ]

    def download_with_dependencies(self, package, title):
        """Return the files of a package and all that it needs and is not installed."""
        for leftover in self.archives.glob("*.deb"):
            leftover.unlink()
        self._apt_get(
            *(title, "install", "-qy", "--download-only", "--no-install-recommends"),
            # What is installed counts, and is only read.
            *("-o", "Dir::State::status=/var/lib/dpkg/status"),
            *("-o", "Debug::NoLocking=1", package),
        )
        return sorted(self.archives.glob("*.deb"))


def package_field(deb, field):
    """Return a field of a package."""
    return run(["dpkg-deb", "-f", str(deb), field], f"Reading {deb.name}").strip()


def dependencies(value):
    """Return the names in a ``Depends`` field, the first one where there is a choice."""
    return re.findall(r"(?:^|,)\s*([^\s(:|,]+)", value)


def unpack(deb, tree):
    """Unpack a package into a directory that stands for the root of the file system."""
    run(["dpkg-deb", "-x", str(deb), str(tree)], f"Unpacking {deb.name}")


def relocate_symlinks(tree):
    """Make the absolute symbolic links of an unpacked tree point inside the tree.

    A link whose target isn't in the tree is left as it is. Return how many were changed.
    """
    changed = 0
    for directory, subdirectories, files in os.walk(tree):
        for name in subdirectories + files:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                continue
            target = os.readlink(path)
            inside = str(tree) + target
            if os.path.isabs(target) and os.path.lexists(inside):
                os.unlink(path)
                os.symlink(os.path.relpath(inside, directory), path)
                changed += 1
    return changed

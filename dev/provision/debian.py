"""Debian packages fetched and unpacked into the cache, without installing anything.

apt itself downloads and checks the signatures, from the mirror that the
machine's sources name, with lists and state of its own: the machine's apt
set-up is read and never written.
"""

import os
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
# How a source is switched off.
OFF = ("no", "false", "0", "off", "without", "disable")
# Hooks would run the machine's own housekeeping; index targets would download
# what desktops need; directories and sources are set to our own.
MACHINE_SETTINGS_LEFT_OUT = re.compile(
    r"^(Dir\b|APT::Update::(Pre|Post)-Invoke|DPkg\b|Acquire::IndexTargets|APT::Default-Release|APT::Periodic)",
    re.I,
)


def parse_one_line_sources(text):
    """Read apt sources in the one-line format.

    :param str text: a ``sources.list``.
    :return: a list of (uri, suite, components), binary sources only.
    """
    entries = []
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        match = re.match(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)$", line)
        if match:
            uri, suite, components = match.groups()
            entries.append((uri, suite, components.split()))
    return entries


def parse_deb822_sources(text):
    """Read apt sources in the deb822 format.

    :param str text: a ``.sources`` file.
    :return: a list of (uri, suite, components), enabled binary sources only.
    """
    entries = []
    # Comment lines are removed first: one may stand inside a paragraph, even inside a field.
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        fields = {}
        name = None
        for line in paragraph.splitlines():
            if line[:1] in (" ", "\t"):
                if name:
                    fields[name] += " " + line.strip()
            elif ":" in line:
                name, value = line.split(":", 1)
                name = name.strip().lower()
                fields[name] = value.strip()
        if "deb" not in fields.get("types", "").split():
            continue
        if fields.get("enabled", "yes").lower() in OFF:
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                entries.append((uri, suite, fields.get("components", "").split()))
    return entries


def choose_mirror(entries, codename):
    """Pick the mirror of Debian's main archive.

    :param list entries: what the two parsers return.
    :param str codename: the name of the machine's release, such as ``bookworm``.
    :return: its URI, or None.
    """
    for wanted in ((codename,), GENERIC_SUITES):
        for uri, suite, components in entries:
            if (
                suite in wanted
                and "main" in components
                and not uri.startswith(("cdrom:", "file:", "copy:"))
            ):
                return uri
    return None


def codename():
    """Name the machine's release.

    :return: for instance ``bookworm``; empty when it has no name.
    """
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip().strip('"')
    return ""


def machine_mirror(etc_apt=Path("/etc/apt")):
    """Find the mirror that the machine's sources name.

    :param Path etc_apt: apt's configuration directory.
    :return: its URI.
    :raise Problem: when there is none.
    """
    entries = []
    parts = etc_apt / "sources.list.d"
    files = [
        etc_apt / "sources.list",
        *(sorted(parts.iterdir()) if parts.is_dir() else []),
    ]
    for path in files:
        if not path.is_file():
            continue
        parse = {".list": parse_one_line_sources, ".sources": parse_deb822_sources}.get(
            path.suffix
        )
        if parse:
            entries += parse(path.read_text(errors="replace"))
    mirror = choose_mirror(entries, codename())
    if not mirror:
        raise Problem(
            "The machine's apt sources name no mirror of Debian: add one to "
            "/etc/apt/sources.list, "
            "or set ODOO_HOME to a source tree of Odoo 19.",
        )
    return mirror


class Archive:
    """One suite of Debian, seen through apt with its own lists and state.

    :param str suite: the suite, such as ``sid``.
    """

    def __init__(self, suite):
        if not is_debian():
            raise Problem(
                "Odoo 19 is fetched as a Debian package, and this machine's system is "
                "not Debian: "
                "set ODOO_HOME to a source tree of Odoo 19, then start this again.",
            )
        self.suite = suite
        self.root = cache_dir() / "apt" / suite
        self.config = self.root / "apt.conf"
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
        machine = subprocess.run(
            ["apt-config", "dump"], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        settings = [
            line
            for line in machine.splitlines()
            if not MACHINE_SETTINGS_LEFT_OUT.match(line)
        ]
        settings += [
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
        """Fetch the suite's list of packages.

        :raise Problem: when the mirror can't be reached or doesn't carry the suite.
        """
        self._write_config()
        with step(f"Reading the list of packages of Debian {self.suite}"):
            # Without Error-Mode, a mirror that fails only earns a warning.
            run(
                ["apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"],
                f"Reading the list of packages of Debian {self.suite}",
                env=self.environment,
            )

    def download(self, packages, title):
        """Download packages, each checked by apt, but for those already there.

        :param str title: what the step is called.
        :return: the paths of the files, in the same order.
        :raise Problem: when one doesn't exist or can't be fetched.
        """
        directory = self.root / "archives"
        with step(title):
            run(
                ["apt-get", "download", "-q", *packages],
                title,
                env=self.environment,
                cwd=directory,
            )
        files = []
        for package in packages:
            found = sorted(
                directory.glob(f"{package}_*.deb"),
                key=lambda path: path.stat().st_mtime,
            )
            files.append(found[-1])
        return files

    def download_with_dependencies(self, package, title):
        """Download a package and all that it needs and that is not installed on this machine.

        :param str title: what the step is called.
        :return: the paths of the files.
        :raise Problem: when one can't be fetched.
        """
        directory = self.root / "archives"
        for leftover in directory.glob("*.deb"):
            leftover.unlink()
        with step(title):
            run(
                [
                    *("apt-get", "install", "-qy", "--download-only"),
                    "--no-install-recommends",
                    # What is installed counts, and is only read.
                    *("-o", "Dir::State::status=/var/lib/dpkg/status"),
                    *("-o", "Debug::NoLocking=1", package),
                ],
                title,
                env=self.environment,
            )
        return sorted(directory.glob("*.deb"))


def package_field(deb, field):
    """Read a field of a package.

    :return: its value.
    """
    return run(["dpkg-deb", "-f", str(deb), field], f"Reading {deb.name}").strip()


def dependencies(value):
    """Read a ``Depends`` field.

    :return: the names, the first one where there is a choice.
    """
    names = []
    for item in value.split(","):
        first = item.split("|")[0].strip()
        if first:
            names.append(re.split(r"[\s(:]", first, maxsplit=1)[0])
    return names


def unpack(deb, tree):
    """Unpack a package.

    :param Path tree: the directory that stands for the root of the file system.
    """
    run(["dpkg-deb", "-x", str(deb), str(tree)], f"Unpacking {deb.name}")


def relocate_symlinks(tree):
    """Make the absolute symbolic links of an unpacked tree point inside the tree.

    A link whose target isn't in the tree is left as it is.

    :return: the number of links changed.
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

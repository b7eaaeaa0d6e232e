"""Where Odoo comes from: an existing source tree, else Debian's package in the cache."""

import os
import re
import subprocess
from pathlib import Path

from kit.cache import built_directory, cache_dir, short_hash
from kit.ui import Problem, step

from . import debian

SERIES = "19.0"
PACKAGE = "odoo-19"
SUITE = "sid"
# What the package's web assets link to, among all that it depends on.
ASSET_PACKAGES = re.compile(r"^(fonts-|gsfonts$|libjs-)")
# These have since become other fonts (Font Awesome 7 instead of the 4.7 that Odoo draws
# its icons with); the release below still has the files that Odoo's links name.
OLDER_PACKAGES = ("fonts-font-awesome", "fonts-inconsolata")
OLDER_SUITE = "bookworm"
# Named by the assets' manifest and left out of Debian's package; without it every page
# logs an error.
MISSING_SCRIPT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"


class OdooSource:
    """A source tree of Odoo.

    :param Path python_path: the directory that holds the ``odoo`` package.
    :param list[Path] addons: directories of addons besides those that Odoo knows itself.
    :param str fingerprint: changes when the tree does.
    """

    def __init__(self, python_path, addons, fingerprint):
        self.python_path = python_path
        self.addons = addons
        self.fingerprint = fingerprint

    def has_module(self, name):
        """Return whether a module of this technical name is in the tree."""
        return any(
            (directory / name / "__manifest__.py").is_file()
            for directory in (*self.addons, self.python_path / "odoo" / "addons")
        )


def release_of(python_path):
    """Return the series of a source tree, as ``19.0``, or None where there is no Odoo."""
    try:
        text = (python_path / "odoo" / "release.py").read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    match = re.search(
        r'^version_info\s*=\s*\(\s*[\'"]?([^,\'"]+)[\'"]?\s*,\s*(\d+)', text, re.M
    )
    return f"{match.group(1)}.{match.group(2)}" if match else None


def _revision(path):
    """Identify the state of a tree that somebody else looks after."""
    if not (path / ".git").exists():
        return ""
    done = subprocess.run(
        ["git", "-C", str(path), "rev-parse", "HEAD"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return "" if done.returncode else done.stdout.strip()


def _alone(python_path):
    """Keep what else is in a directory of Python packages out of the virtual environment.

    A system-wide Odoo lies among the system's packages, which would be taken before the
    pinned ones.
    """
    if not any(path.name != "odoo" for path in python_path.glob("*/__init__.py")):
        return python_path
    link = cache_dir() / f"odoo-at-{short_hash(python_path)}" / "odoo"
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(python_path / "odoo")
    return link.parent


def existing_source(home):
    """Use what ``ODOO_HOME`` names: a checkout of git, or where a package was unpacked."""
    home = Path(home).expanduser().absolute()
    for python_path in (home, home / "usr/lib/python3/dist-packages"):
        series = release_of(python_path)
        if series is None:
            continue
        if series != SERIES:
            raise Problem(
                f"ODOO_HOME ({home}) holds Odoo {series}: set it to a source tree of "
                f"Odoo {SERIES}, or unset it."
            )
        addons = python_path / "addons"
        # In the packaged layout all addons are below odoo/addons, which Odoo finds itself;
        # an "addons" without "base"'s companions next to it is something else's.
        extra = [addons] if (addons / "web" / "__manifest__.py").is_file() else []
        return OdooSource(
            _alone(python_path), extra, short_hash(python_path, series, _revision(home))
        )
    raise Problem(
        f"ODOO_HOME ({home}) holds no Odoo: set it to a source tree of Odoo {SERIES}, "
        "or unset it."
    )


def _build(directory):
    archive = debian.Archive(SUITE)
    archive.update()
    odoo = archive.download(
        [PACKAGE],
        f"Downloading Odoo {SERIES} (Debian's package {PACKAGE}, about 120 MB)",
    )[0]
    wanted = [
        name
        for name in debian.dependencies(debian.package_field(odoo, "Depends"))
        if ASSET_PACKAGES.match(name)
    ]
    newer = [name for name in wanted if name not in OLDER_PACKAGES]
    assets = archive.download(
        newer, f"Downloading the fonts and scripts of its pages ({len(newer)} packages)"
    )
    older_archive = debian.Archive(OLDER_SUITE)
    older_archive.update()
    assets += older_archive.download(
        OLDER_PACKAGES, f"Downloading {len(OLDER_PACKAGES)} more fonts"
    )
    with step("Unpacking Odoo (about 1 GB)"):
        for deb in (odoo, *assets):
            debian.unpack(deb, directory)
        debian.relocate_symlinks(directory)
    script = directory / "usr/lib/python3/dist-packages/odoo/addons" / MISSING_SCRIPT
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(
            "// Not part of the package: blurring a camera image is not available here.\n"
        )
    for deb in (odoo, *assets):
        deb.unlink()
    return "".join(f"{deb.name}\n" for deb in (odoo, *assets))


def odoo_source():
    """Return the :class:`OdooSource`, fetched where it is not there yet."""
    home = os.environ.get("ODOO_HOME")
    if home:
        return existing_source(home)
    directory = cache_dir() / f"odoo-{SERIES}"
    stamp = built_directory(directory, _build)
    python_path = directory / "usr/lib/python3/dist-packages"
    return OdooSource(python_path, [], short_hash(stamp))

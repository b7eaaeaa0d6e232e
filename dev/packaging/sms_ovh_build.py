"""The build backend of pyproject.toml: OCA's whool, given the addon alone and under its name.

whool takes an addon's name from its directory, and all that git tracks in it. Here that
directory is the whole repository, cloned under any name; so the addon is laid out as
whool expects it first.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from whool import buildapi

ADDON = "sms_ovh"
# What is for whoever works on the addon, not for whoever installs it.
NOT_INSTALLED = {
    "dev",
    "build",
    "dist",
    "node_modules",
    "package.json",
    "package-lock.json",
    "pyproject.toml",
    "ruff.toml",
    "eslint.config.mjs",
    "prettier.config.mjs",
    "CONTRIBUTING.md",
}
# For a source distribution, which builds as any addon of OCA's.
PYPROJECT = '[build-system]\nrequires = ["whool"]\nbuild-backend = "whool.buildapi"\n'


def tracked_files(root):
    """Return the addon's files, as paths relative to it."""
    asking = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others"]
    try:
        listed = subprocess.run(
            [*asking, "--exclude-standard"], check=True, capture_output=True, text=True
        )
        names = listed.stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        # No clone: an archive of the repository.
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
    return sorted(
        name
        for name in filter(None, names)
        if not name.startswith(".")
        and Path(name).parts[0] not in NOT_INSTALLED
        and not name.endswith(".pyc")
        and (root / name).is_file()
    )


@contextlib.contextmanager
def addon_alone():
    """Work in a directory that holds the addon only, and bears its name."""
    root = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="sms_ovh_build_") as directory:
        addon = Path(directory) / ADDON
        for name in tracked_files(root):
            (addon / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, addon / name)
        (addon / "pyproject.toml").write_text(PYPROJECT)
        os.chdir(addon)
        try:
            yield
        finally:
            os.chdir(root)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    """Build the wheel; see PEP 517."""
    wheel_directory = os.path.abspath(wheel_directory)
    with addon_alone():
        return buildapi.build_wheel(wheel_directory, config_settings, None)


def build_sdist(sdist_directory, config_settings=None):
    """Build the source distribution; see PEP 517."""
    sdist_directory = Path(sdist_directory).resolve()
    with addon_alone():
        return buildapi._build_sdist(Path.cwd(), sdist_directory)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    """Write the wheel's metadata; see PEP 517."""
    metadata_directory = os.path.abspath(metadata_directory)
    with addon_alone():
        return buildapi.prepare_metadata_for_build_wheel(
            metadata_directory, config_settings
        )

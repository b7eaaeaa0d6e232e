"""The virtual environment that Odoo, the simulator and the tests run in."""

import importlib.util
import sys
from pathlib import Path

from kit.cache import STAMP, built_directory, cache_dir, short_hash
from kit.system import is_debian, run
from kit.ui import Problem, step

from . import debian

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"


class PythonEnvironment:
    """A virtual environment, and a fingerprint that changes when what is in it does."""

    def __init__(self, directory, fingerprint):
        self.directory = directory
        self.python = directory / "bin" / "python"
        self.fingerprint = fingerprint

    @property
    def packages(self):
        """The directory of its packages."""
        [packages] = self.directory.glob("lib/python*/site-packages")
        return packages

    def use_packages(self):
        """Have this process import its packages: they are of the same Python."""
        if str(self.packages) not in sys.path:
            # Before the system's packages, and what the current directory happens to hold.
            sys.path.insert(0, str(self.packages))


def environment_key(requirements, version, executable):
    """Name a virtual environment after what it is made from, but for comments."""
    wanted = [line.split("#")[0].strip() for line in requirements.splitlines()]
    return short_hash("\n".join(line for line in wanted if line), version, executable)


def _pip(directory):
    """Find a pip to fill the environment with.

    Debian leaves pip out of its Python until python3-venv is installed; its wheel does
    as well.
    """
    python = directory / "bin" / "python"
    bundled = importlib.util.find_spec("ensurepip")
    # Without an origin it is only an empty directory, as a removed package leaves behind.
    if bundled and bundled.origin:
        run(
            [str(python), "-m", "ensurepip", "--default-pip"],
            "Installing pip into the virtual environment",
        )
        return [str(python), "-m", "pip"]
    if not is_debian():
        raise Problem(
            f"{sys.executable} has no ensurepip: install your system's package for "
            "Python's virtual environments, then start this again."
        )
    archive = debian.Archive("sid")
    archive.update()
    package = archive.download(
        ["python3-pip-whl"], "Downloading pip (Debian's package python3-pip-whl)"
    )[0]
    debian.unpack(package, directory / "pip")
    wheel = next((directory / "pip/usr/share/python-wheels").glob("pip-*.whl"))
    return [str(python), f"{wheel}/pip"]


def _build(directory):
    if not importlib.util.find_spec("venv"):
        raise Problem(
            f"{sys.executable} has no module venv: ask the administrator for "
            '"sudo apt-get install python3-venv", then start this again.'
        )
    run(
        [sys.executable, "-m", "venv", "--without-pip", str(directory)],
        "Creating the virtual environment",
    )
    pip = _pip(directory)
    with step("Installing the Python packages (about 90)"):
        # --no-deps: the requirements name everything. Wheels only: nothing is compiled
        # or executed.
        run(
            [
                *(*pip, "install", "--quiet", "--no-input", "--no-deps"),
                *("--only-binary", ":all:", "--requirement", str(REQUIREMENTS)),
            ],
            "Installing the Python packages",
        )
    return REQUIREMENTS.read_text()


def python_environment():
    """Return the :class:`PythonEnvironment`, made where it is not there yet."""
    version = sys.version_info[:3]
    key = environment_key(REQUIREMENTS.read_text(), version, sys.executable)
    directory = cache_dir() / f"venv-{key}"
    # An interpreter that was upgraded or removed leaves an environment that doesn't start.
    if (directory / "bin").exists():
        try:
            run([str(directory / "bin" / "python"), "-c", ""], "Starting Python")
        except (OSError, Problem):
            (directory / STAMP).unlink(missing_ok=True)
    built_directory(directory, _build)
    return PythonEnvironment(directory, key)

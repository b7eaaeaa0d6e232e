"""Run the machine's commands, and install its packages where that is allowed."""

import os
import shutil
import subprocess
from pathlib import Path

from .ui import Problem, last_lines, say, step


def is_root():
    """Return whether the user is root."""
    return os.geteuid() == 0


def is_debian():
    """Return whether the machine is a Debian (or derived) one with apt."""
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def guarded(command, signal="KILL"):
    """Return the command that ends with the process that starts it, even if that is killed.

    :param str signal: what the kernel then sends it.
    """
    if shutil.which("setpriv"):
        return ["setpriv", "--pdeathsig", signal, "--", *command]
    return list(command)


def run(command, what, **options):
    """Run a command that must succeed, and return what it wrote.

    :param str what: what it does, for the message when it fails.
    :param options: for :func:`subprocess.run`.
    :raise Problem: when it fails; the message ends with what it wrote.
    """
    options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.STDOUT, **options}
    done = subprocess.run(
        # One that outlived this process would go on filling a directory that the next
        # run makes anew.
        guarded(command),
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        **options,
    )
    if done.returncode:
        said = f"{what} failed (exit status {done.returncode})."
        raise Problem(f"{said}\n{last_lines(done.stdout.splitlines())}".rstrip())
    return done.stdout


def install_packages(packages, purpose):
    """Install Debian packages system-wide; only root can.

    :param str purpose: what they are needed for, as in "to run the tests".
    :raise Problem: when this user or this machine can't; its text says what to do.
    """
    names = " ".join(packages)
    if not is_debian():
        raise Problem(
            f"{names} (Debian's names) must be installed {purpose}: install the same "
            "for your system, then start this again."
        )
    if not is_root():
        raise Problem(
            f"{names} must be installed {purpose}: ask the administrator for "
            f'"sudo apt-get install {names}", then start this again.'
        )
    say(f"==> {names} must be installed {purpose}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ("install", "-qy", "--no-install-recommends", *packages)
    for title, arguments in (
        ("Refreshing the list of Debian packages", ("update", "-q")),
        (f"Installing {names} with apt-get", install),
    ):
        with step(title):
            run(["apt-get", *arguments], title, env=environment)

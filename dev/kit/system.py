"""Run the machine's commands, and install its packages where that is allowed."""

import os
import shutil
import subprocess
from pathlib import Path

from .ui import Problem, say, step


def is_root():
    """Tell whether the user is root.

    :return: True for root.
    """
    return os.geteuid() == 0


def is_debian():
    """Tell whether the machine is a Debian (or derived) one with apt.

    :return: True when it is.
    """
    return Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def guarded(command, signal="KILL"):
    """Make a command end with the process that starts it, even if that is killed.

    :param str signal: what the kernel then sends it.
    :return: the command to start instead.
    """
    return (
        ["setpriv", "--pdeathsig", signal, "--", *command]
        if shutil.which("setpriv")
        else list(command)
    )


def run(command, what, **options):
    """Run a command that must succeed.

    :param str what: what it does, for the message when it fails.
    :param options: for :func:`subprocess.run`.
    :return: what it wrote.
    :raise Problem: when it fails; the message ends with what it wrote.
    """
    options.setdefault("stdin", subprocess.DEVNULL)
    done = subprocess.run(
        # One that outlived this process would go on filling a directory that the next
        # run makes anew.
        guarded(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        **options,
    )
    if done.returncode:
        last_lines = "\n".join("    " + line for line in done.stdout.splitlines()[-15:])
        raise Problem(
            f"{what} failed (exit status {done.returncode})."
            + (f"\n{last_lines}" if last_lines else "")
        )
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
    with step("Refreshing the list of Debian packages"):
        run(["apt-get", "update", "-q"], "apt-get update", env=environment)
    with step(f"Installing {names} with apt-get"):
        run(
            ["apt-get", "install", "-qy", "--no-install-recommends", *packages],
            f"Installing {names}",
            env=environment,
        )

"""PostgreSQL: the server that ``PGHOST`` names, else a private cluster in the cache.

The private cluster listens on a Unix socket in a directory of its own and on
no port, so it meets no other server. Each process that uses it holds a shared lock; the
last one to leave stops it.
"""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from kit.cache import (
    STAMP,
    SharedLock,
    built_directory,
    cache_dir,
    complete,
    locked,
    short_hash,
)
from kit.system import install_packages, is_debian, is_root, run
from kit.ui import Problem, last_lines, step

from . import debian

# PostgreSQL refuses to run as root; this is the user that Debian's package brings.
SYSTEM_USER = "postgres"
# Odoo refuses to connect as "postgres".
DATABASE_USER = "odoo"
OLDEST_MAJOR = 13
# Where root's clusters are: the user that they run as can't reach root's cache.
ROOTS_PLACE = Path("/var/lib/sms_ovh")
# Linux allows 107 bytes for a socket's path; PostgreSQL adds "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_DIRECTORY = 85
SETTINGS = """
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 300
shared_buffers = 256MB
# What is in here can be made again: durability is given up for speed.
fsync = off
synchronous_commit = off
full_page_writes = off
jit = off
log_min_messages = warning
log_min_error_statement = panic
"""


def find_binaries(roots=(Path("/usr/lib/postgresql"),)):
    """Return the directory of the newest PostgreSQL server's programs, None without one."""
    found = [
        (int(re.match(r"\d*", path.parent.parent.name)[0] or 0), path.parent)
        for root in roots
        for path in root.glob("*/bin/initdb")
    ]
    usable = [item for item in found if item[0] >= OLDEST_MAJOR]
    if usable:
        return max(usable)[1]
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


def _unpack_server(directory):
    """Unpack Debian's server, with the libraries that the machine lacks."""
    archive = debian.Archive(debian.codename())
    archive.update()
    # The package "postgresql" only names the release's version.
    needs = run(
        ["apt-cache", "depends", "--important", "postgresql"],
        "Looking for PostgreSQL",
        env=archive.environment,
    )
    package = re.search(r"Depends: (postgresql-\d+)", needs).group(1)
    debs = archive.download_with_dependencies(
        package, f"Downloading PostgreSQL (Debian's package {package})"
    )
    with step("Unpacking PostgreSQL"):
        for deb in debs:
            debian.unpack(deb, directory)
            deb.unlink()
    if not find_binaries([directory / "usr/lib/postgresql"]):
        raise Problem(
            f"{package} was fetched without its programs: set PGHOST to an existing server."
        )
    return package + "\n"


class Server(NamedTuple):
    """A PostgreSQL server to connect to.

    ``environment`` has the variables that libpq (and Odoo) read, ``identity`` tells
    servers apart.
    """

    environment: dict
    identity: str


class PrivateCluster:
    """The cluster in the cache."""

    def __init__(self):
        self.binaries = None
        self.libraries = []
        self.cache_key = short_hash(cache_dir())
        self.root = ROOTS_PLACE / self.cache_key if is_root() else cache_dir()

    def _prepare(self):
        """Find the programs (installing them where that is allowed) and settle the places."""
        self.binaries = find_binaries()
        if not self.binaries and is_debian() and not is_root():
            tree = cache_dir() / "postgresql"
            try:
                built_directory(tree, _unpack_server)
            except Problem as problem:
                raise Problem(
                    f'{problem}\nAsk the administrator for "sudo apt-get install postgresql", '
                    "or set PGHOST to an existing server, then start this again.",
                ) from None
            self.binaries = find_binaries([tree / "usr/lib/postgresql"])
            self.libraries = [
                str(path) for path in (tree / "usr/lib").glob("*-linux-gnu*")
            ]
        if not self.binaries:
            why = "to store the databases (or set PGHOST to an existing server)"
            install_packages(["postgresql"], why)
            self.binaries = find_binaries()
            if not self.binaries:
                raise Problem(
                    "PostgreSQL was installed but its programs were not found: set "
                    "PGHOST to an existing server."
                )
        version = run(
            [str(self.binaries / "initdb"), "--version"],
            "Asking PostgreSQL for its version",
            env=self._environment(),
        )
        major = re.search(r"(\d+)", version).group(1)
        self.directory = self.root / f"postgresql-{major}"
        self.data = self.directory / "data"
        self.log = self.directory / "server.log"
        self.socket = self.directory / "socket"
        if len(str(self.socket)) > LONGEST_SOCKET_DIRECTORY:
            self.socket = (
                Path(tempfile.gettempdir()) / f"sms_ovh-{os.geteuid()}-{self.cache_key}"
            )

    def _environment(self):
        # A server of the machine must not be taken for this one.
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PG")
        }
        if self.libraries:
            paths = [*self.libraries, environment.get("LD_LIBRARY_PATH")]
            environment["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
        return environment

    def _run(self, program, *arguments, what):
        """Run one of the server's programs as the user that it may run as."""
        options = {}
        if is_root():
            try:
                account = pwd.getpwnam(SYSTEM_USER)
            except KeyError:
                raise Problem(
                    f'PostgreSQL refuses to run as root and there is no user "{SYSTEM_USER}": '
                    "create one, start this as another user, or set PGHOST to an "
                    "existing server.",
                ) from None
            options = {"user": account.pw_uid, "group": account.pw_gid}
            options["extra_groups"] = []
        # The output goes to a file: the server keeps it open, and a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(self.binaries / program), *map(str, arguments)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                **options,
            )
            if done.returncode and what:
                output.seek(0)
                lines = output.read().strip().splitlines()
                if self.log.exists():
                    lines += self.log.read_text(errors="replace").splitlines()[-10:]
                raise Problem(f"{what} failed:\n{last_lines(lines, len(lines))}")
        return done.returncode

    def _own(self, directory, mode=0o700):
        directory.mkdir(parents=True, exist_ok=True)
        if is_root():
            # Whatever root's umask, the server's user must be able to pass.
            for parent in (self.root.parent, self.root):
                parent.chmod(0o755)
            shutil.chown(directory, SYSTEM_USER, SYSTEM_USER)
        elif directory.stat().st_uid != os.geteuid():
            raise Problem(
                f"{directory} belongs to somebody else: remove it, or set "
                "XDG_CACHE_HOME to another directory."
            )
        directory.chmod(mode)

    def _create(self):
        if complete(self.directory) is not None:
            return
        with step("Creating a private PostgreSQL cluster"):
            if self.directory.exists():
                shutil.rmtree(self.directory)
            self._own(self.directory)
            self._run(
                *("initdb", "-D", self.data, "-U", DATABASE_USER, "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
                what="Creating the PostgreSQL cluster",
            )
            with open(self.data / "postgresql.conf", "a") as handle:
                handle.write(SETTINGS)
            (self.directory / STAMP).write_text("created\n")

    def _running(self):
        return self._run("pg_ctl", "status", "-D", self.data, what=None) == 0

    def start(self):
        """Create the cluster and start its server, unless it runs; under the lock."""
        self._prepare()
        self._create()
        # Made again when a cleaner of temporary files took it away.
        self._own(self.socket)
        if self._running() and not (self.socket / ".s.PGSQL.5432").exists():
            self.stop()
        if not self._running():
            self._run(
                *("pg_ctl", "start", "-w", "-t", "120", "-D", self.data),
                *("-l", self.log, "-o", f"-k '{self.socket}' -p 5432"),
                what="Starting PostgreSQL",
            )

    def stop(self):
        """Stop the server; the caller holds the lock."""
        self._run(
            *("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data),
            what="Stopping PostgreSQL",
        )

    def server(self):
        """Return how to connect."""
        where = {"PGHOST": str(self.socket), "PGPORT": "5432", "PGUSER": DATABASE_USER}
        return Server(where, str(self.data))


@contextlib.contextmanager
def running_server():
    """Have a :class:`Server`, the user's or a private one, while the block lasts."""
    if os.environ.get("PGHOST"):
        yield Server({}, f"{os.environ['PGHOST']}:{os.environ.get('PGPORT', '')}")
        return
    cluster = PrivateCluster()
    users = SharedLock("postgresql-users")
    with locked("postgresql"):
        users.acquire()
        cluster.start()
    try:
        yield cluster.server()
    finally:
        with locked("postgresql"):
            if users.is_last() and cluster._running():
                cluster.stop()
            users.release()

"""Databases: templates that are kept, their copies, and what killed runs left.

A base template has the addon's dependencies installed. It is keyed by what it
was made from and shared by all checkouts; installing the addon on a copy then
takes seconds. A database gets its final name last, so one that bears it is whole.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time

from kit.cache import cache_dir, locked, short_hash, try_lock
from kit.ui import Problem, last_lines, say, step

from .checkout import ADDON
from .platform import errors_in

PREFIX = "sms_ovh"
# A base template that nobody copied for this long is dropped when another one is made.
UNUSED_TEMPLATE_DAYS = 30


class Databases:
    """The databases of a platform."""

    def __init__(self, platform):
        self.platform = platform
        self.checkout = platform.checkout
        self.runs = self.checkout.cache / "runs"
        self.runs.mkdir(exist_ok=True)
        self.filestores = platform.data_dir / "filestore"

    # -- SQL ---------------------------------------------------------------

    def sql(self, database, *statements):
        """Run statements, each in a transaction of its own; return the rows of the last.

        :param statements: SQL texts, or (text, parameters).
        :raise Problem: when the server refuses one.
        """
        import psycopg2  # among the environment's packages

        # As libpq's variables name them.
        where = {
            name.removeprefix("PG").lower(): value
            for name, value in self.platform.server.environment.items()
        }
        connection = psycopg2.connect(dbname=database, **where)
        # CREATE DATABASE and its like refuse to run inside a transaction.
        connection.autocommit = True
        rows = []
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    if isinstance(statement, str):
                        statement = (statement,)
                    cursor.execute(*statement)
                    rows = cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            said = str(error).splitlines()[0]
            raise Problem(f"The database server refused: {said}") from None
        finally:
            connection.close()
        return rows

    def names(self, prefix):
        """Return the names of the databases that start so."""
        query = (
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1"
        )
        return [row[0] for row in self.sql("postgres", (query, [prefix]))]

    def note(self, database):
        """Return the note kept with a database, a dictionary, empty when there is none."""
        query = (
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
            " WHERE datname = %s"
        )
        rows = self.sql("postgres", (query, [database]))
        try:
            return json.loads(rows[0][0])
        except (IndexError, TypeError, ValueError):
            return {}

    def set_note(self, database, note):
        """Keep a note with a database."""
        self.sql(
            "postgres", (f'COMMENT ON DATABASE "{database}" IS %s', [json.dumps(note)])
        )

    # -- one database ------------------------------------------------------

    def drop(self, database):
        """Remove a database and its files, whoever is connected to it."""
        self.sql("postgres", f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        shutil.rmtree(self.filestores / database, ignore_errors=True)

    def rename(self, old, new):
        """Give a database its final name, its files first: the name says that all is there."""
        shutil.rmtree(self.filestores / new, ignore_errors=True)
        if (self.filestores / old).exists():
            (self.filestores / old).rename(self.filestores / new)
        self.sql("postgres", f'ALTER DATABASE "{old}" RENAME TO "{new}"')

    def copy(self, source, target):
        """Copy a database, to which nobody is connected, and its files."""
        self.sql("postgres", f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
        if (self.filestores / source).exists():
            # Odoo names these files after their content and never writes into one:
            # links will do.
            shutil.copytree(
                self.filestores / source,
                self.filestores / target,
                copy_function=os.link,
                dirs_exist_ok=True,
            )

    def odoo(self, what, log_name, *arguments):
        """Run Odoo on a database until it has done something.

        :param str what: what it does, for the message when it fails.
        :param str log_name: where its log goes, in the checkout's directory of logs.
        :raise Problem: when it fails.
        """
        log = self.checkout.logs / log_name
        command = self.platform.odoo_command(
            *(*arguments, "--no-http", "--max-cron-threads=0", "--stop-after-init")
        )
        status, lines = self.platform.run(command, log)
        # A module that can't be installed is skipped with an error and exit status 0.
        bad = errors_in(lines)
        if status or bad:
            details = last_lines(bad[:3] + lines[-12:])
            raise Problem(f"{what} failed; the whole log is {log}.\n{details}")

    def install(self, database, title, log_name, *options):
        """Install the addon in a database. See :meth:`odoo`."""
        self.odoo(title, log_name, "-d", database, "-i", ADDON, *options)

    # -- templates ---------------------------------------------------------

    def base_template(self, demo=False):
        """Return the base template, made where it is not there yet.

        :param bool demo: with demo data and French.
        :return: the database's name; copy it under the lock ``templates``.
        """
        modules = self.checkout.dependencies()
        key = short_hash(self.platform.fingerprint, modules, demo)
        kind = "demo" if demo else "plain"
        name = f"{PREFIX}_base_{kind}_{key}"
        if name in self.names(name):
            return name
        building = f"{PREFIX}_making_{kind}_{key}"
        self.drop(building)
        options = ["--with-demo", "--load-language=fr_FR"] if demo else []
        title = f"Making a base database with {', '.join(modules)}"
        title += " and demo data" if demo else ""
        with step(f"{title} (once, a minute or two)"):
            self.odoo(
                title,
                f"base-{kind}.log",
                *("-d", building, "-i", ",".join(modules), *options),
            )
        self._drop_unused_templates()
        self.rename(building, name)
        return name

    def _drop_unused_templates(self):
        oldest = time.time() - UNUSED_TEMPLATE_DAYS * 86400
        for name in self.names(f"{PREFIX}_base_"):
            if self.note(name).get("used", 0) < oldest:
                self.drop(name)

    def from_template(self, target, demo=False):
        """Make a database with the addon's dependencies, also with demo data and French."""
        # The server is part of the lock's name: two servers have templates of their own.
        with locked(f"templates-{short_hash(self.platform.server.identity)}"):
            template = self.base_template(demo)
            self.drop(target)
            self.copy(template, target)
            self.set_note(template, {"used": time.time()})

    # -- databases of one run ----------------------------------------------

    @contextlib.contextmanager
    def of_this_run(self, kind, make=True):
        """Have a fresh database that goes away with the run.

        A lock tells other runs that it is in use; the kernel releases it
        however the run ends, and a later run then clears the database away.

        :param str kind: what it is for, part of its name.
        :param bool make: copy the base template; else only the name is reserved.
        :return: the database's name, as the context's value.
        """
        self.sweep()
        name = f"{PREFIX}_{kind}_{self.checkout.key}_{os.getpid()}"
        lock = self.runs / f"{name}.lock"
        with open(lock, "w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                if make:
                    self.from_template(name)
                else:
                    self.drop(name)
                yield name
            finally:
                self.drop(name)
                lock.unlink(missing_ok=True)

    @contextlib.contextmanager
    def installed(self, kind):
        """Have a fresh database with the addon. See :meth:`of_this_run`."""
        with self.of_this_run(kind) as database:
            self.install(database, f"Installing {ADDON}", f"{kind}.log")
            yield database

    def sweep(self):
        """Drop the databases that killed runs of this checkout left."""
        for lock in self.runs.glob("*.lock"):
            with open(lock, "a") as handle:
                if try_lock(handle):
                    self.drop(lock.stem)
                    lock.unlink(missing_ok=True)

    # -- the demonstration -------------------------------------------------

    def demo(self, reset=False):
        """Return the demonstration's database, made or updated as needed, or made again."""
        name = f"{PREFIX}_demo_{self.checkout.key}"
        wanted = {
            "addon": self.checkout.fingerprint(),
            "odoo": self.platform.source.fingerprint,
        }
        exists = name in self.names(name)
        note = self.note(name) if exists else {}
        if exists and not reset and note.get("odoo") != wanted["odoo"]:
            say(
                "The demonstration was made with another version of Odoo: making it again."
            )
            reset = True
        if exists and not reset and note == wanted:
            return name
        if exists and not reset:
            title = "Updating the demonstration: the addon has changed"
            with step(title):
                try:
                    self.odoo(title, "demo-update.log", "-d", name, "-u", ADDON)
                except Problem as problem:
                    raise Problem(
                        f"{problem}\nStart again with --reset to make the demonstration anew."
                    ) from None
            self.set_note(name, wanted)
            return name
        making = f"{PREFIX}_making_demo_{self.checkout.key}"
        self.from_template(making, demo=True)
        title = f"Making the demonstration: installing {ADDON} with demo data in French"
        with step(title):
            self.install(making, title, "demo-install.log", "--with-demo")
        self.set_note(making, wanted)
        self.drop(name)
        self.rename(making, name)
        return name

    def set_addresses(self, database, odoo_url, simulator_url):
        """Tell the demonstration where it and the simulated OVHcloud are in this run."""
        upsert = (
            "INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s) "
            "ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"
        )
        self.sql(
            database,
            (upsert, ["web.base.url", odoo_url]),
            # Else the first login of an administrator would set it from the browser's address.
            (upsert, ["web.base.url.freeze", "True"]),
            # Only an account that points at a simulator on this machine; one of the
            # user's own stays as it is.
            (
                "UPDATE sms_ovh_account SET endpoint_url = %s "
                r"WHERE endpoint = 'custom' AND endpoint_url ~ "
                r"'^http://(localhost|127\.0\.0\.1):\d+'",
                [f"{simulator_url}/1.0"],
            ),
            # The simulator forgets between runs: Odoo tells it anew where reports go,
            # and reads what it has.
            "UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC'"
            " FROM ir_model_data AS data WHERE data.module = 'sms_ovh'"
            " AND data.name = 'ir_cron_synchronise' AND data.res_id = ir_cron.id",
        )


def forget_removed_checkouts(databases):
    """Drop the databases of checkouts that no longer exist, by those of any checkout."""
    for directory in (cache_dir() / "checkouts").iterdir():
        try:
            path = (directory / "path").read_text()
        except FileNotFoundError:
            continue
        if os.path.exists(path):
            continue
        for name in databases.names(f"{PREFIX}_"):
            if f"_{directory.name}" in name:
                databases.drop(name)
        shutil.rmtree(directory, ignore_errors=True)

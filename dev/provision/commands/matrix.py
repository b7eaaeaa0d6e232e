"""``dev/matrix``: the addon's whole life, beside every neighbour, in real databases."""

import argparse
import concurrent.futures
import contextlib
import copy
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import zipfile
from pathlib import Path

from ..checkout import ADDON
from ..children import Child
from ..databases import Databases
from ..parallel import share_count
from ..platform_ import DEV_DIRECTORY, platform
from ..ports import HOST, free_port
from ..python_env import PythonEnvironment
from ..system import guarded, run
from ..ui import Problem, say
from .test import run_odoo_tests

# Addons of Odoo that send SMS or show them, and Twilio, another provider of them.
NEIGHBOURS = (
    "sms_twilio",
    "crm_sms",
    "sale_sms",
    "calendar_sms",
    "event_sms",
    "mass_mailing_crm_sms",
    "mass_mailing_sale_sms",
    "website_mass_mailing_sms",
    "mass_mailing_event_sms",
    "project_sms",
    "stock_sms",
    "base_automation",
)
# Tests of their SMS; skipped where an addon is not installed.
EVERYWHERE = "sms_ovh_everywhere"
# OCA's job queue, as PyPI has it.
QUEUE_JOB = ("odoo-addon-queue-job==19.0.2.4.0.1", "openupgradelib==3.13.7")
# States of this repository that somebody may have installed. No release has been made yet:
# it is the last that was published.
EARLIER = ("1909629",)
DONE = "MATRIX STEP DONE"
CASES = {
    "wheel": "the package, built and installed beside Odoo",
    "alone": "the whole life, without neighbours and demo data",
    "upgrade": "from earlier states",
    "before": "the whole life beside neighbours, with demo data",
    "after": "neighbours that come later",
    "queue_job": "the whole life beside OCA's queue_job, from PyPI",
}
# As begun where several run at once.
LONGEST = ("before", "after", "queue_job", "alone", "upgrade", "wheel")


class Matrix:
    """Runs steps in databases and notes how each went.

    :param Platform parts: the platform.
    :param str api_url: the simulated OVHcloud's, where a case is run.
    """

    def __init__(self, parts, api_url=None):
        self.parts = parts
        self.api_url = api_url
        self.databases = Databases(parts)
        self.rows = []

    @property
    def failed(self):
        """The rows of what went wrong."""
        return [row for row in self.rows if row[2] == "FAILED"]

    def note(self, case, step, function):
        """Do something and note how it went.

        :param str case: what is tried.
        :param str step: what of it.
        :param function: what does it; returns a remark or nothing.
        :raise Problem: where it fails, once it is noted: what follows in the case would
            make no sense.
        """
        started = time.monotonic()
        try:
            remark = function() or ""
        except Problem as problem:
            self.rows.append((case, step, "FAILED", time.monotonic() - started, ""))
            say(f"FAILED   {case}: {step}\n{problem}")
            raise
        self.rows.append((case, step, "ok", time.monotonic() - started, remark))
        say(f"ok       {case}: {step} ({time.monotonic() - started:.0f} s) {remark}")

    @contextlib.contextmanager
    def case(self, name, make=True):
        """Have a database for a case, which ends at its first failure while the others go on.

        :param str name: what is tried.
        :param bool make: with the addon's dependencies; else only its name is reserved.
        """
        kind = f"matrix_{re.sub(r'[^a-z0-9]+', '_', name.lower())}"
        with (
            self.databases.of_this_run(kind, make=make) as database,
            contextlib.suppress(Problem),
        ):
            yield database

    # -- steps -------------------------------------------------------------

    def odoo(self, database, *arguments, addons=None):
        """Run Odoo until it has done something; an ERROR in its log is a failure.

        :param str database: the database.
        :param arguments: Odoo's.
        :param addons: directories to look for addons in besides Odoo's own, by default
            this checkout's.
        """
        self.databases.odoo(
            f"odoo {' '.join(arguments)}",
            f"matrix-{database}.log",
            "-d",
            database,
            *self._paths(addons),
            *arguments,
        )

    def _paths(self, addons):
        if addons is None:
            return []
        return [
            f"--addons-path={','.join(map(str, [*self.parts.source.addons, *addons]))}"
        ]

    def step(self, database, name, addons=None, **options):
        """Run one of :mod:`matrix_.steps` in Odoo's shell.

        :param str database: the database.
        :param str name: the step.
        :param addons: as for :meth:`odoo`.
        :param options: the step's.
        :return: its remark.
        :raise Problem: where it fails or logs an error.
        """
        code = (
            f"import sys; sys.path.insert(0, {str(DEV_DIRECTORY)!r})\n"
            f"from matrix_ import steps\n"
            f"steps.run(env, {name!r}, **{options!r})\n"
        )
        done = subprocess.run(
            guarded(
                self.parts.odoo_command(
                    "shell",
                    "-d",
                    database,
                    *self._paths(addons),
                    "--no-http",
                    "--max-cron-threads=0",
                    "--log-level=warn",
                )
            ),
            input=code,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self.parts.environment(),
        )
        lines = done.stdout.splitlines()
        remarks = [
            line.split(f"{DONE}: ", 1)[1] for line in lines if f"{DONE}: " in line
        ]
        errors = [line for line in lines if " ERROR " in line or " CRITICAL " in line]
        if done.returncode or errors or not remarks:
            raise Problem(
                "\n".join("    " + line for line in (errors[:3] + lines[-20:]))
            )
        return remarks[-1]

    def neutralize(self, database):
        """Neutralise a database as an administrator does."""
        run(
            self.parts.odoo_command("neutralize", "-d", database),
            "odoo neutralize",
            env=self.parts.environment(),
        )

    # -- cases -------------------------------------------------------------

    def life(self, name, neighbours=(), demo=False, addons=None, tests=None):
        """Install on a database with SMS and campaigns, use, neutralise a copy, uninstall.

        :param str name: the case's.
        :param neighbours: modules to have beside it.
        :param bool demo: with demo data.
        :param addons: as for :meth:`odoo`.
        :param str tests: tags of tests to run in the end.
        """
        with self.case(name, make=not (neighbours or demo)) as database:
            if neighbours or demo:
                modules = sorted({*self.parts.checkout.dependencies(), *neighbours})
                self.note(
                    name,
                    f"make a database with {len(modules)} modules",
                    lambda: self.odoo(
                        database,
                        "-i",
                        ",".join(modules),
                        *(["--with-demo"] if demo else []),
                        addons=addons,
                    ),
                )

            def step(title, step_name, **options):
                self.note(
                    name,
                    title,
                    lambda: self.step(database, step_name, addons=addons, **options),
                )

            step("SMS and campaigns from before", "make_existing")
            self.note(
                name,
                "install",
                lambda: self.odoo(
                    database,
                    "-i",
                    ADDON,
                    *(["--with-demo"] if demo else []),
                    addons=addons,
                ),
            )
            step("they work on, by Odoo's own service", "check_installed")
            step("connect", "connect", api_url=self.api_url)
            step("send a campaign and an SMS", "send")
            self.note(
                name, "update", lambda: self.odoo(database, "-u", ADDON, addons=addons)
            )
            step("SMS in every state", "leave_open")
            copy = f"{database}_copy"
            try:
                self.note(
                    name,
                    "neutralise a copy",
                    lambda: (
                        self.databases.drop(copy),
                        self.databases.copy(database, copy),
                        self.neutralize(copy),
                    )[0],
                )
                self.note(
                    name,
                    "the copy sends nothing",
                    lambda: self.step(copy, "check_neutralized", addons=addons),
                )
            finally:
                self.databases.drop(copy)
            step("uninstall", "uninstall")
            step("nothing is left, and SMS leave", "check_uninstalled")
            self.note(
                name,
                "install again",
                lambda: self.odoo(database, "-i", ADDON, addons=addons),
            )
            if tests:
                self.note(
                    name,
                    "tests of it",
                    lambda: self.test(database, tests, addons=addons),
                )

    def neighbours_later(self, present):
        """Install the neighbours on a database that has the addon and sends with it.

        :param present: the modules.
        """
        name = "neighbours after"
        with self.case(name) as database:

            def step(title, step_name, **options):
                self.note(
                    name, title, lambda: self.step(database, step_name, **options)
                )

            self.note(name, "install", lambda: self.odoo(database, "-i", ADDON))
            step("connect", "connect", api_url=self.api_url)
            self.note(
                name,
                f"install {len(present)} neighbours",
                lambda: self.odoo(database, "-i", ",".join(present)),
            )
            step("send a campaign and an SMS", "send", first=500)
            step("views", "open_everything")
            self.note(
                name,
                "tests of what neighbours send",
                lambda: self.test(database, EVERYWHERE),
            )

    def test(self, database, tags, addons=None):
        """Run tests of Odoo's on a database that has the addon.

        :param str database: the database.
        :param str tags: as for ``--test-tags``.
        :param addons: as for :meth:`odoo`.
        :return: a remark.
        :raise Problem: where one fails, or is skipped.
        """
        log = f"matrix-{database}-tests.log"
        options = [*self._paths(addons), "--test-tags", tags]
        result = run_odoo_tests(self.parts, database, options, log, f"Testing {tags}")
        passed, failed, skipped = result.counts()
        if failed or skipped or not passed:
            raise Problem(
                f"{passed} passed, {failed} failed, {skipped} skipped; the whole log is "
                f"{self.parts.checkout.logs / log}."
            )
        return f"{passed} passed"

    def upgrade(self, commit):
        """Install an earlier state, use it, and upgrade to this one.

        :param str commit: the state.
        """
        name = f"upgrade {commit}"
        root = self.parts.checkout.root
        with tempfile.TemporaryDirectory(prefix="sms_ovh_earlier_") as directory:
            archive = Path(directory) / "addon.tar"
            done = (
                subprocess.run(
                    [
                        "git",
                        "-C",
                        str(root),
                        "archive",
                        "--output",
                        str(archive),
                        commit,
                    ],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
                if shutil.which("git")
                else None
            )
            if not done or done.returncode:
                self.rows.append(
                    (
                        name,
                        "fetch the earlier state",
                        "skipped",
                        0,
                        "it is not in this clone",
                    )
                )
                return
            addons = Path(directory) / "addons"
            (addons / ADDON).mkdir(parents=True)
            with tarfile.open(archive) as handle:
                handle.extractall(addons / ADDON)
            with self.case(name) as database:

                def old(title, step_name, **options):
                    self.note(
                        name,
                        title,
                        lambda: self.step(
                            database, step_name, addons=[addons], **options
                        ),
                    )

                self.note(
                    name,
                    "install it",
                    lambda: self.odoo(database, "-i", ADDON, addons=[addons]),
                )
                old("connect", "connect", api_url=self.api_url)
                old("send a campaign and an SMS", "send", first=600)
                old("campaigns, SMS and jobs that wait", "leave_open")
                self.note(name, "upgrade", lambda: self.odoo(database, "-u", ADDON))
                self.note(
                    name,
                    "all kept its meaning",
                    lambda: self.step(database, "check_kept"),
                )

    def queue_job(self):
        """The whole life beside OCA's job queue, which is fetched from PyPI."""
        name = "queue_job"
        with tempfile.TemporaryDirectory(prefix="sms_ovh_queue_job_") as directory:
            try:
                python, site = self.environment(Path(directory))
                run(
                    [
                        str(python),
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--no-deps",
                        *QUEUE_JOB,
                    ],
                    f"Installing {' '.join(QUEUE_JOB)}",
                )
            except Problem as problem:
                self.rows.append(
                    (name, "fetch it", "skipped", 0, str(problem).splitlines()[0])
                )
                return
            self.with_python(python).life(
                name,
                ("queue_job",),
                addons=[site / "odoo" / "addons", self.parts.checkout.addons],
                tests=f"/{ADDON}:TestSmsOvhJob.test_queue_job",
            )

    def environment(self, directory):
        """Make a virtual environment that has what Odoo needs, and nothing else yet.

        :param Path directory: where.
        :return: its Python, and the directory of its packages.
        """
        directory = directory / "environment"
        python = directory / "bin" / "python"
        asking = ["-c", 'import sysconfig; print(sysconfig.get_path("purelib"))']
        run(
            [str(self.parts.python.python), "-m", "venv", str(directory)],
            "Creating a virtual environment",
        )
        site = Path(run([str(python), *asking], "Asking Python").strip())
        (site / "odoo_needs.pth").write_text(
            run([str(self.parts.python.python), *asking], "Asking Python")
        )
        return python, site

    def with_python(self, python):
        """Return this matrix with Odoo run by another Python.

        :param Path python: in a virtual environment.
        """
        other = copy.copy(self)
        other.parts = copy.copy(self.parts)
        other.parts.python = PythonEnvironment(
            python.parent.parent, self.parts.python.fingerprint
        )
        other.databases = Databases(other.parts)
        return other

    def wheel(self):
        """Build the package, install it beside Odoo in a new environment, and send."""
        name = "wheel"
        with tempfile.TemporaryDirectory(prefix="sms_ovh_wheel_") as directory:
            directory = Path(directory)
            made = {}

            def build():
                run(
                    [
                        str(self.parts.python.python),
                        "-m",
                        "pip",
                        "wheel",
                        "--quiet",
                        "--no-deps",
                        "--wheel-dir",
                        str(directory),
                        str(self.parts.checkout.root),
                    ],
                    "Building the wheel",
                )
                [made["wheel"]] = directory.glob("odoo_addon_sms_ovh-19.0.*.whl")
                return (
                    f"{made['wheel'].name}, {made['wheel'].stat().st_size // 1024} KiB"
                )

            def look():
                names = zipfile.ZipFile(made["wheel"]).namelist()
                addon = f"odoo/addons/{ADDON}/"
                inside = {
                    each.removeprefix(addon) for each in names if each.startswith(addon)
                }
                strange = [
                    each
                    for each in names
                    if not each.startswith((addon, "odoo_addon_sms_ovh-"))
                    or each.removeprefix(addon).startswith(
                        ("dev/", ".", "pyproject", "node_modules")
                    )
                ]
                missing = [
                    each
                    for each in (
                        "__manifest__.py",
                        "README.rst",
                        "data/neutralize.sql",
                        "security/ir.model.access.csv",
                        "i18n/fr.po",
                        "static/description/icon.png",
                        "static/description/index.html",
                        *self.parts.checkout.manifest()["data"],
                    )
                    if each not in inside
                ]
                if strange or missing:
                    raise Problem(
                        f"The wheel has {strange[:5]} and lacks {missing[:5]}."
                    )
                return f"{len(inside)} files"

            def install():
                made["python"], site = self.environment(directory)
                run(
                    [
                        str(made["python"]),
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--no-deps",
                        "--no-index",
                        str(made["wheel"]),
                    ],
                    "Installing the wheel",
                )
                made["addons"] = site / "odoo" / "addons"

            try:
                self.note(name, "build", build)
                self.note(name, "it holds the addon only", look)
                self.note(name, "install in an environment", install)
            except Problem:
                return
            installed = self.with_python(made["python"])
            addons = [made["addons"]]
            with installed.case(name) as database:
                self.note(
                    name,
                    "install in Odoo",
                    lambda: installed.odoo(database, "-i", ADDON, addons=addons),
                )
                self.note(
                    name,
                    "connect",
                    lambda: installed.step(
                        database, "connect", addons=addons, api_url=self.api_url
                    ),
                )
                self.note(
                    name,
                    "send a campaign and an SMS",
                    lambda: installed.step(
                        database,
                        "send",
                        addons=addons,
                        first=700,
                        path=str(made["addons"]),
                    ),
                )

    # -- all together ------------------------------------------------------

    def run(self, cases, earlier):
        """Run cases, as many at once as the machine carries.

        :param cases: names of :data:`CASES`.
        :param earlier: commits to upgrade from.
        """
        present = [name for name in NEIGHBOURS if self.parts.source.has_module(name)]
        calls = {
            "wheel": lambda case: case.wheel(),
            "alone": lambda case: case.life("alone"),
            "upgrade": lambda case: [case.upgrade(commit) for commit in earlier],
            "before": lambda case: case.life(
                "neighbours before, demo", present, demo=True
            ),
            "after": lambda case: case.neighbours_later(present),
            "queue_job": lambda case: case.queue_job(),
        }

        def run(name):
            with simulator(self.parts, name) as api_url:
                case = Matrix(self.parts, api_url)
                calls[name](case)
                return case.rows

        chosen = [name for name in CASES if name in cases]
        # Those that take longest first: the short ones fill what is left.
        begun = sorted(chosen, key=LONGEST.index)
        with concurrent.futures.ThreadPoolExecutor(share_count()) as pool:
            running = {name: pool.submit(run, name) for name in begun}
        for name in chosen:
            self.rows += running[name].result()

    def show(self):
        """Print the table."""
        width = max(len(row[0]) for row in self.rows)
        step_width = max(len(row[1]) for row in self.rows)
        print(f"\n{'Case':{width}}  {'Step':{step_width}}  Result   Seconds  Remark")
        for case, step, result, seconds, remark in self.rows:
            start = f"{case:{width}}  {step:{step_width}}  {result:8}"
            print(f"{start} {seconds:7.1f}  {remark}".rstrip())


@contextlib.contextmanager
def simulator(parts, name):
    """Have a simulated OVHcloud.

    :param Platform parts: the platform.
    :param str name: the case that it is for.
    :return: its API's address, as the context's value.
    """
    port = free_port()
    log = parts.checkout.logs / f"matrix-{name}-simulator.log"
    child = Child(
        "The simulated OVHcloud",
        parts.simulator_command("--host", HOST, "--port", port, "--quiet"),
        parts.environment(PYTHONPATH=str(DEV_DIRECTORY)),
        log,
    )
    try:
        from .demo import _wait_until_answering

        _wait_until_answering(child, f"http://{HOST}:{port}/")
        yield f"http://{HOST}:{port}/1.0"
    finally:
        child.stop()


def main(arguments):
    """Run the matrix and print its table.

    :param list[str] arguments: see ``--help``.
    :return: the exit status, 1 where a step failed.
    """
    parser = argparse.ArgumentParser(
        prog="dev/matrix",
        description=(
            "Install, use, upgrade, neutralise and uninstall the addon, alone and beside "
            "others."
        ),
    )
    cases = "; ".join(f"{name}: {what}" for name, what in CASES.items())
    parser.add_argument(
        "--case",
        dest="cases",
        action="append",
        choices=CASES,
        metavar="CASE",
        help=f"only this one; may be given several times: {cases}",
    )
    parser.add_argument(
        "--from",
        dest="earlier",
        action="append",
        metavar="COMMIT",
        help=(
            f"an earlier state to upgrade from (default: {', '.join(EARLIER)}); "
            "may be given several times"
        ),
    )
    parser.add_argument(
        "--json", metavar="FILE", help="write the table to a file as well"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    with platform() as parts:
        matrix = Matrix(parts)
        matrix.run(
            options.cases or CASES,
            options.earlier or EARLIER,
        )
    matrix.show()
    if options.json:
        Path(options.json).write_text(json.dumps(matrix.rows, indent=1))
    count = len(matrix.failed)
    print(
        f"\n{len(matrix.rows)} steps in {time.monotonic() - started:.0f} s, {count} failed"
    )
    return 1 if count else 0

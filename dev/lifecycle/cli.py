"""``dev/matrix``: the addon's whole life, beside every neighbour, in real databases."""

import argparse
import concurrent.futures
import contextlib
import copy
import json
import re
import tarfile
import tempfile
import time
import zipfile
from functools import partial
from pathlib import Path

from kit.system import run
from kit.ui import Problem, say
from ovh_simulator.process import Process
from provision.checkout import ADDON
from provision.databases import Databases
from provision.odoo_tests import run_odoo_tests
from provision.parallel import share_count
from provision.platform import platform
from provision.python_env import PythonEnvironment

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
# Where an addon is among the packages of Python that it was installed as.
IN_PACKAGES = Path("odoo", "addons")
# What the package must hold, besides what the manifest names.
PACKAGED = (
    "__manifest__.py",
    "README.rst",
    "data/neutralize.sql",
    "security/ir.model.access.csv",
    "i18n/fr.po",
    "static/description/icon.png",
    "static/description/index.html",
)
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


def _pip(environment, what, *arguments):
    """Run pip; `what` it does is for the message when it fails."""
    command = [str(environment.python), "-m", "pip", *arguments]
    run([*command, "--quiet", "--no-deps"], what)


class Case:
    """A database, and what is tried in it.

    :param Matrix matrix: what notes how it went.
    :param str name: what is tried.
    :param addons: directories to look for addons in besides Odoo's own, by default this
        checkout's.
    """

    def __init__(self, matrix, name, database, addons=None):
        self.matrix = matrix
        self.parts = matrix.parts
        self.name = name
        self.database = database
        self._paths = []
        if addons is not None:
            paths = map(str, [*self.parts.source.addons, *addons])
            self._paths = [f"--addons-path={','.join(paths)}"]

    def note(self, title, function):
        """Do something and note how it went. See :meth:`Matrix.note`."""
        self.matrix.note(self.name, title, function)

    def odoo(self, title, *arguments):
        """Run Odoo until it has done something; an ERROR in its log is a failure."""
        log = f"matrix-{self.database}.log"
        options = ["-d", self.database, *self._paths, *arguments]
        what = f"odoo {' '.join(arguments)}"
        self.note(title, lambda: self.matrix.databases.odoo(what, log, *options))

    def step(self, title, name, **options):
        """Run one of :mod:`lifecycle.steps`."""
        log = self.parts.checkout.logs / f"matrix-{self.database}-steps.log"
        call = partial(
            self.parts.call,
            self.database,
            f"lifecycle.steps.{name}",
            log,
            *(*self._paths, "--log-level=warn"),
            **options,
        )
        self.note(title, call)

    def neutralize(self, source):
        """Make it a copy of a database, and neutralise it as an administrator does."""
        self.matrix.databases.drop(self.database)
        self.matrix.databases.copy(source, self.database)
        run(
            self.parts.odoo_command("neutralize", "-d", self.database),
            "odoo neutralize",
            env=self.parts.environment(),
        )

    def test(self, title, tags):
        """Run tests of Odoo's by their tags; one that fails, or is skipped, is a failure."""
        self.note(title, lambda: self._run_tests(tags))

    def _run_tests(self, tags):
        log = f"matrix-{self.database}-tests.log"
        options = [*self._paths, "--test-tags", tags]
        title = f"Testing {tags}"
        result = run_odoo_tests(self.parts, self.database, options, log, title)
        passed, failed, skipped = result.counts()
        if failed or skipped or not passed:
            raise Problem(
                f"{passed} passed, {failed} failed, {skipped} skipped; the whole log is "
                f"{self.parts.checkout.logs / log}."
            )
        return f"{passed} passed"


class Matrix:
    """Runs steps in databases and notes how each went."""

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
        result, remark = "FAILED", ""
        try:
            remark = function() or ""
            result = "ok"
        except Problem as problem:
            say(f"FAILED   {case}: {step}\n{problem}")
            raise
        finally:
            seconds = time.monotonic() - started
            self.rows.append((case, step, result, seconds, remark))
        say(f"ok       {case}: {step} ({seconds:.0f} s) {remark}")

    def skip(self, case, step, why):
        """Note what can't be tried here."""
        self.rows.append((case, step, "skipped", 0, why))

    @contextlib.contextmanager
    def case(self, name, make=True, addons=None):
        """Have a database for a case, which ends at its first failure while the others go on.

        :param bool make: with the addon's dependencies; else only its name is reserved.
        :return: a :class:`Case`, as the context's value.
        """
        kind = f"matrix_{re.sub(r'[^a-z0-9]+', '_', name.lower())}"
        with (
            self.databases.of_this_run(kind, make=make) as database,
            contextlib.suppress(Problem),
        ):
            yield Case(self, name, database, addons)

    # -- cases -------------------------------------------------------------

    def life(self, name, neighbours=(), demo=False, addons=None, tests=None):
        """Install on a database with SMS and campaigns, use, neutralise a copy, uninstall.

        :param neighbours: modules to have beside it.
        :param bool demo: with demo data.
        :param str tests: tags of tests to run in the end.
        """
        with_demo = ["--with-demo"] if demo else []
        with self.case(name, not (neighbours or demo), addons) as case:
            if neighbours or demo:
                modules = sorted({*self.parts.checkout.dependencies(), *neighbours})
                title = f"make a database with {len(modules)} modules"
                case.odoo(title, "-i", ",".join(modules), *with_demo)
            case.step("SMS and campaigns from before", "make_existing")
            case.odoo("install", "-i", ADDON, *with_demo)
            case.step("they work on, by Odoo's own service", "check_installed")
            case.step("connect", "connect", api_url=self.api_url)
            case.step("send a campaign and an SMS", "send")
            case.odoo("update", "-u", ADDON)
            case.step("SMS in every state", "leave_open")
            copy = Case(self, name, f"{case.database}_copy", addons)
            try:
                copy.note("neutralise a copy", lambda: copy.neutralize(case.database))
                copy.step("the copy sends nothing", "check_neutralized")
            finally:
                self.databases.drop(copy.database)
            case.step("uninstall", "uninstall")
            case.step("nothing is left, and SMS leave", "check_uninstalled")
            case.odoo("install again", "-i", ADDON)
            if tests:
                case.test("tests of it", tests)

    def neighbours_later(self, present):
        """Install the neighbours on a database that has the addon and sends with it."""
        with self.case("neighbours after") as case:
            case.odoo("install", "-i", ADDON)
            case.step("connect", "connect", api_url=self.api_url)
            title = f"install {len(present)} neighbours"
            case.odoo(title, "-i", ",".join(present))
            case.step("send a campaign and an SMS", "send", first=500)
            case.step("views", "open_everything")
            case.test("tests of what neighbours send", EVERYWHERE)

    def upgrade(self, commit):
        """Install an earlier state, use it, and upgrade to this one."""
        name = f"upgrade {commit}"
        root = str(self.parts.checkout.root)
        with tempfile.TemporaryDirectory(prefix="sms_ovh_earlier_") as directory:
            archive = Path(directory) / "addon.tar"
            command = ["git", "-C", root, "archive", "--output", str(archive), commit]
            try:
                run(command, "Fetching the earlier state")
            except (Problem, OSError):
                self.skip(name, "fetch the earlier state", "it is not in this clone")
                return
            addons = Path(directory) / "addons"
            (addons / ADDON).mkdir(parents=True)
            with tarfile.open(archive) as handle:
                handle.extractall(addons / ADDON)
            with self.case(name) as case:
                old = Case(self, name, case.database, [addons])
                old.odoo("install it", "-i", ADDON)
                old.step("connect", "connect", api_url=self.api_url)
                old.step("send a campaign and an SMS", "send", first=600)
                old.step("campaigns, SMS and jobs that wait", "leave_open")
                case.odoo("upgrade", "-u", ADDON)
                case.step("all kept its meaning", "check_kept")

    def queue_job(self):
        """The whole life beside OCA's job queue, which is fetched from PyPI."""
        name = "queue_job"
        with tempfile.TemporaryDirectory(prefix="sms_ovh_queue_job_") as directory:
            try:
                environment = self.environment(Path(directory))
                what = f"Installing {' '.join(QUEUE_JOB)}"
                _pip(environment, what, "install", *QUEUE_JOB)
            except Problem as problem:
                self.skip(name, "fetch it", str(problem).splitlines()[0])
                return
            self.with_python(environment).life(
                name,
                ("queue_job",),
                addons=[environment.packages / IN_PACKAGES, self.parts.checkout.addons],
                tests=f"/{ADDON}:TestSmsOvhJob.test_queue_job",
            )

    def environment(self, directory):
        """Make a virtual environment that has what Odoo needs, and nothing else yet."""
        directory = directory / "environment"
        command = [str(self.parts.python.python), "-m", "venv", str(directory)]
        run(command, "Creating a virtual environment")
        environment = PythonEnvironment(directory, self.parts.python.fingerprint)
        needs = environment.packages / "odoo_needs.pth"
        needs.write_text(f"{self.parts.python.packages}\n")
        return environment

    def with_python(self, environment):
        """Return this matrix with Odoo run by the Python of another virtual environment."""
        other = copy.copy(self)
        other.parts = copy.copy(self.parts)
        other.parts.python = environment
        other.databases = Databases(other.parts)
        return other

    def wheel(self):
        """Build the package, install it beside Odoo in a new environment, and send."""
        name = "wheel"
        with tempfile.TemporaryDirectory(prefix="sms_ovh_wheel_") as directory:
            directory = Path(directory)
            made = {}

            def build():
                made["wheel"] = wheel = self._build_wheel(directory)
                return f"{wheel.name}, {wheel.stat().st_size // 1024} KiB"

            def install():
                made["environment"] = environment = self.environment(directory)
                wheel = ("--no-index", str(made["wheel"]))
                _pip(environment, "Installing the wheel", "install", *wheel)

            try:
                self.note(name, "build", build)
                look = self._look_into
                self.note(name, "it holds the addon only", lambda: look(made["wheel"]))
                self.note(name, "install in an environment", install)
            except Problem:
                return
            environment = made["environment"]
            addons = environment.packages / IN_PACKAGES
            matrix = self.with_python(environment)
            with matrix.case(name, addons=[addons]) as case:
                case.odoo("install in Odoo", "-i", ADDON)
                case.step("connect", "connect", api_url=self.api_url)
                values = {"first": 700, "path": str(addons)}
                case.step("send a campaign and an SMS", "send", **values)

    def _build_wheel(self, directory):
        _pip(
            self.parts.python,
            "Building the wheel",
            "wheel",
            *("--wheel-dir", str(directory), str(self.parts.checkout.root)),
        )
        [wheel] = directory.glob("odoo_addon_sms_ovh-19.0.*.whl")
        return wheel

    def _look_into(self, wheel):
        """See that a wheel holds the addon, whole and alone."""
        names = zipfile.ZipFile(wheel).namelist()
        addon = f"odoo/addons/{ADDON}/"
        inside = {each.removeprefix(addon) for each in names if each.startswith(addon)}
        others = ("dev/", ".", "pyproject", "node_modules")
        strange = [
            each
            for each in names
            if not each.startswith((addon, "odoo_addon_sms_ovh-"))
            or each.removeprefix(addon).startswith(others)
        ]
        wanted = [*PACKAGED, *self.parts.checkout.manifest()["data"]]
        missing = [each for each in wanted if each not in inside]
        if strange or missing:
            raise Problem(f"The wheel has {strange[:5]} and lacks {missing[:5]}.")
        return f"{len(inside)} files"

    # -- all together ------------------------------------------------------

    def run(self, cases, earlier):
        """Run cases by their names, as many at once as the machine carries.

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
            log = self.parts.checkout.logs / f"matrix-{name}-simulator.log"
            python = self.parts.python.python
            with Process(python, self.parts.environment(), log) as simulator:
                case = Matrix(self.parts, simulator.api_url)
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


def main(arguments):
    """Run the matrix and print its table; return the exit status, 1 where a step failed."""
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
        matrix.run(options.cases or CASES, options.earlier or EARLIER)
    matrix.show()
    if options.json:
        Path(options.json).write_text(json.dumps(matrix.rows, indent=1))
    count = len(matrix.failed)
    print(
        f"\n{len(matrix.rows)} steps in {time.monotonic() - started:.0f} s, {count} failed"
    )
    return 1 if count else 0

"""``dev/crash_test``: its options, what it starts, and what it prints."""

import argparse
import contextlib
import random
import shutil
import tempfile
import time
from pathlib import Path

from kit.children import stop_all
from kit.ports import HOST, free_port
from kit.ui import seconds_text, step
from kit.web import wait_until_answering
from ovh_simulator.process import Process
from ovh_simulator.seed import SERVICE_1
from provision.checkout import ADDON, Checkout
from provision.databases import Databases
from provision.odoo_source import odoo_source
from provision.platform import Platform
from provision.python_env import python_environment

from .cluster import CrashCluster
from .machines import Host
from .scenarios import CHECK_DELAY, QUICK, SCENARIOS, Run

DATABASE = "sms_ovh_crash"
LOG = "crash-odoo.log"
# Lines of explanation that are printed of each kind.
SHOWN = 5
PARAMETERS = {
    "sms_ovh.check_delay": CHECK_DELAY,
    "sms_ovh.threads": 8,
    # No job may be given up just because the test is quick to try again.
    "sms_ovh.max_attempts": 1000,
}


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="dev/crash_test",
        description="Kill Odoo, PostgreSQL and the way to OVHcloud while SMS are sent;"
        " then compare the simulator's ledger with Odoo's records, number by number.",
    )
    parser.add_argument(
        "--scenario",
        action="append",
        choices=SCENARIOS,
        help="play only this one; may be given again (default: all)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"play {' and '.join(QUICK)} only, with fewer SMS and 15 random kills",
    )
    parser.add_argument("--seed", type=int, help="repeat the chance of another run")
    parser.add_argument("--kills", type=int, help="random kills (default: 60)")
    return parser.parse_args(arguments)


def _print(outcome, seconds, failures):
    """Print what became of a scenario; all that is wrong also goes into a file."""
    figures = outcome.audit
    print(
        f"{'ok    ' if outcome.good else 'FAILED'} {outcome.name:<44}"
        f" {figures.sent:>5} sent, {len(figures.twice)} twice,"
        f" {len(figures.lost)} lost, {len(figures.untrue)} untrue,"
        f" {outcome.kills} kills, {seconds:.1f} s"
        + (f" ({outcome.notes})" if outcome.notes else ""),
        flush=True,
    )
    for line in (*outcome.faults, *figures.explain(SHOWN)):
        print(f"         {line}", flush=True)
    if not outcome.good:
        with open(failures, "a") as stream:
            print(
                outcome.name,
                *outcome.faults,
                *figures.explain(),
                sep="\n    ",
                file=stream,
            )


def _play(run, names, failures):
    """Play scenarios; return how many of their lines are good, and those that are not."""
    passed, failed = 0, []
    for name in names:
        since = time.monotonic()
        for outcome in SCENARIOS[name](run):
            now = time.monotonic()
            _print(outcome, now - since, failures)
            passed += outcome.good
            failed += [] if outcome.good else [outcome.name]
            since = now
    return passed, failed


@contextlib.contextmanager
def _running(options, chance):
    """Have all that the scenarios need, a :class:`Run`, with a database of its own."""
    checkout, python, source = Checkout().prepare(), python_environment(), odoo_source()
    logs = checkout.logs
    folder = Path(tempfile.mkdtemp(prefix="sms_ovh_crash_"))
    children = []
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        cluster = stack.enter_context(CrashCluster())
        stack.callback(lambda: stop_all(children))
        platform = Platform(source, python, cluster.server(), checkout)
        # Nothing of this run may stay, files of the database included.
        platform.data_dir = folder / "data"
        platform.config = folder / "odoo.conf"
        databases = Databases(platform)
        databases.filestores = folder
        with step(f"Making a database with {ADDON}"):
            title = "Making the crash test's database"
            databases.install(DATABASE, title, "crash-install.log")

        def start(name, log, port, *arguments):
            child = platform.start_odoo(
                name, DATABASE, logs / log, port, "--workers", 0, *arguments
            )
            children.append(child)
            return child

        simulator = Process(
            python.python, platform.environment(), logs / "crash-simulator.log"
        )
        children.append(simulator.process)
        port = free_port()
        base_url = f"http://{HOST}:{port}"
        server = start(
            *("Odoo's HTTP server", "crash-http.log", port, "--max-cron-threads", 0),
            *("--db-filter", f"^{DATABASE}$"),
        )
        host = Host(platform, DATABASE, folder, logs / LOG)
        stack.callback(host.stop)
        simulator.wait()
        simulator.set_service(SERVICE_1, creditsLeft=1e9)
        addresses = {"api_url": simulator.api_url, "base_url": base_url}
        host.run("set_up", parameters=PARAMETERS, **addresses)
        wait_until_answering(server, f"{base_url}/web/login")
        yield Run(
            host,
            simulator,
            cluster,
            chance,
            options,
            lambda: start(
                "Odoo with its scheduled actions",
                "crash-crons.log",
                None,
                *("--max-cron-threads", 2),
            ),
        )


def main(arguments):
    """Play the scenarios; return the exit status, 1 where anything is not as it must be."""
    options = _options(arguments)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    started = time.monotonic()
    print(f"Seed {seed}", flush=True)
    logs = Checkout().prepare().logs
    log, failures = logs / LOG, logs / "crash-failures.log"
    log.unlink(missing_ok=True)
    failures.unlink(missing_ok=True)
    with _running(options, random.Random(seed)) as run:
        names = options.scenario or (QUICK if options.quick else list(SCENARIOS))
        passed, failed = _play(run, names, failures)
    for name in failed:
        print(f"FAILED {name}")
    if failed:
        print(f"Seed {seed}; all that is wrong is in {failures}, Odoo's log is {log}")
    print(
        f"{passed} passed, {len(failed)} failed"
        f" in {seconds_text(time.monotonic() - started)}"
    )
    return 1 if failed or not passed else 0

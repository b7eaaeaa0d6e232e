"""``dev/crash_test``: its options, what it starts, and what it prints."""

import argparse
import random
import shutil
import tempfile
import time
from pathlib import Path

from ovh_simulator import seed as ovh_seed
from provision.checkout import ADDON, Checkout
from provision.children import Child, stop_all
from provision.databases import Databases
from provision.odoo_source import odoo_source
from provision.platform_ import DEV_DIRECTORY, Platform
from provision.ports import free_port
from provision.python_env import python_environment
from provision.ui import seconds_text, step

from .cluster import CrashCluster
from .machines import Host, Simulator, wait_for_file, wait_for_page
from .scenarios import CHECK_DELAY, QUICK, SCENARIOS, Run

DATABASE = "sms_ovh_crash"
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
    """Print what became of a scenario; all that is wrong also goes into a file.

    :param Outcome outcome: what it found
    :param float seconds: that it took
    :param Path failures: the file
    :return: whether all is as it must be
    """
    good = outcome.audit.good and not outcome.faults
    figures = outcome.audit
    print(
        f"{'ok    ' if good else 'FAILED'} {outcome.name:<44}"
        f" {figures.sent:>5} sent, {len(figures.twice)} twice,"
        f" {len(figures.lost)} lost, {len(figures.untrue)} untrue,"
        f" {outcome.kills} kills, {seconds:.1f} s"
        + (f" ({outcome.notes})" if outcome.notes else ""),
        flush=True,
    )
    if good:
        return True
    for line in (*outcome.faults, *figures.explain(SHOWN)):
        print(f"         {line}", flush=True)
    with open(failures, "a") as stream:
        stream.write(f"{outcome.name}\n")
        stream.writelines(
            f"    {line}\n" for line in (*outcome.faults, *figures.explain())
        )
    return False


def _play(run, names, failures):
    """Play scenarios.

    :param Path failures: file that gets all that is wrong
    :return: how many of their lines are good, and those that are not
    """
    passed, failed = 0, []
    for name in names:
        since = time.monotonic()
        for outcome in SCENARIOS[name](run):
            now = time.monotonic()
            if _print(outcome, now - since, failures):
                passed += 1
            else:
                failed.append(outcome.name)
            since = now
    return passed, failed


def _install(platform, folder):
    databases = Databases(platform)
    databases.filestores = folder
    with step(f"Making a database with {ADDON}"):
        databases.odoo(
            "Making the crash test's database",
            "crash-install.log",
            *("-d", DATABASE, "-i", ADDON),
        )


def main(arguments):
    """Play the scenarios.

    :param list[str] arguments: see ``--help``
    :return: the exit status, 1 where anything is not as it must be
    """
    options = _options(arguments)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    chance = random.Random(seed)
    started = time.monotonic()
    print(f"Seed {seed}", flush=True)
    checkout = Checkout().prepare()
    python = python_environment()
    source = odoo_source()
    folder = Path(tempfile.mkdtemp(prefix="sms_ovh_crash_"))
    children = []
    host = None
    try:
        with CrashCluster() as cluster:
            platform = Platform(source, python, cluster.server(), checkout)
            # Nothing of this run may stay, files of the database included.
            platform.data_dir = folder / "data"
            platform.write_config = lambda: _write_config(platform, folder)
            _install(platform, folder)
            logs = checkout.logs
            port_file = folder / "port"
            environment = platform.environment(PYTHONPATH=str(DEV_DIRECTORY))
            simulator_child = Child(
                "The simulated OVHcloud",
                platform.simulator_command(
                    *("--port", 0, "--port-file", port_file, "--quiet")
                ),
                environment,
                logs / "crash-simulator.log",
            )
            children.append(simulator_child)
            http_port = free_port()
            base_url = f"http://127.0.0.1:{http_port}"
            http_child = Child(
                "Odoo's HTTP server",
                platform.odoo_command(
                    *("-d", DATABASE, "--db-filter", f"^{DATABASE}$"),
                    *("--http-interface", "127.0.0.1", "--http-port", http_port),
                    *("--workers", 0, "--max-cron-threads", 0),
                ),
                platform.environment(),
                logs / "crash-http.log",
            )
            children.append(http_child)
            log = logs / "crash-odoo.log"
            log.unlink(missing_ok=True)
            failures = logs / "crash-failures.log"
            failures.unlink(missing_ok=True)
            host = Host(platform, DATABASE, folder, log)
            port = wait_for_file(port_file, simulator_child, "The simulated OVHcloud")
            simulator = Simulator(f"http://127.0.0.1:{port.strip()}")
            simulator.call(
                "POST", f"services/{ovh_seed.SERVICE_1}", {"creditsLeft": 1e9}
            )
            host.run(
                "set_up",
                api_url=simulator.api_url,
                base_url=base_url,
                keys={
                    "application_key": ovh_seed.APPLICATION_KEY_1,
                    "application_secret": ovh_seed.APPLICATION_SECRET_1,
                    "consumer_key": ovh_seed.CONSUMER_KEY_1,
                },
                service_name=ovh_seed.SERVICE_1,
                parameters=PARAMETERS,
            )
            wait_for_page(f"{base_url}/web/login", http_child, "Odoo's HTTP server")

            def start_server():
                server = Child(
                    "Odoo with its scheduled actions",
                    platform.odoo_command(
                        *("-d", DATABASE, "--no-http", "--workers", 0),
                        *("--max-cron-threads", 2),
                    ),
                    platform.environment(),
                    logs / "crash-crons.log",
                )
                children.append(server)
                return server

            run = Run(
                *(host, simulator, simulator_child, cluster, chance, options),
                start_server,
            )
            names = options.scenario or (QUICK if options.quick else list(SCENARIOS))
            passed, failed = _play(run, names, failures)
            host.stop()
            host = None
            stop_all(children)
            children = []
    finally:
        if host:
            host.stop()
        stop_all(children)
        shutil.rmtree(folder, ignore_errors=True)
    for name in failed:
        print(f"FAILED {name}")
    if failed:
        print(f"Seed {seed}; all that is wrong is in {failures}, Odoo's log is {log}")
    print(
        f"{passed} passed, {len(failed)} failed"
        f" in {seconds_text(time.monotonic() - started)}"
    )
    return 1 if failed or not passed else 0


def _write_config(platform, folder):
    """Write the configuration of this run, with a data directory of its own."""
    path = folder / "odoo.conf"
    addons = [*platform.source.addons, platform.checkout.addons]
    path.write_text(
        "[options]\n"
        f"addons_path = {','.join(map(str, addons))}\n"
        f"data_dir = {platform.data_dir}\n"
        "http_interface = 127.0.0.1\n"
    )
    return path

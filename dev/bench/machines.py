"""What the benchmarks start: databases, processes of Odoo, the services they call."""

import contextlib
import json
import tempfile
from pathlib import Path

import kit.children
from kit import DEV_DIRECTORY
from kit.ports import HOST, free_port
from kit.system import run
from kit.ui import step
from kit.web import wait_until_answering
from ovh_simulator.process import Process
from ovh_simulator.seed import SERVICE_1
from provision.checkout import ADDON
from provision.databases import Databases


class Machines:
    """All of it, for one run; a context, at whose end it is gone."""

    def __init__(self, platform):
        self.platform = platform
        self.databases = Databases(platform)
        self.logs = platform.checkout.logs
        self._stack = contextlib.ExitStack()
        self._made = {}

    def __enter__(self):
        folder = tempfile.TemporaryDirectory(prefix="sms_ovh_bench_")
        self.folder = Path(self._stack.enter_context(folder))
        return self

    def __exit__(self, *args):
        self._stack.close()

    # ------------------------------------------------------------
    # Databases
    # ------------------------------------------------------------

    def database(self, *modules):
        """Have a database with SMS Marketing and `modules`, the same one each time."""
        if modules not in self._made:
            kind = "_".join(("bench", *modules))
            context = self.databases.of_this_run(kind)
            name = self._stack.enter_context(context)
            if modules:
                title = f"Installing {', '.join(modules)}"
                with step(title):
                    log = f"{kind}-install.log"
                    self.databases.odoo(title, log, "-d", name, "-i", ",".join(modules))
            self._made[modules] = name
        return self._made[modules]

    def copy_database(self, database):
        """Have a copy of a database as it is now."""
        context = self.databases.of_this_run("bench_copy", make=False)
        name = self._stack.enter_context(context)
        self.databases.copy(database, name)
        return name

    def ovh_database(self, simulator):
        """Have a database whose company sends through the simulated OVHcloud."""
        name = self.database(ADDON)
        if "account" not in self._made:
            self.run("set_up_ovh", name, api_url=simulator.api_url)
            self._made["account"] = True
        return name

    # ------------------------------------------------------------
    # Processes
    # ------------------------------------------------------------

    def run(self, function, database, **arguments):
        """Have a new process of Odoo call a function of :mod:`bench.inside`."""
        log = self.logs / "bench-odoo.log"
        function = f"bench.inside.{function}"
        return self.platform.call(database, function, log, strict=False, **arguments)

    @contextlib.contextmanager
    def server(self, database, workers):
        """Have Odoo's HTTP server, without crons, as long as the block lasts."""
        port = free_port()
        child = self.platform.start_odoo(
            # With --db-filter Odoo would ask PostgreSQL for all databases at each
            # request without a session, by a new connection: more than all else.
            "Odoo's HTTP server",
            database,
            self.logs / "bench-http.log",
            port,
            *("--gevent-port", free_port()),
            *("--workers", workers, "--max-cron-threads", 0),
        )
        try:
            yield Server(self, database, child, port, workers)
        finally:
            child.stop()

    def simulator(self, latency_ms):
        """Have the simulated OVHcloud, without callbacks and never short of credit."""
        if "simulator" not in self._made:
            log = self.logs / "bench-simulator.log"
            self._made["simulator"] = self._stack.enter_context(
                Process(self.platform.python.python, self.platform.environment(), log)
            )
        simulator = self._made["simulator"]
        simulator.reset()
        simulator.configure(callback_mode="off", latency_ms=latency_ms)
        simulator.set_service(SERVICE_1, creditsLeft=1e9)
        return simulator

    def standins(self, latency_ms):
        """Have the stand-ins for Odoo's IAP and for Twilio, and return their address."""
        if "standins" not in self._made:
            child = kit.children.Server(
                "The stand-ins",
                [
                    *(str(self.platform.python.python), "-m", "bench.standins"),
                    *("--latency-ms", str(latency_ms)),
                ],
                self.platform.environment(),
                self.logs / "bench-standins.log",
            )
            self._stack.callback(child.stop)
            self._made["standins"] = f"http://{HOST}:{child.wait_for_port()}"
        return self._made["standins"]


class Server:
    """Odoo's HTTP server."""

    def __init__(self, machines, database, child, port, workers):
        self._machines = machines
        self._database = database
        self._child = child
        self._port = port
        wait_until_answering(child, f"http://{HOST}:{port}/web/health")
        # Each worker reads its code and loads the registry with its first requests.
        self.load([["GET", "/web/health", {}, ""]] * 20 * workers, 2 * workers)

    def load(self, requests, connections):
        """Send requests and measure what they cost.

        :param list requests: as :mod:`bench.load` reads them
        :param int connections: how many at a time
        :return: seconds, failed requests, and seconds of processor time of Odoo and of
            its connections to PostgreSQL
        """
        machines = self._machines
        path = machines.folder / "requests"
        path.write_text(json.dumps(requests))
        command = [
            *(str(machines.platform.python.python), "-m", "bench.load"),
            *(str(self._port), str(connections), str(path)),
        ]
        environment = machines.platform.environment(PYTHONPATH=str(DEV_DIRECTORY))
        before = self._get_usage()
        said = run(command, "Sending requests", env=environment, stderr=None)
        found = json.loads(said)
        for name, usage in self._get_usage().items():
            found[name] = sum(
                seconds - before[name].get(pid, 0) for pid, seconds in usage.items()
            )
        return found

    def _get_usage(self):
        """Return the processor time of each process that serves, by its id."""
        import psutil  # among the environment's packages

        from .processes import get_cpu

        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
        rows = self._machines.databases.sql("postgres", (query, [self._database]))
        return {
            "odoo": {
                worker.pid: get_cpu(worker.pid)
                for worker in psutil.Process(self._child.pid).children()
            },
            "postgres": {pid: get_cpu(pid) for (pid,) in rows},
        }

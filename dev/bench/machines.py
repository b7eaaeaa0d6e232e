"""What the benchmarks start: databases, processes of Odoo, the services they call."""

import contextlib
import json
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from ovh_simulator import seed
from provision.checkout import ADDON
from provision.children import Child
from provision.databases import Databases
from provision.platform_ import DEV_DIRECTORY
from provision.ports import free_port
from provision.system import guarded
from provision.ui import Problem, step

from .processes import get_children, get_cpu

START_SECONDS = 60
KEYS = {
    "application_key": seed.APPLICATION_KEY_1,
    "application_secret": seed.APPLICATION_SECRET_1,
    "consumer_key": seed.CONSUMER_KEY_1,
}

# Never through a proxy: all of it is this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Machines:
    """All of it, for one run; a context, at whose end it is gone.

    :param Platform platform: the platform
    """

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
        """Have a database with SMS Marketing and `modules`, the same one each time.

        :return: its name
        """
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
        """Have a copy of a database as it is now.

        :return: its name
        """
        context = self.databases.of_this_run("bench_copy", make=False)
        name = self._stack.enter_context(context)
        self.databases.copy(database, name)
        return name

    def ovh_database(self, simulator):
        """Have a database whose company sends through the simulated OVHcloud."""
        name = self.database(ADDON)
        if "account" not in self._made:
            self.run(
                "set_up_ovh",
                name,
                api_url=f"{simulator}/1.0",
                keys=KEYS,
                service_name=seed.SERVICE_1,
            )
            self._made["account"] = True
        return name

    # ------------------------------------------------------------
    # Processes
    # ------------------------------------------------------------

    def run(self, function, database, **arguments):
        """Have a new process of Odoo do something.

        :param str function: of :mod:`bench.inside`
        :param str database: where
        :return: what the function returned
        :raise Problem: when it fails
        """
        result = self.folder / "result"
        result.unlink(missing_ok=True)
        values = self.folder / "arguments"
        values.write_text(json.dumps(arguments))
        log = self.logs / "bench-odoo.log"
        path = f"{self.platform.source.python_path}:{DEV_DIRECTORY}"
        command = [
            *(str(self.platform.python.python), "-m", "bench.child"),
            *(function, str(values), str(result)),
            *("-d", database, "--no-http", "--max-cron-threads=0"),
        ]
        with open(log, "a") as stream:
            status = subprocess.run(
                guarded(command),
                env=self.platform.environment(PYTHONPATH=path),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            ).returncode
        if status:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise Problem(f"Odoo failed at {function}; its log is {log}:\n{tail}")
        return json.loads(result.read_text())

    def _start(self, name, module, *options):
        """Start a server of `dev/` that writes its port into a file.

        :return: its address
        """
        port_file = self.folder / f"{name}.port"
        child = Child(
            name,
            [
                *(str(self.platform.python.python), "-m", module),
                *("--port-file", str(port_file), *map(str, options)),
            ],
            self.platform.environment(PYTHONPATH=str(DEV_DIRECTORY)),
            self.logs / f"bench-{name}.log",
        )
        self._stack.callback(child.stop)
        deadline = time.monotonic() + START_SECONDS
        while not port_file.exists():
            if child.status() is not None or time.monotonic() > deadline:
                raise Problem(f"The {name} does not start; its log is {child.log}.")
            time.sleep(0.05)
        return f"http://127.0.0.1:{port_file.read_text().strip()}"

    @contextlib.contextmanager
    def server(self, database, workers):
        """Have Odoo's HTTP server, without crons, as long as the block lasts.

        :param int workers: processes that answer
        :return: a :class:`Server`, as the context's value
        """
        port = free_port()
        child = Child(
            "Odoo's HTTP server",
            self.platform.odoo_command(
                # With --db-filter Odoo would ask PostgreSQL for all databases at each
                # request without a session, by a new connection: more than all else.
                *("-d", database),
                *("--http-interface", "127.0.0.1", "--http-port", port),
                *("--gevent-port", free_port()),
                *("--workers", workers, "--max-cron-threads", 0),
            ),
            self.platform.environment(),
            self.logs / "bench-http.log",
        )
        try:
            yield Server(self, database, child, port, workers)
        finally:
            child.stop()

    def simulator(self, latency_ms):
        """Have the simulated OVHcloud, without callbacks and never short of credit.

        :return: its address
        """
        if "simulator" not in self._made:
            self._made["simulator"] = self._start(
                "simulator", "ovh_simulator", "--port", 0, "--quiet"
            )
        root = self._made["simulator"]
        tell(f"{root}/simulator/reset")
        tell(
            f"{root}/simulator/config",
            {"callback_mode": "off", "latency_ms": latency_ms},
        )
        tell(f"{root}/simulator/services/{seed.SERVICE_1}", {"creditsLeft": 1e9})
        return root

    def standins(self, latency_ms):
        """Have the stand-ins for Odoo's IAP and for Twilio.

        :return: their address
        """
        if "standins" not in self._made:
            self._made["standins"] = self._start(
                "standins", "bench.standins", "--latency-ms", latency_ms
            )
        return self._made["standins"]


class Server:
    """Odoo's HTTP server.

    :param Machines machines: what it belongs to
    :param str database: what it serves
    :param Child child: its process
    :param int port: where it listens
    :param int workers: processes that answer
    """

    def __init__(self, machines, database, child, port, workers):
        self._machines = machines
        self._database = database
        self._child = child
        self._port = port
        deadline = time.monotonic() + START_SECONDS
        url = f"http://127.0.0.1:{port}/web/health"
        while True:
            try:
                _opener.open(url, timeout=START_SECONDS).close()
                break
            except OSError as error:
                if child.status() is not None or time.monotonic() > deadline:
                    raise Problem(
                        f"Odoo does not start ({error}); its log is {child.log}."
                    ) from None
                time.sleep(0.1)
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
        before = self._get_usage()
        done = subprocess.run(
            guarded(
                [
                    *(str(machines.platform.python.python), "-m", "bench.load"),
                    *(str(self._port), str(connections), str(path)),
                ]
            ),
            check=True,
            env=machines.platform.environment(PYTHONPATH=str(DEV_DIRECTORY)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        after = self._get_usage()
        return {
            **json.loads(done.stdout),
            **{
                name: sum(
                    seconds - before[name].get(pid, 0)
                    for pid, seconds in after[name].items()
                )
                for name in after
            },
        }

    def _get_usage(self):
        """Return the processor time of each process that serves, by its id."""
        rows = self._machines.databases.sql(
            "postgres",
            (
                "SELECT pid FROM pg_stat_activity WHERE datname = %s",
                [self._database],
            ),
        )
        return {
            "odoo": {pid: get_cpu(pid) for pid in get_children(self._child.pid)},
            "postgres": {pid: get_cpu(pid) for (pid,) in rows},
        }


def tell(url, content=None):
    """Post `content` as JSON, on this machine.

    :return: the decoded answer
    """
    return _call(
        urllib.request.Request(
            url,
            json.dumps(content or {}).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
    )


def ask(url):
    """Get JSON, on this machine.

    :return: the decoded answer
    """
    return _call(urllib.request.Request(url))


def _call(request):
    with _opener.open(request, timeout=60) as response:
        return json.load(response)

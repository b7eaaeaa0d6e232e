"""Odoo loaded once, from which each process that is to die is forked.

Odoo's prefork server makes its workers in the same way, so what dies here is what dies
there, but without the seconds that loading takes.

Reads orders from standard input, one JSON object a line: ``name`` of a function in
:mod:`crash.lives`, its ``arguments`` and the ``result`` file that gets, as JSON, what it
returns, and nothing where it fails: who is killed leaves none. Answers each by the id of
the process.
"""

import importlib
import json
import os
import random
import signal
import sys
import traceback

import odoo.sql_db
from odoo.modules.registry import Registry
from odoo.service import server
from odoo.tools import config


def _run(order):
    """Do what `order` says, in the forked process, and return it as JSON."""
    # What was forked must not share the order of its jitter.
    random.seed()
    registry = Registry(config["db_name"][0]).check_signaling()
    # Addons can be imported when Odoo knows where they are.
    lives = importlib.import_module(f"{__package__}.lives")
    return json.dumps(getattr(lives, order["name"])(registry, **order["arguments"]))


def _fork(order):
    """Start a process for `order`, and return its id."""
    # A connection to the database must not be shared by two processes.
    odoo.sql_db.close_all()
    pid = os.fork()
    if pid:
        return pid
    result = ""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.close(0)
        os.dup2(2, 1)  # standard output is the host's
        result = _run(order)
    except BaseException:
        traceback.print_exc()
    finally:
        temporary = f"{order['result']}.new"
        with open(temporary, "w") as stream:
            stream.write(result)
        os.replace(temporary, order["result"])
        sys.stderr.flush()
        os._exit(0)


def main(arguments):
    """Load Odoo, then fork until standard input ends."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    config.parse_config(arguments, setup_logging=True)
    server.start(preload=[], stop=True)
    Registry(config["db_name"][0])
    importlib.import_module(f"{__package__}.lives")
    # Nobody waits here for what is forked.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", file=channel, flush=True)
    for line in sys.stdin:
        print(_fork(json.loads(line)), file=channel, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

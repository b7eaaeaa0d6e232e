"""Odoo loaded once, from which each process that is to die is forked.

Odoo's prefork server makes its workers in the same way, so what dies here is what dies
there, but without the seconds that loading takes.

Reads orders from standard input, one JSON object a line: ``number``, ``name`` of a
function in :mod:`crash.lives`, its ``arguments`` and the ``result`` file that gets what
it returns. Writes, in the same way, each process's ``pid`` when it begins and its
``status`` when it has ended.
"""

import importlib
import json
import os
import random
import select
import sys
import traceback

import odoo.sql_db
from odoo.modules.registry import Registry
from odoo.service import server
from odoo.tools import config


def _run(order):
    """Do what `order` says, in the forked process."""
    # What was forked must not share the order of its jitter.
    random.seed()
    registry = Registry(config["db_name"][0]).check_signaling()
    # Addons can be imported when Odoo knows where they are.
    lives = importlib.import_module(f"{__package__}.lives")
    result = getattr(lives, order["name"])(registry, **order["arguments"])
    temporary = f"{order['result']}.new"
    with open(temporary, "w") as stream:
        json.dump(result, stream)
    os.replace(temporary, order["result"])


def _fork(order):
    """Start a process for `order`.

    :return: its id
    """
    # A connection to the database must not be shared by two processes.
    odoo.sql_db.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        os.close(0)
        os.dup2(2, 1)  # standard output is the host's
        _run(order)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _tell(channel, **values):
    channel.write(json.dumps(values) + "\n")
    channel.flush()


def main(arguments):
    """Load Odoo, then fork until standard input ends."""
    channel = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    config.parse_config(arguments, setup_logging=True)
    server.start(preload=[], stop=True)
    database = config["db_name"][0]
    Registry(database)
    importlib.import_module(f"{__package__}.lives")
    odoo.sql_db.close_all()
    _tell(channel, ready=True)
    children = {}
    pending = b""
    open_ = True
    while open_ or children:
        if open_ and select.select([0], [], [], 0.01)[0]:
            data = os.read(0, 65536)
            open_ = bool(data)
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                pid = _fork(order)
                children[pid] = order["number"]
                _tell(channel, number=order["number"], pid=pid)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG if open_ else 0)
            if not pid:
                break
            number = children.pop(pid)
            _tell(channel, number=number, status=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(sys.argv[1:])

"""A process of Odoo that does one thing of :mod:`bench.inside` and ends.

``python -m bench.child NAME ARGUMENTS RESULT [ODOO OPTION...]``: ARGUMENTS is a file
with a JSON object, RESULT the file that gets, as JSON, what the function returns.
"""

import gc
import importlib
import json
import sys
from pathlib import Path

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.service import server
from odoo.tools import config


def main(name, arguments, result, *options):
    """Do it. See above."""
    config.parse_config(list(options), setup_logging=True)
    server.start(preload=[], stop=True)
    registry = Registry(config["db_name"][0])
    # Addons can be imported when Odoo knows where they are.
    inside = importlib.import_module(f"{__package__}.inside")
    gc.collect()
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {})
        values = json.loads(Path(arguments).read_text())
        found = getattr(inside, name)(env, **values)
    Path(result).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

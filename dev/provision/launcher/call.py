"""Has Odoo call a function: call.py ORDER RESULT [ODOO OPTION...].

ORDER is a file with the function's name, its module included, and its arguments by name,
as JSON; RESULT gets, as JSON, what it returns. Its first argument is Odoo's environment,
that of ``odoo shell``, whose work is committed in the end.
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

order, result, *options = sys.argv[1:]
name, values = json.loads(Path(order).read_text())
config.parse_config(options, setup_logging=True)
server.start(preload=[], stop=True)
registry = Registry(config["db_name"][0])
# Addons can be imported when Odoo knows where they are.
module, __, function = name.rpartition(".")
function = getattr(importlib.import_module(module), function)
gc.collect()
with registry.cursor() as cr:
    env = api.Environment(cr, SUPERUSER_ID, {})
    env = env(context=env["res.users"].context_get())
    found = function(env, **values)
Path(result).write_text(json.dumps(found))

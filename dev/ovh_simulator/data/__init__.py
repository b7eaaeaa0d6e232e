"""The simulator's tables, one file each: plain data, read when first asked for."""

import json
import os


def load(name):
    """Read a table.

    :param str name: of its file, without ending.
    :return: what JSON makes of it.
    """
    path = os.path.join(os.path.dirname(__file__), f"{name}.json")
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)

"""OVHcloud's own description of its API, where it is at hand: what a call may hold.

The description is OVHcloud's and no part of this repository: it is looked for beside
it, or where ``SMS_OVH_DESCRIPTION`` says.
"""

import json
import os
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

REPOSITORY = Path(__file__).resolve().parent.parent
BESIDE = Path("..", "shared", "ovh", "sms.json")


@cache
def _read():
    """Return the calls by method and pattern of the path, None without description."""
    named = os.environ.get("SMS_OVH_DESCRIPTION")
    path = Path(named) if named else REPOSITORY / BESIDE
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    calls = []
    for api in description["apis"]:
        # Fixed paths first: "/sms/estimate" is no service.
        regex = re.compile(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(api["path"])))
        for operation in api["operations"]:
            calls.append(
                (
                    api["path"].count("{"),
                    operation["httpMethod"],
                    regex,
                    *_read_parameters(operation, description["models"]),
                )
            )
    return sorted(calls, key=lambda call: call[0])


def _read_parameters(operation, models):
    """Return (query, body) of a call: whether each parameter must be given, by name."""
    query, body = {}, {}
    for parameter in operation["parameters"]:
        if parameter["paramType"] == "query":
            query[parameter["name"]] = parameter["required"]
        elif parameter["paramType"] == "body" and parameter.get("name"):
            body[parameter["name"]] = parameter["required"]
        elif parameter["paramType"] == "body":
            model = models[parameter.get("fullType") or parameter["dataType"]]
            body.update(
                (name, False)
                for name, each in model["properties"].items()
                if not each["readOnly"]
            )
    return query, body


def is_here():
    """Tell whether there is a description to compare with."""
    return _read() is not None


def find_breaches(method, path, query, body):
    """Return what a call holds that the description does not know.

    :param str method: HTTP method
    :param str path: below the version, as it was called
    :param query: names of the query's parameters
    :param body: names of the body's
    :return: a sentence for each breach; none without a description
    :rtype: list[str]
    """
    if not is_here() or not path.startswith("/sms"):
        return []  # other parts of OVHcloud's API have descriptions of their own
    found = next(
        (
            parameters
            for __, known_method, regex, *parameters in _read()
            if known_method == method and regex.fullmatch(path)
        ),
        None,
    )
    if found is None:
        return [f"{method} {unquote(path)} is no call of the API"]
    known_query, known_body = found
    breaches = []
    for kind, given, known in (
        ("query", query, known_query),
        ("body", body, known_body),
    ):
        breaches += [
            f"{method} {unquote(path)}: no “{name}” in its {kind}"
            for name in sorted(set(given) - set(known))
        ]
        breaches += [
            f"{method} {unquote(path)}: “{name}” is missing in its {kind}"
            for name, required in known.items()
            if required and name not in given
        ]
    return breaches

"""What the simulator serves: calls, parameters, models, and the checks made of every request.

The names, types and flags are facts of OVHcloud's machine-readable description of its
``/sms`` API (https://eu.api.ovh.com/v1/sms.json); the contract test compares them with
it. They stand in ``data/schema.json``. Types are written as there: ``string``, ``long``,
``x[]`` for a list of x, or the name of an enumeration or a model.
"""

import re
from datetime import datetime, timezone
from typing import NamedTuple

from . import data, errors


class Field(NamedTuple):
    """A property of a model: its type, and whether it is nullable and read only."""

    type: str
    nullable: bool = False
    read_only: bool = False


class Param(NamedTuple):
    """A parameter of a call: its type and whether it must be given."""

    type: str
    required: bool = False


class Operation(NamedTuple):
    """A call: method, path template, parameters, type of its answer (or ``void``).

    Its body is either a set of named parameters (``body``) or the writable properties
    of a model (``body_model``). Calls that are not ``authenticated`` need no signature.
    """

    method: str
    path: str
    response: str
    query: dict
    body: dict
    body_model: "str | None"
    authenticated: bool


_TABLES = data.load("schema")
ENUMS = {name: tuple(text.split()) for name, text in _TABLES["enumerations"].items()}
# Properties are written as ``string?!``: nullable, read only.
MODELS = {
    model: {
        name: Field(text.rstrip("?!"), "?" in text, text.endswith("!"))
        for name, text in fields.items()
    }
    for model, fields in _TABLES["models"].items()
}
MODELS["sms.AccountWithIAM"] = {
    **MODELS["sms.Account"],
    "iam": Field("iam.ResourceMetadata", nullable=True, read_only=True),
}


def _read_params(listed):
    """Read parameters, as ``string*``: must be given; texts name those that calls share."""
    shared = _TABLES["parameters"]
    return {
        name: Param(text.removesuffix("*"), text.endswith("*"))
        for part in listed
        for name, text in (shared[part] if isinstance(part, str) else part).items()
    }


#: The calls that are served, by name: ``GET /sms``. Those of ``/auth`` OVHcloud
#: describes apart (https://eu.api.ovh.com/v1/auth.json).
CALLS = {
    template: Operation(
        *template.split(" "),
        call["answer"],
        _read_params(call.get("query", ())),
        _read_params(call.get("body", ())),
        call.get("body_model"),
        call.get("authenticated", True),
    )
    for template, call in _TABLES["calls"].items()
}

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LONG = re.compile(r"-?[0-9]{1,18}")


def parse_datetime(text):
    """Read a datetime as the API takes it; one without offset is UTC.

    :param str text: ISO 8601.
    :return: POSIX time in seconds, as a float.
    :raise ValueError: where *text* is not a datetime.
    """
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return value.replace(tzinfo=value.tzinfo or timezone.utc).timestamp()


def _is_datetime(value):
    try:
        parse_datetime(value)
    except (ValueError, AttributeError, OverflowError):
        return False
    return True


def is_a(value, *types):
    """Tell whether a value is of a type, true and false being no numbers."""
    return isinstance(value, types) and (bool in types or not isinstance(value, bool))


_CHECKS = {
    "string": lambda value: is_a(value, str),
    "text": lambda value: is_a(value, str),
    "boolean": lambda value: is_a(value, bool),
    "long": lambda value: is_a(value, int),
    "double": lambda value: is_a(value, int, float),
    "datetime": _is_datetime,
    "uuid": lambda value: is_a(value, str) and _UUID.fullmatch(value),
    "map[string]string": lambda value: is_a(value, dict),
}


def _wrong(name, type_, given=""):
    return errors.bad_request(
        f"[{name}] Given data{given} is not valid for type {type_}"
    )


def _refuse_unknown(names):
    if names:
        raise errors.bad_request(
            f"Received not described parameters: ({', '.join(names)})"
        )


def _refuse_missing(values, params):
    for name, param in params.items():
        if param.required and values.get(name) is None:
            raise errors.bad_request(f"Missing parameter(s): ({name})")


def check_value(name, value, type_, writing=True):
    """Check *value* against a type of the API.

    :param str name: what the value is called in an error message.
    :param bool writing: whether read-only properties of models are refused, as they are
        in a request.
    :raise ApiError: 400 where it does not fit.
    """
    if type_.endswith("[]"):
        if not isinstance(value, list):
            raise _wrong(name, type_)
        for index, item in enumerate(value):
            check_value(f"{name}[{index}]", item, type_[:-2], writing)
    elif type_ in MODELS:
        check_object(name, value, type_, writing)
    elif type_ in ENUMS:
        # values of an enumeration of numbers are taken as numbers too
        if (str(value) if is_a(value, int) else value) not in ENUMS[type_]:
            choices = ", ".join(ENUMS[type_])
            raise errors.bad_request(
                f"[{name}] Given data ({value}) does not belong to {type_} ({choices})"
            )
    elif not _CHECKS[type_](value):
        raise _wrong(name, type_)


def check_object(name, value, model, writing=True):
    """Check that *value* holds nothing but (when *writing*, writable) properties of *model*.

    :raise ApiError: 400 where it does not fit.
    """
    if not isinstance(value, dict):
        raise _wrong(name, model)
    fields = MODELS[model]
    _refuse_unknown(
        [
            key
            for key in value
            if key not in fields or (writing and fields[key].read_only)
        ]
    )
    for key, item in value.items():
        if item is not None:
            check_value(key, item, fields[key].type, writing)
        elif not fields[key].nullable:
            raise _wrong(key, fields[key].type, " (null)")


def check_body(operation, body):
    """Check the decoded JSON body of a request.

    Optional parameters given as ``null`` count as not given.

    :return: the body as a dict.
    :raise ApiError: 400 for unknown, missing or wrongly typed content.
    """
    if operation.body_model:
        if not isinstance(body, dict) or not body:
            raise errors.bad_request(f"Missing parameter(s): ({operation.body_model})")
        check_object("body", body, operation.body_model)
        return body
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise errors.bad_request("Given data is not a JSON object")
    _refuse_unknown([name for name in body if name not in operation.body])
    _refuse_missing(body, operation.body)
    body = {name: value for name, value in body.items() if value is not None}
    for name, value in body.items():
        check_value(name, value, operation.body[name].type)
    return body


def check_query(operation, pairs):
    """Check and convert the query of a request.

    :param pairs: list of (name, text).
    :return: dict of values: int for ``long``, POSIX seconds for ``datetime``, text for
        the rest.
    :raise ApiError: 400 for unknown, missing or wrongly typed parameters.
    """
    _refuse_unknown([name for name, _text in pairs if name not in operation.query])
    values = {
        name: _read_text(name, text, operation.query[name].type)
        for name, text in pairs
        # the official clients write "no value" as null
        if text != "null"
    }
    _refuse_missing(values, operation.query)
    return values


def _read_text(name, text, type_):
    if type_.startswith("map["):
        raise errors.bad_request(
            f"[{name}] Filtering by tag is not possible on this account"
        )
    if type_ == "long":
        if not _LONG.fullmatch(text):
            raise _wrong(name, type_)
        return int(text)
    if type_ == "datetime":
        # in a query, the plus sign of an offset often arrives as a space
        text = text.replace(" ", "+")
    check_value(name, text, type_)
    return parse_datetime(text) if type_ == "datetime" else text

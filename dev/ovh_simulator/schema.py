"""What the simulator serves: calls, parameters, models, and the checks made of every request.

The names, types and flags are facts of OVHcloud's machine-readable description of its
``/sms`` API (https://eu.api.ovh.com/v1/sms.json); the contract test compares them with
it. They stand in ``data/schema.json``. Types are written as there: ``string``, ``long``,
``x[]`` for a list of x, or the name of an enumeration or a model.
"""

import re
from datetime import datetime
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
    query: dict = {}
    body: dict = {}
    body_model: "str | None" = None
    authenticated: bool = True

    @property
    def template(self):
        """How the call is named in the simulator's request counts."""
        return f"{self.method} {self.path}"


def _read_fields(listed):
    """Read properties of a model, as ``string?!``: nullable, read only."""
    return {
        name: Field(text.rstrip("?!"), "?" in text, text.endswith("!"))
        for name, text in listed.items()
    }


def _read_params(listed, shared):
    """Read parameters, as ``string*``: must be given; texts name those that calls share."""
    params = {}
    for part in listed:
        part = shared[part] if isinstance(part, str) else part
        for name, text in part.items():
            params[name] = Param(text.removesuffix("*"), text.endswith("*"))
    return params


def _read_operation(template, call, shared):
    method, path = template.split(" ")
    return Operation(
        method,
        path,
        call["answer"],
        _read_params(call.get("query", ()), shared),
        _read_params(call.get("body", ()), shared),
        call.get("body_model"),
        call.get("authenticated", True),
    )


_TABLES = data.load("schema")
ENUMS = {name: tuple(text.split()) for name, text in _TABLES["enumerations"].items()}
MODELS = {name: _read_fields(fields) for name, fields in _TABLES["models"].items()}
MODELS["sms.AccountWithIAM"] = {
    **MODELS["sms.Account"],
    "iam": Field("iam.ResourceMetadata", nullable=True, read_only=True),
}
_CALLS = tuple(
    _read_operation(template, call, _TABLES["parameters"])
    for template, call in _TABLES["calls"].items()
)
#: The calls that are served.
OPERATIONS = tuple(call for call in _CALLS if call.path.startswith("/sms"))
#: Calls of ``/auth``, which OVHcloud describes apart (https://eu.api.ovh.com/v1/auth.json).
AUTH_OPERATIONS = tuple(call for call in _CALLS if call.path.startswith("/auth"))

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MISSING = object()


def parse_datetime(text):
    """Read a datetime as the API takes it; one without offset is UTC.

    :param str text: ISO 8601.
    :return: POSIX time in seconds, as a float.
    :raise ValueError: where *text* is not a datetime.
    """
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if value.tzinfo is None:
        return datetime.fromisoformat(value.isoformat() + "+00:00").timestamp()
    return value.timestamp()


def _is_datetime(value):
    try:
        parse_datetime(value)
    except (ValueError, AttributeError, OverflowError):
        return False
    return True


_CHECKS = {
    "string": lambda value: isinstance(value, str),
    "text": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "long": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "double": lambda value: (
        isinstance(value, (int, float)) and not isinstance(value, bool)
    ),
    "datetime": _is_datetime,
    "uuid": lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    "map[string]string": lambda value: isinstance(value, dict),
}


def check_value(name, value, type_, writing=True):
    """Check *value* against a type of the API.

    :param str name: what the value is called in an error message.
    :param bool writing: whether read-only properties of models are refused, as they are
        in a request.
    :raise ApiError: 400 where it does not fit.
    """
    if type_.endswith("[]"):
        if not isinstance(value, list):
            raise errors.bad_request(
                f"[{name}] Given data is not valid for type {type_}"
            )
        for index, item in enumerate(value):
            check_value(f"{name}[{index}]", item, type_[:-2], writing)
    elif type_ in MODELS:
        check_object(name, value, type_, writing)
    elif type_ in ENUMS:
        # values of an enumeration of numbers are taken as numbers too
        text = (
            str(value)
            if isinstance(value, int) and not isinstance(value, bool)
            else value
        )
        if text not in ENUMS[type_]:
            choices = ", ".join(ENUMS[type_])
            raise errors.bad_request(
                f"[{name}] Given data ({value}) does not belong to {type_} ({choices})"
            )
    elif not _CHECKS[type_](value):
        raise errors.bad_request(f"[{name}] Given data is not valid for type {type_}")


def check_object(name, value, model, writing=True):
    """Check that *value* holds nothing but (when *writing*, writable) properties of *model*.

    :raise ApiError: 400 where it does not fit.
    """
    if not isinstance(value, dict):
        raise errors.bad_request(f"[{name}] Given data is not valid for type {model}")
    fields = MODELS[model]
    unknown = [
        key for key in value if key not in fields or (writing and fields[key].read_only)
    ]
    if unknown:
        raise errors.bad_request(
            f"Received not described parameters: ({', '.join(unknown)})"
        )
    for key, item in value.items():
        if item is None:
            if not fields[key].nullable:
                raise errors.bad_request(
                    f"[{key}] Given data (null) is not valid for type {fields[key].type}"
                )
        else:
            check_value(key, item, fields[key].type, writing)


def _check_params(values, params):
    unknown = [key for key in values if key not in params]
    if unknown:
        raise errors.bad_request(
            f"Received not described parameters: ({', '.join(unknown)})"
        )
    for name, param in params.items():
        value = values.get(name, _MISSING)
        if value is _MISSING or value is None:
            if param.required:
                raise errors.bad_request(f"Missing parameter(s): ({name})")
        else:
            check_value(name, value, param.type)


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
    _check_params(body, operation.body)
    return {key: value for key, value in body.items() if value is not None}


def check_query(operation, pairs):
    """Check and convert the query of a request.

    :param pairs: list of (name, text).
    :return: dict of values: int for ``long``, POSIX seconds for ``datetime``, text for
        the rest.
    :raise ApiError: 400 for unknown, missing or wrongly typed parameters.
    """
    values = {}
    for name, text in pairs:
        if name not in operation.query:
            raise errors.bad_request(f"Received not described parameters: ({name})")
        # the official clients write "no value" as null
        if text == "null":
            continue
        type_ = operation.query[name].type
        if type_.startswith("map["):
            raise errors.bad_request(
                f"[{name}] Filtering by tag is not possible on this account"
            )
        if type_ == "long":
            if not re.fullmatch(r"-?[0-9]{1,18}", text):
                raise errors.bad_request(
                    f"[{name}] Given data is not valid for type long"
                )
            values[name] = int(text)
        else:
            # in a query, the plus sign of an offset often arrives as a space
            text = text.replace(" ", "+") if type_ == "datetime" else text
            check_value(name, text, type_)
            values[name] = parse_datetime(text) if type_ == "datetime" else text
    for name, param in operation.query.items():
        if param.required and name not in values:
            raise errors.bad_request(f"Missing parameter(s): ({name})")
    return values

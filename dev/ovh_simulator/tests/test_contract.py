"""The simulator against OVHcloud's own description of the API."""

import pytest
from conftest import SERVICE
from ovh_simulator import api, magic, schema, seed


def test_every_described_call_has_a_handler():
    described = {
        (operation.method, operation.path)
        for operation in schema.OPERATIONS + schema.AUTH_OPERATIONS
    }
    assert described == set(api.HANDLERS)
    assert len(described) == len(schema.OPERATIONS) + len(schema.AUTH_OPERATIONS)


def test_calls_and_parameters(description):
    theirs = {
        (operation["httpMethod"], each["path"]): operation
        for each in description["apis"]
        for operation in each["operations"]
    }
    for operation in schema.OPERATIONS:
        their = theirs[operation.method, operation.path]
        assert operation.response == their["responseType"], operation.template
        assert operation.authenticated is not their["noAuthentication"], (
            operation.template
        )
        query, body, model = {}, {}, None
        for parameter in their["parameters"]:
            type_ = parameter.get("fullType") or parameter["dataType"]
            if parameter["paramType"] == "query":
                query[parameter["name"]] = (type_, parameter["required"])
            elif parameter["paramType"] == "body" and "name" in parameter:
                body[parameter["name"]] = (type_, parameter["required"])
            elif parameter["paramType"] == "body":
                model = type_
            else:
                assert "{" + parameter["name"] + "}" in operation.path
        assert {
            name: tuple(param) for name, param in operation.query.items()
        } == query, operation.template
        assert {name: tuple(param) for name, param in operation.body.items()} == body, (
            operation.template
        )
        assert operation.body_model == model, operation.template


def test_models(description):
    for name, fields in schema.MODELS.items():
        if name.startswith("auth."):
            continue
        theirs = {
            key: (
                field.get("fullType") or field["type"],
                field["canBeNull"],
                field["readOnly"],
            )
            for key, field in description["models"][name]["properties"].items()
        }
        assert {key: tuple(field) for key, field in fields.items()} == theirs, name


def test_enumerations(description):
    for name, values in schema.ENUMS.items():
        if not name.startswith("auth."):
            assert sorted(values) == sorted(description["models"][name]["enum"]), name


def _check(models, value, type_, where):
    """Check an answer against the described type, strictly: every property, and no other."""
    if type_ == "void":
        assert value is None, where
    elif type_.endswith("[]"):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            _check(models, item, type_[:-2], f"{where}[{index}]")
    elif type_ in models and "enum" in models[type_]:
        assert value in models[type_]["enum"], f"{where}: {value}"
    elif type_ in models:
        fields = models[type_]["properties"]
        assert set(value) == set(fields), f"{where}: {set(value) ^ set(fields)}"
        for key, field in fields.items():
            if value[key] is None:
                assert field["canBeNull"], f"{where}.{key}"
            else:
                _check(
                    models,
                    value[key],
                    field.get("fullType") or field["type"],
                    f"{where}.{key}",
                )
    else:
        python = {
            "string": str,
            "text": str,
            "uuid": str,
            "datetime": str,
            "long": int,
            "double": (int, float),
            "boolean": bool,
            "map[string]string": dict,
        }[type_]
        assert isinstance(value, python) and (
            type_ == "boolean" or not isinstance(value, bool)
        ), f"{where}: {value}"


def test_answers_have_the_described_shape(description, client, simulator, send):
    """Every call is made once and its answer compared with the described type."""
    client.put(
        SERVICE,
        smsResponse={
            "trackingOptions": [
                {"media": "email", "sender": "a@example.com", "target": "b@example.com"}
            ]
        },
        automaticRecreditAmount="100",
    )
    sms = {
        "": "",
        "/users/compta": "/users/compta",
        f"/virtualNumbers/{seed.VIRTUAL_NUMBER}": f"/virtualNumbers/{seed.VIRTUAL_NUMBER}",
    }
    objects = {}
    for prefix in sms:
        done = send(
            magic.DELIVERED,
            path=prefix,
            senderForResponse=None if "virtual" in prefix else True,
            tag="shape",
        )["ids"][0]
        waiting = [
            send("+33612340900", path=prefix, differedPeriod=60)["ids"][0]
            for _ in range(2)
        ]
        simulator.get("/callbacks")
        received = [
            simulator.post(f"/phones/{magic.DELIVERED}/reply", {"text": "ok"})["id"]
            for _ in range(2)
        ]
        objects[prefix] = {
            "outgoing": done,
            "jobs": waiting[0],
            "incoming": received[0],
        }
    objects[""]["hlr"] = client.post(f"{SERVICE}/hlr", receivers=[magic.DELIVERED])[
        "ids"
    ][0]
    values = {
        "/sms/estimate": {"message": "a", "noStopClause": False, "senderType": "alpha"},
        "/sms/ptts": {"ptt": 23},
        "/sms/rates/destinations": {"country": "be", "billingCountry": "fr"},
        "/sms/rates/packs": {"country": "fr"},
        "/sms/{serviceName}/exceptions": {"receiver": "+32470123456"},
    }
    posts = {
        "hlr": {"receivers": [magic.DELIVERED]},
        "jobs": {"message": "a", "receivers": [magic.DELIVERED]},
        "senders": {"sender": "Neuf", "reason": "r"},
        "users": {"login": "neuf", "password": "abcd1234"},
        "validate": {"code": None},
        "documents": {"name": "kbis.pdf"},
    }
    puts = {
        "{serviceName}": {"description": "d"},
        "{sender}": {"description": "d"},
        "{login}": {"quotaInformations": {"quotaStatus": "active", "quotaLeft": 10}},
    }
    number = client.post(f"{SERVICE}/senders", sender="+33612340950")
    code = simulator.state("phones")[number]["messages"][0]["text"][-7:-1]
    order = {"GET": 0, "POST": 1, "PUT": 2, "DELETE": 3}
    for operation in sorted(
        schema.OPERATIONS, key=lambda each: (order[each.method], -each.path.count("/"))
    ):
        path = operation.path.replace("{serviceName}", seed.SERVICE_1)
        last = operation.path.rpartition("/")[2]
        if operation.path.endswith("/{id}"):
            kind = path.split("/")[-2]
            prefix = (
                "/users/compta"
                if "users" in path
                else f"/virtualNumbers/{seed.VIRTUAL_NUMBER}"
                if "virtualNumbers" in path
                else ""
            )
            path = path.replace("{id}", str(objects[prefix][kind]))
        if "blacklists" in path:
            path = path.replace("{number}", magic.BLACKLISTED)
        path = path.replace("{number}", seed.VIRTUAL_NUMBER).replace(
            "{login}", "compta"
        )
        path = path.replace(
            "{sender}", number if last == "validate" else seed.SENDER_ENABLED
        )
        body = dict(values.get(operation.path, {}))
        if operation.method == "POST" and last in posts:
            body = dict(posts[last])
            if last == "validate":
                body["code"] = code
            if last == "jobs" and "virtual" not in path:
                body["senderForResponse"] = True
        elif operation.method == "PUT":
            body = puts[last]
        answer = getattr(client, operation.method.lower())(path, **body)
        _check(description["models"], answer, operation.response, operation.template)
    assert len(simulator.state("requests")) >= len(schema.OPERATIONS)


@pytest.mark.parametrize(
    "operation", [each for each in schema.OPERATIONS if each.body_model]
)
def test_no_read_only_property_can_be_put(operation):
    fields = schema.MODELS[operation.body_model]
    for name, field in fields.items():
        if field.read_only:
            with pytest.raises(schema.errors.ApiError, match=name):
                schema.check_body(operation, {name: "x"})

"""The simulator against OVHcloud's own description of the API."""

import pytest
from conftest import OWNERS, SERVICE
from ovh_simulator import api, magic, schema, seed

#: The calls that OVHcloud's description of ``/sms`` has.
CALLS = [call for call in schema.CALLS.values() if call.path.startswith("/sms")]


def test_every_described_call_has_a_handler():
    assert set(schema.CALLS) == set(api.HANDLERS)


def type_of(described):
    return described.get("fullType") or described.get("dataType") or described["type"]


def test_calls_and_parameters(description):
    theirs = {
        (operation["httpMethod"], each["path"]): operation
        for each in description["apis"]
        for operation in each["operations"]
    }
    for call in CALLS:
        their = theirs[call.method, call.path]
        assert call.response == their["responseType"], call
        assert call.authenticated is not their["noAuthentication"], call
        named = {"query": {}, "body": {}}
        model = None
        for parameter in their["parameters"]:
            where, name = parameter["paramType"], parameter.get("name")
            if where == "path":
                assert "{" + name + "}" in call.path
            elif name:
                named[where][name] = (type_of(parameter), parameter["required"])
            else:
                assert where == "body"
                model = type_of(parameter)
        assert {"query": call.query, "body": call.body} == named, call
        assert call.body_model == model, call


def test_models(description):
    for name, fields in schema.MODELS.items():
        if not name.startswith("auth."):
            properties = description["models"][name]["properties"]
            theirs = {
                key: (type_of(field), field["canBeNull"], field["readOnly"])
                for key, field in properties.items()
            }
            assert fields == theirs, name


def test_enumerations(description):
    for name, values in schema.ENUMS.items():
        if not name.startswith("auth."):
            assert sorted(values) == sorted(description["models"][name]["enum"]), name


PYTHON_TYPES = {
    "string": str,
    "text": str,
    "uuid": str,
    "datetime": str,
    "long": int,
    "double": (int, float),
    "boolean": bool,
    "map[string]string": dict,
}


def _check(models, value, type_, where):
    """Check an answer against the described type, strictly: every property, and no other."""
    if type_ == "void":
        assert value is None, where
    elif type_.endswith("[]"):
        assert isinstance(value, list), where
        for index, item in enumerate(value):
            _check(models, item, type_[:-2], f"{where}[{index}]")
    elif "enum" in models.get(type_, ()):
        assert value in models[type_]["enum"], f"{where}: {value}"
    elif type_ in models:
        fields = models[type_]["properties"]
        assert set(value) == set(fields), f"{where}: {set(value) ^ set(fields)}"
        for key, field in fields.items():
            if value[key] is None:
                assert field["canBeNull"], f"{where}.{key}"
            else:
                _check(models, value[key], type_of(field), f"{where}.{key}")
    else:
        assert isinstance(value, PYTHON_TYPES[type_]), f"{where}: {value}"
        assert type_ == "boolean" or not isinstance(value, bool), f"{where}: {value}"


BODIES = {
    "POST /sms/estimate": {
        "message": "a",
        "noStopClause": False,
        "senderType": "alpha",
    },
    "GET /sms/ptts": {"ptt": 23},
    "GET /sms/rates/destinations": {"country": "be", "billingCountry": "fr"},
    "GET /sms/rates/packs": {"country": "fr"},
    "GET /exceptions": {"receiver": "+32470123456"},
    "POST /hlr": {"receivers": [magic.DELIVERED]},
    "POST /senders": {"sender": "Neuf", "reason": "r"},
    "POST /users": {"login": "neuf", "password": "abcd1234"},
    "POST /senders/{sender}/documents": {"name": "kbis.pdf"},
    "PUT ": {"description": "d"},
    "PUT /senders/{sender}": {"description": "d"},
    "PUT /users/{login}": {
        "quotaInformations": {"quotaStatus": "active", "quotaLeft": 10}
    },
}


def _make_sms(simulator, send, owner):
    """Send and receive from the account, an API user or a virtual number.

    :return: id of an SMS by kind; there is one more that waits, and that came in.
    """
    short = None if "virtual" in owner else True
    done = send(magic.DELIVERED, path=owner, senderForResponse=short, tag="shape")
    waiting = [send("+33612340900", path=owner, differedPeriod=60) for _ in range(2)]
    simulator.get("/callbacks")
    received = [simulator.reply("ok", magic.DELIVERED) for _ in range(2)]
    return {
        "outgoing": done["ids"][0],
        "jobs": waiting[0]["ids"][0],
        "incoming": received[0]["id"],
    }


def test_answers_have_the_described_shape(description, client, simulator, send):
    """Every call is made once and its answer compared with the described type."""
    option = {"media": "email", "sender": "a@example.com", "target": "b@example.com"}
    client.put(
        SERVICE,
        smsResponse={"trackingOptions": [option]},
        automaticRecreditAmount="100",
    )
    ids = {owner: _make_sms(simulator, send, owner) for owner in OWNERS}
    lookup = client.post(f"{SERVICE}/hlr", receivers=[magic.DELIVERED])["ids"][0]
    number = client.post(f"{SERVICE}/senders", sender="+33612340950")
    code = simulator.state("phones")[number]["messages"][0]["text"][-7:-1]
    order = {"GET": 0, "POST": 1, "PUT": 2, "DELETE": 3}
    for call in sorted(
        CALLS, key=lambda each: (order[each.method], -each.path.count("/"))
    ):
        is_validation = call.path.endswith("/validate")
        names = {
            "{serviceName}": seed.SERVICE_1,
            "{login}": seed.USER_WITHOUT_QUOTA,
            "{sender}": number if is_validation else seed.SENDER_ENABLED,
            "{number}": (
                magic.BLACKLISTED if "blacklists" in call.path else seed.VIRTUAL_NUMBER
            ),
        }
        path = call.path
        for name, value in names.items():
            path = path.replace(name, value)
        if path.endswith("/{id}"):
            owner, _slash, kind = path.removesuffix("/{id}").rpartition("/")
            kinds = {**ids[owner.removeprefix(SERVICE)], "hlr": lookup}
            path = path.replace("{id}", str(kinds[kind]))
        short = call.path.replace("/sms/{serviceName}", "")
        body = dict(BODIES.get(f"{call.method} {short}", {}))
        if is_validation:
            body = {"code": code}
        elif call.method == "POST" and short.endswith("/jobs"):
            body = {"message": "a", "receivers": [magic.DELIVERED]}
            if "virtual" not in path:
                body["senderForResponse"] = True
        answer = getattr(client, call.method.lower())(path, **body)
        _check(description["models"], answer, call.response, call.path)
    assert len(simulator.state("requests")) >= len(CALLS)


@pytest.mark.parametrize(
    "call", [each for each in CALLS if each.body_model], ids=lambda each: each.path
)
def test_no_read_only_property_can_be_put(call):
    fields = schema.MODELS[call.body_model]
    for name, field in fields.items():
        if field.read_only:
            with pytest.raises(schema.errors.ApiError, match=name):
                schema.check_body(call, {name: "x"})

"""The calls of OVHcloud's API: what answers each, from a checked call to the data."""

import re
import uuid

from fastapi import APIRouter

from . import errors, gsm, reference, schema, seed
from .clock import iso
from .config import HLR_SPELLINGS
from .errors import find
from .gateway import ApiRoute, application_of, base_of
from .numbers import is_network, normalize_number
from .records import iam, new_user
from .sending import STOP_CLAUSE

MAX_IP_RESTRICTIONS = 5
_LOGIN = re.compile(r"[A-Za-z0-9._-]{1,32}")
_PASSWORD = re.compile(r"[A-Za-z0-9]{8}")
_URL = re.compile(r"https?://[^\s/]")

# ------------------------------------------------------- what a path or a body names


def _number(numbers, call):
    """Return what is kept of the path's number."""
    number = normalize_number(call.path["number"]) or call.path["number"]
    return find(numbers, number, "number")


def _user(call):
    return find(call.service.users, call.path["login"], "login")


def _sender(call):
    senders, name = call.service.senders, call.path["sender"]
    number = normalize_number(name)
    return find(senders, number if number in senders else name, "sender")


def _id(call):
    text = call.path["id"]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise errors.bad_request("[id] Given data is not valid for type long")
    return int(text)


def _check_urls(values, *names):
    for name in names:
        if values.get(name) and not _URL.match(values[name]):
            raise errors.bad_request(f"[{name}] Given data is not a URL")
        if values.get(name) == "":
            values[name] = None


def _check_networks(networks, refusal):
    for network in networks or ():
        if not is_network(network):
            raise errors.bad_request(refusal.format(network))


def _check_password(password):
    if not _PASSWORD.fullmatch(password):
        raise errors.bad_request("[password] Given data must be 8 letters and digits")


# ---------------------------------------------------------------------- /auth


def credential_create(call):
    application_key, _application = application_of(call.request)
    rules, redirection = call.body["accessRules"], call.body.get("redirection")
    for rule in rules:
        if not rule.get("method") or not rule.get("path", "").startswith("/"):
            raise errors.bad_request(
                "[accessRules] Each rule needs a method and a path that starts with /"
            )
    if not rules:
        raise errors.bad_request("Missing parameter(s): (accessRules)")
    if redirection and not re.match(r"https?://", redirection):
        raise errors.bad_request("[redirection] Given data is not a URL")
    networks = call.body.get("allowedIPs")
    _check_networks(networks, "[allowedIPs] Given data ({}) is not an IP block")
    consumer_key, token = call.world.new_credential(
        application_key, rules=rules, redirection=redirection, allowed_ips=networks
    )
    return {
        "consumerKey": consumer_key,
        "state": "pendingValidation",
        "validationUrl": f"{base_of(call.request)}/auth/?credentialToken={token}",
    }


def credential_one(call):
    """What the consumer key of this call may do and until when."""
    credential = call.caller.credential
    if credential is None:
        raise errors.no_credential()
    return {
        "allowedIPs": credential["allowed_ips"],
        "applicationId": seed.APPLICATIONS[credential["application"]]["id"],
        "creation": iso(credential["created"]),
        "credentialId": credential["id"],
        "expiration": iso(credential["expires"]),
        "lastUse": iso(credential["last_use"]),
        "ovhSupport": False,
        "rules": credential["rules"],
        "status": credential["status"],
    }


# ---------------------------------------------------------------------- /sms


def estimate(call):
    text = call.body["message"]
    if call.body["senderType"] == "alpha" and not call.body["noStopClause"]:
        text += STOP_CLAUSE
    measure = gsm.measure(text)
    return {
        "characters": measure.units,
        "charactersClass": measure.encoding,
        "maxCharactersPerPart": measure.per_part,
        "parts": measure.parts,
    }


def ptt_one(call):
    row = find(reference.PTTS, call.query["ptt"], "ptt")
    return dict(zip(("description", "comment", "duration"), row, strict=True))


def _price(value):
    return {"currencyCode": "EUR", "text": f"{value:.3f} €", "value": round(value, 4)}


def _rates(call):
    """Return what the prices for a country have in common, and its name."""
    code = call.query["country"]
    name = reference.COUNTRIES[code][0] if code in reference.COUNTRIES else code.upper()
    vat = reference.VAT_RATES[call.query.get("billingCountry", "fr")]
    credit = reference.credits_for(code)
    return {"countryCode": code, "credit": credit, "vatRate": vat}, name


def rates_destinations(call):
    rates, name = _rates(call)
    price = _price(rates["credit"] * reference.CREDIT_PRICE)
    return {**rates, "country": name, "price": price}


def rates_packs(call):
    rates, _name = _rates(call)
    credit = rates["credit"]
    packs = []
    for low, high, discount in reference.PACKS:
        price = reference.CREDIT_PRICE * (1 - discount)
        packs.append(
            {
                **rates,
                "creditPrice": _price(price),
                "creditQuantityMax": high,
                "creditQuantityMin": low,
                "discountCreditPrice": None,
                "discountPercentage": None,
                "discountSmsPrice": None,
                "smsPrice": _price(price * credit),
                "smsQuantityMax": high and int(high / credit),
                "smsQuantityMin": int(low / credit),
            }
        )
    return packs


def _customer_numbers(call):
    """Return all virtual numbers of the customer, as the services show them."""
    return {
        number: shown
        for name in call.services
        for number, shown in call.world.services[name].virtual_numbers.items()
    }


def customer_number_one(call):
    number = _number(_customer_numbers(call), call)
    return {**number, "iam": iam(number["number"], number["number"])}


def account_change(call):
    changes = dict(call.body)
    _check_urls(changes, "callBack", "stopCallBack")
    if "smsResponse" in changes:
        _check_urls(changes["smsResponse"], "cgiUrl")
    call.service.change(changes)


def blacklist(call):
    """Numbers that answered STOP."""
    wanted = call.query.get("smsOutgoingID")
    entries = call.service.blacklist.values()
    if call.query.get("batchID"):
        return []
    return [
        entry["number"] for entry in entries if wanted in (None, entry["smsOutgoingID"])
    ]


def blacklist_delete(call):
    entries = call.service.blacklist
    del entries[_number(entries, call)["number"]]


def exceptions(call):
    """What operators of a receiver's country do to senders."""
    number = normalize_number(call.query["receiver"])
    if number is None:
        raise errors.bad_request("[receiver] Given data is not a phone number")
    country = reference.country_of(number)
    fate = call.world.config["names_abroad"].get(country, "kept")
    if fate == "kept":
        return []
    operators, substitution = reference.NAME_OPERATORS[country]
    code, message = reference.NAME_RESTRICTIONS[fate]
    return [
        {
            "countrySuffixe": country,
            "messages": [message],
            "operators": operators,
            "restrictionCode": code,
            "substitution": substitution if fate == "replaced" else None,
        }
    ]


def lookup_one(call):
    """What operators say of one number."""
    lookup = find(call.service.lookups, _id(call), "id")
    spelling = HLR_SPELLINGS[call.world.config["hlr_spelling"]]
    return lookup.record(call.world.clock.now(), spelling)


# ------------------------------------------------------- jobs, outgoing, incoming


def _owner(call):
    """Return (API user, virtual number) that the path names, or ``None`` for either."""
    user = _user(call) if "login" in call.path else None
    number = None
    if "number" in call.path:
        number = _number(call.service.virtual_numbers, call)["number"]
    return user, number


def _is_visible(call):
    """Return a function that says whether the list that the path names holds a record.

    Nobody knows whether the account's lists hold what API users and virtual numbers
    sent and received: the configuration says.
    """
    user, number = _owner(call)
    if user is None and number is None and not call.world.config["account_lists_all"]:
        return lambda record: record.user is None and record.virtual_number is None
    return lambda record: (
        (user is None or record.user == user["login"])
        and (number is None or record.virtual_number == number)
    )


def _is_in_jobs(call):
    unlisted = call.world.config["unlisted"]
    return lambda sms: sms.id in call.world.waiting and sms.receiver not in unlisted


def _is_in_outgoing(call):
    deferred_too = call.world.config["deferred_in_outgoing"]
    unlisted = call.world.config["unlisted"]
    return lambda sms: (
        not sms.hidden
        and sms.receiver not in unlisted
        and (sms.sent is not None or (deferred_too and sms.status == "pending"))
    )


def _waiting(call):
    waiting, service = call.world.waiting.values(), call.service.name
    return [sms for sms in waiting if sms.service == service]


def _sent(call):
    if "batchID" in call.query or "messageID" in call.query:
        return ()
    # by far the most of the calls ask for a tag
    if "tag" in call.query:
        return call.service.by_tag.get(call.query["tag"], ())
    return call.service.sms.values()


#: Parameter of a query -> attribute, where it is called otherwise.
_ATTRIBUTES = {"deliveryReceipt": "dlr", "differedDelivery": "deferred"}


def _sms_handlers(kind, phone, stored, listed, is_listed, show, delete):
    """Return what answers the calls for one kind of SMS, whoever they are of.

    :param str phone: the parameter of the list that is a phone number.
    :param stored: function from a call to the records by id.
    :param listed: function from a call to the records that its list may hold.
    :param is_listed: function from a call to one that says whether a record is there.
    :param show: function from a call and a record to what is answered.
    :param delete: function from a call and a record, which is no longer there then.
    """

    def ids(call):
        call.world.pump()
        is_there, is_visible = is_listed(call), _is_visible(call)
        query = dict(call.query)
        start = query.pop("creationDatetime.from", None)
        end = query.pop("creationDatetime.to", None)
        if phone in query:
            query[phone] = normalize_number(query[phone]) or query[phone]
        wanted = [(_ATTRIBUTES.get(name, name), query[name]) for name in query]
        # datetimes are shown in whole seconds: a record is inside a period that ends in
        # its second
        return [
            record.id
            for record in listed(call)
            if is_there(record)
            and is_visible(record)
            and (start is None or record.created >= start)
            and (end is None or int(record.created) <= end)
            and all(getattr(record, name) == value for name, value in wanted)
        ]

    def find_record(call):
        call.world.pump()
        is_there, is_visible = is_listed(call), _is_visible(call)
        record = find(stored(call), _id(call), "id")
        if not is_there(record) or not is_visible(record):
            raise errors.no_object("id", record.id)
        return record

    def one(call):
        return show(call, find_record(call))

    def drop(call):
        delete(call, find_record(call))

    return {
        f"{method} {owner}/{path}": handler
        for owner in ("", "/users/{login}", "/virtualNumbers/{number}")
        for method, path, handler in (
            ("GET", kind, ids),
            ("GET", f"{kind}/{{id}}", one),
            ("DELETE", f"{kind}/{{id}}", drop),
        )
    }


def _show_job(call, sms):
    return sms.as_model("sms.VirtualNumberJob" if "number" in call.path else "sms.Job")


def job_create(call):
    report, accepted = call.world.send(call.service, call.body, *_owner(call))
    call.first = call.world.early_callbacks(accepted)
    return report


# ---------------------------------------------------------------------- senders


def sender_change(call):
    """Change a sender's description, or switch an approved one on or off."""
    sender = _sender(call)
    status = call.body.get("status", sender["status"])
    # what is approved or refused is OVHcloud's decision
    own = {"enable", "disable"}
    if status != sender["status"] and {status, sender["status"]} != own:
        raise errors.forbidden(
            f"The status of this sender can not be changed to {status}"
        )
    sender["status"] = status
    sender["description"] = call.body.get("description", sender["description"])


def sender_delete(call):
    sender = _sender(call)
    if sender["type"] in ("virtual", "shortcode"):
        raise errors.forbidden("This sender can not be deleted")
    del call.service.senders[sender["sender"]]


def sender_documents(call):
    name = _sender(call)["sender"]
    documents = call.service.documents.items()
    return [id_ for id_, document in documents if document["sender"] == name]


def sender_document_create(call):
    """Announce a proof of a sender; its content is put to the address answered."""
    id_ = str(uuid.uuid4())
    named = {"name": call.body["name"], "description": call.body.get("description")}
    sender = _sender(call)["sender"]
    call.service.documents[id_] = {"sender": sender, **named, "content": None}
    url = f"{base_of(call.request)}/simulator/documents/{call.service.name}/{id_}"
    return {
        **named,
        "createdAt": iso(call.world.clock.now()),
        "documentID": id_,
        "getUrl": url,
        "putUrl": url,
        "size": 0,
    }


def senders_available(call):
    """Names that OVHcloud knows to be the customer's."""
    wanted = call.query.get("referer")
    return [
        {"sender": name, "referer": referer}
        for name, referer in call.service.available_senders.items()
        if name not in call.service.senders and wanted in (None, referer)
    ]


# ---------------------------------------------------------------------- users


def user_create(call):
    login = call.body["login"]
    if login in call.service.users:
        raise errors.conflict(f"User {login} already exists")
    if not _LOGIN.fullmatch(login):
        raise errors.bad_request("[login] Given data is not a valid login")
    _check_password(call.body["password"])
    call.service.users[login] = new_user(login, call.body["password"])


def user_change(call):
    user, body = _user(call), dict(call.body)
    _check_urls(body, "callBack", "stopCallBack")
    if "password" in body:
        _check_password(body["password"])
    addresses = body.get("ipRestrictions", ())
    if len(addresses) > MAX_IP_RESTRICTIONS:
        raise errors.bad_request(
            f"[ipRestrictions] {MAX_IP_RESTRICTIONS} addresses at most"
        )
    _check_networks(addresses, "[ipRestrictions] Given data ({}) is not an IP")
    # last of all checks, so that a refused request moves no credits
    call.service.set_quota(user, body.pop("quotaInformations", {}))
    body["alertThresholdInformations"] = {
        **user["alertThresholdInformations"],
        **body.get("alertThresholdInformations", {}),
    }
    user.update(body)


def user_delete(call):
    """Remove an API user; what is left of a quota goes back to the account."""
    user = _user(call)
    call.service.set_quota(user, {"quotaStatus": "inactive"})
    del call.service.users[user["login"]]


# ---------------------------------------------------------------------- all calls

#: What answers the calls below ``/sms/{serviceName}``.
_OF_SERVICE = {
    "GET ": lambda call: call.service.record(),
    "PUT ": account_change,
    "GET /blacklists": blacklist,
    "GET /blacklists/{number}": lambda call: _number(call.service.blacklist, call),
    "DELETE /blacklists/{number}": blacklist_delete,
    "GET /exceptions": exceptions,
    "GET /hlr": lambda call: list(call.service.lookups),
    "POST /hlr": lambda call: call.world.look_up(call.service, call.body),
    "GET /hlr/{id}": lookup_one,
    "POST /jobs": job_create,
    "POST /users/{login}/jobs": job_create,
    "POST /virtualNumbers/{number}/jobs": job_create,
    **_sms_handlers(
        kind="jobs",
        phone="receiver",
        stored=lambda call: call.service.sms,
        listed=_waiting,
        is_listed=_is_in_jobs,
        show=_show_job,
        delete=lambda call, sms: call.world.cancel(sms),
    ),
    **_sms_handlers(
        kind="outgoing",
        phone="receiver",
        stored=lambda call: call.service.sms,
        listed=_sent,
        is_listed=_is_in_outgoing,
        show=lambda call, sms: sms.as_model("sms.Outgoing"),
        delete=lambda call, sms: setattr(sms, "hidden", True),
    ),
    **_sms_handlers(
        kind="incoming",
        phone="sender",
        stored=lambda call: call.service.incoming,
        listed=lambda call: call.service.incoming.values(),
        is_listed=lambda call: lambda incoming: True,
        show=lambda call, incoming: incoming.record(),
        delete=lambda call, incoming: call.service.incoming.pop(incoming.id),
    ),
    "GET /senders": lambda call: list(call.service.senders),
    "POST /senders": lambda call: call.world.ask_sender(call.service, **call.body),
    "GET /senders/{sender}": _sender,
    "PUT /senders/{sender}": sender_change,
    "DELETE /senders/{sender}": sender_delete,
    "GET /senders/{sender}/documents": sender_documents,
    "POST /senders/{sender}/documents": sender_document_create,
    "POST /senders/{sender}/validate": lambda call: call.world.validate_sender(
        call.service, _sender(call), call.body["code"]
    ),
    "GET /sendersAvailableForValidation": senders_available,
    "GET /users": lambda call: list(call.service.users),
    "POST /users": user_create,
    "GET /users/{login}": _user,
    "PUT /users/{login}": user_change,
    "DELETE /users/{login}": user_delete,
    "GET /virtualNumbers": lambda call: list(call.service.virtual_numbers),
    "GET /virtualNumbers/{number}": lambda call: _number(
        call.service.virtual_numbers, call
    ),
}
#: What answers each call that :mod:`schema` describes.
HANDLERS = {
    "GET /auth/time": lambda call: call.world.api_time(),
    "POST /auth/credential": credential_create,
    "GET /auth/currentCredential": credential_one,
    "GET /sms": lambda call: list(call.services),
    "POST /sms/estimate": estimate,
    "GET /sms/ptts": ptt_one,
    "GET /sms/rates/destinations": rates_destinations,
    "GET /sms/rates/packs": rates_packs,
    "GET /sms/virtualNumbers": lambda call: list(_customer_numbers(call)),
    "GET /sms/virtualNumbers/{number}": customer_number_one,
    **{
        template.replace(" ", " /sms/{serviceName}"): handler
        for template, handler in _OF_SERVICE.items()
    },
}


def _rank(operation):
    """Return what routes are ordered by: the busiest first, fixed paths before templates.

    "/sms/estimate" has to stand before "/sms/{serviceName}".
    """
    path = operation.path
    return not path.endswith("/jobs"), "/outgoing" not in path, path.count("{")


def router():
    """Return an ``APIRouter`` with every described call."""
    api = APIRouter(route_class=ApiRoute)
    for operation in sorted(schema.CALLS.values(), key=_rank):
        template = f"{operation.method} {operation.path}"
        api.add_api_route(
            operation.path,
            HANDLERS[template],
            methods=[operation.method],
            name=template,
            response_model=None,
        )
    return api

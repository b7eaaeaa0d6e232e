"""The calls of OVHcloud's API: one function each, from a checked call to the data answered."""

import ipaddress
import re
import uuid

from fastapi import APIRouter

from . import errors, gsm, reference, schema, seed
from .clock import iso
from .config import HLR_SPELLINGS
from .gateway import ApiRoute, application_of
from .numbers import normalize_number
from .records import User, iam
from .sending import STOP_CLAUSE

_OPERATIONS = {
    (operation.method, operation.path): operation
    for operation in schema.OPERATIONS + schema.AUTH_OPERATIONS
}
#: (method, path) -> function that answers it.
HANDLERS = {}

MAX_IP_RESTRICTIONS = 5
_LOGIN = re.compile(r"[A-Za-z0-9._-]{1,32}")
_PASSWORD = re.compile(r"[A-Za-z0-9]{8}")


def serves(*calls):
    """Declare that a function answers these calls.

    :param calls: texts such as ``GET /sms``; each must be described in :mod:`schema`.
    """

    def declare(function):
        for call in calls:
            method, path = call.split(" ")
            HANDLERS[_OPERATIONS[method, path].method, path] = function
        return function

    return declare


def _variants(method, path):
    """:return: a call for the account, for an API user, and for a virtual number."""
    service = "/sms/{serviceName}"
    return tuple(
        f"{method} {service}{middle}{path}"
        for middle in ("", "/users/{login}", "/virtualNumbers/{number}")
    )


# ---------------------------------------------------------------------- /auth


@serves("GET /auth/time")
def auth_time(call):
    """OVHcloud's time in POSIX seconds."""
    return call.world.api_time()


@serves("POST /auth/credential")
def auth_credential(call):
    """Ask for a consumer key with access rules."""
    application_key, _application = application_of(call.request)
    rules = call.body["accessRules"]
    for rule in rules:
        if not rule.get("method") or not rule.get("path", "").startswith("/"):
            raise errors.bad_request(
                "[accessRules] Each rule needs a method and a path that starts with /"
            )
    if not rules:
        raise errors.bad_request("Missing parameter(s): (accessRules)")
    redirection = call.body.get("redirection") or None
    if redirection and not re.match(r"https?://", redirection):
        raise errors.bad_request("[redirection] Given data is not a URL")
    for network in call.body.get("allowedIPs") or ():
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise errors.bad_request(
                f"[allowedIPs] Given data ({network}) is not an IP block"
            ) from None
    consumer_key, token = call.world.new_credential(
        application_key,
        [{"method": rule["method"], "path": rule["path"]} for rule in rules],
        redirection,
        call.body.get("allowedIPs"),
    )
    base = f"{call.request.scope['scheme']}://{call.request.headers.get('host', '')}"
    return {
        "consumerKey": consumer_key,
        "state": "pendingValidation",
        "validationUrl": f"{base}/auth/?credentialToken={token}",
    }


@serves("GET /auth/currentCredential")
def auth_current_credential(call):
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


@serves("GET /sms")
def services(call):
    """Names of the customer's services."""
    return list(seed.CUSTOMERS[call.caller.customer]["services"])


@serves("POST /sms/estimate")
def estimate(call):
    """Size of a message before it is sent."""
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


@serves("GET /sms/ptts")
def ptts(call):
    """What a ptt code means."""
    code = call.query["ptt"]
    if code not in reference.PTTS:
        raise errors.no_object("ptt", code)
    description, comment, duration = reference.PTTS[code]
    return {"comment": comment, "description": description, "duration": duration}


def _price(value):
    return {"currencyCode": "EUR", "text": f"{value:.3f} €", "value": round(value, 4)}


def _country(call):
    code = call.query["country"]
    name = reference.COUNTRIES[code][0] if code in reference.COUNTRIES else code.upper()
    vat = reference.VAT_RATES[call.query.get("billingCountry", "fr")]
    return code, name, reference.credits_for(code), vat


@serves("GET /sms/rates/destinations")
def rates_destinations(call):
    """Credits for one SMS part to a country."""
    code, name, credit, vat = _country(call)
    return {
        "country": name,
        "countryCode": code,
        "credit": credit,
        "price": _price(credit * reference.CREDIT_PRICE),
        "vatRate": vat,
    }


@serves("GET /sms/rates/packs")
def rates_packs(call):
    """Prices of packs of credits."""
    code, _name, credit, vat = _country(call)
    packs = []
    for low, high, discount in reference.PACKS:
        price = reference.CREDIT_PRICE * (1 - discount)
        packs.append(
            {
                "countryCode": code,
                "credit": credit,
                "creditPrice": _price(price),
                "creditQuantityMax": high,
                "creditQuantityMin": low,
                "discountCreditPrice": None,
                "discountPercentage": None,
                "discountSmsPrice": None,
                "smsPrice": _price(price * credit),
                "smsQuantityMax": high and int(high / credit),
                "smsQuantityMin": int(low / credit),
                "vatRate": vat,
            }
        )
    return packs


def _customer_numbers(call):
    return {
        number: call.world.services[name]
        for name in seed.CUSTOMERS[call.caller.customer]["services"]
        for number in call.world.services[name].virtual_numbers
    }


def _virtual_number(number):
    country = reference.country_of(number) or "fr"
    return {"countryCode": "uk" if country == "gb" else country, "number": number}


@serves("GET /sms/virtualNumbers")
def customer_virtual_numbers(call):
    """All virtual numbers of the customer."""
    return list(_customer_numbers(call))


@serves("GET /sms/virtualNumbers/{number}")
def customer_virtual_number(call):
    """One virtual number of the customer."""
    number = _known_number(_customer_numbers(call), call.path["number"])
    return {**_virtual_number(number), "iam": iam(number, number)}


def _known_number(numbers, text):
    number = normalize_number(text)
    if number not in numbers:
        raise errors.no_object("number", text)
    return number


@serves("GET /sms/{serviceName}")
def account(call):
    """The account."""
    return call.service.record()


@serves("PUT /sms/{serviceName}")
def account_change(call):
    """Change writable properties of the account."""
    writable = call.service.writable
    changes = dict(call.body)
    for name in ("smsResponse", "templates"):
        if name in changes:
            changes[name] = {**writable[name], **changes[name]}
    if changes.get("automaticRecreditAmount") is not None:
        changes["automaticRecreditAmount"] = str(changes["automaticRecreditAmount"])
    _check_urls(changes, "callBack", "stopCallBack")
    if "smsResponse" in changes:
        _check_urls(changes["smsResponse"], "cgiUrl")
    writable.update(changes)


def _check_urls(values, *names):
    for name in names:
        if values.get(name) and not re.match(r"https?://[^\s/]", values[name]):
            raise errors.bad_request(f"[{name}] Given data is not a URL")
        if values.get(name) == "":
            values[name] = None


# ---------------------------------------------------------------------- blacklist


@serves("GET /sms/{serviceName}/blacklists")
def blacklists(call):
    """Numbers that answered STOP."""
    wanted = call.query.get("smsOutgoingID")
    if call.query.get("batchID"):
        return []
    return [
        entry["number"]
        for entry in call.service.blacklist.values()
        if wanted is None or entry["smsOutgoingID"] == wanted
    ]


@serves("GET /sms/{serviceName}/blacklists/{number}")
def blacklist(call):
    """One number that answered STOP."""
    entries = call.service.blacklist
    return entries[_known_number(entries, call.path["number"])]


@serves("DELETE /sms/{serviceName}/blacklists/{number}")
def blacklist_delete(call):
    """Take a number off the blacklist."""
    entries = call.service.blacklist
    del entries[_known_number(entries, call.path["number"])]


@serves("GET /sms/{serviceName}/exceptions")
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


# ---------------------------------------------------------------------- HLR


@serves("GET /sms/{serviceName}/hlr")
def lookups(call):
    """Ids of the numbers that operators were asked about."""
    return list(call.service.lookups)


@serves("POST /sms/{serviceName}/hlr")
def lookup_create(call):
    """Ask operators about numbers."""
    return call.world.look_up(call.service, call.body)


@serves("GET /sms/{serviceName}/hlr/{id}")
def lookup(call):
    """What operators say of one number."""
    id_ = _id(call)
    found = call.service.lookups.get(id_)
    if found is None:
        raise errors.no_object("id", id_)
    spelling = HLR_SPELLINGS[call.world.config["hlr_spelling"]]
    return found.record(call.world.clock.now(), spelling)


# ------------------------------------------------------- jobs, outgoing, incoming


def _scope(call):
    """:return: (service, API user or None, virtual number or None) that the path names."""
    service = call.service
    user = number = None
    if "login" in call.path:
        user = service.users.get(call.path["login"])
        if user is None:
            raise errors.no_object("login", call.path["login"])
    elif "number" in call.path:
        number = _known_number(service.virtual_numbers, call.path["number"])
    return service, user, number


def _visible(call, record, user, number):
    """:return: whether the list that the path names holds a record.

    Nobody knows whether the account's lists hold what API users and virtual numbers
    sent and received: the configuration says.
    """
    if user is None and number is None and not call.world.config["account_lists_all"]:
        return record.user is None and record.virtual_number is None
    return (user is None or record.user == user.login) and (
        number is None or record.virtual_number == number
    )


def _id(call):
    text = call.path["id"]
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise errors.bad_request("[id] Given data is not valid for type long")
    return int(text)


def _one(call, records, allowed):
    """:return: the record of the path's id, if of this scope and *allowed* says so."""
    id_ = _id(call)
    _service, user, number = _scope(call)
    record = records.get(id_)
    if (
        record is None
        or not _visible(call, record, user, number)
        or not allowed(record)
    ):
        raise errors.no_object("id", id_)
    return record


def _in_jobs(call):
    unlisted = call.world.config["unlisted"]
    return lambda sms: sms.id in call.world.waiting and sms.receiver not in unlisted


def _in_outgoing(call):
    deferred_too = call.world.config["deferred_in_outgoing"]
    unlisted = call.world.config["unlisted"]
    return lambda sms: (
        not sms.hidden
        and sms.receiver not in unlisted
        and (sms.sent is not None or (deferred_too and sms.status == "pending"))
    )


@serves(*_variants("POST", "/jobs"))
def job_create(call):
    """Send."""
    service, user, number = _scope(call)
    report, accepted = call.world.send(service, call.body, user, number)
    call.first = call.world.early_callbacks(accepted)
    return report


def _ids(call, records, phone, listed=lambda record: True, names=None):
    """:return: ids of the records of the path's scope that the query asks for.

    :param str phone: the parameter that is a phone number.
    :param listed: function that says whether the list holds a record at all.
    :param dict names: attribute of a parameter, where it is called otherwise.
    """
    _service, user, number = _scope(call)
    query = dict(call.query)
    start = query.pop("creationDatetime.from", None)
    end = query.pop("creationDatetime.to", None)
    if phone in query:
        query[phone] = normalize_number(query[phone]) or query[phone]
    wanted = [((names or {}).get(name, name), value) for name, value in query.items()]
    # datetimes are shown in whole seconds: a record is inside a period that ends in its second
    return [
        record.id
        for record in records
        if listed(record)
        and _visible(call, record, user, number)
        and (start is None or record.created >= start)
        and (end is None or int(record.created) <= end)
        and all(getattr(record, name) == value for name, value in wanted)
    ]


@serves(*_variants("GET", "/jobs"))
def jobs(call):
    """Ids of the SMS that have not left."""
    call.world.pump()
    service, listed = call.service, _in_jobs(call)
    waiting = call.world.waiting.values()
    own = [sms for sms in waiting if sms.service == service.name]
    return _ids(call, own, "receiver", listed)


@serves(*_variants("GET", "/jobs/{id}"))
def job(call):
    """One SMS that has not left."""
    call.world.pump()
    sms = _one(call, call.service.sms, _in_jobs(call))
    return sms.virtual_number_job() if "number" in call.path else sms.job()


@serves(*_variants("DELETE", "/jobs/{id}"))
def job_delete(call):
    """Cancel an SMS that has not left."""
    call.world.pump()
    call.world.cancel(_one(call, call.service.sms, _in_jobs(call)))


@serves(*_variants("GET", "/outgoing"))
def outgoing(call):
    """Ids of the SMS that were sent."""
    call.world.pump()
    _scope(call)
    if "batchID" in call.query or "messageID" in call.query:
        return []
    service = call.service
    # by far the most of the calls ask for a tag
    found = service.by_tag.get(call.query["tag"], ()) if "tag" in call.query else None
    names = {"deliveryReceipt": "dlr", "differedDelivery": "deferred"}
    records = service.sms.values() if found is None else found
    return _ids(call, records, "receiver", _in_outgoing(call), names)


@serves(*_variants("GET", "/outgoing/{id}"))
def outgoing_one(call):
    """One SMS that was sent."""
    call.world.pump()
    return _one(call, call.service.sms, _in_outgoing(call)).outgoing()


@serves(*_variants("DELETE", "/outgoing/{id}"))
def outgoing_delete(call):
    """Take an SMS out of the history."""
    call.world.pump()
    _one(call, call.service.sms, _in_outgoing(call)).hidden = True


@serves(*_variants("GET", "/incoming"))
def incoming(call):
    """Ids of the SMS received."""
    call.world.pump()
    return _ids(call, call.service.incoming.values(), "sender")


@serves(*_variants("GET", "/incoming/{id}"))
def incoming_one(call):
    """One SMS received."""
    call.world.pump()
    return _one(call, call.service.incoming, lambda record: True).record()


@serves(*_variants("DELETE", "/incoming/{id}"))
def incoming_delete(call):
    """Forget an SMS received."""
    record = _one(call, call.service.incoming, lambda record: True)
    del call.service.incoming[record.id]


# ---------------------------------------------------------------------- senders


def _sender(call):
    name = call.path["sender"]
    senders = call.service.senders
    sender = senders.get(name) or senders.get(normalize_number(name) or "")
    if sender is None:
        raise errors.no_object("sender", name)
    return sender


@serves("GET /sms/{serviceName}/senders")
def senders(call):
    """Names of the senders."""
    return list(call.service.senders)


@serves("POST /sms/{serviceName}/senders")
def sender_create(call):
    """Ask for a sender."""
    return call.world.add_sender(
        call.service,
        call.body["sender"].strip(),
        call.body.get("reason"),
        call.body.get("description"),
    )


@serves("GET /sms/{serviceName}/senders/{sender}")
def sender_one(call):
    """One sender."""
    return _sender(call)


@serves("PUT /sms/{serviceName}/senders/{sender}")
def sender_change(call):
    """Change a sender's description, or switch an approved one on or off."""
    sender = _sender(call)
    status = call.body.get("status", sender["status"])
    # what is approved or refused is OVHcloud's decision
    if status != sender["status"] and {status, sender["status"]} != {
        "enable",
        "disable",
    }:
        raise errors.forbidden(
            f"The status of this sender can not be changed to {status}"
        )
    sender["status"] = status
    sender["description"] = call.body.get("description", sender["description"])


@serves("DELETE /sms/{serviceName}/senders/{sender}")
def sender_delete(call):
    """Give a sender up."""
    sender = _sender(call)
    if sender["type"] in ("virtual", "shortcode"):
        raise errors.forbidden("This sender can not be deleted")
    del call.service.senders[sender["sender"]]


@serves("GET /sms/{serviceName}/senders/{sender}/documents")
def sender_documents(call):
    """Ids of the proofs of a sender."""
    sender = _sender(call)
    return [
        id_
        for id_, document in call.service.documents.items()
        if document["sender"] == sender["sender"]
    ]


@serves("POST /sms/{serviceName}/senders/{sender}/documents")
def sender_document_create(call):
    """Announce a proof of a sender; its content is put to the address answered."""
    sender = _sender(call)
    id_ = str(uuid.uuid4())
    call.service.documents[id_] = {
        "sender": sender["sender"],
        "name": call.body["name"],
        "description": call.body.get("description"),
        "content": None,
    }
    base = f"{call.request.scope['scheme']}://{call.request.headers.get('host', '')}"
    url = f"{base}/simulator/documents/{call.service.name}/{id_}"
    return {
        "createdAt": iso(call.world.clock.now()),
        "description": call.body.get("description"),
        "documentID": id_,
        "getUrl": url,
        "name": call.body["name"],
        "putUrl": url,
        "size": 0,
    }


@serves("POST /sms/{serviceName}/senders/{sender}/validate")
def sender_validate(call):
    """Give the code that a phone number received."""
    call.world.validate_sender(call.service, _sender(call), call.body["code"])


@serves("GET /sms/{serviceName}/sendersAvailableForValidation")
def senders_available(call):
    """Names that OVHcloud knows to be the customer's."""
    referer = call.query.get("referer")
    taken = call.service.senders
    return [
        available
        for available in call.service.available_senders
        if available["sender"] not in taken and referer in (None, available["referer"])
    ]


# ---------------------------------------------------------------------- users


@serves("GET /sms/{serviceName}/users")
def users(call):
    """Logins of the API users."""
    return list(call.service.users)


@serves("POST /sms/{serviceName}/users")
def user_create(call):
    """Add an API user."""
    login = call.body["login"]
    if login in call.service.users:
        raise errors.conflict(f"User {login} already exists")
    if not _LOGIN.fullmatch(login):
        raise errors.bad_request("[login] Given data is not a valid login")
    _check_password(call.body["password"])
    call.service.users[login] = User(login, call.body["password"])


def _check_password(password):
    if not _PASSWORD.fullmatch(password):
        raise errors.bad_request("[password] Given data must be 8 letters and digits")


@serves("GET /sms/{serviceName}/users/{login}")
def user_one(call):
    """One API user."""
    return _scope(call)[1].record()


@serves("PUT /sms/{serviceName}/users/{login}")
def user_change(call):
    """Change an API user."""
    service, user, _number = _scope(call)
    body = dict(call.body)
    _check_urls(body, "callBack", "stopCallBack")
    if "password" in body:
        _check_password(body["password"])
    addresses = body.get("ipRestrictions", user.ip_restrictions)
    if len(addresses) > MAX_IP_RESTRICTIONS:
        raise errors.bad_request(
            f"[ipRestrictions] {MAX_IP_RESTRICTIONS} addresses at most"
        )
    for address in addresses:
        try:
            ipaddress.ip_network(address, strict=False)
        except ValueError:
            raise errors.bad_request(
                f"[ipRestrictions] Given data ({address}) is not an IP"
            ) from None
    if "quotaInformations" in body:
        # last of all checks, so that a refused request moves no credits
        call.world.set_quota(service, user, body["quotaInformations"])
    user.ip_restrictions = addresses
    user.password = body.get("password", user.password)
    user.callback = body.get("callBack", user.callback)
    user.stop_callback = body.get("stopCallBack", user.stop_callback)
    user.alert = {**user.alert, **body.get("alertThresholdInformations", {})}


@serves("DELETE /sms/{serviceName}/users/{login}")
def user_delete(call):
    """Remove an API user; what is left of a quota goes back to the account."""
    service, user, _number = _scope(call)
    call.world.set_quota(service, user, {"quotaStatus": "inactive"})
    del service.users[user.login]


# ---------------------------------------------------------------------- virtual numbers


@serves("GET /sms/{serviceName}/virtualNumbers")
def virtual_numbers(call):
    """Virtual numbers of the account."""
    return list(call.service.virtual_numbers)


@serves("GET /sms/{serviceName}/virtualNumbers/{number}")
def virtual_number(call):
    """One virtual number of the account."""
    return _virtual_number(_scope(call)[2])


def _endpoint(operation):
    async def endpoint():
        """Answered by :class:`ApiRoute`, which reads the request itself."""

    endpoint.operation = operation
    endpoint.handler = HANDLERS[operation.method, operation.path]
    return endpoint


def router():
    """:return: an ``APIRouter`` with every described call, the busiest ones first."""
    api = APIRouter(route_class=ApiRoute)

    def busy(operation):
        return not operation.path.endswith("/jobs"), "/outgoing" not in operation.path

    # fixed paths stand before templates of the same length ("/sms/estimate" before
    # "/sms/{serviceName}")
    operations = sorted(
        schema.OPERATIONS + schema.AUTH_OPERATIONS,
        key=lambda operation: (busy(operation), operation.path.count("{")),
    )
    for operation in operations:
        api.add_api_route(
            operation.path,
            _endpoint(operation),
            methods=[operation.method],
            name=operation.template,
            response_model=None,
        )
    return api

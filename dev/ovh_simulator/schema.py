"""What the simulator serves: calls, parameters, models, and the checks made of every request.

The names, types and flags are facts of OVHcloud's machine-readable description of its
``/sms`` API (https://eu.api.ovh.com/v1/sms.json); the contract test compares them with
it. Types are written as there: ``string``, ``long``, ``x[]`` for a list of x, or the
name of an enumeration or a model.
"""

import re
from datetime import datetime
from typing import NamedTuple

from . import errors


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


ENUMS = {
    "iam.ResourceMetadata.StateEnum": ("EXPIRED", "IN_CREATION", "OK", "SUSPENDED"),
    "iam.resource.TagFilter.OperatorEnum": (
        "EQ",
        "EXISTS",
        "ILIKE",
        "LIKE",
        "NEQ",
        "NEXISTS",
    ),
    "order.CurrencyCodeEnum": tuple(
        ("AUD CAD CZK EUR GBP INR LTL MAD N/A PLN SGD TND USD XOF points").split()
    ),
    "sms.BillingCountryEnum": ("es", "fr", "gb", "ie", "it", "pl"),
    "sms.ChannelEnum": ("both", "marketing", "transactional"),
    "sms.CharsetEnum": ("UTF-8",),
    "sms.ClassEnum": ("flash", "phoneDisplay", "sim", "toolkit"),
    "sms.CodingEnum": ("7bit", "8bit"),
    "sms.CountryEnum": tuple(
        (
            "ad ae af ag ai al all am an ao ar at au aw az ba bb bd be bf bg bh bi bj "
            "bm bn bo br bs bt bw by bz ca cd cf "
            "cg ch ci ck cl cm cn co cr cu cv cy cz de dk dm dz ec ee eg es et fi fj "
            "fk fo fr ga gb gd ge gf gh gi gl gm "
            "gn gp gq gr gt gu gw gy hk hn hr ht hu id ie il in io iq ir is it jm jo "
            "jp ke kg kh km kn kr kw ky kz la lb "
            "lc li lk lr ls lt lu lv ly ma md me mg mk ml mn mo mq mr ms mt mu mv mw "
            "mx my mz na nc ne ng ni nl no np nz "
            "om pa pe pf pg ph pk pl ps pt py qa re ro rs ru rw sa sb sc sd se sg si "
            "sk sl sm sn so sr st sv sy sz tc td "
            "tg th tj tl tm tn to tr tt tw tz ua ug us uy uz vc ve vg vi vn vu ws ye "
            "yt za zm zw"
        ).split()
    ),
    "sms.EncodingEnum": ("7bits", "unicode"),
    "sms.HlrStatuses": ("doing", "done", "error", "todo"),
    "sms.PackQuantityAutomaticRecreditEnum": (
        "100",
        "200",
        "250",
        "500",
        "1000",
        "5000",
        "10000",
    ),
    "sms.PriorityEnum": ("high", "low", "medium", "veryLow"),
    "sms.PttDurationTypeEnum": ("indeterminated", "permanent", "temporary"),
    "sms.QuotaStatusUserEnum": ("active", "inactive"),
    "sms.RefererSenderEnum": ("custom", "domain", "line", "nic", "owner", "virtual"),
    "sms.ResponseTrackingMediaEnum": ("email", "sms", "voice"),
    "sms.ResponseTypeEnum": ("cgi", "none", "text"),
    "sms.SenderRefererEnum": ("domain", "nichandle"),
    "sms.RestrictionCodeEnum": (
        "ALPHA",
        "BAD_DLR",
        "BLOCKED",
        "CODING",
        "DLR",
        "FLASHONLY",
        "MSISDN",
    ),
    "sms.StatusAccountEnum": ("disable", "enable"),
    "sms.StatusSenderEnum": ("disable", "enable", "refused", "waitingValidation"),
    "sms.SupportEnum": ("both", "mail", "sms"),
    "sms.TypeSenderEnum": ("alpha", "numeric", "shortcode", "time2chat", "virtual"),
    "sms.VirtualNumberIsoCountryCodeEnum": ("be", "ch", "de", "es", "fr", "uk"),
}

MODELS = {
    "iam.ResourceMetadata": {
        "displayName": Field("string", nullable=True, read_only=True),
        "id": Field("uuid", read_only=True),
        "state": Field("iam.ResourceMetadata.StateEnum", nullable=True, read_only=True),
        "tags": Field("map[string]string", nullable=True, read_only=True),
        "urn": Field("string", read_only=True),
    },
    "iam.resource.TagFilter": {
        "operator": Field(
            "iam.resource.TagFilter.OperatorEnum", nullable=True, read_only=True
        ),
        "value": Field("string", read_only=True),
    },
    "order.Price": {
        "currencyCode": Field("order.CurrencyCodeEnum"),
        "text": Field("string"),
        "value": Field("double"),
    },
    "sms.Account": {
        "automaticRecreditAmount": Field(
            "sms.PackQuantityAutomaticRecreditEnum", nullable=True
        ),
        "callBack": Field("string", nullable=True),
        "channel": Field("sms.ChannelEnum", read_only=True),
        "creditThresholdForAutomaticRecredit": Field("double"),
        "creditsHoldByQuota": Field("double", read_only=True),
        "creditsLeft": Field("double", read_only=True),
        "description": Field("string"),
        "name": Field("string", read_only=True),
        "smpp": Field("boolean", read_only=True),
        "smsResponse": Field("sms.Response"),
        "status": Field("sms.StatusAccountEnum", read_only=True),
        "stopCallBack": Field("string", nullable=True),
        "templates": Field("sms.Templates"),
        "userQuantityWithQuota": Field("long", read_only=True),
    },
    "sms.AccountWithIAM": {
        "automaticRecreditAmount": Field(
            "sms.PackQuantityAutomaticRecreditEnum", nullable=True
        ),
        "callBack": Field("string", nullable=True),
        "channel": Field("sms.ChannelEnum", read_only=True),
        "creditThresholdForAutomaticRecredit": Field("double"),
        "creditsHoldByQuota": Field("double", read_only=True),
        "creditsLeft": Field("double", read_only=True),
        "description": Field("string"),
        "iam": Field("iam.ResourceMetadata", nullable=True, read_only=True),
        "name": Field("string", read_only=True),
        "smpp": Field("boolean", read_only=True),
        "smsResponse": Field("sms.Response"),
        "status": Field("sms.StatusAccountEnum", read_only=True),
        "stopCallBack": Field("string", nullable=True),
        "templates": Field("sms.Templates"),
        "userQuantityWithQuota": Field("long", read_only=True),
    },
    "sms.AlertThreshold": {
        "alertEmail": Field("string"),
        "alertNumber": Field("string"),
        "alertThreshold": Field("long"),
        "support": Field("sms.SupportEnum"),
    },
    "sms.Blacklist": {
        "batchID": Field("uuid", nullable=True, read_only=True),
        "dateCreation": Field("datetime", read_only=True),
        "number": Field("string", read_only=True),
        "smsOutgoingID": Field("long", nullable=True, read_only=True),
    },
    "sms.DestinationRates": {
        "country": Field("string"),
        "countryCode": Field("sms.CountryEnum"),
        "credit": Field("double"),
        "price": Field("order.Price"),
        "vatRate": Field("double"),
    },
    "sms.Exception": {
        "countrySuffixe": Field("string", read_only=True),
        "messages": Field("string[]", read_only=True),
        "operators": Field("string", read_only=True),
        "restrictionCode": Field("sms.RestrictionCodeEnum", read_only=True),
        "substitution": Field("string", nullable=True, read_only=True),
    },
    "sms.HlrLookupNumber": {
        "datetime": Field("datetime", read_only=True),
        "id": Field("long", read_only=True),
        "msisdn": Field("string", read_only=True),
        "operatorCode": Field("string", read_only=True),
        "ported": Field("boolean", read_only=True),
        "reachable": Field("boolean", read_only=True),
        "roaming": Field("boolean", read_only=True),
        "status": Field("sms.HlrStatuses", read_only=True),
        "valid": Field("boolean", read_only=True),
    },
    "sms.Incoming": {
        "creationDatetime": Field("datetime", read_only=True),
        "credits": Field("double", read_only=True),
        "id": Field("long", read_only=True),
        "message": Field("string", read_only=True),
        "sender": Field("string", read_only=True),
        "tag": Field("string", read_only=True),
    },
    "sms.Job": {
        "creationDatetime": Field("datetime", read_only=True),
        "credits": Field("double", read_only=True),
        "deliveredAt": Field("datetime", nullable=True, read_only=True),
        "deliveryReceipt": Field("long", read_only=True),
        "differedDelivery": Field("long", read_only=True),
        "id": Field("long", read_only=True),
        "message": Field("string", read_only=True),
        "messageLength": Field("long", read_only=True),
        "numberOfSms": Field("long", read_only=True),
        "ptt": Field("long", read_only=True),
        "receiver": Field("string", read_only=True),
        "sender": Field("string", read_only=True),
        "sentAt": Field("datetime", nullable=True, read_only=True),
    },
    "sms.JobEstimate": {
        "characters": Field("long"),
        "charactersClass": Field("sms.EncodingEnum"),
        "maxCharactersPerPart": Field("long"),
        "parts": Field("long"),
    },
    "sms.Outgoing": {
        "batchID": Field("uuid", nullable=True, read_only=True),
        "creationDatetime": Field("datetime", read_only=True),
        "credits": Field("double", read_only=True),
        "deliveredAt": Field("datetime", nullable=True, read_only=True),
        "deliveryReceipt": Field("long", read_only=True),
        "differedDelivery": Field("long", read_only=True),
        "id": Field("long", read_only=True),
        "message": Field("string", read_only=True),
        "messageID": Field("uuid", nullable=True, read_only=True),
        "messageLength": Field("long", read_only=True),
        "numberOfSms": Field("long", read_only=True),
        "ptt": Field("long", read_only=True),
        "receiver": Field("string", read_only=True),
        "sender": Field("string", read_only=True),
        "sentAt": Field("datetime", nullable=True, read_only=True),
        "tag": Field("string", read_only=True),
        "tariffCode": Field("string", read_only=True),
    },
    "sms.PackDetails": {
        "countryCode": Field("sms.CountryEnum"),
        "credit": Field("double"),
        "creditPrice": Field("order.Price"),
        "creditQuantityMax": Field("long", nullable=True),
        "creditQuantityMin": Field("long"),
        "discountCreditPrice": Field("order.Price", nullable=True),
        "discountPercentage": Field("long", nullable=True),
        "discountSmsPrice": Field("order.Price", nullable=True),
        "smsPrice": Field("order.Price"),
        "smsQuantityMax": Field("long", nullable=True),
        "smsQuantityMin": Field("long"),
        "vatRate": Field("double"),
    },
    "sms.PttDetails": {
        "comment": Field("string"),
        "description": Field("string"),
        "duration": Field("sms.PttDurationTypeEnum"),
    },
    "sms.Quota": {
        "quotaLeft": Field("double"),
        "quotaStatus": Field("sms.QuotaStatusUserEnum"),
    },
    "sms.Response": {
        "cgiUrl": Field("string", nullable=True),
        "responseType": Field("sms.ResponseTypeEnum"),
        "text": Field("string", nullable=True),
        "trackingDefaultSmsSender": Field("string", nullable=True),
        "trackingOptions": Field("sms.ResponseTrackingOptions[]", nullable=True),
    },
    "sms.ResponseTrackingOptions": {
        "media": Field("sms.ResponseTrackingMediaEnum"),
        "sender": Field("string"),
        "target": Field("string"),
    },
    "sms.Sender": {
        "comment": Field("string", nullable=True, read_only=True),
        "description": Field("string"),
        "referer": Field("sms.RefererSenderEnum", read_only=True),
        "sender": Field("string", read_only=True),
        "status": Field("sms.StatusSenderEnum"),
        "type": Field("sms.TypeSenderEnum", nullable=True, read_only=True),
        "validationMedia": Field("string", nullable=True, read_only=True),
    },
    "sms.SenderAvailable": {
        "referer": Field("sms.SenderRefererEnum"),
        "sender": Field("string"),
    },
    "sms.SenderDocument": {
        "createdAt": Field("datetime", read_only=True),
        "description": Field("string", nullable=True),
        "documentID": Field("uuid", read_only=True),
        "getUrl": Field("string", read_only=True),
        "name": Field("string"),
        "putUrl": Field("string", nullable=True, read_only=True),
        "size": Field("long", read_only=True),
    },
    "sms.SmsSendingReport": {
        "ids": Field("long[]"),
        "invalidReceivers": Field("string[]"),
        "tag": Field("string"),
        "totalCreditsRemoved": Field("double"),
        "validReceivers": Field("string[]"),
    },
    "sms.Templates": {
        "customizedEmailMode": Field("boolean"),
        "customizedSmsMode": Field("boolean"),
        "emailBody": Field("string", nullable=True),
        "emailFrom": Field("string", nullable=True),
        "emailSubject": Field("string", nullable=True),
        "smsBody": Field("string", nullable=True),
    },
    "sms.User": {
        "alertThresholdInformations": Field("sms.AlertThreshold"),
        "callBack": Field("string", nullable=True),
        "ipRestrictions": Field("string[]"),
        "login": Field("string", read_only=True),
        "password": Field("string"),
        "quotaInformations": Field("sms.Quota"),
        "stopCallBack": Field("string", nullable=True),
    },
    "sms.VirtualNumber": {
        "countryCode": Field("sms.VirtualNumberIsoCountryCodeEnum", read_only=True),
        "number": Field("string", read_only=True),
    },
    "sms.VirtualNumberGenericServiceWithIAM": {
        "countryCode": Field("sms.VirtualNumberIsoCountryCodeEnum", read_only=True),
        "iam": Field("iam.ResourceMetadata", nullable=True, read_only=True),
        "number": Field("string", read_only=True),
    },
    "sms.VirtualNumberJob": {
        "creationDatetime": Field("datetime", read_only=True),
        "credits": Field("double", read_only=True),
        "deliveryReceipt": Field("long", read_only=True),
        "differedDelivery": Field("long", read_only=True),
        "id": Field("long", read_only=True),
        "message": Field("string", read_only=True),
        "messageLength": Field("long", read_only=True),
        "numberOfSms": Field("long", read_only=True),
        "ptt": Field("long", read_only=True),
        "receiver": Field("string", read_only=True),
    },
}

_VIRTUAL_NUMBER_JOB = {
    "message": Param("string", True),
    "charset": Param("sms.CharsetEnum"),
    "class": Param("sms.ClassEnum"),
    "coding": Param("sms.CodingEnum"),
    "differedPeriod": Param("long"),
    "priority": Param("sms.PriorityEnum"),
    "receivers": Param("string[]"),
    "receiversDocumentUrl": Param("string"),
    "receiversSlotId": Param("string"),
    "tag": Param("string"),
    "validityPeriod": Param("long"),
}
_JOB = {
    **_VIRTUAL_NUMBER_JOB,
    "noStopClause": Param("boolean"),
    "sender": Param("string"),
    "senderForResponse": Param("boolean"),
}
_USER_OUTGOING = {
    "deliveryReceipt": Param("long"),
    "differedDelivery": Param("long"),
    "ptt": Param("long"),
    "receiver": Param("string"),
    "sender": Param("string"),
    "tag": Param("string"),
}
_PERIOD = {
    "creationDatetime.from": Param("datetime"),
    "creationDatetime.to": Param("datetime"),
}
_VIRTUAL_NUMBER_OUTGOING = {**_PERIOD, **_USER_OUTGOING}
_OUTGOING = {
    **_VIRTUAL_NUMBER_OUTGOING,
    "batchID": Param("uuid"),
    "messageID": Param("uuid"),
}
_INCOMING = {**_PERIOD, "sender": Param("string"), "tag": Param("string")}

#: The calls that are served.
OPERATIONS = (
    Operation(
        "GET",
        "/sms",
        "string[]",
        query={"iamTags": Param("map[string][]iam.resource.TagFilter")},
    ),
    Operation(
        "POST",
        "/sms/estimate",
        "sms.JobEstimate",
        body={
            "message": Param("text", True),
            "noStopClause": Param("boolean", True),
            "senderType": Param("sms.TypeSenderEnum", True),
        },
    ),
    Operation("GET", "/sms/ptts", "sms.PttDetails", query={"ptt": Param("long", True)}),
    Operation(
        "GET",
        "/sms/rates/destinations",
        "sms.DestinationRates",
        query={
            "country": Param("sms.CountryEnum", True),
            "billingCountry": Param("sms.BillingCountryEnum"),
        },
        authenticated=False,
    ),
    Operation(
        "GET",
        "/sms/rates/packs",
        "sms.PackDetails[]",
        query={
            "country": Param("sms.CountryEnum", True),
            "billingCountry": Param("sms.BillingCountryEnum"),
        },
        authenticated=False,
    ),
    Operation(
        "GET",
        "/sms/virtualNumbers",
        "string[]",
        query={"iamTags": Param("map[string][]iam.resource.TagFilter")},
    ),
    Operation(
        "GET", "/sms/virtualNumbers/{number}", "sms.VirtualNumberGenericServiceWithIAM"
    ),
    Operation("GET", "/sms/{serviceName}", "sms.AccountWithIAM"),
    Operation("PUT", "/sms/{serviceName}", "void", body_model="sms.Account"),
    Operation(
        "GET",
        "/sms/{serviceName}/blacklists",
        "string[]",
        query={"batchID": Param("uuid"), "smsOutgoingID": Param("long")},
    ),
    Operation("DELETE", "/sms/{serviceName}/blacklists/{number}", "void"),
    Operation("GET", "/sms/{serviceName}/blacklists/{number}", "sms.Blacklist"),
    Operation(
        "GET",
        "/sms/{serviceName}/exceptions",
        "sms.Exception[]",
        query={"receiver": Param("string", True)},
    ),
    Operation("GET", "/sms/{serviceName}/hlr", "long[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/hlr",
        "sms.SmsSendingReport",
        body={
            "receivers": Param("string[]"),
            "receiversDocumentUrl": Param("string"),
        },
    ),
    Operation("GET", "/sms/{serviceName}/hlr/{id}", "sms.HlrLookupNumber"),
    Operation("GET", "/sms/{serviceName}/incoming", "long[]", query=_INCOMING),
    Operation("DELETE", "/sms/{serviceName}/incoming/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/incoming/{id}", "sms.Incoming"),
    Operation("GET", "/sms/{serviceName}/jobs", "long[]"),
    Operation("POST", "/sms/{serviceName}/jobs", "sms.SmsSendingReport", body=_JOB),
    Operation("DELETE", "/sms/{serviceName}/jobs/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/jobs/{id}", "sms.Job"),
    Operation("GET", "/sms/{serviceName}/outgoing", "long[]", query=_OUTGOING),
    Operation("DELETE", "/sms/{serviceName}/outgoing/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/outgoing/{id}", "sms.Outgoing"),
    Operation("GET", "/sms/{serviceName}/senders", "string[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/senders",
        "string",
        body={
            "sender": Param("string", True),
            "description": Param("string"),
            "reason": Param("string"),
        },
    ),
    Operation("DELETE", "/sms/{serviceName}/senders/{sender}", "void"),
    Operation("GET", "/sms/{serviceName}/senders/{sender}", "sms.Sender"),
    Operation(
        "PUT", "/sms/{serviceName}/senders/{sender}", "void", body_model="sms.Sender"
    ),
    Operation("GET", "/sms/{serviceName}/senders/{sender}/documents", "uuid[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/senders/{sender}/documents",
        "sms.SenderDocument",
        body={"name": Param("string", True), "description": Param("string")},
    ),
    Operation(
        "POST",
        "/sms/{serviceName}/senders/{sender}/validate",
        "void",
        body={"code": Param("string", True)},
    ),
    Operation(
        "GET",
        "/sms/{serviceName}/sendersAvailableForValidation",
        "sms.SenderAvailable[]",
        query={"referer": Param("sms.SenderRefererEnum")},
    ),
    Operation("GET", "/sms/{serviceName}/users", "string[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/users",
        "void",
        body={"login": Param("string", True), "password": Param("string", True)},
    ),
    Operation("DELETE", "/sms/{serviceName}/users/{login}", "void"),
    Operation("GET", "/sms/{serviceName}/users/{login}", "sms.User"),
    Operation("PUT", "/sms/{serviceName}/users/{login}", "void", body_model="sms.User"),
    Operation(
        "GET",
        "/sms/{serviceName}/users/{login}/incoming",
        "long[]",
        query={"sender": Param("string"), "tag": Param("string")},
    ),
    Operation("DELETE", "/sms/{serviceName}/users/{login}/incoming/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/users/{login}/incoming/{id}", "sms.Incoming"),
    Operation("GET", "/sms/{serviceName}/users/{login}/jobs", "long[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/users/{login}/jobs",
        "sms.SmsSendingReport",
        body=_JOB,
    ),
    Operation("DELETE", "/sms/{serviceName}/users/{login}/jobs/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/users/{login}/jobs/{id}", "sms.Job"),
    Operation(
        "GET",
        "/sms/{serviceName}/users/{login}/outgoing",
        "long[]",
        query=_USER_OUTGOING,
    ),
    Operation("DELETE", "/sms/{serviceName}/users/{login}/outgoing/{id}", "void"),
    Operation("GET", "/sms/{serviceName}/users/{login}/outgoing/{id}", "sms.Outgoing"),
    Operation("GET", "/sms/{serviceName}/virtualNumbers", "string[]"),
    Operation("GET", "/sms/{serviceName}/virtualNumbers/{number}", "sms.VirtualNumber"),
    Operation(
        "GET",
        "/sms/{serviceName}/virtualNumbers/{number}/incoming",
        "long[]",
        query=_INCOMING,
    ),
    Operation(
        "DELETE", "/sms/{serviceName}/virtualNumbers/{number}/incoming/{id}", "void"
    ),
    Operation(
        "GET",
        "/sms/{serviceName}/virtualNumbers/{number}/incoming/{id}",
        "sms.Incoming",
    ),
    Operation("GET", "/sms/{serviceName}/virtualNumbers/{number}/jobs", "long[]"),
    Operation(
        "POST",
        "/sms/{serviceName}/virtualNumbers/{number}/jobs",
        "sms.SmsSendingReport",
        body=_VIRTUAL_NUMBER_JOB,
    ),
    Operation("DELETE", "/sms/{serviceName}/virtualNumbers/{number}/jobs/{id}", "void"),
    Operation(
        "GET",
        "/sms/{serviceName}/virtualNumbers/{number}/jobs/{id}",
        "sms.VirtualNumberJob",
    ),
    Operation(
        "GET",
        "/sms/{serviceName}/virtualNumbers/{number}/outgoing",
        "long[]",
        query=_VIRTUAL_NUMBER_OUTGOING,
    ),
    Operation(
        "DELETE", "/sms/{serviceName}/virtualNumbers/{number}/outgoing/{id}", "void"
    ),
    Operation(
        "GET",
        "/sms/{serviceName}/virtualNumbers/{number}/outgoing/{id}",
        "sms.Outgoing",
    ),
)

#: Calls of ``/auth``, which OVHcloud describes apart (https://eu.api.ovh.com/v1/auth.json).
AUTH_OPERATIONS = (
    Operation("GET", "/auth/time", "long", authenticated=False),
    Operation(
        "POST",
        "/auth/credential",
        "auth.Credential",
        authenticated=False,
        body={
            "accessRules": Param("auth.AccessRule[]", True),
            "allowedIPs": Param("string[]"),
            "redirection": Param("string"),
        },
    ),
    Operation("GET", "/auth/currentCredential", "auth.ApiCredential"),
)
ENUMS["auth.MethodEnum"] = ("DELETE", "GET", "POST", "PUT")
MODELS["auth.AccessRule"] = {
    "method": Field("auth.MethodEnum"),
    "path": Field("string"),
}

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

"""http2sms, the older way: one URL with the login and password of an API user.

Status 100 is success, 201 a missing parameter, 202 a wrong one, 401 an address that the
user does not allow (OVHcloud's guide "Send SMS messages via URL - http2sms"). The HTTP
status is 200 in all cases.
"""

import hmac
import re
from datetime import datetime
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from .clock import PARIS
from .errors import ApiError, Refused
from .gateway import JsonResponse, address_of, meet
from .numbers import is_allowed
from .records import has_quota

PATH = "/cgi-bin/sms/http2sms.cgi"
OK, MISSING, WRONG, ADDRESS = 100, 201, 202, 401
_REQUIRED = ("account", "login", "password", "to", "message")
_CLASSES = ("0", "1", "2", "3")

router = APIRouter()


def _minutes_until(world, text):
    """Return minutes from now until *text*, ``hhmmddMMYYYY`` in Paris time."""
    try:
        wanted = datetime.strptime(text, "%H%M%d%m%Y").replace(tzinfo=PARIS)
    except ValueError:
        raise Refused("Invalid parameter deferred", WRONG) from None
    return max(0, int((wanted.timestamp() - world.clock.now()) // 60))


def _send(world, fields, address):
    """Return (service, user, report, accepted SMS)."""
    short = fields.get("senderForResponse") == "1"
    for name in _REQUIRED if short else (*_REQUIRED, "from"):
        if not fields.get(name):
            raise Refused(f"Missing {name}. Please check your parameters", MISSING)
    service = world.services.get(fields["account"])
    user = service and service.users.get(fields["login"])
    if user is None or not hmac.compare_digest(
        user["password"].encode(), fields["password"].encode()
    ):
        raise Refused("Invalid account, login or password", WRONG)
    if not is_allowed(address, user["ipRestrictions"]):
        raise Refused(f"IP not authorized ({address})", ADDRESS)
    if fields.get("class", "1") not in _CLASSES:
        raise Refused("Invalid parameter class", WRONG)
    body = {
        # the guide writes a line break as %0d
        "message": fields["message"].replace("\r\n", "\n").replace("\r", "\n"),
        "receivers": [
            number.strip() for number in fields["to"].split(",") if number.strip()
        ],
        "noStopClause": fields.get("noStop") == "1",
        "senderForResponse": short,
        "sender": fields.get("from", ""),
        "tag": fields.get("tag", ""),
    }
    if fields.get("deferred"):
        body["differedPeriod"] = _minutes_until(world, fields["deferred"])
    try:
        report, accepted = world.send(service, body, user)
    except ApiError as error:
        raise Refused(error.message, WRONG) from None
    if not accepted:
        invalid = ", ".join(report["invalidReceivers"])
        raise Refused(f"Invalid parameter to ({invalid})", WRONG)
    return service, user, report, accepted


@router.api_route(PATH, methods=["GET", "POST"])
async def http2sms(request: Request):
    """Send SMS with the login of an API user."""
    return await meet(request, f"{request.method} {PATH}", _perform)


async def _perform(request):
    world = request.app.state.world
    text = request.scope["query_string"].decode("latin-1")
    if request.method == "POST":
        text += "&" + (await request.body()).decode("latin-1")
    fields = dict(parse_qsl(text))
    is_json = re.match(r"(application|text)/json", fields.get("contentType", ""))
    try:
        service, user, report, accepted = _send(world, fields, address_of(request))
    except Refused as error:
        if is_json:
            return JsonResponse({"status": error.status, "message": str(error)})
        return PlainTextResponse(f"KO\n{error.status}\n{error}\n")
    await world.callbacks.deliver_all(world.early_callbacks(accepted))
    left = service.account["creditsLeft"]
    if has_quota(user):
        left = user["quotaInformations"]["quotaLeft"]
    ids = [str(id_) for id_ in report["ids"]]
    if is_json:
        return JsonResponse({"status": OK, "creditLeft": f"{left:g}", "SmsIds": ids})
    return PlainTextResponse("\n".join(["OK", f"{left:g}", *ids]) + "\n")

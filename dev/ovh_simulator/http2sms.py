"""http2sms, the older way: one URL with the login and password of an API user.

Status 100 is success, 201 a missing parameter, 202 a wrong one, 401 an address that the
user does not allow (OVHcloud's guide "Send SMS messages via URL - http2sms"). The HTTP
status is 200 in all cases.
"""

import hmac
import re
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse

from . import errors
from .clock import paris_offset
from .gateway import JsonResponse, meet

PATH = "/cgi-bin/sms/http2sms.cgi"
OK, MISSING, WRONG, ADDRESS = 100, 201, 202, 401
_REQUIRED = ("account", "login", "password", "to", "message")
_CLASSES = ("0", "1", "2", "3")

router = APIRouter()


class _Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def _minutes_until(world, text):
    """:return: minutes from now until *text*, ``hhmmddMMYYYY`` in Paris time."""
    try:
        naive = datetime.strptime(text, "%H%M%d%m%Y").replace(tzinfo=timezone.utc)
    except ValueError:
        raise _Refused(WRONG, "Invalid parameter deferred") from None
    wanted = naive - timedelta(seconds=paris_offset(naive.timestamp()))
    return max(0, int((wanted.timestamp() - world.clock.now()) // 60))


def _send(world, fields, address):
    """:return: (service, report, accepted SMS)."""
    for name in _REQUIRED:
        if not fields.get(name):
            raise _Refused(MISSING, f"Missing {name}. Please check your parameters")
    short = fields.get("senderForResponse") == "1"
    if not fields.get("from") and not short:
        raise _Refused(MISSING, "Missing from. Please check your parameters")
    service = world.services.get(fields["account"])
    user = service and service.users.get(fields["login"])
    if user is None or not hmac.compare_digest(
        user.password.encode(), fields["password"].encode()
    ):
        raise _Refused(WRONG, "Invalid account, login or password")
    if not world.address_allowed(address, user.ip_restrictions):
        raise _Refused(ADDRESS, f"IP not authorized ({address})")
    if fields.get("class", "1") not in _CLASSES:
        raise _Refused(WRONG, "Invalid parameter class")
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
    except errors.ApiError as error:
        raise _Refused(WRONG, error.message) from None
    if not accepted:
        raise _Refused(
            WRONG, f"Invalid parameter to ({', '.join(report['invalidReceivers'])})"
        )
    return service, user, report, accepted


@router.api_route(PATH, methods=["GET", "POST"])
async def http2sms(request: Request):
    """Send SMS with the login of an API user."""
    world = request.app.state.world

    async def perform():
        text = request.scope["query_string"].decode("latin-1")
        if request.method == "POST":
            text += "&" + (await request.body()).decode("latin-1")
        fields = dict(parse_qsl(text))
        json_wanted = bool(
            re.match(r"(application|text)/json", fields.get("contentType", ""))
        )
        try:
            service, user, report, accepted = _send(
                world, fields, request.client.host if request.client else ""
            )
        except _Refused as error:
            if json_wanted:
                return JsonResponse({"status": error.status, "message": str(error)})
            return PlainTextResponse(f"KO\n{error.status}\n{error}\n")
        await world.callbacks.deliver_all(world.early_callbacks(accepted))
        left = user.quota_left if user.quota_active else service.credits_left
        ids = [str(id_) for id_ in report["ids"]]
        if json_wanted:
            return JsonResponse(
                {"status": OK, "creditLeft": f"{left:g}", "SmsIds": ids}
            )
        return PlainTextResponse("\n".join(["OK", f"{left:g}", *ids]) + "\n")

    return await meet(
        world,
        request.app.state.connections,
        request,
        f"{request.method} {PATH}",
        perform,
    )

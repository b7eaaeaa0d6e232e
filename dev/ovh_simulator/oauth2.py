"""OAuth2 service accounts: a token for client credentials (RFC 6749, section 4.4)."""

import hmac
import secrets
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse
from werkzeug.datastructures import Authorization

from . import seed
from .gateway import meet

#: Seconds an access token is valid.
LIFETIME = 3599

router = APIRouter()


def _client(request, form):
    """Return (client id, secret) from the Authorization header or the form."""
    header = Authorization.from_header(request.headers.get("authorization"))
    if header and header.type == "basic":
        return unquote_plus(header.username), unquote_plus(header.password)
    return form.get("client_id", ""), form.get("client_secret", "")


def _refuse(error, description, status, headers=None):
    content = {"error": error, "error_description": description}
    return JSONResponse(content, status, headers)


@router.post("/auth/oauth2/token")
async def token(request: Request):
    """Exchange a service account's id and secret for an access token."""
    return await meet(request, "POST /auth/oauth2/token", _perform)


async def _perform(request):
    world = request.app.state.world
    form = dict(parse_qsl((await request.body()).decode("latin-1")))
    client_id, secret = _client(request, form)
    account = seed.SERVICE_ACCOUNTS.get(client_id)
    if account is None or not hmac.compare_digest(
        account["secret"].encode(), secret.encode()
    ):
        return _refuse(
            "invalid_client",
            "Client authentication failed",
            401,
            {"WWW-Authenticate": 'Basic realm="oauth2"'},
        )
    if form.get("grant_type") != "client_credentials":
        return _refuse(
            "unsupported_grant_type", "Only client_credentials is possible", 400
        )
    access_token = secrets.token_urlsafe(32)
    expires = world.clock.elapsed() + LIFETIME
    world.access_tokens[access_token] = (account["customer"], expires)
    return JSONResponse(
        {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "scope": form.get("scope", "all"),
        },
        headers={"Cache-Control": "no-store"},
    )

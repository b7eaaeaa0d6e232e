"""OAuth2 service accounts: a token for client credentials (RFC 6749, section 4.4)."""

import base64
import binascii
import hmac
import secrets
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from . import seed
from .gateway import meet

#: Seconds an access token is valid.
LIFETIME = 3599

router = APIRouter()


def _client(request, form):
    """:return: (client id, secret) from the Authorization header or the form."""
    header = request.headers.get("authorization", "")
    if header.lower().startswith("basic "):
        try:
            pair = base64.b64decode(header[6:], validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        client_id, _colon, secret = pair.partition(":")
        return unquote_plus(client_id), unquote_plus(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


@router.post("/auth/oauth2/token")
async def token(request: Request):
    """Exchange a service account's id and secret for an access token."""
    world = request.app.state.world

    async def perform():
        form = dict(parse_qsl((await request.body()).decode("latin-1")))
        client_id, secret = _client(request, form)
        account = seed.SERVICE_ACCOUNTS.get(client_id)
        if account is None or not hmac.compare_digest(
            account["secret"].encode(), secret.encode()
        ):
            return JSONResponse(
                {
                    "error": "invalid_client",
                    "error_description": "Client authentication failed",
                },
                401,
                {"WWW-Authenticate": 'Basic realm="oauth2"'},
            )
        if form.get("grant_type") != "client_credentials":
            return JSONResponse(
                {
                    "error": "unsupported_grant_type",
                    "error_description": "Only client_credentials is possible",
                },
                400,
            )
        access_token = secrets.token_urlsafe(32)
        world.access_tokens[access_token] = (
            account["customer"],
            world.clock.elapsed() + LIFETIME,
        )
        return JSONResponse(
            {
                "access_token": access_token,
                "token_type": "Bearer",
                "expires_in": LIFETIME,
                "scope": form.get("scope", "all"),
            },
            headers={"Cache-Control": "no-store"},
        )

    return await meet(
        world,
        request.app.state.connections,
        request,
        "POST /auth/oauth2/token",
        perform,
    )

"""Local stand-ins for the services that Odoo's own SMS providers call.

Each answers as the service does, after the given latency, and knows nothing else.
"""

import argparse
import asyncio
import random
from urllib.parse import parse_qs

import uvicorn
from ovh_simulator.server import Server, listen, write_port
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

DATE = "Thu, 01 Jan 2026 12:00:00 +0000"


def create_app(latency):
    """Create the stand-ins, of which each answer takes `latency` seconds."""

    async def iap(request):
        """Answer ``/api/sms/3/send`` of Odoo's IAP: all SMS of a batch are accepted."""
        call = await request.json()
        await asyncio.sleep(latency)
        results = [
            {"uuid": number["uuid"], "state": "success", "credit": 1}
            for message in call["params"]["messages"]
            for number in message["numbers"]
        ]
        return JSONResponse({"jsonrpc": "2.0", "id": call["id"], "result": results})

    async def twilio(request):
        """Answer ``Messages.json`` of Twilio: the SMS is queued."""
        form = parse_qs((await request.body()).decode())
        await asyncio.sleep(latency)
        account = request.path_params["account"]
        sid = f"SM{random.getrandbits(128):032x}"
        path = f"/2010-04-01/Accounts/{account}/Messages/{sid}"
        answer = {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": form["Body"][0],
            "date_created": DATE,
            "date_sent": None,
            "date_updated": DATE,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": form["From"][0],
            "messaging_service_sid": None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": None,
            "sid": sid,
            "status": "queued",
            "subresource_uris": {"media": f"{path}/Media.json"},
            "to": form["To"][0],
            "uri": f"{path}.json",
        }
        return JSONResponse(answer, 201)

    return Starlette(
        routes=[
            Route("/api/sms/3/send", iap, methods=["POST"]),
            Route(
                "/2010-04-01/Accounts/{account}/Messages.json", twilio, methods=["POST"]
            ),
        ]
    )


def main():
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--latency-ms", type=float, required=True)
    parser.add_argument("--port-file", required=True)
    options = parser.parse_args()
    sock = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        create_app(options.latency_ms / 1000),
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
    )
    port = sock.getsockname()[1]
    Server(config, lambda: write_port(options.port_file, port)).run(sockets=[sock])


if __name__ == "__main__":
    main()

"""Calls with the owner's keys, and what of them may be told."""

import os

import ovh
import requests

TIMEOUT = (5, 30)
# Each of the environment: what it is.
VARIABLES = {
    "OVH_APPLICATION_KEY": "the application key",
    "OVH_APPLICATION_SECRET": "its secret",
    "OVH_CONSUMER_KEY": "a consumer key for GET on /sms and /sms/*, and for --send POST"
    " and DELETE",
    "SMS_OVH_SERVICE": "the SMS service, as sms-ab12345-1",
}
API_URL = "https://eu.api.ovh.com/1.0"


class Refused(Exception):
    """OVHcloud's answer was none of success: its HTTP status, 0 without an answer."""

    def __init__(self, status):
        super().__init__(f"HTTP {status}" if status else "no answer")
        self.status = status


class Client:
    """The API below one service, with the keys of the environment; see `VARIABLES`."""

    def __init__(self, environment=os.environ):
        values = {name: environment.get(name, "").strip() for name in VARIABLES}
        missing = [name for name, value in values.items() if not value]
        if missing:
            raise SystemExit(
                "Set in the environment: "
                + "; ".join(f"{name} ({VARIABLES[name]})" for name in missing)
            )
        self.service = f"/sms/{values['SMS_OVH_SERVICE']}"
        self._client = ovh.Client(
            endpoint="ovh-eu",
            application_key=values["OVH_APPLICATION_KEY"],
            application_secret=values["OVH_APPLICATION_SECRET"],
            consumer_key=values["OVH_CONSUMER_KEY"],
            timeout=TIMEOUT,
        )
        # The package's constructor takes named regions only.
        self._client._endpoint = environment.get("SMS_OVH_API_URL", API_URL).rstrip("/")

    def call(self, method, path, data=None, headers=None, **query):
        """Make a call below the service, and return what is answered, decoded.

        :raise Refused: where it is no success, or cannot be read
        """
        path = f"{self.service}{path}"
        if query:
            path = f"{path}?{self._client._prepare_query_string(query)}"
        try:
            response = self._client.raw_call(method, path, data, headers=headers)
            if not response.ok:
                raise Refused(response.status_code)
            return response.json()
        except (ValueError, requests.RequestException, ovh.exceptions.APIError):
            # Without its words: they may name a number.
            raise Refused(0) from None

    def get(self, path, **query):
        """GET a path below the service. See :meth:`call`."""
        return self.call("GET", path, **query)

    def get_batch(self, path, ids):
        """GET several objects of one list at once. See :meth:`call`."""
        joined = ",".join(requests.utils.quote(str(id_), safe="") for id_ in ids)
        return self.call("GET", f"{path}/{joined}", headers={"X-Ovh-Batch": ","})

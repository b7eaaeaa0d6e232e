"""The errors of OVHcloud's API.

Those of its gateway (keys, signature, rights) have ``errorCode``, ``httpCode`` and
``message``; those of the service behind it have ``class`` and ``message``. Both forms
are seen in the issue threads of OVHcloud's own client libraries (ovh/php-ovh,
ovh/python-ovh, ovh/terraform-provider-ovh).
"""

import functools
from http import HTTPStatus


class ApiError(Exception):
    """An answer other than success.

    :param int status: HTTP status.
    :param str message: the text OVHcloud would give.
    :param str error_code: the gateway's ``errorCode``; ``None`` for an error of the service.
    :param dict headers: further response headers.
    """

    _CLASSES = {
        400: "Client::BadRequest",
        403: "Client::Forbidden",
        404: "Client::NotFound",
        409: "Client::Conflict",
        429: "Client::TooManyRequests",
        460: "Client::ResourceExpired",
        500: "Server::InternalServerError",
    }

    def __init__(self, status, message, error_code=None, headers=None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_code = error_code
        self.headers = headers or {}

    def body(self):
        """:return: the JSON body as a dict."""
        if self.error_code:
            phrase = HTTPStatus(self.status).phrase
            return {
                "errorCode": self.error_code,
                "httpCode": f"{self.status} {phrase}",
                "message": self.message,
            }
        return {
            "class": self._CLASSES.get(self.status, "Client::Error"),
            "message": self.message,
        }


def _gateway(status, message, error_code):
    return lambda: ApiError(status, message, error_code)


#: Unknown or missing application key.
invalid_key = _gateway(403, "This application key is invalid", "INVALID_KEY")
#: No consumer key at all.
login_first = _gateway(403, "You must login first", "NOT_CREDENTIAL")
#: Unknown consumer key, or one of another application.
no_credential = _gateway(403, "This credential does not exist", "NOT_CREDENTIAL")
#: Consumer key that is not validated yet, refused or expired.
invalid_credential = _gateway(403, "This credential is not valid", "INVALID_CREDENTIAL")
#: Consumer key used from an IP address that it does not allow.
forbidden_address = _gateway(
    403, "This credential can not be used from this IP", "FORBIDDEN"
)
#: Timestamp missing, unreadable or too far from OVHcloud's time.
out_of_time = _gateway(400, "Query out of time", "QUERY_TIME_OUT")
#: Signature missing or wrong.
invalid_signature = _gateway(400, "Invalid signature", "INVALID_SIGNATURE")
#: Call outside of the consumer key's access rules.
not_granted = _gateway(403, "This call has not been granted", "NOT_GRANTED_CALL")
#: No such call.
invalid_url = _gateway(404, "Got an invalid (or empty) URL", None)
#: Unknown service, or one of another customer.
no_service = _gateway(404, "This service does not exist", None)
#: A parameter that is not what the API describes, or that the service refuses.
bad_request = functools.partial(ApiError, 400)
#: Something that the service does not allow.
forbidden = functools.partial(ApiError, 403)
#: Something that exists already.
conflict = functools.partial(ApiError, 409)


def no_object(name, value):
    """Unknown object below a service."""
    return ApiError(404, f"The requested object ({name} = {value}) does not exist")

"""The errors of OVHcloud's API, and the refusals of the simulator's other routes.

Those of its gateway (keys, signature, rights) have ``errorCode``, ``httpCode`` and
``message``; those of the service behind it have ``class`` and ``message``. Both forms
are seen in the issue threads of OVHcloud's own client libraries (ovh/php-ovh,
ovh/python-ovh, ovh/terraform-provider-ovh).
"""

from functools import partial
from http import HTTPStatus

_CLASSES = {
    400: "Client::BadRequest",
    403: "Client::Forbidden",
    404: "Client::NotFound",
    409: "Client::Conflict",
    429: "Client::TooManyRequests",
    500: "Server::InternalServerError",
}


class ApiError(Exception):
    """An answer other than success.

    :param int status: HTTP status.
    :param str message: the text OVHcloud would give.
    :param str error_code: the gateway's ``errorCode``; ``None`` for an error of the service.
    """

    def __init__(self, status, message, error_code=None):
        super().__init__(message)
        self.status = status
        self.message = message
        self.error_code = error_code

    def body(self):
        """Return the JSON body as a dict."""
        if self.error_code:
            return {
                "errorCode": self.error_code,
                "httpCode": f"{self.status} {HTTPStatus(self.status).phrase}",
                "message": self.message,
            }
        return {"class": _CLASSES[self.status], "message": self.message}


class Refused(Exception):
    """A request to a route of the simulator's own that makes no sense."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status


def _error(*arguments):
    return partial(ApiError, *arguments)


invalid_key = _error(403, "This application key is invalid", "INVALID_KEY")
login_first = _error(403, "You must login first", "NOT_CREDENTIAL")
#: Unknown consumer key, or one of another application.
no_credential = _error(403, "This credential does not exist", "NOT_CREDENTIAL")
#: Consumer key that is not validated yet, refused or expired.
invalid_credential = _error(403, "This credential is not valid", "INVALID_CREDENTIAL")
#: Consumer key used from an IP address that it does not allow.
forbidden_address = _error(
    403, "This credential can not be used from this IP", "FORBIDDEN"
)
out_of_time = _error(400, "Query out of time", "QUERY_TIME_OUT")
invalid_signature = _error(400, "Invalid signature", "INVALID_SIGNATURE")
#: Call outside of the consumer key's access rules.
not_granted = _error(403, "This call has not been granted", "NOT_GRANTED_CALL")
invalid_url = _error(404, "Got an invalid (or empty) URL")
#: Unknown service, or one of another customer.
no_service = _error(404, "This service does not exist")
#: A parameter that is not what the API describes, or that the service refuses.
bad_request = _error(400)
forbidden = _error(403)
conflict = _error(409)


def no_object(name, key):
    """Unknown object below a service."""
    return ApiError(404, f"The requested object ({name} = {key}) does not exist")


def find(objects, key, name):
    """Return the object of a key.

    :param str name: what the key is called.
    :raise ApiError: 404 where there is none.
    """
    if key not in objects:
        raise no_object(name, key)
    return objects[key]

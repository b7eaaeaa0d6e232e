"""The errors of OVHcloud's API.

Those of its gateway (keys, signature, rights) have ``errorCode``, ``httpCode`` and
``message``; those of the service behind it have ``class`` and ``message``. Both forms
are seen in the issue threads of OVHcloud's own client libraries (ovh/php-ovh,
ovh/python-ovh, ovh/terraform-provider-ovh).
"""

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


def invalid_key():
    """Unknown or missing application key."""
    return ApiError(403, "This application key is invalid", "INVALID_KEY")


def login_first():
    """No consumer key at all."""
    return ApiError(403, "You must login first", "NOT_CREDENTIAL")


def no_credential():
    """Unknown consumer key, or one of another application."""
    return ApiError(403, "This credential does not exist", "NOT_CREDENTIAL")


def invalid_credential():
    """Consumer key that is not validated yet, refused or expired."""
    return ApiError(403, "This credential is not valid", "INVALID_CREDENTIAL")


def forbidden_address():
    """Consumer key used from an IP address that it does not allow."""
    return ApiError(403, "This credential can not be used from this IP", "FORBIDDEN")


def out_of_time():
    """Timestamp missing, unreadable or too far from OVHcloud's time."""
    return ApiError(400, "Query out of time", "QUERY_TIME_OUT")


def invalid_signature():
    """Signature missing or wrong."""
    return ApiError(400, "Invalid signature", "INVALID_SIGNATURE")


def not_granted():
    """Call outside of the consumer key's access rules."""
    return ApiError(403, "This call has not been granted", "NOT_GRANTED_CALL")


def invalid_url():
    """No such call."""
    return ApiError(404, "Got an invalid (or empty) URL")


def no_service():
    """Unknown service, or one of another customer."""
    return ApiError(404, "This service does not exist")


def no_object(name, value):
    """Unknown object below a service."""
    return ApiError(404, f"The requested object ({name} = {value}) does not exist")


def bad_request(message):
    """A parameter that is not what the API describes, or that the service refuses."""
    return ApiError(400, message)


def forbidden(message):
    """Something that the service does not allow."""
    return ApiError(403, message)


def conflict(message):
    """Something that exists already."""
    return ApiError(409, message)

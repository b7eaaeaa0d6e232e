"""Upload a file to the URL that OVHcloud gives."""

from urllib.parse import urlsplit

from requests.exceptions import RequestException

from .. import const
from .ovh_client import (
    OvhBadRequest,
    OvhServerError,
    OvhUnreadableAnswer,
    create_session,
    network_error,
)


def is_upload_address(url, base_url):
    """Tell whether a file may be uploaded to a URL: at OVHcloud, and by HTTPS.

    :param str url: the URL in OVHcloud's answer
    :param str base_url: URL of the API; a simulator takes the files itself
    :rtype: bool
    """
    try:
        address, base = urlsplit(url), urlsplit(base_url)
        if (address.scheme, address.netloc) == (base.scheme, base.netloc):
            return True
        host = address.hostname or ""
        return (
            address.scheme == "https"
            and address.port in (None, 443)
            and not address.username
            and any(
                host == domain or host.endswith(f".{domain}")
                for domain in const.UPLOAD_DOMAINS
            )
        )
    except (TypeError, ValueError):
        return False


def upload(url, content, base_url):
    """Upload a file to the URL that OVHcloud gave.

    :param str url: the URL in OVHcloud's answer
    :param bytes content: the file
    :param str base_url: URL of the API
    :raise OvhError: if the URL is not OVHcloud's, or the file is not taken
    """
    if not is_upload_address(url, base_url):
        raise OvhUnreadableAnswer("The address for the document is not OVHcloud's")
    timeout = (const.CONNECT_TIMEOUT, const.READ_TIMEOUT)
    try:
        with create_session() as session:
            response = session.put(url, data=content, timeout=timeout)
    except RequestException as error:
        raise network_error(error) from None
    if response.status_code >= 500:
        raise OvhServerError("The document was not taken", response.status_code)
    if not response.ok:
        raise OvhBadRequest("The document was not taken", response.status_code)

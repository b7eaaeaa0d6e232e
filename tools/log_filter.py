"""Keeps what callbacks carry out of Odoo's own log of requests: secrets and replies."""

import logging
import re

# Addresses of `controllers.main`: what stands in them is good for calling Odoo, or for
# coming back from OVHcloud's page once. What follows the question mark is a recipient's
# number and words. However slashes are written, and however many there are.
_SLASH = r"(?:/|%2[fF])+"
SECRET_REGEX = re.compile(
    rf"(?P<root>sms_ovh{_SLASH}(?:connected{_SLASH})?)"
    r"(?!static/)(?:(?!%2[fF])[^/?\s\"])+"
    rf"(?P<rest>(?:{_SLASH}(?:(?!%2[fF])[^/?\s\"])*)*)"
    r"(?P<tail>[^\s\"]*)"
)
# What may stand behind a secret.
KINDS_REGEX = re.compile(r"/+(?:delivery|stop|reply|none)?")
# Who logs the address of each request: Odoo's server, and the one for live chat.
REQUEST_LOGGERS = ("werkzeug", "odoo.service.server", "longpolling")


def _replace(match):
    rest = match["rest"]
    if not KINDS_REGEX.fullmatch(rest):
        rest = "/***" if rest else ""
    tail = "?***" if match["tail"] else ""
    return f"{match['root']}***{rest}{tail}"


class HideSecrets(logging.Filter):
    """Puts stars where an address holds a secret, or what somebody wrote."""

    def filter(self, record):
        """Change `record` in place, and let every record through."""
        if isinstance(record.msg, str):
            record.msg = self._hide(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._hide, record.args))
        return True

    @staticmethod
    def _hide(value):
        # Most records are of other addresses: a regular expression is not for them.
        if isinstance(value, str) and "sms_ovh" in value:
            return SECRET_REGEX.sub(_replace, value)
        return value


def hide_secrets():
    """Make the loggers of requests hide the secrets from now on."""
    for name in REQUEST_LOGGERS:
        logging.getLogger(name).addFilter(HideSecrets())

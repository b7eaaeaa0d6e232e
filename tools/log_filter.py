"""Keep secrets and replies in callbacks out of Odoo's own log of requests."""

import logging
import re

# URLs of `controllers.main`: they contain secrets for calling Odoo, or for returning
# once from OVHcloud's page. After the question mark come a recipient's number and
# words. Slashes match however they are written, and however many there are.
_SLASH = r"(?:/|%2[fF])+"
SECRET_REGEX = re.compile(
    rf"(?P<root>sms_ovh{_SLASH}(?:connected{_SLASH})?)"
    r"(?!static/)(?:(?!%2[fF])[^/?\s\"])+"
    rf"(?P<rest>(?:{_SLASH}(?:(?!%2[fF])[^/?\s\"])*)*)"
    r"(?P<tail>[^\s\"]*)"
)
# What may follow a secret.
KINDS_REGEX = re.compile(r"/+(?:delivery|stop|reply|none)?")
# Loggers of the URL of each request: Odoo's server, and the one for live chat.
REQUEST_LOGGERS = ("werkzeug", "odoo.service.server", "longpolling")


def _replace(match):
    rest = match["rest"]
    if not KINDS_REGEX.fullmatch(rest):
        rest = "/***" if rest else ""
    tail = "?***" if match["tail"] else ""
    return f"{match['root']}***{rest}{tail}"


class HideSecrets(logging.Filter):
    """Replaces secrets, and what recipients wrote, with stars in URLs."""

    def filter(self, record):
        """Change `record` in place, and let every record through."""
        if isinstance(record.msg, str):
            record.msg = self._hide(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(self._hide, record.args))
        return True

    @staticmethod
    def _hide(value):
        # Most records are of other URLs: this spares them the regular expression.
        if isinstance(value, str) and "sms_ovh" in value:
            return SECRET_REGEX.sub(_replace, value)
        return value


def hide_secrets():
    """Make the loggers of requests hide the secrets from now on."""
    for name in REQUEST_LOGGERS:
        logging.getLogger(name).addFilter(HideSecrets())

"""Keeps the callbacks' secret out of Odoo's own log of requests."""

import logging
import re

# Addresses of `controllers.main`: what stands in them is good for calling Odoo, or for
# coming back from OVHcloud's page once.
SECRET_REGEX = re.compile(r"(/sms_ovh/(?:connected/)?)[A-Za-z0-9_-]{32,128}")
# Who logs the address of each request: Odoo's server, and the one for live chat.
REQUEST_LOGGERS = ("werkzeug", "odoo.service.server", "longpolling")


class HideSecrets(logging.Filter):
    """Puts stars where an address holds a secret."""

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
        if isinstance(value, str) and "/sms_ovh/" in value:
            return SECRET_REGEX.sub(r"\1***", value)
        return value


def hide_secrets():
    """Have the loggers of requests hide the secrets from now on."""
    for name in REQUEST_LOGGERS:
        logging.getLogger(name).addFilter(HideSecrets())

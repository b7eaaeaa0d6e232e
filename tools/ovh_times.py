"""Times as OVHcloud's API writes them, and as Odoo keeps them."""

from datetime import datetime, timezone


def format_time(value):
    """Return a naive UTC time as the API takes it.

    :param datetime value: as Odoo keeps it
    :rtype: str
    """
    return value.replace(microsecond=0, tzinfo=timezone.utc).isoformat()


def parse_time(text):
    """Return a time of the API as Odoo keeps it, False for none.

    :param str|None text: as OVHcloud writes it
    :rtype: datetime|bool
    :raise ValueError: if it is not a time
    """
    if not text:
        return False
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo:
        parsed = parsed.astimezone(timezone.utc).replace(tzinfo=None)
    return parsed

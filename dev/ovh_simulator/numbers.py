"""Phone numbers as OVHcloud reads them, texts of approved templates, IP addresses."""

import ipaddress
import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_FRENCH_MOBILE = re.compile(r"\+33[67][0-9]{8}")


def is_of_template(text, templates):
    """Tell whether *text* is one of these, ``#VALUE#`` standing for anything."""
    return any(
        re.fullmatch(".*".join(map(re.escape, template.split("#VALUE#"))), text, re.S)
        for template in templates
    )


def normalize_number(text):
    """Return *text* as an E.164 number, or ``None`` where it can't receive SMS."""
    number = re.sub(r"[\s.()-]", "", text)
    if number.startswith("00"):
        number = "+" + number[2:]
    if not _E164.fullmatch(number) or (
        number.startswith("+33") and not _FRENCH_MOBILE.fullmatch(number)
    ):
        return None
    return number


def is_network(text):
    """Tell whether *text* is an IP address or a block of them."""
    try:
        return bool(ipaddress.ip_network(text, strict=False))
    except ValueError:
        return False


def is_allowed(address, networks):
    """Tell whether an IP address is in one of these networks (none: any is allowed)."""
    return not networks or (
        is_network(address)
        and any(
            ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
            for network in networks
        )
    )

"""The addon's system parameters."""

import logging

_logger = logging.getLogger(__name__)


def get_parameter(env, name, default):
    """Return the system parameter ``sms_ovh.<name>`` as a number.

    :param env: any environment
    :param str name: what follows ``sms_ovh.``
    :param int default: where it is not set, or no number
    :rtype: int
    """
    # sudo: a setting of the addon, read for whoever sends.
    value = env["ir.config_parameter"].sudo().get_param(f"sms_ovh.{name}", default)
    try:
        return max(0, int(value))
    except (TypeError, ValueError):
        _logger.warning("sms_ovh.%s is no number: %r", name, value)
        return default

"""Format credits for users, in the same way everywhere."""

from odoo.tools.misc import formatLang


def format_credits(env, value):
    """Return credits as the user's language writes them, whole ones without decimals.

    :param env: environment, for the language
    :param float value: credits
    :rtype: str
    """
    value = round(value or 0, 2)
    return formatLang(env, value, digits=0 if value == int(value) else 2)

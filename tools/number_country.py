"""Find the country of a number."""

from functools import lru_cache

import phonenumbers

# The longest calling code.
MAX_CODE_LENGTH = 3


@lru_cache(maxsize=20000)
def _get_shared_country(number):
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.region_code_for_number(parsed)


def get_country_code(number):
    """Return the ISO code of a number's country, None if it is not known.

    This runs for each SMS: the number itself is only looked at if several countries
    share its calling code.

    :param str|None number: in E.164
    :rtype: str|None
    """
    number = number or ""
    if not number.startswith("+"):
        return None
    for length in range(1, MAX_CODE_LENGTH + 1):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(
            int(number[1 : length + 1]) if number[1 : length + 1].isdecimal() else 0
        )
        if regions:
            country = regions[0]
            if len(regions) > 1:
                # The code's main country for a range that is too new to be known.
                country = _get_shared_country(number) or country
            # "001" stands for what is of no country, such as satellite phones.
            return country if country != "001" else None
    return None

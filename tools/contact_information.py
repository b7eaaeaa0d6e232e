"""What OVHcloud takes from no short number: links and phone numbers in a text."""

import re

import phonenumbers

# Bare addresses only of the ends that people write without "www.": anything else would
# take "Bonjour.Merci" for a link. Each repetition has an end, so that no text takes long:
# a label of a domain has 63 characters at most (RFC 1035, section 2.3.4).
_LINK_REGEX = re.compile(
    r"""
    \b[a-z][a-z0-9+.-]{0,30}://\S+
    | \bwww\.[^\s.]+\.\S+
    | (?<![\w@.-])
      (?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+
      (?:app|be|biz|bzh|ch|com|de|es|eu|fr|gouv|info|io|it|lu|ly|me|net|nl|org|paris|pl
        |re|shop|uk)
      (?:/\S*|(?![\w-]))
    """,
    re.IGNORECASE | re.VERBOSE,
)


def find_contact_information(text, country_code=None):
    """Return the first link or phone number in a text, None where there is none.

    OVHcloud refuses a text that has either from a short number, with HTTP 400 "cannot
    send contact information with shortcode". How it looks for them is not published:
    here a number is what ``phonenumbers`` calls valid.

    :param str text: the text as it is sent
    :param str|None country_code: ISO code of the country whose national numbers count
    :rtype: str|None
    """
    link = _LINK_REGEX.search(text or "")
    if link:
        return link[0]
    matches = phonenumbers.PhoneNumberMatcher(text or "", country_code or None)
    return next((match.raw_string for match in matches), None)

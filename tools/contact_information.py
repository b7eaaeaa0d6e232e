"""Find links and phone numbers in a text: OVHcloud takes none from the short number."""

import re
from functools import cache

import phonenumbers

from .links import PLACEHOLDER, find_links, get_link_end

# The most common domains, used if the full list is not installed.
_COMMON_DOMAINS = frozenset(
    "app be biz bzh ch co com de es eu fr gl gouv info io it lu ly me net nl org paris pl"
    " re shop store uk".split()
)
# Words that more often begin a sentence, written without a space after the full stop
# ("demain.il"), than they are domains: they make a link only with a path. File
# extensions ("facture.zip"), too.
_WORDS = frozenset(
    "am as au by do et il in is je la ma my ne no sa si so to un us"
    " md mov ps py sh zip".split()
)
_PLACEHOLDER = re.compile(PLACEHOLDER)
_SCHEME = re.compile(r"\b[a-z][a-z0-9+.-]{0,30}://\S+", re.IGNORECASE)
# 63 characters at most (RFC 1035, section 2.3.4), so that no text takes long.
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
# Not part of an e-mail address or of another name.
_NAME = re.compile(
    rf"(?<![\w@./-])(?P<name>{_LABEL}(?:\.{_LABEL})+)(?![\w@-])(?P<path>[/?#]\S*|:\d+\S*)?"
)


@cache
def _get_top_level_domains():
    """Return the top-level domains, as the installed Public Suffix List has them.

    :rtype: frozenset[str]
    """
    try:
        # Imported here: it takes half a second, and few users send from a short number.
        import tldextract
    except ImportError:
        return _COMMON_DOMAINS
    # Without URLs or a cache folder it reads its bundled list: no network.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    return frozenset(suffix.rpartition(".")[2] for suffix in extract.tlds)


def _find_name(text):
    """Return the first link without a scheme in a text, or None.

    :param str text: the text
    :rtype: str|None
    """
    for match in _NAME.finditer(text):
        labels = match["name"].split(".")
        # A full stop may end a sentence, with the next one following without a space.
        for count in range(len(labels), 1, -1):
            domain = labels[count - 1]
            if domain.lower() not in _get_top_level_domains():
                continue
            name = ".".join(labels[:count])
            if count == len(labels) and match["path"]:
                link = name + match["path"]
                return link[: get_link_end(link)]
            # "Bonjour.Je": a capital begins a sentence.
            if domain == domain.capitalize() or domain.lower() in _WORDS:
                continue
            return name
    return None


def find_contact_information(text, country_code=None):
    """Return the first link or phone number in a text, None if there is none.

    OVHcloud refuses a text with either of them from a short number, with HTTP 400
    "cannot send contact information with shortcode". How it detects them is not
    published. Here a number is what ``phonenumbers`` calls valid, and a link is what
    phones turn into one (see :mod:`.links`) or a name of an existing top-level domain.
    What might just as well be a sentence is left for OVHcloud to refuse.

    :param str text: the text as it is sent, or as it is written
    :param str|None country_code: ISO code of the country whose national numbers count
    :rtype: str|None
    """
    # The code of a placeholder has full stops, too: {{ object.name }}.
    text = _PLACEHOLDER.sub(" ", text or "")
    if links := find_links(text):
        start, end = links[0]
        return text[start:end]
    if match := _SCHEME.search(text):
        return match[0]
    if name := _find_name(text):
        return name
    matches = phonenumbers.PhoneNumberMatcher(text, country_code or None)
    return next((match.raw_string for match in matches), None)

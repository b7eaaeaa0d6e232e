"""HTTP between the programs of this machine: never through a proxy."""

import urllib.error
import urllib.request

ANSWER_SECONDS = 180

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url):
    """Return whether a server answers, whatever it says, but that it failed."""
    try:
        opener.open(url, timeout=60).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def wait_until_answering(child, url, seconds=ANSWER_SECONDS):
    """Wait until a server answers, or its :class:`kit.children.Child` has ended."""
    child.wait_until(lambda: answers(url), seconds, f"does not answer at {url}")

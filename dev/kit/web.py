"""HTTP between the programs of this machine: never through a proxy."""

import time
import urllib.error
import urllib.request

from .ui import Problem

ANSWER_SECONDS = 180

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url):
    """Tell whether a server answers.

    :param str url: the page to ask for.
    :return: True when something came back, whatever it says.
    """
    try:
        opener.open(url, timeout=60).close()
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False
    return True


def wait_until_answering(child, url, seconds=ANSWER_SECONDS):
    """Wait until a server answers.

    :param str url: the page to ask for.
    :param float seconds: how long it may take.
    :raise Problem: when it has ended, or takes longer.
    """
    deadline = time.monotonic() + seconds
    while not answers(url):
        if child.status() is not None:
            raise child.died()
        if time.monotonic() > deadline:
            raise Problem(
                f"{child.name} does not answer at {url}; its log is {child.log}."
            )
        time.sleep(0.3)

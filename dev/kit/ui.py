"""What the platform tells the person in front of it.

Everything goes to standard error: standard output belongs to what is run
(``dev/odoo shell`` may be piped).
"""

import contextlib
import sys
import threading
import time


class Problem(Exception):
    """Something the person must solve; its text is the sentence that says how.

    :param int status: the exit status the command ends with.
    """

    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def say(text=""):
    """Write a line."""
    print(text, file=sys.stderr, flush=True)


def seconds_text(seconds):
    """Write a duration for people, as ``8 s`` or ``2 min 05 s``."""
    minutes, rest = divmod(int(round(seconds)), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def last_lines(lines, count=15):
    """Return the end of what a program wrote, to put below what it failed at."""
    return "\n".join(f"    {line}" for line in lines[-count:])


@contextlib.contextmanager
def step(title, every=20):
    """Announce a long step, show that it is still going, and say how long it took.

    On a terminal the elapsed time is shown in place; elsewhere a line is written now and then.

    :param int every: seconds between two lines where there is no terminal.
    """
    start = time.monotonic()
    done = threading.Event()
    on_terminal = sys.stderr.isatty()

    def elapsed():
        return seconds_text(time.monotonic() - start)

    def show(in_place, line, end=""):
        if on_terminal:
            print(f"\r==> {title}{in_place}", end=end, file=sys.stderr, flush=True)
        else:
            say(line)

    def tick():
        while not done.wait(1 if on_terminal else every):
            show(f" ... {elapsed()} ", f"    ... {elapsed()}")

    show(" ...", f"==> {title} ...")
    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    ending = "stopped after"
    try:
        yield
        ending = "done in"
    except Exception:
        ending = "failed after"
        raise
    finally:
        done.set()
        ticker.join()
        show(f": {ending} {elapsed()}   ", f"    {ending} {elapsed()}", "\n")

#!/usr/bin/env python3
"""What a key costs in the browser, in a campaign's text of 1,000 characters.

Needs a running demonstration (``./dev/demo``) and a browser; run by the Python of the
demonstration's environment, with ``dev`` on its path. Prints the time of scripts for each
key as the browser itself measures it, that of style and layout beside, and the requests
that left while typing. Exits with 1 where a key costs more than the target, or a request
left.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pictures.studio import visit

from bench.figures import Figures

TARGET_MS = 4
KEYS = 100
ROUNDS = 5
# Ends within a word, contains what makes a text Unicode: the costliest state.
TEXT = ("Bonjour, c'est la fête à la boutique : -30 % sur tout le rayon. " * 16)[:1000]
TEXT_AREA = "div[name=body_plaintext] textarea"


def get_metrics(page):
    """Return the browser's own counters by name, in seconds."""
    metrics = page.devtools.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in metrics}


def measure(page):
    """Press `KEYS` keys; return the milliseconds of script and of layout for each."""
    before = get_metrics(page)
    for __ in range(KEYS):
        page.page.keyboard.press("e")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => done(1)))")
    after = get_metrics(page)

    def per_key(*names):
        return sum(after[name] - before[name] for name in names) * 1000 / KEYS

    return per_key("ScriptDuration"), per_key("LayoutDuration", "RecalcStyleDuration")


def main():
    """Run the benchmark, and return the exit status."""
    with visit(__doc__.splitlines()[0]) as studio:
        page = studio.page
        mailing = studio.create_mailing("Mesure", TEXT)
        studio.open(f"sms-marketing/{mailing}", TEXT_AREA)
        page.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.page.locator(TEXT_AREA).evaluate(
            "(area) => { area.focus(); area.setSelectionRange(500, 500); }"
        )
        page.evaluate(
            "(() => { window.smsOvhRequests = 0; const fetch = window.fetch;"
            " window.fetch = (...args) => { window.smsOvhRequests++;"
            " return fetch(...args); }; })()"
        )
        measure(page)  # warm-up
        rounds = [measure(page) for __ in range(ROUNDS)]
        requests = page.evaluate("window.smsOvhRequests")
        studio.rpc("mailing.mailing", "unlink", [mailing])
    script = statistics.median(script for script, __ in rounds)
    layout = statistics.median(layout for __, layout in rounds)
    figures = Figures()
    figures.at_most("script for each key", script, TARGET_MS, " ms")
    figures.note(f"style and layout: {layout:.2f} ms")
    figures.equal("requests while typing", requests, 0)
    return 1 if figures.missed else 0


if __name__ == "__main__":
    sys.exit(main())

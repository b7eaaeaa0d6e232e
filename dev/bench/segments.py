#!/usr/bin/env python3
"""Measure the SMS counters, Python and JavaScript, against those of other packages.

Counts the same 2,000 messages of 1 to 3 parts with ours, with ``smsutil`` (Python) and
with ``sms-segments-calculator``, ``split-sms`` and ``sms-length`` (npm), prints times
and ratios, and says on how many messages and test vectors each counter is wrong. Exits
with 1 when ours is slower than what is required (10 times as fast as ``smsutil``, 1.5
times as fast as the fastest npm package, under 50 ms for 100,000 characters), or wrong.

Needs ``pip install -r dev/bench/requirements.txt``, node 18 or later, and npm, which
installs the npm packages in a cache folder the first time.
"""

import argparse
import importlib.util
import json
import platform
import random
import subprocess
import sys
import tempfile
import timeit
from collections import deque
from operator import ne
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kit.npm import npm_packages

from bench.figures import Figures

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent.parent

MESSAGES = 2000
PYTHON_RATIO = 10
JS_RATIO = 1.5
LONG_MS = 50
# Test vectors of more characters would keep the slowest packages busy for a minute.
LONGEST_CASE = 5000

WORDS = """
bonjour votre commande est prête à être retirée en magasin merci de votre visite
offre valable jusqu'au 31 janvier sur tous les articles signalés en rayon le
rendez-vous avec le docteur est confirmé demain à 14h30 répondez oui pour
accepter la livraison aura lieu entre 9h et 12h code promo hiver2024 profitez de
nos soldes nouvelle collection été disponible dès maintenant équipe après achat
paiement reçu
""".split()


def load_counter():
    """Load the counter from its file, without Odoo and without the addon's package."""
    path = ROOT / "tools" / "sms_segments.py"
    spec = importlib.util.spec_from_file_location("sms_segments", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read_cases():
    """Return the texts of the test vectors, and the right encoding and segments of each."""
    path = ROOT / "static" / "tests" / "sms_segments_vectors.js"
    content = path.read_text(encoding="utf-8").split("\nexport default", 1)[1]
    texts, expected = [], []
    for case in json.loads(content.rstrip().rstrip(";")):
        pieces = case["text"] or ""
        text = "".join(
            piece if isinstance(piece, str) else piece[0] * piece[1] for piece in pieces
        )
        if len(text) > LONGEST_CASE:
            continue
        # Others know no clause: for them it is a part of the text.
        texts.append(text + "\nSTOP:36111" if text and case["stop"] else text)
        expected.append([case["expect"][0], case["expect"][2]])
    return texts, expected


def write_messages(count_segments):
    """Write messages of 1 to 3 parts, as campaigns have them, always the same.

    Of ten, five are in the default alphabet, two have extension characters too, two
    have typography that makes them Unicode, one has emoji.

    :param count_segments: our counter, which keeps those of 1 to 3 parts
    """
    draw = random.Random(20260101)
    basic = str.maketrans("êûîâôç", "euiaoc")
    messages = []
    while len(messages) < MESSAGES:
        kind = draw.randrange(10)
        limit = draw.randint(20, 190 if kind >= 7 else 440)
        words = []
        size = 0
        while size < limit:
            word = draw.choice(WORDS)
            if kind in (5, 6) and draw.random() < 0.15:
                word = draw.choice(("20€", "[info]", "10€", "{code}", "a|b"))
            elif kind == 9 and draw.random() < 0.2:
                word = draw.choice("😀🎉🎁👍")
            words.append(word)
            size += len(word) + 1
        text = " ".join(words).capitalize() + draw.choice((".", " !", "\nA bientôt"))
        text = text.replace("'", "’") + "…" if kind in (7, 8) else text
        if kind < 7:
            text = text.translate(basic)
        if 1 <= count_segments(text).segments <= 3:
            messages.append(text)
    return messages


def read_ours(count):
    """Return what our counter says, as all answers are compared."""
    return [count.encoding, count.segments]


def measure_python(ours, messages, cases, rounds):
    """Time the Python counters, and keep what they answer.

    :param messages: texts to time
    :param cases: other texts to answer
    :param rounds: how many times each counter counts all messages
    :return: what ``segments_js.mjs`` gives as ``results`` for the others
    """
    import smsutil

    encodings = {"gsm0338": "GSM7", "utf_16_be": "UNICODE"}

    def read_theirs(count):
        return [encodings[count.encoding], len(count.parts)]

    counters = {
        "sms_ovh": (ours.count_segments, read_ours),
        "smsutil": (smsutil.split, read_theirs),
    }

    def answer(name, text):
        count, read = counters[name]
        try:
            return read(count(text))
        except Exception as error:
            return [type(error).__name__, None]

    results = {
        name: {
            "messages": [answer(name, text) for text in messages],
            "cases": [answer(name, text) for text in cases],
            "best": float("inf"),
        }
        for name in counters
    }
    for _round in range(rounds):
        for name, (count, _read) in counters.items():
            elapsed = time_best(lambda count=count: deque(map(count, messages), 0))
            results[name]["best"] = min(results[name]["best"], elapsed)
    return results


def time_best(function, rounds=1):
    """Return the milliseconds of a function's quickest run."""
    setup = "import gc; gc.enable()"
    return 1000 * min(timeit.repeat(function, setup, number=1, repeat=rounds))


def measure_long(count_segments):
    """Return the milliseconds that the slowest text of 100,000 code units takes."""
    pieces = ("a", "a€", "€", "ê", "😀", "a😀", "\ud83d")
    texts = [piece * (100_000 // len(piece)) for piece in pieces]
    return max(
        time_best(lambda text=text: count_segments(text, stop_clause=True), 5)
        for text in texts
    )


def measure_js(messages, cases, rounds, peers):
    """Run ``segments_js.mjs`` with npm packages, and return its answer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.json"
        # ASCII: lone surrogates cannot be written otherwise.
        content = {"rounds": rounds, "messages": messages, "cases": cases}
        path.write_text(json.dumps(content), encoding="ascii")
        script = [BENCH / "segments_js.mjs", path, peers]
        done = subprocess.run(
            ["node", *map(str, script)], check=True, stdout=subprocess.PIPE
        )
    return json.loads(done.stdout)


def report(title, results, right_messages, right_cases):
    """Print the times, the ratios to ours, and the errors of one language.

    :param dict results: times and answers by counter, ``sms_ovh`` being ours
    :param right_messages: encoding and segments of each message
    :param right_cases: encoding and segments of each test vector
    :return: the smallest ratio of another's time to ours, and our errors
    """
    print(f"\n{title}")
    print(f"{'':24}{'ms':>9}{'us/SMS':>9}{'ratio':>8}{'wrong':>8}{'vectors wrong':>15}")
    ours = results["sms_ovh"]["best"]
    errors = {}
    for name, result in results.items():
        wrong = sum(map(ne, result["messages"], right_messages))
        cases = sum(map(ne, result["cases"], right_cases))
        errors[name] = wrong + cases
        best = result["best"]
        print(
            f"{name:24}{best:9.2f}{1000 * best / MESSAGES:9.3f}"
            f"{best / ours:7.1f}x{wrong:8}{cases:8} of {len(right_cases)}"
        )
    others = [result["best"] for name, result in results.items() if name != "sms_ovh"]
    return min(others) / ours, errors["sms_ovh"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rounds",
        type=int,
        default=30,
        help="how many times each counter counts all messages (default: %(default)s)",
    )
    options = parser.parse_args()

    ours = load_counter()
    messages = write_messages(ours.count_segments)
    cases, right_cases = read_cases()
    sizes = [ours.count_segments(text) for text in messages]
    unicode_messages = sum(size.encoding == "UNICODE" for size in sizes)
    parts = [sum(size.segments == number for size in sizes) for number in (1, 2, 3)]
    print(
        f"{MESSAGES} messages, {unicode_messages} of them Unicode;"
        f" {parts[0]} of 1 part, {parts[1]} of 2, {parts[2]} of 3."
        f" Python {platform.python_version()}."
    )

    python = measure_python(ours, messages, cases, options.rounds)
    peers = npm_packages(BENCH, "to compare the counters with others")
    js = measure_js(messages, cases, options.rounds, peers)
    # The property test of tests/test_sms_segments.py proves the Python counter on
    # parts really built, so it is the measure of the others here.
    right_messages = [read_ours(size) for size in sizes]
    python_ratio, python_errors = report("Python", python, right_messages, right_cases)
    js_ratio, js_errors = report(
        "JavaScript", js["results"], right_messages, right_cases
    )

    long_python = measure_long(ours.count_segments)
    long_js = max(js["long"].values())
    print(
        f"\n100,000 code units: Python {long_python:.2f} ms,"
        f" JavaScript {long_js:.2f} ms"
    )
    figures = Figures()
    figures.at_least("Python to smsutil", python_ratio, PYTHON_RATIO, "x")
    fastest = "JavaScript to the fastest npm package"
    figures.at_least(fastest, js_ratio, JS_RATIO, "x")
    figures.equal("errors of both", python_errors + js_errors, 0)
    longest = max(long_python, long_js)
    figures.at_most("100,000 code units", longest, LONG_MS, " ms")
    return 1 if figures.missed else 0


if __name__ == "__main__":
    sys.exit(main())

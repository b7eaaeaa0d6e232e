"""``dev/bench/run``: its options, and the benchmarks by name."""

import argparse
import time

from kit.ui import seconds_text
from provision.databases import forget_removed_checkouts
from provision.platform import platform

from . import composing, inbox, opening, reading, sending
from .figures import Figures
from .machines import Machines

BENCHMARKS = {
    "send_same": sending.same_text,
    "send_different": sending.different_texts,
    "memory": sending.memory,
    "send_singly": sending.singly,
    "compose": composing.compose,
    "estimate": composing.estimate,
    "cleaning": composing.cleaning,
    "inbox": inbox.inbox,
    "dashboard": opening.dashboard,
    "reading": reading.reading,
    "progress": opening.progress,
}


def _get_options(arguments):
    names = "\n".join(
        f"  {name:16} {function.__doc__.splitlines()[0]}"
        for name, function in BENCHMARKS.items()
    )
    parser = argparse.ArgumentParser(
        prog="dev/bench/run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure the addon inside Odoo. Exits with 1 where a figure misses"
        " what is asked.",
        epilog=f"benchmarks:\n{names}",
    )
    parser.add_argument(
        "names", nargs="+", choices=[*BENCHMARKS, "all"], metavar="NAME"
    )
    names = parser.parse_args(arguments).names
    return list(BENCHMARKS) if "all" in names else names


def main(arguments):
    """Run benchmarks; return the exit status, 1 where a figure misses what is asked."""
    names = _get_options(arguments)
    missed = 0
    with platform() as parts, Machines(parts) as machines:
        forget_removed_checkouts(machines.databases)
        for name in names:
            function = BENCHMARKS[name]
            print(f"\n{name}: {function.__doc__.splitlines()[0]}", flush=True)
            figures = Figures()
            start = time.monotonic()
            function(machines, figures)
            print(f"       took {seconds_text(time.monotonic() - start)}", flush=True)
            missed += figures.missed
    print(f"\n{missed} missed" if missed else "\nAll as asked")
    return 1 if missed else 0

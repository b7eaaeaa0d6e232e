"""How figures are printed and held against what is asked of them."""


class Figures:
    """The figures of one benchmark."""

    def __init__(self):
        self.missed = 0

    def note(self, text):
        """Print a figure of which nothing is asked."""
        print(f"       {text}", flush=True)

    def _hold(self, good, text, asked):
        self.missed += not good
        print(f"{'ok    ' if good else 'MISSED'} {text} (asked: {asked})", flush=True)

    def at_least(self, text, value, target, unit=""):
        """Print a figure that must reach `target`."""
        shown = f"{text}: {value:,.2f}{unit}"
        self._hold(value >= target, shown, f"at least {target:,g}{unit}")

    def at_most(self, text, value, target, unit=""):
        """Print a figure that must not exceed `target`."""
        shown = f"{text}: {value:,.2f}{unit}"
        self._hold(value <= target, shown, f"at most {target:,g}{unit}")

    def flat(self, text, values, tolerance, unit=""):
        """Print figures at several sizes, which must not grow with the size.

        :param dict values: figure by size
        :param float tolerance: how much the last may exceed the first, as a share
        """
        shown = ", ".join(
            f"{size:,}: {value:,.3f}{unit}" for size, value in values.items()
        )
        first, *__, last = values.values()
        growth = last / first - 1
        text = f"{text}: {shown}; slope {growth:+.0%}"
        self._hold(growth <= tolerance, text, f"flat, at most {tolerance:+.0%}")

    def equal(self, text, value, target):
        """Print what must be exactly `target`."""
        self._hold(value == target, f"{text}: {value}", target)

    def expect(self, text, value, target):
        """Print what must be exactly `target`, where it is not."""
        if value != target:
            self.equal(text, value, target)


def get_cost(found, count):
    """Return the milliseconds of processor time that each of `count` things took."""
    return 1000 * (found["cpu"] + found["postgres"]) / count

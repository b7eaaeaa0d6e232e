"""``dev/bench/run``: the benchmarks that need Odoo."""

from bench.cli import main

__all__ = ["main"]

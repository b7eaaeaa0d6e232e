"""``dev/crash_test``: whatever dies, each recipient gets each SMS once."""

from crash.cli import main

__all__ = ["main"]

"""What all commands of ``dev/`` use: words, processes, locks and the cache, ports, npm.

It runs before anything is installed, so it uses the standard library only.
"""

from pathlib import Path

DEV_DIRECTORY = Path(__file__).resolve().parent.parent

"""``python -m screenshots_``: take the pictures from a running Odoo and simulator."""

import argparse
import signal
import sys
from pathlib import Path

from .browser import PageError, running
from .scenes import SCENES
from .studio import Studio


def main():
    """Take the pictures.

    :return: the exit status, 1 when one could not be taken.
    """
    parser = argparse.ArgumentParser(prog="screenshots_", description=__doc__)
    parser.add_argument("--odoo", required=True, metavar="URL")
    parser.add_argument("--simulator", required=True, metavar="URL")
    parser.add_argument("--browser", required=True, metavar="PROGRAM")
    parser.add_argument("--directory", required=True, type=Path, metavar="DIRECTORY")
    parser.add_argument("scenes", nargs="*", choices=[[], *SCENES], metavar="SCENE")
    options = parser.parse_args()
    # So that the browser is stopped, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options.directory.mkdir(parents=True, exist_ok=True)
    with running(options.browser) as page:
        studio = Studio(page, options.odoo, options.simulator, options.directory)
        studio.log_in()
        for name, scene in SCENES.items():
            if options.scenes and name not in options.scenes:
                continue
            try:
                studio.open("sms-marketing")
                scene(studio)
            except (PageError, TimeoutError, ValueError) as error:
                print(f"{name}: {error}", file=sys.stderr)
                return 1
    for name, size in sorted(studio.taken.items()):
        print(f"{size / 1024:7.1f} KiB  {name}.png")
    print(f"{sum(studio.taken.values()) / 1024:7.1f} KiB  {len(studio.taken)} pictures")
    for remark in studio.remarks:
        print(f"Look at {remark}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""npm packages, where a command needs some: pinned by a lock file, kept in the cache."""

import shutil

from .cache import built_directory, cache_dir, short_hash
from .system import install_packages, run
from .ui import step

PINNED = ("package.json", "package-lock.json")


def require_npm(purpose):
    """Have npm, which is needed for a purpose, as "to check the JavaScript"."""
    if not shutil.which("npm"):
        install_packages(["nodejs", "npm"], purpose)


def npm_packages(folder, purpose):
    """Return where the packages of a folder's lock file are, in ``node_modules``."""
    key = short_hash(*((folder / name).read_bytes() for name in PINNED))
    directory = cache_dir() / f"npm-{folder.name}-{key}"

    def build(directory):
        require_npm(purpose)
        for name in PINNED:
            shutil.copy(folder / name, directory / name)
        title = f"Fetching the npm packages of dev/{folder.name}"
        # --ignore-scripts: nothing of theirs is executed.
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        with step(title):
            run(["npm", "ci", *options], title, cwd=directory)
        return key

    built_directory(directory, build)
    return directory

"""npm packages, where a command needs some: pinned by a lock file, kept in the cache."""

import shutil

from .cache import built_directory, cache_dir, short_hash
from .system import install_packages, run
from .ui import step

PINNED = ("package.json", "package-lock.json")


def require_npm(purpose):
    """Have npm.

    :param str purpose: what it is needed for, as in "to check the JavaScript".
    :raise Problem: when it is not there and can't be installed.
    """
    if not shutil.which("npm"):
        install_packages(["nodejs", "npm"], purpose)


def npm_packages(folder, purpose):
    """Have the packages that a folder's lock file names.

    :param str purpose: what they are needed for.
    :return: the path of the directory that has them in its ``node_modules``.
    :raise Problem: when they can't be fetched.
    """
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

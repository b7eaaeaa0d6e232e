"""This checkout: its name in databases, its cache, and what the addon is made of."""

import ast
import os
from pathlib import Path

from kit.cache import cache_dir, locked, short_hash
from kit.ui import Problem

ADDON = "sms_ovh"
# What an installed addon doesn't depend on: the platform, the tests, and what browsers
# read from the disk.
NOT_INSTALLED = (
    ("dev",),
    ("tests",),
    ("static", "src"),
    ("static", "tests"),
    ("static", "lib"),
)


class Checkout:
    """A clone of the repository; its root is the addon."""

    def __init__(self, root=None):
        self.root = root or Path(__file__).resolve().parent.parent.parent
        self.key = short_hash(self.root)
        self.cache = cache_dir() / "checkouts" / self.key
        self.addons = self.cache / "addons"
        self.logs = self.cache / "logs"

    def prepare(self):
        """Make its directory in the cache, with a link to the addon by its technical name."""
        self.addons.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        (self.cache / "path").write_text(str(self.root))
        link = self.addons / ADDON
        with locked(f"checkout-{self.key}"):
            if not link.is_symlink() or os.readlink(link) != str(self.root):
                link.unlink(missing_ok=True)
                link.symlink_to(self.root)
        return self

    def manifest(self):
        """Return the addon's manifest."""
        path = self.root / "__manifest__.py"
        try:
            return ast.literal_eval(path.read_text())
        except FileNotFoundError:
            raise Problem(f"{path} is missing: this checkout is not whole.") from None
        except (SyntaxError, ValueError) as error:
            raise Problem(f"{path} can not be read: {error}.") from None

    def dependencies(self):
        """Return the names of the modules that the addon needs, sorted."""
        return sorted(self.manifest().get("depends") or ["base"])

    def fingerprint(self):
        """Hash all that an installation of the addon depends on into a short name."""
        parts = []
        for directory, subdirectories, files in os.walk(self.root):
            relative = Path(directory).relative_to(self.root)
            subdirectories[:] = sorted(
                name
                for name in subdirectories
                if not name.startswith(".")
                and name not in ("__pycache__", "node_modules")
                and (*relative.parts, name) not in NOT_INSTALLED
            )
            for name in sorted(files):
                path = Path(directory) / name
                if (
                    not name.startswith(".")
                    and path.suffix != ".pyc"
                    and path.is_file()
                ):
                    parts += [str(relative / name), path.read_bytes()]
        return short_hash(*parts, length=12)

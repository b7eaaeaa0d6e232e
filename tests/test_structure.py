import ast
import inspect
import random
from collections import defaultdict
from pathlib import Path

from odoo.modules.registry import Registry
from odoo.orm.model_classes import add_to_registry
from odoo.orm.models import MetaModel
from odoo.tests import TransactionCase, tagged

ADDON = "sms_ovh"
OWN = f"odoo.addons.{ADDON}."
ROOT = Path(__file__).parent.parent
# The order in which `__init__.py` imports them: each may use those before it.
PACKAGES = ("controllers", "mixins", "models", "report", "wizard")
ORDERS = 3
# Names of our methods on Odoo's models.
SCHEME = (
    r"^(_|action_|action_view_|_cron_)?sms_ovh_[a-z0-9]"
    r"|^_(check|compute|inverse|onchange|search|selection)_sms_ovh_"
    r"|^_unlink_\w*sms_ovh"
)
# What Odoo gives every class of a model.
OF_EACH_CLASS = (
    *("_name", "_inherit", "_inherits", "_register", "_module", "_custom"),
    *("_field_definitions", "_table_object_definitions"),
)


def get_own(cls):
    """Return the names of what the source of a model's class defines."""
    return [
        name
        for name in vars(cls)
        if not name.startswith("__") and name not in OF_EACH_CLASS
    ]


class Models(dict):
    """The models of a registry that no database has: as Odoo builds it, name by name."""

    descendants = Registry.descendants


@tagged("-at_install", "post_install")
class TestStructure(TransactionCase):
    """No order of imports means anything: what stands where changes nothing."""

    def _get_definitions(self):
        return MetaModel._module_to_models__[ADDON]

    def test_imports_are_sorted(self):
        for path in [ROOT / package / "__init__.py" for package in PACKAGES]:
            with self.subTest(package=path.parent.name):
                lines = path.read_text(encoding="utf-8").splitlines()
                self.assertEqual(lines, sorted(set(lines)))
                names = {line.removeprefix("from . import ") for line in lines}
                self.assertEqual(
                    names, {file.stem for file in path.parent.glob("[a-z]*.py")}
                )

    def test_no_model_overrides_itself(self):
        """Two classes of one model that define the same would need an order."""
        places = defaultdict(list)
        for cls in self._get_definitions():
            for name in get_own(cls):
                places[cls._name, name].append(cls.__module__)
        self.assertGreater(len(places), 1000)
        self.assertEqual(
            {place: found for place, found in places.items() if len(found) > 1}, {}
        )

    def test_methods_on_odoos_models_have_one_scheme(self):
        """_sms_ovh_<verb>_<noun>, but for what Odoo names by a prefix of its own."""
        for cls in self._get_definitions():
            if cls._name.startswith("sms.ovh."):
                continue
            for name in get_own(cls):
                if "ovh" not in name or not inspect.isfunction(vars(cls)[name]):
                    continue
                with self.subTest(model=cls._name, method=name):
                    self.assertRegex(name, SCHEME)

    # ------------------------------------------------------------
    # Any order
    # ------------------------------------------------------------

    def _get_imports(self):
        """Return the modules of this addon that each of them imports itself."""
        imports = {}
        for package in PACKAGES:
            for path in (ROOT / package).glob("[a-z]*.py"):
                found = []
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    if not isinstance(node, ast.ImportFrom) or not node.level:
                        continue
                    base = OWN if node.level == 2 else f"{OWN}{package}."
                    found += [
                        f"{base}{name}".removesuffix(".")
                        for name in (
                            [node.module]
                            if node.module
                            else [alias.name for alias in node.names]
                        )
                    ]
                imports[f"{OWN}{package}.{path.stem}"] = found
        return imports

    def _shuffle(self, rng):
        """Return our modules as Python would load them, were `__init__.py` shuffled."""
        imports = self._get_imports()
        order = []

        def load(module):
            if module in order or module not in imports:
                return
            for name in imports[module]:
                load(name)
            order.append(module)

        for package in PACKAGES:
            own = [name for name in imports if name.startswith(f"{OWN}{package}.")]
            for module in rng.sample(sorted(own), len(own)):
                load(module)
        return order

    def _build(self, order):
        """Return which of our modules each attribute of each model comes from.

        :param list order: our modules in the order in which they are loaded
        :rtype: dict[tuple[str, str], str]
        """
        registry = Models()
        loaded = self.env.registry._init_modules
        # In the order in which Odoo loaded them: dependencies first.
        for module, definitions in MetaModel._module_to_models__.items():
            if module in loaded and module != ADDON:
                for definition in definitions:
                    add_to_registry(registry, definition)
        by_module = defaultdict(list)
        for definition in self._get_definitions():
            by_module[definition.__module__].append(definition)
        for module in order:
            for definition in by_module[module]:
                add_to_registry(registry, definition)
        for model in registry.values():
            if model.__bases__ != model._base_classes__:
                model.__bases__ = model._base_classes__
        return {
            (model._name, attribute): cls.__module__
            for model in registry.values()
            for cls in reversed(model.__mro__)
            if cls.__module__.startswith(OWN)
            for attribute in get_own(cls)
        }

    def test_any_order_of_imports(self):
        expected = self._build(
            sorted(self._get_imports(), key=lambda name: (name.split(".")[3], name))
        )
        self.assertGreater(len(expected), 1000)
        for seed in range(ORDERS):
            with self.subTest(seed=seed):
                self.assertEqual(
                    self._build(self._shuffle(random.Random(seed))), expected
                )

    def test_tools_know_no_model(self):
        """They are given plain values, and an environment for its language only."""
        for path in (ROOT / "tools").glob("[a-z]*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                with self.subTest(file=path.name, line=getattr(node, "lineno", None)):
                    if isinstance(node, ast.ImportFrom):
                        self.assertNotIn("models", (node.module or "").split("."))
                    if isinstance(node, ast.Subscript):
                        self.assertNotRegex(ast.unparse(node.value), r"(^|\.)env$")

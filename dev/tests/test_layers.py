"""Packages of ``dev/`` import those below them only."""

import ast
from pathlib import Path

import pytest

DEV = Path(__file__).resolve().parent.parent
# From the bottom up; those of one layer know nothing of each other.
LAYERS = (
    {"kit"},
    {"provision"},
    {"ovh_simulator"},
    {"conformity", "crash", "lifecycle", "pictures", "upkeep"},
    {"bench"},
    {"commands"},
)
# What the commands name, to have it imported or run.
MODULES = {path.parent.name for path in DEV.glob("*/__init__.py")}
TESTS = DEV / "ovh_simulator" / "tests"


def _imported(path):
    """Return the packages of ``dev/`` that a file imports, other than its own."""
    own = path.relative_to(DEV).parts[0]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(node.module.split(".")[0])
    return (names & MODULES) - {own}


def test_every_package_has_its_layer():
    assert set().union(*LAYERS) == MODULES
    assert sum(map(len, LAYERS)) == len(MODULES)
    # `matrix` and `lint` are commands: no package bears such a name with an underscore.
    assert not [name for name in MODULES if name.endswith("_")]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_imports_point_down(name):
    layer = next(index for index, names in enumerate(LAYERS) if name in names)
    below = set().union(*LAYERS[:layer])
    for path in sorted((DEV / name).rglob("*.py")):
        if TESTS not in path.parents:
            assert _imported(path) <= below, path


def test_simulator_is_started_and_ordered_in_one_place():
    """By ``ovh_simulator.process`` and ``.client``, for the addon's tests, too."""
    own = DEV / "ovh_simulator"
    for path in [*DEV.rglob("*.py"), *(DEV.parent / "tests").glob("*.py")]:
        if own in path.parents or path == Path(__file__):
            continue
        text = path.read_text()
        # `./dev/simulator` becomes it.
        if path != DEV / "commands" / "__main__.py":
            assert '"ovh_simulator"' not in text, path
        assert "/simulator/{" not in text, path

"""The house stands: imports go down the floors, and what belongs to one room stays in it.

An import counts wherever it stands: at the top, inside a function, under TYPE_CHECKING.
"""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src"

PUBLIC = {"current", "registry"}
"""Rooms that callbacks reach through `from inisched import ...`."""

FLOORS = [
    {"model"},
    PUBLIC,
    {"timing"},
    {"config"},
    {"stores", "executors", "notifiers"},
    {"engine"},
    {"questions"},
    {"cli", "web"},
]
"""From the ground up: a room imports from its own folder and from floors below."""

BORDERS = {
    "schedule": {"timing"},
    "cronsim": {"timing"},
    "sqlite3": {"stores"},
    "prometheus_client": {"web"},
}
"""Modules of others, and the only folders that may import them."""


def floor_of(folder: str) -> int:
    """The public package itself (`inisched`) and `python -m inisched` belong to no floor."""
    return next(number for number, floor in enumerate(FLOORS) if folder in floor)


def folder_of(module: str) -> str:
    """ "inisched.timing.cron" lives in "timing", "inisched" and "inisched.__main__" in ""."""
    second = [*module.split("."), ""][1]
    return "" if second.startswith("__") else second


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path) -> Iterator[str]:
    """Every module the file imports; of `from a import b` the module `a.b` where there is one."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in MODULES else str(node.module)


IMPORTS = {module: set(imported(path)) for module, path in MODULES.items()}


def own_imports() -> Iterator[tuple[str, str]]:
    """Pairs (importer, imported) of our own modules."""
    for module, targets in IMPORTS.items():
        yield from ((module, target) for target in sorted(targets) if target in MODULES)


def test_every_folder_has_a_floor() -> None:
    known = set().union(*FLOORS, {""})
    assert [module for module in MODULES if folder_of(module) not in known] == []


def test_imports_only_go_down_the_floors() -> None:
    wrong = [
        f"{above} imports {below}"
        for above, below in own_imports()
        if folder_of(above) and folder_of(below)
        if folder_of(above) != folder_of(below)
        and floor_of(folder_of(above)) <= floor_of(folder_of(below))
    ]
    assert wrong == []


def test_the_public_package_shows_nothing_of_the_daemon() -> None:
    """Otherwise a callback's `from inisched import Result` would load it."""
    shown = {target for module, target in own_imports() if module == "inisched"}
    assert {folder_of(target) for target in shown} <= {"model", *PUBLIC}


def test_only_faces_import_the_public_package() -> None:
    """It imports what it shows: a lower room that imports it would close a ring."""
    users = {folder_of(module) for module, target in own_imports() if target == "inisched"}
    assert users <= {"", "cli", "web"}


def test_no_ring_of_imports() -> None:
    graph = {module: targets & MODULES.keys() for module, targets in IMPORTS.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as ring:
        pytest.fail(" <- ".join(ring.args[1]))


@pytest.mark.parametrize("foreign", BORDERS)
def test_a_foreign_module_stays_behind_its_border(foreign: str) -> None:
    users = {
        module
        for module, targets in IMPORTS.items()
        if any(target.split(".")[0] == foreign for target in targets)
    }
    assert {module for module in users if folder_of(module) not in BORDERS[foreign]} == set()

"""Which room may import which: rooms stand on floors, imports go down, and no modules import each other in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.house.checkout import python_files

# From the ground up. A room imports from floors below it and from itself, never from its own floor or above.
FLOORS = (
    ("pipeline.errors",),
    (
        "pipeline.settings",
        "pipeline.engine_memory",
        "pipeline.interruption",
        "pipeline.child_process",
        "pipeline.whole_files",
        "pipeline.locales",
        "pipeline.zones",
    ),
    ("pipeline.seen_files", "pipeline.secrets_file", "pipeline.private_files"),
    ("pipeline.state_version",),
    ("pipeline.run_records",),
    ("pipeline.pointer", "pipeline.vocabulary"),
    ("pipeline.periods.records",),
    ("pipeline.declarations",),
    ("pipeline.calendars",),
    ("pipeline.rules",),
    ("pipeline.ingest.files", "pipeline.ingest.tables", "pipeline.ingest.landed_views"),
    ("pipeline.ingest.forms", "expectations"),
    ("pipeline.ingest.landing", "pipeline.forecasting", "pipeline.reporting"),
    ("pipeline.evidence", "pipeline.quality", "pipeline.demo", "pipeline.delivery"),
    ("pipeline.warehouse",),
    ("pipeline.periods", "pipeline.doctor"),
    ("pipeline.privacy",),
    ("dashboards",),
    ("pipeline.cli",),
)
# Imports that a room must not make although the other stands below it: (room, imported) -> why.
KEPT_APART = {
    (
        "pipeline.ingest",
        "pipeline.calendars",
    ): "landing copies what an export says; hours are counted when it is judged",
}
# What breaks the order today: (module, imported) -> why. This list only ever gets shorter.
EXCEPTIONS = {
    (
        "pipeline.ingest.forms.derive_instant",
        "pipeline.calendars.advance",
    ): "an instant is derived from business minutes while it lands",
}
# What closes a circle today: (module, imported) -> why. This list only ever gets shorter.
CIRCLES = {
    (
        "pipeline.ingest.landing.preview",
        "pipeline.ingest.landing.landing_child",
    ): "a preview is read in the child process, and the module holds both ends of it",
}
# The empty module that makes a folder a package is no room.
PACKAGES = {"pipeline", "pipeline.ingest"}


def name_module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def list_imports(tree: ast.AST, modules: Mapping[str, ast.AST]) -> Iterator[str]:
    """Every module of the product that a file imports: at its top, within a function, or for its types only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from a.b import c` imports the module a.b.c, or something out of a.b.
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in modules else node.module for name in inside]
        else:
            continue
        yield from (name for name in names if name in modules)


def read_graph(files: Mapping[Path, str]) -> dict[str, set[str]]:
    """Module -> the modules of the product that it imports."""
    modules: dict[str, ast.AST] = {name_module(path): ast.parse(text) for path, text in files.items()}
    return {name: set(list_imports(tree, modules)) - {name} for name, tree in modules.items()}


GRAPH = read_graph(python_files("pipeline", "dashboards", "expectations"))
OPENED = {
    module: {imported for imported in imports if (module, imported) not in CIRCLES}
    for module, imports in GRAPH.items()
}


def is_within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def find_room(module: str) -> tuple[str, int] | None:
    """The room of a module and its floor; None for a module without one."""
    found = [(room, floor) for floor, rooms in enumerate(FLOORS) for room in rooms if is_within(module, room)]
    return max(found, default=None)


def judge_import(module: str, imported: str) -> str | None:
    """What is wrong with an import; None if it goes down."""
    here, there = find_room(module), find_room(imported)
    if here is None or there is None or here[0] == there[0]:
        return None
    for (room, other), reason in KEPT_APART.items():
        if is_within(module, room) and is_within(imported, other):
            return reason
    return None if there[1] < here[1] else f"{there[0]} does not stand below {here[0]}"


def find_circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle of imports, the first of them again at the end; empty without one."""
    done: set[str] = set()

    def follow(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module not in done:
            for imported in sorted(graph.get(module, ())):
                circle = follow(imported, [*trail, module])
                if circle:
                    return circle
            done.add(module)
        return []

    return next((circle for module in sorted(graph) if (circle := follow(module, []))), [])


def test_every_module_stands_in_a_room_of_the_order() -> None:
    assert {module for module in GRAPH if find_room(module) is None} == PACKAGES


def test_every_room_of_the_order_exists() -> None:
    assert [room for rooms in FLOORS for room in rooms if room not in GRAPH] == []


def test_no_room_imports_from_its_own_floor_or_above() -> None:
    found = {
        (module, imported): wrong
        for module, imports in GRAPH.items()
        for imported in imports
        if (wrong := judge_import(module, imported)) and (module, imported) not in EXCEPTIONS
    }
    assert found == {}


def test_every_exception_to_the_order_is_still_needed() -> None:
    assert [pair for pair in EXCEPTIONS if pair[1] not in GRAPH.get(pair[0], ())] == []
    assert [pair for pair in EXCEPTIONS if judge_import(*pair) is None] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert find_circle(OPENED) == []


def test_every_circle_that_is_excused_still_exists() -> None:
    for module, imported in CIRCLES:
        assert find_circle({**OPENED, module: {*OPENED[module], imported}}) != []


@pytest.mark.parametrize(
    ("module", "imported", "is_allowed"),
    [
        ("pipeline.rules.load_rules", "pipeline.calendars.load_calendars", True),
        ("pipeline.calendars.load_calendars", "pipeline.rules.load_rules", False),
        ("pipeline.rules.load_rules", "pipeline.rules.plan", True),
        ("pipeline.ingest.landing.land", "pipeline.reporting.published", False),
        ("pipeline.ingest.files.read_csv", "pipeline.ingest.tables", False),
        ("pipeline.ingest.files.read_csv", "pipeline.calendars.clock", False),
    ],
)
def test_imports_are_judged_by_floor_and_by_what_is_kept_apart(
    module: str, imported: str, is_allowed: bool
) -> None:
    assert (judge_import(module, imported) is None) == is_allowed


def test_imports_for_types_and_within_functions_are_seen() -> None:
    files = {
        Path(
            "pipeline/a.py"
        ): "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pipeline.b import B\n",
        Path("pipeline/b.py"): "def open_it():\n    from pipeline import a\n",
    }
    assert find_circle(read_graph(files)) == ["pipeline.a", "pipeline.b", "pipeline.a"]

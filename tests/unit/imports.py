"""What a module imports of this project, also inside functions, and what those modules import in turn."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from pipeline.settings import CHECKOUT


def list_imported(module: str) -> set[str]:
    """Paths below the checkout of `module` and of everything that it imports, but for empty packages. Imports for the type
    checker alone do not count.
    """
    found: set[Path] = set()
    waiting = _find_files(module)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _list_imports(path)
    return {path.relative_to(CHECKOUT).as_posix() for path in found if path.stat().st_size}


def _find_files(module: str) -> list[Path]:
    path = CHECKOUT.joinpath(*module.split("."))
    return [file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()]


@cache
def _list_imports(path: Path) -> list[Path]:
    files: list[Path] = []
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            files += [file for name in node.names for file in _find_files(name.name)]
        elif isinstance(node, ast.ImportFrom) and node.module:
            named = [node.module, *(f"{node.module}.{name.name}" for name in node.names)]
            files += [file for name in named for file in _find_files(name)]
        waiting += ast.iter_child_nodes(node)
    return files

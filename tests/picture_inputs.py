"""What the README's pictures of the dashboard are made of: the code of the pages, their English words and colours.

`make pictures` writes down what it was; tests/house/test_pictures.py fails while a picture is older than its page.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

from pipeline.settings import CHECKOUT

PICTURES = CHECKOUT / "data" / "pictures"
RECORD = PICTURES / "made-of.txt"
# The pages that are in a picture, and what every page is made of.
SHOWN = ("overview", "backlog", "entitlements", "ticket")
WORDS = CHECKOUT / "pipeline" / "reporting" / "words"


def list_inputs() -> list[Path]:
    """The files that a picture depends on, in the order of their names."""
    pages = CHECKOUT / "dashboards"
    shared = [
        path for path in pages.glob("*.py") if path.name not in ("serve.py", "viewer.py", "__init__.py")
    ]
    return sorted([
        *shared,
        *(pages / "views" / f"{name}.py" for name in SHOWN),
        pages / ".streamlit" / "config.toml",
        WORDS / "en.yml",
        WORDS / "pages" / "en.yml",
        CHECKOUT / "pipeline" / "reporting" / "figures.py",
        CHECKOUT / "pipeline" / "reporting" / "templates" / "palette.toml",
        CHECKOUT / "tests" / "pictures.py",
    ])  # fmt: skip


def hash_meaning(name: str, text: str) -> str:
    """Of code what it does, so that a comment or a docstring changes nothing; of any other file its text."""
    if name.endswith(".py"):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and ast.get_docstring(node) is not None
            ):
                node.body = node.body[1:]
        text = ast.dump(tree)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe_inputs() -> list[str]:
    """A line each: 'dashboards/app.py 0123456789abcdef'."""
    return [
        f"{path.relative_to(CHECKOUT).as_posix()} {hash_meaning(path.name, path.read_text(encoding='utf-8'))}"
        for path in list_inputs()
    ]


def describe_pictures() -> list[str]:
    """The same for the bytes of each picture of the dashboard."""
    return [
        f"{path.relative_to(CHECKOUT).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
        for path in sorted(PICTURES.glob("dashboard-*.png"))
    ]


def record() -> None:
    """Write down what the pictures that stand there now were made of."""
    RECORD.write_text("\n".join([*describe_inputs(), *describe_pictures()]) + "\n", encoding="utf-8")

"""What the rules of the house look at: tracked files, SQL without comments, model descriptions, the command's own list."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.settings import CHECKOUT, DBT_PROJECT

MODELS = DBT_PROJECT / "models"
MACROS = DBT_PROJECT / "macros"
PUBLISHED_LAYERS = ("core", "marts", "qc")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files that git tracks or would track: also those that are new and not ignored, so that a rule holds before the commit."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    paths = (CHECKOUT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def tracked_text() -> dict[Path, str]:
    """Every tracked text file with its content, but not the locks: thousands of lines that no person wrote."""
    texts = {}
    for path in tracked_files():
        if path.suffix == ".lock":
            continue
        try:
            texts[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def python_files(*rooms: str) -> dict[Path, str]:
    """Python files of the rooms, by path within the checkout."""
    return {
        path.relative_to(CHECKOUT): path.read_text(encoding="utf-8")
        for path in tracked_files()
        if path.suffix == ".py" and path.relative_to(CHECKOUT).parts[0] in rooms
    }


def sql_files(*folders: Path) -> dict[Path, str]:
    """SQL of the dbt project without comments, by path within the checkout."""
    return {
        path.relative_to(CHECKOUT): strip_comments(path.read_text(encoding="utf-8"))
        for folder in folders
        for path in sorted(folder.rglob("*.sql"))
        if "target" not in path.parts
    }


def strip_comments(sql: str) -> str:
    """SQL without comments: `--` inside a text ends it too, which no rule here minds."""
    without_jinja = re.sub(r"\{#.*?#\}", "", sql, flags=re.DOTALL)
    without_blocks = re.sub(r"/\*.*?\*/", "", without_jinja, flags=re.DOTALL)
    return re.sub(r"--[^\n]*", "", without_blocks)


def find_words(files: dict[Path, str], pattern: str) -> list[str]:
    """`path:line: text` of every line in which the pattern stands, in any case."""
    return [
        f"{path}:{number}: {line.strip()}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]


@cache
def described_models() -> dict[str, dict[str, Any]]:
    """Model name -> its entry in the yml files, with `layer` added."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", []):
            assert model["name"] not in found, f"{model['name']} is described twice"
            found[model["name"]] = model | {"layer": path.relative_to(MODELS).parts[0]}
    return found


def model_files(*layers: str) -> dict[str, Path]:
    return {path.stem: path for layer in layers for path in sorted((MODELS / layer).rglob("*.sql"))}


def list_commands() -> dict[str, str]:
    """Command of `sla` -> its help text."""
    import typer.main

    from pipeline.cli import app

    group = typer.main.get_command(app)
    return {name: command.help or "" for name, command in group.commands.items()}  # type: ignore[attr-defined]

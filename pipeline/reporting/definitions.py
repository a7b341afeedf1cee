"""What the published tables and their columns mean, in the words of the descriptions beside the models."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipeline.settings import DBT_PROJECT

_LAYERS = ("marts", "core", "qc")
_MODELS = DBT_PROJECT / "models"
_BLOCK = re.compile(r"{%\s*docs\s+(\w+)\s*%}(.*?){%\s*enddocs\s*%}", re.DOTALL)
_REFERENCE = re.compile(r"{{\s*doc\(\s*'(\w+)'\s*\)\s*}}")


@dataclass(frozen=True)
class ColumnDefinition:
    """One column of a published table and what it holds."""

    column: str
    description: str


@dataclass(frozen=True)
class TableDefinition:
    """One published table: its description, which begins with the grain, and its columns in their order."""

    table: str
    description: str
    columns: tuple[ColumnDefinition, ...]


@cache
def read_definitions() -> tuple[TableDefinition, ...]:
    """Every published table that a model makes, the marts first, by name. Tables are named `schema.table`."""
    blocks = _read_blocks()
    found = []
    for layer in _LAYERS:
        described: dict[str, TableDefinition] = {}
        for path in sorted((_MODELS / layer).glob("*.yml")):
            loaded = _load(path)
            # The forecasts are published beside the models, and made after them.
            sources = [table for source in loaded.get("sources", ()) for table in source["tables"]]
            for model in (*loaded.get("models", ()), *sources):
                table = f"{layer}.{model['name']}"
                columns = tuple(
                    ColumnDefinition(column["name"], _resolve(column.get("description", ""), blocks))
                    for column in model.get("columns", ())
                )
                described[table] = TableDefinition(table, _resolve(model["description"], blocks), columns)
        found += [described[table] for table in sorted(described)]
    return tuple(found)


def _load(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        described: Mapping[str, list[dict[str, Any]]] = yaml.CSafeLoader(file).get_single_data()
    return described


def _read_blocks() -> dict[str, str]:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(_MODELS.rglob("*.md")))
    return {name: block.strip() for name, block in _BLOCK.findall(text)}


def _resolve(description: str, blocks: Mapping[str, str]) -> str:
    told = _REFERENCE.sub(lambda match: blocks[match.group(1)], description)
    return " ".join(told.split())

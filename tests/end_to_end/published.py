"""A published build as a test looks at it: rows of SQL, and all its tables as text that can be compared."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb


def read_pointer(root: Path) -> dict[str, str]:
    return json.loads((root / "warehouse" / "published" / "current.json").read_text(encoding="utf-8"))


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """The rows of `sql` on the build that is served."""
    file = root / "warehouse" / "published" / read_pointer(root)["file"]
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def dump_tables(root: Path, *schemas: str) -> dict[str, str]:
    """Table -> its rows as text in a fixed order, header first."""
    file = root / "warehouse" / "published" / read_pointer(root)["file"]
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute(
            "select table_schema, table_name from information_schema.tables where list_contains(?, table_schema) order by all",
            [list(schemas)],
        ).fetchall()
        dumped = {}
        for schema, name in names:
            result = connection.execute(f'select * from "{schema}"."{name}" order by all')
            header = [f"{column[0]} {column[1]}" for column in result.description]
            dumped[f"{schema}.{name}"] = "\n".join([repr(header), *map(repr, result.fetchall())])
    return dumped


def read_month_name(name: str) -> str:
    """'2026-06' from what the pages say for it in English: 'June 2026', 'June 2026 (partial)'."""
    return f"{datetime.strptime(name.partition(' (')[0], '%B %Y'):%Y-%m}"

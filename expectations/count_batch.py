"""What of the expectations about landed rows is counted once per batch, because a batch never changes: kept in its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from expectations.checked_table import CheckedTable
from expectations.count_rows import EXAMPLES, Count, TableCounts, count_rows
from expectations.landed import build_landed
from pipeline.engine_memory import engine_memory
from pipeline.ingest.landed_views import create_landed_view
from pipeline.ingest.tables import LANDED_TABLES

_SCHEMA = "raw."
# Where the engine puts what does not fit into memory while it counts a large batch; in the folder of the batches.
_SPILLED = ".counting"


def count_batch(landed: Path, tables: Iterable[str], file_stem: str) -> dict[str, Any]:
    """The counts of one batch, as JSON says them: suite -> rows, and name of a count -> what was counted.

    `landed` is the folder of all batches, `tables` those that this one has, `file_stem` the name of its files, which is made of
    hashes. Raises duckdb.Error when a file cannot be read.
    """
    present = set(tables)
    kept: dict[str, Any] = {}
    # An export without a row has no file, and may be the first: then the folder is not there yet.
    if not present:
        return kept
    # The views name their files relative to this folder (landed_views.py says why).
    with chdir(landed), duckdb.connect(config=_bound()) as connection:
        connection.execute("create schema raw")
        for table, columns in LANDED_TABLES.items():
            files = [f"{table}/{file_stem}.parquet"] if table in present else []
            create_landed_view(connection, table, columns, files)
        for checked in _counted_tables(present):
            counted = count_rows(connection, checked)
            kept[checked.suite_name] = {
                "rows": counted.rows,
                "counts": {
                    name: asdict(count) | {"examples": [list(example) for example in count.examples]}
                    for name, count in counted.counts.items()
                },
            }
    return kept


def _bound() -> dict[str, Any]:
    return {"temp_directory": _SPILLED, "memory_limit": f"{engine_memory()}B"}


def has_counts(kept: Mapping[str, Any] | None, tables: Iterable[str]) -> bool:
    """Whether every count that the expectations need today was kept for a batch with these tables."""
    return kept is not None and all(_read(kept, checked) for checked in _counted_tables(set(tables)))


def find_counts(
    kept: Mapping[str, Any] | None, tables: Iterable[str], table: CheckedTable
) -> TableCounts | None:
    """What was kept of a table for a batch with these tables; None where it has no row of it. Raises ValueError for a count that
    is not there: a batch that was not counted must not pass for one in which nothing is broken.
    """
    if table not in _counted_tables(set(tables)):
        return None
    counts = _read(kept or {}, table)
    if counts is None:
        raise ValueError(f"the rows of {table.suite_name} were not counted")
    return counts


def _read(kept: Mapping[str, Any], table: CheckedTable) -> TableCounts | None:
    try:
        found = kept[table.suite_name]
        counts = {}
        for name in map(table.name_count, table.expectations):
            count = found["counts"][name]
            examples = tuple(tuple(example) for example in count["examples"])
            counts[name] = Count(count["rows"], count["judged"], count["broken"], examples, count["error"])
        return TableCounts(found["rows"], counts)
    except (KeyError, TypeError):
        return None


def add_counts(table: CheckedTable, batches: Sequence[tuple[str, TableCounts | None]]) -> TableCounts:
    """The counts of all batches together. Each is given with the name of its file, which is put before its examples."""
    counted = [(file, one) for file, one in batches if one is not None]
    return TableCounts(
        sum(one.rows for _, one in counted),
        {
            name: _add([(file, one.counts[name]) for file, one in counted])
            for name in map(table.name_count, table.expectations)
        },
    )


def _add(counts: Sequence[tuple[str, Count]]) -> Count:
    return Count(
        sum(count.rows for _, count in counts),
        sum(count.judged for _, count in counts),
        sum(count.broken for _, count in counts),
        tuple((file, *example) for file, count in counts for example in count.examples)[:EXAMPLES],
        next((count.error for _, count in counts if count.error), None),
    )


def _counted_tables(tables: set[str]) -> list[CheckedTable]:
    return [
        table
        for table in build_landed()
        if not table.needs_all_batches and table.table.removeprefix(_SCHEMA) in tables
    ]

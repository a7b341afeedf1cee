"""Counts in the engine how many rows of a table break its expectations: one pass for all of them, and no row leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from expectations.checked_table import CheckedTable, Expectation

EXAMPLES = 20


@dataclass(frozen=True)
class Count:
    """What one expectation found: `rows` that it looked at, `judged` ones that it says something of, and `broken` ones.

    `examples` are the first broken rows, at most 20, by what names them. `error` is the class of what was raised instead.
    """

    rows: int
    judged: int
    broken: int
    examples: tuple[tuple[Any, ...], ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class TableCounts:
    """The rows of a table, and `CheckedTable.name_count` -> what was counted."""

    rows: int
    counts: Mapping[str, Count]


def count_rows(connection: duckdb.DuckDBPyConnection, table: CheckedTable) -> TableCounts:
    """Count what breaks the expectations of a table. Raises duckdb.Error when the table itself cannot be read.

    An expectation that cannot be evaluated is counted alone and holds the class of the error; its message may quote a value.
    """
    # Two expectations may differ in their threshold alone.
    wanted = {table.name_count(one): one for one in table.expectations}
    try:
        rows, counts = _count(connection, table, wanted)
    except duckdb.Error:
        rows, _ = _count(connection, table, {})
        counts = {}
        for name, expectation in wanted.items():
            try:
                counts |= _count(connection, table, {name: expectation})[1]
            except duckdb.Error as problem:
                counts[name] = Count(rows, 0, 0, error=type(problem).__name__)
    return TableCounts(rows, counts)


def _count(
    connection: duckdb.DuckDBPyConnection, table: CheckedTable, wanted: Mapping[str, Expectation]
) -> tuple[int, dict[str, Count]]:
    selected = ["count(*)"]
    for one in wanted.values():
        selected.append(_count_where("*", one.where))
        selected.append(_count_where("*", one.where, one.judged))
        # As many hashes as rows prove that all rows differ; fewer are looked at once more.
        selected.append(
            _count_where(f"distinct hash({', '.join(one.columns)})", one.where, one.judged)
            if one.broken is None
            else _count_where("*", one.where, one.judged, one.broken)
        )
    [[rows, *found]] = connection.execute(
        f"select {', '.join(selected)} from ({table.query}) as seen"
    ).fetchall()
    counts = {}
    for place, (name, one) in enumerate(wanted.items()):
        looked_at, judged, last = found[3 * place : 3 * place + 3]
        if one.broken is None:
            broken, examples = _find_copies(connection, table, one) if last < judged else (0, ())
        else:
            broken, examples = last, _find_broken(connection, table, one) if last else ()
        counts[name] = Count(looked_at, judged, broken, examples)
    return rows, counts


def _count_where(counted: str, *conditions: str) -> str:
    # Without a filter that holds for all rows, the engine counts in half the time.
    said = [f"({one})" for one in conditions if one != "true"]
    return f"count({counted})" + (f" filter (where {' and '.join(said)})" if said else "")


def _judged(expectation: Expectation) -> str:
    return f"({expectation.where}) and ({expectation.judged})"


def _find_broken(
    connection: duckdb.DuckDBPyConnection, table: CheckedTable, one: Expectation
) -> tuple[tuple[Any, ...], ...]:
    if not table.named_by:
        return ()
    names = ", ".join(table.named_by)
    return tuple(
        connection.execute(
            f"select {names} from ({table.query}) as seen where {_judged(one)} and ({one.broken})"
            f" order by {names} limit {EXAMPLES}"
        ).fetchall()
    )


def _find_copies(
    connection: duckdb.DuckDBPyConnection, table: CheckedTable, one: Expectation
) -> tuple[int, tuple[tuple[Any, ...], ...]]:
    names = ", ".join(table.named_by) or "null"
    found = connection.execute(
        f"""
        select count(*) over () as broken, {names}
        from (
          select *, count(*) over (partition by {", ".join(one.columns)}) as copies
          from ({table.query}) as seen where {_judged(one)}
        ) as counted
        where copies > 1 order by {names} limit {EXAMPLES}
        """
    ).fetchall()
    broken = found[0][0] if found else 0
    return broken, tuple(row[1:] for row in found) if table.named_by else ()

"""What a table is checked against: the columns it must have and the expectations about its rows.

An expectation is SQL about one row, so that the engine counts all expectations of a table in one pass (count_rows.py). It has the
name that Great Expectations gives it, which judges the counts (pipeline/quality/judge_counts.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

# Kinds of columns, each with the engine types that may stand for it. HUGEINT is what a sum of BIGINT becomes.
TEXT = frozenset({"VARCHAR"})
WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"})
BOOLEAN = frozenset({"BOOLEAN"})
INSTANT = frozenset({"TIMESTAMP", "TIMESTAMP_S"})
DATE = frozenset({"DATE"})

Severity = Literal["critical", "warning"]


@dataclass(frozen=True)
class Expectation:
    """One expectation about the rows of a table, with its reason in `notes`.

    `where` chooses rows, and `judged` those of them that it says something of: SQL, as is `broken`, which is true of a judged row
    that breaks it. Without `broken`, rows with the same values in `columns` break it. It holds where at least the share `mostly`
    of the judged rows keeps it.
    """

    kind: str  # as Great Expectations calls it, without `expect_`
    columns: tuple[str, ...]
    severity: Severity
    notes: str
    judged: str
    broken: str | None
    where: str = "true"
    mostly: float = 1.0


def expect_column_values_to_not_be_null(
    *, column: str, severity: Severity, notes: str, where: str = "true", mostly: float = 1.0
) -> Expectation:
    return Expectation(
        "column_values_to_not_be_null",
        (column,),
        severity,
        notes,
        "true",
        f"{column} is null",
        where,
        mostly,
    )


def expect_column_values_to_be_null(
    *, column: str, severity: Severity, notes: str, where: str = "true"
) -> Expectation:
    return Expectation(
        "column_values_to_be_null", (column,), severity, notes, "true", f"{column} is not null", where
    )


def expect_column_values_to_be_in_set(
    *,
    column: str,
    value_set: Collection[str | bool],
    severity: Severity,
    notes: str,
    where: str = "true",
) -> Expectation:
    """Null is in no set and breaks it not: whether a value may lack is another expectation."""
    listed = ", ".join(map(_literal, value_set))
    return Expectation(
        "column_values_to_be_in_set",
        (column,),
        severity,
        notes,
        f"{column} is not null",
        f"{column} not in ({listed})",
        where,
    )


def expect_column_values_to_be_between(
    *,
    column: str,
    severity: Severity,
    notes: str,
    min_value: str | None = None,
    max_value: str | None = None,
    where: str = "true",
    mostly: float = 1.0,
) -> Expectation:
    """Both ends are inside; each is an SQL literal."""
    ends = [f"{column} < {min_value}"] if min_value is not None else []
    ends += [f"{column} > {max_value}"] if max_value is not None else []
    return Expectation(
        "column_values_to_be_between",
        (column,),
        severity,
        notes,
        f"{column} is not null",
        f"({' or '.join(ends)})",
        where,
        mostly,
    )


def expect_column_values_to_match_regex(
    *, column: str, regex: str, severity: Severity, notes: str, where: str = "true"
) -> Expectation:
    return Expectation(
        "column_values_to_match_regex",
        (column,),
        severity,
        notes,
        f"{column} is not null",
        f"not regexp_full_match({column}, {_literal(regex)})",
        where,
    )


def expect_column_pair_values_a_to_be_greater_than_b(
    *,
    column_a: str,
    column_b: str,
    severity: Severity,
    notes: str,
    or_equal: bool = False,
    where: str = "true",
) -> Expectation:
    """A row that lacks one of the values says nothing."""
    return Expectation(
        "column_pair_values_a_to_be_greater_than_b",
        (column_a, column_b),
        severity,
        notes,
        f"{column_a} is not null and {column_b} is not null",
        f"{column_a} {'<' if or_equal else '<='} {column_b}",
        where,
    )


def expect_column_pair_values_to_be_equal(
    *, column_a: str, column_b: str, severity: Severity, notes: str, where: str = "true"
) -> Expectation:
    """Two that are missing are equal, one that is missing is not."""
    return Expectation(
        "column_pair_values_to_be_equal",
        (column_a, column_b),
        severity,
        notes,
        "true",
        f"{column_a} is distinct from {column_b}",
        where,
    )


def expect_column_values_to_be_unique(
    *, column: str, severity: Severity, notes: str, where: str = "true"
) -> Expectation:
    return Expectation(
        "column_values_to_be_unique", (column,), severity, notes, f"{column} is not null", None, where
    )


def expect_compound_columns_to_be_unique(
    *, column_list: Sequence[str], severity: Severity, notes: str, where: str = "true"
) -> Expectation:
    """Missing values are equal."""
    return Expectation(
        "compound_columns_to_be_unique", tuple(column_list), severity, notes, "true", None, where
    )


def _literal(value: str | bool) -> str:
    # A constant of this folder; the engine takes no parameters in the place of most of them.
    return str(value).lower() if isinstance(value, bool) else "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True)
class CheckedTable:
    """One table with its checks.

    `columns` are the columns of `table` that a reader relies on; a missing one, or one of another kind, is a failure that an
    empty table shows too. `rows` is the query whose rows the expectations see, by default those columns. `named_by` are columns
    of it that tell a person which row it is, and are ids or places, never what a person wrote.

    Of a landed table: the rows of one batch are counted when it lands, unless `needs_all_batches`; and of the batches of a source
    that the query `sources` names, or of all.
    """

    table: str
    columns: Mapping[str, frozenset[str]]
    expectations: tuple[Expectation, ...]
    rows: str | None = None
    topic: str | None = None  # tells two suites on one table apart
    named_by: tuple[str, ...] = ()
    needs_all_batches: bool = False
    sources: str | None = None

    @property
    def suite_name(self) -> str:
        return self.table if self.topic is None else f"{self.table} ({self.topic})"

    @property
    def query(self) -> str:
        return self.rows or f"select {', '.join(self.columns)} from {self.table}"

    def name_count(self, expectation: Expectation) -> str:
        """What one of its expectations counts, by its content: what is kept under this name is never taken for another count."""
        return self._count_names[expectation]

    @cached_property
    def _count_names(self) -> Mapping[Expectation, str]:
        names = {}
        for one in self.expectations:
            counted = [self.query, self.named_by, one.columns, one.where, one.judged, one.broken]
            names[one] = hashlib.sha256(json.dumps(counted).encode()).hexdigest()[:16]
        return names

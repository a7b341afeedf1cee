"""What a table is checked against: the columns it must have and the expectations about its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from great_expectations import ExpectationSuite
from great_expectations.expectations import Expectation

# Kinds of columns, each with the engine types that may stand for it. HUGEINT is what a sum of BIGINT becomes.
TEXT = frozenset({"VARCHAR"})
WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT"})
BOOLEAN = frozenset({"BOOLEAN"})
INSTANT = frozenset({"TIMESTAMP", "TIMESTAMP_S"})
DATE = frozenset({"DATE"})


@dataclass(frozen=True)
class CheckedTable:
    """One table with its checks.

    `columns` are the columns of `table` that a reader relies on; a missing one, or one of another kind, is
    a failure that an empty table shows too. `rows` is the query whose rows the expectations see, by default
    those columns. Every expectation carries `severity` (critical or warning) and, in `notes`, its reason.
    """

    table: str
    columns: Mapping[str, frozenset[str]]
    expectations: tuple[Expectation, ...]
    rows: str | None = None
    topic: str | None = field(default=None)  # tells two suites on one table apart

    @property
    def suite_name(self) -> str:
        return self.table if self.topic is None else f"{self.table} ({self.topic})"

    @property
    def query(self) -> str:
        return self.rows or f"select {', '.join(self.columns)} from {self.table}"

    def build_suite(self) -> ExpectationSuite:
        return ExpectationSuite(name=self.suite_name, expectations=list(self.expectations))

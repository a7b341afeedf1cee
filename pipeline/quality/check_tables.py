"""Checks what arrives and what leaves; the dbt tests check what is built in between.

The engine counts what breaks an expectation (expectations/count_rows.py); Great Expectations judges the counts (judge_counts.py).
Results carry counts, column names and what names a row, never another value of it, because a value may be personal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Literal

import duckdb

from expectations.checked_table import CheckedTable, Expectation, Severity
from expectations.count_batch import add_counts, find_counts
from expectations.count_rows import Count, TableCounts, count_rows
from expectations.landed import build_landed
from expectations.published import build_published
from pipeline.quality.judge_counts import Judged, Verdict, judge_counts

if TYPE_CHECKING:
    from pipeline.ingest.landing.manifest import Batch

Status = Literal["passed", "failed", "error"]

_SHOWN_EXAMPLES = 3


@dataclass(frozen=True)
class CheckResult:
    """One expectation about one table. `failed` is about the data; `error` means that there is no answer."""

    suite: str  # 'landed' or 'published'
    table: str  # 'core.fct_sla_obligations', with a topic in brackets where a table has two suites
    expectation: str
    column: str | None
    severity: Severity
    status: Status
    observed: str  # counts, column names, and what names the first broken rows
    reason: str

    @property
    def check_name(self) -> str:
        return " ".join(part for part in (self.table, self.expectation, self.column) if part)

    @property
    def stops_publishing(self) -> bool:
        return self.severity == "critical" and self.status != "passed"


def check_landed(connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> list[CheckResult]:
    """Checks the landed tables in schema `raw` of an open build, made of these batches with their counts. Never raises over data.

    A threshold is of a whole table, so the counts of its batches are added up before they are judged. What needs several batches
    is counted here. Raises ValueError for a batch without its counts (`keep_counts`).
    """
    results: list[CheckResult] = []
    for table in build_landed():
        if table.needs_all_batches:
            results += check_tables(connection, "landed", [table])
            continue
        sources = None
        if table.sources is not None:
            sources = {source for (source,) in connection.execute(table.sources).fetchall()}
        counted = [
            (batch.source_file or batch.file, find_counts(batch.checks, batch.tables, table))
            for batch in batches
            if sources is None or batch.source in sources
        ]
        results += _check_table(connection, "landed", table, add_counts(table, counted))
    return results


def check_published(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Checks schemas `core` and `marts` of an open build. Never raises over data."""
    return check_tables(connection, "published", build_published())


def check_tables(
    connection: duckdb.DuckDBPyConnection, suite: str, tables: Iterable[CheckedTable]
) -> list[CheckResult]:
    """Counts and judges these tables, in this order."""
    return [result for table in tables for result in _check_table(connection, suite, table, None)]


def _check_table(
    connection: duckdb.DuckDBPyConnection, suite: str, table: CheckedTable, counted: TableCounts | None
) -> list[CheckResult]:
    """The columns, and the expectations by what was counted already; without that, it is counted here."""

    def result(expectation: str, status: Status, observed: str, reason: str) -> CheckResult:
        return CheckResult(suite, table.suite_name, expectation, None, "critical", status, observed, reason)

    try:
        schema_faults = _find_schema_faults(connection, table)
        if not schema_faults and counted is None:
            counted = count_rows(connection, table)
    except duckdb.Error as problem:
        # The engine's message may quote a value; its class does not.
        return [
            result(
                "can_be_read", "error", type(problem).__name__, "A table that cannot be read was not checked."
            )
        ]
    schema = result(
        "has_columns",
        "failed" if schema_faults else "passed",
        "; ".join(schema_faults) or f"{len(table.columns)} columns",
        "Pages, reports and later models read these columns by name and kind.",
    )
    if schema_faults or counted is None:
        return [schema]
    if not counted.rows and table.columns:
        return [schema]  # Every expectation about rows would hold, and prove nothing.
    try:
        results = _judge(suite, table, counted)
    except Exception as problem:  # noqa: BLE001 - a broken checker must be distinguished from bad data
        results = []
        observed = type(problem).__name__
    else:
        observed = "0 expectations"
    if not results:
        nothing = result(
            "evaluates_something", "error", observed, "A suite that evaluates nothing would pass any data."
        )
        return [schema, nothing]
    results.sort(key=lambda each: (each.column or "", each.expectation, each.severity, each.reason))
    return [schema, *results] if table.columns else results


def _find_schema_faults(connection: duckdb.DuckDBPyConnection, table: CheckedTable) -> list[str]:
    described = connection.execute(f"describe {table.table}").fetchall()  # a constant of expectations/
    kinds: Mapping[str, str] = {name: kind for name, kind, *_ in described}
    return [
        f"{column} is missing" if column not in kinds else f"{column} is {kinds[column]}"
        for column, accepted in table.columns.items()
        if kinds.get(column) not in accepted
    ]


def _judge(suite: str, table: CheckedTable, counted: TableCounts) -> list[CheckResult]:
    found = [(one, counted.counts[table.name_count(one)]) for one in table.expectations]
    judged = [
        Judged(
            f"{one.kind} {', '.join(one.columns)} ({number})",
            # None judged, none broken: it holds.
            1.0 if count.judged == 0 else (count.judged - count.broken) / count.judged,
            one.mostly,
            one.severity,
            one.notes,
        )
        for number, (one, count) in enumerate(found, start=1)
        if count.error is None
    ]
    verdicts = iter(judge_counts(table.suite_name, judged))
    return [
        _describe(suite, table, one, count, Verdict("error", count.error) if count.error else next(verdicts))
        for one, count in found
    ]


def _describe(
    suite: str, table: CheckedTable, one: Expectation, count: Count, verdict: Verdict
) -> CheckResult:
    if verdict.status == "error":
        observed = f"not evaluated: {verdict.error}"
    else:
        observed = f"{count.broken} of {count.rows} rows break it{_say_examples(table, count)}"
    return CheckResult(
        suite=suite,
        table=table.suite_name,
        expectation=one.kind,
        column=", ".join(one.columns),
        severity=one.severity,
        status=verdict.status,
        observed=observed,
        reason=one.notes,
    )


def _say_examples(table: CheckedTable, count: Count) -> str:
    if not count.examples:
        return ""
    if table.named_by[-1] == "line_number":
        shown = [
            f"{file} {'line' if len(lines) == 1 else 'lines'} {', '.join(lines)}".strip()
            for file, lines in _group_lines(count.examples[:_SHOWN_EXAMPLES])
        ]
    else:
        shown = [
            ", ".join(f"{name} {value}" for name, value in zip(table.named_by, example, strict=True))
            for example in count.examples[:_SHOWN_EXAMPLES]
        ]
    return f", such as {'; '.join(shown)}"


def _group_lines(examples: Iterable[tuple[object, ...]]) -> list[tuple[str, list[str]]]:
    """File -> lines, of examples that are a file and a line, or a line alone."""
    # A line may hold several records.
    places = dict.fromkeys((" ".join(map(str, file)), str(line)) for *file, line in examples)
    return [
        (file, [line for _, line in lines]) for file, lines in groupby(places, key=lambda place: place[0])
    ]

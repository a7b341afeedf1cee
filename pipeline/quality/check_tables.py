"""Checks what arrives and what leaves with Great Expectations; the dbt tests check what is built in between.

Great Expectations gets whole tables, cut to the checked columns: its SQL engine does not work on DuckDB.
Results carry counts and column names, never a value of a row, because a value may be personal.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import duckdb

if TYPE_CHECKING:  # Great Expectations takes more than two seconds to import, so only a check does.
    from expectations.checked_table import CheckedTable

Severity = Literal["critical", "warning"]
Status = Literal["passed", "failed", "error"]

_RAISED_CLASS = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception))(?=:|$)", re.MULTILINE)


@dataclass(frozen=True)
class CheckResult:
    """One expectation about one table. `failed` is about the data; `error` means that there is no answer."""

    suite: str  # 'landed' or 'published'
    table: str  # 'core.fct_sla_obligations', with a topic in brackets where a table has two suites
    expectation: str
    column: str | None
    severity: Severity
    status: Status
    observed: str  # counts and column names only
    reason: str

    @property
    def check_name(self) -> str:
        return " ".join(part for part in (self.table, self.expectation, self.column) if part)

    @property
    def stops_publishing(self) -> bool:
        return self.severity == "critical" and self.status != "passed"


def check_landed(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Checks the landed tables in schema `raw` of an open build. Never raises over data."""
    _import_great_expectations()
    from expectations.landed import build_landed

    return check_tables(connection, "landed", build_landed())


def check_published(connection: duckdb.DuckDBPyConnection) -> list[CheckResult]:
    """Checks schemas `core` and `marts` of an open build. Never raises over data."""
    _import_great_expectations()
    from expectations.published import build_published

    return check_tables(connection, "published", build_published())


def check_tables(
    connection: duckdb.DuckDBPyConnection, suite: str, tables: Iterable[CheckedTable]
) -> list[CheckResult]:
    """Checks these tables, in this order."""
    import great_expectations

    # Its context module logs every temporary folder it makes, at a level that it sets for itself.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    frames = context.data_sources.add_pandas("frames")
    return [result for table in tables for result in _check_table(connection, frames, suite, table)]


def _import_great_expectations() -> None:
    # Read while it is imported.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # It imports Spark where that is installed. Nothing here uses it, it takes seconds, and in a process that was started by
    # `python -c` it takes itself for a run of its doctests and ends the process with exit code 0.
    is_hidden = "pyspark" not in sys.modules
    if is_hidden:
        sys.modules["pyspark"] = None  # type: ignore[assignment]
    try:
        import great_expectations.compatibility.pyspark
        import great_expectations.expectations  # noqa: F401
    finally:
        if is_hidden:
            del sys.modules["pyspark"]


def _check_table(
    connection: duckdb.DuckDBPyConnection, frames: Any, suite: str, table: CheckedTable
) -> list[CheckResult]:
    def result(expectation: str, status: Status, observed: str, reason: str) -> CheckResult:
        return CheckResult(suite, table.suite_name, expectation, None, "critical", status, observed, reason)

    try:
        schema_faults = _find_schema_faults(connection, table)
        rows = None if schema_faults else connection.execute(table.query).df()
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
    if rows is None:
        return [schema]
    if rows.empty and table.columns:
        return [schema]  # Every expectation about rows would hold, and prove nothing.
    try:
        validated = _validate(frames, table, rows)
    except Exception as problem:  # noqa: BLE001 - a broken checker must be distinguished from bad data
        validated = []
        observed = type(problem).__name__
    else:
        observed = "0 expectations"
    if not validated:
        nothing = result(
            "evaluates_something", "error", observed, "A suite that evaluates nothing would pass any data."
        )
        return [schema, nothing]
    results = [_read_result(suite, table, entry) for entry in validated]
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


def _validate(frames: Any, table: CheckedTable, rows: Any) -> Sequence[Any]:
    asset = frames.add_dataframe_asset(table.suite_name)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": rows})
    # Counts only: no list of the values that broke an expectation.
    only_counts = {"result_format": "BASIC", "partial_unexpected_count": 0}
    return batch.validate(table.build_suite(), result_format=only_counts).results


def _read_result(suite: str, table: CheckedTable, entry: Any) -> CheckResult:
    config = entry.expectation_config
    status, observed = _read_outcome(entry)
    return CheckResult(
        suite=suite,
        table=table.suite_name,
        expectation=config.type.removeprefix("expect_"),
        column=_name_columns(config.kwargs),
        severity=config.severity.value,
        status=status,
        observed=observed,
        reason=config.notes,
    )


def _read_outcome(entry: Any) -> tuple[Status, str]:
    causes = _find_exceptions(entry.exception_info or {})
    if causes:
        return "error", f"not evaluated: {', '.join(causes)}"
    row_count = entry.result.get("element_count")
    broken_count = entry.result.get("unexpected_count")
    if row_count is None or broken_count is None:
        return "error", "not evaluated: no counts"
    return ("passed" if entry.success else "failed"), f"{broken_count} of {row_count} rows break it"


def _find_exceptions(exception_info: Mapping[str, Any]) -> list[str]:
    """Class names of what was raised: Great Expectations gives one record, or one per metric."""
    records = [exception_info] if "raised_exception" in exception_info else list(exception_info.values())
    tracebacks = [record["exception_traceback"] for record in records if record.get("raised_exception")]
    # The first class of a chain is the cause. Messages are left out: they may quote a value.
    chains = [_RAISED_CLASS.findall(traceback) for traceback in tracebacks]
    return sorted({chain[0] if chain else "unknown" for chain in chains})


def _name_columns(kwargs: Mapping[str, Any]) -> str | None:
    if "column" in kwargs:
        return str(kwargs["column"])
    names = kwargs.get("column_list") or [kwargs[key] for key in ("column_A", "column_B") if key in kwargs]
    return ", ".join(names) or None

"""The contract of a landed table, as set-based SQL: which columns a record must have and what each may hold.

All SQL here is put together from the constants of this package. Values, null markers and date formats are
bound or lie in Arrow tables; a file's text never becomes SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from pipeline.ingest.files.engine import INSTANT_SHAPE, quote
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.null_dates import NULL_DATE_SHAPE
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.ingest.tables import LANDED_TABLES, LINEAGE

_ISO_HINT = "Write instants with their zone, such as 2026-07-01T09:00:00Z."
FUTURE_REASON = "lies in the future: it is later than the instant at which the file landed"
FUTURE_HINT = "Correct its year or its time zone in the helpdesk, and export the record again."
_YEAR_HINT = "Correct it, or declare the value in null_markers of this source in sla.yml."
_ID_HINT = "Export it again without a spreadsheet in between; the digits that were lost cannot be recovered."
# 1.03006E+13, 1.8e19, 12345.0: what spreadsheets and floating point make of an id.
MANGLED_ID_SHAPE = r"[+-]?\d+(([.,]\d+)[eE][+-]?\d+|[eE]\+\d+|\.0+)"
_BOOLEANS = ("true", "false", "1", "0")


@dataclass(frozen=True)
class Field:
    """One landed column and what it may hold.

    `kind`: text, identifier, instant (ISO with zone), planned_instant (one that may lie
    in the future), integer, whole (up to 18 digits), wall_time (converted before; `<column>_utc` beside the
    text), boolean, choice, or as_is (whatever type the expression has, unchecked). `expression` is
    SQL over the record, `shown` the name in the export.
    """

    column: str
    kind: str = "text"
    expression: str | None = None
    shown: str | None = None
    is_required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.shown or self.column


@dataclass(frozen=True)
class Rule:
    """A condition over several columns that makes a record unusable.

    All three are SQL or text constants of ours.
    """

    condition: str
    column: str
    reason: str
    hint: str
    # SQL for the name of the column, when it differs from record to record.
    column_expression: str | None = None


@dataclass(frozen=True)
class Contract:
    """The fields and rules of one kind of record."""

    fields: tuple[Field, ...]
    rules: tuple[Rule, ...] = ()
    # Whether the null markers of the source apply: in formats whose nulls are text.
    has_null_markers: bool = False
    # Whether texts may hold a NUL, which JSON can write as an escape: asked only where a line has one.
    may_hold_nul: bool = False

    def judged(self, records: str) -> str:
        """SQL: `records` with typed columns and `problem` (null when usable).

        `records` has line_number, place and whatever the field expressions name.
        """
        raw = ", ".join(f"{self._raw(field)} as raw_{field.column}" for field in self.fields)
        utc = "".join(f", {field.column}_utc" for field in self.fields if field.kind == "wall_time")
        typed = ", ".join(f"{_typed(field)} as {field.column}" for field in self.fields)
        problems = [problem for field in self.fields for problem in _field_problems(field)]
        if self.may_hold_nul:
            problems = [_holds_nul(field) for field in self.fields if field.kind != "as_is"] + problems
        problems += [
            _when(
                rule.condition,
                rule.column_expression or quote(rule.column),
                f"raw_{rule.column}",
                rule.reason,
                quote(rule.hint),
            )
            for rule in self.rules
        ]
        problem = f"case {' '.join(problems)} end" if problems else "null"
        return f"""
            select *, {problem} as problem
            from (select line_number, place, {typed}, columns('^raw_') from
                 (select line_number, place, {raw}{utc} from ({records})))
        """

    def _raw(self, field: Field) -> str:
        expression = field.expression or field.column
        if field.kind in ("instant", "planned_instant", "wall_time"):
            expression = f"case when not regexp_full_match(trim({expression}), {quote(NULL_DATE_SHAPE)}) then {expression} end"
        if self.has_null_markers and field.kind != "as_is":
            return (
                f"case when not list_contains($null_markers::varchar[], {expression}) then {expression} end"
            )
        return expression


def judge_records(
    connection: duckdb.DuckDBPyConnection,
    writer: RowWriter,
    contract: Contract,
    records: str,
    table: str,
    parameters: dict[str, Any],
    selected: str | None = None,
) -> pa.Table:
    """Judge `records` (SQL): what cannot be used goes into quarantine, the rest comes back as `table`'s rows.

    `selected` is SQL over `judged` for a table that does not have one row per record.
    """
    judge(connection, contract, records, parameters)
    refused, rows = read_judged(connection, table, selected)
    writer.refuse(refused)
    return rows


def judge(
    connection: duckdb.DuckDBPyConnection, contract: Contract, records: str, parameters: dict[str, Any]
) -> None:
    """Judge `records` (SQL) into the table `judged`, which is read twice and computed once."""
    columns = ", ".join(field.column for field in contract.fields)
    sql = f"select line_number, place, {columns}, problem from ({contract.judged(records)})"
    # DuckDB refuses a parameter that the statement does not name.
    named = {name: value for name, value in parameters.items() if f"${name}" in sql}
    connection.execute(f"create or replace temp table judged as {sql}", named)


def read_judged(
    connection: duckdb.DuckDBPyConnection, table: str, selected: str | None = None
) -> tuple[list[Refused], pa.Table]:
    """What cannot be used of `judged`, and the rest as rows of `table`."""
    found = connection.sql(
        """
        select line_number, problem.column_name, left(problem.raw_value, 1000), problem.reason, problem.hint
        from judged where problem is not null order by line_number, place
        """
    ).to_arrow_table()
    refused = [Refused(*row) for row in zip(*(column.to_pylist() for column in found.columns), strict=True)]
    if selected is None:
        written = set(connection.sql("select * from judged limit 0").columns)
        columns = [name for name in LANDED_TABLES[table] if name in written and name not in LINEAGE]
        selected = f"select line_number, {', '.join(columns)} from judged where problem is null"
    return refused, connection.sql(selected).to_arrow_table()


def has_nul_escape(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether any of the registered `lines` of JSON may stand for text with a NUL in it."""
    found = connection.execute(
        "select 1 from lines where contains(line, $escape) limit 1", {"escape": "\\u0000"}
    ).fetchall()
    return bool(found)


def _typed(field: Field) -> str:
    raw = f"raw_{field.column}"
    match field.kind:
        case "instant" | "planned_instant":
            return f"utc_instant({raw})"
        case "wall_time":
            return f"case when {raw} is not null then {field.column}_utc end"
        case "integer":
            return f"try_cast({raw} as integer)"
        case "whole":
            return f"try_cast({raw} as bigint)"
        case "boolean":
            is_true, is_false = f"lower({raw}) in ('true', '1')", f"lower({raw}) in ('false', '0')"
            return f"case when {is_true} then true when {is_false} then false end"
        case _:
            return raw


def _field_problems(field: Field) -> list[str]:
    raw, typed, name = f"raw_{field.column}", field.column, quote(field.name)

    def problem(condition: str, reason: str, hint: str) -> str:
        return _when(condition, name, raw, reason, quote(hint))

    problems = []
    if field.is_required:
        empty = f"{raw} is null" if field.kind == "as_is" else f"{raw} is null or {raw} = ''"
        problems.append(
            _when(
                empty,
                name,
                "null",
                "is missing",
                quote("Every record needs it; check the export's settings."),
            )
        )
    match field.kind:
        case "identifier":
            problems.append(
                problem(
                    f"(contains({raw}, '.') or contains({raw}, '+') or contains({raw}, ',')) "
                    f"and regexp_full_match({raw}, {quote(MANGLED_ID_SHAPE)})",
                    "is a number that lost digits, not an id",
                    _ID_HINT,
                )
            )
        case "instant" | "planned_instant":
            problems += [
                problem(
                    f"{typed} is null and regexp_full_match({raw}, {quote(INSTANT_SHAPE)})",
                    "has no time zone",
                    _ISO_HINT,
                ),
                problem(f"{typed} is null and {raw} is not null", "is not a possible instant", _ISO_HINT),
                *_outside_time(field),
            ]
        case "wall_time":
            problems += [
                _when(
                    f"{typed} is null and {raw} is not null",
                    name,
                    raw,
                    "is not a possible time in the declared date format",
                    "'sla.yml declares the date format ' || $date_format || ' for this source; other "
                    "nulls go to null_markers.'",
                ),
                *_outside_time(field),
            ]
        case "integer" | "whole":
            digits = 9 if field.kind == "integer" else 18
            problems.append(
                problem(
                    f"{raw} is not null and not regexp_full_match({raw}, '-?\\d{{1,{digits}}}')",
                    "is not a whole number",
                    "Write digits only.",
                )
            )
        case "boolean":
            problems.append(
                problem(
                    f"{typed} is null and {raw} is not null",
                    "is neither true nor false",
                    f"Write one of {', '.join(_BOOLEANS)}.",
                )
            )
        case "choice":
            listed = ", ".join(quote(choice) for choice in field.choices)
            problems.append(
                problem(
                    f"{raw} not in ({listed})",
                    "is not in the closed list",
                    f"Write one of {', '.join(field.choices)}.",
                )
            )
    return problems


def _holds_nul(field: Field) -> str:
    raw = f"raw_{field.column}"
    return _when(
        f"contains({raw}, chr(0))",
        quote(field.name),
        f"replace({raw}, chr(0), '\\0')",
        "holds a NUL character",
        quote("Export the file again; text has no NUL."),
    )


def _outside_time(field: Field) -> list[str]:
    inside = f"{field.column} >= timestamp '1970-01-01' and {field.column} < timestamp '2201-01-01'"
    problems = [
        _when(
            f"not ({inside})",
            quote(field.name),
            f"raw_{field.column}",
            "lies outside the years 1970 to 2200",
            quote(_YEAR_HINT),
        )
    ]
    if field.kind != "planned_instant":
        problems.append(
            _when(
                f"{field.column} > latest_instant()",
                quote(field.name),
                f"raw_{field.column}",
                FUTURE_REASON,
                quote(FUTURE_HINT),
            )
        )
    return problems


def _when(condition: str, column: str, raw_value: str, reason: str, hint: str) -> str:
    return (
        f"when {condition} then {{'column_name': {column}, 'raw_value': ({raw_value})::varchar, "
        f"'reason': {quote(reason)}, 'hint': {hint}}}"
    )

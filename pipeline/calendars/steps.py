"""Clocks as lookup tables: how many seconds a calendar had been open at any instant, and back.

Time is cut into buckets of equal width, one row each, so wide that a bucket sees at most two open spans. Within a span,
an instant minus the closed seconds before it (since 1970) is the cumulative open seconds; between spans they do not change.
The cumulative open seconds are cut into buckets in the same way, each with at most two closings, to go back. So one look-up by
a dense whole-number key and a few comparisons answer any instant; the macros of `dbt_project/macros/business_time` are the only
readers of the two step tables. Step 0 of both belongs to no clock and is all null: the answer to what lies outside a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.calendars.calendar import DAY_SECONDS, Calendar, CalendarVersion
from pipeline.calendars.expand import Closure, expand_versions, list_closures, to_epoch
from pipeline.calendars.intervals import Intervals, join, merge
from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow

# How far beyond the data a due instant is looked for. What is not due by then (a calendar that never opens) is due never: null.
DUE_HORIZON_YEARS = 100
BUCKET_SECONDS = (86_400, 43_200, 21_600, 14_400, 7_200, 3_600, 1_800, 900, 300, 60, 30, 10, 5, 1)
# A width of seconds over decades would fill the memory; only hours that change several times within a minute need it.
MAXIMUM_STEPS = 50_000_000

# Table -> column -> type, in column order. TIMESTAMP is UTC to the second.
CLOCK_TABLES: dict[str, dict[str, str]] = {
    "clocks": {
        "clock_name": "VARCHAR",
        "clock_key": "BIGINT",
        "origin_epoch": "BIGINT",
        "ends_epoch": "BIGINT",
        "bucket_seconds": "BIGINT",
        "first_step": "BIGINT",
        "due_bucket_seconds": "BIGINT",
        "first_due_step": "BIGINT",
        "open_seconds_total": "BIGINT",
    },
    "clock_steps": {
        "step_key": "BIGINT",
        "open_before": "BIGINT",
        "closed_before_first": "BIGINT",
        "open_after_first": "BIGINT",
        "closed_before_second": "BIGINT",
        "open_after_second": "BIGINT",
    },
    "clock_due_steps": {
        "due_step_key": "BIGINT",
        "first_closing": "BIGINT",
        "closed_before_first": "BIGINT",
        "second_closing": "BIGINT",
        "closed_before_second": "BIGINT",
        "closed_before_third": "BIGINT",
    },
    "clock_intervals": {
        "clock_name": "VARCHAR",
        "opens_at": "TIMESTAMP",
        "closes_at": "TIMESTAMP",
        "calendar_version": "VARCHAR",
    },
    "clock_closures": {
        "clock_name": "VARCHAR",
        "closed_on": "DATE",
        "starts_at": "TIMESTAMP",
        "ends_at": "TIMESTAMP",
        "reason": "VARCHAR",
    },
}

Columns = dict[str, Any]

_YEAR_SECONDS = 366 * DAY_SECONDS
# Later than any instant, and far from overflowing when an instant is subtracted.
_NEVER = 1 << 60
# 9970-01-01: Python's dates end with 9999, and calendars look some years further.
_LAST_EPOCH = 252_455_616_000


@dataclass(frozen=True)
class Clocks:
    """The tables of one build, named as the models name them (schema `raw`). Instants are naive UTC, to the second."""

    clocks: pyarrow.Table
    clock_steps: pyarrow.Table
    clock_due_steps: pyarrow.Table
    clock_intervals: pyarrow.Table
    clock_closures: pyarrow.Table

    def by_name(self) -> dict[str, pyarrow.Table]:
        return dict(vars(self))


def build_clocks(
    calendars: Mapping[str, Calendar],
    starts_at: datetime,
    ends_at: datetime,
    target_seconds_by_calendar: Mapping[str, int],
    with_explanations: bool = True,
) -> Clocks:
    """The clocks of all calendars from `starts_at` to `ends_at` (UTC), both answerable.

    A clock answers instants with origin_epoch <= t < ends_epoch. It reaches further than asked for where it must: until its
    target (open seconds) can have passed after `ends_at`, at most DUE_HORIZON_YEARS. `with_explanations` fills clock_intervals
    and clock_closures, which no look-up needs. Raises ConfigurationError for hours too fine for a table.
    """
    first, last = to_epoch(starts_at), to_epoch(ends_at)
    clocks: list[dict[str, Any]] = []
    steps: list[Columns] = []
    due_steps: list[Columns] = []
    intervals: list[Columns] = []
    closures: list[Columns] = []
    next_step = next_due_step = 1
    for key, name in enumerate(sorted(calendars)):
        calendar = calendars[name]
        ends_epoch, by_version = _reach(calendar, first, last, target_seconds_by_calendar.get(name, 0))
        runs = merge(join([hours for _, hours in by_version]))
        width, step_rows = _build_steps(name, runs, first, ends_epoch)
        due_width, due_rows = _build_due_steps(name, runs, first)
        steps.append(step_rows)
        due_steps.append(due_rows)
        clocks.append(
            {
                "clock_name": name,
                "clock_key": key,
                "origin_epoch": first,
                "ends_epoch": ends_epoch,
                "bucket_seconds": width,
                "first_step": next_step,
                "due_bucket_seconds": due_width,
                "first_due_step": next_due_step,
                "open_seconds_total": int((runs[1] - runs[0]).sum()),
            }
        )
        next_step += len(step_rows["open_before"])
        next_due_step += len(due_rows["first_closing"])
        if with_explanations:
            intervals += [_describe_intervals(name, version.label, hours) for version, hours in by_version]
            closures.append(_describe_closures(name, list_closures(calendar, first, ends_epoch)))
    return Clocks(
        clocks=_build_table(
            "clocks", [{column: [clock[column] for clock in clocks] for column in CLOCK_TABLES["clocks"]}]
        ),
        clock_steps=_build_table("clock_steps", _number("clock_steps", "step_key", steps)),
        clock_due_steps=_build_table(
            "clock_due_steps", _number("clock_due_steps", "due_step_key", due_steps)
        ),
        clock_intervals=_build_table("clock_intervals", intervals),
        clock_closures=_build_table("clock_closures", closures),
    )


def _reach(
    calendar: Calendar, first: int, last: int, target_seconds: int
) -> tuple[int, list[tuple[CalendarVersion, Intervals]]]:
    """How far the clock must reach so that the target can pass after `last`, and the open intervals until there."""
    years = 0
    while True:
        # Whole days after `first`, so that the last bucket of any width is whole too.
        days = (min(last + years * _YEAR_SECONDS, _LAST_EPOCH) - first) // DAY_SECONDS + 1
        ends_epoch = first + days * DAY_SECONDS
        by_version = list(expand_versions(calendar, first, ends_epoch))
        open_seconds = sum(
            int(np.maximum(ends - np.maximum(starts, last), 0).sum()) for _, (starts, ends) in by_version
        )
        if open_seconds >= target_seconds or years >= DUE_HORIZON_YEARS or ends_epoch > _LAST_EPOCH:
            return ends_epoch, by_version
        # The rate so far says how far to look; at least twice as far as before.
        expected = target_seconds * years // open_seconds + 1 if open_seconds else 0
        years = min(max(1, 2 * years, expected), DUE_HORIZON_YEARS)


def _build_steps(name: str, runs: Intervals, origin: int, ends_epoch: int) -> tuple[int, Columns]:
    """Bucket width, and per bucket the first two open runs that end after its start."""
    opens, closes = runs
    first_bucket, last_bucket = (opens - origin), (closes - 1 - origin)
    width = next(w for w in BUCKET_SECONDS if np.all(last_bucket[:-2] // w < first_bucket[2:] // w) or w == 1)
    starts = origin + _number_steps(name, (ends_epoch - origin) // width) * width
    open_at_closing = np.cumsum(closes - opens)
    total = open_at_closing[-1:] if len(opens) else np.zeros(1, np.int64)
    open_after = np.concatenate([open_at_closing, total, total])
    opens = np.append(opens, [_NEVER, _NEVER])
    # Closed time from the epoch to within a run: an instant minus this is its cumulative open seconds.
    closed_before = opens - np.concatenate([[0], open_after[:-1]])
    run = np.searchsorted(closes, starts, side="right")
    return width, {
        "open_before": open_after[run]
        - (np.append(closes, [_NEVER, _NEVER])[run] - np.maximum(starts, opens[run])),
        "closed_before_first": closed_before[run],
        "open_after_first": open_after[run],
        "closed_before_second": closed_before[run + 1],
        "open_after_second": open_after[run + 1],
    }


def _build_due_steps(name: str, runs: Intervals, origin: int) -> tuple[int, Columns]:
    """Bucket width, and per bucket of cumulative open seconds the first two closings at or after its start."""
    opens, closes = runs
    open_at_closing = np.cumsum(closes - opens)
    # No open second has passed at the origin, whenever the calendar opens first: as if it had closed there.
    closings = np.concatenate([[0], open_at_closing])
    closed_before = np.concatenate([[origin], closes - open_at_closing])
    width = next(w for w in BUCKET_SECONDS if np.all(closings[:-2] // w < closings[2:] // w) or w == 1)
    starts = _number_steps(name, int(closings[-1]) // width + 1) * width
    closing = np.searchsorted(closings, starts, side="left")
    closings = np.append(closings, [_NEVER, _NEVER])
    closed_before = np.append(closed_before, [0, 0])
    return width, {
        "first_closing": closings[closing],
        "closed_before_first": closed_before[closing],
        "second_closing": closings[closing + 1],
        "closed_before_second": closed_before[closing + 1],
        "closed_before_third": closed_before[np.minimum(closing + 2, len(closed_before) - 1)],
    }


def _number_steps(name: str, count: int) -> np.ndarray:
    if count > MAXIMUM_STEPS:
        raise ConfigurationError(
            f"The calendar {name!r} opens or closes more than twice within a minute, which is too fine for {count} steps. "
            "Write hours and `valid_from` instants on whole minutes."
        )
    return np.arange(count, dtype=np.int64)


def _number(table: str, key: str, parts: list[Columns]) -> list[Columns]:
    """Step 0, which is all null, and the parts, numbered through without a gap: DuckDB joins such a key by array look-up."""
    columns = [column for column in CLOCK_TABLES[table] if column != key]
    numbered: list[Columns] = [{key: [0], **{column: [None] for column in columns}}]
    first = 1
    for part in parts:
        count = len(next(iter(part.values())))
        numbered.append({key: np.arange(first, first + count, dtype=np.int64), **part})
        first += count
    return numbered


def _describe_intervals(name: str, version: str, hours: Intervals) -> Columns:
    count = len(hours[0])
    return {
        "clock_name": [name] * count,
        "opens_at": hours[0],
        "closes_at": hours[1],
        "calendar_version": [version] * count,
    }


def _describe_closures(name: str, closures: list[Closure]) -> Columns:
    return {
        "clock_name": [name] * len(closures),
        "closed_on": [closure.closed_on for closure in closures],
        "starts_at": np.array([closure.starts_epoch for closure in closures], np.int64),
        "ends_at": np.array([closure.ends_epoch for closure in closures], np.int64),
        "reason": [closure.reason for closure in closures],
    }


def _build_table(table: str, parts: list[Columns]) -> pyarrow.Table:
    import pyarrow

    columns = {}
    for column, sql_type in CLOCK_TABLES[table].items():
        arrow_type = _arrow_type(sql_type)
        values = [part[column] for part in parts]
        chunks = [
            # Epoch seconds; the tables keep microseconds, as DuckDB's TIMESTAMP does.
            pyarrow.array(np.asarray(v, np.int64) * 1_000_000).cast(arrow_type)
            if sql_type == "TIMESTAMP"
            else pyarrow.array(v, arrow_type)
            for v in values
        ]
        columns[column] = pyarrow.chunked_array(chunks, arrow_type)
    return pyarrow.table(columns)


def _arrow_type(sql_type: str) -> Any:
    import pyarrow

    return {
        "VARCHAR": pyarrow.string(),
        "BIGINT": pyarrow.int64(),
        "DATE": pyarrow.date32(),
        "TIMESTAMP": pyarrow.timestamp("us"),
    }[sql_type]

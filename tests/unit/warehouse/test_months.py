"""When a month still runs: the model `dim_months` on its own, on the months that the package lists for each zone."""

from __future__ import annotations

from datetime import datetime

import duckdb
import jinja2
import pytest

from pipeline.settings import DBT_PROJECT
from pipeline.zones import list_zone_months

ZONES = ("America/New_York", "Asia/Kolkata", "Europe/Berlin", "Europe/London", "UTC")


def read_months(as_of: str) -> duckdb.DuckDBPyConnection:
    """`dim_months` of 2026 as a view `months`, with the data known up to `as_of` (UTC)."""
    macros = (DBT_PROJECT / "macros/business_time/months.sql").read_text(encoding="utf-8")
    model = (DBT_PROJECT / "models/core/dim_months.sql").read_text(encoding="utf-8")
    sql = jinja2.Template(macros + model).render(source=lambda schema, table: f"{schema}.{table}")
    connection = duckdb.connect()
    connection.register("listed", list_zone_months(ZONES, datetime(2025, 11, 30), datetime(2027, 2, 1)))
    connection.execute("create schema raw; create table raw.zone_months as select * from listed")
    connection.execute("create table raw.build_inputs as select ?::timestamp as as_of", [as_of])
    connection.execute(f"create view months as {sql}")
    return connection


@pytest.mark.parametrize(
    ("time_zone", "as_of", "is_running"),
    [
        # UTC: June ends at midnight.
        ("UTC", "2026-06-30 23:59:42", True),
        ("UTC", "2026-06-30 23:59:59", True),
        ("UTC", "2026-07-01 00:00:00", False),
        # Berlin, UTC+2 in summer: 24 h - 2 h = 22:00.
        ("Europe/Berlin", "2026-06-30 21:59:59", True),
        ("Europe/Berlin", "2026-06-30 22:00:00", False),
        ("Europe/Berlin", "2026-06-30 23:59:42", False),
        # Kolkata, UTC+5:30: 24 h - 5 h 30 min = 18:30.
        ("Asia/Kolkata", "2026-06-30 18:29:59", True),
        ("Asia/Kolkata", "2026-06-30 18:30:00", False),
        # New York, UTC-4 in summer: 04:00 on 1 July.
        ("America/New_York", "2026-06-30 23:59:42", True),
        ("America/New_York", "2026-07-01 03:59:59", True),
        ("America/New_York", "2026-07-01 04:00:00", False),
    ],
)
def test_june_runs_until_it_has_ended_in_the_zone(time_zone: str, as_of: str, is_running: bool) -> None:
    months = read_months(as_of)
    found = months.execute(
        "select month, is_month_running, is_current_month from months"
        " where time_zone = ? and month between '2026-05' and '2026-07' order by month",
        [time_zone],
    ).fetchall()
    assert found == [
        ("2026-05", False, False),
        ("2026-06", is_running, is_running),
        ("2026-07", True, not is_running),
    ]


def test_month_that_begins_at_midnight_utc_after_one_that_did_not_has_its_own_bounds() -> None:
    # London leaves summer time on 25 October: October begins at 23:00 UTC of the day before, November at midnight.
    months = read_months("2026-06-30 23:59:42")
    found = months.execute(
        "select month, starts_at, ends_at from months"
        " where time_zone = 'Europe/London' and month in ('2026-10', '2026-11') order by month"
    ).fetchall()
    assert found == [
        ("2026-10", datetime(2026, 9, 30, 23), datetime(2026, 11, 1)),
        ("2026-11", datetime(2026, 11, 1), datetime(2026, 12, 1)),
    ]


@pytest.mark.parametrize("time_zone", ZONES)
def test_every_month_of_a_zone_begins_where_the_one_before_it_ends(time_zone: str) -> None:
    bounds = read_months("2026-06-30 23:59:42").execute(
        "select starts_at, ends_at from months where time_zone = ? order by month", [time_zone]
    )
    rows = bounds.fetchall()
    assert [starts for starts, _ in rows[1:]] == [ends for _, ends in rows[:-1]]
    assert len(rows) >= 12

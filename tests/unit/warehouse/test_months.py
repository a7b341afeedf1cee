"""When a month still runs, and from when on it may be closed: `dim_months` and what it rests on, on the months, days and
calendars that the package lists for each zone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import jinja2
import pytest

from pipeline.calendars.calendar import Calendar
from pipeline.calendars.load_calendars import load_calendars
from pipeline.calendars.steps import build_clocks
from pipeline.settings import DBT_PROJECT
from pipeline.zones import list_zone_days, list_zone_months

ZONES = ("America/New_York", "Asia/Kolkata", "Europe/Berlin", "Europe/London", "UTC")


def read_months(
    as_of: str,
    *,
    calendars: dict[str, Calendar] | None = None,
    plans: tuple[tuple[str, str], ...] = (),
    grace: int = 5,
) -> duckdb.DuckDBPyConnection:
    """`dim_months` of 2026 as a view `months`, with the data known up to `as_of` (UTC). `plans`: zone and availability
    calendar."""
    macros = (DBT_PROJECT / "macros/business_time/months.sql").read_text(encoding="utf-8")
    connection = duckdb.connect()
    connection.execute("create schema raw")

    def load(name: str, rows: object) -> None:
        connection.register("listed", rows)
        connection.execute(f"create table raw.{name} as select * from listed")
        connection.unregister("listed")

    load("zone_months", list_zone_months(ZONES, datetime(2025, 11, 30), datetime(2027, 2, 1)))
    load("zone_days", list_zone_days(ZONES, datetime(2025, 11, 30), datetime(2027, 2, 1)))
    clocks = build_clocks(
        calendars or {}, datetime(2025, 11, 30, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC), {}
    )
    for name, rows in clocks.by_name().items():
        load(name, rows)
    connection.execute("create table raw.period_rules as select ?::integer as grace_business_days", [grace])
    connection.execute("create table raw.build_inputs as select ?::timestamp as as_of", [as_of])
    connection.execute(
        "create table raw.plan_versions(time_zone varchar, availability_clock varchar, valid_from timestamp, valid_to timestamp)"
    )
    for plan in plans:
        connection.execute(
            "insert into raw.plan_versions values (?, ?, '2020-01-01', '9999-12-31')", list(plan)
        )
    for folder, model in (("intermediate/periods", "int_periods__months"), ("core", "dim_months")):
        text = (DBT_PROJECT / "models" / folder / f"{model}.sql").read_text(encoding="utf-8")
        sql = jinja2.Template(macros + text).render(
            source=lambda schema, table: f"{schema}.{table}", ref=lambda name: name
        )
        connection.execute(f"create view {model} as {sql}")
    connection.execute("create view months as select * from dim_months")
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


CALENDARS = """\
calendars:
  weekdays: {time_zone: UTC, weekly: {mon: ["06:00-21:00"], tue: ["06:00-21:00"], wed: ["06:00-21:00"], thu: ["06:00-21:00"],
    fri: ["06:00-21:00"]}}
  berlin_with_a_holiday: {time_zone: Europe/Berlin, weekly: {mon: ["09:00-17:00"], tue: ["09:00-17:00"], wed: ["09:00-17:00"],
    thu: ["09:00-17:00"], fri: ["09:00-17:00"]}, holidays: ["2026-07-03"]}
  mondays: {time_zone: UTC, weekly: {mon: ["09:00-10:00"]}}
"""


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Calendar]:
    file: Path = tmp_path_factory.mktemp("calendars") / "calendars.yml"
    file.write_text(CALENDARS, encoding="utf-8")
    return load_calendars(file)


@pytest.mark.parametrize(
    ("time_zone", "clocks", "grace", "closes_at"),
    [
        # 1 July 2026 is a Wednesday. Business days 1, 2, 3, 6, 7 July: the fifth ends with 7 July.
        ("UTC", ("weekdays",), 5, "2026-07-08 00:00:00"),
        # A calendar that is always open: Monday to Friday, the same days.
        ("UTC", ("always",), 5, "2026-07-08 00:00:00"),
        # No plan in the zone: Monday to Friday too.
        ("UTC", (), 5, "2026-07-08 00:00:00"),
        # Friday 3 July is closed: 1, 2, 6, 7, 8 July, and Berlin's 8 July ends at 22:00 UTC.
        ("Europe/Berlin", ("berlin_with_a_holiday",), 5, "2026-07-08 22:00:00"),
        # Of two plans the later one: Mondays 6, 13, 20, 27 July and 3 August.
        ("UTC", ("weekdays", "mondays"), 5, "2026-08-04 00:00:00"),
        ("UTC", ("weekdays",), 1, "2026-07-02 00:00:00"),
        # No grace period: as soon as June has ended in the zone.
        ("Europe/Berlin", ("berlin_with_a_holiday",), 0, "2026-06-30 22:00:00"),
    ],
)
def test_june_may_be_closed_at_the_end_of_the_last_business_day_of_its_grace_period(
    calendars: dict[str, Calendar], time_zone: str, clocks: tuple[str, ...], grace: int, closes_at: str
) -> None:
    plans = tuple((time_zone, clock) for clock in clocks)
    months = read_months("2026-07-04 12:00:00", calendars=calendars, plans=plans, grace=grace)
    found = months.execute(
        "select closes_at from months where time_zone = ? and month = '2026-06'", [time_zone]
    ).fetchall()
    assert found == [(datetime.fromisoformat(closes_at),)]


@pytest.mark.parametrize(
    ("as_of", "state"),
    [
        ("2026-06-30 21:59:59", "open"),
        ("2026-06-30 22:00:00", "provisional"),
        ("2026-07-08 21:59:59", "provisional"),
        ("2026-07-08 22:00:00", "due"),
        ("2026-07-08 22:00:01", "due"),
    ],
)
def test_june_is_open_then_provisional_then_due_in_berlin(
    calendars: dict[str, Calendar], as_of: str, state: str
) -> None:
    months = read_months(as_of, calendars=calendars, plans=(("Europe/Berlin", "berlin_with_a_holiday"),))
    found = months.execute(
        "select period_state from months where time_zone = 'Europe/Berlin' and month = '2026-06'"
    ).fetchall()
    assert found == [(state,)]


def test_month_whose_grace_period_the_calendars_do_not_reach_stays_provisional(
    calendars: dict[str, Calendar],
) -> None:
    # Sixty Mondays after June 2026 end in August 2027; the days that are listed end in February 2027.
    months = read_months("2027-01-15 00:00:00", calendars=calendars, plans=(("UTC", "mondays"),), grace=60)
    found = months.execute(
        "select period_state, closes_at from months where time_zone = 'UTC' and month = '2026-06'"
    ).fetchall()
    assert found == [("provisional", None)]

"""Local days and hours: what the package lists for each zone, and the hours that the mart counts by, against the zone rules."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import jinja2
import pytest

from pipeline.calendars.render_macros import load_macros
from pipeline.settings import DBT_PROJECT
from pipeline.zones import list_zone_days

# Berlin changes its clocks at night, Lord Howe by half an hour; in Cairo a day begins at 01:00 when summer time does.
ZONES = ("Africa/Cairo", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Europe/Berlin", "UTC")
HALF_HOUR = timedelta(minutes=30)


def read_hours(instants: list[tuple[str, datetime]]) -> dict[tuple[str, str, int, int], int]:
    """Tickets by zone, month, weekday and hour, as `mart_manager__hourly_counts` counts them; one at each instant."""
    connection = duckdb.connect()
    connection.execute("create schema raw")
    days = list_zone_days(ZONES, datetime(2026, 1, 1), datetime(2026, 12, 31))
    connection.register("listed", days)
    connection.execute("create table raw.zone_days as select * from listed")
    connection.execute("create table raw.build_inputs as select timestamp '2027-01-05' as as_of")
    connection.execute("create view dim_builds as select as_of from raw.build_inputs")
    connection.execute("create table instants(time_zone varchar, submitted_at timestamp)")
    connection.executemany(
        "insert into instants values (?, ?)", [(zone, each.replace(tzinfo=None)) for zone, each in instants]
    )
    connection.execute(
        """
        create view dim_tickets as
        select 'acme' as customer_id, 'gold' as plan, time_zone as plan_version, 3 as severity_submitted, submitted_at
        from instants;
        create view dim_plan_versions as select distinct time_zone as plan_version, time_zone from instants;
        create view dim_customers as select 'acme' as customer_id;
        create table fct_sla_obligations(
            status varchar, customer_id varchar, plan varchar, severity_in_force integer, obligation varchar, time_zone varchar,
            breached_at timestamp
        );
        """
    )
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - SQL, not HTML
    environment.globals.update(
        load_macros(), ref=lambda name: name, source=lambda schema, table: f"{schema}.{table}"
    )
    for folder, model in (
        ("core", "dim_days"),
        ("core", "dim_utc_days"),
        ("marts", "mart_manager__hourly_counts"),
    ):
        sql = (DBT_PROJECT / "models" / folder / f"{model}.sql").read_text(encoding="utf-8")
        connection.execute(f"create view {model} as {environment.from_string(sql).render()}")
    found = connection.execute(
        "select time_zone, month, weekday, hour_of_day, event_count from mart_manager__hourly_counts"
    ).fetchall()
    return {(zone, month, weekday, hour): count for zone, month, weekday, hour, count in found}


def test_hour_and_weekday_are_those_of_the_wall_clock_on_every_half_hour_of_a_year() -> None:
    start = datetime(2026, 1, 2, tzinfo=UTC)
    instants = [(zone, start + n * HALF_HOUR) for zone in ZONES for n in range(2 * 24 * 360)]
    expected: Counter[tuple[str, str, int, int]] = Counter()
    for zone, instant in instants:
        local = instant.astimezone(ZoneInfo(zone))
        expected[zone, f"{local:%Y-%m}", local.isoweekday(), local.hour] += 1
    assert read_hours(instants) == dict(expected)


@pytest.mark.parametrize(
    ("zone", "day", "length", "shift_seconds", "first_second"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23 * 3600, 3600, 0),
        ("Europe/Berlin", date(2026, 10, 25), 25 * 3600, -3600, 0),
        ("Australia/Lord_Howe", date(2026, 10, 4), 24 * 3600 - 1800, 1800, 0),
        # Midnight is skipped: the day begins at 01:00 and has no change after that.
        ("Africa/Cairo", date(2026, 4, 24), 23 * 3600, 0, 3600),
        ("Asia/Kolkata", date(2026, 3, 29), 24 * 3600, 0, 0),
    ],
)
def test_day_tells_how_long_it_is_and_when_its_clocks_change(
    zone: str, day: date, length: int, shift_seconds: int, first_second: int
) -> None:
    days = list_zone_days([zone], datetime(2026, 1, 1), datetime(2026, 12, 31)).to_pylist()
    (row,) = [each for each in days if each["day"] == day]
    assert (row["ends_at"] - row["starts_at"]).total_seconds() == length
    assert (row["shift_seconds"], row["first_second"]) == (shift_seconds, first_second)
    assert (row["shift_at"] is None) == (not shift_seconds)
    assert row["weekday"] == day.isoweekday()

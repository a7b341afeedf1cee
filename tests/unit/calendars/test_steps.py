"""The tables of a build: what explanations read, and the zone rules that everything rests on."""

from __future__ import annotations

import importlib.resources
import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pytest

from pipeline.calendars.calendar import ALWAYS, DAY_SECONDS, Calendar, CalendarVersion
from pipeline.calendars.expand import expand
from pipeline.calendars.render_macros import render
from pipeline.calendars.steps import CLOCK_TABLES, MAXIMUM_STEPS, Clocks, build_clocks
from pipeline.errors import ConfigurationError
from pipeline.zones import known_zones, list_zone_months, localize, to_epochs

HOUR = 3600
NIGHTS = CalendarVersion("desk", "Europe/Berlin", (((22 * HOUR, 30 * HOUR),),) * 7)
FIRST, LAST = datetime(2026, 12, 20), datetime(2027, 1, 5)


def build(version: CalendarVersion, target_seconds: int = 0) -> Clocks:
    calendars = {"always": ALWAYS, "desk": Calendar("desk", (version,))}
    return build_clocks(calendars, FIRST, LAST, {"desk": target_seconds})


def closures_of(clocks: Clocks) -> list[tuple[object, ...]]:
    rows = clocks.clock_closures.to_pylist()
    return [(row["closed_on"], row["starts_at"], row["ends_at"], row["reason"]) for row in rows]


def test_a_holiday_closes_its_local_day_except_what_is_left_of_the_evening_before() -> None:
    clocks = build(replace(NIGHTS, holidays={date(2026, 12, 25): "Christmas Day"}))
    # Berlin is an hour ahead: the night shift of the 24th ends at 05:00 UTC, the 25th at 23:00 UTC.
    assert closures_of(clocks) == [
        (date(2026, 12, 25), datetime(2026, 12, 25, 5), datetime(2026, 12, 25, 23), "Christmas Day")
    ]


def test_closures_neither_overlap_each_other_nor_open_time() -> None:
    version = replace(
        NIGHTS,
        holidays={date(2026, 12, 25): "Christmas Day"},
        overrides={date(2026, 12, 24): ((9 * HOUR, 12 * HOUR),), date(2026, 12, 31): ()},
        breaks={date(2026, 12, 25): ((9 * HOUR, 12 * HOUR),), date(2026, 12, 28): ((23 * HOUR, 25 * HOUR),)},
    )
    clocks = build(version)
    open_hours = [
        (row["opens_at"], row["closes_at"])
        for row in clocks.clock_intervals.to_pylist()
        if row["clock_name"] == "desk"
    ]
    spans = sorted([*open_hours, *((start, end) for _, start, end, _ in closures_of(clocks))])
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:], strict=False))
    assert [row[3] for row in closures_of(clocks)] == [
        "other hours on this date",
        "other hours on this date",
        "Christmas Day",
        "break",
        "closed on this date",
    ]


def test_intervals_name_the_version_in_force_and_split_where_it_changes() -> None:
    edit = int(datetime(2026, 12, 25, tzinfo=UTC).timestamp())
    edited = Calendar(
        "edited", (ALWAYS.versions[0], replace(ALWAYS.versions[0], label="new", valid_from_epoch=edit))
    )
    clocks = build_clocks({"edited": edited}, FIRST, LAST, {})
    rows = clocks.clock_intervals.to_pylist()
    assert [(row["opens_at"], row["closes_at"], row["calendar_version"]) for row in rows] == [
        (FIRST, datetime(2026, 12, 25), "always"),
        (datetime(2026, 12, 25), LAST + timedelta(days=1), "new"),
    ]
    assert expand(edited, FIRST, LAST) == [
        tuple(int(instant.replace(tzinfo=UTC).timestamp()) for instant in (FIRST, LAST))
    ]


def test_a_clock_reaches_until_its_target_can_have_passed_after_the_end() -> None:
    # Eight open hours a night: 100 nights after the end.
    row = build(NIGHTS, 100 * 8 * HOUR).clocks.to_pylist()[1]
    open_at_the_end = sum(end - start for start, end in expand(Calendar("desk", (NIGHTS,)), FIRST, LAST))
    assert row["open_seconds_total"] - open_at_the_end >= 100 * 8 * HOUR


def test_step_keys_are_dense_over_all_clocks_and_every_table_has_its_columns() -> None:
    clocks = build(NIGHTS)
    for name, table in clocks.by_name().items():
        assert list(CLOCK_TABLES[name]) == table.column_names
    keys = clocks.clock_steps["step_key"].to_pylist()
    assert keys == list(range(len(keys)))
    first, second = clocks.clocks.to_pylist()
    days = (first["ends_epoch"] - first["origin_epoch"]) // first["bucket_seconds"]
    # Step 0 belongs to no clock: what lies outside a clock is null.
    assert (first["first_step"], second["first_step"]) == (1, 1 + days)
    assert set(clocks.clock_steps.slice(0, 1).to_pylist()[0].values()) == {0, None}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("origin_epoch", 0),
        ("origin_epoch - 1", None),
        ("ends_epoch - 1", 17 * 86_400 - 1),
        ("ends_epoch", None),
        ("cast(null as bigint)", None),
    ],
)
def test_an_instant_outside_the_clock_has_no_open_seconds_and_loses_no_row(
    asked: str, expected: int | None
) -> None:
    look_up = "{{ open_seconds_at('steps', 'clocks', 'asked') }}"
    assert read(look_up, "{{ join_clock_steps('steps', 'clocks', 'asked') }}", asked) == [(expected,)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("0", 0),
        ("1", 1),
        ("-1", None),
        ("open_seconds_total", 17 * 86_400),
        ("open_seconds_total + 1", None),
        ("cast(null as bigint)", None),
    ],
)
def test_open_seconds_outside_the_clock_have_no_instant_and_lose_no_row(
    asked: str, expected: int | None
) -> None:
    look_up = "{{ instant_of_open_second('steps', 'clocks', 'asked') }} - clocks.origin_epoch"
    assert read(look_up, "{{ join_clock_due_steps('steps', 'clocks', 'asked') }}", asked) == [(expected,)]


def test_a_clock_that_is_missing_loses_no_row() -> None:
    join = "{{ join_clock_steps('steps', 'clocks', 'asked') }}"
    assert read("{{ open_seconds_at('steps', 'clocks', 'asked') }}", join, "0", "unknown") == [(None,)]


def read(value: str, join: str, asked: str, clock_name: str = "always") -> list[tuple[int | None]]:
    """The value for one row of the clock `always` from FIRST on; `asked` may name columns of `clocks`."""
    connection = duckdb.connect(":memory:")
    for name, table in build(NIGHTS).by_name().items():
        connection.register("arriving", table)
        connection.execute(f'create table "{name}" as select * from arriving')
    rows = f"select {asked} as asked from (select 1) left join clocks on clock_name = $clock_name"
    query = f"select {value} from ({rows}) left join clocks on clocks.clock_name = $clock_name {join}"
    return connection.execute(render(query), {"clock_name": clock_name}).fetchall()


def test_steps_that_would_fill_the_memory_are_refused_with_a_remedy() -> None:
    edit = int(datetime(2026, 12, 25, tzinfo=UTC).timestamp())
    closed = replace(ALWAYS.versions[0], weekly=((),) * 7)
    edits = [replace((closed, ALWAYS.versions[0])[i % 2], valid_from_epoch=edit + i) for i in range(8)]
    flickering = Calendar("flickering", (ALWAYS.versions[0], *edits))
    assert (datetime(2028, 1, 1) - datetime(2026, 1, 1)) / timedelta(seconds=1) > MAXIMUM_STEPS
    with pytest.raises(ConfigurationError, match="whole minutes"):
        build_clocks({"flickering": flickering}, datetime(2026, 1, 1), datetime(2028, 1, 1), {})


def test_the_zone_rules_are_those_of_the_tzdata_package_only() -> None:
    assert zoneinfo.TZPATH == ()
    # tzdata 2026: Vancouver stays on summer time from 2026-11-01 on; older zone files on machines do not.
    assert localize(datetime(2026, 12, 1), "America/Vancouver") == datetime(2026, 12, 1, 7, tzinfo=UTC)


def test_no_zone_changes_its_offset_twice_within_a_day() -> None:
    """What `to_epochs` rests on: a half day that begins and ends with one offset had no other in between.

    Only the standard library's Python version of zoneinfo shows its list of changes; it is read here and nowhere else.
    """
    from zoneinfo import _zoneinfo  # type: ignore[attr-defined]

    for zone in known_zones():
        with importlib.resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).open("rb") as rules:
            changes = _zoneinfo.ZoneInfo.from_file(rules, key=zone)._trans_utc
        assert all(
            later - earlier > DAY_SECONDS for earlier, later in zip(changes, changes[1:], strict=False)
        ), zone


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Monrovia"]
)
def test_wall_times_in_bulk_agree_with_one_at_a_time(zone: str) -> None:
    quarters = (
        np.arange(
            datetime(2011, 1, 1).timestamp() // 900, datetime(2012, 3, 1).timestamp() // 900, dtype=np.int64
        )
        * 900
    )
    walls = np.concatenate([quarters, quarters - 1, [0, 1, -1]])
    expected = [
        int(localize(datetime(1970, 1, 1) + timedelta(seconds=wall), zone).timestamp())
        for wall in walls.tolist()
    ]
    assert to_epochs(walls, zone).tolist() == expected


def test_months_have_their_local_boundary_within_the_utc_month() -> None:
    rows = list_zone_months(
        ["Europe/Berlin", "America/New_York", "UTC"], datetime(2026, 3, 5), datetime(2026, 4, 5)
    ).to_pylist()
    found = {
        (row["time_zone"], row["utc_month"]): (row["month_before"], row["boundary_at"], row["month_after"])
        for row in rows
    }
    assert found == {
        ("Europe/Berlin", "2026-03"): ("2026-03", datetime(2026, 3, 31, 22), "2026-04"),
        ("Europe/Berlin", "2026-04"): ("2026-04", datetime(2026, 4, 30, 22), "2026-05"),
        ("America/New_York", "2026-03"): ("2026-02", datetime(2026, 3, 1, 5), "2026-03"),
        ("America/New_York", "2026-04"): ("2026-03", datetime(2026, 4, 1, 4), "2026-04"),
        ("UTC", "2026-03"): ("2026-03", datetime(2026, 3, 1), "2026-03"),
        ("UTC", "2026-04"): ("2026-04", datetime(2026, 4, 1), "2026-04"),
    }


def test_a_month_with_two_boundaries_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="two months begin within 2011-12"):
        list_zone_months(["Pacific/Apia"], datetime(2011, 12, 1), datetime(2011, 12, 31))


def test_twenty_calendars_over_ten_years_are_built_quickly() -> None:
    """No clock is read here; the bench times it. This only pins the size: day-wide steps for ordinary desks."""
    week = (((9 * HOUR, 12 * HOUR + 1800), (13 * HOUR, 17 * HOUR)),) * 5 + ((), ())
    calendars = {
        f"desk_{n}": Calendar(f"desk_{n}", (CalendarVersion("x", "Europe/Berlin", week),)) for n in range(20)
    }
    clocks = build_clocks(calendars, datetime(2020, 1, 1), datetime(2030, 1, 1), {}, with_explanations=False)
    assert set(clocks.clocks["bucket_seconds"].to_pylist()) == {DAY_SECONDS}
    assert clocks.clock_steps.num_rows == 1 + 20 * 3654

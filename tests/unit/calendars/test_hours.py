"""When a calendar is open, through the file, the tables and the SQL macros. Expected values are sums that a reader can check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.calendars.clock_answers import ask, due, elapsed, is_open

HOUR = 3600
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def desk(*hours: str, zone: str = "UTC", **more: Any) -> dict[str, Any]:
    """The same hours on every day."""
    return {"time_zone": zone, "weekly": {day: list(hours) for day in EVERY_DAY}, **more}


NINE_TO_FIVE = desk("09:00-17:00")


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        ("2026-07-01T08:59:59Z", False),
        ("2026-07-01T09:00:00Z", True),
        ("2026-07-01T16:59:59Z", True),
        ("2026-07-01T17:00:00Z", False),
    ],
)
def test_hours_are_half_open_at_their_limits(tmp_path: Path, at: str, opened: bool) -> None:
    assert ask(tmp_path, NINE_TO_FIVE, is_open(at)) is opened


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2026-07-01T16:59:00Z", "2026-07-02T09:01:00Z", 60 + 60),
        ("2026-07-01T17:00:00Z", "2026-07-02T09:00:00Z", 0),
        ("2026-07-01T08:00:00Z", "2026-07-03T18:00:00Z", 3 * 8 * HOUR),
        ("2026-07-01T10:00:00.999Z", "2026-07-01T10:00:02.001Z", 2),
        ("2026-07-01T12:00:00+02:00", "2026-07-01T11:00:00Z", HOUR),
    ],
)
def test_elapsed_counts_open_seconds_between_instants(
    tmp_path: Path, start: str, end: str, seconds: int
) -> None:
    assert ask(tmp_path, NINE_TO_FIVE, elapsed(start, end)) == seconds


@pytest.mark.parametrize(
    ("start", "seconds", "at"),
    [
        ("2026-07-01T09:00:00Z", 8 * HOUR - 1, "2026-07-01T16:59:59Z"),
        ("2026-07-01T09:00:00Z", 8 * HOUR, "2026-07-01T17:00:00Z"),
        ("2026-07-01T09:00:00Z", 8 * HOUR + 1, "2026-07-02T09:00:01Z"),
        ("2026-07-01T20:00:00Z", 0, "2026-07-01T20:00:00Z"),
        ("2026-07-01T20:00:00Z", 1, "2026-07-02T09:00:01Z"),
        ("2026-07-01T17:00:00Z", 8 * HOUR, "2026-07-02T17:00:00Z"),
    ],
)
def test_due_is_at_closing_when_the_target_is_used_up_there(
    tmp_path: Path, start: str, seconds: int, at: str
) -> None:
    assert ask(tmp_path, NINE_TO_FIVE, due(start, seconds)) == at


def test_due_reaches_years_beyond_the_questions_when_the_calendar_is_rarely_open(tmp_path: Path) -> None:
    yearly = {
        "time_zone": "UTC",
        "weekly": {},
        "overrides": {f"{year}-01-01": ["00:00-01:00"] for year in range(2026, 2060)},
    }
    # One hour a year, the first in 2026: the thirtieth ends in 2055.
    assert ask(tmp_path, yearly, due("2025-12-31T00:00:00Z", 30 * HOUR)) == "2055-01-01T01:00:00Z"


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
        ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
        # Lord Howe moves by half an hour: +11 in summer, +10:30 in winter.
        ("Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z", 24.5),
        ("Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 23.5),
    ],
)
def test_a_whole_open_day_has_the_length_that_its_zone_gives_it(
    tmp_path: Path, zone: str, start: str, end: str, hours: float
) -> None:
    sunday_only = {"time_zone": zone, "weekly": {"sun": ["00:00-24:00"]}}
    assert ask(tmp_path, sunday_only, elapsed(start, end)) == hours * HOUR
    assert ask(tmp_path, sunday_only, due(start, int(hours * HOUR))) == end


@pytest.mark.parametrize(
    ("hours", "at", "opened"),
    [
        # 2026-03-29: 02:00 to 03:00 does not exist in Berlin. 02:30 stands for 03:30, which is 01:30 UTC.
        ("02:30-12:00", "2026-03-29T01:29:59Z", False),
        ("02:30-12:00", "2026-03-29T01:30:00Z", True),
        ("00:00-02:30", "2026-03-29T01:29:59Z", True),
        ("00:00-02:30", "2026-03-29T01:30:00Z", False),
        # Begins at 03:30, ends at 03:15: empty.
        ("02:30-03:15", "2026-03-29T01:20:00Z", False),
        # 2026-10-25: 02:00 to 03:00 happens twice. 02:30 is the first one, 00:30 UTC.
        ("02:30-12:00", "2026-10-25T00:29:59Z", False),
        ("02:30-12:00", "2026-10-25T00:30:00Z", True),
        ("00:00-02:30", "2026-10-25T00:29:59Z", True),
        ("00:00-02:30", "2026-10-25T00:30:00Z", False),
        ("00:00-02:30", "2026-10-25T01:15:00Z", False),
    ],
)
def test_wall_times_in_a_gap_move_forward_and_ambiguous_ones_are_the_first(
    tmp_path: Path, hours: str, at: str, opened: bool
) -> None:
    assert ask(tmp_path, desk(hours, zone="Europe/Berlin"), is_open(at)) is opened


def test_a_half_hour_zone_opens_on_its_own_half_hour(tmp_path: Path) -> None:
    # 09:00 in Kolkata is 03:30 UTC.
    kolkata = desk("09:00-17:00", zone="Asia/Kolkata")
    assert ask(tmp_path, kolkata, elapsed("2026-07-01T03:00:00Z", "2026-07-01T04:00:00Z")) == HOUR // 2


def test_a_date_that_a_zone_skips_has_no_hours(tmp_path: Path) -> None:
    # Apia went from 2011-12-29 (UTC-10) to 2011-12-31 (UTC+14) at 10:00 UTC on the 30th.
    apia = desk("09:00-17:00", zone="Pacific/Apia")
    assert ask(tmp_path, apia, elapsed("2011-12-29T19:00:00Z", "2011-12-31T03:00:00Z")) == (8 + 8) * HOUR
    # The 30th would have been a Friday.
    fridays = {"time_zone": "Pacific/Apia", "weekly": {"fri": ["09:00-17:00"]}}
    assert ask(tmp_path, fridays, elapsed("2011-12-29T00:00:00Z", "2012-01-02T00:00:00Z")) == 0


def test_hours_over_midnight_belong_to_the_date_on_which_they_start(tmp_path: Path) -> None:
    friday_night = {"time_zone": "UTC", "weekly": {"fri": ["22:00-06:00"]}}
    # 2026-07-03 is a Friday.
    assert ask(tmp_path, friday_night, elapsed("2026-07-03T00:00:00Z", "2026-07-06T00:00:00Z")) == 8 * HOUR
    assert ask(tmp_path, friday_night, is_open("2026-07-04T05:59:59Z")) is True
    assert ask(tmp_path, friday_night, is_open("2026-07-03T05:59:59Z")) is False


def test_hours_that_end_where_they_start_last_24_hours(tmp_path: Path) -> None:
    monday = {"time_zone": "UTC", "weekly": {"mon": ["09:00-09:00"]}}
    assert ask(tmp_path, monday, elapsed("2026-07-06T00:00:00Z", "2026-07-08T00:00:00Z")) == 24 * HOUR


def test_a_day_that_ends_at_24_joins_the_next_day(tmp_path: Path) -> None:
    whole = desk("00:00-24:00")
    assert ask(tmp_path, whole, due("2026-07-01T23:59:59Z", 2)) == "2026-07-02T00:00:01Z"


@pytest.mark.parametrize(
    ("holiday", "hours"),
    [
        # A night shift from the 24th to the 25th, and one from the 25th to the 26th.
        ([], 8 + 8),
        (["2026-12-25"], 8),
        (["2026-12-24"], 8),
        ([{"country": "DE", "subdivision": "BE"}], 8),
        ([{"country": "DE", "years": [2025]}], 8 + 8),
        ([{"date": "2026-12-25", "name": "Company day"}], 8),
    ],
)
def test_a_holiday_takes_away_the_shifts_that_start_on_it(
    tmp_path: Path, holiday: list[Any], hours: int
) -> None:
    nights = desk("22:00-06:00", holidays=holiday)
    assert ask(tmp_path, nights, elapsed("2026-12-24T12:00:00Z", "2026-12-26T12:00:00Z")) == hours * HOUR


def test_the_end_of_the_evening_before_stays_open_on_a_holiday(tmp_path: Path) -> None:
    nights = desk("22:00-06:00", holidays=["2026-12-25"])
    assert ask(tmp_path, nights, is_open("2026-12-25T05:59:59Z")) is True
    assert ask(tmp_path, nights, is_open("2026-12-25T22:00:00Z")) is False


@pytest.mark.parametrize(
    ("override", "hours"), [(["10:00-12:00", "13:00-14:00"], 3), ([], 0), (["22:00-02:00"], 4)]
)
def test_an_override_replaces_the_hours_of_its_date_even_on_a_holiday(
    tmp_path: Path, override: list[str], hours: int
) -> None:
    calendar = desk("09:00-17:00", holidays=["2026-12-24"], overrides={"2026-12-24": override})
    assert ask(tmp_path, calendar, elapsed("2026-12-24T00:00:00Z", "2026-12-25T03:00:00Z")) == hours * HOUR


def test_a_break_closes_its_wall_time_whatever_opened_it(tmp_path: Path) -> None:
    calendar = desk("22:00-06:00", "12:00-18:00", breaks={"2026-07-02": ["05:00-13:00"]})
    # The night until 05:00 and the afternoon from 13:00 stay.
    assert ask(tmp_path, calendar, elapsed("2026-07-02T00:00:00Z", "2026-07-02T20:00:00Z")) == (5 + 5) * HOUR


def test_a_break_of_a_minute_is_cut_out_exactly(tmp_path: Path) -> None:
    calendar = desk("00:00-24:00", breaks={"2026-07-02": ["10:00-10:01", "10:02-10:03", "10:04-10:05"]})
    assert (
        ask(tmp_path, calendar, elapsed("2026-07-02T09:59:30Z", "2026-07-02T10:05:30Z")) == 30 + 60 + 60 + 30
    )
    assert ask(tmp_path, calendar, due("2026-07-02T09:59:30Z", 91)) == "2026-07-02T10:03:01Z"


EDITED = {
    "versions": [
        {"time_zone": "UTC", "weekly": {"wed": ["09:00-17:00"]}},
        {"valid_from": "2026-07-01T12:00:00Z", "time_zone": "UTC", "weekly": {"wed": ["11:00-20:00"]}},
    ]
}


def test_an_edit_splits_the_hours_at_its_instant(tmp_path: Path) -> None:
    # 2026-07-01 is a Wednesday: 09:00 to 12:00 under the old hours, 12:00 to 20:00 under the new ones.
    assert ask(tmp_path, EDITED, elapsed("2026-07-01T00:00:00Z", "2026-07-02T00:00:00Z")) == (3 + 8) * HOUR
    assert ask(tmp_path, EDITED, elapsed("2026-06-24T00:00:00Z", "2026-06-25T00:00:00Z")) == 8 * HOUR
    assert ask(tmp_path, EDITED, elapsed("2026-07-08T00:00:00Z", "2026-07-09T00:00:00Z")) == 9 * HOUR


def test_an_edit_on_a_date_begins_at_the_local_midnight_of_its_zone(tmp_path: Path) -> None:
    whole = {"weekly": {day: ["00:00-24:00"] for day in EVERY_DAY}}
    calendar = {
        "versions": [
            {"time_zone": "UTC", "weekly": {}},
            {"valid_from": "2026-07-01", "time_zone": "America/New_York", **whole},
        ]
    }
    # Midnight in New York is 04:00 UTC.
    assert ask(tmp_path, calendar, is_open("2026-07-01T03:59:59Z")) is False
    assert ask(tmp_path, calendar, is_open("2026-07-01T04:00:00Z")) is True


def test_a_calendar_is_closed_before_its_first_version(tmp_path: Path) -> None:
    calendar = {"versions": [{"valid_from": "2026-07-01", **NINE_TO_FIVE}]}
    assert ask(tmp_path, calendar, elapsed("2026-06-01T00:00:00Z", "2026-07-02T00:00:00Z")) == 8 * HOUR


def test_an_edit_in_an_odd_second_is_exact(tmp_path: Path) -> None:
    closed = {"valid_from": "2026-07-01T09:00:07Z", "time_zone": "UTC", "weekly": {}}
    opened = {"valid_from": "2026-07-01T09:00:10Z", **desk("00:00-24:00")}
    again = {"valid_from": "2026-07-01T09:00:13Z", "time_zone": "UTC", "weekly": {}}
    last = {"valid_from": "2026-07-01T09:00:19Z", **desk("00:00-24:00")}
    calendar = {"versions": [NINE_TO_FIVE, closed, opened, again, last]}
    assert ask(tmp_path, calendar, elapsed("2026-07-01T09:00:00Z", "2026-07-01T09:00:20Z")) == 7 + 3 + 1
    assert ask(tmp_path, calendar, due("2026-07-01T09:00:00Z", 8)) == "2026-07-01T09:00:11Z"

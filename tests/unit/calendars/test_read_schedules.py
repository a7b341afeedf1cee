"""Schedules of the helpdesks become calendars that the loader takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.calendars.expand import expand
from pipeline.calendars.load_calendars import load_calendars
from pipeline.calendars.rails_zones import ZONES_BY_RAILS_NAME, find_rails_zone
from pipeline.calendars.read_schedules import write_calendars
from pipeline.errors import ConfigurationError
from pipeline.zones import known_zones


def convert(folder: Path, answer: Any) -> dict[str, Any]:
    source = folder / "schedules.json"
    source.write_text(json.dumps(answer), encoding="utf-8")
    (folder / "calendars").mkdir()
    (folder / "calendars" / "helpdesk.yml").write_text(write_calendars(source), encoding="utf-8")
    return load_calendars(folder / "calendars")


def test_minutes_since_sunday_are_hours_of_the_named_zone(tmp_path: Path) -> None:
    schedule = {"name": "Support Hours!", "time_zone": "Pacific Time (US & Canada)",
                "intervals": [{"start_time": 1920, "end_time": 2640}]}  # fmt: skip
    calendar = convert(tmp_path, {"schedules": [schedule]})["support_hours"]
    # Monday 8:00 to 20:00 in Los Angeles; 2026-07-06 is a Monday, seven hours behind UTC.
    opens, closes = datetime(2026, 7, 6, 15, tzinfo=UTC), datetime(2026, 7, 7, 3, tzinfo=UTC)
    week = (datetime(2026, 7, 5, 7, tzinfo=UTC), datetime(2026, 7, 12, 7, tzinfo=UTC))
    assert expand(calendar, *week) == [(int(opens.timestamp()), int(closes.timestamp()))]


def test_an_interval_over_midnight_and_a_holiday_of_two_days(tmp_path: Path) -> None:
    schedule = {"name": "night", "time_zone": "UTC", "intervals": [{"start_time": 2760, "end_time": 3000}],
                "holidays": [{"name": "x", "start_date": "2026-07-13", "end_date": "2026-07-14"}]}  # fmt: skip
    calendar = convert(tmp_path, {"schedules": [schedule]})["night"]
    hours = expand(calendar, datetime(2026, 7, 5, tzinfo=UTC), datetime(2026, 7, 19, tzinfo=UTC))
    # Monday 22:00 to Tuesday 02:00 in the first week; both days of the second are holidays.
    assert hours == [
        (
            int(datetime(2026, 7, 6, 22, tzinfo=UTC).timestamp()),
            int(datetime(2026, 7, 7, 2, tzinfo=UTC).timestamp()),
        )
    ]


def test_freshdesk_writes_half_days_by_weekday(tmp_path: Path) -> None:
    hours = {"name": "Magadan desk", "time_zone": "Magadan",
             "business_hours": {"monday": {"start_time": "8:00 am", "end_time": "12:00 pm"}}}  # fmt: skip
    calendar = convert(tmp_path, [hours])["magadan_desk"]
    week = expand(calendar, datetime(2026, 7, 5, tzinfo=UTC), datetime(2026, 7, 8, tzinfo=UTC))
    assert [(closes - opens) for opens, closes in week] == [4 * 3600]


def test_every_name_stands_for_a_zone_of_the_pinned_tzdata() -> None:
    assert {zone for zone in ZONES_BY_RAILS_NAME.values() if zone not in known_zones()} == set()


def test_an_unknown_zone_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'Pacific Time"):
        find_rails_zone("Pacific Time (US and Canada)")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {
                "schedules": [
                    {"name": "a", "time_zone": "UTC", "intervals": [{"start_time": 60, "end_time": 20}]}
                ]
            },
            "from 60 to 20",
        ),
        (
            [
                {
                    "name": "a",
                    "time_zone": "UTC",
                    "business_hours": {"monday": {"start_time": "25:00", "end_time": "1:00 pm"}},
                }
            ],
            "25:00",
        ),
        ({"tickets": []}, "holds no schedules"),
    ],
)
def test_what_is_no_schedule_is_refused(tmp_path: Path, answer: Any, words: str) -> None:
    (tmp_path / "s.json").write_text(json.dumps(answer), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=words):
        write_calendars(tmp_path / "s.json")

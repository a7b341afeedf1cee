"""Schedules of Zendesk and business hours of Freshdesk as calendars: the text of a file for reference/calendars.

Zendesk counts minutes from Sunday 00:00 and gives holidays by name and dates; Freshdesk writes `8:00 am` by weekday.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from pipeline.calendars.rails_zones import find_rails_zone
from pipeline.errors import ConfigurationError

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FULL_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_DAY_MINUTES = 24 * 60
_HALF_DAY = re.compile(r"(\d{1,2}):([0-5]\d) ?(am|pm)", re.IGNORECASE)


def write_calendars(path: Path) -> str:
    """YAML of every schedule in an answer of either API. Raises ConfigurationError, naming schedule and value."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigurationError(f"{path} cannot be read as JSON: {problem}.") from None
    listed = answer
    if isinstance(answer, dict):
        listed = answer.get("schedules") or answer.get("business_hours") or [answer.get("schedule") or answer]
    if not isinstance(listed, list) or not all(isinstance(one, dict) and one.get("name") for one in listed):
        raise ConfigurationError(
            f"{path} holds no schedules. Give an answer of Zendesk's schedules or of Freshdesk's business hours."
        )
    calendars: dict[str, Any] = {}
    for schedule in listed:
        name = _name(str(schedule["name"]))
        if name in calendars:
            raise ConfigurationError(
                f"{path}: two schedules would both be called {name}. Rename one of them."
            )
        calendars[name] = _convert(schedule)
    return yaml.safe_dump(
        {"calendars": calendars}, sort_keys=False, allow_unicode=True, default_flow_style=None, width=120
    )


def _name(written: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", written.lower()).strip("_")
    return name if re.match(r"[a-z]", name) else f"schedule_{name}"


def _convert(schedule: Mapping[str, Any]) -> dict[str, Any]:
    weekly = (
        _week_of_intervals(schedule["intervals"], schedule["name"])
        if "intervals" in schedule
        else _week_of_days(schedule.get("business_hours") or {}, schedule["name"])
    )
    calendar: dict[str, Any] = {
        "time_zone": find_rails_zone(str(schedule.get("time_zone"))),
        "weekly": weekly,
    }
    holidays = sorted(
        {day for one in schedule.get("holidays") or [] for day in _days_of_holiday(one, schedule["name"])}
    )
    if holidays:
        calendar["holidays"] = holidays
    return calendar


def _week_of_intervals(intervals: list[Mapping[str, Any]], name: str) -> dict[str, list[str]]:
    weekly: dict[str, list[str]] = {}
    for interval in sorted(intervals, key=lambda one: int(one["start_time"])):
        start, end = int(interval["start_time"]), int(interval["end_time"])
        if not 0 <= start < end <= 7 * _DAY_MINUTES:
            raise ConfigurationError(
                f"The schedule {name!r} has an interval from {start} to {end}; minutes are counted from Sunday 00:00 to "
                f"{7 * _DAY_MINUTES}."
            )
        # An interval may reach over midnight, or over the whole week: one span for each day.
        while start < end:
            day, minute = divmod(start, _DAY_MINUTES)
            stop = min(end, (day + 1) * _DAY_MINUTES)
            weekly.setdefault(_DAYS[day], []).append(f"{_clock(minute)}-{_clock(stop - day * _DAY_MINUTES)}")
            start = stop
    return weekly


def _week_of_days(days: Mapping[str, Any], name: str) -> dict[str, list[str]]:
    weekly = {}
    for short, full in zip(_DAYS, _FULL_DAYS, strict=True):
        hours = days.get(full)
        if hours:
            start, end = (_minutes(str(hours[key]), name) for key in ("start_time", "end_time"))
            weekly[short] = [f"{_clock(start)}-{_clock(end or _DAY_MINUTES)}"]
    return weekly


def _minutes(written: str, name: str) -> int:
    found = _HALF_DAY.fullmatch(written.strip())
    if found is None or not 1 <= int(found.group(1)) <= 12:
        raise ConfigurationError(
            f"The business hours {name!r} have the time {written!r}; expected such as 8:00 am."
        )
    return (
        int(found.group(1)) % 12 * 60 + int(found.group(2)) + (720 if found.group(3).lower() == "pm" else 0)
    )


def _days_of_holiday(holiday: Mapping[str, Any], name: str) -> list[str]:
    try:
        first = date.fromisoformat(str(holiday.get("start_date") or holiday.get("date")))
        last = date.fromisoformat(str(holiday.get("end_date") or first))
    except ValueError:
        raise ConfigurationError(
            f"The schedule {name!r} has the holiday {holiday.get('name')!r} without dates such as 2026-12-25."
        ) from None
    return [(first + timedelta(days=day)).isoformat() for day in range((last - first).days + 1)]


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

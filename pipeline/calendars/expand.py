"""Calendars as UTC intervals: when they are open, under which version, and which holidays and breaks closed them.

An interval belongs to the local date on which it starts. The hours of a date are its override if there is one, else none on a
holiday, else those of its weekday. Breaks are taken out of the wall time of their date, whatever opened it.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TypeVar

import numpy as np

from pipeline.calendars.calendar import DAY_SECONDS, Calendar, CalendarVersion, Hours
from pipeline.calendars.intervals import Intervals, clip, join, merge, subtract
from pipeline.zones import to_epochs

Value = TypeVar("Value")

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
# No zone is further than 26 hours from another, and hours reach at most two days beyond their date.
_MARGIN_DAYS = 4


@dataclass(frozen=True)
class Closure:
    """A span that a named reason keeps closed: epoch seconds, and the local date it belongs to."""

    closed_on: date
    starts_epoch: int
    ends_epoch: int
    reason: str


def holidays_version() -> str:
    """The version of the public-holiday rules: recorded with every build."""
    return importlib.metadata.version("holidays")


def to_epoch(instant: datetime) -> int:
    """Whole seconds since 1970, fractions cut off downwards. A naive instant is UTC."""
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)


def expand(calendar: Calendar, starts_at: datetime, ends_at: datetime) -> list[tuple[int, int]]:
    """The open intervals within [starts_at, ends_at), UTC epoch seconds, half-open, sorted and merged over versions."""
    starts, ends = merge(
        join([hours for _, hours in expand_versions(calendar, to_epoch(starts_at), to_epoch(ends_at))])
    )
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def expand_versions(
    calendar: Calendar, starts_epoch: int, ends_epoch: int
) -> Iterator[tuple[CalendarVersion, Intervals]]:
    """The merged open intervals of each version within [starts_epoch, ends_epoch) and its own validity."""
    for version, earliest, latest in _validities(calendar, starts_epoch, ends_epoch):
        yield (
            version,
            merge(clip(_open_intervals(version, *_days_around(earliest, latest)), earliest, latest)),
        )


def list_closures(calendar: Calendar, starts_epoch: int, ends_epoch: int) -> list[Closure]:
    """Why the calendar was closed, as far as it has a name: holidays, dates closed by an override, breaks.

    A holiday and an overridden date stand for their whole local day except what was open (the shift that began the evening
    before). Closures overlap neither open time nor each other.
    """
    closures: list[Closure] = []
    for version, earliest, latest in _validities(calendar, starts_epoch, ends_epoch):
        first_day, last_day = _days_around(earliest, latest)
        taken = merge(_open_intervals(version, first_day, last_day))
        for day, start, end, reason in sorted(_named_spans(version, first_day, last_day)):
            wall = np.array([start, end], dtype=np.int64) + day * DAY_SECONDS
            begins, finishes = to_epochs(wall, version.time_zone).tolist()
            span = merge(clip((np.array([begins]), np.array([finishes])), earliest, latest))
            if not len(span[0]):
                continue
            near = slice(
                np.searchsorted(taken[1], span[0][0], side="right"),
                np.searchsorted(taken[0], span[1][0], side="left"),
            )
            left = subtract(span, (taken[0][near], taken[1][near]))
            taken = merge(join([taken, left]))
            on = date.fromordinal(day + _EPOCH_ORDINAL)
            closures += [
                Closure(on, *edges, reason) for edges in zip(left[0].tolist(), left[1].tolist(), strict=True)
            ]
    return sorted(closures, key=lambda closure: closure.starts_epoch)


def _validities(
    calendar: Calendar, starts_epoch: int, ends_epoch: int
) -> Iterator[tuple[CalendarVersion, int, int]]:
    begins = [starts_epoch if v.valid_from_epoch is None else v.valid_from_epoch for v in calendar.versions]
    for version, begin, end in zip(calendar.versions, begins, [*begins[1:], ends_epoch], strict=True):
        earliest, latest = max(begin, starts_epoch), min(end, ends_epoch)
        if earliest < latest:
            yield version, earliest, latest


def _days_around(earliest: int, latest: int) -> tuple[int, int]:
    """The first and the last local date, in days since 1970, whose hours can reach into [earliest, latest)."""
    return earliest // DAY_SECONDS - _MARGIN_DAYS, latest // DAY_SECONDS + _MARGIN_DAYS


def _open_intervals(version: CalendarVersion, first_day: int, last_day: int) -> Intervals:
    """The open intervals of all dates from `first_day` to `last_day`, as UTC epoch seconds, neither merged nor sorted."""
    days = np.arange(first_day, last_day + 1, dtype=np.int64)
    midnights = to_epochs(np.append(days, last_day + 1) * DAY_SECONDS, version.time_zone)
    # A zone that crosses the date line skips a date: it has no hours.
    exists = np.diff(midnights) > 0
    overrides = _in_days(version.overrides)
    special = np.array([*_holidays(version, first_day, last_day), *overrides], dtype=np.int64)
    is_ordinary = exists & ~np.isin(days, special)
    # 1970-01-01 was a Thursday.
    weekdays = (days + 3) % 7
    wall: list[Intervals] = []
    for weekday, hours in enumerate(version.weekly):
        chosen = days[is_ordinary & (weekdays == weekday)] * DAY_SECONDS
        wall += [(chosen + start, chosen + end) for start, end in hours]
    for day, hours in overrides.items():
        if first_day <= day <= last_day and exists[day - first_day]:
            wall += [
                (np.array([day * DAY_SECONDS + start]), np.array([day * DAY_SECONDS + end]))
                for start, end in hours
            ]
    starts, ends = _cut_breaks(join(wall), _in_days(version.breaks))
    return to_epochs(starts, version.time_zone), to_epochs(ends, version.time_zone)


def _cut_breaks(wall: Intervals, breaks: dict[int, Hours]) -> Intervals:
    """Take breaks out of each interval by itself: merging before the change to UTC would move ends that lie in a DST gap."""
    starts, ends = wall
    for day, hours in breaks.items():
        for start, end in hours:
            begins, finishes = day * DAY_SECONDS + start, day * DAY_SECONDS + end
            is_cut = (starts < finishes) & (ends > begins)
            if not is_cut.any():
                continue
            before = (starts[is_cut], np.minimum(ends[is_cut], begins))
            after = (np.maximum(starts[is_cut], finishes), ends[is_cut])
            starts, ends = join([(starts[~is_cut], ends[~is_cut]), before, after])
            kept = starts < ends
            starts, ends = starts[kept], ends[kept]
    return starts, ends


def _named_spans(
    version: CalendarVersion, first_day: int, last_day: int
) -> Iterator[tuple[int, int, int, str]]:
    overrides = _in_days(version.overrides)
    for day, name in _holidays(version, first_day, last_day).items():
        if day not in overrides:
            yield day, 0, DAY_SECONDS, name
    for day, hours in overrides.items():
        if first_day <= day <= last_day:
            yield day, 0, DAY_SECONDS, "other hours on this date" if hours else "closed on this date"
    for day, hours in _in_days(version.breaks).items():
        if first_day <= day <= last_day:
            yield from ((day, start, end, "break") for start, end in hours)


def _holidays(version: CalendarVersion, first_day: int, last_day: int) -> dict[int, str]:
    """Every holiday between two days since 1970, with its names."""
    found = {day: name for day, name in _in_days(version.holidays).items() if first_day <= day <= last_day}
    years = range(_year_of(first_day), _year_of(last_day) + 1)
    for rule in version.public_holidays:
        for year in years:
            if rule.years is None or year in rule.years:
                for day, name in list_public_holidays(rule.country, rule.subdivision, year):
                    found.setdefault(day, name)
    return {day: name for day, name in found.items() if first_day <= day <= last_day}


@cache
def list_public_holidays(country: str, subdivision: str | None, year: int) -> tuple[tuple[int, str], ...]:
    """The public holidays of one year as days since 1970 with their names, English where the library has them in English."""
    import holidays

    entity = getattr(holidays, country)
    language = "en_US" if "en_US" in entity.supported_languages else None
    found = holidays.country_holidays(country, subdiv=subdivision, years=year, language=language)
    return tuple(
        (day.toordinal() - _EPOCH_ORDINAL, name) for day, name in sorted(found.items()) if day.year == year
    )


def _in_days(by_date: Mapping[date, Value]) -> dict[int, Value]:
    return {day.toordinal() - _EPOCH_ORDINAL: value for day, value in by_date.items()}


def _year_of(day: int) -> int:
    return date.fromordinal(day + _EPOCH_ORDINAL).year

"""Calendar files, read and checked: YAML as `README.md` of this folder shows it -> frozen `Calendar`s.

A reader goes through every file before it gives up, so that one run names everything that is wrong, with its line.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.calendars.calendar import ALWAYS, Calendar, CalendarVersion, PublicHolidays
from pipeline.calendars.calendar_file import (
    WEEKDAYS,
    CalendarFile,
    CountryHolidays,
    Hours,
    HoursFromDate,
    NamedHoliday,
    VersionedCalendar,
)
from pipeline.calendars.expand import to_epoch
from pipeline.declarations.declared import read_declared
from pipeline.declarations.problems import refuse
from pipeline.declarations.read_yaml import read_yaml
from pipeline.errors import ConfigurationError, Problem


def load_calendars(path: Path) -> dict[str, Calendar]:
    """The calendars of one file, or of all `*.yml` and `*.yaml` files of a folder, by name; `always` is among them.

    Raises ConfigurationError with every problem: file, line, field, reason, hint.
    """
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix in (".yml", ".yaml") and file.is_file())
    elif path.is_file():
        files = [path]
    else:
        raise ConfigurationError(f"{path} is neither a calendar file nor a folder of them.")
    problems: list[Problem] = []
    calendars = {ALWAYS.name: ALWAYS}
    places: dict[str, str] = {}
    for file in files:
        read, place = read_declared(CalendarFile, read_yaml(file), problems)
        for name, entry in read.calendars.items():
            here = place.at("calendars", name)
            if name == ALWAYS.name:
                here.report([], "this name is kept for the built-in 24/7 calendar.", "Choose another name.")
            elif name in places:
                here.report(
                    [], f"a calendar of this name stands in {places[name]} already.", "Rename one of the two."
                )
            places.setdefault(name, f"{file}:{here.line_of()}")
            if not problems:
                calendars[name] = _build_calendar(name, entry)
    if problems:
        raise refuse(str(path), problems)
    return calendars


def _build_calendar(name: str, entry: Hours | VersionedCalendar) -> Calendar:
    if isinstance(entry, VersionedCalendar):
        return Calendar(name, tuple(_build_version(name, version) for version in entry.versions))
    return Calendar(name, (_build_version(name, entry),))


def _build_version(name: str, hours: Hours) -> CalendarVersion:
    valid_from = hours.valid_from if isinstance(hours, HoursFromDate) else None
    begins_at = hours.begins_at if isinstance(hours, HoursFromDate) else None
    dates = [
        (holiday.date, holiday.name) if isinstance(holiday, NamedHoliday) else (holiday, "holiday")
        for holiday in hours.holidays
        if not isinstance(holiday, CountryHolidays)
    ]
    return CalendarVersion(
        label=f"{name}@{valid_from}" if valid_from else name,
        time_zone=hours.time_zone,
        weekly=tuple(hours.weekly.get(weekday, ()) for weekday in WEEKDAYS),
        holidays=dict(dates),
        public_holidays=tuple(
            PublicHolidays(
                holiday.country,
                holiday.subdivision,
                None if holiday.years is None else frozenset(holiday.years),
            )
            for holiday in hours.holidays
            if isinstance(holiday, CountryHolidays)
        ),
        overrides=hours.overrides,
        breaks=hours.breaks,
        valid_from_epoch=None if begins_at is None else to_epoch(begins_at),
    )

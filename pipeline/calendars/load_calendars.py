"""Calendar files, read and checked: YAML as `README.md` of this folder shows it -> frozen `Calendar`s.

A reader goes through every file before it gives up, so that one run names everything that is wrong, with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from pipeline.calendars.calendar import ALWAYS, DAY_SECONDS, Calendar, CalendarVersion, Hours, PublicHolidays
from pipeline.calendars.expand import to_epoch
from pipeline.declarations.dates import hint_zone, parse_date, parse_utc
from pipeline.declarations.problems import refuse
from pipeline.declarations.read_yaml import Key, read_yaml
from pipeline.declarations.section import Section, open_document
from pipeline.errors import ConfigurationError, Problem
from pipeline.zones import known_zones, start_of_day

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK_SECONDS = 7 * DAY_SECONDS
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_VERSION_KEYS = ("time_zone", "weekly", "holidays", "overrides", "breaks")


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
        top = open_document(read_yaml(file), problems)
        top.require_keys(["calendars"])
        by_name = top.section("calendars")
        for name in by_name.values:
            section = by_name.section(name)
            if not isinstance(name, str) or not name.strip():
                section.report([], f"{name!r} is not a usable name.", "Put the name in quotes.")
            elif name == ALWAYS.name:
                section.report(
                    [], "this name is kept for the built-in 24/7 calendar.", "Choose another name."
                )
            elif name in places:
                section.report(
                    [], f"a calendar of this name stands in {places[name]} already.", "Rename one of the two."
                )
            else:
                places[name] = f"{file}:{section.line_of()}"
                calendars[name] = _read_calendar(name, section)
    if problems:
        raise refuse(str(path), problems)
    return calendars


def _read_calendar(name: str, section: Section) -> Calendar:
    if "versions" not in section.values:
        section.require_keys(("time_zone", "weekly"), _VERSION_KEYS)
        return Calendar(name, (_read_version(section, name, None),))
    section.require_keys(("versions",))
    sections = section.sections("versions")
    if not sections:
        section.report(
            ["versions"], "there is no version here.", "Write at least one, or the hours without `versions`."
        )
    versions: list[CalendarVersion] = []
    for index, part in enumerate(sections):
        part.require_keys(("time_zone", "weekly"), ("valid_from", *_VERSION_KEYS))
        version = _read_version(part, name, _read_valid_from(part))
        if index and not part.has("valid_from"):
            part.report(
                [],
                "only the first version may lack `valid_from`.",
                "Add the date from which these hours hold.",
            )
        earlier = versions[-1].valid_from_epoch if versions else None
        if (
            earlier is not None
            and version.valid_from_epoch is not None
            and version.valid_from_epoch <= earlier
        ):
            part.report(
                ["valid_from"],
                "this version does not begin after the one before it.",
                "Put the versions in order of `valid_from`.",
            )
        versions.append(version)
    return Calendar(name, tuple(versions))


def _read_version(section: Section, name: str, valid_from_epoch: int | None) -> CalendarVersion:
    time_zone = section.text("time_zone", "UTC") if "time_zone" in section.values else "UTC"
    if time_zone not in known_zones():
        section.report(
            ["time_zone"], f"{time_zone!r} is not a time zone.", hint_zone(time_zone, known_zones())
        )
    dates, public = _read_holidays(section)
    label = f"{name}@{section.text('valid_from')}" if section.has("valid_from") else name
    return CalendarVersion(
        label=label,
        time_zone=time_zone,
        weekly=_read_weekly(section.section("weekly")),
        holidays=dates,
        public_holidays=public,
        overrides=_read_dated_hours(section.section("overrides")),
        breaks=_read_dated_hours(section.section("breaks")),
        valid_from_epoch=valid_from_epoch,
    )


def _read_valid_from(section: Section) -> int | None:
    """A local date (its first instant in the version's zone) or an instant with its zone, as epoch seconds."""
    if not section.has("valid_from"):
        return None
    text = section.text("valid_from")
    zone = section.values.get("time_zone")
    day = parse_date(text)
    if day is not None:
        # An unknown zone is a problem of its own.
        return to_epoch(start_of_day(day, zone if isinstance(zone, str) and zone in known_zones() else "UTC"))
    instant = parse_utc(text)
    if instant is None or not 1900 <= instant.year <= 9998:
        section.report(
            ["valid_from"],
            f"{text!r} is neither a date nor an instant.",
            "Write a date such as 2026-07-01, or an instant with its zone such as 2026-07-01T08:00:00Z.",
        )
        return None
    return to_epoch(instant)


def _read_weekly(section: Section) -> tuple[Hours, ...]:
    week = []
    section.require_keys((), WEEKDAYS)
    for weekday in WEEKDAYS:
        week.append(_read_hours(section, weekday) if weekday in section.values else ())
    placed = [
        (index * DAY_SECONDS + start, index * DAY_SECONDS + end, (weekday, position))
        for index, weekday in enumerate(WEEKDAYS)
        for position, (start, end) in enumerate(week[index])
    ]
    # Sunday night reaches into the Monday of the next week.
    placed += [(start + _WEEK_SECONDS, end + _WEEK_SECONDS, path) for start, end, path in placed]
    _refuse_overlaps(section, placed)
    return tuple(week)


def _read_dated_hours(section: Section) -> dict[date, Hours]:
    found: dict[date, Hours] = {}
    placed = []
    for key in section.values:
        day = _read_date(section, [key], key)
        if day is not None:
            found[day] = _read_hours(section, key)
            midnight = day.toordinal() * DAY_SECONDS
            placed += [
                (midnight + start, midnight + end, (key, index))
                for index, (start, end) in enumerate(found[day])
            ]
    _refuse_overlaps(section, placed)
    return found


def _read_hours(section: Section, key: Key) -> Hours:
    """The intervals of one day in seconds after its midnight, sorted."""
    value = section.values[key]
    if not isinstance(value, list):
        section.report(
            [key],
            f"{value!r} stands where a list of hours is expected.",
            'Write ["09:00-17:00"], or [] for closed.',
        )
        return ()
    hours = []
    for index, text in enumerate(value):
        match = _HOURS.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            section.report(
                [key, index], f"{text!r} cannot be read as hours.", 'Write them as "09:00-17:00", in quotes.'
            )
            continue
        start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
        start, end = start_hour * 3600 + start_minute * 60, end_hour * 3600 + end_minute * 60
        if max(start_minute, end_minute) > 59 or start >= DAY_SECONDS or end > DAY_SECONDS:
            section.report(
                [key, index],
                f"{text!r} names a time of day that does not exist.",
                "A day goes from 00:00 to 24:00; only an end may be 24:00.",
            )
            continue
        hours.append((start, end if end > start else end + DAY_SECONDS))
    return tuple(hours)


def _refuse_overlaps(section: Section, placed: Sequence[tuple[int, int, tuple[Key, ...]]]) -> None:
    reported = set()
    reach, holder = None, None
    for start, end, path in sorted(placed, key=lambda interval: interval[:2]):
        if reach is not None and start < reach and (holder, path) not in reported:
            reported.add((holder, path))
            section.report(
                path,
                f"these hours overlap with those of {_name(holder)}.",
                "Join the two, or let one end where the other begins.",
            )
        if reach is None or end > reach:
            reach, holder = end, path


def _name(path: tuple[Key, ...] | None) -> str:
    return "" if path is None else f"{path[0]}, number {int(path[1]) + 1}"


def _read_holidays(section: Section) -> tuple[dict[date, str], tuple[PublicHolidays, ...]]:
    dates: dict[date, str] = {}
    public: list[PublicHolidays] = []
    for index, item in enumerate(section.items("holidays")):
        place: list[Key] = ["holidays", index]
        if isinstance(item, str):
            day = _read_date(section, place, item)
            if day is not None:
                dates[day] = "holiday"
        elif isinstance(item, dict):
            entry = Section(section.document, (*section.path, *place), section.problems, item)
            if "date" in item:
                entry.require_keys(("date",), ("name",))
                day = _read_date(entry, ["date"], item["date"])
                if day is not None:
                    dates[day] = entry.text("name", "holiday")
            else:
                public += _read_public_holidays(entry)
        else:
            section.report(
                place,
                f"{item!r} is not a holiday.",
                'Write a date such as "2026-12-25", or {country: DE, subdivision: BE}.',
            )
    return dates, tuple(public)


def _read_public_holidays(entry: Section) -> Iterator[PublicHolidays]:
    import holidays

    entry.require_keys(("country",), ("subdivision", "years"))
    countries = holidays.list_supported_countries()
    country = entry.text("country")
    if country not in countries:
        if country:
            nearest = (
                f"Did you mean {country.upper()!r}?"
                if country.upper() in countries
                else "Write its two letters, such as DE."
            )
            entry.report(["country"], f"no public holidays are known for {country!r}.", nearest)
        return
    subdivision = None
    if entry.has("subdivision"):
        subdivision = entry.choice("subdivision", countries[country])
        if subdivision not in countries[country]:
            return
    years: set[int] = set()
    for index, year in enumerate(entry.items("years")):
        if isinstance(year, int) and not isinstance(year, bool) and 1900 <= year <= 9998:
            years.add(year)
        else:
            entry.report(
                ["years", index],
                f"{year!r} is not a year.",
                "Write years such as [2026, 2027], or leave `years` out for all.",
            )
    yield PublicHolidays(country, subdivision, frozenset(years) if entry.has("years") else None)


def _read_date(section: Section, place: Sequence[Key], text: object) -> date | None:
    day = parse_date(text) if isinstance(text, str) else None
    if day is None:
        section.report(place, f"{text!r} is not a date.", "Write it as 2026-12-25.")
    return day

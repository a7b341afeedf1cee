"""What a calendar file may say. `README.md` of this folder shows one; `load_calendars.py` makes `Calendar`s of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema

from pipeline.calendars.calendar import DAY_SECONDS
from pipeline.declarations.dates import parse_moment
from pipeline.declarations.declared import Declared
from pipeline.declarations.explain_errors import refused
from pipeline.declarations.problems import Place
from pipeline.declarations.values import Date, Moment, OneOf, Refusal, Text, Zone, filled, read_date

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")


def _read_shift(text: object) -> tuple[int, int]:
    """Start and end in seconds after midnight; an end that is not after the start lies on the next day."""
    match = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise refused(f"{text!r} cannot be read as hours.", 'Write them as "09:00-17:00", in quotes.')
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    start, end = start_hour * 3600 + start_minute * 60, end_hour * 3600 + end_minute * 60
    if max(start_minute, end_minute) > 59 or start >= DAY_SECONDS or end > DAY_SECONDS:
        raise refused(
            f"{text!r} names a time of day that does not exist.",
            "A day goes from 00:00 to 24:00; only an end may be 24:00.",
        )
    return start, end if end > start else end + DAY_SECONDS


def _require_list(value: object) -> object:
    if not isinstance(value, list):
        raise refused(
            f"{value!r} stands where a list of hours is expected.", 'Write ["09:00-17:00"], or [] for closed.'
        )
    return value


Shift = Annotated[
    tuple[int, int],
    PlainValidator(_read_shift),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*$"}),
]
DayHours = Annotated[tuple[Shift, ...], BeforeValidator(_require_list)]


class NamedHoliday(Declared):
    """A date that is closed, with its name."""

    date: Date
    name: Text = "holiday"


class CountryHolidays(Declared):
    """The public holidays of a country or of one of its parts."""

    country: Text
    """Its two letters, such as DE."""
    subdivision: Text | None = None
    years: (
        tuple[
            Annotated[
                int,
                Field(strict=True, ge=1900, le=9998),
                Refusal(
                    "{value} is not a year.",
                    "Write years such as [2026, 2027], or leave `years` out for all.",
                ),
            ],
            ...,
        ]
        | None
    ) = None
    """The years that count; without it, all."""

    def check(self, place: Place) -> None:
        import holidays

        countries = holidays.list_supported_countries()
        if self.country and self.country not in countries:
            place.report(
                ["country"],
                f"no public holidays are known for {self.country!r}.",
                f"Did you mean {self.country.upper()!r}?"
                if self.country.upper() in countries
                else "Write its two letters, such as DE.",
            )
        elif self.country and self.subdivision is not None:
            place.check_name(["subdivision"], self.subdivision, countries[self.country])


def _read_holiday(value: object) -> date:
    if not isinstance(value, str):
        raise refused(
            f"{value!r} is not a holiday.",
            'Write a date such as "2026-12-25", or {country: DE, subdivision: BE}.',
        )
    return read_date(value)


def _kind_of_holiday(value: Any) -> str:
    if isinstance(value, dict):
        return "named" if "date" in value else "public"
    return "date"


HolidayDate = Annotated[
    date, PlainValidator(_read_holiday), WithJsonSchema({"type": "string", "format": "date"})
]
Holiday = Annotated[
    Annotated[HolidayDate, Tag("date")]
    | Annotated[NamedHoliday, Tag("named")]
    | Annotated[CountryHolidays, Tag("public")],
    Discriminator(_kind_of_holiday),
]


class Hours(Declared):
    """When a calendar is open, in wall time of its zone."""

    time_zone: Zone
    weekly: dict[Annotated[str, OneOf(WEEKDAYS)], DayHours]
    """Hours of each weekday, such as mon: ["09:00-12:30", "13:00-17:00"]."""
    holidays: tuple[Holiday, ...] = ()
    """Dates, such as "2026-12-25", or {country: DE, subdivision: BE}."""
    overrides: dict[Date, DayHours] = {}
    """Hours of single dates, instead of the weekly ones; [] is closed."""
    breaks: dict[Date, DayHours] = {}
    """Closed in between, on single dates."""

    def check(self, place: Place) -> None:
        week = [
            (WEEKDAYS.index(weekday) * DAY_SECONDS, weekday, hours) for weekday, hours in self.weekly.items()
        ]
        # Sunday night reaches into the Monday of the next week.
        week += [(midnight + 7 * DAY_SECONDS, weekday, hours) for midnight, weekday, hours in week]
        _report_overlaps(place.at("weekly"), week)
        for key, dated in (("overrides", self.overrides), ("breaks", self.breaks)):
            days = [(day.toordinal() * DAY_SECONDS, day.isoformat(), hours) for day, hours in dated.items()]
            _report_overlaps(place.at(key), days)


class HoursFromDate(Hours):
    """Hours that hold from one moment on, until those of the next version."""

    valid_from: Moment | None = None
    """A local date, or an instant with its zone; only the first version may be without."""

    @property
    def begins_at(self) -> datetime | None:
        """`valid_from` as naive UTC."""
        return None if self.valid_from is None else parse_moment(self.valid_from, self.time_zone or "UTC")


class VersionedCalendar(Declared):
    """A calendar whose hours were edited: the hours before an edit stay as they were."""

    versions: Annotated[
        tuple[HoursFromDate, ...],
        filled("there is no version here.", "Write at least one, or the hours without `versions`."),
    ]

    def check(self, place: Place) -> None:
        for index, (earlier, version) in enumerate(pairwise(self.versions), 1):
            if "valid_from" not in version.model_fields_set:
                place.report(
                    ["versions", index],
                    "only the first version may lack `valid_from`.",
                    "Add the date from which these hours hold.",
                )
            elif (
                earlier.begins_at is not None
                and version.begins_at is not None
                and version.begins_at <= earlier.begins_at
            ):
                place.report(
                    ["versions", index, "valid_from"],
                    "this version does not begin after the one before it.",
                    "Put the versions in order of `valid_from`.",
                )


def _kind_of_calendar(value: Any) -> str:
    return "versioned" if isinstance(value, dict) and "versions" in value else "plain"


CalendarEntry = Annotated[
    Annotated[Hours, Tag("plain")] | Annotated[VersionedCalendar, Tag("versioned")],
    Discriminator(_kind_of_calendar),
]
CalendarName = Annotated[
    str,
    Field(strict=True, pattern=r"\S"),
    Refusal("{value} is not a usable name.", "Put the name in quotes."),
]


class CalendarFile(Declared):
    """Calendars by name: when the clocks of plans run."""

    calendars: dict[CalendarName, CalendarEntry]


def _report_overlaps(place: Place, days: Sequence[tuple[int, str, DayHours]]) -> None:
    """Report hours that overlap, of days given as their midnight, the key they stand under, and their hours."""
    placed = sorted(
        (midnight + start, midnight + end, key, index)
        for midnight, key, hours in days
        for index, (start, end) in enumerate(hours)
    )
    reach, holder = 0, ""
    reported = set()
    for start, end, key, index in placed:
        here = f"{key}, number {index + 1}"
        if start < reach and (holder, here) not in reported:
            reported.add((holder, here))
            place.report(
                [key, index],
                f"these hours overlap with those of {holder}.",
                "Join the two, or let one end where the other begins.",
            )
        if end > reach:
            reach, holder = end, here

"""What a calendar is, once it has been read and checked. Times of day are seconds after local midnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

DAY_SECONDS = 86_400

# Start and end after the local midnight of the date they belong to; an end over 86400 lies on the next date.
Hours = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class PublicHolidays:
    """The public holidays of a country or of one of its parts, in the years named or in all."""

    country: str
    subdivision: str | None = None
    years: frozenset[int] | None = None


@dataclass(frozen=True)
class CalendarVersion:
    """The hours in force from one instant on, until the next version's.

    `weekly` has seven entries, Monday first. `valid_from_epoch` is None for a version that has always been in force.
    """

    label: str
    time_zone: str
    weekly: tuple[Hours, ...]
    holidays: Mapping[date, str] = field(default_factory=dict)
    public_holidays: tuple[PublicHolidays, ...] = ()
    overrides: Mapping[date, Hours] = field(default_factory=dict)
    breaks: Mapping[date, Hours] = field(default_factory=dict)
    valid_from_epoch: int | None = None


@dataclass(frozen=True)
class Calendar:
    """A named calendar: its versions in order of validity. Before the first version's `valid_from` it is closed."""

    name: str
    versions: tuple[CalendarVersion, ...]


ALWAYS = Calendar("always", (CalendarVersion("always", "UTC", (((0, DAY_SECONDS),),) * 7),))

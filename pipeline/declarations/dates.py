"""Dates, instants and zone names as people write them. Zone rules are `pipeline/zones.py`'s alone."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import UTC, date, datetime

from pipeline.zones import start_of_day

# Beyond these years an instant of a day cannot be told from the open end, or cannot be written at all.
_FIRST_YEAR, _LAST_YEAR = 1900, 9998
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_date(text: str) -> date | None:
    """A date written as 2026-11-22, else None."""
    if not _DATE.fullmatch(text):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if _FIRST_YEAR <= day.year <= _LAST_YEAR else None


def parse_utc(text: str) -> datetime | None:
    """An ISO instant with its zone as naive UTC to the second, else None."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return None
        return instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError):
        return None


def parse_moment(text: str, zone: str) -> datetime | None:
    """A date (the first instant of the day in `zone`) or an ISO instant with its zone, as naive UTC, else None."""
    day = parse_date(text)
    instant = start_of_day(day, zone) if day else parse_utc(text)
    return instant if day or (instant and _FIRST_YEAR <= instant.year <= _LAST_YEAR) else None


def hint_zone(zone: str, zones: Collection[str]) -> str:
    """The hint for a zone name that does not exist: the nearest of the many that do."""
    by_lower = {known.lower(): known for known in zones}
    nearest = difflib.get_close_matches(zone.lower(), by_lower, n=1, cutoff=0.6)
    if nearest:
        return f"Did you mean {by_lower[nearest[0]]!r}?"
    return "Write a name of the tz database, such as Europe/Berlin or UTC."

"""The inverse clock for a single question: the earliest instant at which so many open seconds have passed."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.calendars.calendar import Calendar
from pipeline.calendars.expand import expand, to_epoch

_EPOCH = datetime(1970, 1, 1)
_FURTHEST_DAYS = 4 * 366


def advance(calendar: Calendar, start: datetime, open_seconds: int) -> datetime | None:
    """The earliest instant (naive UTC) at which `open_seconds` have passed since `start` (naive UTC).

    None when the calendar does not open that long within four years.
    """
    if open_seconds <= 0:
        return start
    first = to_epoch(start)
    days = 14 + open_seconds // 14_400
    while True:
        days = min(days, _FURTHEST_DAYS)
        left = open_seconds
        for opens, closes in expand(calendar, start, start + timedelta(days=days)):
            opens = max(opens, first)
            if closes - opens >= left:
                return _EPOCH + timedelta(seconds=opens + left)
            left -= closes - opens
        if days == _FURTHEST_DAYS:
            return None
        days *= 4

"""When something happened of which an export says only how many whole minutes after another instant."""

from __future__ import annotations

from datetime import datetime, timedelta

from pipeline.calendars.advance import Calendar, advance
from pipeline.zones import Window


def derive_window(
    start: datetime, minutes: int, calendar: Calendar | None, limit: datetime | None
) -> Window | None:
    """When it can have happened, if `start` (naive UTC) is right to the second; None where the calendar never opens so long.

    Minutes of the calendar (`calendar` None) are exact but for the seconds that were cut off. Minutes of business hours lead
    back over the calendar that the vendor counted with; the time in which it is closed belongs to the same minute.
    `limit`: an instant of the same export that is not before it. The vendor counts before it cuts: where `start` was cut, both
    are later by the same seconds, and the minutes between them are exact as floors.
    """
    if calendar is None:
        earliest = start + timedelta(minutes=minutes)
        latest = earliest + timedelta(seconds=59)
    else:
        found = advance(calendar, start, 60 * minutes)
        following = advance(calendar, start, 60 * minutes + 60)
        if found is None or following is None:
            return None
        earliest, latest = found, following - timedelta(seconds=1)
    # What comes after `start` does not come in its very second.
    first = start + timedelta(seconds=1)
    earliest, latest = max(earliest, first), max(latest, first)
    return Window(earliest, min(latest, limit) if limit is not None and limit >= earliest else latest)

"""A second implementation of the clock, from the words of semantics.md: it walks through time minute by minute.

It shares no code with the pipeline, knows nothing of steps or SQL, and is meant to be read, not to be fast. A calendar is the
plain mapping of a calendar file; instants are seconds since 1970 UTC. A minute that holds a start, an end, the edge of a pause
or a change of version is walked second by second.

Not claimed: wall times in years in which zones had offsets with seconds (before 1972).
"""

from __future__ import annotations

import importlib.resources
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

MINUTE = 60
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Pauses = Iterable[tuple[int, int | None]]


@cache
def read_zone(name: str) -> zoneinfo.ZoneInfo:
    resource = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
    with resource.open("rb") as rules:
        return zoneinfo.ZoneInfo.from_file(rules, key=name)


def to_instant(wall: datetime, zone: str) -> int:
    """A wall time in a gap moves forward by the gap; an ambiguous one is the first: what fold=0 means."""
    return int(wall.replace(tzinfo=read_zone(zone), fold=0).timestamp())


class Oracle:
    """One calendar, open or closed at any second from `first` to `last`."""

    def __init__(self, calendar: Mapping[str, Any], first: int, last: int) -> None:
        versions = list(calendar.get("versions", [calendar]))
        self.begins = [_begin(version) for version in versions]
        self.open_minutes = [_open_minutes(version, first, last) for version in versions]

    def is_open(self, second: int) -> bool:
        for begin, minutes in zip(reversed(self.begins), reversed(self.open_minutes), strict=True):
            if begin is None or begin <= second:
                return second // MINUTE in minutes
        return False

    def elapsed(self, start: int, end: int, pauses: Pauses = ()) -> int:
        """Open seconds from start to end that no pause covers."""
        return sum(length for _, length in self._counted_spans(start, end, list(pauses)))

    def due(self, start: int, seconds: int, pauses: Pauses, last: int) -> int | None:
        """The earliest instant at which `seconds` open seconds have passed; None when that is after `last`."""
        if seconds == 0:
            return start
        counted = 0
        for begin, length in self._counted_spans(start, last, list(pauses)):
            if counted + length >= seconds:
                return begin + seconds - counted
            counted += length
        return None

    def _counted_spans(
        self, start: int, end: int, pauses: list[tuple[int, int | None]]
    ) -> Iterator[tuple[int, int]]:
        """The minutes that count, as (begin, seconds); seconds one by one in a minute in which something changes."""
        edges = {
            edge // MINUTE
            for edge in (start, end, *self.begins, *(e for pause in pauses for e in pause))
            if edge is not None
        }
        for minute in range(start // MINUTE, -(-end // MINUTE)):
            if minute not in edges:
                if self._counts(minute * MINUTE, pauses):
                    yield minute * MINUTE, MINUTE
            else:
                for second in range(max(start, minute * MINUTE), min(end, (minute + 1) * MINUTE)):
                    if self._counts(second, pauses):
                        yield second, 1

    def _counts(self, second: int, pauses: list[tuple[int, int | None]]) -> bool:
        if not self.is_open(second):
            return False
        return not any(
            paused <= second and (resumed is None or second < resumed) for paused, resumed in pauses
        )


def _begin(version: Mapping[str, Any]) -> int | None:
    valid_from = version.get("valid_from")
    if valid_from is None:
        return None
    if "T" in valid_from:
        return int(datetime.fromisoformat(valid_from).timestamp())
    return to_instant(datetime.fromisoformat(valid_from), version["time_zone"])


def _open_minutes(version: Mapping[str, Any], first: int, last: int) -> set[int]:
    """Every minute since 1970 UTC that the hours of some date cover."""
    zone, found = version["time_zone"], set()
    holidays = set(_list_holidays(version, first, last))
    day = datetime.fromtimestamp(first, UTC).date() - timedelta(days=4)
    while day <= datetime.fromtimestamp(last, UTC).date() + timedelta(days=4):
        for wall_start, wall_end in _hours_of(day, version, holidays):
            for begin, end in _without_breaks(wall_start, wall_end, version):
                found.update(range(to_instant(begin, zone) // MINUTE, to_instant(end, zone) // MINUTE))
        day += timedelta(days=1)
    return found


def _hours_of(day: date, version: Mapping[str, Any], holidays: set[date]) -> list[tuple[datetime, datetime]]:
    """Wall times, naive. Hours belong to the date on which they start."""
    midnight = datetime(day.year, day.month, day.day)
    noon = to_instant(midnight + timedelta(hours=12), version["time_zone"])
    if datetime.fromtimestamp(noon, read_zone(version["time_zone"])).date() != day:
        return []  # the zone has no such date: it crossed the date line
    if day.isoformat() in version.get("overrides", {}):
        written = version["overrides"][day.isoformat()]
    elif day in holidays:
        written = []
    else:
        written = version["weekly"].get(WEEKDAYS[day.weekday()], [])
    return [_place(midnight, hours) for hours in written]


def _place(midnight: datetime, hours: str) -> tuple[datetime, datetime]:
    (start_hour, start_minute), (end_hour, end_minute) = (
        map(int, time.split(":")) for time in hours.split("-")
    )
    start = midnight + timedelta(hours=start_hour, minutes=start_minute)
    end = midnight + timedelta(hours=end_hour, minutes=end_minute)
    return start, end if end > start else end + timedelta(days=1)


def _without_breaks(
    start: datetime, end: datetime, version: Mapping[str, Any]
) -> list[tuple[datetime, datetime]]:
    breaks = [
        _place(datetime.fromisoformat(day), hours)
        for day, written in version.get("breaks", {}).items()
        for hours in written
    ]
    breaks = [(begin, finish) for begin, finish in breaks if begin < end and finish > start]
    if not breaks:
        return [(start, end)]
    pieces: list[tuple[datetime, datetime]] = []
    minute = start
    while minute < end:
        following = minute + timedelta(minutes=1)
        if not any(begin <= minute < finish for begin, finish in breaks):
            if pieces and pieces[-1][1] == minute:
                pieces[-1] = (pieces[-1][0], following)
            else:
                pieces.append((minute, following))
        minute = following
    return pieces


def _list_holidays(version: Mapping[str, Any], first: int, last: int) -> Iterable[date]:
    for entry in version.get("holidays", []):
        if isinstance(entry, str):
            yield date.fromisoformat(entry)
        elif "date" in entry:
            yield date.fromisoformat(entry["date"])
        else:
            import holidays

            years = range(
                datetime.fromtimestamp(first, UTC).year - 1, datetime.fromtimestamp(last, UTC).year + 2
            )
            wanted = [year for year in years if year in entry.get("years", years)]
            yield from holidays.country_holidays(
                entry["country"], subdiv=entry.get("subdivision"), years=wanted
            )

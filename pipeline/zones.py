"""The one authority for time zones: the pinned tzdata package. Nothing else in the project turns wall time into instants."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import zoneinfo
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

# Only the tzdata package serves from here on; the operating system's zone files would give other answers on other machines.
zoneinfo.reset_tzpath(to=())

_EPOCH = datetime(1970, 1, 1)
_HALF_DAY_SECONDS = 43_200
# About eleven years: offsets are asked for and kept by the block.
_BLOCK_HALVES = 8_192


def tzdata_version() -> str:
    """The version of the zone rules, such as 2026.6: recorded with every build."""
    return importlib.metadata.version("tzdata")


@cache
def known_zones() -> frozenset[str]:
    """The zone names of the pinned tzdata."""
    listing = importlib.resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listing.split())


@cache
def find_zone(name: str) -> zoneinfo.ZoneInfo:
    """The rules of a zone. Raises ConfigurationError when the pinned tzdata has no such zone."""
    if name not in known_zones():
        raise ConfigurationError(f"{name!r} is not a time zone of tzdata {tzdata_version()}.")
    # Not from zoneinfo's own cache: that may have been filled from the operating system before this module was loaded.
    return zoneinfo.ZoneInfo.no_cache(name)


def localize(wall_time: datetime, zone: str) -> datetime:
    """The UTC instant of a naive wall time. One in a gap moves forward by the gap; an ambiguous one is the first."""
    return wall_time.replace(tzinfo=find_zone(zone), fold=0).astimezone(UTC)


class Window(NamedTuple):
    """The first and the last second in which something can have happened, as naive UTC; equal where it is known exactly."""

    first: datetime
    last: datetime

    @property
    def latest(self) -> datetime | None:
        """The last second; None where the instant is exact."""
        return None if self.first == self.last else self.last


def localize_window(wall_time: datetime, zone: str, width_seconds: int = 1) -> Window:
    """The window of a naive wall time that was cut to `width_seconds`: a minute, an hour, or a day of the zone.

    One in an hour that comes twice is the window of both readings; one in a gap moves forward by the gap.
    """
    first = localize(wall_time, zone)
    last_wall = wall_time + timedelta(seconds=width_seconds - 1)
    readings = (last_wall.replace(tzinfo=find_zone(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return Window(first.replace(tzinfo=None), max(first, *readings).replace(tzinfo=None))


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant of a local day, as naive UTC."""
    return localize(datetime.combine(day, time()), zone).replace(tzinfo=None)


def to_epochs(wall_seconds: np.ndarray, zone: str) -> np.ndarray:
    """`localize` for many: wall seconds since 1970-01-01 00:00 local -> seconds since 1970-01-01 00:00 UTC, both int64.

    A half day whose two ends have the same offset has no change of offset in it (a test looks at every zone of tzdata), so
    only the boundaries of a few half days a year need asking one by one.
    """
    import numpy as np

    halves = np.floor_divide(wall_seconds, _HALF_DAY_SECONDS)
    epochs = np.empty_like(wall_seconds)
    for block in np.unique(halves // _BLOCK_HALVES).tolist():
        here = np.flatnonzero(halves // _BLOCK_HALVES == block)
        offsets = _list_offsets(zone, block)
        half = halves[here] - block * _BLOCK_HALVES
        epochs[here] = wall_seconds[here] - offsets[half]
        for index in here[offsets[half] != offsets[half + 1]]:
            epochs[index] = wall_seconds[index] - _offset(int(wall_seconds[index]), find_zone(zone))
    return epochs


def list_zone_months(zones: Iterable[str], starts_at: datetime, ends_at: datetime) -> pyarrow.Table:
    """One row per zone and UTC month from that of `starts_at` to that of `ends_at`: the local month before and after the
    boundary in it. Without a boundary inside, it is the start of the UTC month and both months are the same.

    Raises ConfigurationError for a month with two boundaries: a zone that crossed the date line, such as Apia in 2011-12.
    """
    import pyarrow

    first = starts_at.year * 12 + starts_at.month - 1
    last = ends_at.year * 12 + ends_at.month - 1
    rows = []
    for zone in sorted(set(zones)):
        # Local month starts, from the one before to the one after, as naive UTC.
        starts = [localize(_month_start(m), zone).replace(tzinfo=None) for m in range(first - 1, last + 3)]
        for month in range(first, last + 1):
            begins, ends = _month_start(month), _month_start(month + 1)
            inside = [index for index, start in enumerate(starts) if begins < start < ends]
            if len(inside) > 1:
                raise ConfigurationError(
                    f"In {zone}, two months begin within {begins:%Y-%m} UTC. Use another time zone for figures of that month."
                )
            after = inside[0] if inside else max(i for i, start in enumerate(starts) if start <= begins)
            before = after - 1 if inside else after
            rows.append(
                {
                    "time_zone": zone,
                    "utc_month": f"{begins:%Y-%m}",
                    "month_before": f"{_month_start(first - 1 + before):%Y-%m}",
                    "boundary_at": starts[after] if inside else begins,
                    "month_after": f"{_month_start(first - 1 + after):%Y-%m}",
                }
            )
    text = pyarrow.string()
    schema = pyarrow.schema(
        {
            "time_zone": text,
            "utc_month": text,
            "month_before": text,
            "boundary_at": pyarrow.timestamp("us"),
            "month_after": text,
        }
    )
    return pyarrow.Table.from_pylist(rows, schema=schema)


def list_zone_days(zones: Iterable[str], starts_at: datetime, ends_at: datetime) -> pyarrow.Table:
    """One row per zone and local day from that of `starts_at` to that of `ends_at` (naive UTC): when it begins and ends, and
    whether it is one of Monday to Friday.

    A wall time of the day is `first_second` + the seconds since it began, and from `shift_at` on `shift_seconds` more: the day
    may begin after midnight, and the clocks may be changed on it.
    """
    import numpy as np
    import pyarrow

    first = (starts_at - _EPOCH).days - 1
    numbers = np.arange(first, (ends_at - _EPOCH).days + 3, dtype=np.int64)
    names = sorted(set(zones))
    bounds = [to_epochs(numbers * 2 * _HALF_DAY_SECONDS, zone) for zone in names]
    begins, ends = (np.concatenate([each[part] for each in bounds]) for part in (slice(-1), slice(1, None)))
    # 1970-01-01 was a Thursday.
    weekdays = (numbers[:-1] + 3) % 7
    days = len(numbers) - 1
    zone_of = [zone for zone in names for _ in range(days)]
    seconds, shifts = np.zeros_like(begins), np.zeros_like(begins)
    shift_at: list[int | None] = [None] * len(begins)
    for index in np.flatnonzero(ends - begins != 2 * _HALF_DAY_SECONDS).tolist():
        rules, begin, end = find_zone(zone_of[index]), int(begins[index]), int(ends[index])
        midnight = int(numbers[index % days]) * 2 * _HALF_DAY_SECONDS
        seconds[index] = begin + _offset_at(begin, rules) - midnight
        shifts[index] = _offset_at(end - 1, rules) - _offset_at(begin, rules)
        if shifts[index]:
            shift_at[index] = 1_000_000 * _find_shift(begin, end - 1, rules)
    instant = pyarrow.timestamp("us")
    return pyarrow.table(
        {
            "time_zone": pyarrow.array(zone_of, pyarrow.string()),
            "day": pyarrow.array(np.tile(numbers[:-1], len(names)).astype("int32")).cast(pyarrow.date32()),
            "starts_at": pyarrow.array(begins * 1_000_000).cast(instant),
            "ends_at": pyarrow.array(ends * 1_000_000).cast(instant),
            "weekday": pyarrow.array(np.tile(weekdays + 1, len(names)).astype("int32")),
            "is_weekday": pyarrow.array(np.tile(weekdays < 5, len(names))),
            "first_second": pyarrow.array(seconds),
            "shift_at": pyarrow.array(shift_at, pyarrow.int64()).cast(instant),
            "shift_seconds": pyarrow.array(shifts),
        }
    )


def _offset_at(epoch: int, rules: zoneinfo.ZoneInfo) -> int:
    """The offset from UTC in force at an instant."""
    offset = datetime.fromtimestamp(epoch, rules).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def _find_shift(before: int, after: int, rules: zoneinfo.ZoneInfo) -> int:
    """The first second with the offset of `after`; the two differ."""
    offset = _offset_at(after, rules)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (before, middle) if _offset_at(middle, rules) == offset else (middle, after)
    return after


@cache
def _list_offsets(zone: str, block: int) -> np.ndarray:
    """The offsets from UTC at every half day of a block, and at its end."""
    import numpy as np

    rules = find_zone(zone)
    first = block * _BLOCK_HALVES
    return np.array(
        [_offset(half * _HALF_DAY_SECONDS, rules) for half in range(first, first + _BLOCK_HALVES + 1)],
        dtype=np.int64,
    )


def _offset(wall_seconds: int, rules: zoneinfo.ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(seconds=wall_seconds)).replace(tzinfo=rules).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())


def _month_start(months: int) -> datetime:
    return datetime(months // 12, months % 12 + 1, 1)

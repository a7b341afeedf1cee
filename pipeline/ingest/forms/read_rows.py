"""Rows of a vendor's table (CSV, XLSX, Parquet) by the columns that an adapter knows, whatever the header calls them.

Instants are wall times of the declared zone and format, or ISO with their zone where that is what the vendor writes; nulls are
the declared markers and those that vendors write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.errors import Problem
from pipeline.ingest.files.exports import Export, reject
from pipeline.ingest.files.read_table import TableOptions, read_header, read_records
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.canonical_rows import Unusable, read_identifier, read_instant, read_wall_time
from pipeline.zones import localize

if TYPE_CHECKING:
    from pipeline.rules.source import Source

# What helpdesks write for "no value" whatever else is declared; a date of 1900 read as one gives negative durations.
_NULLS = frozenset({"", "1900-01-01", "1900-01-01 00:00:00", "#MULTIVALUE", "#N/A", "#N/B"})
_CLOCK = re.compile(r"(-?)(\d{1,6}):([0-5]\d)(?::([0-5]\d))?")


@dataclass(frozen=True)
class Layout:
    """Our names for the columns of one file: the header's names, and where each stands. `date_format`: None for ISO."""

    names: tuple[str, ...]
    places: Mapping[str, tuple[int, ...]]
    date_format: str | None

    @property
    def has_seconds(self) -> bool:
        """Whether its instants are written to the second."""
        return self.date_format is None or "%S" in self.date_format

    def __contains__(self, column: str) -> bool:
        return column in self.places

    def shown(self, column: str) -> str:
        places = self.places.get(column)
        return self.names[places[0]] if places else column

    def find(self, header: str | None) -> str | None:
        """Our name for a column that sla.yml names as the header does; None where the file lacks it."""
        wanted = (header or "").casefold()
        places = tuple(place for place, name in enumerate(self.names) if name.casefold() == wanted)
        return (
            next((column for column, found in self.places.items() if found == places), None)
            if places
            else None
        )


@dataclass(frozen=True)
class Row:
    """One row; what stands under a column that the file lacks is None."""

    layout: Layout
    values: list[str]
    source: Source

    def texts(self, column: str) -> list[str]:
        """The values of every column of this name, nulls left out."""
        found = (self.values[place].strip() for place in self.layout.places.get(column, ()))
        return [value for value in found if value not in _NULLS and value not in self.source.null_markers]

    def text(self, column: str | None) -> str | None:
        return next(iter(self.texts(column)), None) if column else None

    def identifier(self, column: str) -> str:
        return read_identifier(self.layout.shown(column), self.text(column))

    def instant(self, column: str) -> datetime | None:
        """What the column holds as naive UTC. Raises Unusable."""
        written = self.text(column)
        return None if written is None else read_written_instant(self.layout.shown(column), written, self)

    def required_instant(self, column: str) -> datetime:
        instant = self.instant(column)
        if instant is None:
            raise Unusable(
                self.layout.shown(column),
                None,
                "is missing",
                "Every record needs it; check the export's settings.",
            )
        return instant

    def window(self, column: str, instant: datetime) -> dict[str, Any]:
        """The landed columns `column` and earliest_at of an instant of this row. Where the format has no seconds, the instant
        and the submission were cut to their minutes: it happened up to 59 s later, and after up to 59 s less.
        """
        if self.layout.has_seconds:
            return {column: instant}
        cut_off = timedelta(seconds=59)
        return {column: instant + cut_off, "earliest_at": instant - cut_off}

    def whole_number(self, column: str) -> int | None:
        written = self.text(column)
        if written is None:
            return None
        if not re.fullmatch(r"-?\d{1,9}(\.0+)?", written):
            raise Unusable(self.layout.shown(column), written, "is not a whole number", "Write digits only.")
        return int(written.partition(".")[0])

    def clock_seconds(self, column: str) -> int | None:
        """`h:mm` or `HH:MM:SS`, signed, as seconds."""
        written = self.text(column)
        if written is None:
            return None
        found = _CLOCK.fullmatch(written)
        if found is None:
            raise Unusable(
                self.layout.shown(column),
                written,
                "is not a duration",
                "Durations are written h:mm or HH:MM:SS.",
            )
        sign, hours, minutes, seconds = found.groups()
        return (-1 if sign else 1) * (int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0))


def read_written_instant(shown: str, written: str, row: Row) -> datetime:
    """An instant that stands inside a cell of `row` as naive UTC; `shown` names the cell. Raises Unusable."""
    if row.layout.date_format is None:
        return read_instant(shown, written)
    zone = row.source.time_zone or "UTC"
    return read_wall_time(
        shown,
        _in_english(written, row.source.date_locale),
        lambda wall_time: localize(wall_time, zone),
        row.layout.date_format,
    )


def read_rows(
    export: Export,
    source: Source,
    columns: Mapping[str, tuple[str, ...]],
    required: tuple[str, ...],
    date_format: str | None,
    names: list[str] | None = None,
) -> tuple[Layout, Iterator[tuple[int, Row | Refused]], list[Problem]]:
    """How the file is laid out, its rows with their lines, and notes that are complete once all rows were read.

    `columns`: our names -> the names that exports give them, in any case; sla.yml may add its own (`columns:`). A header
    may name a column several times. `date_format`: the vendor's own, unless the source declares one; None where the vendor
    writes ISO with a zone, whatever the source declares. Raises InputRejected, naming them, where required ones are missing,
    and where wall times have no declared zone. `names`: the header, where the caller has read it already.
    """
    written_format = None if date_format is None else source.date_format or date_format
    if written_format is not None and source.time_zone is None:
        raise reject(
            export,
            "it is a table, whose times are written without a zone.",
            "Declare time_zone for this source in sla.yml: that of the account, or of whoever exported it.",
        )
    options = TableOptions(date_format=written_format, keeps_repeated_names=True)
    names = read_header(export, options) if names is None else names
    known = {column: (*written, *source.columns.get(column, ())) for column, written in columns.items()}
    by_name: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        by_name.setdefault(name.casefold(), []).append(place)
    places: dict[str, tuple[int, ...]] = {}
    for column, written in known.items():
        found = next((by_name[name.casefold()] for name in written if name.casefold() in by_name), None)
        if found is not None:
            places[column] = tuple(found)
    missing = [f"{column} ({' or '.join(known[column])})" for column in required if column not in places]
    if missing:
        raise reject(
            export,
            f"the header lacks {', '.join(missing)}.",
            "Export these columns, or say under `columns:` of this source in sla.yml what the file calls them.",
            1,
        )
    taken = {place for found in places.values() for place in found}
    # What sla.yml may name as the header does, a custom field above all.
    for place, name in enumerate(names):
        if place not in taken:
            places.setdefault(f"header:{name}", tuple(by_name[name.casefold()]))
    layout = Layout(tuple(names), places, written_format)
    notes: list[Problem] = []
    return layout, _iterate(export, layout, source, options, notes), notes


def _iterate(
    export: Export, layout: Layout, source: Source, options: TableOptions, notes: list[Problem]
) -> Iterator[tuple[int, Row | Refused]]:
    for records in read_records(export, list(layout.names), options):
        for refused in records.refused:
            yield refused.line_number, refused
        for line_number, values in zip(records.line_numbers, records.rows, strict=True):
            yield line_number, Row(layout, values, source)
        notes += records.notes


def _in_english(written: str, date_locale: str | None) -> str:
    """Month names and half days of the declared language as strptime reads them."""
    if date_locale is None:
        return written
    words = _words(date_locale)
    return re.sub(
        r"[^\W\d_]+\.?",
        lambda found: words.get(found.group(0).casefold().rstrip("."), found.group(0)),
        written,
    )


def _words(date_locale: str) -> Mapping[str, str]:
    known = _WORDS.get(date_locale)
    if known is None:
        from babel.dates import get_month_names, get_period_names

        english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
        known = {}
        for context in ("format", "stand-alone"):
            for width in ("abbreviated", "wide"):
                for number, name in get_month_names(width, context, date_locale).items():
                    known[name.casefold().rstrip(".")] = english[number - 1]
        for name, half in get_period_names("abbreviated", "format", date_locale).items():
            if name in ("am", "pm"):
                known[half.casefold().rstrip(".")] = name.upper()
        _WORDS[date_locale] = known
    return known


_WORDS: dict[str, Mapping[str, str]] = {}

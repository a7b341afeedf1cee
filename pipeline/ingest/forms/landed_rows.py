"""What a form makes of one record of an export: rows of the landed tables.

A record is taken whole or refused whole: a ticket without one of its events could get another verdict.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa

from pipeline.ingest.files.refused import Refused
from pipeline.ingest.forms.check_records import FUTURE_HINT, FUTURE_REASON, MANGLED_ID_SHAPE
from pipeline.ingest.forms.null_dates import is_null_date
from pipeline.ingest.forms.row_writer import RowWriter
from pipeline.ingest.tables import LANDED_TABLES, arrow_schema
from pipeline.rules.mapping import width_of
from pipeline.zones import Window, localize_window

_CHUNK_ROWS = 50_000
_EARLIEST, _LATEST = datetime(1970, 1, 1), datetime(2201, 1, 1)
_NOT_LANDED = ("source", "batch_id", "source_file")


class Unusable(Exception):
    """A record that cannot be taken: the column, what stands there, why, and what to do."""

    def __init__(self, column: str | None, raw_value: object, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.hint = column, reason, hint
        self.raw_value = None if raw_value is None else str(raw_value)


@dataclass
class Adapted:
    """The rows of one record, by table; a column that is not given lands as null."""

    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # What lands instead if this record cannot be used: which part of its ticket is missing then.
    gaps: list[dict[str, Any]] = field(default_factory=list)

    def add(self, table: str, **row: Any) -> None:
        """One row of a landed table."""
        self.rows.append((table, row))


# A page written on one line may repeat a record; of rows with one key the copy says nothing more.
_KEYS = {
    "ticket_versions": ("ticket_id", "update_number", "updated_at"),
    "ticket_changes": ("change_id",),
    "ticket_messages": ("message_id",),
}


@dataclass
class LandedRows:
    """Collects the rows of one export and hands them to the writer in file order."""

    writer: RowWriter
    rows_read: int = 0
    _waiting: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _line: int = 0
    _records_of_line: int = 0
    _keys_of_line: set[tuple[str, Any]] = field(default_factory=set)

    @contextmanager
    def record(self, line_number: int) -> Iterator[Adapted]:
        """One record of the export. What the block gathers is taken, unless it raises Unusable."""
        self.rows_read += 1
        adapted = Adapted()
        try:
            yield adapted
        except Unusable as problem:
            self.writer.refuse(
                [Refused(line_number, problem.column, problem.raw_value, problem.reason, problem.hint)]
            )
            adapted.rows = [("gaps", gap) for gap in adapted.gaps]
        if line_number != self._line:
            self._line, self._keys_of_line, self._records_of_line = line_number, set(), 0
        self._records_of_line += 1
        # A record that is one event has the order of its file; what stands in lists of one record has none between them.
        events = [row for table, row in adapted.rows if table in ("ticket_changes", "ticket_messages")]
        if len(events) == 1:
            events[0].setdefault("place", self._records_of_line)
        for table, row in adapted.rows:
            copy = (table, tuple(row.get(name) for name in _KEYS[table]) if table in _KEYS else repr(row))
            if copy not in self._keys_of_line:
                self._keys_of_line.add(copy)
                self._wait(table, {**row, "line_number": line_number})

    def refuse(self, refused: Refused) -> None:
        """Count and quarantine something that is no record at all."""
        self.rows_read += 1
        self.writer.refuse([refused])

    def finish(self) -> int:
        """Write what is left and give the number of records read."""
        for table in self._waiting:
            self._write(table)
        return self.rows_read

    def _wait(self, table: str, row: dict[str, Any]) -> None:
        waiting = self._waiting.setdefault(table, [])
        waiting.append(row)
        if len(waiting) >= _CHUNK_ROWS:
            self._write(table)

    def _write(self, table: str) -> None:
        self.writer.add(table, to_table(table, self._waiting[table]))
        self._waiting[table] = []


def to_table(table: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows by column name as a landed table without the columns that the writer adds."""
    schema = arrow_schema(
        {name: kind for name, kind in LANDED_TABLES[table].items() if name not in _NOT_LANDED}
    )
    return pa.table(
        {one.name: pa.array([row.get(one.name) for row in rows], one.type) for one in schema}, schema
    )


def read_instant(column: str, written: object) -> datetime:
    """An ISO instant with its zone as naive UTC, cut to the second. Raises Unusable."""
    instant = read_instant_or_none(column, written)
    if instant is None:
        raise Unusable(column, None, "is missing", "Every record needs it; check the export's settings.")
    return instant


def read_iso_window(column: str, written: object) -> Window:
    """Like `read_instant`: the window of what the text says, a minute or an hour where it has no seconds. Raises Unusable."""
    text = str(written)
    if len(text) == 20 and text[10] == "T" and text[13] == text[16] == ":" and text[19] == "Z":
        # As nearly all APIs write it; whatever is odd about one goes the long way.
        try:
            whole = datetime.fromisoformat(text[:19])
        except ValueError:
            whole = _EARLIEST
        if _EARLIEST.year < whole.year < _LATEST.year and whole.tzinfo is None:
            check_years(column, written, whole)
            return Window(whole, whole)
    first = read_instant(column, written)
    time_of_day = re.split("[T ]", str(written).strip(), maxsplit=1)[1]
    parts = len(re.findall(r"\d\d", re.split("[Zz+-]", time_of_day, maxsplit=1)[0]))
    return Window(first, first + timedelta(seconds=(3600, 60, 1)[min(parts, 3) - 1] - 1))


def read_instant_or_none(column: str, written: object) -> datetime | None:
    """Like `read_instant`, None for nothing."""
    if written is None or written == "" or is_null_date(str(written)):
        return None
    instant = _parse_iso(str(written))
    if instant is None:
        raise Unusable(
            column,
            written,
            "is not a possible instant with a time zone",
            "Write instants with their zone, such as 2026-07-01T09:00:00Z.",
        )
    return check_years(column, written, instant)


class Horizon:
    """The last instant that a record of the file at hand can have; the process reads one file at a time."""

    latest = _LATEST


def check_years(column: str, written: object, instant: datetime) -> datetime:
    """The instant itself. Raises Unusable outside the years 1970 to 2200, and after the file's landing."""
    if not _EARLIEST <= instant < _LATEST:
        raise Unusable(
            column,
            written,
            "lies outside the years 1970 to 2200",
            "Correct it, or declare the value in null_markers of this source in sla.yml.",
        )
    if instant > Horizon.latest:
        raise Unusable(column, written, FUTURE_REASON, FUTURE_HINT)
    return instant


@lru_cache(maxsize=65_536)
def _parse_iso(written: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(written.strip())
        if instant.tzinfo is None or "T" not in written and " " not in written.strip():
            return None
        return instant.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    except (ValueError, OverflowError):
        return None


def read_identifier(column: str, written: object) -> str:
    """An id as text. Raises Unusable when it is missing or a spreadsheet has eaten its digits."""
    text = "" if written is None else str(written).strip()
    if not text:
        raise Unusable(column, None, "is missing", "Every record needs it; check the export's settings.")
    if re.fullmatch(MANGLED_ID_SHAPE, text):
        raise Unusable(
            column,
            text,
            "is a number that lost digits, not an id",
            "Export it again without a spreadsheet in between; the digits that were lost cannot be recovered.",
        )
    return text


def find_window(written: str, zone: str, date_formats: Sequence[str]) -> Window | None:
    """The window of a wall time, in naive UTC seconds, by the first of the formats that it follows; None: it follows none."""
    for date_format in date_formats:
        try:
            wall_time = datetime.strptime(written.strip(), date_format).replace(microsecond=0)
            return localize_window(wall_time, zone, width_of(date_format))
        except (ValueError, OverflowError):
            continue
    return None


def read_wall_time(column: str, written: object, zone: str, date_formats: Sequence[str]) -> Window:
    """The window of a wall time in a declared format, in naive UTC seconds. Raises Unusable."""
    window = find_window(str(written), zone, date_formats)
    if window is None:
        raise Unusable(
            column,
            written,
            "is not a possible time in the declared date format",
            f"sla.yml declares the date format {' or '.join(date_formats)} for this source; other nulls go to null_markers.",
        )
    check_years(column, written, window.first)
    return window

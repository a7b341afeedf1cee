"""Previews and refused records as tables and CSV; the text of an export is shown, never run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.reporting.export_rows import neutral

if TYPE_CHECKING:
    from pipeline.ingest.landing.preview import Preview, PreviewedTable
    from pipeline.ingest.landing.quarantine import QuarantinedRecord, RetriedFile

_SHOWN_RECORDS = 100
_SHOWN_CHARACTERS = 60
_COLUMNS = ("source", "file", "line", "column", "value", "reason", "hint")


def preview_tables(preview: Preview) -> list[TextTable]:
    """The first rows of every table of one file as they would land, then what would be refused."""
    return [_previewed(preview, table) for table in preview.tables]


def _previewed(preview: Preview, table: PreviewedTable) -> TextTable:
    more = table.rows_in_all - len(table.rows)
    notes = (f"{more} more rows.",) if more > 0 else ()
    rows = tuple(tuple("" if value is None else _cut(value) for value in row) for row in table.rows)
    return TextTable(
        f"{preview.file}: {table.table}", tuple((name, LEFT) for name in table.columns), rows, notes
    )


def quarantine_table(records: Sequence[QuarantinedRecord]) -> TextTable:
    """One line per refused record, the first hundred; the note counts all of them."""
    rows = tuple(
        (
            one.source,
            one.file,
            "" if one.line is None else str(one.line),
            one.column or "",
            _cut(one.value or ""),
            one.reason,
            one.hint or "",
        )
        for one in records[:_SHOWN_RECORDS]
    )
    columns = tuple((name, RIGHT if name == "line" else LEFT) for name in _COLUMNS)
    count = f"Refused records: {len(records)}."
    if len(records) > _SHOWN_RECORDS:
        count = f"{count} The first {_SHOWN_RECORDS} are shown; --export FILE writes all of them."
    return TextTable("Quarantine", columns, rows, (count,))


def quarantine_csv(records: Sequence[QuarantinedRecord]) -> bytes:
    """All refused records: UTF-8, comma, CRLF, header in the first line; no cell is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow((*_COLUMNS, "batch_id"))
    for one in records:
        line = "" if one.line is None else one.line
        texts = (one.column, one.value, one.reason, one.hint)
        writer.writerow(
            (
                neutral(one.source),
                neutral(one.file),
                line,
                *(neutral(text or "") for text in texts),
                one.batch_id,
            )
        )
    return stream.getvalue().encode("utf-8", "replace")


def retried_table(files: Sequence[RetriedFile]) -> TextTable:
    """One line per file that had refused records."""
    rows = tuple(
        (
            one.source,
            one.file,
            one.status,
            str(one.refused_before),
            str(one.now_landed),
            str(one.still_refused),
        )
        for one in files
    )
    columns = (
        ("source", LEFT),
        ("file", LEFT),
        ("status", LEFT),
        ("refused before", RIGHT),
        ("landed now", RIGHT),
        ("still refused", RIGHT),
    )
    return TextTable("Quarantine, read again", columns, rows)


def outdated_tables(batches: Sequence[tuple[str, str, str, str]], notes: Sequence[str]) -> list[TextTable]:
    """One line per batch that would be read differently now (source, file, when it landed, what reads differently), and
    what that means; nothing when there is none.
    """
    if not batches:
        return []
    columns = tuple((name, LEFT) for name in ("source", "file", "landed", "now another"))
    return [TextTable("Batches that would be read differently now", columns, tuple(batches), tuple(notes))]


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"

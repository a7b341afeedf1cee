"""The rows behind a report as CSV and XLSX: every obligation, none cut off, the same bytes for the same
figures.

A spreadsheet runs a cell that starts like a formula. XLSX cells are therefore written as strings and never as
formulas or links. CSV has no such types, so there a text that starts with = + - @ % | ; a tab or a line break gets
an apostrophe in front; a program that reads the file can strip it. So does what follows a semicolon, at which half of the
world's spreadsheets begin a new cell. Numbers are ours and stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.reporting.tickets import Obligation

# What a reader of the file needs, in reading order; internal keys stay inside.
COLUMNS = (
    "month", "ticket_id", "cycle_number", "customer_id", "customer_name", "subject", "requester", "channel",
    "plan", "plan_version", "clause", "obligation", "obligation_kind", "severity_submitted",
    "severity_in_force",
    "status", "status_reason", "reason_label", "could_be", "status_before_waiver", "status_as_submitted",
    "status_by_humans", "status_with_ai", "is_met_only_by_ai", "waiver_id",
    "clock_name", "submitted_at", "starts_at", "due_at", "stopped_at", "settled_at", "breached_at",
    "target_seconds", "elapsed_seconds", "remaining_seconds", "over_by_seconds", "settled_month",
    "submitted_month", "as_of",
)  # fmt: skip

_FORMULA_STARTS = ("=", "+", "-", "@", "%", "|", ";", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NEXT_CELL = re.compile(r"(?<=;)(?=[=+\-@%|\t＝＋－＠])")


def to_csv(obligations: Sequence[Obligation]) -> bytes:
    """UTF-8, comma, CRLF, header in the first line; instants ISO with Z; an unknown value is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for values in _rows(obligations):
        writer.writerow(neutral(value) if isinstance(value, str) else value for value in values)
    return stream.getvalue().encode("utf-8", "replace")


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    inside = _NEXT_CELL.sub("'", text)
    return f"'{inside}" if inside.startswith(_FORMULA_STARTS) else inside


def to_xlsx(obligations: Sequence[Obligation], title: str, as_of: datetime) -> bytes:
    """One sheet with a header, a filter and typed numbers. `as_of` stands in for the time of writing."""
    import xlsxwriter

    stream = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(stream, options)
    book.set_properties({"title": title, "created": as_of.replace(tzinfo=None)})
    sheet = book.add_worksheet("Obligations")
    head = book.add_format({"bold": True, "bottom": 1})
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, head)
        sheet.set_column(column, column, max(12, min(28, len(name) + 2)))
    for number, values in enumerate(_rows(obligations), start=1):
        for column, value in enumerate(values):
            if isinstance(value, int):
                sheet.write_number(number, column, value)
            elif value is not None:
                sheet.write_string(number, column, _xml_text(value)[:32767])
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(obligations)), len(COLUMNS) - 1)
    book.close()
    return stream.getvalue()


def _rows(obligations: Sequence[Obligation]) -> Iterator[list[Any]]:
    for row in obligations:
        yield [_cell(getattr(row, name)) for name in COLUMNS]


def _cell(value: Any) -> Any:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value


def _xml_text(text: str) -> str:
    """XML has no way to say most control characters; one of them would make the whole workbook unreadable."""
    return "".join(
        character
        if character in "\t\n\r" or (ord(character) >= 32 and not 0xD800 <= ord(character) < 0xE000)
        and ord(character) not in (0xFFFE, 0xFFFF)
        else "\ufffd"
        for character in text
    )  # fmt: skip

"""Rows as CSV, and what keeps text in a spreadsheet text: every obligation, none cut off, the same bytes for the same figures.

A spreadsheet runs a cell that starts like a formula. XLSX cells are therefore written as strings and never as formulas or links.
CSV has no such types, so there an apostrophe goes in front of a text that starts with = + - @ % | ; a tab, a line break or an
apostrophe, also behind blanks, which some programs drop, and, within a text, in front of one of them that follows a semicolon, at
which half of the world's spreadsheets begin a new cell. `restore` gives the text back: it takes one apostrophe away at the start
and after each semicolon. Numbers are ours and stay as they are.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
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

# How a workbook is opened for writing: nothing in a text becomes a formula, a link or a number.
NOTHING_ACTIVE = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}
# The longest text that a cell of a workbook holds.
LONGEST_TEXT = 32_767
_STARTS = "=+\\-@%|\t'＝＋－＠"
_FORMULA = re.compile(rf"\A(?=\s*[{_STARTS};\r\n])|(?<=;)(?=\s*[{_STARTS}])")
_ADDED = re.compile(r"\A'|(?<=;)'")
# Without it, spreadsheets read UTF-8 as their own old code page.
_BYTE_ORDER_MARK = "\ufeff"


def to_csv(obligations: Sequence[Obligation]) -> bytes:
    """UTF-8 with a byte order mark, comma, CRLF, header in the first line; instants ISO with Z; an unknown value is empty."""
    return write_csv(COLUMNS, obligation_rows(obligations))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows in the order of the columns, in the format of `to_csv`."""
    stream = io.StringIO()
    stream.write(_BYTE_ORDER_MARK)
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for values in rows:
        writer.writerow(neutral(cell) if isinstance(cell, str) else cell for cell in map(_cell, values))
    return stream.getvalue().encode("utf-8", "replace")


def write_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The same rows as one sheet: text is text, numbers are numbers, instants ISO with Z."""
    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, NOTHING_ACTIVE)
    sheet = book.add_worksheet("rows")
    head = book.add_format({"bold": True})
    for column, name in enumerate(columns):
        sheet.write_string(0, column, xml_text(name), head)
    for number, values in enumerate(rows, start=1):
        for column, cell in enumerate(map(_cell, values)):
            if isinstance(cell, bool):
                sheet.write_boolean(number, column, cell)
            elif isinstance(cell, int | float):
                sheet.write_number(number, column, cell)
            elif cell is not None:
                sheet.write_string(number, column, xml_text(str(cell))[:LONGEST_TEXT])
    sheet.freeze_panes(1, 0)
    book.close()
    return stream.getvalue()


def neutral(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return _FORMULA.sub("'", text)


def restore(text: str) -> str:
    """The text that `neutral` was given."""
    return _ADDED.sub("", text)


def obligation_rows(obligations: Iterable[Obligation]) -> Iterator[list[Any]]:
    """Obligations as rows of `COLUMNS`."""
    for row in obligations:
        yield [getattr(row, name) for name in COLUMNS]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def xml_text(text: str) -> str:
    """XML has no way to say most control characters; one of them would make the whole workbook unreadable."""
    return "".join(
        character
        if character in "\t\n\r" or (ord(character) >= 32 and not 0xD800 <= ord(character) < 0xE000)
        and ord(character) not in (0xFFFE, 0xFFFF)
        else "\ufffd"
        for character in text
    )  # fmt: skip

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime

import pytest

from pipeline.reporting import export_rows
from pipeline.reporting.published import Published, Scope, Selection
from pipeline.reporting.tickets import read_tickets
from tests.unit.reporting.published_build import ODD_SUBJECT

AS_OF = datetime(2026, 8, 3, 12, tzinfo=UTC)


@pytest.fixture
def rows(published: Published):  # type: ignore[no-untyped-def]
    return read_tickets(published, Scope(("acme",)), Selection(months=("2026-07",)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "%", "|", ";", "\t", "\r", "\n", "＝"])
def test_csv_neutralises_a_text_that_starts_like_a_formula(start: str) -> None:
    assert export_rows.neutral(f"{start}1+1") == f"'{start}1+1"


def test_csv_leaves_plain_text_as_it_is() -> None:
    assert export_rows.neutral("a=1") == "a=1"
    assert export_rows.neutral("a; b, 10 % | c") == "a; b, 10 % | c"


@pytest.mark.parametrize(
    ("text", "written"),
    [(";=1+1", "';'=1+1"), ("a;=1+1", "a;'=1+1"), ("%1", "'%1"), ("|calc", "'|calc"), (";;@x", "';;'@x")],
)
def test_csv_has_no_formula_where_a_semicolon_begins_a_new_cell(text: str, written: str) -> None:
    assert export_rows.neutral(text) == written


def test_csv_holds_every_row_with_whole_seconds_and_zoned_instants(rows) -> None:  # type: ignore[no-untyped-def]
    read = list(csv.DictReader(io.StringIO(export_rows.to_csv(rows).decode("utf-8"))))
    assert [row["ticket_id"] for row in read] == [row.ticket_id for row in rows]
    late = next(row for row in read if row["ticket_id"] == "T-4")
    assert (late["remaining_seconds"], late["over_by_seconds"]) == ("-1", "1")
    assert late["due_at"] == "2026-07-10T09:00:00Z"
    assert next(row for row in read if row["ticket_id"] == "T-1")["subject"] == f"'{ODD_SUBJECT}"


def test_xlsx_has_neither_formulas_nor_links_and_keeps_numbers_as_numbers(rows) -> None:  # type: ignore[no-untyped-def]
    book = zipfile.ZipFile(io.BytesIO(export_rows.to_xlsx(rows, "title", AS_OF)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet and "hyperlink" not in sheet.lower()
    assert "=HYPERLINK(" in book.read("xl/sharedStrings.xml").decode()
    assert "<v>-1</v>" in sheet


def test_xlsx_and_csv_are_the_same_bytes_twice(rows) -> None:  # type: ignore[no-untyped-def]
    assert export_rows.to_csv(rows) == export_rows.to_csv(rows)
    assert export_rows.to_xlsx(rows, "title", AS_OF) == export_rows.to_xlsx(rows, "title", AS_OF)

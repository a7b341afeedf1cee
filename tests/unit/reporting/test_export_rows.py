from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reporting import export_rows
from pipeline.reporting.published import Published, Scope, Selection
from pipeline.reporting.tickets import read_tickets
from tests.unit.reporting.published_build import ODD_SUBJECT


@pytest.fixture
def rows(published: Published):  # type: ignore[no-untyped-def]
    return read_tickets(published, Scope(("acme",)), Selection(months=("2026-07",)))


@pytest.mark.parametrize(
    "start", ["=", "+", "-", "@", "%", "|", ";", "\t", "\r", "\n", "＝", " =", "\u00a0 @"]
)
def test_csv_neutralises_a_text_that_starts_like_a_formula(start: str) -> None:
    assert export_rows.neutral(f"{start}1+1") == f"'{start}1+1"


def test_csv_leaves_plain_text_as_it_is() -> None:
    assert export_rows.neutral("a=1") == "a=1"
    assert export_rows.neutral("a; b, 10 % | c") == "a; b, 10 % | c"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (";=1+1", "';'=1+1"),
        ("a;=1+1", "a;'=1+1"),
        ("%1", "'%1"),
        ("|calc", "'|calc"),
        (";;@x", "';;'@x"),
        ("a; =1", "a;' =1"),
    ],
)
def test_csv_has_no_formula_where_a_semicolon_begins_a_new_cell(text: str, written: str) -> None:
    assert export_rows.neutral(text) == written


def test_csv_holds_every_row_with_whole_seconds_and_zoned_instants(rows) -> None:  # type: ignore[no-untyped-def]
    read = list(csv.DictReader(io.StringIO(export_rows.to_csv(rows).decode("utf-8-sig"))))
    assert [row["ticket_id"] for row in read] == [row.ticket_id for row in rows]
    late = next(row for row in read if row["ticket_id"] == "T-4")
    assert (late["remaining_seconds"], late["over_by_seconds"]) == ("-1", "1")
    assert late["due_at"] == "2026-07-10T09:00:00Z"
    assert next(row for row in read if row["ticket_id"] == "T-1")["subject"] == f"'{ODD_SUBJECT}"


def test_csv_is_the_same_bytes_twice(rows) -> None:  # type: ignore[no-untyped-def]
    assert export_rows.to_csv(rows) == export_rows.to_csv(rows)


def test_csv_begins_with_the_mark_by_which_spreadsheets_know_utf_8(rows) -> None:  # type: ignore[no-untyped-def]
    assert export_rows.to_csv(rows).startswith("\ufeffmonth,ticket_id,".encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'",
        "''=1",
        "=1",
        "'=1",
        "a;=1",
        "a;'=1",
        ";';'",
        "O'Hara; 'quoted'",
        " =1; =2",
        "\r\n=x",
        "plain",
        ODD_SUBJECT,
    ],
)
def test_csv_text_is_given_back_as_it_was(text: str) -> None:
    assert export_rows.restore(export_rows.neutral(text)) == text


@given(st.text(alphabet="=+-@%|;'\t\r\n a＝"))
def test_no_text_is_lost_by_being_made_harmless(text: str) -> None:
    written = export_rows.neutral(text)
    assert export_rows.restore(written) == text
    # Neither the text nor any cell that a semicolon would begin starts like a formula.
    assert not re.match(r"\s*[=+\-@%|;\t\r\n＝]", written)
    assert not re.search(r";\s*[=+\-@%|\t＝]", written)

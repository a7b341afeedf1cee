from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import datetime
from typing import Any

import openpyxl
import pytest

from pipeline.reporting.compliance import Tally
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import Published, Scope
from pipeline.reporting.render_report import draft_edition
from pipeline.reporting.workbook import to_workbook
from tests.unit.reporting.published_build import ODD_SUBJECT


@pytest.fixture(scope="module")
def report(published: Published) -> MonthlyReport:
    return read_monthly_report(published, Scope(("acme",)), "acme", "2026-07")


def read(report: MonthlyReport) -> Any:
    return openpyxl.load_workbook(io.BytesIO(to_workbook(report, draft_edition(report))))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    heads, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


def test_workbook_has_a_sheet_for_each_part_of_the_report(report: MonthlyReport) -> None:
    assert read(report).sheetnames == ["Summary", "Obligations", "Movements", "Definitions"]
    german = read(replace(report, locale="de"))
    assert german.sheetnames == ["Zusammenfassung", "Versprechen", "Bewegungen", "Begriffe"]


def test_workbook_instants_are_dates_in_the_zone_that_the_head_names(report: MonthlyReport) -> None:
    late = next(row for row in rows_of(read(report)["Obligations"]) if row["Ticket"] == "T-4")
    # Due at 09:00 UTC, in Berlin's summer time.
    assert late["Due (Europe/Berlin)"] == datetime(2026, 7, 10, 11)
    assert (late["Target (s)"], late["Elapsed (s)"], late["Over by (s)"]) == (86400, 86401, 1)
    assert (late["Promise"], late["Status"], late["Plan"]) == ("first response", "breached", "Standard")


def test_workbook_holds_the_same_rows_as_the_report(report: MonthlyReport) -> None:
    book = read(report)
    assert len(rows_of(book["Obligations"])) == 10
    moves = rows_of(book["Movements"])
    assert [(row["Day"], row["When (Europe/Berlin)"], row["Units"]) for row in moves] == [
        (datetime(2026, 1, 1), None, 10),
        (None, datetime(2026, 7, 6, 11), -1),
    ]
    total = rows_of(book["Summary"])[-1]
    assert (total["Promise"], total["Met"], total["Breached"]) == ("All promises", 4, 1)


def test_workbook_states_no_rate_where_there_are_only_bounds(report: MonthlyReport) -> None:
    total = rows_of(read(report)["Summary"])[-1]
    assert (total["Compliance"], total["At least"], total["At most"]) == (None, 0.666666, 0.833333)


def test_workbook_never_rounds_up_to_all(report: MonthlyReport) -> None:
    tally = Tally(met=1_999, breached=1, lower_met=1_999, upper_met=1_999, bounded=2_000)
    sheet = read(replace(report, total=tally))["Summary"]
    cell = next(cell for cell in list(sheet.iter_rows())[-1] if cell.value == 0.9995)
    assert cell.number_format == "0.0###%"


@pytest.mark.parametrize(
    "payload",
    ["=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x.invalid\")", "http://x.invalid", "mailto:a@x.invalid", "{=1}",
     "\t=1", "1234", "TRUE", "=cmd|' /C calc'!A0", "internal:Summary!A1", ODD_SUBJECT],
)  # fmt: skip
def test_workbook_text_is_text_and_nothing_else(report: MonthlyReport, payload: str) -> None:
    rows = tuple(replace(row, subject=payload) for row in report.obligations)
    content = to_workbook(replace(report, obligations=rows), draft_edition(report))
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/"):
                text = book.read(name).decode()
                assert "<f>" not in text and "hyperlink" not in text.lower()
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Obligations"]
    column = next(cell.column for cell in sheet[1] if cell.value == "Subject")
    cells = [sheet.cell(row=number, column=column) for number in range(2, sheet.max_row)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {str(cell.value).replace("_x000D_", "\r") for cell in cells} == {payload}


def test_workbook_is_the_same_bytes_twice(report: MonthlyReport) -> None:
    edition = draft_edition(report)
    assert to_workbook(report, edition) == to_workbook(report, edition)

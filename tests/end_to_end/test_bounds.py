"""One-sided evidence through the whole job: every output shows the same bounds, and none a percentage.

A Freshdesk table has dates of resolution and no history. The plan promises a resolution within 24 h and counts on after a
reopening. Of eight tickets of May five were resolved after 10 h, which no gap can change, and three after 50 h, which may have
been solved in time and reopened: 5 of 8 = 62.5 % up to 8 of 8. Of ticket 9, of June, the table says the same as of the three.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pypdf
import pytest
from streamlit.testing.v1 import AppTest

from dashboards.serve import HERE as DASHBOARDS
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query, read_month_name
from tests.end_to_end.small_vendor import CUSTOMERS_HEADER, TERMS_HEADER, write_lines

MAY = "62.5 % to 100 %"
PARTS = "5 met, 0 breached, 3 undecided"
PLAN = """\
plan: resuming_desk
clauses: {resolution: "Contract, section 2"}
versions:
  - valid_from: "2026-01-01"
    time_zone: UTC
    calendar: always
    severities: {4: {label: High, is_covered: true}}
    obligations:
      - obligation: resolution
        cycles: resume
        starts_on: [submitted]
        stops_on: ["status:solved"]
        resumes_on: [reopened]
        promises: [{severities: [4], target: 24h, clock: always, clause: resolution}]
"""


def _row(number: int, day: str, resolved: str) -> str:
    return f"{number},Resolved,High,Portal,2026-{day} 08:00:00,2026-{resolved},2026-{resolved},2026-{day} 09:00:00"


def _read_sheet(path: Path) -> list[dict[str, str | None]]:
    heads, *rows = openpyxl.load_workbook(path)["Obligations"].iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bounds") / "desk"
    run_sla("init", str(root)).expect(0)
    write_lines(
        root / "sla.yml",
        "compare_plans: []",
        "sources:",
        "  desk: {type: freshdesk, time_zone: UTC, customer: {constant: acme}, severity: {field: priority, values: {High: 4}}}",
    )
    (root / "reference" / "plans" / "resuming_desk.yml").write_text(PLAN, encoding="utf-8")
    write_lines(root / "reference" / "customers.csv", CUSTOMERS_HEADER, "acme,Acme,UTC,en,")
    term = "S-1,acme,resuming_desk,2026-01-01,2027-01-01,paid,active"
    write_lines(root / "reference" / "subscriptions.csv", TERMS_HEADER, term)
    write_lines(
        root / "inbox" / "desk" / "tickets.csv",
        "Ticket ID,Status,Priority,Source,Created time,Resolved time,Last update time,Initial response time",
        *(_row(number, "05-04", "05-04 18:00:00") for number in range(1, 6)),
        *(_row(number, "05-04", "05-06 10:00:00") for number in range(6, 9)),
        _row(9, "06-01", "06-03 10:00:00"),
    )
    run_sla("run", workspace=root).expect(0)
    return root


def test_marts_hold_the_bounds_of_a_month(root: Path) -> None:
    counts = (
        "sum(met_count), sum(breached_count), sum(lower_met_count), sum(upper_met_count), sum(bounded_count)"
    )
    of_may = "where month = '2026-05'"
    assert query(
        root,
        f"select {counts} from marts.mart_manager__monthly_compliance {of_may} and month_basis = 'settled'",
    ) == [(5, 0, 5, 8, 8)]
    assert query(root, f"select {counts} from marts.mart_customer__monthly_report {of_may}") == [
        (5, 0, 5, 8, 8)
    ]


def test_command_line_and_json_show_the_bounds_and_no_percentage(root: Path) -> None:
    by_month = run_sla("compliance", "--by", "month", workspace=root).expect(0).out
    lines = [" ".join(line.split()) for line in by_month.splitlines()]
    assert any(line.startswith(f"2026-05 {MAY} ({PARTS}) 5 0 0") for line in lines)
    assert any(line.startswith("2026-06 0 % to 100 % (0 met, 0 breached, 1 undecided)") for line in lines)
    assert any(line.startswith("total 55.6 % to 100 % (5 met, 0 breached, 4 undecided)") for line in lines)
    assert "100.0 %" not in by_month
    told = json.loads(
        run_sla("compliance", "--month", "2026-05", "--by", "", "--json", workspace=root).expect(0).out
    )
    rate = {"met": 5, "counted": 5, "ratio": None, "undecided": 3, "lower": 0.625, "upper": 1.0}
    assert told["total"]["compliance"] == told["total"]["compliance_before_waivers"] == rate
    ticket = run_sla("explain", "6", workspace=root).expect(0).out
    assert "(could be met or breached)" in ticket


def test_report_and_its_rows_show_the_same_bounds(root: Path, tmp_path: Path) -> None:
    run_sla(
        "report", "--customer", "acme", "--month", "2026-05", "--out", str(tmp_path), workspace=root
    ).expect(0)
    [pdf], [sheet], [rows] = (list(tmp_path.glob(f"*.{ending}")) for ending in ("pdf", "xlsx", "csv"))
    text = " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(pdf).pages).split())
    # The summary's head, the promise's line and the total.
    assert text.count(f"{MAY} {PARTS}") == 3
    assert "100.0 % (" not in text and "All 5 promises" not in text
    assert "desk until 3 Jun 2026, 10:00:00 UTC" in text
    with rows.open(encoding="utf-8-sig", newline="") as file:
        listed = [
            (row["ticket_id"], row["status"], row["could_be"])
            for row in csv.DictReader(file)
            if row["obligation"] == "resolution"
        ]
    assert listed == [(str(number), "met", "") for number in range(1, 6)] + [
        (str(number), "not measurable", "could be met or breached") for number in range(6, 9)
    ]
    cells = _read_sheet(sheet)
    assert [
        (row["Ticket"], row["Status"], row["Could be"] or "")
        for row in cells
        if row["Promise"] == "resolution"
    ] == listed


def test_page_shows_the_same_bounds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLA_WORKSPACE", str(root))
    app = AppTest.from_file(str(DASHBOARDS / "views" / "compliance.py"), default_timeout=60)
    app.query_params["by"] = ""
    app.run()
    assert not app.exception
    table = next(
        each.value.to_dict("records") for each in app.dataframe if "Compliance" in each.value.columns
    )
    shown = {
        read_month_name(row["Month"]): (row["Compliance"], row["Bounds"], row["Met"], row["Counted"])
        for row in table
    }
    # Eight promises are few: the page has their counts, and the bounds beside them.
    counts = "5 of 5, 3 undecided"
    assert shown["2026-05"] == (counts, MAY, 5, 5)
    assert counts in [heading.value for heading in app.subheader]
    assert any(f"{MAY}, with 3 undecided." in caption.value for caption in app.caption)

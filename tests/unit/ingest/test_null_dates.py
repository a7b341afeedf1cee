"""What exports write where there is no date is no value, in every kind of file and form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from pipeline.ingest.forms.null_dates import is_null_date
from tests.unit.ingest.conftest import Landing

NULLS = ["-", "NULL", "null", "0", "1", "1900-01-01", "1900-01-01 00:00:00", "0000-00-00", "0000-00-00 00:00:00",
         "01/01/1900", "1/1/1900 12:00 AM", "30.12.1899 00:00", "1899-12-31T00:00:00Z", "0001-01-01T00:00:00Z"]  # fmt: skip


MAPPING = """\
time_zone: UTC
dates: ["%Y-%m-%d %H:%M:%S"]
evidence: [resolution]
files:
  issues:
    format: csv
    tickets: {ticket_id: Key, submitted_at: Created}
    events:
      - event_type: {constant: status_changed}
        event_at: Resolved
        value: {constant: solved}
        when: {column: Resolved, filled: true}
"""


@pytest.fixture
def mapped(declare: Callable[[str], Landing], tmp_path: Path) -> Callable[[str], Landing]:
    def read_with(mapping: str) -> Landing:
        folder = tmp_path / "reference" / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "desk.yml").write_text(mapping, encoding="utf-8")
        return declare("sources:\n  desk: {type: mapped, mapping: mappings/desk.yml}\n")

    return read_with


@pytest.mark.parametrize("text", NULLS)
def test_a_text_that_stands_for_no_date_is_none(text: str) -> None:
    assert is_null_date(text) and is_null_date(f" {text} ")


@pytest.mark.parametrize(
    "text", ["1900-01-02", "1900-01-01 00:00:01", "01/01/2000", "2026-01-01", "10", "1782896400", "nullable", ""]
)  # fmt: skip
def test_a_date_or_another_text_is_not(text: str) -> None:
    assert not is_null_date(text)


def canonical_ticket(cell: str) -> str:
    header = (
        "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at"
    )
    return f"{header}\nT-1,acme,ann,email,3,2026-07-01T09:00:00Z,,,,{cell}\n"


@pytest.mark.parametrize("text", ["-", "NULL", "1900-01-01 00:00:00", "0000-00-00"])
def test_in_a_canonical_file_a_null_date_is_no_value(landing: Landing, text: str) -> None:
    assert landing.land("own", "tickets.csv", canonical_ticket(text)).rows_rejected == 0
    assert landing.rows("ticket_versions", "updated_at") == [None]


@pytest.mark.parametrize("text", ["-", "NULL", "01-01-1900 00:00", "0000-00-00"])
def test_in_a_table_of_servicenow_a_null_date_is_no_resolution(landing: Landing, text: str) -> None:
    header = "number,state,opened_at,sys_updated_on,resolved_at,priority\n"
    row = f"INC1,New,01-02-2026 09:00,01-02-2026 09:30,{text},3\n"
    assert landing.land("snow", "incident.csv", header + row).rows_rejected == 0
    assert landing.rows("ticket_changes") == []


ZENDESK = ("Id", "Status", "Priority", "Via", "Created at", "Updated at", "Solved at", "Reopens")
CLOSED_AT = datetime(2026, 3, 3, 8)
SOLVED = (1, "Solved", "Normal", "Web form", datetime(2026, 3, 2, 8), CLOSED_AT, CLOSED_AT, 0)


@pytest.mark.parametrize("serial", [0, 1])
def test_of_a_workbook_day_0_and_1_are_no_date_and_no_ticket_is_lost(
    declare: Callable[[str], Landing], tmp_path: Path, serial: int
) -> None:
    file = tmp_path / "tickets.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        date = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        sheet.write_row(0, 0, ZENDESK)
        for number, solved in enumerate((SOLVED[6], serial), 1):
            for column, value in enumerate((number, *SOLVED[1:6], solved, 0)):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, column, value, date)
                else:
                    sheet.write(number, column, value, date if column == 6 else None)
    landing = declare("sources:\n  zendesk:\n    type: zendesk\n    time_zone: UTC\n    customer: {constant: acme}\n"
                      "    severity: {field: priority, values: {Normal: 3}}\n")  # fmt: skip
    result = landing.land("zendesk", "tickets.xlsx", file.read_bytes())
    assert (result.rows_landed, result.rows_rejected) == (2, 0)
    assert landing.rows("ticket_changes", "ticket_id, changed_at") == [("1", datetime(2026, 3, 3, 8))]


@pytest.mark.parametrize("kind", ["csv", "parquet", "ndjson"])
@pytest.mark.parametrize("text", ["-", "NULL", "1900-01-01 00:00:00", "0000-00-00 00:00:00"])
def test_in_a_mapped_file_a_null_date_is_no_event(
    mapped: Callable[[str], Landing], tmp_path: Path, kind: str, text: str
) -> None:
    file = tmp_path / f"a.{kind}"
    cells = {"Key": "T-1", "Created": "2026-03-02 08:00:00", "Resolved": text}
    if kind == "parquet":
        pq.write_table(pa.table({name: [cell] for name, cell in cells.items()}), file)
    elif kind == "ndjson":
        file.write_text("{" + ", ".join(f'"{name}": "{cell}"' for name, cell in cells.items()) + "}\n")
    else:
        file.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n")
    landing = mapped(MAPPING.replace("format: csv", f"format: {kind}"))
    assert landing.land("desk", file.name, file.read_bytes()).rows_rejected == 0
    assert landing.rows("ticket_versions", "ticket_id") == ["T-1"]
    assert landing.rows("ticket_changes") == []

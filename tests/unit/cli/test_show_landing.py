"""Refused records as a person reads them: counted in full, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io

from pipeline.cli.show_landing import quarantine_csv, quarantine_table
from pipeline.ingest.landing.quarantine import QuarantinedRecord


def refused(line: int | None, value: str | None) -> QuarantinedRecord:
    return QuarantinedRecord("desk", "inbox/desk/a.csv", line, "Prio", value, "is unknown", None, "b1")


def test_exported_quarantine_holds_every_record_and_no_formula() -> None:
    records = [refused(2, '=HYPERLINK("x")'), refused(None, None), *(refused(n, "x") for n in range(3, 203))]
    rows = list(csv.reader(io.StringIO(quarantine_csv(records).decode())))
    assert rows[0] == ["source", "file", "line", "column", "value", "reason", "hint", "batch_id"]
    assert rows[1][4] == '\'=HYPERLINK("x")'
    assert rows[2] == ["desk", "inbox/desk/a.csv", "", "Prio", "", "is unknown", "", "b1"]
    assert len(rows) == 1 + 202


def test_table_of_the_quarantine_says_how_many_it_leaves_out() -> None:
    assert quarantine_table([refused(n, "x") for n in range(100)]).notes == ("Refused records: 100.",)
    table = quarantine_table([refused(n, "x" * 80) for n in range(101)])
    assert (len(table.rows), len(table.rows[0][4])) == (100, 60)
    assert table.notes == (
        "Refused records: 101. The first 100 are shown; --export FILE writes all of them.",
    )

from __future__ import annotations

from pipeline.cli.show_findings import findings_tables
from pipeline.reporting.findings import read_findings
from pipeline.reporting.published import EVERY_CUSTOMER, Published


def test_findings_tables_count_by_kind_on_top_and_name_the_line_of_each(published: Published) -> None:
    summary, rows = findings_tables(read_findings(published, EVERY_CUSTOMER))
    assert [(row[0], row[2]) for row in summary.rows] == [
        ("unlisted_requester", "3"),
        ("redeemed_too_often", "1"),
        ("unknown_customer", "1"),
        ("total", "5"),
    ]
    assert rows.rows[0][-1] == "reference/redemptions.csv:3"
    nothing = findings_tables(read_findings(published, EVERY_CUSTOMER, kinds=["waiver_of_nothing"]))
    assert [table.title for table in nothing] == ["Findings by kind"]

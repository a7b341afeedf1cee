"""Holes in the histories of incidents: one row per refused entry or change whose incident could be told."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull

from expectations.checked_table import TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.servicenow_gaps",
        columns={"batch_id": TEXT, "line_number": WHOLE, "ticket_sys_id": TEXT, "evidence": TEXT},
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_sys_id",
                severity="critical",
                notes="A hole in no incident's history keeps no verdict from being given.",
            ),
            ExpectColumnValuesToBeInSet(
                column="evidence",
                value_set=["messages", "statuses"],
                severity="critical",
                notes="A word that staging does not know would leave the incident measurable.",
            ),
        ),
    )

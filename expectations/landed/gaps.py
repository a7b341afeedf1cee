"""Refused records whose ticket could be told, as they arrive."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.gaps",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "ticket_id": TEXT,
            "record_id": TEXT,
            "evidence": TEXT,
        },
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                row_condition=Column("record_id").is_null(),
                severity="critical",
                notes="A gap without a ticket withholds no verdict.",
            ),
            ExpectColumnValuesToBeInSet(
                column="evidence",
                value_set=["messages", "statuses", "debug", "bugs"],
                severity="critical",
                notes="A word that staging does not know would leave the ticket measurable; null means all of it.",
            ),
        ),
    )

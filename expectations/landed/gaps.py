"""Refused records whose ticket could be told, as they arrive."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_in_set,
    expect_column_values_to_not_be_null,
)


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
        named_by=("line_number",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="ticket_id",
                where="record_id is null",
                severity="critical",
                notes="A gap without a ticket withholds no verdict.",
            ),
            expect_column_values_to_be_in_set(
                column="evidence",
                value_set=["messages", "statuses", "debug", "bugs"],
                severity="critical",
                notes="A word that staging does not know would leave the ticket measurable; null means all of it.",
            ),
        ),
    )

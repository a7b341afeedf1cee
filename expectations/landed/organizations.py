"""Organizations as they arrive: one row per exported version of an organization."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.organizations",
        columns={"batch_id": TEXT, "line_number": WHOLE, "organization_id": TEXT},
        named_by=("line_number",),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["batch_id", "line_number", "organization_id"],
                severity="critical",
                notes="A line, which may hold a page of them, names each once; twice is a file landed twice.",
            ),
            expect_column_values_to_not_be_null(
                column="organization_id",
                severity="critical",
                notes="Tickets name their organization by this id; without it no customer is found.",
            ),
        ),
    )

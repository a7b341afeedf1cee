"""Organizations as they arrive: one row per exported version of an organization."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToNotBeNull, ExpectCompoundColumnsToBeUnique

from expectations.checked_table import TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.organizations",
        columns={"batch_id": TEXT, "line_number": WHOLE, "organization_id": TEXT},
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "organization_id"],
                severity="critical",
                notes="A line, which may hold a page of them, names each once; twice is a file landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="organization_id",
                severity="critical",
                notes="Tickets name their organization by this id; without it no customer is found.",
            ),
        ),
    )

"""Zendesk users as they arrive: one row per exported user version."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToNotBeNull,
    ExpectCompoundColumnsToBeUnique,
)

from expectations.checked_table import TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.zendesk_users",
        columns={"batch_id": TEXT, "line_number": WHOLE, "user_id": TEXT, "role": TEXT},
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["batch_id", "line_number", "user_id"],
                severity="critical",
                notes="A line, which may hold a page of them, names each once; twice is a file landed twice.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="user_id",
                severity="critical",
                notes="Without it no author is found.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="role",
                severity="critical",
                notes="The role alone says whether an answer came from the vendor.",
            ),
            ExpectColumnValuesToBeInSet(
                column="role",
                value_set=["end-user", "agent", "admin"],
                severity="critical",
                notes="Zendesk has these three; an unknown role would be counted as nobody's answer.",
            ),
        ),
    )

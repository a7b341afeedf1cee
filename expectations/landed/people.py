"""People as they arrive: one row per exported version of a person."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_in_set,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="raw.people",
        columns={"batch_id": TEXT, "line_number": WHOLE, "person_id": TEXT, "role": TEXT},
        named_by=("line_number",),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["batch_id", "line_number", "person_id"],
                severity="critical",
                notes="A line, which may hold a page of them, names each once; twice is a file landed twice.",
            ),
            expect_column_values_to_not_be_null(
                column="role",
                severity="warning",
                notes="The role says whether an answer came from the vendor; without one the author is on no side.",
            ),
            expect_column_values_to_not_be_null(
                column="person_id",
                severity="critical",
                notes="Messages name their author by this id; without it no author is found.",
            ),
            expect_column_values_to_be_in_set(
                column="role",
                value_set=["agent", "admin", "end-user", "customer", "bot", "ai"],
                severity="warning",
                notes="An unknown role is on no side: what such a person wrote answers nothing.",
            ),
        ),
    )

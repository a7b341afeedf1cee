"""Tickets as they leave: one row per ticket."""

from __future__ import annotations

from expectations.checked_table import (
    INSTANT,
    TEXT,
    CheckedTable,
    expect_column_values_to_be_unique,
    expect_column_values_to_not_be_null,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_tickets",
        columns={"ticket_id": TEXT, "source": TEXT, "submitted_at": INSTANT},
        named_by=("ticket_id",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="ticket_id",
                severity="critical",
                notes="Every figure is explained down to its ticket.",
            ),
            expect_column_values_to_be_unique(
                column="ticket_id",
                severity="critical",
                notes=(
                    "Two sources with the same ticket numbers: one of them needs a ticket_prefix in sla.yml."
                ),
            ),
            expect_column_values_to_not_be_null(
                column="submitted_at",
                severity="critical",
                notes="Every clock of a ticket starts from its submission.",
            ),
        ),
    )

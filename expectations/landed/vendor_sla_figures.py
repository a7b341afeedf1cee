"""Figures that vendors computed themselves, as they arrive: one row per ticket, figure and cycle."""

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
        table="raw.vendor_sla_figures",
        columns={
            "batch_id": TEXT,
            "line_number": WHOLE,
            "ticket_id": TEXT,
            "figure": TEXT,
            "figure_kind": TEXT,
        },
        named_by=("line_number",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="ticket_id",
                severity="critical",
                notes="A figure of no ticket can be compared with nothing.",
            ),
            expect_column_values_to_be_in_set(
                column="figure_kind",
                value_set=["elapsed", "remaining", "target"],
                severity="critical",
                notes="What a figure measures decides what of ours it is compared with.",
            ),
        ),
    )

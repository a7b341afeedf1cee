"""Figures that vendors computed themselves, as they arrive: one row per ticket, figure and cycle."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeInSet, ExpectColumnValuesToNotBeNull

from expectations.checked_table import TEXT, WHOLE, CheckedTable


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
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="ticket_id",
                severity="critical",
                notes="A figure of no ticket can be compared with nothing.",
            ),
            ExpectColumnValuesToBeInSet(
                column="figure_kind",
                value_set=["elapsed", "remaining", "target"],
                severity="critical",
                notes="What a figure measures decides what of ours it is compared with.",
            ),
        ),
    )

"""Figures that vendors computed themselves as they leave: one row per ticket, figure and cycle."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_be_unique,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="core.fct_vendor_sla_figures",
        columns={
            "vendor_figure_key": TEXT,
            "ticket_id": TEXT,
            "figure_kind": TEXT,
            "they_seconds": WHOLE,
            "unit_seconds": WHOLE,
            "goal_seconds": WHOLE,
        },
        named_by=("vendor_figure_key",),
        expectations=(
            expect_column_values_to_be_unique(
                column="vendor_figure_key",
                severity="critical",
                notes="Overlapping exports repeat a figure; the newest of them counts.",
            ),
            expect_column_values_to_be_in_set(
                column="figure_kind",
                value_set=["elapsed", "remaining", "target"],
                severity="critical",
                notes="What a figure measures decides what of ours it is compared with.",
            ),
            expect_column_values_to_be_between(
                column="unit_seconds",
                min_value="1",
                severity="critical",
                notes="Within this many seconds the two are the same; zero would call every rounding a difference.",
            ),
            expect_column_values_to_be_between(
                column="goal_seconds",
                min_value="1",
                severity="warning",
                notes="A goal of no time is a setting that was never made.",
            ),
        ),
    )

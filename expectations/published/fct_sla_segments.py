"""The pieces of time behind the verdicts as they leave: one row per obligation and segment."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeInSet,
    ExpectCompoundColumnsToBeUnique,
)

from expectations.checked_table import INSTANT, TEXT, WHOLE, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="core.fct_sla_segments",
        columns={
            "obligation_key": TEXT,
            "segment_number": WHOLE,
            "segment_kind": TEXT,
            "counted_seconds": WHOLE,
            "wall_seconds": WHOLE,
            "starts_at": INSTANT,
            "ends_at": INSTANT,
        },
        expectations=(
            ExpectCompoundColumnsToBeUnique(
                column_list=["obligation_key", "segment_number"],
                severity="critical",
                notes="Segments are read in this order; two of one number would count a piece of time twice.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="ends_at",
                column_B="starts_at",
                severity="critical",
                notes="A segment is a piece of time; one that ends before it begins would give time back.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="wall_seconds",
                column_B="counted_seconds",
                or_equal=True,
                severity="critical",
                notes="No clock counts more seconds than have passed.",
            ),
            ExpectColumnValuesToBeBetween(
                column="counted_seconds",
                min_value=0,
                severity="critical",
                notes="No clock runs backwards.",
            ),
            ExpectColumnValuesToBeInSet(
                column="segment_kind",
                value_set=["counted", "paused", "closed", "holiday"],
                severity="critical",
                notes="The closed set that an explanation has words for.",
            ),
        ),
    )

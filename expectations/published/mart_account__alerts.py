"""What account teams are told about, as it leaves: one row per term, pool and kind of alert."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_pair_values_a_to_be_greater_than_b,
    expect_column_values_to_be_between,
    expect_column_values_to_be_unique,
    expect_column_values_to_not_be_null,
)

TABLE = "marts.mart_account__alerts"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "alert_key": TEXT,
            "alert_kind": TEXT,
            "customer_id": TEXT,
            "threshold_pct": WHOLE,
            "consumed_quantity": WHOLE,
            "available_quantity": WHOLE,
            "overage_quantity": WHOLE,
        },
        # Both instants as seconds: they have different kinds.
        rows=f"""
            select
                alert_key, alert_kind, threshold_pct, overage_quantity,
                epoch(as_of) as known_epoch, epoch(raised_at) as raised_epoch
            from {TABLE}
        """,
        named_by=("alert_key",),
        expectations=(
            expect_column_values_to_be_unique(
                column="alert_key",
                severity="critical",
                notes="Of several limits that are reached only the highest is told.",
            ),
            expect_column_values_to_not_be_null(
                column="threshold_pct",
                where="alert_kind = 'threshold_reached'",
                severity="critical",
                notes="A limit without its number is of no use.",
            ),
            expect_column_values_to_be_between(
                column="threshold_pct",
                min_value="1",
                max_value="100",
                severity="critical",
                notes="Limits are shares of what is available; above it is overage.",
            ),
            expect_column_values_to_be_between(
                column="overage_quantity",
                min_value="0",
                severity="critical",
                notes="Overage is a count of tickets.",
            ),
            expect_column_pair_values_a_to_be_greater_than_b(
                column_a="known_epoch",
                column_b="raised_epoch",
                or_equal=True,
                where="raised_epoch is not null",
                severity="critical",
                notes="An alert is of something that happened; only a forecast has no instant.",
            ),
        ),
    )

"""What account teams are told about, as it leaves: one row per term, pool and kind of alert."""

from __future__ import annotations

from great_expectations.expectations import (
    ExpectColumnPairValuesAToBeGreaterThanB,
    ExpectColumnValuesToBeBetween,
    ExpectColumnValuesToBeUnique,
    ExpectColumnValuesToNotBeNull,
)
from great_expectations.expectations.row_conditions import Column

from expectations.checked_table import TEXT, WHOLE, CheckedTable

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
        expectations=(
            ExpectColumnValuesToBeUnique(
                column="alert_key",
                severity="critical",
                notes="Of several limits that are reached only the highest is told.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="threshold_pct",
                row_condition=Column("alert_kind") == "threshold_reached",
                severity="critical",
                notes="A limit without its number is of no use.",
            ),
            ExpectColumnValuesToBeBetween(
                column="threshold_pct",
                min_value=1,
                max_value=100,
                severity="critical",
                notes="Limits are shares of what is available; above it is overage.",
            ),
            ExpectColumnValuesToBeBetween(
                column="overage_quantity",
                min_value=0,
                severity="critical",
                notes="Overage is a count of tickets.",
            ),
            ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="known_epoch",
                column_B="raised_epoch",
                or_equal=True,
                row_condition=Column("raised_epoch").is_not_null(),
                severity="critical",
                notes="An alert is of something that happened; only a forecast has no instant.",
            ),
        ),
    )

"""Customers as they leave: one row per customer."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    CheckedTable,
    expect_column_values_to_be_unique,
    expect_column_values_to_not_be_null,
)


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_customers",
        columns={"customer_id": TEXT, "customer_name": TEXT},
        named_by=("customer_id",),
        expectations=(
            expect_column_values_to_not_be_null(
                column="customer_id",
                severity="critical",
                notes="Reports are cut and delivered by it.",
            ),
            expect_column_values_to_be_unique(
                column="customer_id",
                severity="critical",
                notes="A customer twice doubles every joined figure.",
            ),
            expect_column_values_to_not_be_null(
                column="customer_name",
                severity="warning",
                notes="Pages and reports fall back to the id, which customers do not know.",
            ),
        ),
    )

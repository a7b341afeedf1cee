"""Customers as they leave: one row per customer."""

from __future__ import annotations

from great_expectations.expectations import ExpectColumnValuesToBeUnique, ExpectColumnValuesToNotBeNull

from expectations.checked_table import TEXT, CheckedTable


def build() -> CheckedTable:
    return CheckedTable(
        table="core.dim_customers",
        columns={"customer_id": TEXT, "customer_name": TEXT},
        expectations=(
            ExpectColumnValuesToNotBeNull(
                column="customer_id",
                severity="critical",
                notes="Reports are cut and delivered by it.",
            ),
            ExpectColumnValuesToBeUnique(
                column="customer_id",
                severity="critical",
                notes="A customer twice doubles every joined figure.",
            ),
            ExpectColumnValuesToNotBeNull(
                column="customer_name",
                severity="warning",
                notes="Pages and reports fall back to the id, which customers do not know.",
            ),
        ),
    )

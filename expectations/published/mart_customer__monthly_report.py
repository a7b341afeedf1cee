"""Customer months as they leave: one row per customer and month that a report can be made of."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
from expectations.published.months import MONTH_PATTERN

TABLE = "marts.mart_customer__monthly_report"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "customer_id": TEXT,
            "month": TEXT,
            "time_zone": TEXT,
            "tickets_submitted_count": WHOLE,
        },
        rows=f"""
            select
                reports.customer_id, reports.month, reports.time_zone, reports.tickets_submitted_count,
                customers.customer_id is not null as is_known_customer
            from {TABLE} as reports
            left join core.dim_customers as customers on customers.customer_id = reports.customer_id
        """,
        named_by=(
            "customer_id",
            "month",
        ),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["customer_id", "month"],
                severity="critical",
                notes="One report per customer and month; a second one would be sent as well.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_customer",
                value_set=[True],
                severity="critical",
                notes="A report for a customer that is not on the list has no recipient.",
            ),
            expect_column_values_to_not_be_null(
                column="month",
                severity="critical",
                notes="A report is of a month.",
            ),
            expect_column_values_to_match_regex(
                column="month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Months are filtered and sorted as YYYY-MM.",
            ),
            expect_column_values_to_not_be_null(
                column="time_zone",
                severity="critical",
                notes="The month begins and ends in it, and the report says so.",
            ),
            expect_column_values_to_be_between(
                column="tickets_submitted_count",
                min_value="0",
                severity="critical",
                notes="A count of tickets.",
            ),
        ),
    )

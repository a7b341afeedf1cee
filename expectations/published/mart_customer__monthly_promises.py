"""The promises of customer months as they leave: the lines of a report's summary, and one for what no promise covers."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_in_set,
    expect_column_values_to_match_regex,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)
from expectations.published.mart_manager__monthly_compliance import COUNTS, expect_count
from expectations.published.months import MONTH_PATTERN

TABLE = "marts.mart_customer__monthly_promises"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "customer_id": TEXT,
            "month": TEXT,
            "promise": TEXT,
            "severities": TEXT,
            "running_count": WHOLE,
            **dict.fromkeys(COUNTS, WHOLE),
        },
        rows=f"""
            select
                promises.customer_id, promises.month, promises.promise, promises.severities, promises.running_count,
                {", ".join(COUNTS)},
                customers.customer_id is not null as is_known_customer
            from {TABLE} as promises
            left join core.dim_customers as customers on customers.customer_id = promises.customer_id
        """,
        named_by=(
            "customer_id",
            "month",
            "promise",
        ),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["customer_id", "month", "promise"],
                severity="critical",
                notes="A second line of one promise would be added to the total.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_customer",
                value_set=[True],
                severity="critical",
                notes="The promises are lines of a report; a customer that is not on the list has no recipient.",
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
                column="severities",
                where="promise is not null",
                severity="critical",
                notes="A promise is made for at least one level, and the report names it.",
            ),
            *(expectation for column in ("running_count", *COUNTS) for expectation in expect_count(column)),
        ),
    )

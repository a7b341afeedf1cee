"""Monthly statements as they leave: one row per subscription term, pool and month."""

from __future__ import annotations

from expectations.checked_table import (
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_match_regex,
    expect_compound_columns_to_be_unique,
)
from expectations.published.months import MONTH_PATTERN

TABLE = "core.fct_entitlement_months"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "subscription_id": TEXT,
            "customer_id": TEXT,
            "pool": TEXT,
            "month": TEXT,
            "opening_quantity": WHOLE,
            "used_quantity": WHOLE,
            "closing_quantity": WHOLE,
        },
        rows=f"""
            with moved as (
                select subscription_id, pool, month, sum(quantity) as quantity
                from core.fct_entitlement_movements
                group by subscription_id, pool, month
            )
            select
                months.subscription_id, months.pool, months.month, months.used_quantity,
                months.closing_quantity is null or coalesce(
                    months.opening_quantity + coalesce(moved.quantity, 0) = months.closing_quantity, false
                ) as month_adds_up,
                coalesce(
                    months.opening_quantity = lag(months.closing_quantity) over (
                        partition by months.subscription_id, months.pool order by months.month
                    ), true
                ) as month_follows_on
            from {TABLE} as months
            left join moved
                on moved.subscription_id = months.subscription_id and moved.pool = months.pool and moved.month = months.month
        """,
        named_by=(
            "subscription_id",
            "pool",
            "month",
        ),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["subscription_id", "pool", "month"],
                severity="critical",
                notes="One statement per pool and month; two would both be sent.",
            ),
            expect_column_values_to_be_in_set(
                column="month_adds_up",
                value_set=[True],
                severity="critical",
                notes="Opening and the month's lines are the closing balance, or a line is missing on paper.",
            ),
            expect_column_values_to_be_in_set(
                column="month_follows_on",
                value_set=[True],
                severity="critical",
                notes="A month opens with what the one before it closed with.",
            ),
            expect_column_values_to_be_between(
                column="used_quantity",
                min_value="0",
                severity="critical",
                notes="A count of tickets.",
            ),
            expect_column_values_to_match_regex(
                column="month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Statements select by it.",
            ),
        ),
    )

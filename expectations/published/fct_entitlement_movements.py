"""The ledger as it leaves: one row per movement of a pool of a subscription term."""

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
from expectations.published.months import MONTH_PATTERN

TABLE = "core.fct_entitlement_movements"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "movement_id": TEXT,
            "customer_id": TEXT,
            "subscription_id": TEXT,
            "pool": TEXT,
            "movement_kind": TEXT,
            "quantity": WHOLE,
            "balance_after": WHOLE,
            "statement_line": WHOLE,
            "cause_id": TEXT,
            "undoes_movement_id": TEXT,
            "month": TEXT,
        },
        # A pool without a stated limit has no balance, so nothing of it runs on.
        rows=f"""
            select
                lines.subscription_id, lines.pool, lines.statement_line, lines.cause_id, lines.month,
                customers.customer_id is not null as is_known_customer,
                lines.balance_after is null or lines.balance_after = lines.quantity + coalesce(
                    lag(lines.balance_after) over (
                        partition by lines.subscription_id, lines.pool order by lines.statement_line
                    ), 0
                ) as balance_runs_on,
                lines.undoes_movement_id is null or coalesce(
                    undone.pool = lines.pool and undone.statement_line < lines.statement_line
                    and sign(undone.quantity) = -sign(lines.quantity) and abs(lines.quantity) <= abs(undone.quantity), false
                ) as undoes_an_earlier_line
            from {TABLE} as lines
            left join core.dim_customers as customers on customers.customer_id = lines.customer_id
            left join {TABLE} as undone
                on undone.movement_id = lines.undoes_movement_id and undone.subscription_id = lines.subscription_id
        """,
        named_by=(
            "subscription_id",
            "pool",
            "statement_line",
        ),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["subscription_id", "pool", "statement_line"],
                severity="critical",
                notes="A line of a statement has one number; a unit booked twice is charged twice.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_customer",
                value_set=[True],
                severity="critical",
                notes="A movement of a customer that the dimension lacks is on no statement.",
            ),
            expect_column_values_to_be_in_set(
                column="balance_runs_on",
                value_set=[True],
                severity="critical",
                notes="Each balance is the one before and the line's quantity, or a reader cannot add the statement up.",
            ),
            expect_column_values_to_be_in_set(
                column="undoes_an_earlier_line",
                value_set=[True],
                severity="critical",
                notes="What is given back was taken before, from the same pool; several units may come back in part.",
            ),
            expect_column_values_to_not_be_null(
                column="cause_id",
                severity="critical",
                notes="A unit without a reason cannot be charged.",
            ),
            expect_column_values_to_match_regex(
                column="month",
                regex=MONTH_PATTERN,
                severity="critical",
                notes="Statements select by it.",
            ),
        ),
    )

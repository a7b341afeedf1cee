"""Entitlement balances as they leave: one row per subscription term and pool."""

from __future__ import annotations

from expectations.checked_table import (
    BOOLEAN,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_not_be_null,
    expect_compound_columns_to_be_unique,
)

TABLE = "marts.mart_account__entitlement_balances"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "customer_id": TEXT,
            "subscription_id": TEXT,
            "pool": TEXT,
            "is_unlimited": BOOLEAN,
            "is_stated": BOOLEAN,
            "term_status": TEXT,
            "granted_quantity": WHOLE,
            "purchased_quantity": WHOLE,
            "used_quantity": WHOLE,
            "credited_quantity": WHOLE,
            "overflowed_in_quantity": WHOLE,
            "overflowed_out_quantity": WHOLE,
            "expired_quantity": WHOLE,
            "carried_quantity": WHOLE,
            "remaining_quantity": WHOLE,
            "overage_quantity": WHOLE,
        },
        # What another pool took over is given back to this one; what this one took over is drawn from it.
        rows=f"""
            select
                balances.subscription_id, balances.pool, balances.customer_id,
                balances.term_status, balances.granted_quantity, balances.used_quantity,
                balances.remaining_quantity, balances.overage_quantity,
                customers.customer_id is not null as is_known_customer,
                case
                    when balances.is_unlimited then 'unlimited'
                    when balances.is_stated then 'limited'
                    else 'not_stated'
                end as quantity_kind,
                balances.granted_quantity + balances.purchased_quantity
                    - balances.used_quantity + balances.credited_quantity
                    + balances.overflowed_out_quantity - balances.overflowed_in_quantity
                    - balances.expired_quantity + balances.carried_quantity
                    = balances.remaining_quantity - balances.overage_quantity as balance_adds_up
            from {TABLE} as balances
            left join core.dim_customers as customers on customers.customer_id = balances.customer_id
        """,
        named_by=("subscription_id", "pool"),
        expectations=(
            expect_compound_columns_to_be_unique(
                column_list=["subscription_id", "pool"],
                severity="critical",
                notes="One balance per term and pool; two would both be shown to the customer.",
            ),
            expect_column_values_to_be_in_set(
                column="is_known_customer",
                value_set=[True],
                severity="critical",
                notes="A balance of a customer that the dimension lacks is in no report.",
            ),
            expect_column_values_to_not_be_null(
                column="granted_quantity",
                where="quantity_kind = 'limited'",
                severity="critical",
                notes="A stated, limited pool opens with a number.",
            ),
            expect_column_values_to_not_be_null(
                column="remaining_quantity",
                where="quantity_kind = 'limited'",
                severity="critical",
                notes="A stated, limited pool has a number left; null would read as unlimited.",
            ),
            expect_column_values_to_be_in_set(
                column="balance_adds_up",
                value_set=[True],
                where="quantity_kind = 'limited'",
                severity="critical",
                notes="Opening plus every movement is the closing balance, or the ledger lost one.",
            ),
            expect_column_values_to_be_between(
                column="remaining_quantity",
                min_value="0",
                severity="critical",
                notes="What is used beyond the pool is overage, never a silent negative.",
            ),
            expect_column_values_to_be_between(
                column="overage_quantity",
                min_value="0",
                severity="critical",
                notes="Overage is a count of tickets.",
            ),
            expect_column_values_to_be_between(
                column="used_quantity",
                min_value="0",
                severity="critical",
                notes="A count of tickets.",
            ),
            expect_column_values_to_be_in_set(
                column="term_status",
                value_set=["upcoming", "current", "ended"],
                severity="critical",
                notes="The closed set that pages filter by.",
            ),
        ),
    )

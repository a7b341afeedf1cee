"""Forecasts as they leave: one row per current term and limited pool."""

from __future__ import annotations

from expectations.checked_table import (
    DATE,
    TEXT,
    WHOLE,
    CheckedTable,
    expect_column_values_to_be_between,
    expect_column_values_to_be_in_set,
    expect_column_values_to_be_unique,
)

TABLE = "marts.mart_account__entitlement_forecasts"


def build() -> CheckedTable:
    return CheckedTable(
        table=TABLE,
        columns={
            "forecast_key": TEXT,
            "customer_id": TEXT,
            "subscription_id": TEXT,
            "pool": TEXT,
            "forecast_status": TEXT,
            "remaining_quantity": WHOLE,
            "lasts_ratio": frozenset({"DOUBLE"}),
            "draws_low_quantity": WHOLE,
            "draws_mid_quantity": WHOLE,
            "draws_high_quantity": WHOLE,
            "exhausted_on_low": DATE,
            "exhausted_on_mid": DATE,
            "exhausted_on_high": DATE,
        },
        rows=f"""
            select
                forecasts.forecast_key, forecasts.forecast_status, forecasts.lasts_ratio,
                (forecasts.forecast_status in ('forecast', 'exhausted'))
                    = (forecasts.lasts_ratio is not null) as is_said_when_known,
                coalesce(
                    forecasts.draws_low_quantity <= forecasts.draws_mid_quantity
                    and forecasts.draws_mid_quantity <= forecasts.draws_high_quantity,
                    true
                )
                and coalesce(forecasts.exhausted_on_low, date '9999-12-31')
                    <= coalesce(forecasts.exhausted_on_mid, date '9999-12-31')
                and coalesce(forecasts.exhausted_on_mid, date '9999-12-31')
                    <= coalesce(forecasts.exhausted_on_high, date '9999-12-31') as is_in_order,
                balances.remaining_quantity is not distinct from forecasts.remaining_quantity as is_balance_equal
            from {TABLE} as forecasts
            left join marts.mart_account__entitlement_balances as balances
                on balances.subscription_id = forecasts.subscription_id and balances.pool = forecasts.pool
        """,
        named_by=("forecast_key",),
        expectations=(
            expect_column_values_to_be_unique(
                column="forecast_key",
                severity="critical",
                notes="One forecast per term and pool; two would contradict each other.",
            ),
            expect_column_values_to_be_in_set(
                column="forecast_status",
                value_set=["forecast", "exhausted", "too_few_tickets", "no_active_license"],
                severity="critical",
                notes="The closed set that pages filter by.",
            ),
            expect_column_values_to_be_between(
                column="lasts_ratio",
                min_value="0",
                max_value="0.999",
                severity="critical",
                notes="A chance; nothing ahead is certain to last.",
            ),
            expect_column_values_to_be_in_set(
                column="is_said_when_known",
                value_set=[True],
                severity="critical",
                notes="Too few tickets to say is said by saying nothing else.",
            ),
            expect_column_values_to_be_in_set(
                column="is_in_order",
                value_set=[True],
                severity="critical",
                notes="Low, mid and high are in that order, or the words on the page are wrong.",
            ),
            expect_column_values_to_be_in_set(
                column="is_balance_equal",
                value_set=[True],
                severity="critical",
                notes="A forecast starts from the balance that is shown beside it.",
            ),
        ),
    )

"""Which forecasts are told as alerts: the model `mart_account__alerts` on its own, on one pool and its forecast."""

from __future__ import annotations

import duckdb
import jinja2
import pytest

from pipeline.calendars.render_macros import load_macros
from pipeline.settings import DBT_PROJECT

# One current term of 2026 with a pool of 15, of which 12 - 1 + 2 - 0 = 13 are consumed, as of 3 August.
_TABLES = """
    create table dim_builds as select timestamp '2026-08-03 12:00:00' as as_of;
    create table dim_customers as select 'acme' as customer_id, 'Acme' as customer_name;
    create table dim_subscription_terms as
    select 'S-1' as subscription_id, 'acme' as customer_id, 'standard' as plan, 'current' as term_status,
        timestamp '2026-01-01' as term_starts_at, timestamp '2027-01-01' as term_ends_at, date '2027-01-01' as term_ends_on;
    create table fct_entitlement_movements (
        subscription_id varchar, pool varchar, movement_kind varchar, quantity bigint, happened_at timestamp);
    create table fct_entitlement_balances as
    select terms.*, 'regular' as pool, 12 as used_quantity, 1 as credited_quantity, 2 as overflowed_in_quantity,
        0 as overflowed_out_quantity, 15 as available_quantity, 0 as overage_quantity, true as is_stated, false as is_unlimited
    from dim_subscription_terms as terms;
    create table dim_alert_rules as select 'likely_to_run_out' as alert_kind, ?::bigint as limit_quantity;
    create table mart_account__entitlement_forecasts as
    select 'S-1' as subscription_id, 'regular' as pool, ? as forecast_status, ?::double as lasts_ratio,
        date '2026-09-30' as exhausted_on_mid
"""


def read_alerts(
    lasts_ratio: float | None, limit_pct: int, status: str = "forecast"
) -> list[tuple[object, ...]]:
    """The alerts of the pool whose forecast has this chance to last, where the rule tells a chance to run out of `limit_pct`."""
    connection = duckdb.connect()
    *tables, rules, forecasts = _TABLES.split(";")
    connection.execute(";".join(tables))
    connection.execute(rules, [limit_pct])
    connection.execute(forecasts, [status, lasts_ratio])
    model = (DBT_PROJECT / "models/marts/mart_account__alerts.sql").read_text(encoding="utf-8")
    sql = jinja2.Template(model).render(
        **load_macros(), ref=lambda name: name, source=lambda _, name: name, config=lambda **_: ""
    )
    return connection.execute(
        f"select alert_kind, alert_rank, pool, consumed_quantity, available_quantity, days_left, raised_at from ({sql})"
    ).fetchall()


@pytest.mark.parametrize(
    ("lasts_ratio", "limit_pct", "is_told"),
    # A chance of 50 % to run out: 0.5 to last is told, 0.501 is not. Of 90 %: 0.1 and 0.101.
    [(0.5, 50, True), (0.501, 50, False), (0.1, 90, True), (0.101, 90, False)],
)
def test_alert_of_a_forecast_is_raised_from_the_chance_that_the_rule_says(
    lasts_ratio: float, limit_pct: int, is_told: bool
) -> None:
    # From 3 August 12:00 to 1 January: 28 + 30 + 31 + 30 + 31 whole days and a begun one.
    told = [("likely_to_run_out", 3, "regular", 12 - 1 + 2, 15, 28 + 30 + 31 + 30 + 31 + 1, None)]
    assert read_alerts(lasts_ratio, limit_pct) == (told if is_told else [])


@pytest.mark.parametrize("status", ["exhausted", "too_few_tickets", "no_active_license"])
def test_pool_without_a_forecast_raises_no_alert_of_one(status: str) -> None:
    assert read_alerts(0.0 if status == "exhausted" else None, 50, status) == []

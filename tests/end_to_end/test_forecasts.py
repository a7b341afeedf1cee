"""The forecast from exports to the command line: one published table, the same words, the same bytes, and its backtest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.forecasting.count_model import FEWEST_DRAWS
from tests.end_to_end.command_line import run_sla
from tests.end_to_end.published import query
from tests.end_to_end.small_vendor import TERMS_HEADER, drop_tickets, init_vendor, write_lines

CUSTOMERS = [f"customer-{number}" for number in range(5)]


def test_every_limited_pool_of_a_current_term_has_a_forecast(demo_workspace: Path) -> None:
    pools = query(
        demo_workspace,
        """
        select balances.balance_key from core.fct_entitlement_balances as balances
        join core.dim_plan_pools as pools using (plan_version, pool)
        where balances.term_status = 'current' and not balances.is_unlimited and balances.is_stated and not pools.is_redeemed
        order by 1
        """,
    )
    forecasts = query(
        demo_workspace, "select forecast_key from marts.mart_account__entitlement_forecasts order by 1"
    )
    assert forecasts == pools != []


def test_forecast_and_backtest_print_what_json_says(demo_workspace: Path) -> None:
    rows = json.loads(run_sla("entitlements", "--forecast", "--json", workspace=demo_workspace).expect(0).out)
    assert {row["forecast_status"] for row in rows} >= {"forecast", "too_few_tickets"}
    printed = run_sla("entitlements", "--forecast", workspace=demo_workspace).expect(0).out
    assert all(
        f"{row['lasts_ratio'] * 100:.1f} %" in printed for row in rows if row["forecast_status"] == "forecast"
    )
    total = json.loads(run_sla("backtest", "--json", workspace=demo_workspace).expect(0).out)["total"]
    assert total["judged"] == total["held"] + total["below"] + total["above"] > 0
    assert "80 % interval held" in run_sla("backtest", workspace=demo_workspace).expect(0).out


def test_forecast_of_a_customer_that_does_not_exist_is_refused(demo_workspace: Path) -> None:
    run_sla("entitlements", "--forecast", "--customer", "unlisted", workspace=demo_workspace).expect(
        2, "unlisted"
    )


@pytest.mark.long
def test_interval_holds_in_four_fifths_of_five_hundred_quarters_of_a_demo(tmp_path: Path) -> None:
    # Promised: 75 to 90 % of at least 500. Nothing is fitted to this demo; seed 2 is as good as any other.
    root = tmp_path / "vendor"
    run_sla("demo", "--dir", str(root), "--tickets", "6000", "--months", "36", "--seed", "2").expect(0)
    total = json.loads(run_sla("backtest", "--json", workspace=root).expect(0).out)["total"]
    assert total["judged"] >= 500
    assert 0.75 <= total["held"] / total["judged"] <= 0.90


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five customers on Standard from January on: two tickets a customer by May, one of which is credited as a bug."""
    root = init_vendor(tmp_path_factory.mktemp("forecast") / "vendor")
    write_lines(
        root / "reference" / "customers.csv",
        "customer_id,name,time_zone,locale,report_recipients",
        *[f"{customer},{customer},UTC,en," for customer in CUSTOMERS],
    )
    write_lines(
        root / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        *[f"S-{customer},{customer},standard,2026-01-01,2027-01-01,paid,active" for customer in CUSTOMERS],
    )
    drop_tickets(
        root,
        *[
            f"T-{month}-{customer},{customer},x@{customer}.example,web_form,3,2026-{month}-02T08:00:00Z,Slow,,,2026-05-31T12:00:00Z"
            for customer in CUSTOMERS
            for month in ("03", "05")
        ],
    )
    write_lines(
        root / "inbox" / "desk" / "events.csv",
        "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value",
        "E-1,T-03-customer-0,2026-05-31T12:00:00Z,bug_confirmed,agent,mia,true,",
    )
    return root


def test_credit_takes_a_draw_back_and_nine_are_too_few(vendor: Path) -> None:
    run_sla("run", "--as-of", "2026-05-31T11:59:59Z", workspace=vendor).expect(0)
    [before] = read(vendor, "customer-0")
    assert before["forecast_status"] == "forecast"
    assert (before["own_draws_quantity"], before["plan_draws_quantity"]) == (2, FEWEST_DRAWS)
    # Data begins with the first ticket: 2 March 08:00 to 31 May 12:00 are 90 days and 4 hours.
    assert before["own_history_days"] == 90
    # All are alike, so each draws at the plan's rate: 10 draws in 5 x 90.17 days.
    assert before["expected_yearly_quantity"] == round(10 / (5 * 90.16666) * 365, 2)
    assert before["remaining_quantity"] == 10 - 2
    run_sla("run", "--as-of", "2026-05-31T12:00:00Z", workspace=vendor).expect(0)
    [after] = read(vendor, "customer-0")
    assert after["forecast_status"] == "too_few_tickets"
    assert (after["own_draws_quantity"], after["plan_draws_quantity"]) == (1, FEWEST_DRAWS - 1)
    assert after["lasts_ratio"] is None
    assert "too few tickets" in run_sla("entitlements", "--forecast", workspace=vendor).expect(0).out


def read(root: Path, customer: str) -> list[dict[str, object]]:
    """The forecast of the customer's regular pool."""
    rows = json.loads(
        run_sla("entitlements", "--forecast", "--customer", customer, "--json", workspace=root).expect(0).out
    )
    return [row for row in rows if row["pool"] == "regular"]

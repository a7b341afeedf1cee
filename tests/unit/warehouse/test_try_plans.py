"""A trial that fails: what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ChecksFailed
from pipeline.warehouse.connection import open_database
from pipeline.warehouse.try_plans import try_plans


def test_a_trial_that_fails_names_the_plan_and_the_models(tmp_path: Path) -> None:
    database = tmp_path / "build.duckdb"
    with open_database(database) as connection:
        # A build that has its facts and lacks everything that they were made from.
        connection.execute("create schema raw; create schema core")
        connection.execute(
            "create table raw.subscriptions(account_id varchar, customer_id varchar, plan varchar, term_ends_at timestamp)"
        )
        connection.execute("create table raw.purchases(customer_id varchar)")
        connection.execute("create table raw.build_inputs(as_of timestamp)")
        connection.execute("create table core.fct_sla_obligations(obligation_key varchar)")
        connection.execute("create table core.fct_entitlement_balances(balance_key varchar)")
    with pytest.raises(ChecksFailed, match="^Trying the plan 'gold': .* nothing was published") as failure:
        try_plans(database, tmp_path / "dbt", ["gold"])
    assert "int_promises__ticket_terms" in str(failure.value)

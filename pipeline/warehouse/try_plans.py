"""Judge the same tickets under other plans: the very models of the build, with only the subscriptions' plan replaced.

The models that depend on the plan are built once more per plan, in schemas that are not published; what comes out is kept in
tables of the schema `raw`, from which dbt makes the comparison. Compared are the terms that run, for which a plan can be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipeline.errors import ChecksFailed
from pipeline.warehouse.connection import open_database
from pipeline.warehouse.run_dbt import OnStep, run_dbt, tell_nothing

# The models that compare the trials with the build; they can be built once both are there.
COMPARING = "tag:plan_comparison"
_KEPT = {"trial_obligations": "fct_sla_obligations", "trial_balances": "fct_entitlement_balances"}
# Whose tickets are judged: what is compared and, because a pack lives past a renewal, every account of a customer who bought
# one.
_TRIED_ACCOUNTS = """
create table raw.tried_accounts as
with accounts as (
  select account_id, customer_id, max(term_ends_at) > (select as_of from raw.build_inputs) as is_compared
  from raw.subscriptions
  group by account_id, customer_id
)
select account_id, is_compared
from accounts
where is_compared or customer_id in (select customer_id from raw.purchases)
"""


def try_plans(database: Path, scratch: Path, plans: Sequence[str], on_step: OnStep = tell_nothing) -> None:
    """Fill `raw.tried_accounts`, `raw.trial_plans`, `raw.trial_obligations` and `raw.trial_balances` of a build, for every plan
    named.

    The last two are the facts of the build, which must be there, and `trial_plan`. Raises ChecksFailed, naming the plan, when a
    model fails under it.
    """
    with open_database(database) as connection:
        connection.execute("create table raw.trial_plans (trial_plan varchar)")
        connection.execute(_TRIED_ACCOUNTS)
        for table, fact in _KEPT.items():
            connection.execute(
                f"create table raw.{table} as select cast(null as varchar) as trial_plan, * from core.{fact} limit 0"
            )
    for plan in plans:
        with open_database(database) as connection:
            connection.execute(
                "create or replace table raw.trial_subscriptions as"
                " select * replace (cast(? as varchar) as plan) from raw.subscriptions",
                [plan],
            )
        step = f"plan {plan} on the same tickets"
        on_step(step, None, 0, 0)
        try:
            run_dbt(
                database, scratch, select="tag:plan_dependent", is_trial=True, on_model=partial(on_step, step)
            )
        except ChecksFailed as failure:
            raise ChecksFailed(f"Trying the plan {plan!r}: {failure.message}", failure.problems) from failure
        with open_database(database) as connection:
            connection.execute("insert into raw.trial_plans values (?)", [plan])
            for table, fact in _KEPT.items():
                connection.execute(f"insert into raw.{table} select ?, * from trial_core.{fact}", [plan])

"""Judge the same tickets under other plans: the very models of the build, with only the subscriptions' plan replaced.

A build tries no plan. It keeps what a trial starts from: the rows that the models of the plan read, of the accounts that are
tried, as `warehouse/kept/<build>.trials.duckdb`. When a plan is asked for, the models that depend on it are built once more from
them, and the build is published again with what came out. Compared are the terms that run, for which a plan can be chosen.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Sequence
from contextlib import chdir
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.interruption import stop_if_asked
from pipeline.pointer import AGAIN, Pointer, read_pointer
from pipeline.rules.load_sources import load_sources
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace
from pipeline.warehouse.connection import open_database, quote, quote_text
from pipeline.warehouse.publish import publish_again
from pipeline.warehouse.run_dbt import OnStep, Project, list_sources_of_tag, run_dbt, tell_nothing
from pipeline.whole_files import sync

if TYPE_CHECKING:
    import duckdb

# The models that compare the trials with the build; they can be built once both are there.
COMPARING = "tag:plan_comparison"
# Beside the database of a build until the build is published.
TRIAL_TABLES = "trials.duckdb"
# What the comparing models make, one row or more for each `trial_plan`.
_TRIED = (
    "core.dim_plan_trials",
    "core.fct_plan_trial_balances",
    "core.fct_plan_trial_counts",
    "core.fct_plan_trial_verdicts",
    "marts.mart_account__plan_fit",
)
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
_TRIED_TICKETS = """
create temp table tried_tickets as
select tickets.ticket_id
from core.dim_tickets as tickets
join core.dim_subscription_terms as terms on terms.subscription_id = tickets.subscription_id
join raw.tried_accounts as accounts on accounts.account_id = terms.account_id
"""


def prepare_trials(database: Path) -> None:
    """Fill `raw.tried_accounts` of a build whose facts are there, and create `raw.trial_plans`, `raw.trial_obligations` and
    `raw.trial_balances` empty: the facts of the build, and `trial_plan`.
    """
    with open_database(database) as connection:
        connection.execute("create table raw.trial_plans (trial_plan varchar)")
        connection.execute(_TRIED_ACCOUNTS)
        for table, fact in _KEPT.items():
            connection.execute(
                f"create table raw.{table} as select cast(null as varchar) as trial_plan, * from core.{fact} limit 0"
            )


def keep_trial_tables(database: Path, project: Project, before: Path | None) -> None:
    """Write, beside a build that `prepare_trials` prepared, what a trial of any plan starts from.

    That is what the models of the plan and of the comparison read and no build publishes, as the dbt project says; of the
    tickets, those of the accounts that are tried. `before`: where an incremental build has the rows of tickets that it did not
    rebuild.
    """
    tables = database.with_name(TRIAL_TABLES)
    tables.unlink(missing_ok=True)
    with open_database(database) as connection:
        connection.execute(f"attach {quote_text(str(tables))} as kept")
        if before is not None:
            connection.execute(f"attach {quote_text(str(before))} as before (read_only)")
        connection.execute(_TRIED_TICKETS)
        for schema, name in list_sources_of_tag(project, "plan_dependent", "plan_comparison"):
            if schema in ("core", "marts"):
                continue
            relation = f"{quote(schema)}.{quote(name)}"
            connection.execute(f"create schema if not exists kept.{quote(schema)}")
            rows = f"select * from {relation}"
            if schema != "raw" and "ticket_id" in _list_columns(connection, schema, name):
                rows += " where ticket_id in (select ticket_id from tried_tickets)"
                if before is not None:
                    rows += (
                        " and ticket_id in (select ticket_id from raw.rebuilt_tickets)"
                        f" union all by name select * from before.{relation}"
                        " where ticket_id in (select ticket_id from tried_tickets)"
                        " and ticket_id not in (select ticket_id from raw.rebuilt_tickets)"
                    )
            connection.execute(f"create table kept.{relation} as {rows}")
        connection.execute("detach kept")
        if before is not None:
            connection.execute("detach before")


def serve_trial_tables(workspace: Workspace, database: Path, build_id: str) -> None:
    """Move what a build that is about to be published keeps for trials to where they look for it."""
    place = find_trial_tables(workspace, build_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    sync(database.with_name(TRIAL_TABLES))
    database.with_name(TRIAL_TABLES).replace(place)


def has_trial_tables(workspace: Workspace, build_id: str) -> bool:
    """Whether plans can be tried on a build."""
    return find_trial_tables(workspace, build_id).is_file()


def find_untried(workspace: Workspace, plans: Collection[str]) -> list[str]:
    """Those of `plans` that have not been tried on the build that is served, sorted; none before the first build."""
    pointer = read_pointer(workspace) if plans else None
    if pointer is None:
        return []
    import duckdb

    with duckdb.connect(str(workspace.published / pointer.file), read_only=True) as connection:
        tried = {plan for (plan,) in connection.execute("from core.dim_plan_trials").fetchall()}
    return sorted(set(plans) - tried)


def try_plans(workspace: Workspace, plans: Sequence[str], on_step: OnStep = tell_nothing) -> Pointer:
    """Try plans of the build that is served and publish it again, with what each would change beside the same figures.

    The caller holds the workspace's lock. Raises ConfigurationError when that build or what it kept is missing or damaged, and
    ChecksFailed, naming the plan, when a model or a test fails under it; then what was published stays as it is.
    """
    pointer = read_pointer(workspace)
    if pointer is None:
        raise ConfigurationError(
            f"Nothing is published yet in {workspace.root}, so no plan can be tried. {AGAIN}"
        )
    published, kept = workspace.published / pointer.file, find_trial_tables(workspace, pointer.build_id)
    if not published.is_file() or seen_files(workspace.warehouse).hash_file(published) != pointer.sha256:
        raise ConfigurationError(f"The published build {published} is damaged or missing. {AGAIN}")
    if not kept.is_file():
        raise ConfigurationError(
            f"What a trial starts from is missing: {kept}. Run `sla build`: it makes the build again, and that file with it."
        )
    building = workspace.warehouse / "building"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    # The same name as in a build, relative to the same folder: dbt parses the project again for another path.
    database, finished = building / "build.duckdb", building / "tried.duckdb"
    shutil.copyfile(published, database)
    _add_trial_tables(database, kept)
    # Where a build stands, too.
    with chdir(workspace.landed):
        for plan in plans:
            _try_plan(database, workspace.warehouse / "dbt", plan, on_step)
        on_step("plans compared", None, 0, 0)
        run_dbt(
            database,
            workspace.warehouse / "dbt",
            select=COMPARING,
            on_model=partial(on_step, "plans compared"),
        )
    on_step("publishing", None, 0, 0)
    shutil.copyfile(published, finished)
    tried = _add_trials(finished, database)
    stop_if_asked()
    name = "tried-" + hashlib.sha256("\0".join(tried).encode()).hexdigest()[:8]
    versions = load_sources(workspace.sla_yml).retention.versions
    pointer = publish_again(workspace, finished, pointer, name, versions)
    shutil.rmtree(building, ignore_errors=True)
    return pointer


def find_trial_tables(workspace: Workspace, build_id: str) -> Path:
    """Where a build keeps what trials start from."""
    return workspace.warehouse / "kept" / f"{build_id}.trials.duckdb"


def _add_trial_tables(database: Path, kept: Path) -> None:
    import duckdb

    with open_database(database) as connection:
        try:
            connection.execute(f"attach {quote_text(str(kept))} as kept (read_only)")
            for schema, name in connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'kept' order by all"
            ).fetchall():
                relation = f"{quote(schema)}.{quote(name)}"
                connection.execute(f"create schema if not exists {quote(schema)}")
                connection.execute(f"create table {relation} as from kept.{relation}")
            connection.execute("detach kept")
        except duckdb.Error as problem:
            kept.unlink()
            raise ConfigurationError(
                f"What a trial starts from was damaged and has been removed: {kept} ({str(problem).splitlines()[0]}). "
                "Run `sla build`: it makes the build again, and that file with it."
            ) from problem


def _try_plan(database: Path, scratch: Path, plan: str, on_step: OnStep) -> None:
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


def _add_trials(finished: Path, database: Path) -> list[str]:
    """Add the rows of the plans that were tried to those of a published file, in its order; gives all plans that it then has."""
    with open_database(finished) as connection:
        connection.execute(f"attach {quote_text(str(database))} as trial (read_only)")
        for relation in _TRIED:
            connection.execute(
                f"create or replace table {relation} as"
                f" select * from (from {relation} union all by name from trial.{relation}) order by 1"
            )
        connection.execute("detach trial")
        connection.execute("checkpoint")
        return [
            plan
            for (plan,) in connection.execute(
                "select trial_plan from core.dim_plan_trials order by 1"
            ).fetchall()
        ]


def _list_columns(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> set[str]:
    found = connection.execute(
        "select column_name from information_schema.columns"
        " where table_catalog = current_database() and table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchall()
    return {column for (column,) in found}

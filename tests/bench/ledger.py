"""What the ledger costs beside the verdicts: one million tickets through the real job, by the times that dbt took for each model.

The tickets are spread by a fixed rule over customers, levels and time, a tenth turn out to be bugs, and every customer buys
packs. Goal: the models of `intermediate/entitlements` and the ledger's facts take less time than those of `intermediate/promises`
and the obligations, in one run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import duckdb

from pipeline.ingest.landing.land import land_exports
from pipeline.rules.load_sources import load_sources
from pipeline.settings import CHECKOUT, Workspace
from pipeline.warehouse import run_dbt
from pipeline.warehouse.build import build_workspace

TICKETS = 1_000_000
CUSTOMERS = 10_000
_LEDGER = ("intermediate/entitlements/", "core/fct_entitlement")
_COMPLIANCE = ("intermediate/promises/", "intermediate/ticket_timeline/", "core/fct_sla")

# Two years; three to five messages and statuses a ticket, in hours after it.
_TICKETS_SQL = f"""
copy (
  select
    't' || n as ticket_id, 'c' || n % {CUSTOMERS} as customer_id, 'someone@example.com' as requester, 'web_form' as channel,
    cast(1 + n * 7 % 5 as varchar) as severity,
    strftime(timestamp '2024-01-01' + to_seconds(n * 7919 % (730 * 86400)), '%Y-%m-%dT%H:%M:%SZ') as submitted_at,
    'A ticket' as subject, 'incident' as ticket_type, '' as tags,
    strftime(timestamp '2024-01-01' + to_seconds(n * 7919 % (730 * 86400) + 9 * 86400), '%Y-%m-%dT%H:%M:%SZ') as updated_at
  from range({TICKETS}) as numbers (n)
) to '{{file}}' (header, delimiter ',')
"""
_EVENTS_SQL = f"""
copy (
  select
    't' || n || '-' || step as event_id, 't' || n as ticket_id,
    strftime(
      timestamp '2024-01-01' + to_seconds(n * 7919 % (730 * 86400) + hours * 3600 + n % 3600), '%Y-%m-%dT%H:%M:%SZ'
    ) as event_at,
    event_type, actor_kind, 'anna' as actor, 'true' as is_public, value
  from range({TICKETS}) as numbers (n)
  join (
    values (1, 2, 'message', 'agent', null), (2, 5, 'debug_requested', 'agent', null), (3, 30, 'debug_delivered', 'agent', null),
      (4, 40, 'status_changed', 'agent', 'solved'), (5, 90, 'bug_confirmed', 'agent', null)
  ) as steps (step, hours, event_type, actor_kind, value)
    on step in (1, 4) or (step in (2, 3) and n % 3 = 0) or (step = 5 and n % 10 = 0)
) to '{{file}}' (header, delimiter ',')
"""


def main() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        _write(workspace)
        started = perf_counter()
        for result in land_exports(workspace, load_sources(workspace.sla_yml), None, None):
            assert result.rows_rejected == 0, result.problems
        landed = perf_counter()
        with _time_models() as seconds:
            build_workspace(workspace, None)
        built = perf_counter()
    ratio = seconds["ledger"] / seconds["compliance"]
    print(
        f"ledger of {TICKETS:,} tickets, {CUSTOMERS:,} customers: landing {landed - started:.1f} s, build {built - landed:.1f} s"
    )
    print(
        f"  ledger models {seconds['ledger']:.1f} s, compliance models {seconds['compliance']:.1f} s: {ratio:.2f} times"
        f" (goal: under 1) {'ok' if ratio < 1 else 'MISSED'}"
    )
    return ratio < 1


@contextmanager
def _time_models() -> Iterator[dict[str, float]]:
    """Seconds that dbt needed for the models of the ledger and of compliance; it writes no artifacts that say so."""
    seconds = {"ledger": 0.0, "compliance": 0.0}
    invoke = run_dbt._invoke

    def invoke_timed(*arguments: Any, **options: Any) -> Any:
        outcome = invoke(*arguments, **options)
        # A parse has no results.
        for one in getattr(outcome.result, "results", ()):
            path = one.node.original_file_path.removeprefix("models/")
            if one.node.resource_type == "model":
                for room, prefixes in (("ledger", _LEDGER), ("compliance", _COMPLIANCE)):
                    seconds[room] += one.execution_time if path.startswith(prefixes) else 0
        return outcome

    with patch.object(run_dbt, "_invoke", invoke_timed):
        yield seconds


def _write(workspace: Workspace) -> None:
    shutil.copytree(CHECKOUT / "data" / "reference" / "plans", workspace.plans)
    shutil.copytree(CHECKOUT / "data" / "reference" / "calendars", workspace.calendars)
    inbox = workspace.inbox / "desk"
    inbox.mkdir(parents=True)
    with duckdb.connect() as connection:
        for name, sql in (("tickets", _TICKETS_SQL), ("events", _EVENTS_SQL)):
            # The folder is one that this module made.
            connection.execute(sql.format(file=str(inbox / f"{name}.csv").replace("'", "''")))
    workspace.sla_yml.write_text("sources: {desk: {type: canonical}}\ncompare_plans: []\n", encoding="utf-8")
    plans = ("standard", "enhanced", "premium")
    customers = ["customer_id,name,time_zone,locale,report_recipients"]
    terms = ["subscription_id,customer_id,plan,term_starts_on,term_ends_on,license_type,license_status"]
    packs = ["purchase_id,customer_id,subscription_id,pool,quantity,purchased_on,expires_on"]
    for number in range(CUSTOMERS):
        customer, plan = f"c{number}", plans[number % 3]
        customers.append(f"{customer},Customer {number},UTC,en,")
        for year in (2024, 2025):
            terms.append(f"s{number}-{year},{customer},{plan},{year}-01-01,{year + 1}-01-01,paid,active")
            packs.append(
                f"p{number}-{year}a,{customer},s{number}-{year},regular,10,{year}-04-01,{year}-09-01"
            )
            packs.append(f"p{number}-{year}b,{customer},s{number}-{year},level_5,3,{year}-03-01,")
    for name, lines in (("customers", customers), ("subscriptions", terms), ("purchases", packs)):
        (workspace.reference / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

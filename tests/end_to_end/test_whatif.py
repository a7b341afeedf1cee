"""The same tickets under another plan, from the export to `sla whatif`: a vendor whose few tickets are worked out here.

Standard: 10 regular and 1 of level 5 included; a regular ticket is answered within 24 h of business hours (06:00-21:00 UTC,
Mon-Fri), level 5 within 8 h around the clock. Enhanced, which no customer has: 20 and 3; 12 h and 6 h. Premium: unlimited regular
and 6 of level 5; 8 h around the clock, level 5 within 2 h.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline.settings import Workspace
from pipeline.warehouse.build import lock_workspace
from pipeline.whole_files import hash_file, seal, write_whole
from tests.end_to_end.command_line import kill_sla, run_sla
from tests.end_to_end.published import dump_tables, query, read_pointer
from tests.end_to_end.small_vendor import (
    CUSTOMERS_HEADER,
    TERMS_HEADER,
    TICKETS_HEADER,
    init_vendor,
    write_lines,
)

EVENTS_HEADER = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value"
OF_TRIALS = {
    "core.dim_plan_trials",
    "core.fct_plan_trial_balances",
    "core.fct_plan_trial_counts",
    "core.fct_plan_trial_verdicts",
    "marts.mart_account__plan_fit",
}


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = init_vendor(tmp_path_factory.mktemp("whatif") / "workspace")
    write_lines(root / "sla.yml", "sources:", "  desk: {type: canonical}")
    plans = root / "reference" / "plans"
    later = (plans / "standard.yml").read_text(encoding="utf-8").replace("plan: standard", "plan: later")
    write_lines(plans / "later.yml", later.replace('valid_from: "2020-11-16"', 'valid_from: "2026-03-03"'))
    write_lines(
        root / "reference" / "customers.csv",
        CUSTOMERS_HEADER,
        "acme,Acme,UTC,en,",
        "beta,Beta,UTC,en,",
        "gone,Gone,UTC,en,",
        "stack,Stack,UTC,en,",
        "try,Try,UTC,en,",
    )
    write_lines(
        root / "reference" / "subscriptions.csv",
        TERMS_HEADER + ",stacks_on",
        "S-1,acme,standard,2026-01-01,2027-01-01,paid,active,",
        "S-2,beta,premium,2026-01-01,2027-01-01,paid,active,",
        "S-3,gone,standard,2024-01-01,2025-01-01,paid,active,",
        # The first of two that stack has ended before the last ticket of all.
        "S-4,stack,standard,2025-03-01,2026-03-01,paid,active,",
        "S-5,stack,standard,2026-02-01,2027-02-01,paid,active,S-4",
        # Tickets under a trial licence count nowhere.
        "S-6,try,standard,2026-01-01,2027-01-01,trial,active,",
    )
    tickets = [
        # Monday 08:00, answered 18:00: 10 h on both clocks. Within 24 h; over 8 h.
        ("slow", "acme", "3", "2026-03-02T08:00:00Z"),
        # Monday 08:00, answered 09:00: met under both.
        ("quick", "acme", "3", "2026-03-02T08:00:00Z"),
        # Two of level 5, answered within the hour: 1 + 1 that flows over under Standard, 2 of 6 under Premium.
        ("urgent-1", "acme", "5", "2026-03-03T08:00:00Z"),
        ("urgent-2", "acme", "5", "2026-03-03T08:00:00Z"),
        # Friday 20:00, answered Monday 08:00: 60 h around the clock, 1 + 2 = 3 h of business hours.
        ("weekend", "beta", "3", "2026-03-06T20:00:00Z"),
        # Three of level 5, the first in the ended one of two terms.
        ("stacked-1", "stack", "5", "2026-02-16T08:00:00Z"),
        ("stacked-2", "stack", "5", "2026-03-03T08:00:00Z"),
        ("stacked-3", "stack", "5", "2026-03-03T09:00:00Z"),
        ("tried", "try", "3", "2026-03-02T08:00:00Z"),
    ]
    answers = {
        "slow": "2026-03-02T18:00:00Z",
        "quick": "2026-03-02T09:00:00Z",
        "urgent-1": "2026-03-03T08:30:00Z",
        "urgent-2": "2026-03-03T08:30:00Z",
        "weekend": "2026-03-09T08:00:00Z",
        # After 7 h, 30 min and 1 h around the clock: within 8 h; the first is over 6 h (Enhanced) and over 2 h (Premium).
        "stacked-1": "2026-02-16T15:00:00Z",
        "stacked-2": "2026-03-03T08:30:00Z",
        "stacked-3": "2026-03-03T10:00:00Z",
        "tried": "2026-03-02T18:00:00Z",
    }
    rows = [
        f"{name},{customer},carla@acme.test,web_form,{severity},{at},Subject,incident,,{at}"
        for name, customer, severity, at in tickets
    ]
    # Ten more regular ones use the pool up: 12 regular and one that flowed over are 3 over 10.
    rows += [
        f"more-{number},acme,carla@acme.test,web_form,3,2026-03-04T08:00:0{number}Z,Subject,incident,,2026-03-04T08:00:0{number}Z"
        for number in range(10)
    ]
    answers |= {f"more-{number}": "2026-03-04T09:00:00Z" for number in range(10)}
    write_lines(root / "inbox" / "desk" / "tickets.csv", TICKETS_HEADER, *rows)
    write_lines(
        root / "inbox" / "desk" / "events.csv",
        EVENTS_HEADER,
        *(f"e-{name},{name},{at},message,agent,anna,true," for name, at in answers.items()),
    )
    run_sla("ingest", workspace=root).expect(0)
    run_sla("build", workspace=root).expect(0)
    return root


def try_plan(vendor: Path, plan: str, customer: str) -> dict[str, Any]:
    """What `sla whatif --json` says of one customer."""
    command = ("whatif", "--plan", plan, "--customer", customer, "--json")
    found: dict[str, Any] = json.loads(run_sla(*command, workspace=vendor).expect(0).out)
    return found


def test_only_what_differs_is_listed_and_explained(vendor: Path) -> None:
    printed = run_sla("whatif", "--plan", "premium", workspace=vendor).expect(0).out
    assert "slow" in printed
    assert "24 h on business hours, counted 10 h: met; then 8 h on always, counted 10 h: breached." in printed
    assert "quick" not in printed
    assert "beta" not in printed, "beta has that plan already"


def test_sums_stand_with_their_numerators_now_and_then(vendor: Path) -> None:
    found = try_plan(vendor, "premium", "acme")
    [fit] = found["fits"]
    # 4 + 10 tickets answered; under Premium the slow one is over.
    assert (fit["target_met_count"], fit["target_breached_count"]) == (14, 0)
    assert (fit["trial_target_met_count"], fit["trial_target_breached_count"]) == (13, 1)
    assert (fit["overage_quantity"], fit["trial_overage_quantity"]) == (12 + 1 - 10, 0)
    assert fit["changed_tickets_count"] == 1
    pools = {row["pool"]: row for row in found["balances"]}
    assert (pools["level_5"]["granted_quantity"], pools["level_5"]["trial_granted_quantity"]) == (1, 6)
    assert (pools["level_5"]["remaining_quantity"], pools["level_5"]["trial_remaining_quantity"]) == (
        0,
        6 - 2,
    )
    assert pools["regular"]["is_trial_unlimited"]


def test_a_breach_may_turn_into_a_promise_kept(vendor: Path) -> None:
    printed = run_sla("whatif", "--plan", "standard", "--customer", "beta", workspace=vendor).expect(0).out
    assert "8 h on always, counted 60 h: breached; then 24 h on business hours, counted 3 h: met." in printed


def test_a_customer_with_that_plan_has_nothing_to_change(vendor: Path) -> None:
    printed = run_sla("whatif", "--plan", "premium", "--customer", "beta", workspace=vendor).expect(0).out
    assert "No current term has another plan." in printed


def test_terms_that_stack_are_tried_as_one_with_the_tickets_of_the_ended_one(vendor: Path) -> None:
    found = try_plan(vendor, "premium", "stack")
    [fit] = found["fits"]
    assert (fit["subscription_id"], fit["term_starts_on"], fit["term_ends_on"]) == (
        "S-4",
        "2025-03-01",
        "2027-02-01",
    )
    assert (fit["target_met_count"], fit["target_breached_count"]) == (3, 0)
    assert (fit["trial_target_met_count"], fit["trial_target_breached_count"]) == (2, 1)
    assert [row["ticket_id"] for row in found["verdicts"]] == ["stacked-1"]
    pools = {row["pool"]: row for row in found["balances"]}
    # 1 + 1 included: the first ticket takes the one that ends first, the second the other, the third flows over.
    assert (pools["level_5"]["granted_quantity"], pools["level_5"]["remaining_quantity"]) == (2, 0)
    # 6 + 6: the first ticket takes one of the earlier six, five expire with them, two are taken of the later six.
    assert pools["level_5"]["trial_granted_quantity"] == 6 + 6
    assert pools["level_5"]["trial_remaining_quantity"] == 6 - 2


def test_a_plan_that_no_customer_has_is_tried_too(vendor: Path) -> None:
    found = try_plan(vendor, "enhanced", "acme")
    assert found["verdicts"] == [], "10 h are within 12 h, too"
    pools = {row["pool"]: row for row in found["balances"]}
    # 12 regular and 2 of level 5: 3 over 10 + 1, none over 20 + 3.
    assert (pools["regular"]["overage_quantity"], pools["regular"]["trial_overage_quantity"]) == (3, 0)
    assert pools["regular"]["trial_remaining_quantity"] == 20 - 12
    assert pools["level_5"]["trial_remaining_quantity"] == 3 - 2


def test_a_plan_without_a_version_when_the_term_began_has_no_pools_to_compare(vendor: Path) -> None:
    found = try_plan(vendor, "later", "acme")
    [fit] = found["fits"]
    assert (fit["overage_quantity"], fit["trial_overage_quantity"]) == (3, None)
    assert found["balances"] == []
    assert [row["ticket_id"] for row in found["verdicts"]] == ["quick", "slow"], "both before the version"
    printed = run_sla("whatif", "--plan", "later", "--customer", "acme", workspace=vendor).expect(0).out
    assert "their pools are not compared: S-1." in printed


def test_tickets_under_a_licence_that_is_not_counted_change_nothing(vendor: Path) -> None:
    found = try_plan(vendor, "premium", "try")
    [fit] = found["fits"]
    assert fit["target_met_count"] == fit["trial_target_met_count"] == 0
    assert found["verdicts"] == []


def test_a_plan_that_there_is_not_is_refused_with_the_nearest(vendor: Path) -> None:
    before = read_pointer(vendor)
    refused = run_sla("whatif", "--plan", "premum", workspace=vendor).expect(2)
    assert "There is no plan 'premum' in the published data. Nearest: 'premium'" in refused.err
    assert read_pointer(vendor) == before


@pytest.fixture
def untried(vendor: Path, tmp_path: Path) -> Path:
    """A copy of the vendor in the state in which `sla build` left it: no plan has been tried."""
    root = shutil.copytree(vendor, tmp_path / "untried")
    published = root / "warehouse" / "published"
    pointer = json.loads((published / "current.json").read_text(encoding="utf-8"))
    del pointer["record_sha256"]
    file = published / f"{pointer['build_id']}.duckdb"
    pointer |= {"file": file.name, "sha256": hash_file(file)}
    write_whole(published / "current.json", seal(pointer))
    assert query(root, "select count(*) from core.dim_plan_trials") == [(0,)]
    return root


def test_a_plan_is_tried_once_and_changes_no_other_row_of_the_build(untried: Path) -> None:
    before, rows = read_pointer(untried), dump_tables(untried, "core", "marts", "qc", "meta")
    asked = run_sla("whatif", "--plan", "premium", workspace=untried).expect(0)
    assert "Trying the plan 'premium'" in asked.err
    after = read_pointer(untried)
    kept = ("build_id", "as_of", "published_at")
    assert [before[name] for name in kept] == [after[name] for name in kept]
    tried = dump_tables(untried, "core", "marts", "qc", "meta")
    assert {name for name in rows if rows[name] != tried[name]} == OF_TRIALS
    again = run_sla("whatif", "--plan", "premium", workspace=untried).expect(0)
    assert (again.out, again.err) == (asked.out, "")
    assert read_pointer(untried) == after
    run_sla("build", workspace=untried).expect(0, "unchanged since the last build")
    assert read_pointer(untried) == after


def test_plans_of_sla_yml_are_tried_after_the_build_with_the_rows_of_plans_asked_one_by_one(
    vendor: Path, untried: Path
) -> None:
    for plan in ("standard", "premium"):
        try_plan(vendor, plan, "acme")
    (untried / "sla.yml").write_text(
        "sources:\n  desk: {type: canonical}\ncompare_plans: [premium, standard]\n", encoding="utf-8"
    )
    said = run_sla("run", workspace=untried).expect(0).err
    # Which plans are tried changes no figure of a build, so it makes no new one.
    assert "unchanged since the last build" in said
    assert "Tried on the same tickets: premium, standard." in said
    for table in OF_TRIALS:
        rows = f"select * from {table} where trial_plan in ('premium', 'standard')"
        assert query(untried, rows) == query(vendor, rows) != []
    assert "Trying" not in run_sla("whatif", "--plan", "standard", workspace=untried).expect(0).err


def test_what_a_trial_starts_from_is_named_when_it_is_missing_and_made_again_by_a_build(
    untried: Path,
) -> None:
    build_id = read_pointer(untried)["build_id"]
    basis = untried / "warehouse" / "kept" / f"{build_id}.trials.duckdb"
    basis.write_bytes(b"no database")
    before = read_pointer(untried)
    run_sla("whatif", "--plan", "premium", workspace=untried).expect(2, str(basis), "damaged", "`sla build`")
    run_sla("whatif", "--plan", "premium", workspace=untried).expect(2, str(basis), "missing", "`sla build`")
    assert read_pointer(untried) == before
    measured = run_sla("build", "--profile", workspace=untried).expect(0).out
    assert read_pointer(untried)["build_id"] == build_id
    assert "Steps of this build" in measured and "Plan of " in measured
    nothing = run_sla("build", "--profile", workspace=untried).expect(0, "Nothing was built")
    assert nothing.out == ""
    assert basis.stat().st_size > len(b"no database")


def test_a_trial_that_is_killed_leaves_what_is_published_and_is_made_by_the_next_question(
    untried: Path,
) -> None:
    before = read_pointer(untried)
    building = untried / "warehouse" / "building"
    assert kill_sla(
        "whatif", "--plan", "premium", workspace=untried, seconds=0.3, after=lambda: building.exists()
    )
    assert read_pointer(untried) == before
    assert try_plan(untried, "premium", "acme")["fits"]


def test_a_plan_is_not_tried_while_another_run_writes(untried: Path) -> None:
    with lock_workspace(Workspace(untried)):
        run_sla("whatif", "--plan", "premium", workspace=untried).expect(6)


def test_a_plan_to_compare_that_no_file_describes_is_refused(vendor: Path, tmp_path: Path) -> None:
    root = init_vendor(tmp_path / "workspace")
    write_lines(root / "sla.yml", "sources:", "  desk: {type: canonical}", "compare_plans: [gold]")
    refused = run_sla("build", workspace=root).expect(2)
    assert "compare_plans: 'gold' is not a plan." in refused.err

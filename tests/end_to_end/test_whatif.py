"""The same tickets under another plan, from the export to `sla whatif`: a vendor whose few tickets are worked out here.

Standard: 10 regular and 1 of level 5 included; a regular ticket is answered within 24 h of business hours (06:00-21:00 UTC,
Mon-Fri). Premium: unlimited regular and 6 of level 5; 8 h around the clock, level 5 within 2 h.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command_line import run_sla
from tests.end_to_end.small_vendor import (
    CUSTOMERS_HEADER,
    TERMS_HEADER,
    TICKETS_HEADER,
    init_vendor,
    write_lines,
)

EVENTS_HEADER = "event_id,ticket_id,event_at,event_type,actor_kind,actor,is_public,value"


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = init_vendor(tmp_path_factory.mktemp("whatif") / "workspace")
    write_lines(
        root / "sla.yml", "sources:", "  desk: {type: canonical}", "compare_plans: [standard, premium]"
    )
    write_lines(
        root / "reference" / "customers.csv",
        CUSTOMERS_HEADER,
        "acme,Acme,UTC,en,",
        "beta,Beta,UTC,en,",
        "gone,Gone,UTC,en,",
    )
    write_lines(
        root / "reference" / "subscriptions.csv",
        TERMS_HEADER,
        "S-1,acme,standard,2026-01-01,2027-01-01,paid,active",
        "S-2,beta,premium,2026-01-01,2027-01-01,paid,active",
        "S-3,gone,standard,2024-01-01,2025-01-01,paid,active",
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
    ]
    answers = {
        "slow": "2026-03-02T18:00:00Z",
        "quick": "2026-03-02T09:00:00Z",
        "urgent-1": "2026-03-03T08:30:00Z",
        "urgent-2": "2026-03-03T08:30:00Z",
        "weekend": "2026-03-09T08:00:00Z",
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


def test_only_what_differs_is_listed_and_explained(vendor: Path) -> None:
    printed = run_sla("whatif", "--plan", "premium", workspace=vendor).expect(0).out
    assert "slow" in printed
    assert "24 h on business hours, counted 10 h: met; then 8 h on always, counted 10 h: breached." in printed
    assert "quick" not in printed
    assert "beta" not in printed, "beta has that plan already"


def test_sums_stand_with_their_numerators_now_and_then(vendor: Path) -> None:
    found = json.loads(run_sla("whatif", "--plan", "premium", "--json", workspace=vendor).expect(0).out)
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


def test_a_plan_that_was_not_tried_is_refused_with_those_that_were(vendor: Path) -> None:
    refused = run_sla("whatif", "--plan", "premum", workspace=vendor).expect(2)
    assert "'premum'" in refused.err
    assert "'premium'" in refused.err
    assert "compare_plans" in refused.err


def test_a_plan_to_compare_that_no_file_describes_is_refused(vendor: Path, tmp_path: Path) -> None:
    root = init_vendor(tmp_path / "workspace")
    write_lines(root / "sla.yml", "sources:", "  desk: {type: canonical}", "compare_plans: [gold]")
    refused = run_sla("build", workspace=root).expect(2)
    assert "compare_plans: 'gold' is not a plan." in refused.err

"""The three committed plan files against the plan table of the contract, typed in here cell by cell.

`°` marks a cell that another public copy supplied, `?` one that no copy states; the reader must be told both.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pipeline.calendars.load_calendars import load_calendars
from pipeline.rules.flatten_plans import flatten_plans
from pipeline.rules.load_plans import load_plans
from pipeline.rules.plan import Plan, PlanVersion
from pipeline.rules.tables import OPEN_END, RULE_TABLES
from pipeline.settings import CHECKOUT

SHIPPED = CHECKOUT / "data" / "reference" / "plans"
HOUR_SECONDS = 60 * 60
PLANS = ("standard", "enhanced", "premium")
BUSINESS, ALWAYS = "business_hours", "always"

# obligation, severities, then (hours, clock, clause, is °) for standard, enhanced, premium
PROMISES = [
    (
        "first_response",
        (1, 2, 3, 4),
        [
            (24, BUSINESS, "first_response_regular", False),
            (12, BUSINESS, "first_response_regular", False),
            (8, ALWAYS, "first_response_regular", True),
        ],
    ),
    (
        "first_response",
        (5,),
        [
            (8, ALWAYS, "first_response_level_5", True),
            (6, ALWAYS, "first_response_level_5", True),
            (2, ALWAYS, "first_response_level_5", True),
        ],
    ),
    (
        "debug_analysis",
        (1, 2, 3, 4),
        [
            (72, BUSINESS, "debug_eta_regular", False),
            (48, BUSINESS, "debug_eta_regular", False),
            (24, ALWAYS, "debug_eta_regular", False),
        ],
    ),
    (
        # ? on standard and enhanced: our reading is the regular ETA; one cell of 8 h, 24/7 for premium.
        "debug_analysis",
        (5,),
        [
            (72, BUSINESS, "debug_eta_regular", False),
            (48, BUSINESS, "debug_eta_regular", False),
            (8, ALWAYS, "debug_eta_critical", False),
        ],
    ),
]
TICKETS = {"regular": (10, 20, "unlimited"), "level_5": (1, 3, 6)}
NOT_STATED = (
    "remote_installation_assistance",
    "remote_deployment_assistance",
    "remote_configuration_upgrade_assistance",
    "custom_builds",
)
STATEMENTS = {
    "support_availability": (BUSINESS, BUSINESS, ALWAYS),
    "support_contact_representative": ("various", "various", "dedicated"),
    "additional_tickets": ("may_be_purchased", "may_be_purchased", "not_needed"),
}
OTHER_COPY = "another public copy of the same revision"


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    return {plan.plan: plan for plan in load_plans(SHIPPED, [BUSINESS])}


def version_of(plans: dict[str, Plan], name: str) -> PlanVersion:
    (version,) = plans[name].versions
    return version


def test_shipped_plans_are_these_three_and_hold_from_their_revision_on(plans: dict[str, Plan]) -> None:
    assert sorted(plans) == sorted(PLANS)
    for name in PLANS:
        version = version_of(plans, name)
        assert plans[name].version_key(version) == f"{name}@2020-11-16"
        assert (version.valid_from, version.valid_to) == (datetime(2020, 11, 16), OPEN_END)
        assert version.time_zone == "UTC"


@pytest.mark.parametrize(("position", "name"), list(enumerate(PLANS)))
def test_every_promise_cell_has_its_hours_clock_clause_and_origin(
    plans: dict[str, Plan], position: int, name: str
) -> None:
    version = version_of(plans, name)
    read = {
        (obligation.obligation, promise.severities): promise
        for obligation in version.obligations
        for promise in obligation.promises
    }
    assert set(read) == {(obligation, severities) for obligation, severities, _ in PROMISES}
    for obligation, severities, cells in PROMISES:
        hours, clock, clause, is_from_other_copy = cells[position]
        promise = read[obligation, severities]
        assert promise.target_seconds == hours * HOUR_SECONDS
        assert (promise.clock_name, promise.reference.clause) == (clock, clause)
        assert (OTHER_COPY in (promise.reference.note or "")) is is_from_other_copy
        if obligation == "debug_analysis":
            assert (promise.reference.note or "").startswith("Our reading: ")


@pytest.mark.parametrize("name", PLANS)
def test_clock_rules_are_those_of_the_contract(plans: dict[str, Plan], name: str) -> None:
    first_response, debug_analysis = version_of(plans, name).obligations
    assert (first_response.kind, first_response.cycles) == ("target", "once")
    assert first_response.starts_on == ("submitted",)
    assert first_response.stops_on == ("agent_message",)
    assert first_response.pauses_on == ()
    assert (debug_analysis.kind, debug_analysis.cycles) == ("estimate", "once")
    assert debug_analysis.starts_on == ("debug_requested", "debug_logs_received")
    assert debug_analysis.stops_on == ("debug_delivered",)
    assert [pause.name for pause in debug_analysis.pauses_on] == ["status:pending", "status:on_hold"]


@pytest.mark.parametrize(("position", "name"), list(enumerate(PLANS)))
def test_included_tickets_are_counted_per_pool(plans: dict[str, Plan], position: int, name: str) -> None:
    pools = plans[name].pools
    for pool, cells in TICKETS.items():
        quantity = cells[position]
        assert pools[pool].is_unlimited is (quantity == "unlimited")
        assert pools[pool].quantity == (None if quantity == "unlimited" else quantity)
        assert pools[pool].is_stated
        assert pools[pool].drawn_by == "submission"
        assert OTHER_COPY in (pools[pool].reference.note or "")
    assert (pools["regular"].severities, pools["regular"].overflows_to) == ((1, 2, 3, 4), None)
    assert (pools["level_5"].severities, pools["level_5"].overflows_to) == ((5,), "regular")


@pytest.mark.parametrize("name", PLANS)
def test_once_per_term_assistances_are_not_stated_and_have_their_scope(
    plans: dict[str, Plan], name: str
) -> None:
    pools = plans[name].pools
    assert set(pools) == {*TICKETS, *NOT_STATED}
    for pool in NOT_STATED:
        assert pools[pool].is_redeemed
        assert (pools[pool].quantity, pools[pool].is_unlimited, pools[pool].is_stated) == (None, False, False)
        assert (pools[pool].reference.note or "").startswith("Stated in no copy")
        assert pools[pool].scope
    assert pools["remote_installation_assistance"].scope["agents_maximum"] == 5
    assert pools["remote_installation_assistance"].scope["sample_jobs"] == "1-2"
    deployment = pools["remote_deployment_assistance"].scope
    assert deployment["agents_maximum"] == 25
    assert deployment["cloud_storage_targets_maximum"] == 2
    assert deployment["production_jobs_maximum"] == 5
    assert deployment["profiles_maximum"] == 5


@pytest.mark.parametrize(("position", "name"), list(enumerate(PLANS)))
def test_rules_in_words_are_kept_for_the_reader(plans: dict[str, Plan], position: int, name: str) -> None:
    version = version_of(plans, name)
    statements = {statement.statement: statement for statement in version.statements}
    for statement, cells in STATEMENTS.items():
        assert statements[statement].value == cells[position]
    assert version.availability_clock == STATEMENTS["support_availability"][position]
    assert {statement for statement, found in statements.items() if found.is_reading} == {
        "debug_eta_is_estimate",
        "debug_eta_clock",
        "debug_eta_critical",
        "once_per_term_assistances",
        "severity_change",
    }


@pytest.mark.parametrize("name", PLANS)
def test_who_may_submit_what_and_how_is_in_the_plan(plans: dict[str, Plan], name: str) -> None:
    version = version_of(plans, name)
    assert [(item.severity, item.label, item.is_covered) for item in version.severities] == [
        (0, "Debug logs", False),
        (1, "Low", True),
        (2, "Configuration", True),
        (3, "Important", True),
        (4, "Urgent", True),
        (5, "Critical", True),
    ]
    assert version.channels == {"console": True, "web_form": True, "email": False}
    assert not version.is_default_channel_supported
    assert version.maximum_contacts == 5
    assert version.required_license_status == "active"
    assert version.licenses_not_counted == ("trial", "legacy")
    assert (version.severity_raised, version.severity_lowered) == ("adds", "replaces")


@pytest.mark.parametrize("name", PLANS)
def test_every_clause_is_used_and_every_value_names_one(plans: dict[str, Plan], name: str) -> None:
    version = version_of(plans, name)
    references = [
        *(promise.reference for obligation in version.obligations for promise in obligation.promises),
        *(entitlement.reference for entitlement in version.entitlements),
        *(severity.reference for severity in version.severities),
        *(
            statement.reference
            for statement in version.statements
            if statement.statement != "severity_change"
        ),
    ]
    assert None not in {reference.clause for reference in references}
    assert {reference.clause for reference in references} == set(plans[name].clauses)


def load_examples() -> dict[str, Plan]:
    shipped = SHIPPED.parent / "calendars"
    calendars = load_calendars(shipped) | load_calendars(shipped / "examples")
    return {plan.plan: plan for plan in load_plans(SHIPPED / "examples", calendars)}


def test_example_plans_count_working_days_in_open_seconds_of_their_own_clock() -> None:
    (version,) = load_examples()["handling_investigation_resolution"].versions
    handling = {item.obligation: item for item in version.obligations}["handling"]
    assert {promise.target_seconds for promise in handling.promises} == {
        5 * HOUR_SECONDS,
        2 * 5 * HOUR_SECONDS,
    }


def test_example_plan_measures_a_resolution_that_reopening_resumes() -> None:
    plan = load_examples()["resolution_by_severity"]
    (version,) = plan.versions
    resolution = {item.obligation: item for item in version.obligations}["resolution"]
    assert (resolution.cycles, resolution.resumes_on) == ("resume", ("reopened",))
    assert {
        severity: (promise.target_seconds, promise.clock_name)
        for promise in resolution.promises
        for severity in promise.severities
    } == {
        5: (8 * HOUR_SECONDS, ALWAYS),
        4: (24 * HOUR_SECONDS, ALWAYS),
        3: (72 * HOUR_SECONDS, BUSINESS),
        2: (120 * HOUR_SECONDS, BUSINESS),
        1: (120 * HOUR_SECONDS, BUSINESS),
    }


def test_flattened_plans_have_the_columns_and_types_of_the_contract() -> None:
    names = {
        "VARCHAR": "string",
        "BIGINT": "int64",
        "INTEGER": "int32",
        "BOOLEAN": "bool",
        "TIMESTAMP": "timestamp[us]",
        "DATE": "date32[day]",
    }
    tables = flatten_plans(load_plans(SHIPPED, [BUSINESS]))
    assert set(tables) == {name for name in RULE_TABLES if name.startswith("plan_")}
    for name, table in tables.items():
        types = {field.name: str(field.type) for field in table.to_arrow().schema}
        assert types == {column: names[sql_type] for column, sql_type in RULE_TABLES[name].items()}


def test_flattened_plans_do_not_depend_on_the_order_of_files_or_lines(tmp_path: Path) -> None:
    plans = load_plans(SHIPPED, [BUSINESS])
    forwards, backwards = flatten_plans(plans), flatten_plans(plans[::-1])
    assert forwards == backwards


def test_flattened_promises_are_one_row_per_severity_with_the_text_of_the_clause() -> None:
    rows = flatten_plans(load_plans(SHIPPED, [BUSINESS]))["plan_promises"].to_pylist()
    assert len(rows) == len(PLANS) * (5 + 5)
    (row,) = [
        row
        for row in rows
        if (row["plan_version"], row["obligation"], row["severity"])
        == ("standard@2020-11-16", "first_response", 3)
    ]
    assert row == {
        "plan_version": "standard@2020-11-16",
        "obligation": "first_response",
        "severity": 3,
        "target_seconds": 24 * HOUR_SECONDS,
        "clock_name": BUSINESS,
        "clause": "first_response_regular",
        "clause_text": "Plan table, row First Non-Automated response (Level 1-4 Tickets)",
        "note": None,
    }


def test_flattened_moments_count_what_resumes_as_a_start() -> None:
    rows = flatten_plans([load_examples()["resolution_by_severity"]])["plan_moments"].to_pylist()
    moments = [(row["role"], row["moment"]) for row in rows if row["obligation"] == "resolution"]
    assert moments == [
        ("start", "reopened"),
        ("start", "submitted"),
        ("stop", "status:closed"),
        ("stop", "status:solved"),
    ]


def test_scope_of_an_assistance_is_flattened_item_by_item_with_its_maximum() -> None:
    rows = flatten_plans(load_plans(SHIPPED, [BUSINESS]))["plan_scopes"].to_pylist()
    scopes = {
        (row["pool"], row["scope_item"]): row["maximum_quantity"]
        for row in rows
        if row["plan_version"].startswith("premium@")
    }
    assert scopes["remote_deployment_assistance", "agents"] == 25
    assert scopes["remote_deployment_assistance", "production_jobs"] == 5
    assert scopes["remote_deployment_assistance", "cloud_storage_targets"] == 2
    assert scopes["remote_deployment_assistance", "profiles"] == 5
    # `agents_maximum: 5`, `sample_jobs: 1-2`, and an item that the plan names without a number.
    assert scopes["remote_installation_assistance", "agents"] == 5
    assert scopes["remote_installation_assistance", "sample_jobs"] == 2
    assert scopes["remote_configuration_upgrade_assistance", "agents"] is None

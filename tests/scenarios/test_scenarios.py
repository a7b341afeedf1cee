"""Every story through the real job: landed, built and published, then read back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import duckdb
import pytest

from tests.scenarios.kept import KEPT_BUILDS
from tests.scenarios.vendor import (
    AS_OF,
    EARLIER,
    Scenario,
    build_vendor,
    fill_vendor,
    instant,
    load_scenarios,
    seconds,
)

SCENARIOS = load_scenarios()

# What a scenario may say about an obligation -> the published column, and how its words are read.
_READERS: dict[str, tuple[str, Any]] = {
    "status": ("status", str),
    "reason": ("status_reason", str),
    "elapsed": ("elapsed_seconds", seconds),
    "target": ("target_seconds", seconds),
    "due": ("due_at", instant),
    "counts_from": ("counts_from_at", instant),
    "stopped": ("stopped_at", instant),
    "breached_at": ("breached_at", instant),
    "month": ("settled_month", str),
    "submitted_month": ("submitted_month", str),
    "counted_in": ("compliance_month", str),
    "as_submitted": ("status_as_submitted", str),
    "reason_as_submitted": ("status_reason_as_submitted", str),
    "before_waiver": ("status_before_waiver", str),
    "by_humans": ("status_by_humans", str),
    "with_ai": ("status_with_ai", str),
    "could_be": ("could_be", str),
    "severity": ("severity_in_force", int),
    "submitted_severity": ("severity_submitted", int),
    "plan_version": ("plan_version", str),
    "clock": ("clock_name", str),
    "kind": ("obligation_kind", str),
}
# What it may say of a breach -> the column of core.fct_sla_breaches, and how its words are read.
_BREACH_READERS: dict[str, tuple[str, Any]] = {
    "class": ("breach_class", str),
    "handovers": ("handover_count", int),
    "before_handover": ("counted_before_handover_seconds", seconds),
    "touched": ("first_touched_at", instant),
}
# What a scenario may say besides `expect` of a ticket, and of its customer.
_TICKET_CLAIMS = frozenset({"expect", "earlier", "cycles", "findings"})
_CUSTOMER_CLAIMS = frozenset(
    {"pools", "earlier_pools", "ledger", "paid_by", "compliance", "findings", "alerts"}
)

Builds = Mapping[str, duckdb.DuckDBPyConnection]


@pytest.fixture(scope="session")
def builds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Builds]:
    """as_of -> its build, with the scenarios that this run asks for; published with all checks where it asks for all of them."""
    asked = [
        item.callspec.params["scenario"]
        for item in request.session.items
        if isinstance(item, pytest.Function)
        and hasattr(item, "callspec")
        and "scenario" in item.callspec.params
    ]
    files = request.config.stash.get(KEPT_BUILDS, None)
    if files is None:
        build = fill_vendor if 0 < len(asked) < len(SCENARIOS) else build_vendor
        files = build(tmp_path_factory.mktemp("vendor"), asked or SCENARIOS)
    with ExitStack() as stack:
        yield {
            as_of: stack.enter_context(duckdb.connect(str(file), read_only=True))
            for as_of, file in files.items()
        }


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    found = connection.execute(sql, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.sentence for scenario in SCENARIOS])
def test_scenario(builds: Builds, scenario: Scenario) -> None:
    published = builds[AS_OF]
    for ticket in scenario.tickets:
        ticket_id = scenario.ticket_id(ticket["id"])
        _assert_obligations(published, ticket_id, ticket.get("expect", {}))
        _assert_obligations(builds.get(EARLIER, published), ticket_id, ticket.get("earlier", {}))
        for obligation, count in ticket.get("cycles", {}).items():
            sql = "select count(*) as n from core.fct_sla_obligations where ticket_id = ? and obligation = ?"
            assert _fetch(published, sql, [ticket_id, obligation])[0]["n"] == int(count)
        if "findings" in ticket:
            _assert_findings(published, "ticket_id", ticket_id, ticket["findings"])
    if "findings" in scenario.told:
        _assert_findings(published, "customer_id", scenario.slug, scenario.told["findings"])
    _assert_pools(published, scenario, scenario.told.get("pools", {}))
    _assert_pools(builds.get(EARLIER, published), scenario, scenario.told.get("earlier_pools", {}))
    _assert_ledger(published, scenario)
    _assert_payers(published, scenario)
    _assert_compliance(published, scenario)
    _assert_alerts(published, scenario)


def test_segments_of_every_story_cover_the_time_that_was_read_and_count_what_elapsed(builds: Builds) -> None:
    for connection in builds.values():
        segments: dict[str, list[dict[str, Any]]] = {}
        for row in _fetch(
            connection, "select * from core.fct_sla_segments order by obligation_key, segment_number", []
        ):
            segments.setdefault(row["obligation_key"], []).append(row)
        measured = _fetch(
            connection, "select * from core.fct_sla_obligations where elapsed_seconds is not null", []
        )
        assert measured
        assert set(segments) <= {obligation["obligation_key"] for obligation in measured}
        for obligation in measured:
            own = segments.get(obligation["obligation_key"], [])
            assert [row["segment_number"] for row in own] == list(range(1, len(own) + 1))
            # No gap and no overlap: each begins where the one before ends.
            edges = [obligation["counts_from_at"], *(row["ends_at"] for row in own)]
            assert [row["starts_at"] for row in own] == edges[:-1]
            assert edges[-1] == obligation["read_until_at"]
            assert all(row["starts_at"] < row["ends_at"] for row in own)
            for row in own:
                assert row["wall_seconds"] == (row["ends_at"] - row["starts_at"]).total_seconds()
                is_counted = row["segment_kind"] == "counted"
                assert row["counted_seconds"] == (row["wall_seconds"] if is_counted else 0)
            counted = sum(row["counted_seconds"] for row in own)
            assert counted == obligation["elapsed_seconds"], obligation["obligation_key"]


def _assert_obligations(
    connection: duckdb.DuckDBPyConnection, ticket_id: str, obligations: Mapping[str, Mapping[str, str]]
) -> None:
    for name, expected in obligations.items():
        obligation, _, cycle = name.partition(" ")
        rows = _fetch(
            connection,
            "select * from core.fct_sla_obligations where ticket_id = ? and obligation = ? order by cycle_number",
            [ticket_id, obligation],
        )
        row = rows[int(cycle or 1) - 1]
        wanted = _read_claims(_READERS, expected)
        assert {column: row[column] for column in wanted} == wanted, f"{ticket_id} {name}"
        _assert_breach(connection, row["obligation_key"], expected)


def _read_claims(readers: Mapping[str, tuple[str, Any]], expected: Mapping[str, Any]) -> dict[str, Any]:
    unknown = expected.keys() - _READERS.keys() - _BREACH_READERS.keys() - {"held"}
    assert not unknown, f"no scenario can say {unknown}"
    return {
        readers[word][0]: None if text == "none" else readers[word][1](text)
        for word, text in expected.items()
        if word in readers
    }


def _assert_breach(connection: duckdb.DuckDBPyConnection, key: str, expected: Mapping[str, Any]) -> None:
    """`class`, and `held`: who had the ticket on the clock in turn, `group assignee 3h 30m`, or `unassigned 30m`."""
    wanted = _read_claims(_BREACH_READERS, expected)
    if wanted:
        sql = "select * from core.fct_sla_breaches where obligation_key = ?"
        [row] = _fetch(connection, sql, [key])
        assert {column: row[column] for column in wanted} == wanted, key
    if "held" in expected:
        sql = "select * from core.fct_sla_breach_holdings where obligation_key = ? order by holding_number"
        held = [
            (
                " ".join(name for name in (row["group_name"], row["assignee"]) if name) or "unassigned",
                row["counted_seconds"],
            )
            for row in _fetch(connection, sql, [key])
        ]
        assert held == [_read_holding(line) for line in expected["held"]], key


def _read_holding(line: str) -> tuple[str, int]:
    words = line.split(" ")
    first = next(place for place, word in enumerate(words) if re.fullmatch(r"\d+[hms]", word) and place > 0)
    return " ".join(words[:first]), seconds(" ".join(words[first:]))


def _assert_findings(
    connection: duckdb.DuckDBPyConnection, column: str, key: str, expected: list[str] | str
) -> None:
    """`expected`: the names of all findings, or `any`: there is one, whatever it is called."""
    assert column in ("ticket_id", "customer_id")
    sql = f"select finding from qc.rpt_qc__findings where {column} = ? order by 1"
    found = [row["finding"] for row in _fetch(connection, sql, [key])]
    if expected == "any":
        assert found, f"nothing was found about {key}"
    else:
        assert found == expected


def _assert_pools(
    connection: duckdb.DuckDBPyConnection, scenario: Scenario, pools: Mapping[str, Mapping[str, str]]
) -> None:
    for pool, expected in pools.items():
        [balance] = _fetch(
            connection,
            "select * from marts.mart_account__entitlement_balances where subscription_id = ? and pool = ?",
            [f"{scenario.slug}-{expected.get('term', '1')}", pool.split(" ")[0]],
        )
        wanted = {
            f"{word}_quantity": None if text == "none" else int(text)
            for word, text in expected.items()
            if word != "term"
        }
        assert {column: balance[column] for column in wanted} == wanted, pool


def _assert_ledger(connection: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    """Every movement of a pool, in order, as `kind quantity = balance`; `regular 2` is the pool in the second term."""
    for name, expected in scenario.told.get("ledger", {}).items():
        pool, _, term = name.partition(" ")
        rows = _fetch(
            connection,
            "select * from core.fct_entitlement_movements where subscription_id = ? and pool = ?"
            " order by statement_line",
            [f"{scenario.slug}-{term or 1}", pool],
        )
        assert [
            f"{row['movement_kind']} {row['quantity']} = {row['balance_after']}" for row in rows
        ] == expected, name


def _assert_payers(connection: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    """What pays each movement of a pool: `use purchase 2`, `overflow grant 1 regular`, `use nothing`."""
    for name, expected in scenario.told.get("paid_by", {}).items():
        pool, _, term = name.partition(" ")
        rows = _fetch(
            connection,
            "select movement_kind, paid_by from core.fct_entitlement_movements where subscription_id = ? and pool = ?"
            " and movement_kind not in ('grant', 'purchase') order by statement_line",
            [f"{scenario.slug}-{term or 1}", pool],
        )
        shown = [
            f"{row['movement_kind']} {row['paid_by'] or 'nothing'}".replace(f":{scenario.slug}-", " ")
            for row in rows
        ]
        # The pool of a grant is named only where it is another one.
        assert [one.removesuffix(f":{pool}").replace(":", " ") for one in shown] == expected, name


def _assert_compliance(connection: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    """`settled 2026-03 first_response`: what the managers' figures count of this customer."""
    for name, expected in scenario.told.get("compliance", {}).items():
        sums = ", ".join(f"cast(coalesce(sum({word}_count), 0) as bigint) as {word}" for word in expected)
        [counted] = _fetch(
            connection,
            f"select {sums} from marts.mart_manager__monthly_compliance"
            " where customer_id = ? and month_basis = ? and month = ? and obligation = ?",
            [scenario.slug, *name.split(" ")],
        )
        assert counted == {word: int(count) for word, count in expected.items()}, name


def _assert_alerts(connection: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    """All alerts of this customer but forecasts, the most pressing first: `80 % regular since ...`, `ends in 90 days since ...`.

    A forecast rests on the tickets of all customers of the plan, so no story can work it out by hand.
    """
    if "alerts" not in scenario.told:
        return
    rows = _fetch(
        connection,
        "select * from marts.mart_account__alerts where customer_id = ? and alert_kind <> 'likely_to_run_out'"
        " order by alert_rank, pool, subscription_id",
        [scenario.slug],
    )
    assert [
        f"ends in {row['days_left']} days since {row['raised_at']:%Y-%m-%dT%H:%M:%SZ}"
        if row["alert_kind"] == "term_ends_soon"
        else f"{row['threshold_pct']} % {row['pool']} since {row['raised_at']:%Y-%m-%dT%H:%M:%SZ}"
        for row in rows
    ] == scenario.told["alerts"]


def test_every_movement_of_the_ledger_shows_in_a_balance(builds: Builds) -> None:
    # Findings, not silent drops: a unit that was drawn must be missing from some balance that the account team reads.
    sql = """
        select movement_id, pool
        from core.fct_entitlement_movements
        anti join marts.mart_account__entitlement_balances using (subscription_id, pool)
        order by 1
    """
    assert _fetch(builds[AS_OF], sql, []) == []


def test_every_scenario_tells_a_story_and_expects_something() -> None:
    for scenario in SCENARIOS:
        assert scenario.told["story"].strip(), scenario.slug
        assert _CUSTOMER_CLAIMS & scenario.told.keys() or any(
            _TICKET_CLAIMS & ticket.keys() for ticket in scenario.tickets
        ), scenario.slug


def test_there_are_at_least_eighty_scenarios() -> None:
    assert len(SCENARIOS) >= 80

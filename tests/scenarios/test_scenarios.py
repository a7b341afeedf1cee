"""Every story through the real job: landed, built and published, then read back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.scenarios.vendor import Scenario, build_vendor, instant, load_scenarios, seconds

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
    "as_submitted": ("status_as_submitted", str),
    "before_waiver": ("status_before_waiver", str),
    "severity": ("severity_in_force", int),
    "plan_version": ("plan_version", str),
    "clock": ("clock_name", str),
    "kind": ("obligation_kind", str),
}


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    workspace = build_vendor(tmp_path_factory.mktemp("vendor"), SCENARIOS)
    [file] = workspace.published.glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[Any]) -> list[dict[str, Any]]:
    found = connection.execute(sql, parameters)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.sentence for scenario in SCENARIOS])
def test_scenario(published: duckdb.DuckDBPyConnection, scenario: Scenario) -> None:
    for ticket in scenario.tickets:
        ticket_id = scenario.ticket_id(ticket["id"])
        for name, expected in ticket.get("expect", {}).items():
            obligation, _, cycle = name.partition(" ")
            rows = _fetch(
                published,
                "select * from core.fct_sla_obligations where ticket_id = ? and obligation = ? order by cycle_number",
                [ticket_id, obligation],
            )
            row = rows[int(cycle or 1) - 1]
            wanted = {
                _READERS[word][0]: None if text == "none" else _READERS[word][1](text)
                for word, text in expected.items()
            }
            assert {column: row[column] for column in wanted} == wanted, f"{ticket_id} {name}"
            _assert_segments_add_up(published, row)
        for obligation, count in ticket.get("cycles", {}).items():
            sql = "select count(*) as n from core.fct_sla_obligations where ticket_id = ? and obligation = ?"
            assert _fetch(published, sql, [ticket_id, obligation])[0]["n"] == int(count)
        if "findings" in ticket:
            found = _fetch(
                published,
                "select finding from qc.rpt_qc__findings where ticket_id = ? order by 1",
                [ticket_id],
            )
            assert [row["finding"] for row in found] == ticket["findings"]
    for pool, expected in scenario.told.get("pools", {}).items():
        term = expected.pop("term", "1")
        [balance] = _fetch(
            published,
            "select * from marts.mart_account__entitlement_balances where subscription_id = ? and pool = ?",
            [f"{scenario.slug}-{term}", pool.split(" ")[0]],
        )
        wanted = {
            f"{word}_quantity": None if text == "none" else int(text) for word, text in expected.items()
        }
        assert {column: balance[column] for column in wanted} == wanted, pool


def _assert_segments_add_up(connection: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> None:
    if row["elapsed_seconds"] is None:
        return
    sql = "select coalesce(sum(counted_seconds), 0) as counted from core.fct_sla_segments where obligation_key = ?"
    assert _fetch(connection, sql, [row["obligation_key"]])[0]["counted"] == row["elapsed_seconds"]


def test_every_scenario_tells_a_story_and_expects_something() -> None:
    for scenario in SCENARIOS:
        assert scenario.told["story"].strip(), scenario.slug
        assert "pools" in scenario.told or any(
            {"expect", "cycles", "findings"} & ticket.keys() for ticket in scenario.tickets
        ), scenario.slug


def test_there_are_at_least_eighty_scenarios() -> None:
    assert len(SCENARIOS) >= 80

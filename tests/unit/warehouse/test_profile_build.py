"""Where the time of a build goes: steps by their own clock, and plans of the models that took longest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.show_profile import profile_tables
from pipeline.warehouse import run_dbt
from pipeline.warehouse.connection import open_database
from pipeline.warehouse.profile_build import Operator, Profile, StepTime
from pipeline.warehouse.run_dbt import NodeTime


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """Of a build with two models, one of which joins a thousand rows with a hundred."""
    database = tmp_path / "build.duckdb"
    with open_database(database) as connection:
        connection.execute("create table many as select range as number from range(1000)")
        connection.execute("create table few as select range as number from range(100)")
    instants = iter(float(number) for number in range(100))
    monkeypatch.setattr("pipeline.warehouse.profile_build.perf_counter", lambda: next(instants))
    profile = Profile()
    with profile.watch(run_dbt.tell_nothing) as tell:
        tell("models", None, 0, 0)
        tell("models", "quick", 1, 2)
        run_dbt._collected += [
            NodeTime("quick", "model", 0.1, "select 1"),
            NodeTime("a test", "test", 9.0),
            NodeTime("slow", "model", 2.0, "select count(*) from many join few on few.number = many.number"),
        ]
        profile.explain(database, 1)
        tell("publishing", None, 0, 0)
    return profile


def test_each_step_has_the_time_from_its_beginning_to_that_of_the_next(profile: Profile) -> None:
    steps = ["rules", "models", "plans of the slowest models", "publishing"]
    assert [(one.step, one.wall_seconds) for one in profile.steps] == [(step, 1.0) for step in steps]


def test_nodes_are_sorted_by_time_and_the_plan_is_that_of_the_slowest_model(profile: Profile) -> None:
    assert [node.name for node in profile.nodes] == ["a test", "slow", "quick"]
    assert list(profile.plans) == ["slow"]
    operators = walk(profile.plans["slow"])
    tables = {str(one.details["Table"]).rpartition(".")[2] for one in operators if one.kind == "TABLE_SCAN"}
    assert tables == {"many", "few"}
    [join] = [one for one in operators if one.kind == "HASH_JOIN"]
    assert join.rows == 100


def test_no_times_are_collected_outside_of_a_profile(profile: Profile) -> None:
    assert run_dbt._collected is None


def test_operators_that_took_next_to_nothing_are_left_out_of_the_printed_plan() -> None:
    scan = Operator("TABLE_SCAN", 0.9, 1000, {"Table": "build.core.many"})
    plan = Operator("PROJECTION", 0.001, 10, {}, (Operator("FILTER", 0.001, 10, {}, (scan,)),))
    profile = Profile([StepTime("models", 1.0, 0.5)], [NodeTime("slow", "model", 2.0)], {"slow": plan})
    steps, nodes, printed = profile_tables(profile)
    assert steps.rows == (("models", "1.00", "0.50"),)
    assert nodes.rows == (("slow", "model", "2.00"),)
    assert printed.rows == (("TABLE_SCAN", "0.90", "1,000", "build.core.many"),)


def walk(operator: Operator) -> list[Operator]:
    return [operator, *(one for child in operator.children for one in walk(child))]

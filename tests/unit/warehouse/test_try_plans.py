"""A trial that fails: what is said of it, and that what is published stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ChecksFailed
from pipeline.pointer import Pointer, read_pointer, write_pointer
from pipeline.settings import Workspace
from pipeline.warehouse.connection import open_database
from pipeline.warehouse.try_plans import try_plans
from pipeline.whole_files import hash_file


def test_a_trial_that_fails_names_the_plan_and_the_models_and_leaves_the_build_as_it_is(
    tmp_path: Path,
) -> None:
    workspace = Workspace(tmp_path)
    for folder in (workspace.landed, workspace.published, workspace.warehouse / "kept"):
        folder.mkdir(parents=True)
    file = workspace.published / "b1.duckdb"
    with open_database(file) as connection:
        connection.execute(
            "create schema core; create table core.fct_sla_obligations(obligation_key varchar)"
        )
    # A basis that lacks everything that the facts are made from.
    with open_database(workspace.warehouse / "kept" / "b1.trials.duckdb") as connection:
        connection.execute("create schema raw; create table raw.subscriptions(plan varchar)")
    pointer = Pointer("b1", file.name, hash_file(file), "2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z")
    write_pointer(workspace, pointer)
    with pytest.raises(ChecksFailed, match="^Trying the plan 'gold': .* nothing was published") as failure:
        try_plans(workspace, ["gold"])
    assert "int_promises__ticket_terms" in str(failure.value)
    assert read_pointer(workspace) == pointer
    assert [path.name for path in workspace.published.glob("*.duckdb")] == ["b1.duckdb"]

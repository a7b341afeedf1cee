"""When a build goes on from the version that is served, and the reason that is told when it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from pipeline.pointer import Pointer, write_pointer
from pipeline.settings import Workspace
from pipeline.warehouse import fingerprint, incremental
from pipeline.warehouse.incremental import Basis, Everything, find_basis
from pipeline.warehouse.try_plans import find_trial_tables
from pipeline.whole_files import hash_file, seal, write_whole

BATCH: Any = SimpleNamespace(file_stem="one", landed_at="2026-03-01T00:00:00Z")
LANDED_AGAIN: Any = SimpleNamespace(file_stem="one", landed_at="2026-03-09T00:00:00Z")
LATER: Any = SimpleNamespace(file_stem="two", landed_at="2026-03-02T00:00:00Z")
RULES: Any = SimpleNamespace(fingerprint="rules")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A served version with what was kept beside it; of the databases only their bytes are looked at."""
    workspace = Workspace(tmp_path)
    (tmp_path / "sla.yml").write_text("sources: {}\n", encoding="utf-8")
    workspace.published.mkdir(parents=True)
    served = workspace.published / "abc.duckdb"
    served.write_bytes(b"served")
    write_pointer(
        workspace,
        Pointer("abc", served.name, hash_file(served), "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
    )
    kept = incremental._kept_path(workspace, "abc")
    write_whole(kept, b"kept")
    trials = find_trial_tables(workspace, "abc")
    write_whole(trials, b"trials")
    record = {"sha256": hash_file(kept), "trials": hash_file(trials)} | incremental._describe(
        workspace, [BATCH], RULES
    )
    write_whole(incremental._record_path(kept), seal(record))
    return workspace


def find(workspace: Workspace, batches: list[Any], rules: Any = RULES, as_of: datetime | None = None) -> str:
    found = find_basis(workspace, batches, rules, as_of)
    return found.reason if isinstance(found, Everything) else found.kept.name


def test_a_build_with_more_files_goes_on_from_the_version_that_is_served(workspace: Workspace) -> None:
    assert find_basis(workspace, [BATCH, LATER], RULES, None) == Basis(
        workspace.published / "abc.duckdb",
        workspace.warehouse / "kept" / "abc.duckdb",
        workspace.warehouse / "kept" / "abc.trials.duckdb",
    )


def test_without_a_version_there_is_nothing_to_go_on_from_and_no_reason_to_tell(tmp_path: Path) -> None:
    assert find_basis(Workspace(tmp_path), [BATCH], RULES, None) == Everything("")


def test_a_changed_rule_is_told_by_its_file(workspace: Workspace) -> None:
    (workspace.root / "sla.yml").write_text("sources: {desk: {}}\n", encoding="utf-8")
    assert find(workspace, [BATCH], SimpleNamespace(fingerprint="others")) == "the rules changed (sla.yml)"


def test_another_program_builds_everything(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "describe_program", lambda: {"code": "other"})
    assert find(workspace, [BATCH]) == "the program or one of its packages is another"


@pytest.mark.parametrize("batches", [[LATER], [LANDED_AGAIN]])
def test_a_file_that_is_gone_or_landed_again_builds_everything(
    workspace: Workspace, batches: list[Any]
) -> None:
    assert find(workspace, batches) == "a landed file was read again, replaced or removed"


@pytest.mark.parametrize(("second", "is_before"), [(-1, True), (0, False), (1, False)])
def test_time_only_passes(workspace: Workspace, second: int, is_before: bool) -> None:
    as_of = datetime.fromtimestamp(datetime(2026, 3, 1, tzinfo=UTC).timestamp() + second, UTC)
    found = find(workspace, [BATCH], as_of=as_of)
    assert found == ("as_of lies before that of the served version" if is_before else "abc.duckdb")


@pytest.mark.parametrize(
    "harm",
    [
        lambda kept, served: kept.write_bytes(b"other"),
        lambda kept, served: kept.unlink(),
        lambda kept, served: kept.with_suffix(".json").unlink(),
        lambda kept, served: kept.with_suffix(".json").write_text("{}", encoding="utf-8"),
        lambda kept, served: kept.with_suffix(".trials.duckdb").unlink(),
        lambda kept, served: served.write_bytes(b"other"),
        lambda kept, served: served.unlink(),
    ],
)
def test_damage_of_what_was_kept_builds_everything(
    workspace: Workspace, harm: Callable[[Path, Path], object]
) -> None:
    harm(workspace.warehouse / "kept" / "abc.duckdb", workspace.published / "abc.duckdb")
    assert find(workspace, [BATCH]) == "what the served version kept for this is missing or damaged"


@pytest.mark.parametrize(
    ("known", "new", "is_changed"),
    [
        ([("09:00:00", "agent")], ("09:00:00", "agent"), False),
        ([("09:00:00", "agent")], ("09:00:01", "agent"), False),
        # It was an agent a second earlier than was known.
        ([("09:00:00", "agent")], ("08:59:59", "agent"), True),
        ([("09:00:00", "agent")], ("09:00:01", "end-user"), True),
        ([("09:00:00", "agent")], ("09:00:00", "end-user"), True),
        ([("09:00:00", "agent")], (None, "agent"), True),
        ([(None, "agent")], (None, "agent"), False),
        ([(None, "agent")], ("09:00:00", "agent"), True),
        ([("09:00:00", "agent"), ("10:00:00", "end-user")], ("10:00:01", "end-user"), False),
        ([("09:00:00", "agent"), ("10:00:00", "end-user")], ("10:00:01", "agent"), True),
        ([("09:00:00", "agent"), ("09:00:00", "end-user")], ("09:00:01", "agent"), True),
        ([], ("09:00:00", "agent"), True),
    ],
)
def test_a_version_of_a_person_changes_something_unless_it_repeats_the_last_one(
    known: list[tuple[str | None, str]], new: tuple[str | None, str], is_changed: bool
) -> None:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as kept")
        for schema in ("raw", "kept.raw"):
            connection.execute(f"create schema {schema}")
        connection.execute("create table kept.raw.batches as select 'old' as batch_id")
        for table in ("people", "new_people"):
            connection.execute(
                f"create table raw.{table}"
                " (source varchar, person_id varchar, role varchar, updated_at timestamp, batch_id varchar)"
            )
        for at, role in known:
            connection.execute(
                "insert into raw.people select 'desk', 'sam', ?, timestamp '2026-03-02' + ?::interval, 'old'",
                [role, at],
            )
        connection.execute(
            "insert into raw.new_people select 'desk', 'sam', ?, timestamp '2026-03-02' + ?::interval, 'new'",
            [new[1], new[0]],
        )
        changed = connection.execute(incremental._changed("people", "person_id", ["role"])).fetchall()
    assert changed == ([("desk", "sam")] if is_changed else [])

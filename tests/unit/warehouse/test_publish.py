"""Publishing: one file per build, a pointer that changes in one step, and content that does not depend on threads."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigurationError
from pipeline.pointer import Pointer, read_pointer
from pipeline.settings import Workspace
from pipeline.warehouse import publish as publishing
from pipeline.warehouse.publish import (
    KEPT_VERSIONS,
    compact,
    find_served,
    publish,
)
from pipeline.whole_files import hash_file

AS_OF = datetime(2026, 7, 1, tzinfo=UTC)


def make_build(path: Path, numbers: str = "3), (1), (2") -> Path:
    with duckdb.connect(str(path)) as connection:
        for schema in ("raw", "staging", "core", "marts", "meta"):
            connection.execute(f"create schema {schema}")
            connection.execute(
                f"create table {schema}.numbers as select * from (values ({numbers})) as rows(number)"
            )
        connection.execute("create view core.largest as select max(number) as number from core.numbers")
    return path


def publish_build(workspace: Workspace, build_id: str) -> Pointer:
    workspace.warehouse.mkdir(parents=True, exist_ok=True)
    built = workspace.warehouse / f"{build_id}.built"
    built.write_bytes(build_id.encode())
    return publish(workspace, built, build_id, AS_OF, AS_OF + timedelta(hours=1))


def test_compact_keeps_the_published_schemas_only(tmp_path: Path) -> None:
    compact(make_build(tmp_path / "build.duckdb"), tmp_path / "published.duckdb")
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables() order by 1").fetchall()
        largest = connection.execute("select number from core.largest").fetchall()
    assert [schema for (schema,) in schemas] == ["core", "marts", "meta"]
    assert largest == [(3,)]


def test_compact_stores_rows_in_the_order_of_the_first_column(tmp_path: Path) -> None:
    compact(make_build(tmp_path / "build.duckdb"), tmp_path / "published.duckdb")
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("select number from core.numbers").fetchall() == [(1,), (2,), (3,)]


def test_compact_reads_a_build_whose_path_holds_a_quote(tmp_path: Path) -> None:
    folder = tmp_path / "it's; drop schema core"
    folder.mkdir()
    compact(make_build(folder / "build.duckdb"), folder / "published.duckdb")
    assert (folder / "published.duckdb").is_file()


def test_pointer_is_none_before_anything_is_published(tmp_path: Path) -> None:
    assert read_pointer(Workspace(tmp_path)) is None


def test_pointer_says_what_was_published(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    pointer = publish_build(workspace, "b1")
    assert read_pointer(workspace) == pointer
    assert (pointer.file, pointer.as_of, pointer.published_at) == (
        "b1.duckdb",
        "2026-07-01T00:00:00Z",
        "2026-07-01T01:00:00Z",
    )
    assert pointer.sha256 == hash_file(workspace.published / "b1.duckdb")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"build_id": "b1"}', '{"unknown": 1}'])
def test_pointer_that_is_damaged_is_named(tmp_path: Path, content: str) -> None:
    workspace = Workspace(tmp_path)
    workspace.published.mkdir(parents=True)
    (workspace.published / "current.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"current\.json is damaged"):
        read_pointer(workspace)


def test_publish_that_dies_before_the_pointer_leaves_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    before = publish_build(workspace, "b1")

    def die(workspace: Workspace, pointer: Pointer) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(publishing, "write_pointer", die)
    with pytest.raises(KeyboardInterrupt):
        publish_build(workspace, "b2")
    assert read_pointer(workspace) == before
    assert hash_file(workspace.published / before.file) == before.sha256


def test_publish_keeps_the_newest_versions_and_the_one_served(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(KEPT_VERSIONS + 3):
        pointer = publish_build(workspace, f"b{number}")
        # Times of the file system may be equal when builds follow each other at once.
        stamp = 1_790_000_000 + number
        os.utime(workspace.published / pointer.file, (stamp, stamp))
    kept = sorted(path.stem for path in workspace.published.glob("*.duckdb"))
    assert len(kept) == KEPT_VERSIONS
    assert f"b{KEPT_VERSIONS + 2}" in kept


def test_publish_keeps_the_version_served_also_where_its_file_is_the_oldest(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for number in range(KEPT_VERSIONS):
        pointer = publish_build(workspace, f"b{number}")
        # The clock was set back afterwards: these are from tomorrow.
        tomorrow = AS_OF.timestamp() + 365 * 86_400
        os.utime(workspace.published / pointer.file, (tomorrow, tomorrow))
    assert (workspace.published / publish_build(workspace, "last").file).is_file()


def test_compact_replaces_what_a_killed_run_left(tmp_path: Path) -> None:
    build = make_build(tmp_path / "build.duckdb")
    compact(build, tmp_path / "published.duckdb")
    compact(build, tmp_path / "published.duckdb")
    with duckdb.connect(str(tmp_path / "published.duckdb"), read_only=True) as connection:
        assert connection.execute("select number from core.numbers").fetchall() == [(1,), (2,), (3,)]


@pytest.mark.parametrize("step", ["before the file is in place", "after it"])
def test_pointer_never_names_a_file_that_is_not_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    workspace = Workspace(tmp_path)
    publish_build(workspace, "one")
    replace = Path.replace

    def die_at_the_file(path: Path, target: Path) -> Path:
        if target.suffix != ".duckdb":
            return replace(path, target)
        if step == "after it":
            replace(path, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", die_at_the_file)
    with pytest.raises(KeyboardInterrupt):
        publish_build(workspace, "two")
    pointer = read_pointer(workspace)
    assert pointer is not None
    assert (pointer.build_id, (workspace.published / pointer.file).read_bytes()) == ("one", b"one")


def test_build_that_is_served_whole_need_not_run_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert find_served(workspace, "one") is None
    pointer = publish_build(workspace, "one")
    assert find_served(workspace, "one") == pointer
    assert find_served(workspace, "two") is None


@pytest.mark.parametrize("damage", ["other bytes of the same length", "gone", "damaged pointer"])
def test_build_whose_published_file_or_pointer_is_damaged_does_not_count_as_served(
    tmp_path: Path, damage: str
) -> None:
    workspace = Workspace(tmp_path)
    pointer = publish_build(workspace, "one")
    file = workspace.published / pointer.file
    if damage == "gone":
        file.unlink()
    elif damage == "damaged pointer":
        (workspace.published / "current.json").write_text("{")
    else:
        file.write_bytes(b"0ne")
    assert find_served(workspace, "one") is None

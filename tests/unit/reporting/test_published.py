from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigurationError
from pipeline.reporting.compliance import read_customers
from pipeline.reporting.published import Published, Scope, open_published
from pipeline.settings import Workspace
from tests.unit.reporting.published_build import publish

ACME = Scope(("acme",))


def test_open_published_says_what_to_do_when_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Nothing is published yet.*`sla build`"):
        open_published(Workspace(tmp_path))


def test_open_published_refuses_a_pointer_to_a_missing_file(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "build-1.duckdb").unlink()
    with pytest.raises(ConfigurationError, match="is missing"):
        open_published(workspace)


@pytest.mark.parametrize("pointer", ["", "[]", "{}", '{"file": 7, "build_id": "x"}', '{"file": ".."}'])
def test_open_published_refuses_a_pointer_that_cannot_be_read(tmp_path: Path, pointer: str) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "current.json").write_text(pointer, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="pointer"):
        open_published(workspace)


def test_open_published_never_leaves_its_folder_when_the_pointer_says_so(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    duckdb.connect(str(tmp_path / "elsewhere.duckdb")).close()
    pointer = json.dumps({"file": "../../elsewhere.duckdb", "build_id": "x"})
    (workspace.published / "current.json").write_text(pointer, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="missing"):
        open_published(workspace)


def test_open_published_refuses_a_damaged_file(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "build-1.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        open_published(workspace)


@pytest.mark.parametrize(
    "sql",
    ["select * from read_csv('/etc/hostname')", "attach '/tmp/other.duckdb' as other",
    "create table core.x(a int)",
     "set enable_external_access = true", "install httpfs"],
)  # fmt: skip
def test_published_reaches_nothing_but_its_file_and_changes_nothing(published: Published, sql: str) -> None:
    with pytest.raises(duckdb.Error):
        published.fetch(dict, sql)


def test_published_can_be_opened_twice_at_once(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with open_published(workspace) as first, open_published(workspace) as second:
        assert read_customers(first, ACME) == read_customers(second, ACME)

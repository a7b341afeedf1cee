from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from pipeline.errors import ConfigurationError
from pipeline.pointer import read_pointer, write_pointer
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
    with pytest.raises(ConfigurationError, match=r"current\.json is damaged"):
        open_published(workspace)


def test_open_published_never_leaves_its_folder_when_the_pointer_says_so(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    duckdb.connect(str(tmp_path / "elsewhere.duckdb")).close()
    pointer = read_pointer(workspace)
    assert pointer is not None
    write_pointer(workspace, replace(pointer, file="../../elsewhere.duckdb"))
    with pytest.raises(ConfigurationError, match="it names no file of its folder"):
        open_published(workspace)


def test_open_published_refuses_a_damaged_file(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    (workspace.published / "build-1.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(ConfigurationError, match="its bytes are not those that were published"):
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


def test_a_build_of_another_name_than_the_pointer_says_is_refused(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    pointer = read_pointer(workspace)
    assert pointer is not None
    # An older version under the name of the newer one, as a restore from a backup may leave it.
    write_pointer(workspace, replace(pointer, build_id="build-2"))
    with pytest.raises(ConfigurationError, match="does not hold the build build-2 that the pointer names"):
        open_published(workspace)


def change_last_byte(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def test_a_changed_bit_is_found_before_the_file_is_opened_where_that_is_asked_for(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with open_published(workspace, verifies=True):
        pass
    other = publish(tmp_path / "other")
    change_last_byte(other.published / "build-1.duckdb")
    with pytest.raises(ConfigurationError, match="is damaged: its bytes are not those that were published"):
        open_published(other, verifies=True)


def test_a_table_that_an_older_version_did_not_publish_is_told_as_that(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    with open_published(workspace) as published, pytest.raises(ConfigurationError, match="another version"):
        published.fetch(dict, "select * from core.dim_of_a_later_version")


def test_a_file_that_another_program_writes_to_is_told_as_held_open(tmp_path: Path) -> None:
    workspace = publish(tmp_path)
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    )
    path = str(workspace.published / "build-1.duckdb")
    with subprocess.Popen(
        [sys.executable, "-c", program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(ConfigurationError, match="held open for writing by another program"):
            open_published(workspace)
        holder.communicate()

"""A batch knows what read it; another reader reads it again, and what cannot be read again is named."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputRejected
from pipeline.ingest.landing import reader as readers
from pipeline.ingest.landing.manifest import read_batches
from pipeline.ingest.landing.reader import (
    CODE,
    PACKAGES,
    SHOWN_ONLY,
    digest_reader,
    explain_outdated,
    find_outdated,
    identify_reader,
    list_code,
)
from pipeline.settings import CHECKOUT, Workspace
from tests.older_reader import OLDER, read_by_older_program, set_column
from tests.unit.imports import list_imported
from tests.unit.ingest.conftest import Landing, make_source

TICKETS = (
    "ticket_id,customer_id,requester,channel,severity,submitted_at,subject,ticket_type,tags,updated_at\n"
)
TICKET = "T1,acme,ann,console,3,2026-07-01T09:00:00Z,Sync stops,incident,,\n"
MISREAD = set_column("subject", "misread")
# Imported by what reads, and no landed row depends on them.
BESIDE_READING = {
    "pipeline/errors.py",
    "pipeline/settings.py",
    # How the process that reads is started.
    "pipeline/child_process.py",
    # How much memory the engine takes.
    "pipeline/engine_memory.py",
    # How a file is made durable and hashed, not what stands in it.
    "pipeline/whole_files.py",
    # Who may read a file, and which version of the state a record is.
    "pipeline/private_files.py",
    "pipeline/state_version.py",
    # Whether a file has changed since it was read.
    "pipeline/seen_files.py",
    # The keys of a YAML file, which a landing compares by what they say (describe_settings).
    "pipeline/declarations/read_yaml.py",
    # Named for the type checker and for limits of the process; what they do to rows, write_batch.py does.
    "pipeline/ingest/landing/find_exports.py",
    "pipeline/ingest/landing/landing_child.py",
    "pipeline/ingest/landing/manifest.py",
    # Which batch is current, and what is only shown or copied.
    "pipeline/ingest/landing/reader.py",
    "pipeline/ingest/landing/preview.py",
    "pipeline/ingest/landing/copies.py",
    "pipeline/ingest/forms/describe_columns.py",
    # What of landed rows breaks an expectation is counted after they are written.
    "pipeline/ingest/landed_views.py",
    *(file.relative_to(CHECKOUT).as_posix() for file in (CHECKOUT / "expectations").rglob("*.py")),
}


def subjects(landing: Landing) -> list[str]:
    return landing.rows("ticket_versions", "subject")


def landed_bytes(workspace: Workspace) -> dict[str, bytes]:
    return {
        path.relative_to(workspace.landed).as_posix(): path.read_bytes()
        for path in sorted(workspace.landed.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("older", [OLDER, None])
def test_batch_of_an_older_reader_is_read_again_and_agrees_with_a_new_workspace(
    landing: Landing,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    older: str | None,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1782900000")
    content = TICKETS + TICKET + "bad\n"
    landing.land("own", "a.csv", content)
    new = landed_bytes(landing.workspace)
    read_by_older_program(landing.workspace.root, "ticket_versions", MISREAD, older)
    assert subjects(landing) == ["misread"]
    # A month later: the content is still known since it first came.
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1785600000")
    assert [result.status for result in landing.run()] == ["landed"]
    assert subjects(landing) == ["Sync stops"]
    assert landed_bytes(landing.workspace) == new
    assert [result.status for result in landing.run()] == ["already_landed"]


def test_batch_in_tables_that_are_gone_is_refused_by_name_until_it_is_read_again(landing: Landing) -> None:
    result = landing.land("own", "a.csv", TICKETS + TICKET)
    manifest = landing.workspace.landed / "manifest" / f"{result.batch_id}.json"
    said = json.loads(manifest.read_text())
    # A version before readers, hashes and sealed manifests.
    for name in ("reader", "source_file", "parquet_sha256", "record_sha256"):
        del said[name]
    manifest.write_text(json.dumps({**said, "tables": {"older_tickets": 1}}))
    old = landing.workspace.landed / "older_tickets" / f"{result.batch_id}.parquet"
    old.parent.mkdir()
    old.write_bytes(b"rows of a table that no model reads")
    with pytest.raises(
        InputRejected, match=r"inbox/own/a.csv in tables that this one does not read \(older_tickets\)"
    ):
        read_batches(landing.workspace)
    assert [again.status for again in landing.run()] == ["landed"]
    assert subjects(landing) == ["Sync stops"]
    assert not old.exists()


# Each name is a place in reading again where the process is killed as hard as it can be.
KILL = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
import pipeline.ingest.landing.land as land, pipeline.ingest.landing.write_batch as write_batch
from pipeline.settings import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

root, place = Path(sys.argv[1]), sys.argv[2]
if place == "before any rename":
    land.commit_files = die
elif place == "between two renames":
    write_batch.sync = die
elif place == "before the manifest":
    land.write_manifest = die
elif place == "before the manifest's rename":
    replace = Path.replace
    Path.replace = lambda self, to: die() if ".json." in self.name else replace(self, to)
elif place == "after the manifest":
    land.remove_replaced = die
source = SimpleNamespace(source_type="canonical", time_zone=None, date_formats=(), null_markers=("", "?"))
land.land_exports(Workspace(root), SimpleNamespace(sources={"own": source}, keep_exports=False, memory=None), None, None)
"""


@pytest.mark.parametrize(
    ("place", "left"),
    [
        ("before any rename", "misread"),
        ("between two renames", "misread"),
        ("before the manifest", "misread"),
        ("before the manifest's rename", "misread"),
        ("after the manifest", "Sync stops"),
    ],
)
def test_kill_while_reading_again_leaves_the_old_or_the_new_batch_whole(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, place: str, left: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1782900000")
    landing.land("own", "a.csv", TICKETS + TICKET + "bad\n")
    new = landed_bytes(landing.workspace)
    read_by_older_program(landing.workspace.root, "ticket_versions", MISREAD)
    command = [sys.executable, "-c", KILL, str(landing.workspace.root), place]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    assert subjects(landing) == [left]
    assert len(landing.rows("quarantine")) == 1
    landing.run()
    assert landed_bytes(landing.workspace) == new


def test_rows_of_a_damaged_manifest_are_kept_for_the_one_from_the_backup(landing: Landing) -> None:
    result = landing.land("own", "a.csv", TICKETS + TICKET)
    (batch,) = read_batches(landing.workspace)
    rows = batch.table_path(landing.workspace, "ticket_versions")
    shutil.copy(rows, rows.with_name(f"{result.batch_id}-{'0' * 16}.parquet"))
    manifest = landing.workspace.landed / "manifest" / f"{result.batch_id}.json"
    whole = manifest.read_bytes()
    manifest.write_text("{")
    export = landing.workspace.inbox / "own" / "a.csv"
    export.rename(landing.workspace.root / "taken away.csv")
    assert landing.run() == []
    manifest.write_bytes(whole)
    assert subjects(landing) == ["Sync stops"]
    landing.run()
    assert list(rows.parent.iterdir()) == [rows]


def test_rows_of_an_older_reader_stay_and_are_named_when_the_export_is_gone(landing: Landing) -> None:
    path = landing.put("own", "a.csv", TICKETS + TICKET)
    landing.run()
    assert find_outdated(landing.workspace, landing.config.sources) == []
    read_by_older_program(landing.workspace.root, "ticket_versions", MISREAD)
    path.unlink()
    assert landing.run() == []
    assert subjects(landing) == ["misread"]
    (outdated,) = find_outdated(landing.workspace, landing.config.sources)
    assert (outdated.source, outdated.file, outdated.reason) == ("own", "inbox/own/a.csv", "program")
    assert explain_outdated([outdated]) == [
        "Figures of source own may differ from those of a new workspace (batches read by another version of this program: 1). "
        "Put what is gone of these back into inbox/own/ and run `sla run`: inbox/own/a.csv."
    ]


def test_rows_that_were_read_with_other_settings_are_named_when_the_export_is_gone(landing: Landing) -> None:
    landing.put("own", "a.csv", TICKETS + TICKET).rename(landing.workspace.root / "a.csv")
    landing.run([landing.workspace.root / "a.csv"], "own")
    (landing.workspace.root / "a.csv").unlink()
    landing.config.sources["own"] = make_source("canonical", null_markers=("", "-"))
    landing.run()
    (outdated,) = find_outdated(landing.workspace, landing.config.sources)
    assert outdated.reason == "settings"
    # Without sla.yml only the program can be compared.
    assert find_outdated(landing.workspace, {}) == []


def test_message_names_five_files_and_counts_the_others(landing: Landing) -> None:
    for number in range(7):
        landing.put("own", f"{number}.csv", TICKETS + TICKET.replace("T1", f"T{number}"))
    landing.run()
    read_by_older_program(landing.workspace.root, "ticket_versions", MISREAD)
    (message,) = explain_outdated(find_outdated(landing.workspace, landing.config.sources))
    assert "(batches read by another version of this program: 7)" in message
    assert message.endswith("inbox/own/4.csv and 2 more (`sla status --json` lists all).")


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A copy of the package, to change."""
    return shutil.copytree(
        CHECKOUT / "pipeline", tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__")
    )


VERSIONS = dict.fromkeys(PACKAGES, "1")


@pytest.mark.parametrize("listed", CODE)
def test_digest_of_the_reader_changes_with_every_folder_and_module_that_is_listed(
    code: Path, listed: str
) -> None:
    before = digest_reader(code, VERSIONS)
    file = next(
        file for file in list_code(code) if file.is_relative_to(code / listed) and file.stat().st_size
    )
    file.write_bytes(file.read_bytes() + b"\n")
    assert digest_reader(code, VERSIONS) != before


@pytest.mark.parametrize("package", PACKAGES)
def test_digest_of_the_reader_changes_with_the_version_of_each_package(package: str) -> None:
    pipeline = CHECKOUT / "pipeline"
    assert digest_reader(pipeline, {**VERSIONS, package: "2"}) != digest_reader(pipeline, VERSIONS)


def test_reader_counts_all_packages_that_parse_or_read_wall_time() -> None:
    assert {"babel", "duckdb", "holidays", "pyarrow", "tzdata"} <= set(PACKAGES)


@pytest.mark.parametrize(
    ("module", "name", "other"),
    [("platform", "python_version_tuple", lambda: ("3", "99", "0")), ("", "EXPAT_VERSION", "expat_9.9.9")],
)
def test_digest_of_the_reader_changes_with_python_and_expat(
    monkeypatch: pytest.MonkeyPatch, module: str, name: str, other: Any
) -> None:
    before = digest_reader(CHECKOUT / "pipeline", VERSIONS)
    monkeypatch.setattr(readers.platform if module else readers, name, other)
    assert digest_reader(CHECKOUT / "pipeline", VERSIONS) != before


@pytest.mark.parametrize(
    "shown", [*SHOWN_ONLY, "ingest/forms/README.md", "ingest/landing/preview.py", "reporting"]
)
def test_digest_of_the_reader_stays_when_only_what_is_shown_changes(code: Path, shown: str) -> None:
    before = digest_reader(code, VERSIONS)
    path = code / shown
    for file in [path] if path.is_file() else path.glob("*.py"):
        file.write_bytes(file.read_bytes() + b"\n")
    assert digest_reader(code, VERSIONS) == before


def test_every_module_that_reads_exports_is_part_of_the_reader() -> None:
    listed = {file.relative_to(CHECKOUT).as_posix() for file in list_code(CHECKOUT / "pipeline")}
    assert list_imported("pipeline.ingest.landing.write_content") - listed - BESIDE_READING == set()


def test_manifest_names_the_reader_of_this_installation(landing: Landing) -> None:
    landing.land("own", "a.csv", TICKETS + TICKET)
    (batch,) = read_batches(landing.workspace)
    assert batch.reader == identify_reader()
    assert os.fspath(batch.table_path(landing.workspace, "ticket_versions")).endswith(
        f"{batch.file_stem}.parquet"
    )

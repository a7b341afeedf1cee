"""A workspace that an older version of the program read: a plain run agrees with a new workspace, or says where it may not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.command_line import LANDED_EPOCH, run_sla
from tests.end_to_end.published import dump_tables, query, read_pointer
from tests.end_to_end.small_vendor import init_vendor, write_lines
from tests.older_reader import read_by_older_program, set_column

SLA_YML = """\
compare_plans: []
sources:
  fresh:
    type: freshdesk
    customer: {constant: acme}
    severity: {field: priority, values: {"3": 3}}
"""
# Mon 2026-02-02. Standard, level 3: 24 h of 06:00-21:00 UTC, 15 h a day. Submitted 08:00, answered 12:00: after 4 h, so met. An
# older reader took the answer for a private note: by Wed 4 February 08:00, 2 * 15 h have passed without an answer, so breached.
TICKET = {
    "id": 1,
    "subject": "Sync is slow",
    "status": 2,
    "priority": 3,
    "source": 2,
    "requester_id": 5,
    "created_at": "2026-02-02T08:00:00Z",
    "updated_at": "2026-02-04T08:00:00Z",
    "conversations": [
        {
            "id": 11,
            "incoming": False,
            "private": False,
            "source": 0,
            "user_id": 7,
            "created_at": "2026-02-02T12:00:00Z",
        }
    ],
}
EXPORT = Path("inbox", "fresh", "tickets.ndjson")
A_MONTH_LATER = str(int(LANDED_EPOCH) + 30 * 86_400)
VERDICTS = "select status, elapsed_seconds from core.fct_sla_obligations where obligation = 'first_response'"


def land_parquet(root: Path) -> dict[str, bytes]:
    landed = root / "warehouse" / "landed"
    return {
        path.relative_to(landed).as_posix(): path.read_bytes() for path in landed.rglob("*") if path.is_file()
    }


@pytest.fixture(scope="module")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = init_vendor(tmp_path_factory.mktemp("new") / "vendor")
    (root / "sla.yml").write_text(SLA_YML)
    write_lines(root / EXPORT, json.dumps(TICKET))
    run_sla("run", workspace=root).expect(0)
    return root


@pytest.fixture(scope="module")
def read_before(new_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same export, landed and published by a version that took every message for a private note. Read only."""
    root = shutil.copytree(new_workspace, tmp_path_factory.mktemp("before") / "vendor")
    read_by_older_program(root, "ticket_messages", set_column("is_public", False))
    run_sla("build", workspace=root).expect(0)
    return root


@pytest.fixture
def old_workspace(read_before: Path, tmp_path: Path) -> Path:
    return shutil.copytree(read_before, tmp_path / "old")


def test_old_workspace_reads_again_by_itself_and_agrees_with_a_new_one(
    new_workspace: Path, old_workspace: Path
) -> None:
    assert query(new_workspace, VERDICTS) == [("met", 4 * 3600)]
    assert query(old_workspace, VERDICTS) == [("breached", 30 * 3600)]
    done = run_sla("run", workspace=old_workspace, SOURCE_DATE_EPOCH=A_MONTH_LATER).expect(0)
    assert "may differ" not in done.err
    assert land_parquet(old_workspace) == land_parquet(new_workspace)
    schemas = ("core", "marts", "qc", "meta")
    assert dump_tables(old_workspace, *schemas) == dump_tables(new_workspace, *schemas)
    assert read_pointer(old_workspace)["build_id"] == read_pointer(new_workspace)["build_id"]
    run_sla("run", workspace=old_workspace).expect(0, "unchanged since the last build")


def test_old_workspace_without_its_export_keeps_its_rows_and_says_so(old_workspace: Path) -> None:
    (old_workspace / EXPORT).unlink()
    message = (
        "Figures of source fresh may differ from those of a new workspace (batches read by another version of this program: 1). "
        f"Put what is gone of these back into inbox/fresh/ and run `sla run`: {EXPORT}."
    )
    run = run_sla("run", workspace=old_workspace).expect(0)
    assert f"warning: {message}" in run.err.splitlines()
    assert query(old_workspace, VERDICTS) == [("breached", 30 * 3600)]
    status = run_sla("status", workspace=old_workspace).expect(0)
    assert "Batches that would be read differently now" in status.out
    assert message in status.out
    said = json.loads(run_sla("status", "--json", workspace=old_workspace).expect(0).out)
    assert [(batch["source"], batch["file"], batch["reason"]) for batch in said["outdated_batches"]] == [
        ("fresh", str(EXPORT), "program")
    ]


def test_status_of_a_new_workspace_names_no_batch(new_workspace: Path) -> None:
    said = json.loads(run_sla("status", "--json", workspace=new_workspace).expect(0).out)
    assert said["outdated_batches"] == []
    assert "read differently" not in run_sla("status", workspace=new_workspace).expect(0).out

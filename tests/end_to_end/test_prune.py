"""`sla prune`: what is older than `retention:` says goes, what is exactly that old stays, and no figure changes."""

from __future__ import annotations

import os
import shutil
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipeline.privacy.prune import find_old, prune, subtract_months
from pipeline.rules.retention import Retention
from pipeline.settings import Workspace
from tests.end_to_end.command_line import LANDED_EPOCH, run_sla
from tests.end_to_end.test_state_version import RELEASED

# When the batches of the kept state landed.
LANDED = datetime.fromtimestamp(int(LANDED_EPOCH), UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A published vendor with a closed month, a delivered report, kept exports and one refused record."""
    root = tmp_path / "vendor"
    with tarfile.open(RELEASED) as archive:
        archive.extractall(root, filter="data")
    for path in (root / "reports").rglob("*"):
        os.utime(path, (LANDED.timestamp(), LANDED.timestamp()))
    return Workspace(root)


EVERYTHING = Retention(
    inbox_months=12, exports_months=12, quarantine_months=12, reports_months=12, runs_months=12, versions=1
)
A_YEAR_LATER = LANDED.replace(year=LANDED.year + 1)


def test_what_is_exactly_as_old_as_it_is_kept_stays_and_a_second_later_it_goes(workspace: Workspace) -> None:
    assert find_old(workspace, EVERYTHING, A_YEAR_LATER) == []
    later = A_YEAR_LATER.replace(second=A_YEAR_LATER.second + 1)
    found = find_old(workspace, EVERYTHING, later)
    assert {old.kind for old in found} == {"inbox", "exports", "quarantine", "reports"}
    assert len([old for old in found if old.kind == "exports"]) == 2
    assert find_old(workspace, Retention(), later.replace(year=2200)) == []


def test_pruned_workspace_has_the_same_figures_and_its_closed_documents(workspace: Workspace) -> None:
    root = workspace.root
    figures = run_sla("compliance", "--month", "2026-02", workspace=root).out
    documents = sorted((root / "warehouse/closed/documents").iterdir())
    removed = prune(workspace, EVERYTHING, A_YEAR_LATER.replace(month=A_YEAR_LATER.month + 1))
    assert {old.kind for old in removed} == {"inbox", "exports", "quarantine", "reports"}
    assert prune(workspace, EVERYTHING, A_YEAR_LATER.replace(month=A_YEAR_LATER.month + 1)) == []
    assert [path for path in (root / "reports").rglob("*") if path.is_file()] == []
    [refused] = (root / "warehouse/landed/quarantine").glob("*.parquet")
    rows = pq.read_table(refused).to_pylist()
    assert [(row["raw_value"], row["column_name"], row["line_number"]) for row in rows] == [
        (None, "event_at", 5)
    ]
    assert rows[0]["reason"] == "is not a possible instant"
    # A run makes a build of the rewritten batch, closes and sends nothing again, and the figures are the same.
    said = run_sla("run", workspace=root).expect(0).err
    assert "Refused: 1 of 7 records: event at: is not a possible instant (1)." in said
    assert run_sla("compliance", "--month", "2026-02", workspace=root).out == figures
    assert sorted((root / "warehouse/closed/documents").iterdir()) == documents
    assert list((root / "reports/outbox").glob("*.eml")) == []
    run_sla("check", workspace=root).expect(0)


def test_dry_run_names_what_would_go_and_writes_nothing(workspace: Workspace) -> None:
    sla_yml = workspace.sla_yml
    sla_yml.write_text(
        sla_yml.read_text(encoding="utf-8") + "retention: {exports_months: 1}\n", encoding="utf-8"
    )
    year_later = str(int(LANDED_EPOCH) + 366 * 24 * 3600)
    said = run_sla("prune", "--dry-run", workspace=workspace.root, SOURCE_DATE_EPOCH=year_later).expect(
        0, "Would remove: 2."
    )
    assert said.out.count("exports: warehouse/exports/") == 2
    assert len(list((workspace.warehouse / "exports").glob("*.gz"))) == 2
    run_sla("prune", workspace=workspace.root, SOURCE_DATE_EPOCH=year_later).expect(0, "Removed: 2.")
    assert list((workspace.warehouse / "exports").glob("*.gz")) == []


def test_versions_beyond_the_kept_number_go_and_those_of_closed_months_and_the_served_one_stay(
    workspace: Workspace,
) -> None:
    [of_record] = workspace.published.glob("*.duckdb")
    for number in range(4):
        copy = workspace.published / f"b{number}.duckdb"
        shutil.copy(of_record, copy)
        os.utime(copy, (number, number))
    found = find_old(workspace, Retention(versions=3), LANDED)
    assert [old.path.name for old in found] == ["b0.duckdb"]
    prune(workspace, Retention(versions=1), LANDED)
    assert {path.name for path in workspace.published.glob("*.duckdb")} == {of_record.name, "b3.duckdb"}


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ("2026-03-31", 1, "2026-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", 12, "2025-12-31"),
    ],
)
def test_months_are_subtracted_by_the_calendar(now: str, months: int, then: str) -> None:
    assert subtract_months(datetime.fromisoformat(now), months) == datetime.fromisoformat(then)

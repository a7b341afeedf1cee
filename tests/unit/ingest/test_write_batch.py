"""How a batch is written: the same row groups however the rows arrive, and the first refused records only."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.ingest.files.refused import Refused
from pipeline.ingest.landing import write_batch
from pipeline.ingest.landing.write_batch import SHOWN_PROBLEMS, BatchWriter, clean_leftovers
from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.settings import Workspace


def make_refused(first: int, last: int) -> list[Refused]:
    return [Refused(number, "severity", None, "is missing", None) for number in range(first, last + 1)]


def make_rows(first: int, last: int) -> pa.Table:
    return pa.table({"ticket_id": [f"T{number}" for number in range(first, last + 1)]})


def test_the_first_refused_records_are_shown_over_all_calls_and_all_are_counted(tmp_path: Path) -> None:
    told: list[int] = []
    writer = BatchWriter(Workspace(tmp_path), "0" * 64, "stem", "desk", "a.csv", told.append)
    writer.refuse(make_refused(1, 15))
    writer.refuse(make_refused(16, 30))
    writer.add("ticket_versions", make_rows(1, 2))
    writer.add("ticket_versions", make_rows(3, 3))
    writer.discard()

    assert [problem.line for problem in writer.problems] == list(range(1, SHOWN_PROBLEMS + 1))
    assert (writer.rows_refused, writer.rows) == (15 + 15, {"ticket_versions": 2 + 1})
    assert told == [30 + 2, 30 + 3]


def test_row_groups_are_of_one_size_however_the_rows_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_batch, "ROW_GROUP_ROWS", 4)
    workspace = Workspace(tmp_path)
    writer = BatchWriter(workspace, "0" * 64, "stem", "desk", "a.csv")
    for first, last in ((1, 3), (4, 6), (7, 11)):
        writer.add("ticket_versions", make_rows(first, last))
    writer.finish()

    [file] = (workspace.landed / "ticket_versions").iterdir()
    metadata = pq.read_metadata(file)
    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [4, 4, 3]


def test_what_a_killed_run_left_is_removed_in_every_folder(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folders = ("ticket_versions", QUARANTINE_TABLE, "manifest")
    leftovers = [workspace.landed / folder / "a.parquet.tmp" for folder in folders]
    for leftover in leftovers:
        leftover.parent.mkdir(parents=True)
        leftover.touch()
    clean_leftovers(workspace)
    assert not [leftover for leftover in leftovers if leftover.exists()]

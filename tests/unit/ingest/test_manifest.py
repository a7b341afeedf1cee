"""What the manifests of batches say together: which header came last, and whether the rows are still those that landed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.landing.manifest import (
    Batch,
    find_batch,
    find_damage,
    find_last_shape,
    hash_tables,
    list_batches,
    list_damaged_manifests,
    write_manifest,
)
from pipeline.settings import Workspace


def make_batch(number: int, landed_at: str, source: str = "desk", rows: int = 2) -> Batch:
    return Batch(
        batch_id=f"{number:064x}",
        source=source,
        source_type="mapped",
        file=f"{number}.csv",
        file_sha256=f"{number:064x}",
        bytes=1,
        landed_at=landed_at,
        tables={"ticket_versions": rows},
        rows_read=rows,
        rows_landed=rows,
        rows_rejected=0,
        settings={},
        shape={"file": "tickets", "columns": [f"column {number}"]},
    )


def find_columns(workspace: Workspace, batch: Batch) -> list[str] | None:
    shape = find_last_shape(workspace, batch.source, "tickets", batch.batch_id)
    return None if shape is None else list(shape["columns"])


def test_a_header_is_compared_with_the_last_one_of_its_own_source_that_landed_before(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    first = make_batch(1, "2026-07-01T08:00:00Z")
    second = make_batch(2, "2026-07-01T09:00:00Z")
    of_another = make_batch(3, "2026-07-01T10:00:00Z", source="other")
    for batch in (first, second, of_another):
        write_manifest(workspace, batch)

    assert find_columns(workspace, make_batch(4, "2026-07-01T11:00:00Z")) == ["column 2"]
    # Read again: what came after it does not count, nor does what landed in the same second, in no known order.
    assert find_columns(workspace, second) == ["column 1"]
    assert find_columns(workspace, first) is None
    write_manifest(workspace, make_batch(5, "2026-07-01T08:00:00Z"))
    assert find_columns(workspace, first) is None
    assert find_columns(workspace, of_another) is None


def test_a_parquet_file_of_another_number_of_rows_is_damage(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    batch = make_batch(1, "2026-07-01T08:00:00Z", rows=2)
    [path] = batch.paths(workspace)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"ticket_id": ["a", "b"]}), path)
    assert find_damage(workspace, batch) is None
    pq.write_table(pa.table({"ticket_id": ["a"]}), path)
    damage = find_damage(workspace, batch)
    assert damage is not None
    assert "holds 1 rows; the manifest says 2 rows" in damage.problem.reason


def flip_bit(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place // 8] ^= 1 << place % 8
    path.write_bytes(bytes(content))


def test_every_changed_bit_of_a_parquet_file_is_damage(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    batch = make_batch(1, "2026-07-01T08:00:00Z", rows=2)
    [path] = batch.paths(workspace)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table({"ticket_id": ["a", "b"]}), path)
    batch = replace(batch, parquet_sha256=hash_tables(workspace, batch.tables, batch.file_stem))
    assert find_damage(workspace, batch) is None
    for place in range(0, 8 * path.stat().st_size, 7):
        flip_bit(path, place)
        damage = find_damage(workspace, batch)
        assert damage is not None
        assert damage.problem.reason == "is damaged: its bytes are not those that landed."
        flip_bit(path, place)
    path.unlink()
    damage = find_damage(workspace, batch)
    assert damage is not None
    assert damage.problem.reason == "is missing or unreadable; the manifest says 2 rows."


def test_every_changed_bit_of_a_manifest_takes_the_batch_away_and_is_named(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    batch = make_batch(1, "2026-07-01T08:00:00Z")
    write_manifest(workspace, batch)
    path = workspace.landed / "manifest" / f"{batch.batch_id}.json"
    for place in range(8 * path.stat().st_size):
        flip_bit(path, place)
        assert find_batch(workspace, batch.batch_id) in (None, batch)
        if list_batches(workspace) != [batch]:
            [damage] = list_damaged_manifests(workspace)
            assert damage.batch_id == batch.batch_id
            assert damage.problem.file == f"warehouse/landed/manifest/{path.name}"
        flip_bit(path, place)
    assert list_batches(workspace) == [batch]

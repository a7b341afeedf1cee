"""Makes a workspace look as if another version of this program had read its exports: other rows, another digest of the reader."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.landing.manifest import read_batches
from pipeline.settings import Workspace

OLDER = "0" * 64


def read_by_older_program(
    root: Path, table: str, alter: Callable[[pa.Table], pa.Table], reader: str | None = OLDER
) -> None:
    """Let every batch of `root` hold the altered rows of `table`, landed by `reader`. None: by one that did not name itself."""
    workspace = Workspace(root)
    for batch in read_batches(workspace):
        # Versions before the hashes of the Parquet files wrote none, and did not seal the manifest.
        older = replace(batch, reader=reader, parquet_sha256=None)
        for name in batch.tables:
            path = batch.table_path(workspace, name)
            rows = pq.read_table(path)
            path.unlink()
            pq.write_table(alter(rows) if name == table else rows, older.table_path(workspace, name))
        if batch.rows_rejected:
            batch.table_path(workspace, "quarantine").rename(older.table_path(workspace, "quarantine"))
        said = asdict(older)
        if reader is None:
            del said["reader"], said["source_file"]
        manifest = workspace.landed / "manifest" / f"{batch.batch_id}.json"
        manifest.write_text(json.dumps(said), encoding="utf-8")


def set_column(name: str, value: object) -> Callable[[pa.Table], pa.Table]:
    """Every row has `value` in the column `name`."""

    def alter(rows: pa.Table) -> pa.Table:
        at = rows.column_names.index(name)
        values = pa.array([value] * rows.num_rows, rows.schema.field(name).type)
        return rows.set_column(at, rows.schema.field(name), values)

    return alter

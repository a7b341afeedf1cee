"""What has landed: one JSON file per batch, written last. A batch without its manifest does not exist."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputRejected, Problem
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_TABLE
from pipeline.settings import Workspace

MANIFEST_FOLDER = "manifest"
_TABLE_NAME = re.compile(r"[a-z_]+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Batch:
    """One landed content of one source.

    `tables` counts rows by table; `landed_at` is ISO with Z: when the content first came; `bytes` uncompressed.
    `settings` and `reader` say how it was read last (reader.py).
    """

    batch_id: str
    source: str
    source_type: str
    file: str
    file_sha256: str
    bytes: int
    landed_at: str
    tables: dict[str, int]
    rows_read: int
    rows_landed: int
    rows_rejected: int
    settings: dict[str, Any]
    # The columns of the file, where its source's header may change (check_shape.py); None elsewhere.
    shape: dict[str, Any] | None = None
    # How the landed rows name the file, where that is not `file`.
    source_file: str | None = None
    # None: it landed before manifests named their reader.
    reader: str | None = None

    @property
    def file_stem(self) -> str:
        """What its Parquet files are called, without the ending."""
        return name_files(self.batch_id, self.reader, self.settings)

    def table_path(self, workspace: Workspace, table: str) -> Path:
        """Where the rows of one table lie; `table` is a key of `tables`, or `quarantine` when rows were
        rejected.
        """
        return table_path(workspace, table, self.file_stem)

    def paths(self, workspace: Workspace) -> dict[Path, int]:
        """Every Parquet file of the batch with the rows it must have."""
        expected = {self.table_path(workspace, table): rows for table, rows in self.tables.items()}
        if self.rows_rejected:
            expected[self.table_path(workspace, QUARANTINE_TABLE)] = self.rows_rejected
        return expected


def name_files(batch_id: str, reader: str | None, settings: dict[str, Any]) -> str:
    """What the Parquet files of a batch are called, without the ending.

    Another reader or other settings give another name, so a batch that is read again never writes over its own rows.
    """
    if reader is None:
        return batch_id
    reading = hashlib.sha256(json.dumps([reader, settings], sort_keys=True).encode()).hexdigest()
    return f"{batch_id}-{reading[:16]}"


def table_path(workspace: Workspace, table: str, file_stem: str) -> Path:
    """The Parquet file of one table and batch; both parts come from constants and hashes, never from a
    file name.
    """
    return workspace.landed / table / f"{file_stem}.parquet"


def list_batches(workspace: Workspace) -> list[Batch]:
    """All manifests, sorted by batch_id, without a look at the rows. Raises InputRejected for a damaged one."""
    folder = workspace.landed / MANIFEST_FOLDER
    return [_read(path) for path in sorted(folder.glob("*.json"))] if folder.is_dir() else []


def read_batches(workspace: Workspace) -> list[Batch]:
    """All landed batches, sorted by batch_id, each with every Parquet file present and holding the rows it
    says.

    Raises InputRejected, naming the file, when a manifest or a Parquet file is missing or damaged.
    """
    batches = list_batches(workspace)
    damages = [damage for batch in batches if (damage := find_damage(workspace, batch))]
    if damages:
        raise InputRejected("What had landed is no longer whole; nothing was built.", damages)
    return batches


def find_batch(workspace: Workspace, batch_id: str) -> Batch | None:
    """The batch with this id, or None. Raises InputRejected for a damaged manifest."""
    path = _manifest_path(workspace, batch_id)
    return _read(path) if path.is_file() else None


def find_last_shape(workspace: Workspace, source: str, file: str, batch_id: str) -> dict[str, Any] | None:
    """The shape of the newest batch of a source's kind of file that landed before the batch `batch_id`; None for the first.

    A batch that is read again is compared with what had landed before it, not with what came after.
    """
    batches = list_batches(workspace)
    own = next((batch.landed_at for batch in batches if batch.batch_id == batch_id), None)
    known = [
        batch
        for batch in batches
        if batch.source == source
        and batch.batch_id != batch_id
        and batch.shape
        and batch.shape["file"] == file
        and (own is None or batch.landed_at < own)
    ]
    newest = max(known, key=lambda batch: (batch.landed_at, batch.batch_id), default=None)
    return newest.shape if newest else None


def find_damage(workspace: Workspace, batch: Batch) -> Problem | None:
    """The first Parquet file of the batch that is missing or holds other rows than the manifest says; or that it has tables
    which this version does not read.
    """
    gone = sorted(set(batch.tables) - set(LANDED_TABLES))
    if gone:
        return Problem(
            _manifest_path(workspace, batch.batch_id).relative_to(workspace.root).as_posix(),
            None,
            None,
            f"another version of this program landed {batch.file} in tables that this one does not read ({', '.join(gone)}).",
            f"Put it back into inbox/{batch.source}/ and run `sla ingest`; or delete this manifest, and its rows do not count.",
        )
    for path, rows in batch.paths(workspace).items():
        try:
            found = pq.read_metadata(path).num_rows
        except (OSError, pa.ArrowInvalid):
            found = None
        if found != rows:
            return Problem(
                path.relative_to(workspace.root).as_posix(),
                None,
                None,
                f"{'is missing or unreadable' if found is None else f'holds {found} rows'}; the manifest "
                f"says {rows} rows.",
                f"Put {batch.file} back into the inbox and run `sla ingest`, or restore the file from a "
                f"backup.",
            )
    return None


def write_manifest(workspace: Workspace, batch: Batch) -> None:
    """Make the batch exist: durable before this returns, and never half there."""
    path = _manifest_path(workspace, batch.batch_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        json.dump(asdict(batch), stream, ensure_ascii=False, indent=2, sort_keys=True)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A rename survives a power cut only once its folder is written."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest_path(workspace: Workspace, batch_id: str) -> Path:
    return workspace.landed / MANIFEST_FOLDER / f"{batch_id}.json"


def _read(path: Path) -> Batch:
    try:
        batch = Batch(**json.loads(path.read_text(encoding="utf-8")))
        # Both become parts of paths.
        if not all(_TABLE_NAME.fullmatch(table) for table in batch.tables):
            raise ValueError("a table has no name of a table")
        if batch.reader is not None and not _DIGEST.fullmatch(batch.reader):
            raise ValueError("the reader is no digest")
        if batch.batch_id != path.stem:
            raise ValueError("the batch_id is another")
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise InputRejected(
            "What had landed is no longer whole; nothing was built.",
            [
                Problem(
                    f"warehouse/landed/{MANIFEST_FOLDER}/{path.name}",
                    None,
                    None,
                    f"the manifest is damaged: {problem}.",
                    "Restore it from a backup, or delete it and put the export back into the inbox.",
                )
            ],
        ) from problem
    return batch

"""What has landed: one JSON file per batch, written last. A batch without a manifest that can be read does not exist.

A manifest holds its own digest and that of every Parquet file of its batch, so that no changed bit is taken for a figure.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from expectations.count_batch import count_batch, has_counts
from pipeline.errors import InputRejected, Problem
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_TABLE
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import hash_file, write_whole

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
    # Table -> SHA-256 of its Parquet file. None: it landed before manifests held them, and only rows are counted.
    parquet_sha256: dict[str, str] | None = None
    # How often its rows were written again since they were read: without what is forgotten, or is older than it is kept.
    rewritten: int = 0
    # Its export holds what is forgotten: no copy of it is kept.
    is_cleaned: bool = False
    # What of its rows breaks an expectation (expectations/count_batch.py). None: not counted yet; the next build does it.
    checks: dict[str, Any] | None = None

    @property
    def file_stem(self) -> str:
        """What its Parquet files are called, without the ending."""
        return name_files(self.batch_id, self.reader, self.settings, self.rewritten)

    def table_path(self, workspace: Workspace, table: str) -> Path:
        """Where the rows of one table lie; `table` is a key of `tables`, or `quarantine` when rows were
        rejected.
        """
        return table_path(workspace, table, self.file_stem)

    @property
    def row_counts(self) -> dict[str, int]:
        """Every table that has a Parquet file of the batch, with the rows it must have."""
        return self.tables | ({QUARANTINE_TABLE: self.rows_rejected} if self.rows_rejected else {})

    def paths(self, workspace: Workspace) -> list[Path]:
        """Every Parquet file of the batch."""
        return [self.table_path(workspace, table) for table in self.row_counts]


@dataclass(frozen=True)
class Damage:
    """A batch that is not whole: its manifest cannot be read, or one of its Parquet files is not what landed."""

    batch_id: str
    problem: Problem


class LandedDamaged(InputRejected):
    """What had landed is no longer whole. `batch_ids` names the batches."""

    def __init__(self, damages: Sequence[Damage]) -> None:
        super().__init__(
            "What had landed is no longer whole; nothing was built.", [damage.problem for damage in damages]
        )
        self.batch_ids = frozenset(damage.batch_id for damage in damages)


def name_files(batch_id: str, reader: str | None, settings: dict[str, Any], rewritten: int = 0) -> str:
    """What the Parquet files of a batch are called, without the ending.

    Another reader, other settings and one more rewriting give another name, so a batch never writes over its own rows.
    """
    if reader is None and not rewritten:
        return batch_id
    read_with = [reader, settings, rewritten] if rewritten else [reader, settings]
    reading = hashlib.sha256(json.dumps(read_with, sort_keys=True).encode()).hexdigest()
    return f"{batch_id}-{reading[:16]}"


def table_path(workspace: Workspace, table: str, file_stem: str) -> Path:
    """The Parquet file of one table and batch; both parts come from constants and hashes, never from a
    file name.
    """
    return workspace.landed / table / f"{file_stem}.parquet"


def list_batches(workspace: Workspace) -> list[Batch]:
    """All batches, sorted by batch_id, without a look at the rows. One whose manifest cannot be read is not among them."""
    return [found for found in _read_manifests(workspace) if isinstance(found, Batch)]


def list_damaged_manifests(workspace: Workspace) -> list[Damage]:
    """The manifests that cannot be read, sorted by batch_id."""
    return [found for found in _read_manifests(workspace) if isinstance(found, Damage)]


def read_batches(workspace: Workspace) -> list[Batch]:
    """All landed batches, sorted by batch_id, each with every Parquet file as it landed (`find_damages`).

    Raises LandedDamaged, naming the files, when a manifest or a Parquet file is missing or damaged.
    """
    damages = find_damages(workspace)
    if damages:
        raise LandedDamaged(damages)
    return list_batches(workspace)


def find_damages(workspace: Workspace, *, reads_all: bool = False) -> list[Damage]:
    """What is no longer whole of all that has landed, sorted by batch_id. Files that have not changed since they were found whole
    are not read again, unless `reads_all`.
    """
    found = (
        one if isinstance(one, Damage) else find_damage(workspace, one, reads_all=reads_all)
        for one in _read_manifests(workspace)
    )
    return [damage for damage in found if damage is not None]


def find_batch(workspace: Workspace, batch_id: str) -> Batch | None:
    """The batch with this id; None when there is none, or when its manifest cannot be read."""
    found = _read(_manifest_path(workspace, batch_id))
    return found if isinstance(found, Batch) else None


def find_damaged_manifest(workspace: Workspace, batch_id: str) -> Damage | None:
    """What is wrong with the manifest of a batch; None when it can be read or is not there."""
    found = _read(_manifest_path(workspace, batch_id))
    return found if isinstance(found, Damage) else None


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


def find_damage(workspace: Workspace, batch: Batch, *, reads_all: bool = False) -> Damage | None:
    """The first Parquet file of the batch that is missing or is not the one that landed; or that it has tables which this
    version does not read.

    Raises OSError for a file that may not be read.
    """
    gone = sorted(set(batch.tables) - set(LANDED_TABLES))
    if gone:
        return _damage(
            workspace,
            batch.batch_id,
            _manifest_path(workspace, batch.batch_id),
            f"another version of this program landed {batch.file} in tables that this one does not read ({', '.join(gone)}).",
            f"Put it back into inbox/{batch.source}/ and run `sla ingest`; or delete this manifest, and its rows do not count.",
        )
    digest = hash_file if reads_all else seen_files(workspace.warehouse).hash_file
    for table, rows in batch.row_counts.items():
        path = batch.table_path(workspace, table)
        reason = _compare(path, rows, (batch.parquet_sha256 or {}).get(table), digest)
        if reason is not None:
            hint = (
                f"Put {batch.file} back into the inbox and run `sla run`, or restore this file from a backup."
            )
            return _damage(workspace, batch.batch_id, path, reason, hint)
    return None


def _compare(path: Path, rows: int, sha256: str | None, digest: Callable[[Path], str]) -> str | None:
    """How a Parquet file differs from the one that landed; None when it does not."""
    try:
        if sha256 is not None:
            return None if digest(path) == sha256 else "is damaged: its bytes are not those that landed."
        found = _count_rows(path)
    except PermissionError:
        raise
    except OSError:
        found = None
    if found is None:
        return f"is missing or unreadable; the manifest says {rows} rows."
    return None if found == rows else f"holds {found} rows; the manifest says {rows} rows."


def _count_rows(path: Path) -> int | None:
    """How many rows a Parquet file says it has; None for one that is none. Raises OSError."""
    # Only what older programs landed is asked; the import costs more than the rest of `sla status` reads.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return int(pq.read_metadata(path).num_rows)
    except pa.ArrowInvalid:
        return None


def hash_tables(workspace: Workspace, tables: Iterable[str], file_stem: str) -> dict[str, str]:
    """Table -> SHA-256 of the Parquet file that has landed under the name `file_stem`. Raises OSError."""
    seen = seen_files(workspace.warehouse)
    return {
        table: seen.hash_file(table_path(workspace, table, file_stem), never_changes=True) for table in tables
    }


def write_manifest(workspace: Workspace, batch: Batch) -> None:
    """Make the batch exist: durable before this returns, and never half there."""
    write_whole(_manifest_path(workspace, batch.batch_id), seal_state(asdict(batch)))


def keep_counts(workspace: Workspace, batches: Iterable[Batch]) -> list[Batch]:
    """The batches, each with its counts: of one without them, as of an earlier version, the rows are counted and the counts kept.

    The caller holds the workspace's lock. Raises duckdb.Error for a Parquet file that the engine cannot read, and OSError.
    """
    kept = []
    for batch in batches:
        if not has_counts(batch.checks, batch.tables):
            batch = replace(batch, checks=count_batch(workspace.landed, batch.tables, batch.file_stem))
            write_manifest(workspace, batch)
        kept.append(batch)
    return kept


def _manifest_path(workspace: Workspace, batch_id: str) -> Path:
    return workspace.landed / MANIFEST_FOLDER / f"{batch_id}.json"


def _read_manifests(workspace: Workspace) -> list[Batch | Damage]:
    """Every manifest, sorted by batch_id."""
    folder = workspace.landed / MANIFEST_FOLDER
    return [found for path in sorted(folder.glob("*.json")) if (found := _read(path)) is not None]


def _read(path: Path) -> Batch | Damage | None:
    """The batch of a manifest, or why it cannot be read; None when there is no such file."""
    try:
        batch = Batch(**unseal_state(path.read_bytes(), path))
        # Both become parts of paths.
        if not all(_TABLE_NAME.fullmatch(table) for table in batch.tables):
            raise ValueError("a table has no name of a table")
        if batch.reader is not None and not _DIGEST.fullmatch(batch.reader):
            raise ValueError("the reader is no digest")
        if batch.batch_id != path.stem:
            raise ValueError("the batch_id is another")
    except FileNotFoundError:
        return None
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        return Damage(
            path.stem,
            Problem(
                f"warehouse/landed/{MANIFEST_FOLDER}/{path.name}",
                None,
                None,
                f"the manifest is damaged, so its batch is not there: {problem}.",
                "Put the export back into the inbox and run `sla run`; or restore the manifest from a backup; or delete it, "
                "and its rows do not count.",
            ),
        )
    return batch


def _damage(workspace: Workspace, batch_id: str, path: Path, reason: str, hint: str) -> Damage:
    return Damage(batch_id, Problem(path.relative_to(workspace.root).as_posix(), None, None, reason, hint))

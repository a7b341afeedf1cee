"""Writes one batch: Parquet under temporary names, renamed together once the whole file was read.

Same input, same bytes: fixed row groups in file order, one codec, no clock and no folder name inside.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputRejected, Problem
from pipeline.ingest.files.limits import REFUSED_ROWS
from pipeline.ingest.files.refused import Refused
from pipeline.ingest.landing.manifest import (
    MANIFEST_FOLDER,
    find_batch,
    find_last_shape,
    table_path,
)
from pipeline.ingest.tables import LANDED_TABLES, QUARANTINE_COLUMNS, QUARANTINE_TABLE, arrow_schema
from pipeline.settings import Workspace
from pipeline.whole_files import sync

ROW_GROUP_ROWS = 131_072
RAW_VALUE_CHARACTERS = 500
SHOWN_PROBLEMS = 20
_UNIQUE_ENDINGS = ("ticket_id", "change_id", "message_id", "update_id", "_at", "line_number", "subject")
# The same text in every row of a file: written once as a dictionary.
_CONSTANT_COLUMNS = ("source", "batch_id", "source_file")
_CONSTANT_TYPE = pa.dictionary(pa.int32(), pa.string())


@dataclass
class BatchWriter:
    """Collects the rows of one file under temporary names; `discard` leaves no trace.

    `file_stem` names the files; `on_rows` is told how many rows have been written or refused so far.
    """

    workspace: Workspace
    batch_id: str
    file_stem: str
    source: str
    source_file: str
    on_rows: Callable[[int], None] = lambda rows: None
    rows: dict[str, int] = field(default_factory=dict)
    rows_refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    # What the manifest remembers of the file's columns; the next file of this kind is compared with it.
    shape: dict[str, Any] | None = None
    _files: dict[str, _ParquetFile] = field(default_factory=dict)

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows of a landed table; they have its columns except source, batch_id and source_file.

        A column that the export has no values for may be left out.
        """
        if rows.num_rows:
            self._append(table, LANDED_TABLES[table], rows)
            self.rows[table] = self.rows.get(table, 0) + rows.num_rows
            self.on_rows(sum(self.rows.values()) + self.rows_refused)

    def refuse(self, refused: list[Refused]) -> None:
        """Put records into quarantine, one row each. Raises InputRejected when that is most of a long file."""
        if not refused:
            return
        self.rows_refused += len(refused)
        if self.rows_refused > max(REFUSED_ROWS, sum(self.rows.values())):
            raise self._refuse_whole()
        for one in refused[: SHOWN_PROBLEMS - len(self.problems)]:
            reason = (
                one.reason
                if one.raw_value is None
                else f"{one.reason} (it reads {_shorten(one.raw_value, 60)!r})"
            )
            self.problems.append(
                Problem(self.source_file, one.line_number, one.column_name, f"{reason}.", one.hint)
            )
        rows = pa.table(
            {
                "line_number": pa.array([one.line_number for one in refused], pa.int64()),
                "column_name": pa.array([one.column_name for one in refused], pa.string()),
                "raw_value": pa.array(
                    [
                        None if one.raw_value is None else _shorten(one.raw_value, RAW_VALUE_CHARACTERS)
                        for one in refused
                    ],
                    pa.string(),
                ),
                "reason": pa.array([one.reason for one in refused], pa.string()),
                "hint": pa.array([one.hint for one in refused], pa.string()),
            }
        )
        self._append(QUARANTINE_TABLE, QUARANTINE_COLUMNS, rows)

    def _refuse_whole(self) -> InputRejected:
        whole = Problem(
            self.source_file,
            None,
            None,
            f"more than {REFUSED_ROWS:,} of its records cannot be used, and fewer can.",
            "Check that this is the export of this source, and the source's settings in sla.yml.",
        )
        refusal = InputRejected(
            f"{self.source_file} was not landed; nothing of it was kept.", [whole, *self.problems]
        )
        refusal.rows_read = self.rows_refused
        return refusal

    def earlier_shape(self, file: str) -> dict[str, Any] | None:
        """The shape of the last file of this kind that landed before; None for the first."""
        return find_last_shape(self.workspace, self.source, file, self.batch_id)

    def finish(self) -> None:
        """Make the temporary files whole and durable."""
        for file in self._files.values():
            file.close()

    def discard(self) -> None:
        for file in self._files.values():
            file.discard()

    def _append(self, table: str, columns: dict[str, str], rows: pa.Table) -> None:
        constants = {name: getattr(self, name) for name in _CONSTANT_COLUMNS}
        indices = pa.repeat(pa.scalar(0, pa.int32()), rows.num_rows)
        schema = pa.schema(
            [
                pa.field(one.name, _CONSTANT_TYPE) if one.name in constants else one
                for one in arrow_schema(columns)
            ]
        )
        arrays = [
            pa.DictionaryArray.from_arrays(indices, pa.array([constants[one.name]], pa.string()))
            if one.name in constants
            else rows.column(one.name).cast(one.type)
            if one.name in rows.column_names
            else pa.nulls(rows.num_rows, one.type)
            for one in schema
        ]
        if table not in self._files:
            self._files[table] = _ParquetFile(table_path(self.workspace, table, self.file_stem), schema)
        self._files[table].append(pa.Table.from_arrays(arrays, schema=schema))


class _ParquetFile:
    """One Parquet file under its temporary name, in row groups of fixed size.

    A row group is packed beside the reading of what follows it; one at a time, so that their order is kept.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.temporary = _temporary(path)
        self._stream: BinaryIO = self.temporary.open("wb")
        # A dictionary of values that hardly come twice costs time and more than twice the bytes.
        repeated = [name for name in schema.names if not name.endswith(_UNIQUE_ENDINGS)]
        self._writer = pq.ParquetWriter(
            self._stream, schema, compression="zstd", store_schema=False, use_dictionary=repeated
        )
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0
        self._beside = ThreadPoolExecutor(1)
        self._packing: Future[None] | None = None

    def append(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        self._waiting_rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP_ROWS:
            self._flush(self._waiting_rows - self._waiting_rows % ROW_GROUP_ROWS)

    def _flush(self, row_count: int) -> None:
        waiting = pa.concat_tables(self._waiting)
        self._wait()
        self._packing = self._beside.submit(
            self._writer.write_table, waiting.slice(0, row_count), row_group_size=ROW_GROUP_ROWS
        )
        self._waiting = [waiting.slice(row_count)]
        self._waiting_rows -= row_count

    def _wait(self) -> None:
        """Until the row group under way is written; raises what went wrong with it."""
        if self._packing is not None:
            self._packing.result()

    def close(self) -> None:
        if self._waiting_rows:
            self._flush(self._waiting_rows)
        self._wait()
        self._beside.shutdown()
        self._writer.close()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()

    def discard(self) -> None:
        self._beside.shutdown()
        # Closing writes the footer, which fails on the same full disk.
        with suppress(OSError, ValueError):
            self._writer.close()
        with suppress(OSError):
            self._stream.close()
        self.temporary.unlink(missing_ok=True)


def rewrite_rows(path: Path, target: Path, batches: Iterable[pa.RecordBatch]) -> None:
    """Write the rows of a Parquet file of a batch again, under the temporary name of `target`: `commit_files` gives it its own.

    `path` may be that temporary file itself: it is read to its end first, one row group at a time.
    """
    schema = pq.read_schema(path)
    schema = pa.schema(
        [
            pa.field(one.name, _CONSTANT_TYPE)
            if one.name in _CONSTANT_COLUMNS
            else pa.field(one.name, one.type)
            for one in schema
        ]
    )
    file = _ParquetFile(target.with_name(target.name + ".again"), schema)
    try:
        for rows in batches:
            file.append(pa.Table.from_batches([rows]).cast(schema))
        file.close()
    except BaseException:
        file.discard()
        raise
    file.temporary.replace(_temporary(target))


def commit_files(workspace: Workspace, file_stem: str, tables: Iterable[str]) -> None:
    """Give every file of a finished batch its name, durably.

    The rows exist only once the manifest that names them is written after this.
    """
    for path in (table_path(workspace, table, file_stem) for table in tables):
        _temporary(path).replace(path)
        sync(path.parent)


def discard_files(workspace: Workspace, file_stem: str) -> None:
    """Remove what was written of a batch under temporary names."""
    for table in (*LANDED_TABLES, QUARANTINE_TABLE):
        _temporary(table_path(workspace, table, file_stem)).unlink(missing_ok=True)


def temporary_path(path: Path) -> Path:
    """Where a file of a batch lies until the whole batch is written."""
    return _temporary(path)


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + ".tmp")


def clean_leftovers(workspace: Workspace) -> None:
    """Remove what a killed run left under temporary names, and rows that another reading of their batch has replaced.

    Files of a batch without manifest are simply written again.
    """
    for table in (*LANDED_TABLES, QUARANTINE_TABLE, MANIFEST_FOLDER):
        for leftover in (workspace.landed / table).glob("*.tmp"):
            leftover.unlink(missing_ok=True)
    by_batch: dict[str, dict[str, list[Path]]] = {}
    for path in workspace.landed.glob("*/*.parquet"):
        by_batch.setdefault(path.stem.partition("-")[0], {}).setdefault(path.stem, []).append(path)
    for batch_id, readings in by_batch.items():
        if len(readings) > 1:
            remove_replaced(workspace, batch_id, [path for paths in readings.values() for path in paths])


def remove_replaced(workspace: Workspace, batch_id: str, paths: Iterable[Path]) -> None:
    """Remove those Parquet files of a batch that its manifest does not name. Without a whole manifest, none."""
    # A manifest that is damaged or missing may be restored from a backup, and then needs its rows.
    batch = find_batch(workspace, batch_id)
    if batch is not None:
        for path in set(paths) - set(batch.paths(workspace)):
            path.unlink(missing_ok=True)


def _shorten(text: str, characters: int) -> str:
    # Bytes that were no UTF-8 arrive as lone surrogates, which no file can hold.
    return text[:characters].encode("utf-8", "backslashreplace").decode("utf-8")[:characters]

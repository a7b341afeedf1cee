"""The rows of a batch without what is forgotten: of one that lands, and of those that have landed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.count_batch import count_batch
from pipeline.errors import ConfigurationError
from pipeline.ingest.landing.forgotten import (
    Forgotten,
    find_tickets,
    list_lines,
    read_forgotten,
    read_named,
    redact_rows,
    write_forgotten,
)
from pipeline.ingest.landing.manifest import Batch, hash_tables, name_files, table_path, write_manifest
from pipeline.ingest.landing.write_batch import commit_files, remove_replaced, rewrite_rows, temporary_path
from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.settings import Workspace


def read_list(workspace: Workspace) -> Forgotten | None:
    """What is forgotten; None where nothing was. Raises ConfigurationError for a damaged list: it would bring values back."""
    try:
        return read_forgotten(workspace)
    except (ValueError, KeyError, TypeError) as problem:
        raise ConfigurationError(
            f"{workspace.warehouse / 'forgotten.json'} is damaged, so what must not land again is not known: {problem}. Restore "
            "it from a backup; nothing was landed."
        ) from problem


def forget_rows(
    workspace: Workspace, source: str, forgotten: Forgotten, tables: Iterable[str], file_stem: str
) -> bool:
    """Take what is forgotten out of the temporary files of a batch that lands; whether its export holds some of it. New tickets
    of a forgotten person are put on the list first."""
    files = {table: temporary_path(table_path(workspace, table, file_stem)) for table in tables}
    found = find_tickets(files, source, forgotten)
    if found != forgotten:
        write_forgotten(workspace, found)
    is_changed = _redact_files(workspace, source, found, files, file_stem)
    return is_changed or _hold_tickets(files, source, found)


def forget_batch(workspace: Workspace, batch: Batch, forgotten: Forgotten) -> bool:
    """Write the rows of a landed batch again without what is forgotten; whether its export holds some of it. Killed anywhere, the
    batch has its rows from before or those from after."""
    is_changed = _rewrite_batch(
        workspace,
        batch,
        lambda files, stem: _redact_files(workspace, batch.source, forgotten, files, stem),
        is_cleaned=True,
    )
    if is_changed:
        return True
    holds = holds_tickets(workspace, batch, forgotten)
    if holds and not batch.is_cleaned:
        write_manifest(workspace, replace(batch, is_cleaned=True))
    return holds or batch.is_cleaned


def has_refused_values(workspace: Workspace, batch: Batch) -> bool:
    """Whether a batch keeps a value of a refused record."""
    if not batch.rows_rejected:
        return False
    rows = pq.read_table(batch.table_path(workspace, QUARANTINE_TABLE), columns=["raw_value"])
    return bool(rows.column("raw_value").null_count < rows.num_rows)


def drop_refused_values(workspace: Workspace, batch: Batch) -> bool:
    """Write the refused records of a batch again without their values; whether there was one. Their lines and reasons stay."""

    def drop(files: dict[str, Path], stem: str) -> bool:
        changed = False
        for table, path in files.items():
            target = table_path(workspace, table, stem)
            if table != QUARANTINE_TABLE:
                rewrite_rows(path, target, pq.ParquetFile(path).iter_batches())
                continue
            rows = pq.read_table(path)
            changed = rows.column("raw_value").null_count < rows.num_rows
            at = rows.schema.get_field_index("raw_value")
            nothing = pa.nulls(rows.num_rows, rows.schema.field(at).type)
            rewrite_rows(path, target, rows.set_column(at, rows.schema.field(at), nothing).to_batches())
        return changed

    return bool(batch.rows_rejected) and _rewrite_batch(workspace, batch, drop)


def _rewrite_batch(
    workspace: Workspace,
    batch: Batch,
    write: Callable[[dict[str, Path], str], bool],
    *,
    is_cleaned: bool = False,
) -> bool:
    files = {table: batch.table_path(workspace, table) for table in batch.row_counts}
    stem = name_files(batch.batch_id, batch.reader, batch.settings, batch.rewritten + 1)
    if not write(files, stem):
        for table in files:
            temporary_path(table_path(workspace, table, stem)).unlink(missing_ok=True)
        return False
    commit_files(workspace, stem, files)
    again = replace(
        batch,
        rewritten=batch.rewritten + 1,
        is_cleaned=batch.is_cleaned or is_cleaned,
        parquet_sha256=hash_tables(workspace, files, stem),
        checks=count_batch(workspace.landed, batch.tables, stem),
    )
    write_manifest(workspace, again)
    remove_replaced(workspace, batch.batch_id, files.values())
    return True


def holds_tickets(workspace: Workspace, batch: Batch, forgotten: Forgotten) -> bool:
    """Whether rows of a batch belong to a forgotten ticket, so that its export holds texts of it."""
    return _hold_tickets(
        {table: batch.table_path(workspace, table) for table in batch.tables}, batch.source, forgotten
    )


def _hold_tickets(files: Mapping[str, Path], source: str, forgotten: Forgotten) -> bool:
    for path in files.values():
        names = [name for name in ("ticket_id", "record_id") if name in pq.read_schema(path).names]
        for rows in pq.ParquetFile(path).iter_batches(columns=names) if names else ():
            for row in rows.to_pylist():
                if forgotten.has_ticket(source, row.get("ticket_id"), row.get("record_id")):
                    return True
    return False


def _redact_files(
    workspace: Workspace, source: str, forgotten: Forgotten, files: dict[str, Path], stem: str
) -> bool:
    named = read_named(workspace)
    lines = list_lines(files.get("gaps"), source, forgotten)
    changed: list[str] = []
    for table, path in files.items():
        of_table: Collection[int] = lines if table == QUARANTINE_TABLE else frozenset()

        def redacted(
            table: str = table, path: Path = path, of_table: Collection[int] = of_table
        ) -> Iterable[object]:
            for rows, is_changed in redact_rows(table, path, source, forgotten, named, frozenset(of_table)):
                if is_changed:
                    changed.append(table)
                yield rows

        rewrite_rows(path, table_path(workspace, table, stem), redacted())  # type: ignore[arg-type]
    return bool(changed)

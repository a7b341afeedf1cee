"""The refused records of everything that landed: listed, and read again once the mapping or the settings are corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow.parquet as pq

from pipeline.errors import Problem
from pipeline.ingest.landing.land import land_exports
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.manifest import Batch, read_batches
from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.settings import Workspace

if TYPE_CHECKING:
    from pipeline.rules.load_sources import SourcesConfig


@dataclass(frozen=True)
class QuarantinedRecord:
    """One refused record: where it stands, the first thing that is wrong with it, and what to do."""

    source: str
    file: str
    line: int | None
    column: str | None
    value: str | None
    reason: str
    hint: str | None
    batch_id: str


@dataclass(frozen=True)
class RetriedFile:
    """What became of the refused records of one file. `still_refused` counts them as the file is read now.

    `unchanged`: nothing of its source changed since, so it was not read again. `missing`: the file is no longer there, or
    holds other content now.
    """

    file: str
    source: str
    status: Literal["landed", "unchanged", "rejected", "missing"]
    refused_before: int
    now_landed: int
    still_refused: int
    problems: tuple[Problem, ...] = ()


def list_quarantine(workspace: Workspace, source: str | None = None) -> list[QuarantinedRecord]:
    """Every refused record of the landed batches, by source, file and line. Raises InputRejected for damaged batches."""
    found = []
    for batch in _refused_batches(workspace, source):
        for row in pq.read_table(batch.table_path(workspace, QUARANTINE_TABLE)).to_pylist():
            found.append(
                QuarantinedRecord(
                    row["source"],
                    row["source_file"],
                    row["line_number"],
                    row["column_name"],
                    row["raw_value"],
                    row["reason"],
                    row["hint"],
                    row["batch_id"],
                )
            )
    return sorted(found, key=lambda one: (one.source, one.file, one.batch_id, one.line or 0))


def retry_quarantine(
    workspace: Workspace,
    config: SourcesConfig,
    source: str | None = None,
    *,
    child: LandingChild | None = None,
) -> list[RetriedFile]:
    """Read every file with refused records again whose source reads differently now.

    The caller holds the workspace's lock. Raises ConfigurationError for a source that sla.yml does not name.
    """
    retried: list[RetriedFile] = []
    batches = _refused_batches(workspace, source)
    for path, source_name in dict.fromkeys((_path_of(workspace, batch), batch.source) for batch in batches):
        of_file = [
            batch for batch in batches if (_path_of(workspace, batch), batch.source) == (path, source_name)
        ]
        if not path.is_file():
            retried += [_waiting(batch, "missing", [_missing(batch)]) for batch in of_file]
            continue
        results = land_exports(workspace, config, [path], source_name, child=child)
        by_batch = {result.batch_id: result for result in results if result.batch_id}
        known = {batch.batch_id for batch in of_file}
        for batch in of_file:
            # A file that is refused whole names no batch any more; the one that landed before stays.
            result = by_batch.get(batch.batch_id) or next(
                (one for one in results if one.file == batch.file), results[0]
            )
            if result.batch_id is None or result.batch_id == batch.batch_id:
                retried.append(_retried(batch, result.status, result.rows_rejected, result.problems))
                continue
            # Other content under the same name is another batch: its counts say nothing of these records.
            retried.append(_waiting(batch, "missing", [_replaced(batch)]))
            if result.batch_id not in known and result.status == "landed" and result.rows_rejected:
                known.add(result.batch_id)
                refused = result.rows_rejected
                retried.append(
                    RetriedFile(
                        result.file, source_name, "landed", refused, 0, refused, tuple(result.problems)
                    )
                )
    return retried


def _retried(batch: Batch, status: str, still_refused: int, problems: Sequence[Problem]) -> RetriedFile:
    if status == "landed":
        now_landed = batch.rows_rejected - still_refused
        return RetriedFile(
            batch.file,
            batch.source,
            "landed",
            batch.rows_rejected,
            now_landed,
            still_refused,
            tuple(problems),
        )
    return _waiting(batch, "unchanged" if status == "already_landed" else "rejected", problems)


def _waiting(
    batch: Batch, status: Literal["unchanged", "missing", "rejected"], problems: Sequence[Problem]
) -> RetriedFile:
    """What a batch of which nothing new landed has become: all that was refused still is."""
    refused = batch.rows_rejected
    return RetriedFile(batch.file, batch.source, status, refused, 0, refused, tuple(problems))


def _refused_batches(workspace: Workspace, source: str | None) -> list[Batch]:
    return sorted(
        (
            batch
            for batch in read_batches(workspace)
            if batch.rows_rejected and source in (None, batch.source)
        ),
        key=lambda batch: (batch.source, batch.file, batch.batch_id),
    )


def _path_of(workspace: Workspace, batch: Batch) -> Path:
    """Where the file of a batch lay; a member of an archive is read with its archive."""
    file = Path(batch.file)
    if not (workspace.root / file).is_file() and "!" in batch.file:
        file = Path(batch.file.rpartition("!")[0])
    return workspace.root / file if (workspace.root / file).is_file() else file


def _missing(batch: Batch) -> Problem:
    return Problem(
        batch.file,
        None,
        None,
        "the file is no longer there; what landed of it stays as it is.",
        f"Put it back into inbox/{batch.source}/ and try again.",
    )


def _replaced(batch: Batch) -> Problem:
    return Problem(
        batch.file,
        None,
        None,
        "the file holds other content now, which was read as an export of its own; what landed of the earlier one stays.",
        f"Put the earlier file back into inbox/{batch.source}/, under any name, to have its refused records read again.",
    )

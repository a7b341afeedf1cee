"""What is older than `retention:` of `sla.yml` says, and its removal. Counts, verdicts, closed months and the ledger stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.ingest.landing.copies import copy_path
from pipeline.ingest.landing.forget_rows import drop_refused_values, has_refused_values
from pipeline.ingest.landing.manifest import Batch, list_batches
from pipeline.periods.records import read_history
from pipeline.pointer import list_publications, read_pointer
from pipeline.rules.retention import Retention
from pipeline.run_records import read_runs, run_path
from pipeline.settings import Workspace

_MONTHS = 12


@dataclass(frozen=True)
class Pruned:
    """One thing that is older than it is kept. `since` is the instant that its age counts from, ISO with Z. The `path` of kind
    quarantine is the batch whose refused values go, and its records stay."""

    kind: str
    path: Path
    since: str


def find_old(workspace: Workspace, retention: Retention, now: datetime) -> list[Pruned]:
    """What `prune` would remove, by kind. Nothing is written."""
    return [old for old, _ in _find(workspace, retention, now)]


def prune(workspace: Workspace, retention: Retention, now: datetime) -> list[Pruned]:
    """Remove it. Killed anywhere, the next call removes the rest. The caller holds the workspace's lock. Raises OSError."""
    pruned = []
    for old, remove in _find(workspace, retention, now):
        remove()
        pruned.append(old)
    for path, publication in list_publications(workspace):
        if not (workspace.published / publication.file).exists():
            path.unlink()
    return pruned


def subtract_months(now: datetime, months: int) -> datetime:
    """The instant that many months earlier; the last day of a shorter month where that has no such day."""
    whole = now.year * _MONTHS + now.month - 1 - months
    year, month = divmod(whole, _MONTHS)
    for day in range(now.day, 0, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    raise ValueError(f"{months} months before {now} is no instant")


def _find(
    workspace: Workspace, retention: Retention, now: datetime
) -> Iterator[tuple[Pruned, Callable[[], object]]]:
    batches = list_batches(workspace)
    for batch in _older(batches, retention.inbox_months, now):
        path = workspace.root / batch.file
        # An archive goes once all of its members have landed and are old, which is known of none of them alone: it stays.
        if path.is_file() and path.is_relative_to(workspace.inbox):
            yield Pruned("inbox", path, batch.landed_at), path.unlink
    for batch in _older(batches, retention.exports_months, now):
        path = copy_path(workspace, batch.batch_id)
        if path.is_file():
            yield Pruned("exports", path, batch.landed_at), path.unlink
    for batch in _older(batches, retention.quarantine_months, now):
        if has_refused_values(workspace, batch):
            path = batch.table_path(workspace, "quarantine")
            yield (
                Pruned("quarantine", path, batch.landed_at),
                lambda batch=batch: drop_refused_values(workspace, batch),  # type: ignore[misc]
            )
    if retention.reports_months is not None:
        limit = subtract_months(now, retention.reports_months)
        for path in sorted(workspace.reports.rglob("*")):
            if path.is_file() and not path.is_symlink():
                written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
                if written < limit:
                    yield Pruned("reports", path, _iso(written)), path.unlink
    if retention.runs_months is not None:
        limit = subtract_months(now, retention.runs_months)
        for run in read_runs(workspace, is_held=True):
            if datetime.fromisoformat(run.started_at) < limit:
                path = run_path(workspace, run)
                yield Pruned("runs", path, run.started_at), path.unlink
    yield from _find_versions(workspace, retention.versions)


def _find_versions(workspace: Workspace, count: int) -> Iterator[tuple[Pruned, Callable[[], object]]]:
    pointer = read_pointer(workspace)
    kept = {build.file for build in read_history(workspace).builds().values()}
    versions = [path for path in workspace.published.glob("*.duckdb") if path.name not in kept]
    versions.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in versions[count:]:
        if pointer is None or path.name != pointer.file:
            yield (
                Pruned("versions", path, _iso(datetime.fromtimestamp(path.stat().st_mtime, UTC))),
                path.unlink,
            )


def _older(batches: Sequence[Batch], months: int | None, now: datetime) -> Iterator[Batch]:
    if months is not None:
        limit = subtract_months(now, months)
        yield from (batch for batch in batches if datetime.fromisoformat(batch.landed_at) < limit)


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

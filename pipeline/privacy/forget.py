"""Forget a person or customer: values leave every file of the workspace, figures stay.

The list of hashes is written first, so that nothing that lands meanwhile brings a value back. `warehouse/forgetting.json` then
holds the request, with its values, until all is done: a run that finds it finishes it. Each step may be done twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.delivery.ledger import rewrite_people
from pipeline.errors import ConfigurationError
from pipeline.ingest.landing.forget_rows import forget_batch, holds_tickets, read_list
from pipeline.ingest.landing.forgotten import Forgotten, new_forgotten, read_named, write_forgotten
from pipeline.ingest.landing.manifest import list_batches, read_batches
from pipeline.periods.issue import remove_documents
from pipeline.periods.records import read_history
from pipeline.pointer import list_publications, read_pointer
from pipeline.privacy.remove_files import (
    list_exports,
    list_reports,
    remove,
    remove_caches,
    rewrite_settings,
)
from pipeline.privacy.rewrite_builds import rewrite_builds
from pipeline.privacy.scope import Scope, find_scope, list_tickets
from pipeline.privacy.search_files import search
from pipeline.reporting.published import open_published
from pipeline.settings import Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import write_whole


@dataclass(frozen=True)
class Forgetting:
    """What a request changed. `left`: files in which a value still stands, which this program does not change."""

    tickets: int
    values: int
    customers: tuple[str, ...]
    batches: int
    removed: tuple[Path, ...]
    changed: tuple[Path, ...]
    left: tuple[Path, ...] = ()


def preview(workspace: Workspace, whom: str) -> Forgetting:
    """What `begin` and `carry_out` would change; nothing is written."""
    scope, forgotten = _find(workspace, whom)
    batches = list_batches(workspace)
    affected = {batch.batch_id for batch in batches if holds_tickets(workspace, batch, forgotten)}
    removed = [
        *list_exports(workspace, batches, affected, scope.values),
        *list_reports(workspace, scope.customers),
    ]
    return Forgetting(
        scope.ticket_count, len(scope.values), scope.customers, len(affected), tuple(removed), ()
    )


def begin(workspace: Workspace, whom: str) -> Scope:
    """Put a request on record. The caller holds the workspace's lock. Raises ConfigurationError for an unknown name."""
    scope, forgotten = _find(workspace, whom)
    # What is damaged could not be rewritten, and without sla.yml nothing says what figures rest on.
    read_batches(workspace)
    read_named(workspace)
    write_forgotten(workspace, forgotten)
    request = {
        "values": list(scope.values),
        "customers": list(scope.customers),
        "tickets": scope.ticket_count,
    }
    write_whole(workspace.forgetting, seal_state(request))
    return scope


def carry_out(workspace: Workspace) -> Forgetting:
    """Take the values out of all but the published versions that a build replaces. The caller holds the lock, and builds next."""
    scope = _read(workspace)
    found = read_list(workspace)
    assert found is not None
    forgotten = replace(found, clear=scope.values, _known={})
    batches = list_batches(workspace)
    affected = set()
    for batch in batches:
        if forget_batch(workspace, batch, forgotten):
            affected.add(batch.batch_id)
    removed = remove(list_exports(workspace, batches, affected, scope.values))
    removed += remove(list_reports(workspace, scope.customers))
    ticket_ids = _list_tickets(workspace, forgotten)
    changed = list(rewrite_settings(workspace, forgotten, ticket_ids, scope.customers))
    removed += rewrite_builds(workspace, forgotten)
    removed += remove_documents(workspace, scope.customers)
    rewrite_people(workspace, forgotten.text)
    remove_caches(workspace)
    return Forgetting(
        scope.ticket_count, len(scope.values), scope.customers, len(affected), tuple(removed), tuple(changed)
    )


def finish(workspace: Workspace, done: Forgetting) -> Forgetting:
    """After the build: remove the published versions that still hold the values, search every file, and end the request."""
    scope = _read(workspace)
    pointer = read_pointer(workspace)
    kept = {build.file for build in read_history(workspace).builds().values()} | {
        pointer.file if pointer else ""
    }
    old = [path for path in workspace.published.glob("*.duckdb") if path.name not in kept]
    removed = remove(old)
    for path, publication in list_publications(workspace):
        if not (workspace.published / publication.file).exists():
            path.unlink()
    files = [path for path in sorted(workspace.root.rglob("*")) if path != workspace.forgetting]
    left = search(files, scope.values)
    workspace.forgetting.unlink()
    return replace(done, removed=(*done.removed, *removed), left=tuple(left))


def _find(workspace: Workspace, whom: str) -> tuple[Scope, Forgotten]:
    if read_pointer(workspace) is None:
        raise ConfigurationError(
            f"Nothing is published yet in {workspace.root}. Run `sla run`, then forget {whom!r}."
        )
    before = read_list(workspace) or new_forgotten()
    with open_published(workspace) as published:
        scope, found = find_scope(workspace, published, whom, before)
    return scope, replace(found, generation=before.generation + 1)


def _list_tickets(workspace: Workspace, forgotten: Forgotten) -> Sequence[str]:
    with open_published(workspace) as published:
        return [ticket_id for ticket_id, _ in list_tickets(published, forgotten)]


def _read(workspace: Workspace) -> Scope:
    path = workspace.forgetting
    try:
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
        return Scope(tuple(record["values"]), tuple(record["customers"]), int(record["tickets"]))
    except (ValueError, KeyError, TypeError) as problem:
        raise ConfigurationError(
            f"{path} is damaged: {problem}. Delete it and give the request again; what it changed already stays changed."
        ) from problem

"""Land exports: files of the inbox to immutable, hash-named Parquet; refused records stay visible."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from pipeline.errors import InputRejected, Problem, SlaError
from pipeline.ingest.canonical import land_canonical
from pipeline.ingest.check_records import connect
from pipeline.ingest.exports import Export, Fingerprint, fingerprint, read_start, reject
from pipeline.ingest.find_exports import find_exports
from pipeline.ingest.freshdesk import land_freshdesk
from pipeline.ingest.jira import land_jira
from pipeline.ingest.manifest import Batch, find_batch, find_damage, remove_manifest, write_manifest
from pipeline.ingest.mapped import land_mapped
from pipeline.ingest.read_archive import list_members
from pipeline.ingest.servicenow import land_servicenow
from pipeline.ingest.write_batch import BatchWriter, clean_leftovers
from pipeline.ingest.zendesk import land_zendesk
from pipeline.rules.mapping import fingerprint_mapping
from pipeline.settings import Workspace, read_clock

if TYPE_CHECKING:
    from pipeline.rules.load_sources import Source, SourcesConfig

_LAND = {
    "canonical": land_canonical,
    "zendesk": land_zendesk,
    "servicenow": land_servicenow,
    "jira": land_jira,
    "freshdesk": land_freshdesk,
    "mapped": land_mapped,
}
# These land canonical rows at once, so what picks their columns and names their events is decided here.
_ADAPTED = ("jira", "freshdesk")


@dataclass(frozen=True)
class LandingResult:
    """What became of one file. `rows_read` = `rows_landed` + `rows_rejected`, in records of the export.

    `problems`: the first 20 refused records, or why the whole file was refused. `warnings`: what landed but
    is worth a look.
    """

    file: str
    source: str
    batch_id: str | None
    status: Literal["landed", "already_landed", "rejected"]
    rows_read: int
    rows_landed: int
    rows_rejected: int
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def land_exports(
    workspace: Workspace, config: SourcesConfig, paths: Sequence[Path] | None, source: str | None
) -> list[LandingResult]:
    """Land the given files, or everything in the inbox that has not landed; one result per file, in order.

    The same content from the same source is landed once, whatever its name. A file that is refused as a whole
    gives a result with status 'rejected'; the others still land. Killed at any point, a batch is whole or
    absent, and the next call completes it. The caller holds the workspace's lock. Raises ConfigurationError
    for a source or path that cannot be used.
    """
    exports = find_exports(workspace, config.sources, paths, source)
    clean_leftovers(workspace)
    with closing(connect()) as connection:
        return [
            result
            for export in exports
            for result in _land_file(workspace, config.sources[export.source], export, connection)
        ]


def _land_file(
    workspace: Workspace, source: Source, export: Export, connection: duckdb.DuckDBPyConnection
) -> list[LandingResult]:
    try:
        members = list_members(replace(export, encoding=getattr(source, "encoding", None) or "utf-8"))
    except InputRejected as refusal:
        return [LandingResult(export.given, export.source, None, "rejected", 0, 0, 0, refusal.problems)]
    return [_land(workspace, source, member, connection) for member in members]


def _land(
    workspace: Workspace, source: Source, export: Export, connection: duckdb.DuckDBPyConnection
) -> LandingResult:
    try:
        identity = fingerprint(export)
        earlier = find_batch(workspace, identity.batch_id)
        if (
            earlier is not None
            and earlier.settings == _settings(source)
            and find_damage(workspace, earlier) is None
        ):
            return LandingResult(
                export.given,
                export.source,
                earlier.batch_id,
                "already_landed",
                earlier.rows_read,
                earlier.rows_landed,
                earlier.rows_rejected,
            )
        return _land_new(workspace, source, export, identity, earlier, connection)
    except InputRejected as refusal:
        rows = getattr(refusal, "rows_read", 0)
        return LandingResult(export.given, export.source, None, "rejected", rows, 0, rows, refusal.problems)


def _land_new(
    workspace: Workspace,
    source: Source,
    export: Export,
    identity: Fingerprint,
    earlier: Batch | None,
    connection: duckdb.DuckDBPyConnection,
) -> LandingResult:
    writer = BatchWriter(workspace, identity.batch_id, export.source, export.name)
    try:
        rows_read, warnings = _LAND[source.source_type](
            export, read_start(export), source, connection, writer
        )
        rows_landed = rows_read - writer.rows_refused
        if rows_read and not rows_landed:
            raise _AllRefused(export, writer)
        batch = Batch(
            batch_id=identity.batch_id,
            source=export.source,
            source_type=source.source_type,
            file=export.given,
            file_sha256=identity.file_sha256,
            bytes=identity.bytes,
            # Landed again after a change of settings, it is still known since it first came.
            landed_at=earlier.landed_at if earlier else read_clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            tables=dict(sorted(writer.rows.items())),
            rows_read=rows_read,
            rows_landed=rows_landed,
            rows_rejected=writer.rows_refused,
            settings=_settings(source),
            shape=writer.shape,
        )
        if earlier is not None:
            remove_manifest(workspace, identity.batch_id)
        writer.commit()
        write_manifest(workspace, batch)
    except OSError as problem:
        writer.discard()
        raise SlaError(
            f"{export.name} could not be landed: {problem.strerror or problem}. Nothing of it was kept; "
            f"make room or "
            "correct the permissions of the warehouse, then run again."
        ) from problem
    except BaseException:
        writer.discard()
        raise
    return LandingResult(
        export.given,
        export.source,
        batch.batch_id,
        "landed",
        rows_read,
        rows_landed,
        writer.rows_refused,
        tuple(writer.problems),
        tuple(warnings),
    )


class _AllRefused(InputRejected):
    """Not one record of the file could be used."""

    def __init__(self, export: Export, writer: BatchWriter) -> None:
        whole = reject(
            export,
            f"none of its {writer.rows_refused} records can be used.",
            "Check that this is the export of this source, and the source's settings in sla.yml.",
        )
        super().__init__(whole.message, [*whole.problems, *writer.problems][:20])
        self.rows_read = writer.rows_refused


def _settings(source: Source) -> dict[str, Any]:
    """What of `sla.yml` decides how a file of this source is read."""
    settings: dict[str, Any] = {
        "source_type": source.source_type,
        "time_zone": source.time_zone,
        "date_format": source.date_format,
        "null_markers": sorted(source.null_markers),
    }
    if source.source_type in _ADAPTED:
        settings |= {
            "customer": [source.customer_field, source.customer_constant],
            "severity": source.severity_field,
            "channel": [source.channel_field, source.channel_constant],
            "events": [[event.event_type, event.field_name, event.field_value] for event in source.events],
            "agents": [list(values) for values in source.agents],
            "comments": source.unmarked_comments,
            "has_bots": bool(source.bot_actors),
        }
    elif source.source_type == "mapped":
        settings["mapping"] = fingerprint_mapping(source.mapping)
    elif source.source_type == "servicenow" and any(source.agents):
        settings["agents"] = [list(values) for values in source.agents]
    return settings

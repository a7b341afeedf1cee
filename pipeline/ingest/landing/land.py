"""Land exports: files of the inbox to immutable, hash-named Parquet; refused records stay visible.

What is in a file is read by a child process (`landing_child.py`); only here does anything become visible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import InputRejected, Problem, SlaError
from pipeline.ingest.files.exports import Export, ExportChanging, Fingerprint
from pipeline.ingest.landing.find_exports import find_exports, is_unfinished
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.manifest import Batch, find_batch, find_damage, remove_manifest, write_manifest
from pipeline.ingest.landing.write_batch import clean_leftovers, commit_files, discard_files
from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.interruption import stop_if_asked
from pipeline.rules.mapping import fingerprint_mapping
from pipeline.settings import Workspace, read_clock

if TYPE_CHECKING:
    from pipeline.rules.load_sources import SourcesConfig
    from pipeline.rules.source import Source

# These land canonical rows at once, so what picks their columns and names their events is decided here.
_ADAPTED = ("jira", "freshdesk")


@dataclass(frozen=True)
class LandingResult:
    """What became of one file, or of one member of an archive. `rows_read` = `rows_landed` + `rows_rejected`, in records
    of the export. `left`: it is still being written and was left for the next run.

    `problems`: the first 20 refused records, or why the whole file was refused. `warnings`: what landed but
    is worth a look.
    """

    file: str
    source: str
    batch_id: str | None
    status: Literal["landed", "already_landed", "rejected", "left"]
    rows_read: int
    rows_landed: int
    rows_rejected: int
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


# Told the file and the records read of it so far, a few times a second.
Progress = Callable[[str, int], None]


def land_exports(
    workspace: Workspace,
    config: SourcesConfig,
    paths: Sequence[Path] | None,
    source: str | None,
    *,
    child: LandingChild | None = None,
    on_progress: Progress | None = None,
) -> list[LandingResult]:
    """Land the given files, or everything in the inbox that has not landed; one result per export, in order.

    The same content from the same source is landed once, whatever its name. A file that is refused as a whole, or that
    ends the process that reads it, gives a result with status 'rejected'; the others still land. Killed at any point,
    a batch is whole or absent, and the next call completes it. The caller holds the workspace's lock. `child` is a
    process to read with; without it one is started for this call. Raises ConfigurationError for a source or path that
    cannot be used.
    """
    exports = find_exports(workspace, config.sources, paths, source)
    clean_leftovers(workspace)
    with ExitStack() as stack:
        reader = child or stack.enter_context(LandingChild())
        return [
            result
            for export in exports
            for result in _land_file(workspace, config.sources[export.source], export, reader, on_progress)
        ]


def _land_file(
    workspace: Workspace, source: Source, found: Export, child: LandingChild, on_progress: Progress | None
) -> list[LandingResult]:
    export = replace(found, encoding=getattr(source, "encoding", None) or "utf-8")
    try:
        if is_unfinished(export):
            raise ExportChanging(export)
        members = child.list_members(export)
    except InputRejected as refusal:
        return [_refused(export, refusal)]
    return [_land(workspace, source, member, child, on_progress) for member in members]


def _refused(export: Export, refusal: InputRejected) -> LandingResult:
    status: Literal["left", "rejected"] = "left" if isinstance(refusal, ExportChanging) else "rejected"
    rows = refusal.rows_read
    return LandingResult(export.given, export.source, None, status, rows, 0, rows, refusal.problems)


def _land(
    workspace: Workspace, source: Source, export: Export, child: LandingChild, on_progress: Progress | None
) -> LandingResult:
    stop_if_asked()
    child.on_rows = None if on_progress is None else lambda rows: on_progress(export.given, rows)
    try:
        identity = child.identify(export)
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
        return _land_new(workspace, source, export, identity, earlier, child)
    except InputRejected as refusal:
        return _refused(export, refusal)


def _land_new(
    workspace: Workspace,
    source: Source,
    export: Export,
    identity: Fingerprint,
    earlier: Batch | None,
    child: LandingChild,
) -> LandingResult:
    try:
        written = child.write(workspace, source, export, identity)
        rows_landed = written.rows_read - written.rows_refused
        batch = Batch(
            batch_id=identity.batch_id,
            source=export.source,
            source_type=source.source_type,
            file=export.given,
            file_sha256=identity.file_sha256,
            bytes=identity.bytes,
            # Landed again after a change of settings, it is still known since it first came.
            landed_at=earlier.landed_at if earlier else read_clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            tables=written.tables,
            rows_read=written.rows_read,
            rows_landed=rows_landed,
            rows_rejected=written.rows_refused,
            settings=_settings(source),
            shape=written.shape,
        )
        if earlier is not None:
            remove_manifest(workspace, identity.batch_id)
        refused = [QUARANTINE_TABLE] if written.rows_refused else []
        commit_files(workspace, identity.batch_id, [*written.tables, *refused])
        write_manifest(workspace, batch)
    except OSError as problem:
        discard_files(workspace, identity.batch_id)
        raise SlaError(
            f"{export.name} could not be landed: {problem.strerror or problem}. Nothing of it was kept; "
            "make room or correct the permissions of the warehouse, then run again."
        ) from problem
    except BaseException:
        # A child that died has not put away what it was writing.
        discard_files(workspace, identity.batch_id)
        raise
    return LandingResult(
        export.given,
        export.source,
        batch.batch_id,
        "landed",
        written.rows_read,
        rows_landed,
        written.rows_refused,
        written.problems,
        written.warnings,
    )


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
            "bots": list(source.bot_actors),
            **_table_settings(source),
        }
    elif source.source_type == "zendesk" and source.time_zone is not None:
        # Only a table of tickets, which needs the zone, lands what these pick; the objects land whole.
        settings |= {
            "customer": [source.customer_field, source.customer_constant],
            "severity": source.severity_field,
            "bots": list(source.bot_actors),
            **_table_settings(source),
        }
    elif source.source_type == "mapped":
        settings["mapping"] = fingerprint_mapping(source.mapping)
    elif source.source_type == "servicenow" and any(source.agents):
        settings["agents"] = [list(values) for values in source.agents]
    return settings


def _table_settings(source: Source) -> dict[str, Any]:
    return {
        "columns": {column: list(names) for column, names in sorted(source.columns.items())},
        "date_locale": source.date_locale,
        "business_calendar": repr(source.business_calendar) if source.business_calendar else None,
    }

"""Land exports: files of the inbox to immutable, hash-named Parquet; refused records stay visible.

What is in a file is read by a child process (`landing_child.py`); only here does anything become visible.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from expectations.count_batch import count_batch
from pipeline.engine_memory import limit_engine
from pipeline.errors import InputRejected, Problem, SlaError
from pipeline.ingest.files.exports import Export, ExportChanging, Fingerprint
from pipeline.ingest.landing.copies import clean_copies, copy_path, list_copies, unpack_copy
from pipeline.ingest.landing.find_exports import find_exports, is_unfinished
from pipeline.ingest.landing.forget_rows import forget_rows, read_list
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.manifest import (
    Batch,
    Damage,
    find_batch,
    find_damage,
    find_damaged_manifest,
    find_damages,
    hash_tables,
    name_files,
    write_manifest,
)
from pipeline.ingest.landing.reader import describe_settings, identify_reader, is_current
from pipeline.ingest.landing.write_batch import (
    clean_leftovers,
    commit_files,
    discard_files,
    remove_replaced,
)
from pipeline.ingest.tables import QUARANTINE_TABLE
from pipeline.interruption import stop_if_asked
from pipeline.seen_files import read_state, seen_files
from pipeline.settings import Workspace, read_clock

if TYPE_CHECKING:
    from pipeline.rules.load_sources import SourcesConfig
    from pipeline.rules.source import Source


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

    The same content from the same source is landed once, whatever its name, and read again once other code or settings would
    read it (reader.py). Without `paths` that includes kept copies of exports that the inbox no longer holds. A file that is
    refused as a whole, or that ends the process that reads it, gives a result with status 'rejected'; the others still land. So
    does what lies in the inbox and is no export of a source; its `source` is empty.
    Killed at any point, a batch is whole or absent, one that is read again is the old or the new, and the next call completes
    it. The caller holds the workspace's lock. `child` is a process to read with; without it one is started for this call.
    Raises ConfigurationError for a source or path that cannot be used.
    """
    limit_engine(config.memory)
    found = find_exports(workspace, config.sources, paths, source)
    clean_leftovers(workspace)
    clean_copies(workspace)
    with ExitStack() as stack:
        process = child or stack.enter_context(LandingChild())
        results = [
            result
            for export in found.exports
            for result in _land_file(workspace, config, export, process, on_progress)
        ]
        if not paths:
            copies = set(list_copies(workspace)) - {result.batch_id for result in results}
            results += _land_copies(workspace, config, copies, process, on_progress, source)
        strays = [
            LandingResult(stray.file, "", None, "rejected", 0, 0, 0, (stray,)) for stray in found.strays
        ]
        return [*results, *strays]


def land_damaged(
    workspace: Workspace,
    config: SourcesConfig,
    *,
    child: LandingChild | None = None,
    on_progress: Progress | None = None,
) -> list[LandingResult]:
    """Land again the batches that are no longer whole, and nothing else; one result per batch that could be.

    The exports are looked for where they lay, in the inbox under any name, and among the kept copies. The caller holds the
    workspace's lock.
    """
    limit_engine(config.memory)
    damages = find_damages(workspace)
    if not damages:
        return []
    wanted = {damage.batch_id for damage in damages}
    landed: list[LandingResult] = []
    with ExitStack() as stack:
        process = child or stack.enter_context(LandingChild())
        for export in [
            *_find_given(workspace, config, wanted),
            *find_exports(workspace, config.sources, None, None).exports,
        ]:
            if not wanted:
                break
            for member, batch_id in _identify_members(config, export, process):
                if batch_id in wanted:
                    result, _ = _land(workspace, config, member, process, on_progress)
                    landed.append(result)
                    wanted -= {result.batch_id} if result.status == "landed" else set()
        if wanted:
            copies = wanted & set(list_copies(workspace))
            landed += _land_copies(workspace, config, copies, process, on_progress)
    return [result for result in landed if result.status == "landed"]


def _find_given(workspace: Workspace, config: SourcesConfig, wanted: Collection[str]) -> Iterator[Export]:
    """The files of the wanted batches that were given by their path and do not lie in the inbox."""
    for batch_id in sorted(wanted):
        batch = find_batch(workspace, batch_id)
        path = None if batch is None else Path(batch.file)
        if (
            batch is not None
            and path
            and path.is_absolute()
            and path.is_file()
            and batch.source in config.sources
        ):
            yield Export(path, batch.source, batch.source_file or batch.file, batch.file)


def _identify_members(
    config: SourcesConfig, export: Export, child: LandingChild
) -> Iterator[tuple[Export, str]]:
    """What an export holds, each with its batch_id; nothing of one that cannot be read."""
    try:
        for member in _list_members(config.sources[export.source], export, child):
            yield member, child.identify(member).batch_id
    except InputRejected:
        # It is refused by words when it is landed; here only the batches that once landed are looked for.
        return


def _land_file(
    workspace: Workspace,
    config: SourcesConfig,
    found: Export,
    child: LandingChild,
    on_progress: Progress | None,
) -> list[LandingResult]:
    """Every content of one file. One that has not changed since all of it landed is not read again to be recognised."""
    seen, state = seen_files(workspace.warehouse), _read_state(found.path)
    source = config.sources[found.source]
    asked = f"contents {identify_reader()} {getattr(source, 'encoding', None)} {found.source} {found.name}"
    known = None if state is None else seen.recall(found.path, asked, state)
    try:
        members = (
            _list_members(source, found, child)
            if known is None
            else [replace(_declare_encoding(source, found), **member) for member, _ in known]
        )
    except InputRejected as refusal:
        return [_refused(found, refusal)]
    identities: list[Fingerprint | None] = (
        [None] * len(members) if known is None else [Fingerprint(**one) for _, one in known]
    )
    landed = [
        _land(workspace, config, member, child, on_progress, identity)
        for member, identity in zip(members, identities, strict=True)
    ]
    if state is not None and known is None and all(identity for _, identity in landed):
        contents = [
            ({"name": member.name, "given": member.given, "member": member.member}, asdict(identity))
            for member, (_, identity) in zip(members, landed, strict=True)
            if identity is not None
        ]
        with suppress(OSError):
            seen.note(found.path, asked, state, contents)
    return [result for result, _ in landed]


def _read_state(path: Path) -> list[int] | None:
    """What tells whether the file has changed; None for one that cannot be looked at, which is refused by words later."""
    try:
        return read_state(path)
    except OSError:
        return None


def _declare_encoding(source: Source, found: Export) -> Export:
    return replace(found, encoding=getattr(source, "encoding", None) or "utf-8")


def _list_members(source: Source, found: Export, child: LandingChild) -> list[Export]:
    export = _declare_encoding(source, found)
    if is_unfinished(export):
        raise ExportChanging(export)
    return child.list_members(export)


def _land_copies(
    workspace: Workspace,
    config: SourcesConfig,
    batch_ids: Iterable[str],
    child: LandingChild,
    on_progress: Progress | None,
    chosen: str | None = None,
) -> Iterator[LandingResult]:
    """Read again what another reader landed, or what is damaged, from the copies of what the inbox no longer holds."""
    for batch_id in sorted(batch_ids):
        batch = find_batch(workspace, batch_id)
        # A content whose manifest the user deleted, or that is damaged, does not come back by itself.
        if batch is None or chosen not in (None, batch.source):
            continue
        source = config.sources.get(batch.source)
        if source is None or (is_current(batch, source) and find_damage(workspace, batch) is None):
            continue
        name = batch.source_file or batch.file
        encoding = getattr(source, "encoding", None) or "utf-8"
        try:
            with unpack_copy(workspace, batch) as path:
                export = Export(path, batch.source, name, batch.file, encoding=encoding)
                yield _land(workspace, config, export, child, on_progress)[0]
        except InputRejected as refusal:
            yield LandingResult(batch.file, batch.source, None, "rejected", 0, 0, 0, refusal.problems)


def _refused(export: Export, refusal: InputRejected) -> LandingResult:
    status: Literal["left", "rejected"] = "left" if isinstance(refusal, ExportChanging) else "rejected"
    rows = refusal.rows_read
    return LandingResult(export.given, export.source, None, status, rows, 0, rows, refusal.problems)


def _land(
    workspace: Workspace,
    config: SourcesConfig,
    export: Export,
    child: LandingChild,
    on_progress: Progress | None,
    identity: Fingerprint | None = None,
) -> tuple[LandingResult, Fingerprint | None]:
    """What became of one content, and what identifies it: None where it was refused. `identity`: where it is known already."""
    source = config.sources[export.source]
    stop_if_asked()
    child.on_rows = None if on_progress is None else lambda rows: on_progress(export.given, rows)
    try:
        identity = identity or child.identify(export)
        earlier = find_batch(workspace, identity.batch_id)
        keeps_copy = config.keep_exports and not copy_path(workspace, identity.batch_id).is_file()
        damage = (
            find_damaged_manifest(workspace, identity.batch_id)
            if earlier is None
            else find_damage(workspace, earlier)
        )
        if earlier is not None and is_current(earlier, source) and damage is None:
            # An export that holds what is forgotten is not kept.
            if keeps_copy and not earlier.is_cleaned:
                child.keep(workspace, export, identity)
            known = LandingResult(
                export.given,
                export.source,
                earlier.batch_id,
                "already_landed",
                earlier.rows_read,
                earlier.rows_landed,
                earlier.rows_rejected,
            )
            return known, identity
        result = _land_new(workspace, source, export, identity, earlier, child, keeps_copy)
    except InputRejected as refusal:
        return _refused(export, refusal), None
    if damage is not None:
        result = replace(result, warnings=(*result.warnings, _say_again(damage)))
    return result, identity


def _say_again(damage: Damage) -> Problem:
    return replace(
        damage.problem,
        reason=f"{damage.problem.reason.rstrip('.')}; it landed again from its export.",
        hint=None,
    )


def _land_new(
    workspace: Workspace,
    source: Source,
    export: Export,
    identity: Fingerprint,
    earlier: Batch | None,
    child: LandingChild,
    keeps_copy: bool,
) -> LandingResult:
    reader, settings = identify_reader(), describe_settings(source)
    forgotten = read_list(workspace)
    file_stem = name_files(identity.batch_id, reader, settings)
    try:
        # Landed again, it is still known since it first came.
        landed_at = earlier.landed_at if earlier else read_clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        written = child.write(workspace, source, export, identity, file_stem, landed_at)
        rows_landed = written.rows_read - written.rows_refused
        tables = [*written.tables, *([QUARANTINE_TABLE] if written.rows_refused else [])]
        is_cleaned = forgotten is not None and forget_rows(
            workspace, export.source, forgotten, tables, file_stem
        )
        if keeps_copy and not is_cleaned:
            child.keep(workspace, export, identity)
        commit_files(workspace, file_stem, tables)
        batch = Batch(
            batch_id=identity.batch_id,
            source=export.source,
            source_type=source.source_type,
            file=export.given,
            file_sha256=identity.file_sha256,
            bytes=identity.bytes,
            landed_at=landed_at,
            tables=written.tables,
            rows_read=written.rows_read,
            rows_landed=rows_landed,
            rows_rejected=written.rows_refused,
            settings=settings,
            shape=written.shape,
            source_file=None if export.name == export.given else export.name,
            reader=reader,
            parquet_sha256=hash_tables(workspace, tables, file_stem),
            is_cleaned=is_cleaned,
            checks=count_batch(workspace.landed, written.tables, file_stem),
        )
        # This changes from the rows of an earlier reading to these in one step.
        write_manifest(workspace, batch)
        if earlier is not None:
            remove_replaced(workspace, identity.batch_id, earlier.paths(workspace))
    except OSError as problem:
        discard_files(workspace, file_stem)
        raise SlaError(
            f"{export.name} could not be landed: {problem.strerror or problem}. Nothing of it was kept; "
            "make room or correct the permissions of the warehouse, then run again."
        ) from problem
    except BaseException:
        # A child that died has not put away what it was writing.
        discard_files(workspace, file_stem)
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

"""The published version: one closed, hashed database file per build, and a pointer that is changed in one step.

Readers open the file that the pointer names, by its own name, and keep it as long as they like: a published file never changes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.periods.records import read_history
from pipeline.pointer import (
    Pointer,
    list_publications,
    note_publication,
    pointer_path,
    read_pointer,
    write_pointer,
)
from pipeline.seen_files import seen_files
from pipeline.settings import Workspace
from pipeline.state_version import NewerState, is_older
from pipeline.warehouse.connection import open_database, quote, quote_text
from pipeline.whole_files import hash_file, sync

PUBLISHED_SCHEMAS = ("core", "marts", "qc", "meta")
KEPT_VERSIONS = 5


def find_served(workspace: Workspace, build_id: str) -> Pointer | None:
    """The version served now, if it is the build of that name and its file still has the bytes that it was published with.

    None for a damaged pointer too, and for one of an older program: a build is the way out of it. Raises NewerState.
    """
    try:
        pointer = read_pointer(workspace)
    except NewerState:
        raise
    except ConfigurationError:
        return None
    if pointer is None or pointer.build_id != build_id or is_older(pointer_path(workspace)):
        return None
    file = workspace.published / pointer.file
    return (
        pointer
        if file.is_file() and seen_files(workspace.warehouse).hash_file(file) == pointer.sha256
        else None
    )


def compact(build: Path, published: Path) -> None:
    """Copy the published schemas of a finished build into a new file, each table in the order of its first column.

    The order makes the content independent of threads; the copy leaves the working tables and their free space behind.
    """
    published.unlink(missing_ok=True)
    target = open_database(published)
    try:
        target.execute(f"attach {quote_text(str(build))} as build (read_only)")
        views = []
        for schema, name, is_view, sql in target.execute(
            """
            select schema_name, table_name, false, null from duckdb_tables() where database_name = 'build'
            union all
            select schema_name, view_name, true, sql from duckdb_views() where database_name = 'build' and not internal
            order by 1, 2
            """
        ).fetchall():
            if schema not in PUBLISHED_SCHEMAS:
                continue
            target.execute(f"create schema if not exists {quote(schema)}")
            if is_view:
                views.append(sql)
                continue
            relation = f"{quote(schema)}.{quote(name)}"
            target.execute(f"create table {relation} as select * from build.{relation} order by 1")
        target.execute("detach build")
        for sql in views:
            target.execute(sql)
        target.execute("checkpoint")
    finally:
        target.close()


def publish(
    workspace: Workspace,
    built: Path,
    build_id: str,
    as_of: datetime,
    published_at: datetime,
    versions: int = KEPT_VERSIONS,
) -> Pointer:
    """Move a compacted build under its name into the published folder and let the pointer name it.

    A crash before the last step leaves the version before it served; a crash after it leaves the new one. The build that a
    closed month rests on is never written over or removed; of the others the newest `versions` are kept. Raises
    ConfigurationError when the records of closed months are damaged.
    """
    pointer = Pointer(build_id, f"{build_id}.duckdb", "", _iso(as_of), _iso(published_at))
    return _serve(workspace, built, pointer, versions)


def publish_again(
    workspace: Workspace, built: Path, served: Pointer, name: str, versions: int = KEPT_VERSIONS
) -> Pointer:
    """Let the pointer name a file of the same build that holds more beside the same figures; `name` is a word of ours.

    The figures were published when the build was, so nothing but file and digest changes. Raises as `publish` does.
    """
    return _serve(workspace, built, replace(served, file=f"{served.build_id}.{name}.duckdb"), versions)


def _serve(workspace: Workspace, built: Path, arriving: Pointer, kept_versions: int) -> Pointer:
    of_record = {build.file: build.sha256 for build in read_history(workspace).builds().values()}
    workspace.published.mkdir(parents=True, exist_ok=True)
    file = workspace.published / arriving.file
    # The inputs of a month of record have come back: its file has these figures, and its bytes are on record.
    if not (file.name in of_record and file.is_file() and hash_file(file) == of_record[file.name]):
        sync(built)
        built.replace(file)
        sync(workspace.published)
    pointer = replace(arriving, sha256=seen_files(workspace.warehouse).hash_file(file, never_changes=True))
    note_publication(workspace, pointer)
    write_pointer(workspace, pointer)
    _remove_old_versions(workspace, file.name, of_record, kept_versions)
    return pointer


def _remove_old_versions(workspace: Workspace, keep: str, of_record: Collection[str], count: int) -> None:
    # A reader that still has an older file open keeps reading it: only its name goes.
    versions = [file for file in workspace.published.glob("*.duckdb") if file.name not in of_record]
    versions.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for file in versions[count:]:
        if file.name != keep:
            file.unlink()
    for path, pointer in list_publications(workspace):
        if not (workspace.published / pointer.file).exists():
            path.unlink()


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")

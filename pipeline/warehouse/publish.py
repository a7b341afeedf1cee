"""The published version: one closed, hashed database file per build, and a pointer that is changed in one step.

Readers open the file that the pointer names, by its own name, and keep it as long as they like: a published file never changes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline.errors import SlaError
from pipeline.settings import Workspace
from pipeline.warehouse.connection import open_database, quote

PUBLISHED_SCHEMAS = ("core", "marts", "qc", "meta")
KEPT_VERSIONS = 5


@dataclass(frozen=True)
class Pointer:
    """What warehouse/published/current.json says. `file` is a bare name in the same folder."""

    build_id: str
    file: str
    sha256: str
    as_of: str
    published_at: str


def read_pointer(workspace: Workspace) -> Pointer | None:
    """The version served now; None before the first build. Raises SlaError when the pointer is damaged."""
    path = workspace.published / "current.json"
    try:
        return Pointer(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as problem:
        raise SlaError(f"{path} is damaged: {problem}. Run `sla build` to write it again.") from problem


def find_served(workspace: Workspace, build_id: str) -> Pointer | None:
    """The version served now, if it is the build of that name and its file still has the bytes that it was published with.

    None for a damaged pointer too: a build is the way out of it.
    """
    try:
        pointer = read_pointer(workspace)
    except SlaError:
        return None
    if pointer is None or pointer.build_id != build_id:
        return None
    file = workspace.published / pointer.file
    return pointer if file.is_file() and hash_file(file) == pointer.sha256 else None


def compact(build: Path, published: Path) -> None:
    """Copy the published schemas of a finished build into a new file, each table in the order of its first column.

    The order makes the content independent of threads; the copy leaves the working tables and their free space behind.
    """
    published.unlink(missing_ok=True)
    target = open_database(published)
    try:
        target.execute(f"attach {_literal(str(build))} as build (read_only)")
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
    workspace: Workspace, built: Path, build_id: str, as_of: datetime, published_at: datetime
) -> Pointer:
    """Move a compacted build under its name into the published folder and let the pointer name it.

    A crash before the last step leaves the version before it served; a crash after it leaves the new one.
    """
    workspace.published.mkdir(parents=True, exist_ok=True)
    file = workspace.published / f"{build_id}.duckdb"
    _sync(built)
    built.replace(file)
    pointer = Pointer(build_id, file.name, hash_file(file), _iso(as_of), _iso(published_at))
    write_atomically(workspace.published / "current.json", json.dumps(pointer.__dict__, indent=2) + "\n")
    _remove_old_versions(workspace, keep=file.name)
    return pointer


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content in one step: a reader sees the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _remove_old_versions(workspace: Workspace, keep: str) -> None:
    # A reader that still has an older file open keeps reading it: only its name goes.
    versions = sorted(
        workspace.published.glob("*.duckdb"), key=lambda file: file.stat().st_mtime_ns, reverse=True
    )
    for file in versions[KEPT_VERSIONS:]:
        if file.name != keep:
            file.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _iso(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def _literal(text: str) -> str:
    # ATTACH takes no parameter; a quoted literal is the only way to hand it a path.
    return "'" + text.replace("'", "''") + "'"

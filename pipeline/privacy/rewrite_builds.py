"""Published files that closed months rest on, written again without what is forgotten.

The engine keeps bytes of changed rows in the file, so a file is never changed in place: its rows are changed in a copy, and the
copy is written into a new file. Records of closed months are never changed; `closed/rewritten.json` says where their builds are.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.ingest.landing.forgotten import FORGOTTEN, Forgotten
from pipeline.periods.records import KeptBuild, read_history, read_rewritten, write_rewritten
from pipeline.pointer import list_publications, note_publication, read_pointer, write_pointer
from pipeline.settings import Workspace
from pipeline.warehouse.connection import open_database, quote
from pipeline.warehouse.publish import PUBLISHED_SCHEMAS, compact
from pipeline.whole_files import hash_file, sync

# Ids and digests join rows and identify figures. A key that is made of an address changes as the address does.
_KEPT_ENDINGS = ("_id", "sha256")


def rewrite_builds(workspace: Workspace, forgotten: Forgotten) -> list[Path]:
    """Rewrite every build of record that holds something; the files that are gone. Killed anywhere, the records find the old file
    or the new one."""
    rewritten = read_rewritten(workspace)
    gone = []
    for build in read_history(workspace).builds().values():
        path = workspace.published / build.file
        name = f"{build.build_id}.forgotten-{forgotten.generation}.duckdb"
        if not path.is_file() or build.file == name:
            continue
        scratch = workspace.warehouse / "building"
        scratch.mkdir(parents=True, exist_ok=True)
        copy, arriving = scratch / "forgetting.duckdb", scratch / name
        shutil.copyfile(path, copy)
        if _forget(copy, forgotten):
            compact(copy, arriving)
            sync(arriving)
            target = workspace.published / name
            arriving.replace(target)
            sync(workspace.published)
            new = replace(build, file=name, sha256=hash_file(target))
            # Of a build that was rewritten before, the records still name the first file.
            was = {digest for digest, one in rewritten.items() if one == build} or {build.sha256}
            rewritten |= dict.fromkeys(was, new)
            write_rewritten(workspace, rewritten)
            _name_again(workspace, build.file, new)
            path.unlink()
            gone.append(path)
        copy.unlink()
    return gone


def _name_again(workspace: Workspace, file: str, new: KeptBuild) -> None:
    """Let the pointer, and what says when a build was published, name the new file where they name the old one."""
    pointer = read_pointer(workspace)
    if pointer is not None and pointer.file == file:
        write_pointer(workspace, replace(pointer, file=new.file, sha256=new.sha256))
    for _, publication in list_publications(workspace):
        if publication.file == file:
            note_publication(workspace, replace(publication, file=new.file, sha256=new.sha256))


def _forget(database: Path, forgotten: Forgotten) -> bool:
    connection = open_database(database)
    try:
        tickets = [
            ticket_id
            for ticket_id, source in connection.execute(
                "select ticket_id, source from core.dim_tickets"
            ).fetchall()
            if forgotten.has_ticket(source, ticket_id)
        ]
        changed = _forget_texts(connection, tickets)
        for schema, table, column in connection.execute(
            """
            select columns.schema_name, columns.table_name, columns.column_name
            from duckdb_columns() as columns
            join duckdb_tables() as tables using (schema_name, table_name)
            where columns.data_type = 'VARCHAR' and columns.database_name = current_database()
            order by 1, 2, 3
            """
        ).fetchall():
            if schema in PUBLISHED_SCHEMAS and not column.endswith(_KEPT_ENDINGS):
                changed = (
                    _replace(connection, f"{quote(schema)}.{quote(table)}", quote(column), forgotten)
                    or changed
                )
        connection.execute("checkpoint")
    finally:
        connection.close()
    return changed


def _forget_texts(connection: object, tickets: Sequence[str]) -> bool:
    import duckdb

    assert isinstance(connection, duckdb.DuckDBPyConnection)
    changed = False
    for table, column in (("core.dim_tickets", "subject"), ("core.dim_waivers", "reason")):
        [(count,)] = connection.execute(
            f"select count(*) from {table} where list_contains(?::varchar[], ticket_id) and {column} <> ?",
            [list(tickets), FORGOTTEN],
        ).fetchall()
        if count:
            connection.execute(
                f"update {table} set {column} = ? where list_contains(?::varchar[], ticket_id) and {column} is not null",
                [FORGOTTEN, list(tickets)],
            )
            changed = True
    return changed


def _replace(connection: object, relation: str, column: str, forgotten: Forgotten) -> bool:
    import duckdb

    assert isinstance(connection, duckdb.DuckDBPyConnection)
    values = connection.execute(
        f"select distinct {column} from {relation}"
        f" where len(list_filter(?::varchar[], lambda one: contains(lower({column}), lower(one)))) > 0",
        [list(forgotten.clear)],
    ).fetchall()
    pairs = [(value, forgotten.text(value)) for (value,) in values]
    pairs = [(value, again) for value, again in pairs if value != again]
    for value, again in pairs:
        connection.execute(f"update {relation} set {column} = ? where {column} = ?", [again, value])
    return bool(pairs)

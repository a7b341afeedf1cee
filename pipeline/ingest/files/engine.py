"""The engine of the process that reads: in memory, in UTC, without files and without network."""

from __future__ import annotations

from datetime import datetime

import duckdb

from pipeline.ingest.files.limits import ENGINE_MEMORY

INSTANT_SHAPE = r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d([.,]\d{1,9})?"
ZONE_SHAPE = r" ?(Z|z|[+-](0\d|1[0-4])(:?[0-5]\d)?)"


def quote(text: str) -> str:
    """A constant of ours as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


# Two-step instants: nearly all are 20 characters ending in Z, which needs no regular expression.
_MACROS = f"""
create macro utc_instant(written) as date_trunc('second', case
    when length(written) = 20 and suffix(written, 'Z') and written[12:13] <> '24'
    then try_cast(written as timestamp)
    when regexp_full_match(written, {quote(INSTANT_SHAPE + ZONE_SHAPE)})
    then try_cast(replace(replace(written, ',', '.'), 'z', 'Z') as timestamptz)::timestamp
end)
"""


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory engine that reaches neither files nor network, in UTC. Its cursors are alike, and share nothing else."""
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "allow_community_extensions": "false",
            "memory_limit": ENGINE_MEMORY,
            # What does not fit is refused: rows of a customer are not spread over a disk.
            "temp_directory": "",
            # Rows come from memory, which an engine reads with one thread whatever it has.
            "threads": "1",
        }
    )
    connection.execute("set global TimeZone = 'UTC'")
    connection.execute("set enable_external_access = false")
    connection.execute(_MACROS)
    return connection


def limit_instants(connection: duckdb.DuckDBPyConnection, latest: datetime) -> None:
    """Let `latest_instant()` be the last instant (naive UTC) that a record of the file at hand can have."""
    connection.execute(
        f"create or replace macro latest_instant() as timestamp {quote(f'{latest:%Y-%m-%d %H:%M:%S}')}"
    )

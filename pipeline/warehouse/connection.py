"""Connections to database files, hardened: no extension is fetched, no host time zone is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# Autoloading would reach for the network; the community's extensions have no maintainer that we know.
HARDENING = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}

# Beside the database of a build, so it is gone with the folder of the build, also after a build that was killed.
SPILL = "spill"


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a database file for writing, creating it when it is not there. What does not fit into the engine's memory goes to
    files beside it.
    """
    import duckdb

    from pipeline.engine_memory import engine_memory, engine_threads, operator_memory

    config = HARDENING | {
        "memory_limit": f"{engine_memory()}B",
        "temp_directory": str(path.with_name(SPILL)),
        # What a run that was ended leaves is made again, so no commit waits for the disk; what is kept is synced whole.
        "fsync_mode": "NONE",
    }
    connection = duckdb.connect(str(path), config=dict(config))
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set operator_memory_limit = '{operator_memory()}B'")
    connection.execute(f"set threads = {engine_threads()}")
    return connection


def quote_text(text: str) -> str:
    """A text, quoted for SQL: for ATTACH, which takes no parameter."""
    return "'" + text.replace("'", "''") + "'"


def quote(name: str) -> str:
    """An identifier, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'

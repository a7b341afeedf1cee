"""Views over landed Parquet files, with the columns of the landed tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def create_landed_view(
    connection: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], files: Sequence[str]
) -> None:
    """Create the view `raw.<table>` over these files, or an empty one over none; the schema is there.

    `files` are names relative to the folder of the landed batches, in which the process stands: a workspace's own path is text
    that must not be read as SQL or as a glob.
    """
    selected = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in columns.items())
    if not files:
        nothing = ", ".join(f'cast(null as {kind}) as "{name}"' for name, kind in columns.items())
        connection.execute(f"create view raw.{table} as select {nothing} where false")
        return
    # Constant table names and hexadecimal hashes: nothing in this list was written by a user.
    listed = ", ".join(f"'{file}'" for file in files)
    # A batch that landed before a column was added does not have it, and need not land again for it.
    read = f"read_parquet([{listed}], union_by_name = true)"
    present = {name for name, *_ in connection.execute(f"describe select * from {read}").fetchall()}
    absent = "".join(
        f', cast(null as {kind}) as "{name}"' for name, kind in columns.items() if name not in present
    )
    connection.execute(f"create view raw.{table} as select {selected} from (select *{absent} from {read})")

"""Where a form puts what it reads: the landing's side of the border, as seen from here."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa

from pipeline.ingest.files.refused import Refused


class RowWriter(Protocol):
    """Takes the rows of one file. `shape`: what the manifest is to remember of the file's columns."""

    rows_refused: int
    shape: dict[str, Any] | None

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows of a landed table; they have its columns except source, batch_id and source_file."""

    def refuse(self, refused: list[Refused]) -> None:
        """Put records into quarantine, one row each."""

    def earlier_shape(self, file: str) -> dict[str, Any] | None:
        """The shape of the last file of this kind that landed before; None for the first."""

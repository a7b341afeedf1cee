"""What would land, without landing it: `sla ingest --dry-run`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from pipeline.errors import InputRejected, Problem
from pipeline.ingest.files.exports import Export, ExportChanging
from pipeline.ingest.landing.find_exports import find_exports, is_unfinished
from pipeline.ingest.landing.landing_child import LandingChild
from pipeline.ingest.landing.reader import is_landed
from pipeline.ingest.landing.write_batch import BatchWriter
from pipeline.ingest.tables import LINEAGE
from pipeline.settings import Workspace, read_clock

if TYPE_CHECKING:
    from pipeline.rules.load_sources import SourcesConfig
    from pipeline.rules.source import Source

# Of the lineage, only the line says something while one file is looked at.
_HIDDEN = frozenset(LINEAGE) - {"line_number"}


@dataclass(frozen=True)
class PreviewedTable:
    """The first rows of one table as they would land, every value as text or None; `rows_in_all` counts all of them."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | None, ...], ...]
    rows_in_all: int


@dataclass(frozen=True)
class Preview:
    """What would become of one file. `rows_read` = `rows_landed` + `rows_rejected`; nothing was written.

    `already_landed`: a landing would change nothing; its rows are shown too. `would_be_left`: it is still being written.
    """

    file: str
    source: str
    status: Literal["would_land", "already_landed", "would_be_left", "would_be_rejected"]
    rows_read: int
    rows_landed: int
    rows_rejected: int
    tables: tuple[PreviewedTable, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


@dataclass
class PreviewWriter(BatchWriter):
    """Keeps the first rows of every table and writes nothing."""

    row_count: int = 10
    first: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def _append(self, table: str, columns: dict[str, str], rows: pa.Table) -> None:
        kept = self.first.setdefault(table, [])
        kept += rows.slice(0, max(0, self.row_count - len(kept))).to_pylist()

    def tables(self) -> list[dict[str, Any]]:
        """The kept rows as JSON can say them, columns in which nothing stands left out."""
        found = []
        for table, rows in sorted(self.first.items()):
            names = [name for name in (rows[0] if rows else ()) if name not in _HIDDEN]
            shown = [name for name in names if any(row[name] is not None for row in rows)]
            in_all = self.rows.get(table, self.rows_refused)
            texts = [[_text(row[name]) for name in shown] for row in rows]
            found.append({"table": table, "columns": shown, "rows": texts, "rows_in_all": in_all})
        return found


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def preview_exports(
    workspace: Workspace,
    config: SourcesConfig,
    paths: Sequence[Path] | None,
    source: str | None,
    row_count: int,
    *,
    child: LandingChild | None = None,
) -> list[Preview]:
    """The first rows of the given files, or of everything in the inbox, and the records that would be refused.

    Every file is read to its end, so the counts are those of a landing. Raises ConfigurationError as `land_exports`.
    """
    found = find_exports(workspace, config.sources, paths, source)
    with ExitStack() as stack:
        reader = child or stack.enter_context(LandingChild())
        previews = [
            preview
            for export in found.exports
            for preview in _preview_file(workspace, config.sources[export.source], export, row_count, reader)
        ]
    strays = [Preview(stray.file, "", "would_be_rejected", 0, 0, 0, (), (stray,)) for stray in found.strays]
    return [*previews, *strays]


def _preview_file(
    workspace: Workspace, source: Source, found: Export, row_count: int, child: LandingChild
) -> list[Preview]:
    export = replace(found, encoding=getattr(source, "encoding", None) or "utf-8")
    try:
        if is_unfinished(export):
            raise ExportChanging(export)
        members = child.list_members(export)
    except InputRejected as refusal:
        return [_rejected(export, refusal)]
    return [_preview(workspace, source, member, row_count, child) for member in members]


def _preview(
    workspace: Workspace, source: Source, export: Export, row_count: int, child: LandingChild
) -> Preview:
    try:
        identity = child.identify(export)
        answer = child.preview(
            workspace, source, export, identity, row_count, read_clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    except InputRejected as refusal:
        return _rejected(export, refusal)
    rows_read, rows_refused = answer["rows_read"], answer["rows_refused"]
    status: Literal["would_land", "already_landed", "would_be_rejected"] = "would_land"
    if rows_read and rows_read == rows_refused:
        status = "would_be_rejected"
    elif is_landed(workspace, source, identity.batch_id):
        status = "already_landed"
    return Preview(
        export.given,
        export.source,
        status,
        rows_read,
        rows_read - rows_refused,
        rows_refused,
        tuple(
            PreviewedTable(
                one["table"], tuple(one["columns"]), tuple(map(tuple, one["rows"])), one["rows_in_all"]
            )
            for one in answer["tables"]
        ),
        tuple(Problem(**one) for one in answer["problems"]),
        tuple(Problem(**one) for one in answer["warnings"]),
    )


def _rejected(export: Export, refusal: InputRejected) -> Preview:
    rows = refusal.rows_read
    status: Literal["would_be_left", "would_be_rejected"] = (
        "would_be_left" if isinstance(refusal, ExportChanging) else "would_be_rejected"
    )
    return Preview(export.given, export.source, status, rows, 0, rows, (), refusal.problems)

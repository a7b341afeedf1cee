"""What happens to one file inside the child: listed, hashed, read, judged, written under temporary names."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipeline.errors import InputRejected, SlaError
from pipeline.ingest.files.engine import connect, limit_instants
from pipeline.ingest.files.exports import (
    Export,
    ExportChanging,
    Fingerprint,
    check_is_complete,
    fingerprint,
    read_start,
    reject,
)
from pipeline.ingest.files.limits import FUTURE_ALLOWED, OUTPUT_RATIO, ROWS
from pipeline.ingest.files.read_archive import list_members
from pipeline.ingest.forms.canonical import land_canonical
from pipeline.ingest.forms.freshdesk import land_freshdesk
from pipeline.ingest.forms.jira import land_jira
from pipeline.ingest.forms.landed_rows import Horizon
from pipeline.ingest.forms.mapped import land_mapped
from pipeline.ingest.forms.servicenow import land_servicenow
from pipeline.ingest.forms.zendesk import land_zendesk
from pipeline.ingest.landing.write_batch import BatchWriter
from pipeline.settings import Workspace

if TYPE_CHECKING:
    from pipeline.rules.source import Source

_LAND = {
    "canonical": land_canonical,
    "zendesk": land_zendesk,
    "servicenow": land_servicenow,
    "jira": land_jira,
    "freshdesk": land_freshdesk,
    "mapped": land_mapped,
}

_FEW_RECORDS = 10_000


class ContentWriter:
    """Does the child's jobs with one engine. Every answer is made of what JSON can say."""

    def __init__(self, on_rows: Callable[[int], None]) -> None:
        self._on_rows = on_rows
        self._engine = connect()

    def list_members(self, export: Export) -> list[tuple[int | None, str, str]]:
        return [(member.member, member.name, member.given) for member in list_members(export)]

    def identify(self, export: Export) -> dict[str, Any]:
        check_is_complete(export)
        return asdict(fingerprint(export))

    def write(
        self,
        workspace: Workspace,
        source: Source,
        export: Export,
        identity: Fingerprint,
        file_stem: str,
        landed_at: str,
    ) -> dict[str, Any]:
        writer = BatchWriter(
            workspace,
            identity.batch_id,
            file_stem,
            export.source,
            export.name,
            lambda rows: self._count(export, rows),
        )
        try:
            rows_read, warnings = self._read(export, source, writer, landed_at)
            if rows_read and rows_read == writer.rows_refused:
                raise _refuse_all(export, writer)
            # What was hashed is what was read, or the batch would have another content's name.
            if not identity.is_still(export.path):
                raise ExportChanging(export)
            writer.finish()
        except OSError as problem:
            writer.discard()
            if problem.errno == errno.EFBIG:
                reason = f"its landed rows take more than {OUTPUT_RATIO} times its own bytes."
                raise reject(export, reason, "Export shorter periods.") from problem
            raise SlaError(
                f"{export.name} could not be landed: {problem.strerror or problem}. Nothing of it was kept; "
                "make room or correct the permissions of the warehouse, then run again."
            ) from problem
        except BaseException:
            writer.discard()
            raise
        return {
            "rows_read": rows_read,
            "rows_refused": writer.rows_refused,
            "tables": dict(sorted(writer.rows.items())),
            "problems": [asdict(problem) for problem in writer.problems],
            "warnings": [asdict(problem) for problem in warnings],
            "shape": writer.shape,
        }

    def preview(
        self,
        workspace: Workspace,
        source: Source,
        export: Export,
        identity: Fingerprint,
        row_count: int,
        landed_at: str,
    ) -> dict[str, Any]:
        from pipeline.ingest.landing.preview import PreviewWriter

        writer = PreviewWriter(
            workspace,
            identity.batch_id,
            identity.batch_id,
            export.source,
            export.name,
            lambda rows: self._count(export, rows),
            row_count=row_count,
        )
        rows_read, warnings = self._read(export, source, writer, landed_at)
        return {
            "rows_read": rows_read,
            "rows_refused": writer.rows_refused,
            "tables": writer.tables(),
            "problems": [asdict(problem) for problem in writer.problems],
            "warnings": [asdict(problem) for problem in warnings],
        }

    def keep(self, workspace: Workspace, export: Export, identity: Fingerprint) -> None:
        from pipeline.ingest.landing.copies import keep_copy

        keep_copy(workspace, export, identity.batch_id)

    def describe_columns(self, export: Export) -> dict[str, Any]:
        from pipeline.ingest.forms.describe_columns import describe_columns

        return describe_columns(export)

    def _read(
        self, export: Export, source: Source, writer: BatchWriter, landed_at: str
    ) -> tuple[int, list[Any]]:
        is_small = False
        # A helpdesk's clock and this one may differ by some minutes; nothing in an export lies further in the future.
        latest = datetime.fromisoformat(landed_at).replace(tzinfo=None) + FUTURE_ALLOWED
        limit_instants(self._engine, latest)
        Horizon.latest = latest
        try:
            # What a file leaves behind (registered lines, temporary tables) goes with the cursor.
            with self._engine.cursor() as cursor:
                found = _LAND[source.source_type](export, read_start(export), source, cursor, writer)
            is_small = found[0] <= _FEW_RECORDS
            return found
        except (duckdb.OutOfMemoryException, pa.ArrowMemoryError) as problem:
            raise MemoryError from problem
        finally:
            # An engine holds on to the memory that it used; making one takes longer than landing a small file.
            if not is_small:
                self._engine.close()
                self._engine = connect()

    def _count(self, export: Export, rows: int) -> None:
        if rows > ROWS:
            raise reject(export, f"the file has more than {ROWS:,} records.", "Export shorter periods.")
        self._on_rows(rows)


def _refuse_all(export: Export, writer: BatchWriter) -> InputRejected:
    whole = reject(
        export,
        f"none of its {writer.rows_refused} records can be used.",
        "Check that this is the export of this source, and the source's settings in sla.yml.",
    )
    whole.problems = (*whole.problems, *writer.problems)[:20]
    whole.rows_read = writer.rows_refused
    return whole

"""Files that hold texts of forgotten tickets and are not rewritten: exports, documents, messages, caches."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.delivery.ledger import Ledger
from pipeline.ingest.landing.copies import copy_path
from pipeline.ingest.landing.forgotten import FORGOTTEN, Forgotten
from pipeline.ingest.landing.manifest import Batch
from pipeline.privacy.search_files import find_values
from pipeline.reporting.render_report import file_stem
from pipeline.settings import Workspace
from pipeline.whole_files import write_whole

_RECIPIENT = re.compile(rf";?\s*{FORGOTTEN}-[0-9a-f]{{12}}@[^;,\"\n]*")


def list_exports(
    workspace: Workspace, batches: Collection[Batch], affected: Collection[str], values: Sequence[str]
) -> list[Path]:
    """The landed exports to remove: those of the affected batches (ids), and those in which a value stands. Only files of the
    workspace; what has not landed yet stays, because it is the only copy."""
    found = set()
    for batch in batches:
        copy = copy_path(workspace, batch.batch_id)
        given = _find_given(workspace, batch)
        for path in (copy, given):
            if (
                path is not None
                and path.is_file()
                and (batch.batch_id in affected or find_values(path, values))
            ):
                found.add(path)
    # The same content under another name has landed too.
    digests = {batch.file_sha256 for batch in batches if batch.batch_id in affected}
    for path in workspace.inbox.rglob("*"):
        if path.is_file() and path not in found and hashlib.sha256(path.read_bytes()).hexdigest() in digests:
            found.add(path)
    return sorted(found)


def _find_given(workspace: Workspace, batch: Batch) -> Path | None:
    """The file of the inbox that a batch was read from; a member of an archive stands for its archive."""
    path = workspace.root / batch.file
    for one in (path, *path.parents):
        if one == workspace.root:
            break
        if one.is_file() and one.is_relative_to(workspace.root):
            return one
    return None


def list_reports(workspace: Workspace, customer_ids: Collection[str]) -> list[Path]:
    """Documents of these customers in reports/, the managers' documents, and the messages of the channel `eml`."""
    stems = tuple(file_stem(customer_id, "") for customer_id in customer_ids)
    found = {
        path
        for path in workspace.reports.rglob("*")
        if path.is_file() and (path.name.startswith(stems) or path.name.startswith("managers-"))
    }
    for entry in Ledger(workspace, counts=False).entries:
        if entry.key.customer_id in customer_ids:
            found |= set(workspace.outbox.glob(f"{entry.key.period}-{entry.key.digest()[:16]}*.eml"))
    return sorted(found)


def remove(paths: Iterable[Path]) -> list[Path]:
    """Remove files; those that were there. Raises OSError."""
    gone = []
    for path in paths:
        if path.is_file():
            path.unlink()
            gone.append(path)
    return gone


def remove_caches(workspace: Workspace) -> None:
    """What a build makes again: rows kept for the next build, dbt's scratch, a build that was ended."""
    for name in ("kept", "dbt", "building"):
        shutil.rmtree(workspace.warehouse / name, ignore_errors=True)


def rewrite_settings(
    workspace: Workspace, forgotten: Forgotten, ticket_ids: Collection[str], customer_ids: Collection[str]
) -> Iterator[Path]:
    """Take the values out of reference tables, access.yml and sla.yml; the files that changed."""
    for path in sorted(workspace.reference.glob("*.csv")):
        before = path.read_bytes()
        text = before.decode("utf-8-sig", "surrogateescape")
        again = _rewrite_table(path.stem, text, forgotten, ticket_ids, customer_ids)
        if again != text:
            mark = b"\xef\xbb\xbf" if before.startswith(b"\xef\xbb\xbf") else b""
            write_whole(path, mark + again.encode("utf-8", "surrogateescape"))
            yield path
    for path in [workspace.sla_yml, *sorted(workspace.reference.rglob("*.yml"))]:
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="surrogateescape")
            again = forgotten.text(text)
            if again != text:
                write_whole(path, again.encode("utf-8", "surrogateescape"))
                yield path


def _rewrite_table(
    name: str, text: str, forgotten: Forgotten, ticket_ids: Collection[str], customer_ids: Collection[str]
) -> str:
    """The table with the same rows; lines of which nothing changes keep their bytes, comments too."""
    lines = text.splitlines(keepends=True)
    comments = [line for line in lines if line.startswith("#")]
    rows = list(csv.reader(line for line in lines if not line.startswith("#")))
    if not rows:
        return text
    header = rows[0]
    changed = [header]
    for row in rows[1:]:
        cells = dict(zip(header, row, strict=False))
        again = [
            value if column.endswith("_id") else _rewrite_cell(name, column, value, forgotten)
            for column, value in zip(header, row, strict=False)
        ]
        free = {"waivers": "reason", "annotations": "note"}.get(name)
        is_theirs = (
            cells.get("ticket_id") in ticket_ids
            if name == "waivers"
            else cells.get("customer_id") in customer_ids
        )
        if free in header and is_theirs and cells.get(free):
            again[header.index(free)] = FORGOTTEN
        changed.append([*again, *row[len(header) :]])
    if changed == rows:
        return text
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(changed)
    return "".join(comments) + out.getvalue()


def _rewrite_cell(table: str, column: str, value: str, forgotten: Forgotten) -> str:
    again = forgotten.text(value)
    if column == "report_recipients" and again != value:
        # Nothing is mailed to an address that stands for a forgotten one.
        return _RECIPIENT.sub("", again).lstrip("; ")
    return again

"""Writing editions: a closed one is rendered once, kept by its content, and from then on copied byte for byte.

A newer release of the program may draw a page differently; what was issued stays as it was issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.periods.editions import Issue
from pipeline.periods.records import closed_folder
from pipeline.reporting.published import EVERY_CUSTOMER, open_of_record
from pipeline.reporting.render_report import (
    RenderedReport,
    ReportFiles,
    file_stem,
    render_documents,
    write_documents,
)
from pipeline.settings import Workspace
from pipeline.whole_files import hash_file, seal, unseal, write_whole

_ENDINGS = ("pdf", "csv", "xlsx")


@dataclass(frozen=True)
class Issued:
    """An edition whose documents are on record: kind of document (pdf, csv, xlsx) -> SHA-256 of its bytes."""

    report_number: str
    customer_id: str
    month: str
    digests: dict[str, str]


def list_issued(workspace: Workspace) -> list[Issued]:
    """Every edition that was written so far, by report number. Raises ConfigurationError for a damaged record."""
    return [_read_record(path) for path in sorted((closed_folder(workspace) / "issued").glob("*.json"))]


def issue_report(workspace: Workspace, issue: Issue, out_dir: Path) -> ReportFiles:
    """Write the PDF, CSV and XLSX of one edition into `out_dir`, which is created.

    Raises what `render_report` raises, and ConfigurationError when a kept document is damaged or missing.
    """
    if issue.edition.state != "closed":
        return write_documents(_render(workspace, issue), out_dir, name_files(issue))
    digests = _read_issued(workspace, issue)
    if digests is None:
        digests = _keep(workspace, issue)
    contents = {ending: _read_document(workspace, issue, digests[ending], ending) for ending in _ENDINGS}
    return write_documents(
        RenderedReport(issue.customer_id, issue.edition.report_number, contents), out_dir, name_files(issue)
    )


def name_files(issue: Issue) -> str:
    """What the files of an edition are called, without the ending: a correction never takes the name of its original."""
    stem = file_stem(issue.customer_id, issue.month)
    version = issue.edition.report_number.split("-", 4)[4:]
    return "-".join([stem, *version]) if issue.edition.state == "closed" else stem


def _render(workspace: Workspace, issue: Issue) -> RenderedReport:
    with open_of_record(workspace, issue.build, issue.history) as published:
        return render_documents(published, EVERY_CUSTOMER, issue.customer_id, issue.month, issue.edition)


def _keep(workspace: Workspace, issue: Issue) -> dict[str, str]:
    """Render an edition for the first time: its documents first, then the record that names them."""
    documents = _render(workspace, issue)
    digests = documents.digests
    for ending, content in documents.contents.items():
        path = _document_path(workspace, digests[ending], ending)
        if not path.exists():
            write_whole(path, content)
    record = {
        "report_number": issue.edition.report_number,
        "customer_id": issue.customer_id,
        "month": issue.month,
        "build_id": issue.build.build_id,
        **{f"{ending}_sha256": digest for ending, digest in digests.items()},
    }
    write_whole(_issued_path(workspace, issue), seal(record))
    return digests


def _read_issued(workspace: Workspace, issue: Issue) -> dict[str, str] | None:
    path = _issued_path(workspace, issue)
    return _read_record(path).digests if path.exists() else None


def _read_record(path: Path) -> Issued:
    try:
        record = unseal(path.read_bytes(), needs_seal=True)
        digests = {ending: str(record[f"{ending}_sha256"]) for ending in _ENDINGS}
        return Issued(record["report_number"], record["customer_id"], record["month"], digests)
    except (ValueError, TypeError, KeyError) as problem:
        raise ConfigurationError(
            f"{path} is damaged, so which documents were issued as {path.stem} is not known: {problem}. Restore it from a backup."
        ) from problem


def _read_document(workspace: Workspace, issue: Issue, digest: str, ending: str) -> bytes:
    path = _document_path(workspace, digest, ending)
    if not path.is_file() or hash_file(path) != digest:
        raise ConfigurationError(
            f"{path}, the {ending.upper()} of {issue.edition.report_number} as it was issued, is damaged or missing. "
            "Restore it from a backup; it is not rendered again, because another release might draw it differently."
        )
    return path.read_bytes()


def _issued_path(workspace: Workspace, issue: Issue) -> Path:
    return closed_folder(workspace) / "issued" / f"{issue.edition.report_number}.json"


def _document_path(workspace: Workspace, digest: str, ending: str) -> Path:
    return closed_folder(workspace) / "documents" / f"{digest}.{ending}"

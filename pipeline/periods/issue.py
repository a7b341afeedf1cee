"""Writing editions: a closed one is rendered once, kept by its content, and from then on copied byte for byte.

A newer release of the program may draw a page differently; what was issued stays as it was issued.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.errors import ConfigurationError, SlaError
from pipeline.periods.editions import Issue, find_issues
from pipeline.periods.records import closed_folder
from pipeline.reporting.edition import Edition
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_reports
from pipeline.reporting.published import (
    EVERY_CUSTOMER,
    Published,
    Scope,
    Selection,
    check_selection,
    open_of_record,
    open_published,
)
from pipeline.reporting.render_report import (
    RenderedReport,
    ReportFiles,
    file_stem,
    render_documents,
    write_documents,
)
from pipeline.settings import Workspace
from pipeline.state_version import seal_state, unseal_state
from pipeline.whole_files import hash_file, write_whole

_ENDINGS = ("pdf", "csv", "xlsx")


@dataclass(frozen=True)
class Issued:
    """An edition whose documents are on record: kind of document (pdf, csv, xlsx) -> SHA-256 of its bytes."""

    report_number: str
    customer_id: str
    month: str
    digests: dict[str, str]
    # Those of documents that were removed because they held what was forgotten since. Empty digests: not rendered again yet.
    replaced: tuple[dict[str, str], ...] = ()


def list_issued(workspace: Workspace) -> list[Issued]:
    """Every edition that was written so far, by report number. Raises ConfigurationError for a damaged record."""
    return [_read_record(path) for path in sorted((closed_folder(workspace) / "issued").glob("*.json"))]


def issue_report(workspace: Workspace, issue: Issue, out_dir: Path) -> ReportFiles:
    """Write the PDF, CSV and XLSX of one edition into `out_dir`, which is created.

    Raises what `render_report` raises, and ConfigurationError when a kept document is damaged or missing.
    """
    with Builds(workspace) as builds:
        [written] = issue_batch(builds, [issue], out_dir)
    if isinstance(written, SlaError):
        raise written
    return written


def read_documents(
    workspace: Workspace, scope: Scope, customer_id: str, month: str
) -> tuple[Edition, dict[str, bytes]]:
    """The edition of record of one customer's month and its documents, by file name: the bytes that `sla report` writes.

    Raises ConfigurationError for a customer that does not exist or is out of scope, which cannot be distinguished, or that has
    nothing in the month; and what `issue_report` raises.
    """
    with open_published(workspace, verifies=True) as published:
        check_selection(published, scope, Selection(customer_ids=(customer_id,), months=(month,)))
    [issue] = find_issues(workspace, month, [customer_id])
    with TemporaryDirectory() as folder:
        files = issue_report(workspace, issue, Path(folder))
        contents = {path.name: path.read_bytes() for path in (files.pdf, files.csv, files.xlsx)}
    return issue.edition, contents


def issue_batch(builds: Builds, issues: Sequence[Issue], out_dir: Path) -> Iterator[ReportFiles | SlaError]:
    """The files of each of some editions of one month that are read from the same build, in their order, or why one could not be
    written. Each table is read once for all of them, when the first of them has to be rendered."""
    workspace = builds.workspace
    reports: dict[str, MonthlyReport | SlaError] | None = None
    for issue in issues:
        try:
            if needs_rendering(workspace, issue):
                if reports is None:
                    reports = builds.read_reports(
                        [each for each in issues if needs_rendering(workspace, each)]
                    )
                report = reports[issue.customer_id]
                if isinstance(report, SlaError):
                    raise report
                documents = render_documents(report, issue.edition)
                if issue.edition.state != "closed":
                    yield write_documents(documents, out_dir, name_files(issue))
                    continue
                _keep(workspace, issue, documents)
            yield write_documents(_read_kept(workspace, issue), out_dir, name_files(issue))
        except SlaError as problem:
            yield problem


def needs_rendering(workspace: Workspace, issue: Issue) -> bool:
    """Whether there are no documents of an edition yet: those of a closed one are made once."""
    path = _issued_path(workspace, issue)
    return issue.edition.state != "closed" or not path.exists() or not _read_record(path).digests


class Builds:
    """The build that editions are read from, open as long as the next edition is read from the same one. Use it in a `with`
    block."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._open: tuple[Issue, Published] | None = None

    def __enter__(self) -> Builds:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def read_reports(self, issues: Sequence[Issue]) -> dict[str, MonthlyReport | SlaError]:
        """By customer what each edition says, or why it cannot be told. They are of one month and one build."""
        first = issues[0]
        if self._open is None or not is_read_with(self._open[0], first):
            self._close()
            self._open = (first, open_of_record(self.workspace, first.build, first.history))
        customer_ids = [issue.customer_id for issue in issues]
        return read_monthly_reports(self._open[1], EVERY_CUSTOMER, customer_ids, first.month)

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None


def is_read_with(issue: Issue, other: Issue) -> bool:
    """Whether two editions are read from the same build, with the same months closed beside it."""
    return issue.build == other.build and issue.history == other.history


def name_files(issue: Issue) -> str:
    """What the files of an edition are called, without the ending: a correction never takes the name of its original."""
    stem = file_stem(issue.customer_id, issue.month)
    version = issue.edition.report_number.split("-", 4)[4:]
    return "-".join([stem, *version]) if issue.edition.state == "closed" else stem


def _keep(workspace: Workspace, issue: Issue, documents: RenderedReport) -> None:
    """Put an edition on record: its documents first, then the record that names them."""
    digests = documents.digests
    for ending, content in documents.contents.items():
        path = _document_path(workspace, digests[ending], ending)
        if not path.exists():
            write_whole(path, content)
    record: dict[str, Any] = {
        "report_number": issue.edition.report_number,
        "customer_id": issue.customer_id,
        "month": issue.month,
        "build_id": issue.build.build_id,
        **{f"{ending}_sha256": digest for ending, digest in digests.items()},
    }
    path = _issued_path(workspace, issue)
    replaced = _read_record(path).replaced if path.exists() else ()
    if replaced:
        record["replaced"] = list(replaced)
    write_whole(path, seal_state(record))


def remove_documents(workspace: Workspace, customer_ids: Collection[str]) -> list[Path]:
    """Remove the documents of every edition of these customers; they are rendered again from the build on record once asked for.

    Their digests stay, so that a copy is still known as issued. The caller holds the workspace's lock, and the builds are those
    to render from. What was removed.
    """
    removed = []
    for path in sorted((closed_folder(workspace) / "issued").glob("*.json")):
        issued = _read_record(path)
        if issued.customer_id not in customer_ids or not issued.digests:
            continue
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
        for ending in _ENDINGS:
            del record[f"{ending}_sha256"]
        record["replaced"] = [*issued.replaced, issued.digests]
        # The record first: killed behind it, the documents are leftovers that no record names.
        write_whole(path, seal_state(record))
    named = {digest for issued in list_issued(workspace) for digest in issued.digests.values()}
    for document in sorted((closed_folder(workspace) / "documents").glob("*.*")):
        if document.stem not in named:
            document.unlink()
            removed.append(document)
    return removed


def _read_kept(workspace: Workspace, issue: Issue) -> RenderedReport:
    """The documents of an edition on record, as they were issued."""
    digests = _read_record(_issued_path(workspace, issue)).digests
    contents = {ending: _read_document(workspace, issue, digests[ending], ending) for ending in _ENDINGS}
    return RenderedReport(issue.customer_id, issue.edition.report_number, contents)


def _read_record(path: Path) -> Issued:
    try:
        record = unseal_state(path.read_bytes(), path, needs_seal=True)
        replaced = tuple(dict(each) for each in record.get("replaced", ()))
        is_gone = bool(replaced) and "pdf_sha256" not in record
        digests = {} if is_gone else {ending: str(record[f"{ending}_sha256"]) for ending in _ENDINGS}
        return Issued(record["report_number"], record["customer_id"], record["month"], digests, replaced)
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

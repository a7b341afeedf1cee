"""Writes one customer's month: a PDF with its rows embedded, and the same rows as CSV and XLSX.

The template gets finished text as JSON and nothing else; what a customer wrote is never part of the template.
Same figures, same bytes: every date in the files is the as-of instant. A failure concerns one customer and names it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting import customer_rows
from pipeline.reporting.edition import Edition, number_draft
from pipeline.reporting.monthly_report import MonthlyReport, read_monthly_report
from pipeline.reporting.published import Published, Scope
from pipeline.reporting.report_content import Attachments, build_content, choose_language
from pipeline.reporting.typeset import typeset
from pipeline.reporting.workbook import to_workbook
from pipeline.whole_files import write_whole

TEMPLATE = "report.typ"


@dataclass(frozen=True)
class RenderedReport:
    """A report as its documents: ending (csv, xlsx, pdf) -> bytes."""

    customer_id: str
    report_number: str
    contents: dict[str, bytes]

    @property
    def digests(self) -> dict[str, str]:
        """Ending -> SHA-256 of the bytes, hexadecimal."""
        return {ending: hashlib.sha256(content).hexdigest() for ending, content in self.contents.items()}


@dataclass(frozen=True)
class ReportFiles:
    """The finished files and the SHA-256 of each, hexadecimal."""

    customer_id: str
    report_id: str
    pdf: Path
    csv: Path
    xlsx: Path
    pdf_sha256: str
    csv_sha256: str
    xlsx_sha256: str


def render_report(
    published: Published,
    scope: Scope,
    customer_id: str,
    month: str,
    out_dir: Path,
    edition: Edition | None = None,
) -> ReportFiles:
    """Writes PDF, CSV and XLSX of one customer's month into `out_dir`, which is created. Without an `edition` it is a draft.

    Raises ConfigurationError for an unknown customer or an empty month, StaleData where it would rest on a source that
    lags behind the others, ChecksFailed when the figures contradict each other, SlaError when the document cannot be
    made. Nothing half-written is ever left under a final name.
    """
    documents = render_documents(read_monthly_report(published, scope, customer_id, month), edition)
    return write_documents(documents, out_dir, file_stem(customer_id, month))


def render_documents(report: MonthlyReport, edition: Edition | None = None) -> RenderedReport:
    """The documents of what was read. Raises SlaError when one cannot be made."""
    edition = edition or draft_edition(report)
    customer_id, month = report.customer_id, report.month
    contents = {
        "csv": customer_rows.obligations_csv(report),
        "xlsx": to_workbook(report, edition),
        "pdf": compile_pdf(report, edition, file_stem(customer_id, month)),
    }
    return RenderedReport(customer_id, edition.report_number, contents)


def write_documents(documents: RenderedReport, out_dir: Path, stem: str) -> ReportFiles:
    """Writes each document as `<stem>.<ending>` into `out_dir`, which is created."""
    out_dir.mkdir(parents=True, exist_ok=True)
    paths = {ending: out_dir / f"{stem}.{ending}" for ending in documents.contents}
    for ending, path in paths.items():
        write_whole(path, documents.contents[ending])
    digests = documents.digests
    return ReportFiles(
        customer_id=documents.customer_id,
        report_id=documents.report_number,
        pdf=paths["pdf"],
        csv=paths["csv"],
        xlsx=paths["xlsx"],
        pdf_sha256=digests["pdf"],
        csv_sha256=digests["csv"],
        xlsx_sha256=digests["xlsx"],
    )


def draft_edition(report: MonthlyReport) -> Edition:
    """The edition of a month that is not closed."""
    number = number_draft(report.customer_id, report.month, report.build.build_id)
    return Edition("open" if report.is_partial else "provisional", number)


def file_stem(customer_id: str, month: str) -> str:
    """A file name for any customer id: readable, confined to one folder, and distinct for distinct ids."""
    plain = unicodedata.normalize("NFKD", customer_id).encode("ascii", "ignore").decode("ascii").lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "customer"
    # The slug alone is not distinct: 'Acme/EU' and 'ACME EU' share it.
    return f"{slug}-{hashlib.sha256(customer_id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}-{month}"


def compile_pdf(report: MonthlyReport, edition: Edition | None = None, stem: str | None = None) -> bytes:
    """The document as PDF/A-3a and PDF/UA-1 with the rows attached. Raises SlaError when it cannot be made."""
    stem = stem or file_stem(report.customer_id, report.month)
    attachments = Attachments(f"{stem}.csv", f"{stem}-movements.csv")
    content = build_content(report, edition or draft_edition(report), choose_language(report), attachments)
    attached = {
        attachments.obligations: customer_rows.obligations_csv(report),
        attachments.movements: customer_rows.movements_csv(report),
    }
    return typeset(
        TEMPLATE,
        content,
        attached,
        report.locale,
        report.as_of,
        f"of customer {report.customer_id!r} for {report.month}",
    )

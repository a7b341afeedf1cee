"""Writes the managers' month over all customers: a PDF with its rows embedded, and the same rows as CSV.

It is for the vendor's own people: it names customers, and is never delivered to one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pipeline.reporting.edition import Edition
from pipeline.reporting.managers_content import (
    PackAttachments,
    breaches_csv,
    build_pack_content,
    choose_pack_language,
    compliance_csv,
)
from pipeline.reporting.managers_pack import ManagersPack, read_managers_pack
from pipeline.reporting.published import Published, Scope
from pipeline.reporting.typeset import typeset
from pipeline.whole_files import write_whole

TEMPLATE = "managers.typ"


@dataclass(frozen=True)
class PackFiles:
    """The finished files and the SHA-256 of each, hexadecimal."""

    month: str
    report_id: str
    pdf: Path
    compliance_csv: Path
    breaches_csv: Path
    pdf_sha256: str
    compliance_csv_sha256: str
    breaches_csv_sha256: str


def render_pack(
    published: Published,
    scope: Scope,
    month: str,
    out_dir: Path,
    edition: Edition,
    locale: str | None = None,
    corrections: int = 0,
) -> PackFiles:
    """Writes the document and its two files of rows into `out_dir`, which is created. `corrections`: those of the month since it
    was closed.

    Raises ConfigurationError for a month outside the data, ChecksFailed when the figures contradict each other, SlaError when
    the document cannot be made. Nothing half-written is ever left under a final name.
    """
    pack = read_managers_pack(published, scope, month)
    attachments = name_attachments(month)
    contents = {
        f"{file_stem(month)}.pdf": compile_pack(pack, edition, locale, corrections),
        attachments.compliance: compliance_csv(pack),
        attachments.breaches: breaches_csv(pack),
    }
    out_dir.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_whole(out_dir / name, content)
    pdf, compliance, breaches = (out_dir / name for name in contents)
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    return PackFiles(month, edition.report_number, pdf, compliance, breaches, *digests)


def compile_pack(
    pack: ManagersPack, edition: Edition, locale: str | None = None, corrections: int = 0
) -> bytes:
    """The document as PDF/A-3a and PDF/UA-1 with the rows attached. Raises SlaError when it cannot be made."""
    attachments = name_attachments(pack.month)
    language = choose_pack_language(pack, locale)
    content = build_pack_content(pack, edition, language, attachments, corrections)
    attached = {attachments.compliance: compliance_csv(pack), attachments.breaches: breaches_csv(pack)}
    return typeset(TEMPLATE, content, attached, locale, pack.as_of, f"for managers of {pack.month}")


def file_stem(month: str) -> str:
    """What the files are called; no customer's file begins so and ends with a month."""
    return f"managers-{month}"


def name_attachments(month: str) -> PackAttachments:
    """The names of the files of rows, inside the document and beside it."""
    return PackAttachments(f"{file_stem(month)}-compliance.csv", f"{file_stem(month)}-breaches.csv")

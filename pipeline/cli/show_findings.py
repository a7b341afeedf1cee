"""Findings, and the helpdesks' own figures beside ours, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.cli.tables import LEFT, RIGHT, TextTable, signed
from pipeline.reporting import figures
from pipeline.reporting.findings import Findings, VendorFigure


def findings_tables(found: Findings) -> tuple[TextTable, ...]:
    """How many there are of each kind, then each with what shows it and what it did to the figures."""
    total = (("total", "", str(len(found.rows))),) if found.rows else ()
    counts = tuple((row.finding, row.finding_label, str(row.finding_count)) for row in found.counts)
    rows = tuple(
        (
            row.finding,
            row.customer_id or "–",
            row.ticket_id or "–",
            row.evidence,
            row.effect,
            f"{row.source_file}:{row.line_number}" if row.source_file else "–",
        )
        for row in found.rows
    )
    columns = (
        ("finding", LEFT), ("customer", LEFT), ("ticket", LEFT), ("evidence", LEFT), ("did to the figures", LEFT),
        ("source", LEFT),
    )  # fmt: skip
    notes = (
        "Findings are suspicious, not wrong: the figures are published with them.",
        f"As of {figures.instant(found.as_of)}.",
    )
    heads = (("finding", LEFT), ("what it is", LEFT), ("count", RIGHT))
    summary = TextTable("Findings by kind", heads, (*counts, *total), notes)
    return (summary, TextTable("Findings", columns, rows)) if rows else (summary,)


def vendor_figures_table(compared: Sequence[VendorFigure]) -> TextTable:
    """One line per figure of the helpdesk that has one of ours beside it."""

    def say(seconds: int | None, is_breached: bool | None) -> str:
        said = [] if seconds is None else [("-" if seconds < 0 else "") + figures.duration(abs(seconds))]
        said += [] if is_breached is None else ["breached" if is_breached else "met"]
        return ", ".join(said) or "–"

    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation),
            row.figure or "–",
            say(row.they_seconds, row.they_breached),
            say(row.our_seconds, row.we_breached),
            "–" if row.difference_seconds is None else f"{signed(row.difference_seconds)} s",
            row.reason_label,
        )
        for row in compared
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("their figure", LEFT), ("they say", RIGHT),
        ("we say", RIGHT), ("difference", RIGHT), ("why", LEFT),
    )  # fmt: skip
    counts = Counter(row.reason_label for row in compared)
    notes = tuple(
        f"{label}: {count}." for label, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return TextTable("The helpdesks' own figures beside ours", columns, rows, notes)

"""Findings, and the helpdesks' own figures beside ours, as tables."""

from __future__ import annotations

from collections import Counter

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.reporting import figures
from pipeline.reporting.findings import Findings, VendorFigures


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


def vendor_figures_tables(compared: VendorFigures) -> tuple[TextTable, ...]:
    """The differences grouped by cause and time, then one line per figure of the helpdesk."""

    def say(seconds: int | None, is_breached: bool | None) -> str:
        said = [] if seconds is None else [("-" if seconds < 0 else "") + figures.duration(abs(seconds))]
        said += [] if is_breached is None else ["breached" if is_breached else "met"]
        return ", ".join(said) or "–"

    def spread(least: int | None, greatest: int | None) -> str:
        if least is None or greatest is None:
            return "–"
        return (
            f"{figures.signed(least)} s"
            if least == greatest
            else f"{figures.signed(least)} to {figures.signed(greatest)} s"
        )

    rows = tuple(
        (
            row.ticket_id,
            row.customer_id or "–",
            figures.words(row.obligation) if row.obligation else "–",
            row.figure or "–",
            say(row.they_seconds, row.they_breached),
            say(row.our_seconds, row.we_breached),
            "–" if row.difference_seconds is None else f"{figures.signed(row.difference_seconds)} s",
            row.who_is_right,
            row.reason_label,
        )
        for row in compared.rows
    )
    columns = (
        ("ticket", LEFT), ("customer", LEFT), ("obligation", LEFT), ("their figure", LEFT), ("they say", RIGHT),
        ("we say", RIGHT), ("difference", RIGHT), ("right", LEFT), ("why", LEFT),
    )  # fmt: skip
    counts = Counter(row.reason_label for row in compared.rows)
    notes = tuple(
        f"{label}: {count}." for label, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    table = TextTable("The helpdesks' own figures beside ours", columns, rows, notes)
    groups = tuple(
        (
            str(group.ticket_count),
            group.source,
            figures.words(group.obligation) if group.obligation else "–",
            group.figure or "–",
            group.clock_kind or "–",
            figures.instant(group.first_at),
            figures.instant(group.last_at),
            spread(group.least_difference_seconds, group.greatest_difference_seconds),
            group.who_is_right,
            group.reason_label,
        )
        for group in compared.groups
    )
    heads = (
        ("tickets", RIGHT), ("source", LEFT), ("obligation", LEFT), ("their figure", LEFT), ("clock", LEFT), ("from", LEFT),
        ("until", LEFT), ("difference", RIGHT), ("right", LEFT), ("why", LEFT),
    )  # fmt: skip
    told = (
        "Right is ours where the plan or the export shows it, and open where neither does; a difference is ours less theirs.",
    )
    return (
        (TextTable("Differences of one cause, in time", heads, groups, told), table) if groups else (table,)
    )

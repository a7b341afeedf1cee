"""Compliance as a table."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.cli.tables import LEFT, RIGHT, TextTable
from pipeline.reporting import figures
from pipeline.reporting.compliance import Compliance, ComplianceRow, Tally

_COUNTS = (("met", RIGHT), ("breached", RIGHT), ("running", RIGHT), ("waived", RIGHT), ("not covered", RIGHT),
           ("not measurable", RIGHT))  # fmt: skip


def compliance_table(result: Compliance) -> TextTable:
    """One line per cell of the cut, and the total that they add up to."""

    def line(labels: Sequence[str], tally: Tally) -> tuple[str, ...]:
        counts = (
            tally.met,
            tally.breached,
            tally.pending,
            tally.waived,
            tally.not_covered,
            tally.not_measurable,
        )
        return (*labels, figures.percent(tally.compliance), *map(str, counts))

    def label(row: ComplianceRow, word: str) -> str:
        if word == "customer":
            return " ".join(part for part in (row.customer_id, row.customer_name) if part) or "no customer"
        value = getattr(row, {"zone": "time_zone", "group": "group_name"}.get(word, word))
        if word == "obligation" and row.obligation_kinds == ("estimate",):
            return f"{figures.words(value)} (estimate)"
        if word == "group" and value is None:
            return "not stated"
        return "none" if value is None else figures.words(str(value)) if word == "obligation" else str(value)

    rows = [line([label(row, word) for word in result.by], row.tally) for row in result.rows]
    if result.by:
        rows.append(line(["total", *[""] * (len(result.by) - 1)], result.total))
    notes = [
        f"Month = the month in which an obligation was {result.month_basis}. "
        f"Compliance = met of (met + breached). As of {figures.instant(result.as_of)}."
    ]
    if not result.rows or not result.total.total:
        notes.insert(0, "No obligation falls under this choice.")
    if result.total.waived:
        notes.append(f"Before waivers: {figures.percent(result.total.raw_compliance)}.")
    if only_by_ai := figures.met_only_by_ai(result.total.met_only_by_ai):
        notes.append(only_by_ai)
    if result.total.undecided:
        notes.append(
            "Undecided = not measurable. Bounds: all of them breached, all of them met, as far as the evidence leaves each open; "
            "where they are more than one point apart, they stand instead of a percentage."
        )
    if any("estimate" in row.obligation_kinds for row in result.rows):
        notes.append("Estimates (ETA) are measured like targets and are included.")
    running = list(dict.fromkeys(str(row.month) for row in result.rows if row.is_partial))
    if running:
        notes.append(f"Still running: {', '.join(running)}.")
    notes.extend(figures.describe_closed_months(result.closed))
    columns = (*((word, LEFT) for word in result.by), ("compliance", RIGHT), *_COUNTS)
    return TextTable("SLA compliance", columns, tuple(rows), tuple(notes))

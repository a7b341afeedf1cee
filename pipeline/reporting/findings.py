"""What people should review: suspicious records with their evidence, and the helpdesks' own figures beside ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Scope,
    Selection,
    bind_values,
    check_selection,
    check_words,
    list_columns,
    where_chosen,
)


@dataclass(frozen=True)
class Finding:
    """One suspicion for people to review: what shows it, and what it did to the figures. `source_file` and
    `line_number` say where it was read; None where it is not about a line."""

    finding_key: str
    finding: str
    finding_label: str
    ticket_id: str | None
    customer_id: str | None
    subscription_id: str | None
    evidence: str
    effect: str
    source_file: str | None
    line_number: int | None


@dataclass(frozen=True)
class FindingCount:
    """How many findings there are of one kind."""

    finding: str
    finding_label: str
    finding_count: int


@dataclass(frozen=True)
class Findings:
    """Findings by kind, the most frequent first; `counts` add up to `rows`."""

    counts: tuple[FindingCount, ...]
    rows: tuple[Finding, ...]
    as_of: datetime


@dataclass(frozen=True)
class VendorFigure:
    """A figure that the helpdesk computed itself beside ours: seconds, verdicts, and why the two differ.

    `difference_seconds` is ours less theirs. What of either side is not there is None.
    """

    ticket_id: str
    customer_id: str | None
    figure: str | None
    obligation: str
    cycle_number: int
    figure_kind: str
    clock_kind: str | None
    clock_name: str | None
    they_seconds: int | None
    our_seconds: int | None
    difference_seconds: int | None
    they_breached: bool | None
    we_breached: bool | None
    difference_reason: str
    reason_label: str
    source_file: str
    line_number: int


def read_findings(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    kinds: Sequence[str] | None = None,
) -> Findings:
    """Suspicions about tickets, customers and contract records, counted by kind and one by one.

    Of the selection, customers apply; `kinds` None is all. Raises ConfigurationError for a kind that does not exist.
    """
    check_selection(published, scope, selection)
    check_words(
        "--finding",
        kinds or (),
        [
            row["finding"]
            for row in published.fetch(dict, "select finding from core.finding_kinds order by 1")
        ],
    )
    sql = f"""
        select {list_columns(Finding)}
        from qc.rpt_qc__findings
        join core.finding_kinds as kinds using (finding)
        where {IN_SCOPE.format(customer_id="customer_id")}
          and {where_chosen("customer_ids", "customer_id")}
          and ($kinds::varchar[] is null or list_contains($kinds::varchar[], finding))
        order by finding, customer_id nulls first, ticket_id nulls first, finding_key
    """
    bound = bind_values(scope, selection)
    rows = published.fetch(
        Finding,
        sql,
        {name: bound[name] for name in (*bind_values(scope), "customer_ids")}
        | {"kinds": None if kinds is None else list(kinds)},
    )
    counted = Counter((row.finding, row.finding_label) for row in rows)
    counts = sorted(counted.items(), key=lambda count: (-count[1], count[0]))
    return Findings(
        tuple(FindingCount(finding, label, count) for (finding, label), count in counts),
        tuple(rows),
        published.read_as_of(),
    )


def read_vendor_figures(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    reasons: Sequence[str] | None = None,
) -> tuple[VendorFigure, ...]:
    """The helpdesks' own figures beside ours, by ticket. Of the selection, customers and obligations apply.

    `reasons`: codes of vendor_figure_reasons, None for all.
    """
    check_selection(published, scope, selection)
    known = [
        row["difference_reason"]
        for row in published.fetch(
            dict, "select difference_reason from core.vendor_figure_reasons order by all"
        )
    ]
    check_words("--reason", reasons or (), known)
    sql = f"""
        select {list_columns(VendorFigure, "figures").replace("figures.reason_label", "reasons.reason_label")}
        from qc.rpt_qc__vendor_figures as figures
        join core.vendor_figure_reasons as reasons on reasons.difference_reason = figures.difference_reason
        where {IN_SCOPE.format(customer_id="figures.customer_id")}
          and {where_chosen("customer_ids", "figures.customer_id")}
          and {where_chosen("obligations", "figures.obligation")}
          and {where_chosen("reasons", "figures.difference_reason")}
        order by figures.ticket_id, figures.obligation, figures.cycle_number, figures.figure, figures.clock_kind
    """
    bound = bind_values(scope, selection)
    chosen = {name: bound[name] for name in (*bind_values(scope), "customer_ids", "obligations")}
    return tuple(
        published.fetch(VendorFigure, sql, chosen | {"reasons": None if reasons is None else list(reasons)})
    )

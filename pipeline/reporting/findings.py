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
    """One suspicion for people to review: what shows it, and what it did to the figures. `finding_area` is contract or data.
    `source_file` and `line_number` say where it was read; None where it is not about a line."""

    finding_key: str
    finding: str
    finding_area: str
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
    finding_area: str
    finding_label: str
    finding_count: int


@dataclass(frozen=True)
class Findings:
    """Findings by kind, the most frequent first; `counts` add up to `rows`."""

    counts: tuple[FindingCount, ...]
    rows: tuple[Finding, ...]
    as_of: datetime


@dataclass(frozen=True)
class RefusedCount:
    """How many landed records of a source were refused for one reason. `column_name` None: not about one column."""

    source: str
    column_name: str | None
    reason: str
    refused_count: int


@dataclass(frozen=True)
class RefusedRecord:
    """One refused record: the first thing that is wrong with it, where it stands, and what to do. `ticket_id` is None where it is
    not known, `line_number` where the file has no lines."""

    refused_record_key: str
    source: str
    ticket_id: str | None
    column_name: str | None
    raw_value: str | None
    reason: str
    hint: str | None
    source_file: str
    line_number: int | None


@dataclass(frozen=True)
class VendorFigure:
    """A figure that the helpdesk computed itself beside ours: seconds, verdicts, why the two differ, and who is right.

    `difference_seconds` is ours less theirs. What of either side is not there is None. `group_key` names the group of
    differences that it belongs to. `obligation` is None where no promise of ours has the figure.
    """

    ticket_id: str
    customer_id: str | None
    figure: str | None
    obligation: str | None
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
    who_is_right: str
    group_key: str | None
    source_file: str
    line_number: int


@dataclass(frozen=True)
class VendorFigureGroup:
    """Differences of one cause that follow each other in time, of one source, figure and clock. Instants are UTC."""

    group_key: str
    source: str
    figure: str | None
    obligation: str | None
    clock_kind: str | None
    difference_reason: str
    reason_label: str
    who_is_right: str
    ticket_count: int
    first_at: datetime
    last_at: datetime
    least_difference_seconds: int | None
    greatest_difference_seconds: int | None


@dataclass(frozen=True)
class VendorFigures:
    """The helpdesks' own figures beside ours, and the groups of those that differ, the largest first."""

    groups: tuple[VendorFigureGroup, ...]
    rows: tuple[VendorFigure, ...]


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
    counted = Counter((row.finding, row.finding_area, row.finding_label) for row in rows)
    counts = sorted(counted.items(), key=lambda count: (-count[1], count[0]))
    return Findings(
        tuple(FindingCount(*kind, count) for kind, count in counts),
        tuple(rows),
        published.read_as_of(),
    )


def read_refused(published: Published, scope: Scope) -> tuple[RefusedCount, ...]:
    """Refused records by source, column and reason, the most frequent first. A refused record belongs to no customer yet, so a
    limited scope sees none."""
    sql = f"""
        select {list_columns(RefusedCount)}
        from core.fct_refused_records
        where {IN_SCOPE.format(customer_id="null::varchar")}
        order by refused_count desc, source, column_name nulls first, reason
    """
    return tuple(published.fetch(RefusedCount, sql, bind_values(scope)))


def read_refused_records(
    published: Published,
    scope: Scope,
    reasons: Sequence[str] | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[RefusedRecord, ...]:
    """Refused records by source, file and line, `limit` of them after the first `offset`. `reasons`: why they were refused, None
    for all. A limited scope sees none."""
    sql = f"""
        select {list_columns(RefusedRecord)}
        from qc.rpt_qc__refused_records
        where {IN_SCOPE.format(customer_id="null::varchar")}
          and {where_chosen("reasons", "reason")}
        order by source, source_file, line_number nulls first, refused_record_key
        limit $limit offset $offset
    """
    chosen = {"reasons": None if reasons is None else list(reasons), "limit": limit, "offset": offset}
    return tuple(published.fetch(RefusedRecord, sql, bind_values(scope) | chosen))


def read_vendor_figures(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    reasons: Sequence[str] | None = None,
) -> VendorFigures:
    """The helpdesks' own figures beside ours, by ticket. Of the selection, customers and obligations apply.

    `reasons`: codes of vendor_figure_reasons, None for all. Groups are those of the figures chosen; a group counts every
    customer of its source, so one with a figure outside of the scope is left out.
    """
    check_selection(published, scope, selection)
    known = [
        row["difference_reason"]
        for row in published.fetch(
            dict, "select difference_reason from core.vendor_figure_reasons order by all"
        )
    ]
    check_words("--reason", reasons or (), known)
    in_scope = IN_SCOPE.format(customer_id="figures.customer_id")
    chosen_rows = f"""{in_scope}
          and {where_chosen("customer_ids", "figures.customer_id")}
          and {where_chosen("obligations", "figures.obligation")}
          and {where_chosen("reasons", "figures.difference_reason")}"""
    group_columns = list_columns(VendorFigureGroup, "groups").replace(
        "groups.reason_label", "reasons.reason_label"
    )
    groups_sql = f"""
        select {group_columns}
        from qc.rpt_qc__vendor_figure_groups as groups
        join core.vendor_figure_reasons as reasons on reasons.difference_reason = groups.difference_reason
        where groups.group_key in (
            select figures.group_key from qc.rpt_qc__vendor_figures as figures where {chosen_rows}
          )
          and groups.group_key not in (
            select figures.group_key from qc.rpt_qc__vendor_figures as figures
            where figures.group_key is not null and not coalesce({in_scope}, false)
          )
        order by groups.ticket_count desc, groups.first_at, groups.group_key
    """
    sql = f"""
        select {list_columns(VendorFigure, "figures").replace("figures.reason_label", "reasons.reason_label")}
        from qc.rpt_qc__vendor_figures as figures
        join core.vendor_figure_reasons as reasons on reasons.difference_reason = figures.difference_reason
        where {chosen_rows}
        order by figures.ticket_id, figures.obligation, figures.cycle_number, figures.figure, figures.clock_kind
    """
    bound = bind_values(scope, selection)
    chosen = {name: bound[name] for name in (*bind_values(scope), "customer_ids", "obligations")}
    values = chosen | {"reasons": None if reasons is None else list(reasons)}
    return VendorFigures(
        tuple(published.fetch(VendorFigureGroup, groups_sql, values)),
        tuple(published.fetch(VendorFigure, sql, values)),
    )

"""The managers' month over all customers: every figure of their document, from the queries of the command line, reconciled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting.breaches import Breach, count_classes, read_breaches
from pipeline.reporting.compliance import (
    ComplianceRow,
    CutRow,
    Tally,
    TrendPoint,
    compare_months,
    month_before,
    read_comparison,
    read_compliance,
    read_trend,
)
from pipeline.reporting.monthly_report import Brand, Period, read_look
from pipeline.reporting.overview import Annotation, notes_of_trend, read_annotations
from pipeline.reporting.published import (
    IN_SCOPE,
    Published,
    Scope,
    Selection,
    bind_values,
    check_selection,
    list_columns,
    say_unknown,
)
from pipeline.reporting.status import BuildStatus, read_status


@dataclass(frozen=True)
class Target:
    """What a plan that the month counts promised in it for one obligation and severity; two where its versions differ."""

    plan: str
    obligation: str
    obligation_kind: str
    severity: int
    target_seconds: int
    clock_name: str


@dataclass(frozen=True)
class PromiseRow:
    """One line of the summary: a plan's promise of one obligation, with all severities that share its targets. `targets` is empty
    where the plan promises nothing for it; `severities` None where none is known."""

    plan: str | None
    obligation: str
    obligation_kinds: tuple[str, ...]
    severities: tuple[int, ...] | None
    targets: tuple[tuple[int, str], ...]
    tally: Tally
    previous: Tally
    year_ago: Tally


@dataclass(frozen=True)
class StaleSource:
    """A source that the month rests on and that lags behind the others."""

    source: str
    read_until: datetime


@dataclass(frozen=True)
class ManagersPack:
    """Everything that the managers' document of a month says. Each cut adds up to `total`, which counts the breaches listed.

    `finest` are the rows of all cuts at once, of the three months. `labels`: language -> word of a plan -> what is printed.
    `annotations`: the dated notes in the months of the trend, oldest first.
    """

    month: str
    previous_month: str
    month_a_year_ago: str
    time_zone: str
    periods: tuple[Period, ...]
    is_partial: bool
    total: Tally
    previous_total: Tally
    year_ago_total: Tally
    promises: tuple[PromiseRow, ...]
    by_plan: tuple[CutRow, ...]
    by_severity: tuple[CutRow, ...]
    by_obligation: tuple[CutRow, ...]
    by_customer: tuple[CutRow, ...]
    finest: tuple[ComplianceRow, ...]
    trend: tuple[TrendPoint, ...]
    annotations: tuple[Annotation, ...]
    breaches: tuple[Breach, ...]
    # By class and obligation.
    class_counts: Mapping[tuple[str, str], int]
    previous_class_counts: Mapping[tuple[str, str], int]
    stale_sources: tuple[StaleSource, ...]
    plan_titles: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    brand: Brand
    build: BuildStatus

    @property
    def as_of(self) -> datetime:
        return self.build.as_of


# How lines of the summary are distinguished, and ordered: without a plan last, targets before estimates, without a target last.
_Cell = tuple[str | None, str, int | None]
_Line = tuple[bool, str, bool, str, bool, tuple[tuple[int, str], ...]]
_MONTHS_CUT = ("month", "plan", "obligation", "severity", "customer")


def read_managers_pack(published: Published, scope: Scope, month: str) -> ManagersPack:
    """Everything for the managers' document of a month ('YYYY-MM').

    Raises ConfigurationError for a month that lies outside the data, and ChecksFailed when the published tables contradict each
    other: then no document may be made.
    """
    check_selection(published, scope, Selection(months=(month,)))
    periods = _read_periods(published, scope, month)
    trend = read_trend(published, scope, until=month)
    previous_month, year_ago = month_before(month), trend[0].month
    months = Selection(months=(year_ago, previous_month, month))
    totals = {row.month: row.tally for row in read_compliance(published, scope, months).rows}
    total = totals.get(month, Tally())

    def cut(*by: str) -> tuple[CutRow, ...]:
        rows = read_compliance(published, scope, months, ("month", *by)).rows
        found = compare_months(rows, month, previous_month, year_ago)
        if sum((row.tally for row in found), Tally()) != total:
            raise ChecksFailed(
                f"The managers' figures of {month} by {', '.join(by)} do not add up to the total of the month, so no "
                "document was made. Run `sla check`."
            )
        return found

    breaches = read_breaches(published, scope, Selection(months=(month,)))
    if len(breaches) != total.breached:
        raise ChecksFailed(
            f"The monthly table counts {total.breached} breaches in {month} and the tickets listed for it show "
            f"{len(breaches)}, so no document was made. Run `sla check`."
        )
    zones = {period.time_zone for period in periods}
    look = read_look(published, scope)
    return ManagersPack(
        month=month,
        previous_month=previous_month,
        month_a_year_ago=year_ago,
        time_zone=zones.pop() if len(zones) == 1 else "UTC",
        periods=periods,
        is_partial=trend[-1].is_partial,
        total=total,
        previous_total=totals.get(previous_month, Tally()),
        year_ago_total=totals.get(year_ago, Tally()),
        promises=_join_targets(cut("plan", "obligation", "severity"), _read_targets(published, month)),
        by_plan=_of_the_month(cut("plan")),
        by_severity=_of_the_month(cut("severity")),
        by_obligation=_of_the_month(cut("obligation")),
        by_customer=_of_the_month(cut("customer")),
        finest=read_compliance(published, scope, months, _MONTHS_CUT).rows,
        trend=trend,
        annotations=notes_of_trend(read_annotations(published, scope), trend),
        breaches=breaches,
        class_counts=count_classes(published, scope, Selection(months=(month,))),
        previous_class_counts=count_classes(published, scope, Selection(months=(previous_month,))),
        stale_sources=_read_stale_sources(published, scope, month),
        plan_titles=_read_plan_titles(published),
        labels=look.labels,
        brand=look.brand,
        build=read_status(published, scope),
    )


def _of_the_month(rows: Iterable[CutRow]) -> tuple[CutRow, ...]:
    return tuple(row for row in rows if row.tally.total)


def read_promises(
    published: Published, scope: Scope, selection: Selection, month: str
) -> tuple[PromiseRow, ...]:
    """The promises of a month ('YYYY-MM') with their targets and figures, also of the month before and a year ago. Of the
    selection, all but months and statuses apply."""
    cut = read_comparison(published, scope, selection, month, ("plan", "obligation", "severity"))
    targets = [
        target
        for target in _read_targets(published, month)
        if (selection.plans is None or target.plan in selection.plans)
        and (selection.severities is None or target.severity in selection.severities)
        and (selection.obligations is None or target.obligation in selection.obligations)
    ]
    return tuple(row for row in _join_targets(cut, targets) if row.tally.total)


def _join_targets(rows: Iterable[CutRow], targets: Iterable[Target]) -> tuple[PromiseRow, ...]:
    """The severities of a plan's obligation that share their targets, as one line, and what no promise covers as another."""
    promised: dict[_Cell, list[tuple[int, str]]] = {}
    kinds: dict[tuple[str | None, str], set[str]] = {}
    for target in targets:
        promised.setdefault((target.plan, target.obligation, target.severity), []).append(
            (target.target_seconds, target.clock_name)
        )
        kinds.setdefault((target.plan, target.obligation), set()).add(target.obligation_kind)
    cells = {(row.plan, row.obligation or "", row.severity): row for row in rows}
    for (plan, obligation, _), row in cells.items():
        kinds.setdefault((plan, obligation), set()).update(row.obligation_kinds)
    lines: dict[_Line, list[_Cell]] = {}
    for cell in sorted({*promised, *cells}, key=lambda one: (one[2] is None, one[2] or 0)):
        plan, obligation, _ = cell
        shared = tuple(promised.get(cell, ()))
        is_estimate = kinds[plan, obligation] == {"estimate"}
        line = (plan is None, plan or "", is_estimate, obligation, not shared, shared)
        lines.setdefault(line, []).append(cell)
    found = []
    for line in sorted(lines, key=lambda one: (one[:5], lines[one][0][2] or 0)):
        members = [cells[cell] for cell in lines[line] if cell in cells]
        plan, obligation, _ = lines[line][0]
        tally = sum((row.tally for row in members), Tally())
        # Where nothing was promised and nothing could count, there is nothing to tell.
        if not line[5] and not (tally.bounded or tally.waived or tally.pending):
            continue
        found.append(
            PromiseRow(
                plan=plan,
                obligation=obligation,
                obligation_kinds=tuple(sorted(kinds[plan, obligation])),
                severities=tuple(severity for _, _, severity in lines[line] if severity is not None) or None,
                targets=line[5],
                tally=tally,
                previous=sum((row.previous for row in members), Tally()),
                year_ago=sum((row.year_ago for row in members), Tally()),
            )
        )
    return tuple(found)


def _read_targets(published: Published, month: str) -> tuple[Target, ...]:
    """What the plans promise of which the month counts anything. Plans are the vendor's own published terms."""
    rows = """
        select
            months.time_zone, months.month, terms.plan, terms.obligation, terms.obligation_kind, terms.severity,
            terms.target_seconds, terms.clock_name
        from (
            select distinct time_zone, month, plan_version
            from {build}marts.mart_manager__monthly_compliance
            where month_basis = 'settled'
        ) as months
        join {build}core.dim_plan_terms as terms on terms.plan_version = months.plan_version
    """
    sql = f"""
        select distinct {list_columns(Target)}
        from {{of_record}} as targets
        where month = $month
        order by plan, obligation, severity, target_seconds, clock_name
    """
    return tuple(published.fetch_of_record(Target, rows, sql, {"month": month}))


def _read_periods(published: Published, scope: Scope, month: str) -> tuple[Period, ...]:
    """The month in each zone that figures are cut in; in UTC where there are none. Raises ConfigurationError outside the data."""
    sql = f"""
        with zones as (
            select distinct time_zone from core.fct_sla_obligations where {IN_SCOPE.format(customer_id="customer_id")}
        ),
        known as (
            select months.* from core.dim_months as months
            where (time_zone in (from zones) or (time_zone = 'UTC' and not exists (from zones)))
              and month >= coalesce((select min(submitted_month) from core.fct_sla_obligations), month)
        )
        select month, {list_columns(Period)}
        from known
        where starts_at <= (select as_of from meta.build)
        order by month, starts_at, time_zone
    """
    rows = published.fetch(dict, sql, bind_values(scope))
    found = tuple(
        Period(**{name: value for name, value in row.items() if name != "month"})
        for row in rows
        if row["month"] == month
    )
    if not found:
        known = sorted({row["month"] for row in rows})
        raise ConfigurationError(say_unknown("month to report", month, known[-6:]))
    return found


def _read_stale_sources(published: Published, scope: Scope, month: str) -> tuple[StaleSource, ...]:
    sql = f"""
        select stale_source as source, min(stale_source_read_until) as read_until
        from marts.mart_customer__monthly_report
        where {IN_SCOPE.format(customer_id="customer_id")}
          and month = $month and stale_source is not null and stale_source_read_until is not null
        group by stale_source
        order by stale_source
    """
    return tuple(published.fetch(StaleSource, sql, bind_values(scope) | {"month": month}))


def _read_plan_titles(published: Published) -> dict[str, str]:
    sql = """
        select plan, max_by(coalesce(plan_title, plan), valid_from) as plan_title
        from core.dim_plan_versions
        group by plan
        order by plan
    """
    rows = published.fetch(dict, sql)
    return {row["plan"]: row["plan_title"] for row in rows}

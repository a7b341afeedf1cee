"""The managers' figures: obligations counted by status, cut by their dimensions, and the trend of 13 months."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import ConfigurationError
from pipeline.reporting.periods import ClosedMonth, read_closed_months
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    MONTH_BASES,
    STATUSES,
    Published,
    Ratio,
    Scope,
    Selection,
    bind_values,
    bounded_ratio,
    check_selection,
    check_words,
    list_columns,
    where_chosen,
)

CUTS = ("month", "customer", "plan", "severity", "obligation", "zone", "group")
TREND_MONTHS = 13
TALLIED = (
    *STATUSES,
    "met_only_by_ai",
    "raw_met",
    "raw_breached",
    *("lower_met", "upper_met", "bounded"),
    *("raw_lower_met", "raw_upper_met", "raw_bounded"),
)

# A dimension of the monthly mart, by the word that users say for it.
_CUT_COLUMNS = {
    "month": ("month",),
    "customer": ("customer_id",),
    "plan": ("plan",),
    "severity": ("severity",),
    "obligation": ("obligation",),
    "zone": ("time_zone",),
    "group": ("group_name",),
}


@dataclass(frozen=True)
class Tally:
    """Obligations counted by status. `raw_*` are the verdicts before any waiver was applied.

    `met_only_by_ai` stand among them: an AI answered in time, and no human did.
    Of `bounded` (met, breached and not measurable) at least `lower_met` and at most `upper_met` are met.
    """

    met: int = 0
    breached: int = 0
    pending: int = 0
    waived: int = 0
    not_covered: int = 0
    not_measurable: int = 0
    met_only_by_ai: int = 0
    raw_met: int = 0
    raw_breached: int = 0
    lower_met: int = 0
    upper_met: int = 0
    bounded: int = 0
    raw_lower_met: int = 0
    raw_upper_met: int = 0
    raw_bounded: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__}
        )

    @property
    def counted(self) -> int:
        return self.met + self.breached

    @property
    def total(self) -> int:
        return sum(getattr(self, status) for status in STATUSES)

    @property
    def compliance(self) -> Ratio:
        """met / (met + breached): the other statuses are counted beside it, never inside; what is not measurable
        gives it bounds."""
        return bounded_ratio(self.met, self.counted, self.lower_met, self.upper_met, self.bounded)

    @property
    def raw_compliance(self) -> Ratio:
        """The same before waivers."""
        counted = self.raw_met + self.raw_breached
        return bounded_ratio(self.raw_met, counted, self.raw_lower_met, self.raw_upper_met, self.raw_bounded)

    @property
    def undecided(self) -> int:
        return self.compliance.undecided


@dataclass(frozen=True)
class ComplianceRow:
    """One cell of a cut. A dimension that is not cut by is None, and so is a plan, a severity or a group that is not known.
    `time_zone` is the plan's, `group_name` the group that had the ticket last. `obligation_kinds` says whether targets, estimates
    or both are inside, `is_partial` whether the month still runs in the time zone of one of the plans inside (None when the rows
    are not cut by month)."""

    month: str | None
    customer_id: str | None
    customer_name: str | None
    plan: str | None
    severity: int | None
    obligation: str | None
    time_zone: str | None
    group_name: str | None
    obligation_kinds: tuple[str, ...]
    is_partial: bool | None
    tally: Tally


@dataclass(frozen=True)
class Compliance:
    """`rows` add up to `total`, and both to the obligations that `tickets` lists for the same selection.

    `closed`: those of the months that are closed; their figures are those of the closing, and corrections stand beside them.
    """

    by: tuple[str, ...]
    month_basis: str
    rows: tuple[ComplianceRow, ...]
    total: Tally
    as_of: datetime
    closed: tuple[ClosedMonth, ...] = ()


@dataclass(frozen=True)
class TrendPoint:
    """One month of a trend, also when nothing happened in it. A partial month still runs at the as-of instant, in the
    time zone of a plan."""

    month: str
    is_partial: bool
    tally: Tally


@dataclass(frozen=True)
class CutRow:
    """One cell of a cut: its counts of the month, of the month before and of the same month a year ago. A dimension that is not
    cut by is None, and so is one that is not known."""

    plan: str | None
    severity: int | None
    obligation: str | None
    customer_id: str | None
    customer_name: str | None
    obligation_kinds: tuple[str, ...]
    tally: Tally
    previous: Tally
    year_ago: Tally


@dataclass(frozen=True)
class Customer:
    """One customer that reports can be made for."""

    customer_id: str
    customer_name: str
    time_zone: str | None


def read_compliance(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    by: Sequence[str] = ("month",),
    month_basis: str = "settled",
) -> Compliance:
    """Obligations counted by status, cut by any of `month, customer, plan, severity, obligation, zone, group`; () = one
    row.

    Month is that of settling (default) or of submission. Raises ConfigurationError for unknown words.
    """
    check_words("--by", by, CUTS)
    check_words("The month basis", (month_basis,), MONTH_BASES)
    check_selection(published, scope, selection)
    if selection.statuses is not None:
        raise ConfigurationError(
            "Compliance counts every status; it cannot be limited to some. List `sla tickets` instead."
        )
    cut = [column for word in by for column in _CUT_COLUMNS[word]]
    grouped = (
        f"group by {', '.join(cut)} order by {', '.join(f'{column} nulls last' for column in cut)}"
        if cut
        else ""
    )
    sql = f"""
        select
            {"".join(f"{column}, " for column in cut)}
            {"max_by(customer_name, month)" if "customer" in by else "null"} as customer_name,
            list_sort(list_distinct(list(obligation_kind))) as obligation_kinds,
            {"bool_or(is_month_running)" if "month" in by else "null"} as is_partial,
            {", ".join(f"coalesce(sum({name}_count), 0)::bigint as {name}" for name in TALLIED)}
        from {{of_record}} as months
        where {IN_SCOPE.format(customer_id="customer_id")}
          and {where_chosen("customer_ids", "customer_id")}
          and {where_chosen("months", "month")}
          and {where_chosen("plans", "plan")}
          and {where_chosen("severities", "severity")}
          and {where_chosen("obligations", "obligation")}
        {grouped}
    """
    bound = bind_values(scope, selection) | {"month_basis": month_basis}
    del bound["statuses"]
    source = "select * from {build}marts.mart_manager__monthly_compliance where month_basis = $month_basis"
    # By month of submission, what still runs settles after the month: that cut is always the newest build's.
    is_frozen = month_basis == "settled"
    rows = []
    for row in published.fetch_of_record(dict, source, sql, bound, is_frozen=is_frozen):
        tally = Tally(**{name: row.pop(name) for name in TALLIED})
        kinds, is_partial = tuple(row.pop("obligation_kinds") or ()), row.pop("is_partial")
        dimensions = {name: None for (name,) in _CUT_COLUMNS.values()} | row
        rows.append(ComplianceRow(**dimensions, obligation_kinds=kinds, is_partial=is_partial, tally=tally))
    total = sum((row.tally for row in rows), Tally())
    closed = [
        each
        for each in (read_closed_months(published, scope) if is_frozen else ())
        if selection.months is None or each.month in selection.months
    ]
    return Compliance(tuple(by), month_basis, tuple(rows), total, published.read_as_of(), tuple(closed))


def read_trend(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    until: str | None = None,
    month_basis: str = "settled",
) -> tuple[TrendPoint, ...]:
    """The 13 months that end with `until` (default: the month of the as-of instant), oldest first, none left
    out. Of several time zones a month is partial until it has ended in the last of them."""
    check_words("The month basis", (month_basis,), MONTH_BASES)
    check_selection(published, scope, selection)
    return _read_trends(published, scope, selection, (None,), until, month_basis)[None]


def read_trends(
    published: Published, scope: Scope, customer_ids: Sequence[str], until: str
) -> dict[str, tuple[TrendPoint, ...]]:
    """The same for each of several customers, by month of settling."""
    selection = Selection(customer_ids=tuple(customer_ids))
    check_selection(published, scope, selection)
    trends = _read_trends(published, scope, selection, customer_ids, until, "settled")
    return {customer_id: trends[customer_id] for customer_id in customer_ids}


def _read_trends(
    published: Published,
    scope: Scope,
    selection: Selection,
    owners: Sequence[str | None],
    until: str | None,
    month_basis: str,
) -> dict[str | None, tuple[TrendPoint, ...]]:
    """The trend of each owner: of a customer, or of None for all that is selected together."""
    is_of_customers = None not in owners

    @dataclass(frozen=True)
    class Month:
        owner: str | None
        month: str
        is_partial: bool
        is_current: bool

    sql = f"""
        with owners as (
            select unnest($owners::varchar[]) as owner
        ),
        zones as (
            select distinct {"customer_id" if is_of_customers else "null::varchar"} as owner, time_zone
            from marts.mart_manager__monthly_compliance
            where {IN_SCOPE.format(customer_id="customer_id")}
              and {where_chosen("customer_ids", "customer_id")}
              and {where_chosen("plans", "plan")}
              and {where_chosen("severities", "severity")}
              and {where_chosen("obligations", "obligation")}
        )
        select
            owners.owner, months.month, bool_or(months.is_month_running) as is_partial,
            bool_or(months.is_current_month) as is_current
        from owners
        left join zones on zones.owner is not distinct from owners.owner
        join core.dim_months as months on months.time_zone = coalesce(zones.time_zone, 'UTC')
        group by owners.owner, months.month
        order by months.month
    """
    bound = bind_values(scope, selection) | {"owners": list(owners)}
    del bound["months"], bound["statuses"]
    known: dict[str | None, dict[str, Month]] = {owner: {} for owner in owners}
    for row in published.fetch(Month, sql, bound):
        known[row.owner][row.month] = row
    last = until or max(row.month for months in known.values() for row in months.values() if row.is_current)
    wanted = tuple(month_before(last, count) for count in reversed(range(TREND_MONTHS)))
    by = ("customer", "month") if is_of_customers else ("month",)
    found = read_compliance(published, scope, replace(selection, months=wanted), by, month_basis)
    tallies = {(row.customer_id, row.month): row.tally for row in found.rows}
    # A month that is not known is one before the first of the data.
    return {
        owner: tuple(
            TrendPoint(
                month,
                month in months and months[month].is_partial,
                tallies.get((owner, month), Tally()),
            )
            for month in wanted
        )
        for owner, months in known.items()
    }


def read_comparison(
    published: Published, scope: Scope, selection: Selection, month: str, by: Sequence[str] = ()
) -> tuple[CutRow, ...]:
    """The cells of a cut by `plan, severity, obligation, customer` in a month of settling ('YYYY-MM'), beside the month before
    and the same month a year ago. () = one row, or none where there is nothing in the three months."""
    before, year_ago = month_before(month), month_before(month, 12)
    months = replace(selection, months=(year_ago, before, month), statuses=None)
    rows = read_compliance(published, scope, months, ("month", *by)).rows
    return compare_months(rows, month, before, year_ago)


def compare_months(
    rows: Iterable[ComplianceRow], month: str, previous_month: str, year_ago: str
) -> tuple[CutRow, ...]:
    """Each cell of any of the three months, with its counts in all of them; those without any have zeros."""

    def cell(row: ComplianceRow) -> tuple[object, ...]:
        return row.plan, row.obligation, row.severity, row.customer_id

    rows = list(rows)
    tallies = {(row.month, cell(row)): row.tally for row in rows}
    # The last month that has the cell says what it is called; of this month the order is that of the query.
    newest = {cell(row): (row.month != month, place, row) for place, row in enumerate(rows)}
    return tuple(
        CutRow(
            plan=row.plan,
            severity=row.severity,
            obligation=row.obligation,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            obligation_kinds=row.obligation_kinds,
            tally=tallies.get((month, key), Tally()),
            previous=tallies.get((previous_month, key), Tally()),
            year_ago=tallies.get((year_ago, key), Tally()),
        )
        for key, (_, _, row) in sorted(newest.items(), key=lambda item: item[1][:2])
    )


def read_customers(published: Published, scope: Scope) -> tuple[Customer, ...]:
    """Every customer in scope, by id."""
    sql = f"""
        select {list_columns(Customer)}
        from core.dim_customers
        where {IN_SCOPE.format(customer_id="customer_id")}
        order by customer_id
    """
    return tuple(published.fetch(Customer, sql, bind_values(scope)))


def month_before(month: str, count: int = 1) -> str:
    """The month `count` months earlier, both 'YYYY-MM'."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12:04d}-{number % 12 + 1:02d}"

"""One customer's monthly report: its figures reconciled with each other, and the terms of the plans behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from pipeline.errors import ChecksFailed, ConfigurationError, SlaError, StaleData
from pipeline.reporting.answer_times import PERCENTILES, RANK, count_by_share
from pipeline.reporting.compliance import (
    TALLIED,
    Tally,
    TrendPoint,
    month_before,
    read_trends,
)
from pipeline.reporting.entitlements import Forecast, Statement, read_forecasts, read_ledgers
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
from pipeline.reporting.tickets import Obligation, count_by_status, select_obligations


@dataclass(frozen=True)
class PlanTerm:
    """One promise of one plan version for one severity."""

    plan: str
    plan_title: str
    plan_version: str
    obligation: str
    obligation_kind: str
    severity: int
    severity_label: str | None
    target_seconds: int
    clock_name: str
    clause: str | None
    clause_text: str | None
    time_zone: str


@dataclass(frozen=True)
class PlanPool:
    """One entitlement of one plan version, with where it stands in the plan."""

    plan: str
    plan_version: str
    pool: str
    clause: str | None
    clause_text: str | None


@dataclass(frozen=True)
class PlanStatement:
    """One rule of one plan version in words. A reading is one that we chose where the plan's source is
    silent. Notes of plan files are the vendor's own and are not read for customers."""

    plan: str
    plan_title: str | None
    plan_valid_from: datetime
    time_zone: str
    statement: str
    statement_value: str | None
    clause: str | None
    clause_text: str | None
    is_reading: bool


@dataclass(frozen=True)
class Closure:
    """A holiday, a break or another day's hours: a span named for the reason why its clock differs."""

    clock_name: str
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Waiver:
    """A recorded exception: why a breach is not counted. Who asked for it and who approved it is the vendor's own."""

    waiver_id: str
    reason: str
    approved_at: datetime


@dataclass(frozen=True)
class Period:
    """The month as instants of one time zone that its figures are cut in; `ends_at` is exclusive."""

    time_zone: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Term:
    """A subscription term that touches the month, half-open."""

    subscription_id: str
    plan_title: str
    term_starts_on: date
    term_ends_on: date


@dataclass(frozen=True)
class ResponseTimes:
    """How long the answers to one promise took that was settled in the month and answered: whole seconds on its clock.

    `p50_seconds` and the like are the least of these times that at least so many percent did not exceed (nearest rank).
    `bins`: how many used up to 25, 50, 75, 100 and 150 % of their target, and more; they add up to `answered_count`.
    """

    plan: str
    obligation: str
    obligation_kind: str
    severities: tuple[int, ...]
    target_seconds: int
    clock_name: str
    answered_count: int
    p50_seconds: int
    p90_seconds: int
    p95_seconds: int
    longest_seconds: int
    bins: tuple[int, ...]


@dataclass(frozen=True)
class Pack:
    """A bought pack as it stands at the as-of instant: quantity = drawn + left + expired + returned."""

    subscription_id: str
    pool: str
    cause_id: str
    quantity: int
    drawn_quantity: int
    left_quantity: int
    expired_quantity: int
    returned_quantity: int
    supplied_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class Brand:
    """How the report looks; `logo_base64` are the bytes of a file of `logo_kind` (svg, png)."""

    vendor_name: str | None
    sender: str | None
    footer: str | None
    logo_kind: str | None
    logo_base64: str | None
    logo_place: str
    primary_colour: str
    accent_colour: str


@dataclass(frozen=True)
class Look:
    """The look and the words of documents. `labels`: language -> word of a plan or calendar -> what is printed for it."""

    brand: Brand
    labels: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Promise:
    """One line of a customer's summary: a promise (all severities that share it) with the counts of this month, of the last one
    and of the same month a year ago.

    `running` counts what still ran at the as-of instant and was submitted by the end of the month: such a
    promise belongs to no finished month yet.
    """

    plan: str
    obligation: str
    obligation_kind: str
    severities: tuple[int, ...]
    target_seconds: int
    clock_name: str
    clause: str | None
    tally: Tally
    previous: Tally
    year_ago: Tally
    running: int


@dataclass(frozen=True)
class MonthlyReport:
    """Everything that a customer's monthly document says. Promises plus `outside_promises` add up to `total`.

    `labels`: language -> word of a plan or calendar -> what is printed for it. `locale` is None where the customer has none.
    `annotations`: the dated notes about this customer in the months of the trend, oldest first; those about all customers are
    the vendor's own.
    """

    customer_id: str
    customer_name: str
    month: str
    previous_month: str
    month_a_year_ago: str
    time_zone: str
    locale: str | None
    labels: Mapping[str, Mapping[str, str]]
    brand: Brand
    periods: tuple[Period, ...]
    terms: tuple[Term, ...]
    plan_titles: Mapping[str, str]
    plans: tuple[str, ...]
    tickets_submitted_count: int
    is_partial: bool
    total: Tally
    previous_total: Tally
    year_ago_total: Tally
    outside_promises: Tally
    outside_running: int
    promises: tuple[Promise, ...]
    trend: tuple[TrendPoint, ...]
    annotations: tuple[Annotation, ...]
    response_times: tuple[ResponseTimes, ...]
    obligations: tuple[Obligation, ...]
    still_running: tuple[Obligation, ...]
    statements: tuple[Statement, ...]
    packs: tuple[Pack, ...]
    forecasts: tuple[Forecast, ...]
    plan_terms: tuple[PlanTerm, ...]
    plan_pools: tuple[PlanPool, ...]
    plan_statements: tuple[PlanStatement, ...]
    closures: tuple[Closure, ...]
    waivers: tuple[Waiver, ...]
    build: BuildStatus

    @property
    def as_of(self) -> datetime:
        return self.build.as_of


def read_months(published: Published, scope: Scope, customer_id: str | None = None) -> tuple[str, ...]:
    """Months for which a monthly report can be made, oldest first; of one customer, or of all in scope."""
    sql = f"""
        select distinct month
        from marts.mart_customer__monthly_report
        where {IN_SCOPE.format(customer_id="customer_id")}
          and ($customer_id::varchar is null or customer_id = $customer_id)
        order by month
    """
    return tuple(
        row["month"] for row in published.fetch(dict, sql, bind_values(scope) | {"customer_id": customer_id})
    )


def read_customers_to_report(published: Published, scope: Scope, month: str) -> tuple[str, ...]:
    """Ids of the customers in scope that have something to report for `month` ('YYYY-MM').

    Raises ConfigurationError, naming the months that there are, when no customer has.
    """
    sql = f"""
        select customer_id
        from marts.mart_customer__monthly_report
        where {IN_SCOPE.format(customer_id="customer_id")} and month = $month
        order by customer_id
    """
    found = tuple(
        row["customer_id"] for row in published.fetch(dict, sql, bind_values(scope) | {"month": month})
    )
    if not found:
        known = read_months(published, scope)
        raise ConfigurationError(say_unknown("month to report", month, known))
    return found


def read_monthly_report(published: Published, scope: Scope, customer_id: str, month: str) -> MonthlyReport:
    """Everything for one customer's monthly document.

    Raises ConfigurationError for an unknown customer or a month without anything to report, StaleData where a source
    that the month rests on lags behind the others, and ChecksFailed when the published tables contradict each other: then
    no document may be made.
    """
    found = read_monthly_reports(published, scope, (customer_id,), month)[customer_id]
    if isinstance(found, SlaError):
        raise found
    return found


def read_monthly_reports(
    published: Published, scope: Scope, customer_ids: Sequence[str], month: str
) -> dict[str, MonthlyReport | SlaError]:
    """The same for several customers, each table read once for all of them: customer -> its report, or the error that
    `read_monthly_report` raises for it. Raises ConfigurationError for a month that is none."""
    check_selection(published, scope, Selection(months=(month,)))
    found: dict[str, MonthlyReport | SlaError] = {}
    headers = _read_headers(published, scope, customer_ids, month)
    build = _read_build(published, scope)
    for customer_id in customer_ids:
        problem = _find_obstacle(published, scope, customer_id, month, headers.get(customer_id), build)
        if problem is not None:
            found[customer_id] = problem
    rows = _Rows(published, scope, [each for each in dict.fromkeys(customer_ids) if each not in found], month)
    for customer_id in rows.customer_ids:
        try:
            found[customer_id] = _assemble(rows, headers[customer_id], build)
        except ChecksFailed as problem:
            found[customer_id] = problem
    return found


@dataclass(frozen=True)
class _Header:
    customer_id: str
    customer_name: str
    time_zone: str
    locale: str | None
    tickets_submitted_count: int
    is_month_running: bool
    stale_source: str | None
    stale_source_read_until: datetime | None


def _read_headers(
    published: Published, scope: Scope, customer_ids: Sequence[str], month: str
) -> dict[str, _Header]:
    rows = published.fetch(
        _Header,
        f"""
        select {list_columns(_Header)}
        from marts.mart_customer__monthly_report
        where {IN_SCOPE.format(customer_id="customer_id")}
          and list_contains($customer_ids::varchar[], customer_id) and month = $month
        """,
        bind_values(scope) | {"customer_ids": list(customer_ids), "month": month},
    )
    return {row.customer_id: row for row in rows}


def _find_obstacle(
    published: Published,
    scope: Scope,
    customer_id: str,
    month: str,
    header: _Header | None,
    build: BuildStatus,
) -> SlaError | None:
    """Why a customer's month cannot be read at all."""
    if header is None:
        try:
            check_selection(published, scope, Selection(customer_ids=(customer_id,)))
        except ConfigurationError as problem:
            return problem
        known = read_months(published, scope, customer_id)
        offer = (
            f"Months with something to report: {', '.join(known[-6:])}."
            if known
            else "There is none for this customer yet."
        )
        return ConfigurationError(
            f"There is nothing to report for customer {customer_id!r} in {month}. {offer}"
        )
    if header.stale_source is not None and header.stale_source_read_until is not None:
        return StaleData(
            f"The report of customer {customer_id!r} for {month} would rest on source {header.stale_source!r}, which is known "
            f"until {header.stale_source_read_until:%Y-%m-%dT%H:%M:%SZ} only, while other sources reach further: what it has not "
            f"exported yet would be missing. Put its newer export into inbox/{header.stale_source}/ and call `sla run`. If its "
            "export is complete and nothing has happened there since, say so: sla build --as-of "
            f"{build.as_of:%Y-%m-%dT%H:%M:%SZ}."
        )
    return None


class _Rows:
    """Everything that the reports of some customers are made of, each table read once; rows by customer, in their order."""

    def __init__(self, published: Published, scope: Scope, customer_ids: Sequence[str], month: str) -> None:
        self.published, self.scope, self.month = published, scope, month
        self.customer_ids = tuple(customer_ids)
        if not self.customer_ids:
            return
        ours = Selection(customer_ids=self.customer_ids)
        both = replace(ours, months=(month_before(month), month))
        self.trends = read_trends(published, scope, self.customer_ids, month)
        self.annotations: dict[str, list[Annotation]] = {}
        for note in read_annotations(published, scope, ours):
            if note.customer_id is not None:
                self.annotations.setdefault(note.customer_id, []).append(note)
        self.listed = _by_customer(select_obligations(published, scope, both))
        self.ledgers = read_ledgers(published, scope, self.customer_ids, month)
        running = select_obligations(published, scope, replace(ours, statuses=("pending",)), "submitted")
        self.running = _by_customer(
            row for row in running if row.submitted_month is not None and row.submitted_month <= month
        )
        bound_customers = bind_values(scope) | {"customer_ids": list(self.customer_ids)}
        bound = bound_customers | {"month": month}
        self.versions = _read_versions(published, bound)
        self.promises = _read_promises(published, bound, month)
        self.terms = _read_terms(published, bound)
        self.response_times = _read_response_times(published, bound)
        self.packs = _read_packs(published, bound_customers)
        self.forecasts = _by_customer(read_forecasts(published, scope, ours))
        self.brands = _read_brands(published, scope, self.customer_ids)
        self.waivers = _read_waivers(
            published,
            scope,
            sorted({row.waiver_id for rows in self.listed.values() for row in rows if row.waiver_id}),
        )
        self.labels = _read_labels(published)


def _assemble(rows: _Rows, header: _Header, build: BuildStatus) -> MonthlyReport:
    """One customer's report. Raises ChecksFailed when its rows contradict each other."""
    customer_id, month, published = header.customer_id, rows.month, rows.published
    previous_month = month_before(month)
    trend = rows.trends[customer_id]
    counted = {point.month: point.tally for point in trend}
    listed = rows.listed.get(customer_id, [])
    for each in (previous_month, month):
        _reconcile(customer_id, each, counted[each], (row for row in listed if row.month == each))
    obligations = tuple(row for row in listed if row.month == month)
    statements = rows.ledgers.get(customer_id, ())
    for statement in statements:
        if not statement.adds_up:
            raise ChecksFailed(
                f"The balance of pool {statement.pool!r} in term {statement.subscription_id!r} of customer "
                f"{customer_id!r} is not the sum of its movements, so no report was made. Run `sla check`."
            )
    subscriptions = {statement.subscription_id for statement in statements}
    running = tuple(rows.running.get(customer_id, ()))
    rows_with_plans: tuple[Obligation | Statement, ...] = (*obligations, *running, *statements)
    versions = tuple(
        sorted(
            {row.plan_version for row in rows_with_plans if row.plan_version}
            | rows.versions.get(customer_id, set())
        )
    )
    # Few plans have many customers: what depends on the plans alone is read once for them.
    plans = published.remember(
        ("plans", versions, month), lambda: _read_plans(published, list(versions), month)
    )
    promises, outside, outside_running = rows.promises.get(customer_id, ((), Tally(), 0))
    if sum((promise.tally for promise in promises), outside) != counted[month]:
        raise ChecksFailed(
            f"The promises of customer {customer_id!r} for {month} do not add up to the total of the month, so no report was "
            "made. Run `sla check`."
        )
    waived_by = {row.waiver_id for row in obligations if row.waiver_id}
    return MonthlyReport(
        customer_id=customer_id,
        customer_name=header.customer_name,
        month=month,
        previous_month=previous_month,
        month_a_year_ago=trend[0].month,
        time_zone=header.time_zone,
        locale=header.locale,
        labels=rows.labels,
        brand=rows.brands[customer_id],
        periods=plans.periods,
        terms=tuple(rows.terms.get(customer_id, ())),
        plan_titles={term.plan: term.plan_title for term in plans.terms},
        plans=tuple(sorted({term.plan for term in plans.terms})),
        tickets_submitted_count=header.tickets_submitted_count,
        is_partial=header.is_month_running,
        total=counted[month],
        previous_total=counted[previous_month],
        year_ago_total=trend[0].tally,
        outside_promises=outside,
        outside_running=outside_running,
        promises=promises,
        trend=trend,
        annotations=notes_of_trend(rows.annotations.get(customer_id, ()), trend),
        response_times=tuple(rows.response_times.get(customer_id, ())),
        obligations=obligations,
        still_running=running,
        statements=statements,
        packs=tuple(
            pack for pack in rows.packs.get(customer_id, ()) if pack.subscription_id in subscriptions
        ),
        forecasts=tuple(
            forecast
            for forecast in rows.forecasts.get(customer_id, ())
            if forecast.subscription_id in subscriptions
        ),
        plan_terms=plans.terms,
        plan_pools=plans.pools,
        plan_statements=plans.statements,
        closures=plans.closures,
        waivers=tuple(waiver for waiver in rows.waivers if waiver.waiver_id in waived_by),
        build=build,
    )


class _OfCustomer(Protocol):
    @property
    def customer_id(self) -> str: ...


_Row = TypeVar("_Row", bound=_OfCustomer)


def _by_customer(rows: Iterable[_Row]) -> dict[str, list[_Row]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(row)
    return found


_Record = TypeVar("_Record")


def _records_by_customer(
    record: Callable[..., _Record], rows: Iterable[dict[str, Any]]
) -> dict[str, list[_Record]]:
    """Records of rows that have the customer beside the fields of the record."""
    found: dict[str, list[_Record]] = {}
    for row in rows:
        found.setdefault(row.pop("customer_id"), []).append(record(**row))
    return found


def _reconcile(customer_id: str, month: str, counted: Tally, listed: Iterable[Obligation]) -> None:
    if count_by_status(listed) != counted:
        raise ChecksFailed(
            f"The counts of customer {customer_id!r} for {month} differ from the tickets listed for it, so "
            "no report was made. Run `sla check`."
        )


def _read_promises(
    published: Published, bound: dict[str, Any], month: str
) -> dict[str, tuple[tuple[Promise, ...], Tally, int]]:
    """By customer: the summary's lines, each with the same promise one month and one year earlier; the tally of what no promise
    covers, and how many of that still run."""
    previous_month, year_ago = month_before(month), month_before(month, 12)
    columns = (
        "month, promise, plan, obligation, obligation_kind, severities, first_plan_version, target_seconds, clock_name, clause, "
        "running_count, " + ", ".join(f"{name}_count as {name}" for name in TALLIED)
    )
    # A customer's month has one zone, as a rule; of several, it is read by the last of them.
    rows = published.fetch_of_record(
        dict,
        f"""
        select {columns}, promises.customer_id, zones.time_zone
        from {{build}}marts.mart_customer__monthly_promises as promises
        join (select customer_id, max(time_zone) as time_zone from {{build}}core.dim_customer_zones group by customer_id) as zones
            on zones.customer_id = promises.customer_id
        """,
        f"""
        select *
        from {{of_record}} as promises
        where {IN_SCOPE.format(customer_id="customer_id")}
          and list_contains($customer_ids::varchar[], customer_id) and month in ($month, $previous_month, $year_ago)
        order by customer_id, plan, obligation_kind = 'estimate', obligation, severities, first_plan_version, promise
        """,
        bound | {"previous_month": previous_month, "year_ago": year_ago},
    )
    own: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        own.setdefault(row["customer_id"], []).append(row)
    return {customer_id: _count_promises(each, month) for customer_id, each in own.items()}


def _count_promises(rows: list[dict[str, Any]], month: str) -> tuple[tuple[Promise, ...], Tally, int]:
    previous_month, year_ago = month_before(month), month_before(month, 12)
    tallies = {(row["month"], row["promise"]): Tally(**{name: row[name] for name in TALLIED}) for row in rows}
    running = {row["promise"]: row["running_count"] for row in rows if row["month"] == month}
    # Targets before estimates, and within each the widest promise first.
    promises = tuple(
        Promise(
            plan=row["plan"],
            obligation=row["obligation"],
            obligation_kind=row["obligation_kind"],
            severities=tuple(map(int, row["severities"].split(","))),
            target_seconds=row["target_seconds"],
            clock_name=row["clock_name"],
            clause=row["clause"],
            tally=tallies[month, row["promise"]],
            previous=tallies.get((previous_month, row["promise"]), Tally()),
            year_ago=tallies.get((year_ago, row["promise"]), Tally()),
            running=row["running_count"],
        )
        for row in rows
        if row["month"] == month and row["promise"] is not None
    )
    return promises, tallies.get((month, None), Tally()), running.get(None, 0)


@dataclass(frozen=True)
class _Plans:
    """What the plans of a report say, the same for every customer that has them."""

    terms: tuple[PlanTerm, ...]
    pools: tuple[PlanPool, ...]
    statements: tuple[PlanStatement, ...]
    closures: tuple[Closure, ...]
    periods: tuple[Period, ...]


def _read_plans(published: Published, versions: list[str], month: str) -> _Plans:
    return _Plans(
        _plan_terms(published, versions),
        _plan_pools(published, versions),
        _plan_statements(published, versions),
        _closures(published, versions, month),
        _read_periods(published, versions, month),
    )


def _plan_terms(published: Published, versions: list[str]) -> tuple[PlanTerm, ...]:
    # Plans are the vendor's own published terms; which versions are asked for comes from rows in scope.
    sql = f"""
        select {list_columns(PlanTerm)}
        from core.dim_plan_terms
        where list_contains($versions::varchar[], plan_version)
        order by plan_version, obligation, severity
    """
    return tuple(published.fetch(PlanTerm, sql, {"versions": versions}))


def _plan_pools(published: Published, versions: list[str]) -> tuple[PlanPool, ...]:
    sql = f"""
        select {list_columns(PlanPool)}
        from core.dim_plan_pools
        where list_contains($versions::varchar[], plan_version)
        order by plan_version, pool
    """
    return tuple(published.fetch(PlanPool, sql, {"versions": versions}))


def _plan_statements(published: Published, versions: list[str]) -> tuple[PlanStatement, ...]:
    sql = """
        select
            versions.plan, versions.plan_title, versions.valid_from as plan_valid_from, versions.time_zone,
            statements.statement, statements.statement_value, statements.clause, statements.clause_text, statements.is_reading
        from core.dim_plan_statements as statements
        join core.dim_plan_versions as versions on versions.plan_version = statements.plan_version
        where list_contains($versions::varchar[], statements.plan_version)
        order by statements.plan_version, statements.statement
    """
    return tuple(published.fetch(PlanStatement, sql, {"versions": versions}))


def _read_waivers(published: Published, scope: Scope, waiver_ids: list[str]) -> tuple[Waiver, ...]:
    sql = f"""
        select {list_columns(Waiver, table="waivers")}
        from core.dim_waivers as waivers
        join core.dim_tickets as tickets on tickets.ticket_id = waivers.ticket_id
        where {IN_SCOPE.format(customer_id="tickets.customer_id")}
          and list_contains($waiver_ids::varchar[], waivers.waiver_id)
        order by waivers.waiver_id
    """
    return tuple(published.fetch(Waiver, sql, bind_values(scope) | {"waiver_ids": waiver_ids}))


def _closures(published: Published, versions: list[str], month: str) -> tuple[Closure, ...]:
    # A day closed in the plan's time zone: the month is the one of that zone too.
    sql = f"""
        select distinct {list_columns(Closure, table="closures")}
        from core.dim_clock_closures as closures
        join core.dim_plan_terms as terms on terms.clock_name = closures.clock_name
        join core.dim_months as months on months.time_zone = terms.time_zone
        where list_contains($versions::varchar[], terms.plan_version)
          and months.month = $month
          and closures.starts_at < months.ends_at and closures.ends_at > months.starts_at
        order by clock_name, starts_at, reason
    """
    return tuple(published.fetch(Closure, sql, {"versions": versions, "month": month}))


def _read_versions(published: Published, bound: dict[str, Any]) -> dict[str, set[str]]:
    """By customer: the versions of the plans whose terms run in the month: what was promised, also where nothing happened."""
    sql = f"""
        select distinct terms.customer_id, versions.plan_version
        from core.dim_subscription_terms as terms
        join core.dim_customer_months as months on months.customer_id = terms.customer_id
        join core.dim_plan_versions as versions
          on versions.plan = terms.plan and versions.valid_from < months.ends_at and months.starts_at < versions.valid_to
        where {IN_SCOPE.format(customer_id="terms.customer_id")}
          and list_contains($customer_ids::varchar[], terms.customer_id) and months.month = $month
          and terms.term_starts_at < months.ends_at and months.starts_at < terms.term_ends_at
    """
    found: dict[str, set[str]] = {}
    for row in published.fetch(dict, sql, bound):
        found.setdefault(row["customer_id"], set()).add(row["plan_version"])
    return found


def _read_terms(published: Published, bound: dict[str, Any]) -> dict[str, list[Term]]:
    sql = f"""
        select
            terms.customer_id, terms.subscription_id, coalesce(versions.plan_title, terms.plan) as plan_title,
            terms.term_starts_on, terms.term_ends_on
        from core.dim_subscription_terms as terms
        join core.dim_customer_months as months on months.customer_id = terms.customer_id
        left join core.dim_plan_versions as versions on versions.plan_version = terms.plan_version
        where {IN_SCOPE.format(customer_id="terms.customer_id")}
          and list_contains($customer_ids::varchar[], terms.customer_id) and months.month = $month
          and terms.term_starts_at < months.ends_at and months.starts_at < terms.term_ends_at
        order by terms.term_starts_at, terms.subscription_id
    """
    return _records_by_customer(Term, published.fetch(dict, sql, bound))


def _read_periods(published: Published, versions: list[str], month: str) -> tuple[Period, ...]:
    """The month in the zone of each plan in it; in UTC where there is none."""
    sql = f"""
        with zones as (
            select distinct time_zone from core.dim_plan_versions where list_contains($versions::varchar[], plan_version)
        )
        select {list_columns(Period)}
        from core.dim_months
        where month = $month and (time_zone in (from zones) or (time_zone = 'UTC' and not exists (from zones)))
        order by starts_at, time_zone
    """
    return tuple(published.fetch(Period, sql, {"versions": versions, "month": month}))


# Percent of the target, each the upper end of a bin.
_SHARES_OF_TARGET = (25, 50, 75, 100, 150)


def _read_response_times(published: Published, bound: dict[str, Any]) -> dict[str, list[ResponseTimes]]:
    sql = f"""
        with answered as (
            select
                obligations.customer_id, terms.plan, terms.obligation, terms.obligation_kind,
                terms.target_seconds as promised_seconds, terms.clock_name, terms.clause, obligations.elapsed_seconds,
                obligations.target_seconds
            from core.fct_sla_obligations as obligations
            join core.dim_plan_terms as terms
              on terms.plan_version = obligations.plan_version
              and terms.obligation = obligations.obligation
              and terms.severity = obligations.severity_in_force
            where {IN_SCOPE.format(customer_id="obligations.customer_id")}
              and list_contains($customer_ids::varchar[], obligations.customer_id)
              and obligations.compliance_month = $month
              and obligations.status in ('met', 'breached', 'waived')
              and obligations.stopped_at is not null
              and obligations.elapsed_seconds is not null and obligations.target_seconds is not null
        ),
        ranked as (
            select
                answered.*, {RANK}
            from answered
            window promise as (
                partition by customer_id, plan, obligation, obligation_kind, promised_seconds, clock_name, clause
            )
        ),
        summed as (
            select
                customer_id, plan, obligation, obligation_kind, promised_seconds as target_seconds, clock_name, clause,
                count(*) as answered_count,
                {PERCENTILES}, {count_by_share(_SHARES_OF_TARGET)} as bins
            from ranked
            group by customer_id, plan, obligation, obligation_kind, promised_seconds, clock_name, clause
        )
        select summed.* exclude (clause), promises.severities
        from summed
        join marts.mart_customer__monthly_promises as promises
          on promises.customer_id = summed.customer_id and promises.month = $month
          and promises.plan = summed.plan and promises.obligation = summed.obligation
          and promises.obligation_kind = summed.obligation_kind and promises.target_seconds = summed.target_seconds
          and promises.clock_name = summed.clock_name and promises.clause is not distinct from summed.clause
        order by summed.plan, summed.obligation_kind = 'estimate', summed.obligation, promises.severities, summed.clause
    """
    rows = published.fetch(dict, sql, bound)
    for row in rows:
        row |= {"bins": tuple(row["bins"]), "severities": tuple(map(int, row["severities"].split(",")))}
    return _records_by_customer(ResponseTimes, rows)


def _read_packs(published: Published, bound: dict[str, Any]) -> dict[str, list[Pack]]:
    sql = f"""
        select customer_id, {list_columns(Pack)}
        from core.fct_entitlement_supplies
        where {IN_SCOPE.format(customer_id="customer_id")}
          and list_contains($customer_ids::varchar[], customer_id)
          and supply_kind = 'purchase'
        order by subscription_id, pool, supplied_at, cause_id
    """
    return _records_by_customer(Pack, published.fetch(dict, sql, bound))


def _read_build(published: Published, scope: Scope) -> BuildStatus:
    return published.remember(("build", scope), lambda: read_status(published, scope))


def _read_labels(published: Published) -> dict[str, dict[str, str]]:
    """What reference/words.yml prints for a word of a plan or a calendar: language -> word -> label."""

    def read() -> dict[str, dict[str, str]]:
        labels: dict[str, dict[str, str]] = {}
        for row in published.fetch(
            dict, "select word, language, label from core.dim_words order by word, language"
        ):
            labels.setdefault(row["language"], {})[row["word"]] = row["label"]
        return labels

    return published.remember("labels", read)


def read_look(published: Published, scope: Scope) -> Look:
    """How a document of the vendor's own looks."""
    return Look(_read_brands(published, scope, ())[None], _read_labels(published))


def _read_brands(published: Published, scope: Scope, customer_ids: Sequence[str]) -> dict[str | None, Brand]:
    """By customer: its own look, else the vendor's, else a plain one. The vendor's has no customer."""
    sql = f"""
        select customer_id, {list_columns(Brand)}
        from core.dim_brands
        where customer_id is null
          or (list_contains($customer_ids::varchar[], customer_id) and {IN_SCOPE.format(customer_id="customer_id")})
    """
    from pipeline.rules.branding import LOGO_PLACES, PLAIN_ACCENT, PLAIN_PRIMARY

    plain = Brand(None, None, None, None, None, LOGO_PLACES[0], PLAIN_PRIMARY, PLAIN_ACCENT)
    found = {
        row.pop("customer_id"): Brand(**row)
        for row in published.fetch(dict, sql, bind_values(scope) | {"customer_ids": list(customer_ids)})
    }
    return {
        customer_id: found.get(customer_id) or found.get(None) or plain
        for customer_id in (None, *customer_ids)
    }

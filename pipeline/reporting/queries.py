"""Reads the published figures: the only module that does, for the command line, the customers' PDF and the
dashboard.

Every function takes the scope of the reader and applies it inside the SQL, so that no caller can forget it.
Rates are made here, as exact ratios, and nowhere else. Values are always bound; identifiers come from
constants here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import duckdb

from pipeline.errors import ChecksFailed, ConfigurationError
from pipeline.reporting.records import (
    CUTS,
    EVERYTHING,
    MONTH_BASES,
    STATUSES,
    Alert,
    Balance,
    BalanceDifference,
    BuildStatus,
    Check,
    Closure,
    Compliance,
    ComplianceRow,
    Customer,
    Explanation,
    Finding,
    FindingCount,
    Findings,
    Forecast,
    MonthlyReport,
    Movement,
    Obligation,
    ObligationExplanation,
    PlanFit,
    PlanPool,
    PlanStatement,
    PlanTerm,
    Promise,
    Scope,
    Segment,
    Selection,
    Statement,
    StatementMonth,
    Tally,
    Ticket,
    TicketEvent,
    TrendPoint,
    Trial,
    VendorFigure,
    VerdictDifference,
    Waiver,
)
from pipeline.settings import Workspace

POINTER = "current.json"
TREND_MONTHS = 13

_Record = TypeVar("_Record")

# Nothing but the one file may be reached from a query; DuckDB refuses to widen that while the file is open.
_HARDENED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
}

_IN_SCOPE = "($sees_all or list_contains($seen_customers::varchar[], {customer_id}))"


class Published:
    """One published build, open for reading only. Use it in a `with` block; queries may run from several
    threads."""

    def __init__(self, path: Path, build_id: str, published_at: str | None) -> None:
        self.path = path
        self.build_id = build_id
        self.published_at = datetime.fromisoformat(published_at) if published_at else None
        self._connection = duckdb.connect(str(path), read_only=True, config=_HARDENED)
        self._connection.execute("set global TimeZone = 'UTC'")

    def __enter__(self) -> Published:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def fetch(
        self, record: type[_Record], sql: str, parameters: dict[str, Any] | None = None
    ) -> list[_Record]:
        """The rows of `sql` as records; its columns are named like the record's fields."""
        with self._connection.cursor() as cursor:
            result = cursor.execute(sql, parameters or {})
            names = [column[0] for column in result.description]
            return [record(**dict(zip(names, map(_as_read, row), strict=True))) for row in result.fetchall()]

    def fetch_in_scope(self, record: type[_Record], sql: str, scope: Scope) -> list[_Record]:
        """The rows of a select that has a column customer_id, as far as the scope may see them."""
        in_scope = _IN_SCOPE.format(customer_id="customer_id")
        return self.fetch(record, f"select * from ({sql}) where {in_scope}", _bind(scope))


def _as_read(value: Any) -> Any:
    """Stored instants are naive UTC and an open end is a sentinel; readers get aware instants and None."""
    if isinstance(value, datetime):
        return None if value.year == 9999 else value.replace(tzinfo=UTC)
    return value


def open_published(workspace: Workspace) -> Published:
    """The build that the pointer names.

    Raises ConfigurationError when nothing is published yet, or when the pointer and the folder disagree.
    """
    pointer_path = workspace.published / POINTER
    again = "Run `sla build` to publish one."
    try:
        pointer = json.loads(pointer_path.read_text(encoding="utf-8"))
        # The pointer is data: of a name that leads out of its folder only the last part is used.
        path = workspace.published / Path(pointer["file"]).name
        build_id = str(pointer["build_id"])
    except FileNotFoundError as problem:
        raise ConfigurationError(
            f"Nothing is published yet in {workspace.root}, so there are no figures to show. {again}"
        ) from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise ConfigurationError(
            f"{pointer_path} cannot be read as the pointer to the published build. {again}"
        ) from problem
    if not path.is_file():
        raise ConfigurationError(
            f"The published build {path} is missing although {POINTER} names it. {again}"
        )
    try:
        return Published(path, build_id, pointer.get("published_at"))
    except duckdb.Error as problem:
        raise ConfigurationError(
            f"The published build {path} cannot be opened: it is damaged or in use. {again}"
        ) from problem


def build_status(published: Published, scope: Scope) -> BuildStatus:
    """What is published and how fresh. A limited scope sees each check's outcome but not what it observed."""

    @dataclass(frozen=True)
    class Build:
        build_id: str
        as_of: datetime
        tzdata_version: str
        holidays_version: str
        landed_rows: int
        batches: int
        newest_landed_at: datetime | None

    builds = published.fetch(Build, f"select {_columns(Build)} from meta.build")
    checks = published.fetch(
        Check,
        f"""
        select {_columns(Check, as_text=("observed", "detail"))}
        from meta.checks
        order by check_name, detail
        """,
    )
    if scope.customer_ids is not None:
        checks = [replace(check, observed=None, detail=None) for check in checks]
    build = builds[0]
    return BuildStatus(**vars(build), published_at=published.published_at, checks=tuple(checks))


def customers(published: Published, scope: Scope) -> tuple[Customer, ...]:
    """Every customer in scope, by id."""
    sql = f"""
        select {_columns(Customer)}
        from core.dim_customers
        where {_IN_SCOPE.format(customer_id="customer_id")}
        order by customer_id
    """
    return tuple(published.fetch(Customer, sql, _bind(scope)))


def months(published: Published, scope: Scope, customer_id: str | None = None) -> tuple[str, ...]:
    """Months for which a monthly report can be made, oldest first; of one customer, or of all in scope."""
    sql = f"""
        select distinct month
        from marts.mart_customer__monthly_report
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and ($customer_id::varchar is null or customer_id = $customer_id)
        order by month
    """
    return tuple(
        row["month"] for row in published.fetch(dict, sql, _bind(scope) | {"customer_id": customer_id})
    )


def customers_to_report(published: Published, scope: Scope, month: str) -> tuple[str, ...]:
    """Ids of the customers in scope that have something to report for `month` ('YYYY-MM').

    Raises ConfigurationError, naming the months that there are, when no customer has.
    """
    sql = f"""
        select customer_id
        from marts.mart_customer__monthly_report
        where {_IN_SCOPE.format(customer_id="customer_id")} and month = $month
        order by customer_id
    """
    found = tuple(row["customer_id"] for row in published.fetch(dict, sql, _bind(scope) | {"month": month}))
    if not found:
        known = months(published, scope)
        raise ConfigurationError(_unknown("month to report", month, known))
    return found


# A dimension of the monthly mart, by the word that users say for it.
_CUT_COLUMNS = {
    "month": ("month",),
    "customer": ("customer_id", "customer_name"),
    "plan": ("plan",),
    "severity": ("severity",),
    "obligation": ("obligation",),
}

_TALLIED = (*STATUSES, "raw_met", "raw_breached")


def compliance(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    by: Sequence[str] = ("month",),
    month_basis: str = "settled",
) -> Compliance:
    """Obligations counted by status, cut by any of `month, customer, plan, severity, obligation`; () = one
    row.

    Month is that of settling (default) or of submission. Raises ConfigurationError for unknown words.
    """
    _check_words("--by", by, CUTS)
    _check_words("The month basis", (month_basis,), MONTH_BASES)
    _check_selection(published, scope, selection)
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
            list_sort(list_distinct(list(obligation_kind))) as obligation_kinds,
            {"bool_or(is_month_running)" if "month" in by else "null"} as is_partial,
            {", ".join(f"coalesce(sum({name}_count), 0)::bigint as {name}" for name in _TALLIED)}
        from marts.mart_manager__monthly_compliance
        where month_basis = $month_basis
          and {_IN_SCOPE.format(customer_id="customer_id")}
          and {_chosen("customer_ids", "customer_id")}
          and {_chosen("months", "month")}
          and {_chosen("plans", "plan")}
          and {_chosen("severities", "severity")}
          and {_chosen("obligations", "obligation")}
        {grouped}
    """
    bound = _bind(scope, selection) | {"month_basis": month_basis}
    del bound["statuses"]
    rows = []
    for row in published.fetch(dict, sql, bound):
        tally = Tally(**{name: row.pop(name) for name in _TALLIED})
        kinds, is_partial = tuple(row.pop("obligation_kinds") or ()), row.pop("is_partial")
        dimensions = {name: None for columns in _CUT_COLUMNS.values() for name in columns} | row
        rows.append(ComplianceRow(**dimensions, obligation_kinds=kinds, is_partial=is_partial, tally=tally))
    total = sum((row.tally for row in rows), Tally())
    return Compliance(tuple(by), month_basis, tuple(rows), total, _as_of(published))


def compliance_trend(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    until: str | None = None,
    month_basis: str = "settled",
) -> tuple[TrendPoint, ...]:
    """The 13 months that end with `until` (default: the month of the as-of instant), oldest first, none left
    out. Of several time zones a month is partial until it has ended in the last of them."""
    _check_words("The month basis", (month_basis,), MONTH_BASES)
    _check_selection(published, scope, selection)

    @dataclass(frozen=True)
    class Month:
        month: str
        is_partial: bool
        is_current: bool

    sql = f"""
        with zones as (
            select distinct time_zone
            from marts.mart_manager__monthly_compliance
            where {_IN_SCOPE.format(customer_id="customer_id")}
              and {_chosen("customer_ids", "customer_id")}
              and {_chosen("plans", "plan")}
              and {_chosen("severities", "severity")}
              and {_chosen("obligations", "obligation")}
        )
        select month, bool_or(is_month_running) as is_partial, bool_or(is_current_month) as is_current
        from core.dim_months
        where time_zone in (from zones) or (time_zone = 'UTC' and not exists (from zones))
        group by month
        order by month
    """
    bound = _bind(scope, selection)
    del bound["months"], bound["statuses"]
    known = {row.month: row for row in published.fetch(Month, sql, bound)}
    last = until or max(row.month for row in known.values() if row.is_current)
    wanted = tuple(month_before(last, count) for count in reversed(range(TREND_MONTHS)))
    found = compliance(published, scope, replace(selection, months=wanted), ("month",), month_basis)
    tallies = {row.month: row.tally for row in found.rows}
    # A month that is not known is one before the first of the data.
    return tuple(
        TrendPoint(month, month in known and known[month].is_partial, tallies.get(month, Tally()))
        for month in wanted
    )


# The month that an obligation is counted in, as in the monthly mart: what still runs stands in the month of
# as_of, so that every obligation has exactly one month on either basis.
_MONTH = {
    "settled": "obligations.compliance_month",
    "submitted": "obligations.submitted_month",
}


def tickets(
    published: Published, scope: Scope, selection: Selection = EVERYTHING, month_basis: str = "settled"
) -> tuple[Obligation, ...]:
    """One row per obligation, in order of submission."""
    _check_words("The month basis", (month_basis,), MONTH_BASES)
    _check_selection(published, scope, selection)
    return _obligations(published, scope, selection, month_basis)


def vendor_figures(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    reasons: Sequence[str] | None = None,
) -> tuple[VendorFigure, ...]:
    """The helpdesks' own figures beside ours, by ticket. Of the selection, customers and obligations apply.

    `reasons`: codes of vendor_figure_reasons, None for all.
    """
    _check_selection(published, scope, selection)
    known = [
        row["difference_reason"]
        for row in published.fetch(
            dict, "select difference_reason from core.vendor_figure_reasons order by all"
        )
    ]
    _check_words("--reason", reasons or (), known)
    sql = f"""
        select {_columns(VendorFigure, "figures").replace("figures.reason_label", "reasons.reason_label")}
        from qc.rpt_qc__vendor_figures as figures
        join core.vendor_figure_reasons as reasons on reasons.difference_reason = figures.difference_reason
        where {_IN_SCOPE.format(customer_id="figures.customer_id")}
          and {_chosen("customer_ids", "figures.customer_id")}
          and {_chosen("obligations", "figures.obligation")}
          and {_chosen("reasons", "figures.difference_reason")}
        order by figures.ticket_id, figures.obligation, figures.cycle_number, figures.figure, figures.clock_kind
    """
    bound = _bind(scope, selection)
    chosen = {name: bound[name] for name in (*_bind(scope), "customer_ids", "obligations")}
    return tuple(
        published.fetch(VendorFigure, sql, chosen | {"reasons": None if reasons is None else list(reasons)})
    )


def at_risk(published: Published, scope: Scope, selection: Selection = EVERYTHING) -> tuple[Obligation, ...]:
    """What still runs, the least remaining time on its own clock first. `figures.risk` names the band of each."""
    running = tickets(published, scope, replace(selection, statuses=("pending",)))
    return tuple(
        sorted(running, key=lambda row: (row.remaining_seconds or 0, row.due_at is None, row.obligation_key))
    )


def _obligations(
    published: Published,
    scope: Scope,
    selection: Selection,
    month_basis: str = "settled",
    ticket_id: str | None = None,
) -> tuple[Obligation, ...]:
    month = _MONTH[month_basis]
    from_elsewhere = {
        "customer_name": "customers.customer_name",
        "subject": "tickets.subject",
        "requester": "tickets.requester",
        "channel": "tickets.channel",
        "reason_label": "reasons.reason_label",
        "month": month,
    }
    columns = ", ".join(
        f"{from_elsewhere.get(field.name, f'obligations.{field.name}')} as {field.name}"
        for field in fields(Obligation)
    )
    sql = f"""
        select {columns}
        from core.fct_sla_obligations as obligations
        left join core.dim_tickets as tickets on tickets.ticket_id = obligations.ticket_id
        left join core.dim_customers as customers on customers.customer_id = obligations.customer_id
        left join core.sla_status_reasons as reasons on reasons.status_reason = obligations.status_reason
        where {_IN_SCOPE.format(customer_id="obligations.customer_id")}
          and ($ticket_id::varchar is null or obligations.ticket_id = $ticket_id)
          and {_chosen("customer_ids", "obligations.customer_id")}
          and {_chosen("months", month)}
          and {_chosen("plans", "obligations.plan")}
          and {_chosen("severities", "obligations.severity_in_force")}
          and {_chosen("obligations", "obligations.obligation")}
          and {_chosen("statuses", "obligations.status")}
        order by
            obligations.submitted_at, obligations.ticket_id, obligations.obligation,
            obligations.cycle_number
    """
    return tuple(published.fetch(Obligation, sql, _bind(scope, selection) | {"ticket_id": ticket_id}))


def entitlements(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Balance, ...]:
    """One row per subscription term and pool. Of the selection, customers and plans apply."""
    _check_selection(published, scope, selection)
    sql = f"""
        select {_columns(Balance)}
        from marts.mart_account__entitlement_balances
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and {_chosen("customer_ids", "customer_id")}
          and {_chosen("plans", "plan")}
        order by customer_id, term_starts_on, subscription_id, pool
    """
    bound = _bind(scope, selection)
    return tuple(
        published.fetch(
            Balance, sql, {name: bound[name] for name in (*_bind(scope), "customer_ids", "plans")}
        )
    )


def alerts(published: Published, scope: Scope, selection: Selection = EVERYTHING) -> tuple[Alert, ...]:
    """What account teams should know now, the most pressing first. Of the selection, customers and plans apply."""
    _check_selection(published, scope, selection)
    sql = f"""
        select {_columns(Alert)}
        from marts.mart_account__alerts
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and {_chosen("customer_ids", "customer_id")}
          and {_chosen("plans", "plan")}
        order by alert_rank, threshold_pct desc nulls last, days_left, customer_id, subscription_id, pool
    """
    bound = _bind(scope, selection)
    return tuple(
        published.fetch(Alert, sql, {name: bound[name] for name in (*_bind(scope), "customer_ids", "plans")})
    )


def findings(
    published: Published,
    scope: Scope,
    selection: Selection = EVERYTHING,
    kinds: Sequence[str] | None = None,
) -> Findings:
    """Suspicions about tickets, customers and contract records, counted by kind and one by one.

    Of the selection, customers apply; `kinds` None is all. Raises ConfigurationError for a kind that does not exist.
    """
    _check_selection(published, scope, selection)
    _check_words(
        "--finding",
        kinds or (),
        [
            row["finding"]
            for row in published.fetch(dict, "select finding from core.finding_kinds order by 1")
        ],
    )
    sql = f"""
        select {_columns(Finding)}
        from qc.rpt_qc__findings
        join core.finding_kinds as kinds using (finding)
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and {_chosen("customer_ids", "customer_id")}
          and ($kinds::varchar[] is null or list_contains($kinds::varchar[], finding))
        order by finding, customer_id nulls first, ticket_id nulls first, finding_key
    """
    bound = _bind(scope, selection)
    rows = published.fetch(
        Finding,
        sql,
        {name: bound[name] for name in (*_bind(scope), "customer_ids")}
        | {"kinds": None if kinds is None else list(kinds)},
    )
    counted = Counter((row.finding, row.finding_label) for row in rows)
    counts = sorted(counted.items(), key=lambda count: (-count[1], count[0]))
    return Findings(
        tuple(FindingCount(finding, label, count) for (finding, label), count in counts),
        tuple(rows),
        _as_of(published),
    )


def forecasts(published: Published, scope: Scope, selection: Selection = EVERYTHING) -> tuple[Forecast, ...]:
    """One row per current term and limited pool that tickets draw on. Of the selection, customers and plans apply."""
    _check_selection(published, scope, selection)
    sql = f"""
        select {_columns(Forecast)}
        from marts.mart_account__entitlement_forecasts
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and {_chosen("customer_ids", "customer_id")}
          and {_chosen("plans", "plan")}
        order by customer_id, subscription_id, pool
    """
    bound = _bind(scope, selection)
    return tuple(
        published.fetch(
            Forecast, sql, {name: bound[name] for name in (*_bind(scope), "customer_ids", "plans")}
        )
    )


def ledger(
    published: Published, scope: Scope, customer_id: str, month: str | None = None
) -> tuple[Statement, ...]:
    """The statement of every pool of one customer, term by term: of one month, or of all there are."""
    selection = Selection(customer_ids=(customer_id,), months=(month,) if month else ())
    _check_selection(published, scope, selection)
    bound = _bind(scope) | {"customer_id": customer_id, "month": month}
    months = published.fetch(
        StatementMonth,
        f"""
        select {_columns(StatementMonth)}
        from core.fct_entitlement_months
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and customer_id = $customer_id
          and ($month::varchar is null or month = $month)
        order by term_starts_on, subscription_id, is_redeemed, pool, month
        """,
        bound,
    )
    lines: dict[tuple[str, str], list[Movement]] = {}
    for line in _movements(published, scope, customer_id=customer_id):
        if month is None or line.month == month:
            lines.setdefault((line.subscription_id, line.pool), []).append(line)
    own: dict[tuple[str, str], list[StatementMonth]] = {}
    for each in months:
        own.setdefault((each.subscription_id, each.pool), []).append(each)
    return tuple(
        Statement(
            first.customer_id,
            first.subscription_id,
            first.plan,
            first.plan_version,
            first.pool,
            (first, *rest),
            tuple(lines.get((first.subscription_id, first.pool), ())),
        )
        for first, *rest in own.values()
    )


def _movements(
    published: Published, scope: Scope, customer_id: str | None = None, ticket_id: str | None = None
) -> tuple[Movement, ...]:
    sql = f"""
        select {_columns(Movement)}
        from core.fct_entitlement_movements
        where {_IN_SCOPE.format(customer_id="customer_id")}
          and ($customer_id::varchar is null or customer_id = $customer_id)
          and ($ticket_id::varchar is null or ticket_id = $ticket_id)
        order by subscription_id, pool, statement_line
    """
    return tuple(
        published.fetch(Movement, sql, _bind(scope) | {"customer_id": customer_id, "ticket_id": ticket_id})
    )


def plan_trial(
    published: Published, scope: Scope, trial_plan: str, selection: Selection = EVERYTHING
) -> Trial:
    """The terms of the selected customers that run at as_of, under another plan: counts, and only what would differ.

    Raises ConfigurationError for a plan that the build did not try.
    """
    _check_selection(published, scope, selection)
    nearest = [
        row["trial_plan"]
        for row in published.fetch(
            dict,
            """
            select trial_plan
            from core.dim_plan_trials
            order by levenshtein(lower(trial_plan), lower($trial_plan)), trial_plan
            limit 3
            """,
            {"trial_plan": trial_plan},
        )
    ]
    if trial_plan not in nearest[:1]:
        raise ConfigurationError(
            _unknown("trial of the plan", trial_plan, nearest)
            + " A build tries the plans that compare_plans in sla.yml names, or every plan in reference/plans."
        )
    bound = {
        name: value
        for name, value in _bind(scope, selection).items()
        if name in (*_bind(scope), "customer_ids")
    }

    def fetch(record: type[_Record], table: str, condition: str, order: str) -> tuple[_Record, ...]:
        sql = f"""
            select {_columns(record, "trials")}
            from {table} as trials
            join marts.mart_account__plan_fit as fits
              on fits.subscription_id = trials.subscription_id and fits.trial_plan = trials.trial_plan
            where {_IN_SCOPE.format(customer_id="trials.customer_id")}
              and {_chosen("customer_ids", "trials.customer_id")}
              and trials.trial_plan = $trial_plan
              and not fits.is_current_plan
              and fits.term_status = 'current'
              and {condition}
            order by {order}
        """
        return tuple(published.fetch(record, sql, bound | {"trial_plan": trial_plan}))

    differs = " or ".join(
        f"trials.{left} is distinct from trials.{right}"
        for left, right in (
            ("granted_quantity", "trial_granted_quantity"),
            ("remaining_quantity", "trial_remaining_quantity"),
            ("overage_quantity", "trial_overage_quantity"),
            ("is_unlimited", "is_trial_unlimited"),
            ("is_stated", "is_trial_stated"),
        )
    )
    return Trial(
        trial_plan,
        fetch(PlanFit, "marts.mart_account__plan_fit", "true", "trials.customer_id, trials.subscription_id"),
        fetch(
            VerdictDifference,
            "core.fct_plan_trial_verdicts",
            "true",
            "trials.customer_id, trials.submitted_at, trials.ticket_id, trials.obligation, trials.cycle_number",
        ),
        fetch(
            BalanceDifference,
            "core.fct_plan_trial_balances",
            # Without a version in force when the term began, neither zero nor no pool can be said.
            f"fits.plan_version is not null and fits.trial_plan_version is not null and ({differs})",
            "trials.customer_id, trials.subscription_id, trials.pool",
        ),
    )


def explanation(published: Published, scope: Scope, ticket_id: str) -> Explanation:
    """Why a ticket's verdicts are what they are.

    Raises ConfigurationError, naming the nearest ids, for a ticket that does not exist or is out of scope:
    the two cannot be distinguished.
    """
    bound = _bind(scope) | {"ticket_id": ticket_id}
    found = published.fetch(
        Ticket,
        f"""
        select {_columns(Ticket)}
        from core.dim_tickets
        where {_IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        """,
        bound,
    )
    if not found:
        nearest = published.fetch(
            dict,
            f"""
            select ticket_id
            from core.dim_tickets
            where {_IN_SCOPE.format(customer_id="customer_id")}
            order by levenshtein(lower(ticket_id), lower($ticket_id)), ticket_id
            limit 3
            """,
            bound,
        )
        raise ConfigurationError(_unknown("ticket", ticket_id, [row["ticket_id"] for row in nearest]))
    segments = published.fetch(
        Segment,
        f"""
        select {_columns(Segment)}
        from core.fct_sla_segments
        where {_IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        order by obligation_key, segment_number
        """,
        bound,
    )
    events = published.fetch(
        TicketEvent,
        f"""
        select {_columns(TicketEvent)}
        from core.fct_ticket_events
        where {_IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        order by event_order, event_id, moment
        """,
        bound,
    )
    stops = published.fetch(
        dict,
        f"""
        select obligation_key, stopping_event_id
        from core.fct_sla_obligations
        where {_IN_SCOPE.format(customer_id="customer_id")} and ticket_id = $ticket_id
        """,
        bound,
    )
    stopped_by = {row["obligation_key"]: row["stopping_event_id"] for row in stops}
    obligations = _obligations(published, scope, EVERYTHING, ticket_id=ticket_id)
    build = build_status(published, scope)
    return Explanation(
        ticket=found[0],
        customer_name=obligations[0].customer_name if obligations else None,
        obligations=tuple(
            _explain(obligation, segments, events, stopped_by.get(obligation.obligation_key))
            for obligation in obligations
        ),
        events=tuple(events),
        movements=_movements(published, scope, ticket_id=ticket_id),
        as_of=build.as_of,
        build_id=build.build_id,
    )


def _explain(
    obligation: Obligation,
    segments: Iterable[Segment],
    events: Iterable[TicketEvent],
    stopping_event_id: str | None,
) -> ObligationExplanation:
    own = tuple(segment for segment in segments if segment.obligation_key == obligation.obligation_key)
    starts_at, ends_at = obligation.starts_at, obligation.stopped_at or obligation.as_of
    return ObligationExplanation(
        obligation=obligation,
        segments=own,
        stopped_by=next((event for event in events if event.event_id == stopping_event_id), None),
        passed_over=tuple(
            event
            for event in events
            if event.is_automatic_reply and starts_at is not None and starts_at <= event.event_at <= ends_at
        ),
        calendar_versions=tuple(
            sorted({segment.calendar_version for segment in own if segment.calendar_version})
        ),
    )


def monthly_report(published: Published, scope: Scope, customer_id: str, month: str) -> MonthlyReport:
    """Everything for one customer's monthly document.

    Raises ConfigurationError for an unknown customer or a month without anything to report, and ChecksFailed
    when the published tables contradict each other: then no document may be made.
    """
    _check_selection(published, scope, Selection(customer_ids=(customer_id,), months=(month,)))

    @dataclass(frozen=True)
    class Header:
        customer_id: str
        customer_name: str
        time_zone: str
        tickets_submitted_count: int
        is_month_running: bool

    headers = published.fetch(
        Header,
        f"""
        select {_columns(Header)}
        from marts.mart_customer__monthly_report
        where {_IN_SCOPE.format(customer_id="customer_id")} and customer_id = $customer_id and month = $month
        """,
        _bind(scope) | {"customer_id": customer_id, "month": month},
    )
    if not headers:
        known = months(published, scope, customer_id)
        offer = (
            f"Months with something to report: {', '.join(known[-6:])}."
            if known
            else "There is none for this customer yet."
        )
        raise ConfigurationError(
            f"There is nothing to report for customer {customer_id!r} in {month}. {offer}"
        )
    header, build = headers[0], build_status(published, scope)
    previous_month = month_before(month)
    both = Selection(customer_ids=(customer_id,), months=(previous_month, month))
    counted = {row.month: row.tally for row in compliance(published, scope, both).rows}
    listed = _obligations(published, scope, both)
    for each in (previous_month, month):
        _reconcile(
            customer_id, each, counted.get(each, Tally()), (row for row in listed if row.month == each)
        )
    obligations = tuple(row for row in listed if row.month == month)
    statements = ledger(published, scope, customer_id, month)
    for statement in statements:
        if not statement.adds_up:
            raise ChecksFailed(
                f"The balance of pool {statement.pool!r} in term {statement.subscription_id!r} of customer "
                f"{customer_id!r} is not the sum of its movements, so no report was made. Run `sla check`."
            )
    running = tuple(
        row
        for row in _obligations(
            published, scope, Selection(customer_ids=(customer_id,), statuses=("pending",)), "submitted"
        )
        if row.submitted_month is not None and row.submitted_month <= month
    )
    rows_with_plans: tuple[Obligation | Statement, ...] = (*obligations, *running, *statements)
    versions = sorted({row.plan_version for row in rows_with_plans if row.plan_version})
    terms = _plan_terms(published, versions)
    promises, outside, outside_running = _promises(terms, listed, running, month)
    return MonthlyReport(
        customer_id=customer_id,
        customer_name=header.customer_name,
        month=month,
        previous_month=previous_month,
        time_zone=header.time_zone,
        plans=tuple(sorted({row.plan for row in rows_with_plans if row.plan})),
        tickets_submitted_count=header.tickets_submitted_count,
        is_partial=header.is_month_running,
        total=counted.get(month, Tally()),
        previous_total=counted.get(previous_month, Tally()),
        outside_promises=outside,
        outside_running=outside_running,
        promises=promises,
        trend=compliance_trend(published, scope, Selection(customer_ids=(customer_id,)), until=month),
        obligations=obligations,
        still_running=running,
        statements=statements,
        plan_terms=terms,
        plan_pools=_plan_pools(published, versions),
        plan_statements=_plan_statements(published, versions),
        closures=_closures(published, sorted({term.clock_name for term in terms}), month),
        waivers=_waivers(published, scope, sorted({row.waiver_id for row in obligations if row.waiver_id})),
        build=build,
    )


def _reconcile(customer_id: str, month: str, counted: Tally, listed: Iterable[Obligation]) -> None:
    if count_by_status(listed) != counted:
        raise ChecksFailed(
            f"The counts of customer {customer_id!r} for {month} differ from the tickets listed for it, so "
            "no report was made. Run `sla check`."
        )


def count_by_status(obligations: Iterable[Obligation]) -> Tally:
    """The same tally that the monthly table holds, counted from single rows."""
    counts = dict.fromkeys(_TALLIED, 0)
    for row in obligations:
        counts[row.status] += 1
        before = row.status_before_waiver or row.status
        if before in ("met", "breached"):
            counts[f"raw_{before}"] += 1
    return Tally(**counts)


def _promises(
    terms: Sequence[PlanTerm], listed: Sequence[Obligation], running: Sequence[Obligation], month: str
) -> tuple[tuple[Promise, ...], Tally, int]:
    """The summary's lines: also promises that nothing fell under, and apart from them what no promise
    covers."""

    def line_of(term: PlanTerm) -> tuple[Any, ...]:
        return (
            term.plan,
            term.obligation_kind,
            term.obligation,
            term.target_seconds,
            term.clock_name,
            term.clause,
        )

    by_severity: dict[tuple[str | None, str, int | None], tuple[Any, ...]] = {
        (term.plan_version, term.obligation, term.severity): line_of(term) for term in terms
    }
    severities: dict[tuple[Any, ...], set[int]] = {}
    for term in terms:
        severities.setdefault(line_of(term), set()).add(term.severity)

    def by_line(obligations: Iterable[Obligation]) -> dict[tuple[Any, ...] | None, list[Obligation]]:
        rows: dict[tuple[Any, ...] | None, list[Obligation]] = {}
        for row in obligations:
            line = by_severity.get((row.plan_version, row.obligation, row.severity_in_force))
            rows.setdefault(line, []).append(row)
        return rows

    rows, rows_running = by_line(listed), by_line(running)

    def count(line: tuple[Any, ...] | None, *, is_now: bool) -> Tally:
        return count_by_status(row for row in rows.get(line, ()) if (row.month == month) == is_now)

    promises = [
        Promise(
            plan=plan,
            obligation=obligation,
            obligation_kind=kind,
            severities=tuple(sorted(severities[line])),
            target_seconds=target_seconds,
            clock_name=clock_name,
            clause=clause,
            tally=count(line, is_now=True),
            previous=count(line, is_now=False),
            running=len(rows_running.get(line, ())),
        )
        for line in severities
        for plan, kind, obligation, target_seconds, clock_name, clause in [line]
    ]
    # Targets before estimates, and within each the widest promise first.
    promises.sort(
        key=lambda row: (row.plan, row.obligation_kind == "estimate", row.obligation, row.severities)
    )
    return tuple(promises), count(None, is_now=True), len(rows_running.get(None, ()))


def _plan_terms(published: Published, versions: list[str]) -> tuple[PlanTerm, ...]:
    # Plans are the vendor's own published terms; which versions are asked for comes from rows in scope.
    sql = f"""
        select {_columns(PlanTerm)}
        from core.dim_plan_terms
        where list_contains($versions::varchar[], plan_version)
        order by plan_version, obligation, severity
    """
    return tuple(published.fetch(PlanTerm, sql, {"versions": versions}))


def _plan_pools(published: Published, versions: list[str]) -> tuple[PlanPool, ...]:
    sql = f"""
        select {_columns(PlanPool)}
        from core.dim_plan_pools
        where list_contains($versions::varchar[], plan_version)
        order by plan_version, pool
    """
    return tuple(published.fetch(PlanPool, sql, {"versions": versions}))


def _plan_statements(published: Published, versions: list[str]) -> tuple[PlanStatement, ...]:
    sql = f"""
        select {_columns(PlanStatement)}
        from core.dim_plan_statements
        where list_contains($versions::varchar[], plan_version)
        order by plan_version, statement
    """
    return tuple(published.fetch(PlanStatement, sql, {"versions": versions}))


def _waivers(published: Published, scope: Scope, waiver_ids: list[str]) -> tuple[Waiver, ...]:
    sql = f"""
        select {_columns(Waiver, table="waivers")}
        from core.dim_waivers as waivers
        join core.dim_tickets as tickets on tickets.ticket_id = waivers.ticket_id
        where {_IN_SCOPE.format(customer_id="tickets.customer_id")}
          and list_contains($waiver_ids::varchar[], waivers.waiver_id)
        order by waivers.waiver_id
    """
    return tuple(published.fetch(Waiver, sql, _bind(scope) | {"waiver_ids": waiver_ids}))


def _closures(published: Published, clocks: list[str], month: str) -> tuple[Closure, ...]:
    sql = f"""
        select {_columns(Closure)}
        from core.dim_clock_closures
        where list_contains($clocks::varchar[], clock_name)
          and starts_at < $ends_on::date::timestamp and ends_at > $starts_on::date::timestamp
        order by clock_name, starts_at, reason
    """
    bound = {"clocks": clocks, "starts_on": _first_day(month), "ends_on": _first_day(month_after(month))}
    return tuple(published.fetch(Closure, sql, bound))


def month_before(month: str, count: int = 1) -> str:
    """The month `count` months earlier, both 'YYYY-MM'."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def month_after(month: str) -> str:
    """The month that follows, both 'YYYY-MM'."""
    return month_before(month, -1)


def _first_day(month: str) -> date:
    return date(int(month[:4]), int(month[5:]), 1)


def _as_of(published: Published) -> datetime:
    as_of: datetime = published.fetch(dict, "select as_of from meta.build")[0]["as_of"]
    return as_of


def _columns(record: type, table: str | None = None, as_text: tuple[str, ...] = ()) -> str:
    """The select list of a record: its fields are the columns, so the shape is written down once."""
    prefix = f"{table}." if table else ""
    return ", ".join(
        f"{prefix}{field.name}::varchar as {field.name}" if field.name in as_text else f"{prefix}{field.name}"
        for field in fields(record)
    )


def _chosen(dimension: str, column: str) -> str:
    """The condition that a dimension of the selection makes on a column: none when it is left open."""
    kind = "integer[]" if dimension == "severities" else "varchar[]"
    return f"(${dimension}::{kind} is null or list_contains(${dimension}::{kind}, {column}))"


def _bind(scope: Scope, selection: Selection | None = None) -> dict[str, Any]:
    bound: dict[str, Any] = {
        "sees_all": scope.customer_ids is None,
        "seen_customers": list(scope.customer_ids or ()),
    }
    if selection is not None:
        for field in fields(Selection):
            chosen = getattr(selection, field.name)
            bound[field.name] = None if chosen is None else list(chosen)
    return bound


def _check_selection(published: Published, scope: Scope, selection: Selection) -> None:
    for month in selection.months or ():
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month) or not 1970 <= int(month[:4]) <= 9998:
            raise ConfigurationError(
                f"The month is {month!r}; it must be a year and a month such as 2026-07."
            )
    _check_words("--status", selection.statuses or (), STATUSES)
    _check_customers(published, scope, selection.customer_ids or ())


def _check_customers(published: Published, scope: Scope, customer_ids: Iterable[str]) -> None:
    for customer_id in customer_ids:
        nearest = published.fetch(
            dict,
            f"""
            select customer_id
            from core.dim_customers
            where {_IN_SCOPE.format(customer_id="customer_id")}
            order by
                customer_id <> $customer_id,
                levenshtein(lower(customer_id), lower($customer_id)),
                customer_id
            limit 3
            """,
            _bind(scope) | {"customer_id": customer_id},
        )
        names = [row["customer_id"] for row in nearest]
        if customer_id not in names:
            raise ConfigurationError(_unknown("customer", customer_id, names))


def _check_words(what: str, words: Iterable[str], allowed: Sequence[str]) -> None:
    given = list(words)
    for word in given:
        if word not in allowed:
            raise ConfigurationError(f"{what} is {word!r}; it must be one of {', '.join(allowed)}.")
    if len(set(given)) != len(given):
        raise ConfigurationError(f"{what} names the same thing twice: {', '.join(given)}.")


def _unknown(what: str, given: str, nearest: Sequence[str]) -> str:
    offer = f"Nearest: {', '.join(map(repr, nearest))}." if nearest else f"There is no {what} at all."
    return f"There is no {what} {given!r} in the published data. {offer}"


__all__ = [
    "Published",
    "alerts",
    "at_risk",
    "build_status",
    "compliance",
    "compliance_trend",
    "count_by_status",
    "customers",
    "customers_to_report",
    "entitlements",
    "explanation",
    "findings",
    "forecasts",
    "ledger",
    "month_after",
    "month_before",
    "monthly_report",
    "months",
    "open_published",
    "plan_trial",
    "tickets",
]

"""The account teams' figures: what is left of each pool, every movement of it, alerts, and how long it is likely to last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Ratio,
    Scope,
    Selection,
    bind_values,
    check_selection,
    list_columns,
    where_chosen,
)

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class Balance:
    """One pool of one subscription term. Quantities are tickets (or redemptions); None = no such number
    exists.

    For a pool with a stated, limited grant: granted + purchased - used + credited + overflowed out -
    overflowed in + overage - expired + carried = remaining. What another pool took over (out) is given back to
    this one; what this one took over (in) is drawn from it; what no pool carries is overage. Units of packs that
    outlive their term are carried: out of one term (negative) into the next (positive).
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    term_starts_on: date
    term_ends_on: date
    is_unlimited: bool
    is_stated: bool
    granted_quantity: int | None
    purchased_quantity: int
    used_quantity: int
    credited_quantity: int
    overflowed_in_quantity: int
    overflowed_out_quantity: int
    expired_quantity: int
    carried_quantity: int
    remaining_quantity: int | None
    overage_quantity: int
    consumed_quantity: int
    available_quantity: int | None
    term_seconds: int
    term_elapsed_seconds: int
    days_left: int
    term_status: str
    as_of: datetime

    @property
    def burn(self) -> Ratio | None:
        """Consumed of available units; None where there is no number."""
        return (
            None
            if self.available_quantity is None
            else Ratio(self.consumed_quantity, self.available_quantity)
        )

    @property
    def even_pace(self) -> Ratio:
        """The part of the term that has passed: the burn of a customer who consumes evenly."""
        return Ratio(self.term_elapsed_seconds, self.term_seconds)

    @property
    def adds_up(self) -> bool:
        if self.is_unlimited or self.granted_quantity is None or self.remaining_quantity is None:
            return True
        given = (
            self.granted_quantity + self.purchased_quantity + self.credited_quantity + self.carried_quantity
        )
        taken = self.used_quantity + self.overflowed_in_quantity + self.expired_quantity
        return given + self.overflowed_out_quantity + self.overage_quantity - taken == self.remaining_quantity


@dataclass(frozen=True)
class Forecast:
    """Until when one limited pool of a current term is likely to last, and what that rests on.

    Low and high hold 80 % of what may happen to the draws; a pool is exhausted on a low, mid or high day with a chance of
    10, 50 or 90 %, None = not before the term ends. Chances and yearly rates are estimates, rounded where they were made.
    All of them are None for `too_few_tickets` and `no_active_license`; the days also for `exhausted`.
    """

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    pool: str
    forecast_status: str
    remaining_quantity: int
    ending_quantity: int
    days_left: int
    lasts_ratio: float | None
    draws_low_quantity: int | None
    draws_mid_quantity: int | None
    draws_high_quantity: int | None
    exhausted_on_low: date | None
    exhausted_on_mid: date | None
    exhausted_on_high: date | None
    own_draws_quantity: int
    own_history_days: int
    own_weight_ratio: float | None
    plan_customers_count: int
    plan_draws_quantity: int
    plan_yearly_quantity: float | None
    expected_yearly_quantity: float | None
    dispersion_ratio: float | None
    term_ends_on: date
    as_of: datetime

    @property
    def left_at_end(self) -> tuple[int, int, int] | None:
        """What is likely to be left when the term ends, at least, in the middle and at most; None without a forecast. Draws
        beyond what is left are overage."""
        draws = (self.draws_high_quantity, self.draws_mid_quantity, self.draws_low_quantity)
        if self.forecast_status != "forecast" or None in draws:
            return None
        low, mid, high = (max(self.remaining_quantity - (each or 0), 0) for each in draws)
        return low, mid, high


@dataclass(frozen=True)
class Alert:
    """One thing that an account team should know now, since `raised_at`: `threshold_reached` of a pool (the highest
    threshold that it reached), `likely_to_run_out` of a pool, or `term_ends_soon`, for which the pool and its
    quantities are None.

    Only a forecast has `lasts_ratio`, the chance that the pool lasts, and `exhausted_on_mid`; it is as old as the build,
    so its `raised_at` is None.

    Quantities are tickets (or redemptions), `days_left` begun days, `alert_rank` 1 the most pressing.
    `next_subscription_id` is the term that follows an ending one, if there is one.
    """

    alert_kind: str
    alert_rank: int
    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    pool: str | None
    threshold_pct: int | None
    consumed_quantity: int | None
    available_quantity: int | None
    overage_quantity: int | None
    next_subscription_id: str | None
    lasts_ratio: float | None
    exhausted_on_mid: date | None
    days_left: int
    term_ends_on: date
    raised_at: datetime | None
    as_of: datetime

    @property
    def consumed(self) -> Ratio | None:
        """The part of the pool that is consumed; over 1 where it was used beyond. None for a whole term."""
        if self.consumed_quantity is None or self.available_quantity is None:
            return None
        return Ratio(self.consumed_quantity, self.available_quantity)


@dataclass(frozen=True)
class Movement:
    """One line of the entitlement ledger. `quantity` is signed; `balance_after` is None for unlimited and not
    stated pools. `month` is that of the plan's time zone. `payer_kind` and `payer_id` name the supply whose unit it
    takes or gives back: a `term` and its id, a `purchase` and its id, or None where nothing pays."""

    movement_id: str
    customer_id: str
    subscription_id: str
    pool: str
    statement_line: int
    movement_kind: str
    quantity: int | None
    balance_after: int | None
    happened_at: datetime
    known_at: datetime | None
    month: str
    cause_kind: str
    cause_id: str
    ticket_id: str | None
    undoes_movement_id: str | None
    reason: str | None
    payer_kind: str | None
    payer_id: str | None


@dataclass(frozen=True)
class StatementMonth:
    """One month of one pool: opening + granted + purchased - used + credited + overflowed out - overflowed in
    + overage - expired + carried = closing; opening and closing are None for unlimited and not stated pools."""

    customer_id: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    month: str
    opening_quantity: int | None
    granted_quantity: int | None
    purchased_quantity: int
    used_quantity: int
    credited_quantity: int
    overflowed_in_quantity: int
    overflowed_out_quantity: int
    overage_quantity: int
    overage_to_date_quantity: int
    expired_quantity: int
    carried_quantity: int
    closing_quantity: int | None
    is_unlimited: bool
    is_stated: bool
    is_redeemed: bool
    term_status: str
    term_starts_on: date
    term_ends_on: date


@dataclass(frozen=True)
class Statement:
    """The account statement of one pool of one subscription term: its months in order, and every line of them."""

    customer_id: str
    subscription_id: str
    plan: str
    plan_version: str
    pool: str
    months: tuple[StatementMonth, ...]
    lines: tuple[Movement, ...]

    @property
    def opening_quantity(self) -> int | None:
        return self.months[0].opening_quantity

    @property
    def closing_quantity(self) -> int | None:
        return self.months[-1].closing_quantity

    @property
    def adds_up(self) -> bool:
        """Whether the lines lead from the opening to the closing, where there is a number."""
        if self.opening_quantity is None or self.closing_quantity is None:
            return True
        moved = sum(line.quantity or 0 for line in self.lines)
        return self.opening_quantity + moved == self.closing_quantity


def read_balances(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Balance, ...]:
    """One row per subscription term and pool. Of the selection, customers and plans apply."""
    order = "customer_id, term_starts_on, subscription_id, pool"
    return _read_mart(Balance, "marts.mart_account__entitlement_balances", order, published, scope, selection)


def read_alerts(published: Published, scope: Scope, selection: Selection = EVERYTHING) -> tuple[Alert, ...]:
    """What account teams should know now, the most pressing first. Of the selection, customers and plans apply."""
    order = "alert_rank, threshold_pct desc nulls last, days_left, customer_id, subscription_id, pool"
    return _read_mart(Alert, "marts.mart_account__alerts", order, published, scope, selection)


def read_forecasts(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Forecast, ...]:
    """One row per current term and limited pool that tickets draw on. Of the selection, customers and plans apply."""
    order = "customer_id, subscription_id, pool"
    return _read_mart(
        Forecast, "marts.mart_account__entitlement_forecasts", order, published, scope, selection
    )


def _read_mart(
    record: type[_Record], mart: str, order: str, published: Published, scope: Scope, selection: Selection
) -> tuple[_Record, ...]:
    """The rows of a mart of customers and plans. Its name and the order are constants of this module."""
    check_selection(published, scope, selection)
    sql = f"""
        select {list_columns(record)}
        from {mart}
        where {IN_SCOPE.format(customer_id="customer_id")}
          and {where_chosen("customer_ids", "customer_id")}
          and {where_chosen("plans", "plan")}
        order by {order}
    """
    bound = bind_values(scope, selection)
    names = (*bind_values(scope), "customer_ids", "plans")
    return tuple(published.fetch(record, sql, {name: bound[name] for name in names}))


def read_plans(published: Published, scope: Scope) -> tuple[str, ...]:
    """The plans of which there is a version, by name: the same for every reader."""
    rows = published.fetch(dict, "select distinct plan from core.dim_plan_versions order by plan")
    return tuple(row["plan"] for row in rows)


@dataclass(frozen=True)
class Renewal:
    """A current term that ends soon. `remaining_quantity` is of its regular pool; None where that has no number."""

    customer_id: str
    customer_name: str
    subscription_id: str
    plan: str
    term_ends_on: date
    days_left: int
    remaining_quantity: int | None
    is_unlimited: bool
    overage_quantity: int


def list_renewals(balances: Iterable[Balance], within_days: int) -> tuple[Renewal, ...]:
    """The current terms among `balances` that end within so many begun days, the first to end first."""
    terms: dict[str, list[Balance]] = {}
    for each in balances:
        if each.term_status == "current" and each.days_left <= within_days:
            terms.setdefault(each.subscription_id, []).append(each)
    renewals = []
    for pools in terms.values():
        regular = next((each for each in pools if each.pool == "regular"), None)
        term = regular or pools[0]
        renewals.append(
            Renewal(
                term.customer_id,
                term.customer_name,
                term.subscription_id,
                term.plan,
                term.term_ends_on,
                term.days_left,
                regular.remaining_quantity if regular else None,
                regular.is_unlimited if regular else False,
                sum(each.overage_quantity for each in pools),
            )
        )
    return tuple(
        sorted(renewals, key=lambda each: (each.term_ends_on, each.customer_id, each.subscription_id))
    )


def read_ledger(
    published: Published, scope: Scope, customer_id: str, month: str | None = None
) -> tuple[Statement, ...]:
    """The statement of every pool of one customer, term by term: of one month, or of all there are."""
    return read_ledgers(published, scope, (customer_id,), month).get(customer_id, ())


def read_ledgers(
    published: Published, scope: Scope, customer_ids: Sequence[str], month: str | None = None
) -> dict[str, tuple[Statement, ...]]:
    """The same for several customers; those without a pool are left out."""
    selection = Selection(customer_ids=tuple(customer_ids), months=(month,) if month else ())
    check_selection(published, scope, selection)
    months = published.fetch(
        StatementMonth,
        f"""
        select {list_columns(StatementMonth)}
        from core.fct_entitlement_months
        where {IN_SCOPE.format(customer_id="customer_id")}
          and list_contains($customer_ids::varchar[], customer_id)
          and ($month::varchar is null or month = $month)
        order by term_starts_on, subscription_id, is_redeemed, pool, month
        """,
        bind_values(scope) | {"customer_ids": list(customer_ids), "month": month},
    )
    lines: dict[tuple[str, str, str], list[Movement]] = {}
    for line in select_movements(published, scope, customer_ids=customer_ids, month=month):
        lines.setdefault((line.customer_id, line.subscription_id, line.pool), []).append(line)
    own: dict[tuple[str, str, str], list[StatementMonth]] = {}
    for each in months:
        own.setdefault((each.customer_id, each.subscription_id, each.pool), []).append(each)
    found: dict[str, tuple[Statement, ...]] = {}
    for key, (first, *rest) in own.items():
        statement = Statement(
            first.customer_id,
            first.subscription_id,
            first.plan,
            first.plan_version,
            first.pool,
            (first, *rest),
            tuple(lines.get(key, ())),
        )
        found[first.customer_id] = (*found.get(first.customer_id, ()), statement)
    return found


def select_movements(
    published: Published,
    scope: Scope,
    customer_ids: Sequence[str] | None = None,
    ticket_id: str | None = None,
    month: str | None = None,
) -> tuple[Movement, ...]:
    """The lines of the ledger, pool by pool in their order: of some customers, of one ticket, of one month, or all in scope."""
    sql = f"""
        select {list_columns(Movement)}
        from core.fct_entitlement_movements
        where {IN_SCOPE.format(customer_id="customer_id")}
          and ($customer_ids::varchar[] is null or list_contains($customer_ids::varchar[], customer_id))
          and ($ticket_id::varchar is null or ticket_id = $ticket_id)
          and ($month::varchar is null or month = $month)
        order by subscription_id, pool, statement_line
    """
    chosen = None if customer_ids is None else list(customer_ids)
    return tuple(
        published.fetch(
            Movement,
            sql,
            bind_values(scope) | {"customer_ids": chosen, "ticket_id": ticket_id, "month": month},
        )
    )

"""What a manager looks at first: how much needs attention now, and lists with the most pressing first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date

from pipeline.reporting import figures
from pipeline.reporting.compliance import TrendPoint, read_compliance
from pipeline.reporting.entitlements import Balance, read_alerts
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Scope,
    Selection,
    bind_values,
    list_columns,
    where_chosen,
)
from pipeline.reporting.status import read_status
from pipeline.reporting.tickets import Obligation, read_at_risk


@dataclass(frozen=True)
class Attention:
    """Counts as of the data. `at_risk`: running promises that reached the lowest step of `tickets.AT_RISK_FROM`; `running`: all
    of them. `newly_breached`: of `month`, that of as_of. `pools`: of current terms, at a threshold or likely to run out; `terms`:
    that end soon. `refused` and `not_judged` count records and tickets over all customers, and are None for a limited scope."""

    month: str
    at_risk: int
    running: int
    newly_breached: int
    pools: int
    terms: int
    refused: int | None
    not_judged: int | None


def read_attention(published: Published, scope: Scope, selection: Selection, month: str) -> Attention:
    """What needs attention now. Of the selection, only customers and plans apply to pools and terms, and nothing to refused
    records: they belong to no customer yet."""
    running = read_at_risk(published, scope, replace(selection, months=None))
    counted = read_compliance(published, scope, replace(selection, months=(month,), statuses=None), ()).total
    alerts = read_alerts(published, scope, selection)
    sums = {
        one.what: one.affected_count for one in read_status(published, scope).unjudged if one.cause is None
    }
    is_limited = scope.customer_ids is not None
    return Attention(
        month=month,
        at_risk=sum(figures.risk_step(each.used) is not None for each in running),
        running=len(running),
        newly_breached=counted.breached,
        pools=len({(each.subscription_id, each.pool) for each in alerts if each.pool}),
        terms=len({each.subscription_id for each in alerts if not each.pool}),
        refused=None if is_limited else sums.get("record", 0),
        not_judged=None if is_limited else sums.get("ticket", 0),
    )


@dataclass(frozen=True)
class Annotation:
    """A dated note: `customer_id` None is about all customers, and seen by those alone who may see all of them."""

    noted_on: date
    month: str
    note: str
    customer_id: str | None


def read_annotations(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Annotation, ...]:
    """The dated notes of reference/annotations.csv, oldest first. Of the selection, customers apply to notes about one."""
    sql = f"""
        select {list_columns(Annotation)}
        from core.dim_annotations
        where {IN_SCOPE.format(customer_id="customer_id")}
          and (customer_id is null or {where_chosen("customer_ids", "customer_id")})
        order by noted_on, annotation_key
    """
    bound = bind_values(scope, selection)
    names = (*bind_values(scope), "customer_ids")
    return tuple(published.fetch(Annotation, sql, {name: bound[name] for name in names}))


def notes_of_trend(notes: Iterable[Annotation], trend: Iterable[TrendPoint]) -> tuple[Annotation, ...]:
    """The notes that fall into the months of a trend, in their order."""
    months = {point.month for point in trend}
    return tuple(note for note in notes if note.month in months)


def count_bands(running: Iterable[Obligation]) -> Counter[int]:
    """Running promises by the step of `tickets.AT_RISK_FROM` that they have reached; 0 below the lowest."""
    return Counter(figures.risk_step(each.used) or 0 for each in running)


def of_bands(obligations: Iterable[Obligation], bands: Collection[int]) -> tuple[Obligation, ...]:
    """The running ones among `obligations` that have reached one of these steps and no higher one; 0 below the lowest."""
    return tuple(
        each
        for each in obligations
        if each.status == "pending" and (figures.risk_step(each.used) or 0) in bands
    )


def split_balances(balances: Iterable[Balance]) -> tuple[tuple[Balance, ...], tuple[Balance, ...]]:
    """Those with a number or unlimited, the most pressing first (over the pool, then the least left), and those not stated."""
    balances = tuple(balances)
    stated = sorted(
        (each for each in balances if each.is_stated),
        key=lambda each: (
            each.is_unlimited,
            -each.overage_quantity,
            each.remaining_quantity or 0,
            each.customer_id,
        ),
    )
    return tuple(stated), tuple(each for each in balances if not each.is_stated)

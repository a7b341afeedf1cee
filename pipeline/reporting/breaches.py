"""Why promises were breached: each breach with its one class, the counts of the classes, and who had the ticket meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TypeVar

from pipeline.errors import ConfigurationError
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Scope,
    Selection,
    bind_values,
    where_selected,
)
from pipeline.reporting.tickets import Obligation, count_by_obligation, month_key, select_obligations

# Instead of a class, of a month that was closed before classes were recorded.
NOT_RECORDED = "not_recorded"
_TABLE = "core.fct_sla_breaches"

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class BreachEvidence:
    """What a class rests on. `breach_class` is a word of the seed breach_classes; `handover_count` is None where the source does
    not show it, the others where there was none. Everything is read at the first second over the target; seconds are those of
    the promise's clock. `month` is the one that the breach is counted in."""

    obligation_key: str
    month: str
    breach_class: str
    handover_count: int | None
    counted_before_handover_seconds: int | None
    first_touched_at: datetime | None
    last_handover_at: datetime | None


@dataclass(frozen=True)
class Breach:
    """A breached promise and why it was breached; `breach_class` is NOT_RECORDED where there is no evidence on record."""

    obligation: Obligation
    evidence: BreachEvidence | None

    @property
    def breach_class(self) -> str:
        return NOT_RECORDED if self.evidence is None else self.evidence.breach_class


@dataclass(frozen=True)
class Held:
    """How long one group and assignee, as their source names them, had breached promises on their clocks; None is unassigned.

    They had `promise_count` promises for `counted_seconds`, of them `counted_before_due_seconds` before these were due. Over all
    who had a promise, the seconds sum to its elapsed seconds and to its target.
    """

    group_name: str | None
    assignee: str | None
    promise_count: int
    counted_seconds: int
    counted_before_due_seconds: int


def read_breaches(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Breach, ...]:
    """Every breach of the selection, by month of settling, the most time over its target first. A waived one is none.

    Of a closed month both the breaches and their classes are those of the closing.
    """
    _check_statuses(selection)
    known = _read_evidence(published, scope, selection)
    obligations = select_obligations(published, scope, replace(selection, statuses=("breached",)))
    worst_first = sorted(obligations, key=lambda row: (-(row.over_by_seconds or 0), row.obligation_key))
    return tuple(Breach(row, known.get(row.month_key)) for row in worst_first)


def read_classes(published: Published, scope: Scope, obligations: Iterable[Obligation]) -> dict[str, str]:
    """The class of each of these promises that was breached, by its month key: late data may move a promise out of a closed
    month, and the class that was closed need not be that of the month it moved to."""
    breached = {each.month_key: each for each in obligations if each.status == "breached"}
    known = _read_evidence(published, scope, EVERYTHING, {each.obligation_key for each in breached.values()})
    return {key: Breach(each, known.get(key)).breach_class for key, each in breached.items()}


def find_keys_of_classes(
    published: Published, scope: Scope, selection: Selection, classes: Collection[str]
) -> tuple[str, ...]:
    """The month keys of the breaches of the selection that have one of these classes."""
    _check_statuses(selection)
    if NOT_RECORDED in classes:
        breaches = read_breaches(published, scope, selection)
        return tuple(each.obligation.month_key for each in breaches if each.breach_class in classes)
    known = _read_evidence(published, scope, selection)
    return tuple(key for key, evidence in known.items() if evidence.breach_class in classes)


def _check_statuses(selection: Selection) -> None:
    if selection.statuses is not None:
        raise ConfigurationError("Breaches have one status; they cannot be limited to some.")


def _read_evidence(
    published: Published, scope: Scope, selection: Selection, keys: Collection[str] | None = None
) -> dict[str, BreachEvidence]:
    """By month key; `keys` limits it to these obligation keys."""
    names = ", ".join(field.name for field in fields(BreachEvidence))
    found = _select_evidence(BreachEvidence, published, scope, selection, f"select {names} from chosen", keys)
    return {month_key(row.month, row.obligation_key): row for row in found}


def _select_evidence(
    record: type[_Record],
    published: Published,
    scope: Scope,
    selection: Selection,
    sql: str,
    keys: Collection[str] | None = None,
) -> list[_Record]:
    """What `sql` says of `chosen`, the evidence of the selected breaches."""
    names = ", ".join(field.name for field in fields(BreachEvidence))
    columns = names.replace(" month,", " compliance_month as month,")
    chosen = f"""
        with chosen as (
            select {names}, obligation
            from {{of_record}} as breaches
            where {IN_SCOPE.format(customer_id="customer_id")}
              and {where_selected()}
              and ($keys::varchar[] is null or obligation_key in (select unnest($keys::varchar[])))
        )
    """
    rows = f"""
        select {columns}, customer_id, plan, severity_in_force, obligation, time_zone
        from {{build}}{_TABLE}
    """
    bound = bind_values(scope, selection) | {"keys": None if keys is None else list(keys)}
    del bound["statuses"]
    return published.fetch_of_record(record, rows, f"{chosen} {sql}", bound, table=_TABLE)


def count_classes(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> Counter[tuple[str, str]]:
    """How many breaches of the selection there are of each class and obligation; together they are all of them."""
    _check_statuses(selection)
    counted = _select_evidence(
        dict,
        published,
        scope,
        selection,
        "select breach_class, obligation, count(*) as breach_count from chosen group by all",
    )
    counts = Counter({(row["breach_class"], row["obligation"]): row["breach_count"] for row in counted})
    recorded = Counter[str]()
    for (_, obligation), number in counts.items():
        recorded[obligation] += number
    breached = count_by_obligation(published, scope, replace(selection, statuses=("breached",)))
    for obligation, number in breached.items():
        if number != recorded[obligation]:
            counts[NOT_RECORDED, obligation] = number - recorded[obligation]
    return counts


def sum_classes(counts: Mapping[tuple[str, str], int]) -> Counter[str]:
    """What `count_classes` gives, over all obligations."""
    summed = Counter[str]()
    for (breach_class, _), number in counts.items():
        summed[breach_class] += number
    return summed


def sum_holdings(published: Published, scope: Scope, selection: Selection = EVERYTHING) -> tuple[Held, ...]:
    """Who had the tickets of the selected breaches, the longest first; of the newest build."""
    _check_statuses(selection)
    sql = f"""
        select
            holdings.group_name,
            holdings.assignee,
            count(distinct holdings.obligation_key) as promise_count,
            cast(sum(holdings.counted_seconds) as bigint) as counted_seconds,
            cast(sum(holdings.counted_before_due_seconds) as bigint) as counted_before_due_seconds
        from core.fct_sla_breach_holdings as holdings
        join {_TABLE} as breaches on breaches.obligation_key = holdings.obligation_key
        where {IN_SCOPE.format(customer_id="breaches.customer_id")}
          and {where_selected("breaches.", "compliance_month")}
        group by holdings.group_name, holdings.assignee
        order by counted_seconds desc, coalesce(holdings.group_name, ''), coalesce(holdings.assignee, '')
    """
    bound = bind_values(scope, selection)
    del bound["statuses"]
    return tuple(published.fetch(Held, sql, bound))

"""Why promises were breached: each breach with its one class, the counts of the classes, and who had the ticket meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime

from pipeline.errors import ConfigurationError
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
from pipeline.reporting.tickets import Obligation, select_obligations

# Instead of a class, of a month that was closed before classes were recorded.
NOT_RECORDED = "not_recorded"
_TABLE = "core.fct_sla_breaches"


@dataclass(frozen=True)
class BreachEvidence:
    """What a class rests on. `breach_class` is a word of the seed breach_classes; `handover_count` is None where the source does
    not show it, the others where there was none. Everything is read at the first second over the target; seconds are those of
    the promise's clock."""

    obligation_key: str
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
class Holding:
    """An interval of a breached promise's clock in which one group and one assignee had the ticket, as its source names them;
    None is unassigned. The counted seconds of a promise sum to its elapsed seconds, those before it was due to its target."""

    obligation_key: str
    holding_number: int
    group_name: str | None
    assignee: str | None
    counted_seconds: int
    counted_before_due_seconds: int
    held_from: datetime
    held_until: datetime


@dataclass(frozen=True)
class Held:
    """How long one group and assignee had breached promises on their clocks: `promise_count` promises, for `counted_seconds`, of
    them `counted_before_due_seconds` before they were due."""

    group_name: str | None
    assignee: str | None
    promise_count: int
    counted_seconds: int
    counted_before_due_seconds: int


def sum_holdings(holdings: Iterable[Holding]) -> tuple[Held, ...]:
    """Holdings by who had the ticket, the longest first; the seconds of all sum to the elapsed seconds of the promises."""
    of_holder: dict[tuple[str | None, str | None], list[Holding]] = {}
    for each in holdings:
        of_holder.setdefault((each.group_name, each.assignee), []).append(each)
    found = [
        Held(
            *holder,
            len({each.obligation_key for each in own}),
            sum(each.counted_seconds for each in own),
            sum(each.counted_before_due_seconds for each in own),
        )
        for holder, own in of_holder.items()
    ]
    return tuple(
        sorted(found, key=lambda held: (-held.counted_seconds, held.group_name or "", held.assignee or ""))
    )


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
    return tuple(Breach(row, known.get(row.obligation_key)) for row in worst_first)


def read_classes(published: Published, scope: Scope, obligations: Iterable[Obligation]) -> dict[str, str]:
    """The class of each of these promises that was breached, by its obligation key."""
    breached = {each.obligation_key: each for each in obligations if each.status == "breached"}
    known = _read_evidence(published, scope, EVERYTHING, breached)
    return {key: Breach(each, known.get(key)).breach_class for key, each in breached.items()}


def find_keys_of_classes(
    published: Published, scope: Scope, selection: Selection, classes: Collection[str]
) -> tuple[str, ...]:
    """The obligation keys of the breaches of the selection that have one of these classes."""
    _check_statuses(selection)
    if NOT_RECORDED in classes:
        breaches = read_breaches(published, scope, selection)
        return tuple(each.obligation.obligation_key for each in breaches if each.breach_class in classes)
    known = _read_evidence(published, scope, selection)
    return tuple(key for key, evidence in known.items() if evidence.breach_class in classes)


def _check_statuses(selection: Selection) -> None:
    if selection.statuses is not None:
        raise ConfigurationError("Breaches have one status; they cannot be limited to some.")


def _read_evidence(
    published: Published, scope: Scope, selection: Selection, keys: Collection[str] | None = None
) -> dict[str, BreachEvidence]:
    """By obligation key; `keys` limits it to these."""
    names = [field.name for field in fields(BreachEvidence)]
    sql = f"""
        select {", ".join(names)}
        from {{of_record}} as breaches
        where {IN_SCOPE.format(customer_id="customer_id")}
          and {where_chosen("customer_ids", "customer_id")}
          and {where_chosen("months", "month")}
          and {where_chosen("plans", "plan")}
          and {where_chosen("severities", "severity_in_force")}
          and {where_chosen("obligations", "obligation")}
          and ($keys::varchar[] is null or obligation_key in (select unnest($keys::varchar[])))
    """
    rows = f"""
        select {", ".join(names)}, customer_id, plan, severity_in_force, obligation, time_zone, compliance_month as month
        from {{build}}{_TABLE}
    """
    bound = bind_values(scope, selection) | {"keys": None if keys is None else list(keys)}
    del bound["statuses"]
    found = published.fetch_of_record(BreachEvidence, rows, sql, bound, table=_TABLE)
    return {row.obligation_key: row for row in found}


def count_classes(breaches: Iterable[Breach]) -> Counter[tuple[str, str]]:
    """How many breaches there are of each class and obligation; together they are all of them."""
    return Counter((breach.breach_class, breach.obligation.obligation) for breach in breaches)


def sum_classes(breaches: Iterable[Breach]) -> Counter[str]:
    """How many breaches there are of each class, over all obligations."""
    return Counter(breach.breach_class for breach in breaches)


def read_holdings(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[Holding, ...]:
    """Who had the tickets of the selected breaches, in turn; of the newest build."""
    sql = f"""
        select {list_columns(Holding, "holdings")}
        from core.fct_sla_breach_holdings as holdings
        join {_TABLE} as breaches on breaches.obligation_key = holdings.obligation_key
        where {IN_SCOPE.format(customer_id="breaches.customer_id")}
          and {where_chosen("customer_ids", "breaches.customer_id")}
          and {where_chosen("months", "breaches.compliance_month")}
          and {where_chosen("plans", "breaches.plan")}
          and {where_chosen("severities", "breaches.severity_in_force")}
          and {where_chosen("obligations", "breaches.obligation")}
        order by holdings.obligation_key, holdings.holding_number
    """
    bound = bind_values(scope, selection)
    del bound["statuses"]
    return tuple(published.fetch(Holding, sql, bound))

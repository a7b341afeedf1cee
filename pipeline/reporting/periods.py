"""Which months are open, provisional, due to be closed or closed, and how many corrections there are of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipeline.reporting.published import IN_SCOPE, Published, Scope, bind_values

State = Literal["open", "provisional", "due", "closed"]


@dataclass(frozen=True)
class MonthState:
    """One month in one time zone of plans. `closes_at`: from when on it may be closed; None where calendars do not reach
    that far."""

    month: str
    time_zone: str
    state: State
    ends_at: datetime
    closes_at: datetime | None


@dataclass(frozen=True)
class ClosedMonth:
    """A closed month in all its zones, as a page names it. `corrections`: those of customers in scope since it was closed."""

    month: str
    time_zones: tuple[str, ...]
    closed_at: datetime
    version: int
    corrections: int
    corrected_customers: tuple[str, ...]


def read_month_states(published: Published, scope: Scope) -> tuple[MonthState, ...]:
    """Every month from that of the first ticket to that of as_of, in each zone with figures, oldest first: as the build
    dates it, and closed where that is on record."""
    closed = published.history.closed()
    rows = published.fetch(
        MonthState,
        f"""
        with zones as (
            select time_zone from core.fct_sla_obligations where {IN_SCOPE.format(customer_id="customer_id")}
            union
            select versions.time_zone
            from core.fct_entitlement_months as statements
            join core.dim_plan_versions as versions on versions.plan_version = statements.plan_version
            where {IN_SCOPE.format(customer_id="statements.customer_id")}
        )
        select months.month, months.time_zone, months.period_state as state, months.ends_at, months.closes_at
        from core.dim_months as months
        where months.time_zone in (from zones)
          and months.month >= (select min(submitted_month) from core.fct_sla_obligations)
          and months.starts_at <= (select as_of from meta.build)
        order by months.month, months.time_zone
        """,
        bind_values(scope),
    )
    return tuple(
        MonthState(row.month, row.time_zone, "closed", row.ends_at, row.closes_at)
        if (row.time_zone, row.month) in closed
        else row
        for row in rows
    )


def read_zones(published: Published, scope: Scope) -> tuple[str, ...]:
    """The time zones of the plans, by name: the same for every reader."""
    rows = published.fetch(dict, "select distinct time_zone from core.dim_plan_versions order by time_zone")
    return tuple(row["time_zone"] for row in rows)


def read_closed_months(published: Published, scope: Scope) -> tuple[ClosedMonth, ...]:
    """The closed months, oldest first, with what was corrected for customers in scope."""
    history = published.history
    closings = history.closed()
    corrections = [
        each
        for each in history.corrections()
        if scope.customer_ids is None or each.customer_id in scope.customer_ids
    ]
    return tuple(
        ClosedMonth(
            month=month,
            time_zones=tuple(sorted(zone for zone, each in closings if each == month)),
            closed_at=max(closing.closed_at for (_, each), closing in closings.items() if each == month),
            version=max(closing.version for (_, each), closing in closings.items() if each == month),
            corrections=sum(each.month == month for each in corrections),
            corrected_customers=tuple(
                sorted({each.customer_id for each in corrections if each.month == month and each.customer_id})
            ),
        )
        for month in sorted({month for _, month in closings})
    )

"""What is open at the end of each day, by status, severity and age, and what came in and went out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

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

CUTS = ("status", "severity", "age")
_CUT_COLUMNS = {"status": "ticket_status", "severity": "severity::varchar", "age": "age_days_from::varchar"}
_IN_SCOPE_AND_CHOSEN = f"""{IN_SCOPE.format(customer_id="customer_id")}
              and {where_chosen("customer_ids", "customer_id")}
              and {where_chosen("plans", "plan")}
              and {where_chosen("severities", "severity")}"""
_CHOSEN = ("customer_ids", "plans", "severities")


@dataclass(frozen=True)
class BacklogDay:
    """One local day: `open_count` tickets stand open at its end (at as_of, where it runs), which is that of the day before +
    opened + reopened - ended + changed. `changed_count`: with severities chosen, tickets that got one of them less those that
    lost it; 0 without. `unobserved_count`: tickets submitted up to then without a recorded history of statuses; it is not
    known how long they were open, and they are in none of the other counts."""

    day: date
    is_day_running: bool
    opened_count: int
    reopened_count: int
    ended_count: int
    changed_count: int
    open_count: int
    unobserved_count: int


@dataclass(frozen=True)
class BacklogLevel:
    """How many of a day's open tickets have one status, severity or age; None is a severity that is not known."""

    day: date
    value: str | None
    open_count: int


@dataclass(frozen=True)
class OpenTicket:
    """A ticket that is open at the end of a day, with its status, severity and age then."""

    ticket_id: str
    customer_id: str | None
    customer_name: str | None
    plan: str | None
    ticket_status: str
    severity: int | None
    age_days_from: int
    submitted_at: datetime
    subject: str | None


@dataclass(frozen=True)
class AgeBand:
    """One of the ages by which open tickets are counted, in days of 24 hours."""

    age_days_from: int
    age_label: str


def read_ages(published: Published, scope: Scope) -> tuple[AgeBand, ...]:
    """The ages by which open tickets are counted, the youngest first: the same for every reader."""
    sql = f"select {list_columns(AgeBand)} from core.backlog_ages order by age_days_from"
    return tuple(published.fetch(AgeBand, sql))


def read_backlog(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[BacklogDay, ...]:
    """Every day from the first change to as_of, oldest first. Of the selection, customers, plans and severities apply."""
    check_selection(published, scope, selection)
    sql = f"""
        with changes as (
            select
                day, sum(entered_count - left_count) as moved, sum(opened_count) as opened, sum(reopened_count) as reopened,
                sum(ended_count) as ended, sum(unobserved_count) as unobserved
            from marts.mart_manager__backlog_changes
            where {_IN_SCOPE_AND_CHOSEN}
            group by day
        ),
        days as (
            select day, bool_or(is_day_running) as is_day_running from core.dim_days
            where day >= (select min(day) from changes)
              and time_zone in (select time_zone from marts.mart_manager__backlog_changes where {_IN_SCOPE_AND_CHOSEN})
            group by day
        )
        select
            days.day, days.is_day_running,
            coalesce(opened, 0)::bigint as opened_count,
            coalesce(reopened, 0)::bigint as reopened_count,
            coalesce(ended, 0)::bigint as ended_count,
            coalesce(moved - opened - reopened + ended, 0)::bigint as changed_count,
            sum(coalesce(moved, 0)) over up_to_here::bigint as open_count,
            sum(coalesce(unobserved, 0)) over up_to_here::bigint as unobserved_count
        from days
        left join changes on changes.day = days.day
        window up_to_here as (order by days.day)
        order by days.day
    """
    return tuple(published.fetch(BacklogDay, sql, _bind(scope, selection)))


def read_backlog_levels(
    published: Published, scope: Scope, selection: Selection, by: str
) -> tuple[BacklogLevel, ...]:
    """The same days cut by `status`, `severity` or `age`, without those of which nothing is open. They sum to `read_backlog`."""
    check_words("The cut of the backlog", (by,), CUTS)
    check_selection(published, scope, selection)
    sql = f"""
        with changes as (
            select day, {_CUT_COLUMNS[by]} as value, sum(entered_count - left_count) as moved
            from marts.mart_manager__backlog_changes
            where {_IN_SCOPE_AND_CHOSEN} and ticket_status is not null
            group by all
        ),
        days as (select distinct day from core.dim_days where day >= (select min(day) from changes)),
        levels as (
            select
                days.day, found.value,
                sum(coalesce(changes.moved, 0)) over (partition by found.value order by days.day) as open_count
            from days
            cross join (select distinct value from changes) as found
            left join changes on changes.day = days.day and changes.value is not distinct from found.value
        )
        select day, value, open_count::bigint as open_count from levels where open_count <> 0 order by day, value nulls last
    """
    return tuple(published.fetch(BacklogLevel, sql, _bind(scope, selection)))


def read_open_tickets(
    published: Published,
    scope: Scope,
    selection: Selection,
    day: date,
    *,
    first: int = 0,
    size: int | None = None,
) -> tuple[OpenTicket, ...]:
    """The tickets that stand open at the end of a local day, the oldest first: as many as `read_backlog` counts. Of these `size`
    (all), from row number `first`, which counts from 0."""
    check_selection(published, scope, selection)
    sql = f"""
        select
            spans.ticket_id, spans.customer_id, customers.customer_name, spans.plan, spans.ticket_status, spans.severity,
            spans.age_days_from, tickets.submitted_at, tickets.subject
        from core.fct_ticket_open_spans as spans
        join core.dim_days as days on days.time_zone = spans.time_zone and days.day = $day
        join core.dim_tickets as tickets on tickets.ticket_id = spans.ticket_id
        left join core.dim_customers as customers on customers.customer_id = spans.customer_id
        where {IN_SCOPE.format(customer_id="spans.customer_id")}
          and {where_chosen("customer_ids", "spans.customer_id")}
          and {where_chosen("plans", "spans.plan")}
          and {where_chosen("severities", "spans.severity")}
          and spans.starts_at < days.ends_at and spans.ends_at >= days.ends_at
        order by tickets.submitted_at, spans.ticket_id
        limit $size offset $first
    """
    bound = _bind(scope, selection) | {"day": day, "first": first, "size": size}
    return tuple(published.fetch(OpenTicket, sql, bound))


def _bind(scope: Scope, selection: Selection) -> dict[str, object]:
    bound = bind_values(scope, selection)
    return {name: bound[name] for name in (*bind_values(scope), *_CHOSEN)}

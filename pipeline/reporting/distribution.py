"""How long answers took, and at which hours tickets come in and promises are breached."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.reporting.answer_times import PERCENTILES, RANK, count_by_share
from pipeline.reporting.published import (
    EVERYTHING,
    IN_SCOPE,
    Published,
    Scope,
    Selection,
    bind_values,
    check_selection,
    check_words,
    where_chosen,
    where_selected,
)

EVENT_KINDS = ("submitted", "breached")
# A bin is a tenth of the target; the last one has all that took twice the target and more.
TENTHS_OF_TARGET = 21
_PERCENTS = range(10, 10 * TENTHS_OF_TARGET, 10)


@dataclass(frozen=True)
class AnswerTimes:
    """How long the answers to one promise took: whole seconds on its clock, of promises that were settled and answered.

    `p50_seconds` and the like are the least of these times that at least so many percent did not exceed (nearest rank). `bins`:
    how many took up to a tenth of their target, up to two tenths, and so on to 20 tenths, and more; they add up to
    `answered_count`.
    """

    plan: str | None
    obligation: str
    obligation_kind: str | None
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
class HourCount:
    """How many events fell into an hour (0 to 23) of a weekday (1 Monday to 7 Sunday), by the wall clock of the plan's zone."""

    weekday: int
    hour_of_day: int
    event_count: int


def read_answer_times(
    published: Published, scope: Scope, selection: Selection = EVERYTHING
) -> tuple[AnswerTimes, ...]:
    """One row per plan, promise, target and clock of the months of settling. Statuses of the selection do not apply: answers to
    promises that were met, breached or waived count."""
    check_selection(published, scope, selection)
    rows = """
        select customer_id, plan, obligation, obligation_kind, severity_in_force, target_seconds, clock_name, elapsed_seconds,
            time_zone, compliance_month as month
        from {build}core.fct_sla_obligations
        where status in ('met', 'breached', 'waived') and stopped_at is not null
            and elapsed_seconds is not null and target_seconds > 0
    """
    sql = f"""
        with answered as (
            select
                *, {RANK}
            from {{of_record}} as obligations
            where {IN_SCOPE.format(customer_id="customer_id")}
              and {where_selected()}
            window promise as (partition by plan, obligation, obligation_kind, target_seconds, clock_name)
        )
        select
            plan, obligation, obligation_kind, list_sort(list_distinct(list(severity_in_force))) as severities, target_seconds,
            clock_name, count(*) as answered_count,
            {PERCENTILES}, {count_by_share(_PERCENTS)} as bins
        from answered
        group by plan, obligation, obligation_kind, target_seconds, clock_name
        order by obligation_kind = 'estimate', obligation, plan, target_seconds, clock_name
    """
    bound = bind_values(scope, selection)
    del bound["statuses"]
    found = published.fetch_of_record(dict, rows, sql, bound)
    return tuple(
        AnswerTimes(**row | {"severities": tuple(row["severities"]), "bins": tuple(row["bins"])})
        for row in found
    )


def read_hours(
    published: Published, scope: Scope, selection: Selection, event_kind: str
) -> tuple[HourCount, ...]:
    """Events by weekday and hour, of the newest build; hours without one are left out. Promises of the selection apply to
    breaches only, months to the month of the event."""
    check_words("The event", (event_kind,), EVENT_KINDS)
    check_selection(published, scope, selection)
    sql = f"""
        select weekday, hour_of_day, sum(event_count)::bigint as event_count
        from marts.mart_manager__hourly_counts
        where {IN_SCOPE.format(customer_id="customer_id")}
          and event_kind = $event_kind
          and {where_chosen("customer_ids", "customer_id")}
          and {where_chosen("months", "month")}
          and {where_chosen("plans", "plan")}
          and {where_chosen("severities", "severity")}
          and (event_kind = 'submitted' or {where_chosen("obligations", "obligation")})
        group by weekday, hour_of_day
        order by weekday, hour_of_day
    """
    bound = bind_values(scope, selection) | {"event_kind": event_kind}
    del bound["statuses"]
    return tuple(published.fetch(HourCount, sql, bound))

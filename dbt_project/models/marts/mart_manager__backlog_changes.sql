-- Grain: one row per time zone, local day, customer, plan, severity, status and age in which tickets entered or left the backlog.
-- What is open at the end of a day is the sum of what entered less what left, up to that day: so a day costs its changes, and no ticket
-- stands on every day that it was open.
with
spans as (select * from {{ ref('fct_ticket_open_spans') }}),
days as (select * from {{ ref('dim_utc_days') }}),
tickets as (select * from {{ ref('dim_tickets') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
customers as (select * from {{ ref('dim_customers') }}),
builds as (select * from {{ ref('dim_builds') }}),

unobserved as (
  select tickets.*, coalesce(plan_versions.time_zone, 'UTC') as time_zone
  from tickets
  left join plan_versions on plan_versions.plan_version = tickets.plan_version
  where not tickets.is_statuses_observed
),

changes as (
  select
    days.day, spans.time_zone, spans.customer_id, spans.plan, spans.severity, spans.ticket_status, spans.age_days_from,
    1 as entered, 0 as exited,
    case when spans.start_kind = 'opened' then 1 else 0 end as opened,
    case when spans.start_kind = 'reopened' then 1 else 0 end as reopened,
    0 as ended, 0 as unobserved
  from spans
  join days
    on days.time_zone = spans.time_zone
    and days.utc_date = cast(spans.starts_at as date)
    and days.starts_at <= spans.starts_at and spans.starts_at < days.ends_at
  union all
  select
    days.day, spans.time_zone, spans.customer_id, spans.plan, spans.severity, spans.ticket_status, spans.age_days_from,
    0, 1, 0, 0, case when spans.end_kind = 'ended' then 1 else 0 end, 0
  from spans
  join days
    on days.time_zone = spans.time_zone
    and days.utc_date = cast(spans.ends_at as date)
    and days.starts_at <= spans.ends_at and spans.ends_at < days.ends_at
  where spans.end_kind <> 'open'
  union all
  select
    days.day, unobserved.time_zone, unobserved.customer_id, unobserved.plan, unobserved.severity_submitted, null, null,
    0, 0, 0, 0, 0, 1
  from unobserved
  join days
    on days.time_zone = unobserved.time_zone
    and days.utc_date = cast(unobserved.submitted_at as date)
    and days.starts_at <= unobserved.submitted_at and unobserved.submitted_at < days.ends_at
)

select
  changes.time_zone || ':' || cast(changes.day as string) || ':' || coalesce(customers.customer_id, '-') || ':'
    || coalesce(changes.plan, '-') || ':' || coalesce(cast(changes.severity as string), '-') || ':'
    || coalesce(changes.ticket_status, '-') || ':' || coalesce(cast(changes.age_days_from as string), '-') as backlog_change_key,
  changes.time_zone,
  changes.day,
  customers.customer_id,
  changes.plan,
  changes.severity,
  changes.ticket_status,
  changes.age_days_from,
  cast(sum(changes.entered) as bigint) as entered_count,
  cast(sum(changes.exited) as bigint) as left_count,
  cast(sum(changes.opened) as bigint) as opened_count,
  cast(sum(changes.reopened) as bigint) as reopened_count,
  cast(sum(changes.ended) as bigint) as ended_count,
  cast(sum(changes.unobserved) as bigint) as unobserved_count,
  max(builds.as_of) as as_of
from changes
cross join builds
left join customers on customers.customer_id = changes.customer_id
group by
  changes.time_zone, changes.day, customers.customer_id, changes.plan, changes.severity, changes.ticket_status, changes.age_days_from

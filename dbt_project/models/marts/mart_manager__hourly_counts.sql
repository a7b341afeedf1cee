-- Grain: one row per kind of event (submitted, breached), month, weekday and hour in the plan's time zone, customer, plan, severity and
-- obligation. A ticket is submitted once; a breach counts at the first second over its target, waived ones not.
with
tickets as (select * from {{ ref('dim_tickets') }}),
plan_versions as (select * from {{ ref('dim_plan_versions') }}),
obligations as (select * from {{ ref('fct_sla_obligations') }} where status = 'breached'),
customers as (select * from {{ ref('dim_customers') }}),
days as (select * from {{ ref('dim_utc_days') }}),
builds as (select * from {{ ref('dim_builds') }}),

events as (
  select
    'submitted' as event_kind, tickets.customer_id, tickets.plan, tickets.severity_submitted as severity,
    cast(null as string) as obligation, coalesce(plan_versions.time_zone, 'UTC') as time_zone, tickets.submitted_at as event_at
  from tickets
  left join plan_versions on plan_versions.plan_version = tickets.plan_version
  union all
  select
    'breached', obligations.customer_id, obligations.plan, obligations.severity_in_force, obligations.obligation, obligations.time_zone,
    obligations.breached_at
  from obligations
),

placed as (
  select
    events.*,
    days.month,
    days.weekday,
    days.first_second
      + {{ epoch_seconds('events.event_at') }} - {{ epoch_seconds('days.starts_at') }}
      + case when days.shift_at <= events.event_at then days.shift_seconds else 0 end as second_of_day
  from events
  join days
    on days.time_zone = events.time_zone
    and days.utc_date = cast(events.event_at as date)
    and days.starts_at <= events.event_at and events.event_at < days.ends_at
)

select
  placed.event_kind || ':' || placed.month || ':' || cast(placed.weekday as string) || ':'
    || cast({{ whole_quotient('placed.second_of_day', 3600) }} as string) || ':' || coalesce(customers.customer_id, '-') || ':'
    || coalesce(placed.plan, '-') || ':' || coalesce(cast(placed.severity as string), '-') || ':' || coalesce(placed.obligation, '-')
    || ':' || placed.time_zone as hourly_count_key,
  placed.event_kind,
  placed.month,
  placed.time_zone,
  cast(placed.weekday as integer) as weekday,
  cast({{ whole_quotient('placed.second_of_day', 3600) }} as integer) as hour_of_day,
  customers.customer_id,
  placed.plan,
  placed.severity,
  placed.obligation,
  count(*) as event_count,
  max(builds.as_of) as as_of
from placed
cross join builds
left join customers on customers.customer_id = placed.customer_id
group by
  placed.event_kind, placed.month, placed.time_zone, placed.weekday, {{ whole_quotient('placed.second_of_day', 3600) }},
  customers.customer_id, placed.plan, placed.severity, placed.obligation

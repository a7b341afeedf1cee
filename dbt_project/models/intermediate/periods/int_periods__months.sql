-- Grain: one row per time zone of a plan (and UTC, for what has no plan) and month: when it begins, ends, and may be closed.
-- A month may be closed at the end of the nth business day after its end, n being the grace period of sla.yml. A business day has open time
-- in the availability calendar of the plan; where that is always open, or no plan is in force, Monday to Friday. Of several plans in one
-- zone, the last of these instants counts, so that every plan has its whole grace period.
with
zone_months as (select * from {{ source('raw', 'zone_months') }}),
zone_days as (select * from {{ source('raw', 'zone_days') }}),
plan_versions as (select * from {{ source('raw', 'plan_versions') }}),
clocks as (select * from {{ source('raw', 'clocks') }}),
clock_intervals as (select * from {{ source('raw', 'clock_intervals') }}),
period_rules as (select * from {{ source('raw', 'period_rules') }}),

-- A month that begins before the UTC month of its name has two rows; the first of them has its beginning.
begun as (
  select time_zone, month_after as month, min(boundary_at) as starts_at
  from zone_months
  group by time_zone, month_after
),

bounded as (
  select time_zone, month, starts_at, lead(starts_at) over (partition by time_zone order by month nulls last) as ends_at from begun
),

business_clocks as (
  select clock_name from clocks where open_seconds_total < ends_epoch - origin_epoch
),

-- Without a business calendar: a row with none, which stands for Monday to Friday.
month_calendars as (
  select distinct bounded.time_zone, bounded.month, bounded.starts_at, bounded.ends_at, business_clocks.clock_name
  from bounded
  left join plan_versions
    on plan_versions.time_zone = bounded.time_zone
    and plan_versions.valid_from <= bounded.ends_at
    and bounded.ends_at < plan_versions.valid_to
  left join business_clocks on business_clocks.clock_name = plan_versions.availability_clock
  where bounded.ends_at is not null
),

day_span as (select min(starts_at) as starts_at, max(ends_at) as ends_at from zone_days),

near_intervals as (
  select clock_intervals.clock_name, clock_intervals.opens_at, clock_intervals.closes_at
  from clock_intervals
  join business_clocks on business_clocks.clock_name = clock_intervals.clock_name
  cross join day_span
  where clock_intervals.opens_at < day_span.ends_at and clock_intervals.closes_at > day_span.starts_at
),

business_days as (
  select distinct calendars.time_zone, calendars.clock_name, zone_days.starts_at, zone_days.ends_at
  from (select distinct time_zone, clock_name from month_calendars where clock_name is not null) as calendars
  join zone_days on zone_days.time_zone = calendars.time_zone
  join near_intervals
    on near_intervals.clock_name = calendars.clock_name
    and near_intervals.opens_at < zone_days.ends_at
    and near_intervals.closes_at > zone_days.starts_at
  union all
  select time_zone, null, starts_at, ends_at from zone_days where is_weekday
),

numbered as (
  select
    month_calendars.time_zone,
    month_calendars.month,
    month_calendars.clock_name,
    business_days.ends_at,
    row_number() over (
      partition by month_calendars.time_zone, month_calendars.month, month_calendars.clock_name order by business_days.starts_at nulls last
    ) as day_number
  from month_calendars
  join business_days
    on business_days.time_zone = month_calendars.time_zone
    and coalesce(business_days.clock_name, '') = coalesce(month_calendars.clock_name, '')
    and business_days.starts_at >= month_calendars.ends_at
)

select
  month_calendars.time_zone,
  month_calendars.month,
  month_calendars.starts_at,
  month_calendars.ends_at,
  -- Null where the calendars do not reach that far: the grace period has not ended then.
  case
    when max(period_rules.grace_business_days) = 0 then month_calendars.ends_at
    when count(*) = count(numbered.ends_at) then max(numbered.ends_at)
  end as closes_at
from month_calendars
cross join period_rules
left join numbered
  on numbered.time_zone = month_calendars.time_zone
  and numbered.month = month_calendars.month
  and coalesce(numbered.clock_name, '') = coalesce(month_calendars.clock_name, '')
  and numbered.day_number = period_rules.grace_business_days
group by month_calendars.time_zone, month_calendars.month, month_calendars.starts_at, month_calendars.ends_at

-- Grain: one row per time zone of a plan (and UTC, for what has no plan) and month: when it begins and ends there.
-- Here it is decided, once, whether a month still runs.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
zone_months as (select * from {{ source('raw', 'zone_months') }}),

-- A month that begins before the UTC month of its name has two rows; the first of them has its beginning.
begun as (
  select time_zone, month_after as month, min(boundary_at) as starts_at
  from zone_months
  group by time_zone, month_after
),

bounded as (
  select time_zone, month, starts_at, lead(starts_at) over (partition by time_zone order by month) as ends_at from begun
)

select
  bounded.time_zone || ':' || bounded.month as zone_month_key,
  bounded.time_zone,
  bounded.month,
  {{ is_month_running('build_inputs.as_of', 'bounded.ends_at') }} as is_month_running,
  bounded.starts_at <= build_inputs.as_of and {{ is_month_running('build_inputs.as_of', 'bounded.ends_at') }} as is_current_month,
  bounded.starts_at,
  bounded.ends_at
from bounded
cross join build_inputs
where bounded.ends_at is not null

-- Grain: one row per time zone of a plan (and UTC, for what has no plan) and month: when it begins and ends there.
-- Here it is decided, once, whether a month still runs and whether it may be closed. That it was closed is on record in warehouse/closed.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
months as (select * from {{ ref('int_periods__months') }})

select
  months.time_zone || ':' || months.month as zone_month_key,
  months.time_zone,
  months.month,
  {{ is_month_running('build_inputs.as_of', 'months.ends_at') }} as is_month_running,
  months.starts_at <= build_inputs.as_of and {{ is_month_running('build_inputs.as_of', 'months.ends_at') }} as is_current_month,
  case
    when {{ is_month_running('build_inputs.as_of', 'months.ends_at') }} then 'open'
    when build_inputs.as_of < months.closes_at or months.closes_at is null then 'provisional'
    else 'due'
  end as period_state,
  months.starts_at,
  months.ends_at,
  months.closes_at
from months
cross join build_inputs

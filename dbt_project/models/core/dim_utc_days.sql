-- Grain: one row per time zone, local day and UTC date that it touches. An instant finds its day by its UTC date, which leaves one or two
-- rows to compare, and not every day.
with
days as (select * from {{ ref('dim_days') }}),

touched as (
  select days.*, cast(starts_at as date) as utc_date from days
  union all
  select days.*, cast(ends_at as date) as utc_date from days where cast(ends_at as date) > cast(starts_at as date)
)

select
  zone_day_key || ':' || cast(utc_date as string) as utc_day_key,
  time_zone,
  utc_date,
  day,
  month,
  weekday,
  starts_at,
  ends_at,
  first_second,
  shift_at,
  shift_seconds
from touched

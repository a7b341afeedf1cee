-- Grain: one row per time zone of a plan (and UTC, for what has no plan) and local day that has begun at as_of.
select
  zone_days.time_zone || ':' || cast(zone_days.day as string) as zone_day_key,
  zone_days.time_zone,
  zone_days.day,
  substr(cast(zone_days.day as string), 1, 7) as month,
  zone_days.weekday,
  build_inputs.as_of < zone_days.ends_at as is_day_running,
  zone_days.starts_at,
  zone_days.ends_at,
  zone_days.first_second,
  zone_days.shift_at,
  zone_days.shift_seconds
from {{ source('raw', 'zone_days') }} as zone_days
cross join {{ source('raw', 'build_inputs') }} as build_inputs
where zone_days.starts_at <= build_inputs.as_of

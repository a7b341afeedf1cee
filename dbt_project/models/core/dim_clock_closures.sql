-- Grain: one row per clock and named closure: a holiday, a break or a dated override.
select clock_name, reason, starts_at, ends_at
from {{ source('raw', 'clock_closures') }}

-- Grain: one row per clock and open interval, UTC, with the calendar version that opens it.
select clock_name, calendar_version, opens_at, closes_at
from {{ source('raw', 'clock_intervals') }}

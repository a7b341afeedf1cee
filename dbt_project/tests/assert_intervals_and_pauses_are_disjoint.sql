-- The intervals of a clock, and the pauses of an obligation, are pieces of time of which none overlaps another: only then are the seconds that
-- they hold a sum, and only then is a segment either counted or skipped for one reason.
with
pieces as (
  select 'clock' as kind, clock_name as name, opens_at as begins_at, closes_at as ends_at from {{ ref('dim_clock_intervals') }}
  union all
  select 'obligation', obligation_key, pauses_at, resumes_at from {{ ref('fct_sla_pauses') }}
),

in_order as (
  select pieces.*, lag(ends_at) over (partition by kind, name order by begins_at nulls last, ends_at nulls last) as ended_before_at
  from pieces
)

select kind, name, begins_at, ends_at, ended_before_at
from in_order
where begins_at >= ends_at or begins_at < ended_before_at

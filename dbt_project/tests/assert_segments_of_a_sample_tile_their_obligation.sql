-- What `sla explain` shows must add up: the segments of an obligation follow on each other without a gap, from the instant that it counts from
-- to the one up to which its clock was read, and their counted seconds are its elapsed seconds.
-- Of a sample, always the same one of the same obligations: that the seconds of all add up, two other tests prove by arithmetic; this one
-- proves the SQL that readers run, and it costs as much for a million tickets as for a thousand.
with
sampled as (
  select * from {{ ref('fct_sla_obligations') }}
  where elapsed_seconds is not null and counts_from_at < read_until_at
  order by md5(obligation_key) nulls last
  limit 200
),

segments as (
  {{ segments_of('sampled') | indent(2) }}
),

in_order as (
  select
    segments.*,
    lag(ends_at) over (partition by obligation_key order by segment_number) as ended_before_at,
    row_number() over (partition by obligation_key order by segment_number) as place
  from segments
),

sums as (
  select
    obligation_key,
    min(starts_at) as starts_at,
    max(ends_at) as ends_at,
    sum(counted_seconds) as counted_seconds,
    sum(
      case
        when segment_number <> place then 1
        when starts_at <> ended_before_at then 1
        when {{ epoch_seconds('ends_at') }} - {{ epoch_seconds('starts_at') }} <> wall_seconds then 1
        when wall_seconds <= 0 then 1
        when segment_kind = 'counted' and counted_seconds = wall_seconds then 0
        when segment_kind in ('paused', 'closed', 'holiday') and counted_seconds = 0 then 0
        else 1
      end
    ) as wrong_segments
  from in_order
  group by obligation_key
)

select sampled.obligation_key, sampled.elapsed_seconds, sums.counted_seconds, sums.wrong_segments, sums.starts_at, sums.ends_at
from sampled
left join sums on sums.obligation_key = sampled.obligation_key
where coalesce(sums.counted_seconds, -1) <> sampled.elapsed_seconds
  or sums.starts_at <> sampled.counts_from_at
  or sums.ends_at <> sampled.read_until_at
  or sums.wrong_segments > 0

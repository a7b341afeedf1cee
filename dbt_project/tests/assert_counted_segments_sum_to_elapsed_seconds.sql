-- What `sla explain` shows must add up: the counted segments of an obligation are its elapsed seconds, to the second, and its segments
-- cover every second between the instant that it counts from and the one up to which its clock was read.
with
sums as (
  select
    obligation_key,
    sum(counted_seconds) as counted_seconds,
    sum(wall_seconds) as wall_seconds
  from {{ ref('fct_sla_segments') }}
  group by obligation_key
)

select
  obligations.obligation_key,
  obligations.elapsed_seconds,
  sums.counted_seconds
from {{ ref('fct_sla_obligations') }} as obligations
left join sums on sums.obligation_key = obligations.obligation_key
where obligations.elapsed_seconds is not null
  and (
    obligations.elapsed_seconds <> coalesce(sums.counted_seconds, 0)
    or {{ epoch_seconds('obligations.read_until_at') }} - {{ epoch_seconds('obligations.counts_from_at') }} <> coalesce(sums.wall_seconds, 0)
  )

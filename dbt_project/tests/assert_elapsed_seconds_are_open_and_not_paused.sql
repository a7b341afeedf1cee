-- What an obligation has elapsed is the seconds for which its clock was open between the instant that it counts from and the one up to which
-- it was read, less those of its pauses. It is worked out here for every row from the published intervals, and not from the tables that the
-- verdicts were read by. Open seconds before an instant = closings so far - openings so far + the instant where the clock is open then.
-- No segment is made for this: that costs a row per opening, and most of those belong to the few obligations that run for years.
with
obligations as (
  select
    obligation_key,
    clock_name,
    elapsed_seconds,
    {{ epoch_seconds('counts_from_at') }} as counts_from_epoch,
    {{ epoch_seconds('read_until_at') }} as read_until_epoch
  from {{ ref('fct_sla_obligations') }}
  where elapsed_seconds is not null
),

intervals as (
  select clock_name, {{ epoch_seconds('opens_at') }} as opens_epoch, {{ epoch_seconds('closes_at') }} as closes_epoch
  from {{ ref('dim_clock_intervals') }}
),

-- Of a pause counts what lies in the time that is read.
pauses as (
  select
    obligations.obligation_key,
    obligations.clock_name,
    greatest({{ epoch_seconds('pauses.pauses_at') }}, obligations.counts_from_epoch) as pauses_epoch,
    least({{ epoch_seconds('pauses.resumes_at') }}, obligations.read_until_epoch) as resumes_epoch
  from {{ ref('fct_sla_pauses') }} as pauses
  join obligations on obligations.obligation_key = pauses.obligation_key
),

-- `share` is how the open seconds before an instant enter the sum of an obligation; of the edges of an interval there is none.
instants as (
  select clock_name, opens_epoch as at_epoch, 1 as opened, null as obligation_key, 0 as share from intervals
  union all select clock_name, closes_epoch, -1, null, 0 from intervals
  union all select clock_name, read_until_epoch, 0, obligation_key, 1 from obligations
  union all select clock_name, counts_from_epoch, 0, obligation_key, -1 from obligations
  union all select clock_name, resumes_epoch, 0, obligation_key, -1 from pauses where pauses_epoch < resumes_epoch
  union all select clock_name, pauses_epoch, 0, obligation_key, 1 from pauses where pauses_epoch < resumes_epoch
),

read_instants as (
  select
    obligation_key,
    share,
    sum(opened) over clock_until_now * at_epoch - sum(opened * at_epoch) over clock_until_now as open_seconds
  from instants
  window clock_until_now as (partition by clock_name order by at_epoch nulls last rows between unbounded preceding and current row)
),

counted as (
  select obligation_key, sum(share * open_seconds) as counted_seconds
  from read_instants
  where share <> 0
  group by obligation_key
)

select obligations.obligation_key, obligations.elapsed_seconds, counted.counted_seconds
from obligations
join counted on counted.obligation_key = obligations.obligation_key
where obligations.elapsed_seconds <> counted.counted_seconds
  or obligations.read_until_epoch < obligations.counts_from_epoch

-- Who had a ticket: the counted seconds of each breached obligation sum to what its clock shows, and those before it was due to its target.
with
holdings as (
  select
    obligation_key,
    sum(counted_seconds) as counted_seconds,
    sum(counted_before_due_seconds) as counted_before_due_seconds
  from {{ ref('fct_sla_breach_holdings') }}
  group by obligation_key
)

select breaches.obligation_key
from {{ ref('fct_sla_breaches') }} as breaches
left join holdings on holdings.obligation_key = breaches.obligation_key
where coalesce(holdings.counted_seconds, 0) <> breaches.elapsed_seconds
  or coalesce(holdings.counted_before_due_seconds, 0) <> breaches.target_seconds

-- Grain: one row per obligation and merged pause of its clock.
select
  pauses.obligation_key || ':' || cast(pauses.pause_number as string) as pause_key,
  pauses.obligation_key,
  cycles.ticket_id,
  cycles.customer_id,
  pauses.pause_name,
  {{ instant_from_epoch('pauses.pauses_epoch') }} as pauses_at,
  {{ instant_from_epoch('pauses.resumes_epoch') }} as resumes_at
from {{ ref('int_promises__pauses') }} as pauses
join {{ ref('int_promises__obligation_cycles') }} as cycles on cycles.obligation_key = pauses.obligation_key and cycles.reading = 'plan'

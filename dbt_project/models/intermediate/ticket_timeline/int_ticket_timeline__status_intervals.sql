-- Grain: one row per ticket and interval in one status, half-open; the last one has no end.
with
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where moment like 'status:%')

select
  ticket_id,
  substr(moment, 8) as ticket_status,
  moment_order,
  -- Another status was set in the same second, and no order of the two is known.
  coalesce(
    min(order_space) over (partition by ticket_id, moment_epoch) <> max(order_space) over (partition by ticket_id, moment_epoch)
    and min(moment) over (partition by ticket_id, moment_epoch) <> max(moment) over (partition by ticket_id, moment_epoch),
    false
  ) as is_order_unknown,
  moment_epoch as valid_from_epoch,
  earliest_epoch as earliest_from_epoch,
  lead(moment_epoch) over (partition by ticket_id order by moment_order) as valid_to_epoch,
  lead(earliest_epoch) over (partition by ticket_id order by moment_order) as earliest_to_epoch
from moments

-- Grain: one row per ticket and interval in one status, half-open; the last one has no end.
with
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where moment like 'status:%'),

-- Two statuses were set in one second, and no order of the two is known.
unordered_seconds as (
  select ticket_id, moment_epoch
  from moments
  group by ticket_id, moment_epoch
  having min(order_space) <> max(order_space) and min(moment) <> max(moment)
)

select
  moments.ticket_id,
  substr(moments.moment, 8) as ticket_status,
  moments.moment_order,
  unordered_seconds.ticket_id is not null as is_order_unknown,
  moments.moment_epoch as valid_from_epoch,
  moments.earliest_epoch as earliest_from_epoch,
  lead(moments.moment_epoch) over (partition by moments.ticket_id order by moments.moment_order) as valid_to_epoch,
  lead(moments.earliest_epoch) over (partition by moments.ticket_id order by moments.moment_order) as earliest_to_epoch
from moments
left join unordered_seconds on unordered_seconds.ticket_id = moments.ticket_id and unordered_seconds.moment_epoch = moments.moment_epoch

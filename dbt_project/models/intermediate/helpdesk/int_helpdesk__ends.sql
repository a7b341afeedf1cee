-- Grain: one row per ticket that has ended at as_of: the first end that nothing takes back.
-- A deleted ticket is restored, a cancelled one gets a status that says neither cancelled nor closed. A merge is never taken back. An end that is
-- taken back was none: what was recorded meanwhile counts.
with
events as (select * from {{ ref('int_helpdesk__events') }}),

marked as (
  select
    events.ticket_id,
    case events.event_type when 'status_changed' then 'status:' || events.value else events.event_type end as moment,
    events.event_id,
    events.event_at,
    events.event_epoch,
    events.event_order,
    events.order_space
  from events
  where events.event_type in ('merged', 'deleted', 'restored', 'status_changed')
),

ordered as (
  select
    marked.*,
    row_number() over (partition by marked.ticket_id order by marked.event_order) as place
  from marked
),

last_returns as (
  select
    ticket_id,
    max(case when moment = 'restored' then place end) as restored_place,
    max(case when moment like 'status:%' and moment not in ('status:cancelled', 'status:closed') then place end) as taken_up_place
  from ordered
  group by ticket_id
),

ends as (
  select ordered.*, row_number() over (partition by ordered.ticket_id order by ordered.place nulls last) as end_rank
  from ordered
  join last_returns on last_returns.ticket_id = ordered.ticket_id
  where ordered.moment = 'merged'
    or (ordered.moment = 'deleted' and ordered.place > coalesce(last_returns.restored_place, 0))
    or (ordered.moment = 'status:cancelled' and ordered.place > coalesce(last_returns.taken_up_place, 0))
)

select
  ticket_id,
  moment,
  event_id,
  order_space,
  event_at as ended_at,
  event_epoch as ended_epoch,
  case moment when 'merged' then 'ticket_merged' when 'deleted' then 'ticket_deleted' else 'cancelled' end as ending_reason
from ends
where end_rank = 1

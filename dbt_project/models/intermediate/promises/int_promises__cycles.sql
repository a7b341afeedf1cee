-- Grain: one row per ticket, obligation and cycle that has started.
-- `once`: the first turn. `repeat`: every turn is a cycle of its own. `resume`: one cycle from the first start to the last stop;
-- the time between its turns is a pause (int_promises__pauses).
with
turns as (select * from {{ ref('int_promises__turns') }}),

last_turns as (
  select ticket_id, obligation, max(turn_number) as turn_number, min(order_unknown_from_epoch) as order_unknown_from_epoch
  from turns
  where cycles = 'resume'
  group by ticket_id, obligation
)

select
  turns.ticket_id,
  turns.obligation,
  turns.turn_number as cycle_number,
  turns.starts_epoch,
  turns.earliest_start_epoch,
  turns.starting_event_id,
  turns.starts_order,
  turns.order_unknown_from_epoch,
  turns.stopped_epoch,
  turns.stops_order,
  turns.earliest_stop_epoch,
  turns.stopping_event_id
from turns
where turns.cycles <> 'resume'
union all
select
  turns.ticket_id,
  turns.obligation,
  1 as cycle_number,
  first_turns.starts_epoch,
  first_turns.earliest_start_epoch,
  first_turns.starting_event_id,
  first_turns.starts_order,
  last_turns.order_unknown_from_epoch,
  turns.stopped_epoch,
  turns.stops_order,
  turns.earliest_stop_epoch,
  turns.stopping_event_id
from turns
join last_turns
  on last_turns.ticket_id = turns.ticket_id
  and last_turns.obligation = turns.obligation
  and last_turns.turn_number = turns.turn_number
join turns as first_turns
  on first_turns.ticket_id = turns.ticket_id and first_turns.obligation = turns.obligation and first_turns.turn_number = 1

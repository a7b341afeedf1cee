-- Grain: one row per ticket, obligation, cycle that has started, and reading.
-- `once`: the first turn. `repeat`: every turn is a cycle of its own. `resume`: one cycle from the first start to the last stop;
-- the time between its turns is a pause (int_promises__pauses).
-- Reading `plan`: the stop that the plan names. Where an AI answered in a cycle of `once` or `repeat`, a second row has the stop of the other
-- verdict: `with_ai`, the AI's answer, where the plan lets none stop the promise; `humans_alone`, the next stop that is none, where it does.
with
turns as (select * from {{ ref('int_promises__turns') }}),
ticket_terms as (select * from {{ ref('int_promises__ticket_terms') }} where exclusion_reason is null),
plan_moments as (select * from {{ source('raw', 'plan_moments') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }} where not is_after_end),

last_turns as (
  select ticket_id, obligation, max(turn_number) as turn_number, min(order_unknown_from_epoch) as order_unknown_from_epoch
  from turns
  where cycles = 'resume'
  group by ticket_id, obligation
),

ai_messages as (select * from moments where moment = 'ai_message'),

-- A promise that no message of the vendor stops has one verdict.
answer_rules as (
  select plan_version, obligation, max(case when moment = 'ai_message' then 1 else 0 end) = 1 as may_ai_stop
  from plan_moments
  where role = 'stop' and moment in ('agent_message', 'ai_message')
  group by plan_version, obligation
),

-- An answer in the second of the start, in no known order to it, may stand before it: it is no answer to it.
cycles_with_ai as (
  select
    turns.ticket_id,
    turns.obligation,
    turns.turn_number,
    turns.stops_order,
    ticket_terms.plan_version,
    answer_rules.may_ai_stop,
    min(ai_messages.moment_order) as ai_order
  from turns
  join ticket_terms on ticket_terms.ticket_id = turns.ticket_id
  join answer_rules on answer_rules.plan_version = ticket_terms.plan_version and answer_rules.obligation = turns.obligation
  join ai_messages
    on ai_messages.ticket_id = turns.ticket_id
    and ai_messages.moment_order > turns.starts_order
    and ai_messages.moment_order <= coalesce(turns.stops_order, ai_messages.moment_order)
  join moments as starts on starts.ticket_id = turns.ticket_id and starts.moment_order = turns.starts_order
  where turns.cycles <> 'resume'
    and (
      ai_messages.moment_epoch > turns.starts_epoch
      or ai_messages.order_space is null
      or starts.order_space is null
      or ai_messages.order_space = starts.order_space
    )
  group by turns.ticket_id, turns.obligation, turns.turn_number, turns.stops_order, ticket_terms.plan_version, answer_rules.may_ai_stop
),

other_stops as (
  select ticket_id, obligation, turn_number, 'with_ai' as reading, ai_order as stops_order
  from cycles_with_ai
  where not may_ai_stop
  union all
  select
    cycles_with_ai.ticket_id,
    cycles_with_ai.obligation,
    cycles_with_ai.turn_number,
    'humans_alone' as reading,
    min(case when plan_moments.moment is not null then moments.moment_order end) as stops_order
  from cycles_with_ai
  left join moments on moments.ticket_id = cycles_with_ai.ticket_id and moments.moment_order > cycles_with_ai.ai_order
  left join plan_moments
    on plan_moments.plan_version = cycles_with_ai.plan_version
    and plan_moments.obligation = cycles_with_ai.obligation
    and plan_moments.role = 'stop'
    and plan_moments.moment <> 'ai_message'
    and plan_moments.moment = moments.moment
  where cycles_with_ai.may_ai_stop and cycles_with_ai.ai_order = cycles_with_ai.stops_order
  group by cycles_with_ai.ticket_id, cycles_with_ai.obligation, cycles_with_ai.turn_number
)

select
  turns.ticket_id,
  turns.obligation,
  turns.turn_number as cycle_number,
  'plan' as reading,
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
  'plan' as reading,
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
union all
select
  turns.ticket_id,
  turns.obligation,
  turns.turn_number as cycle_number,
  other_stops.reading,
  turns.starts_epoch,
  turns.earliest_start_epoch,
  turns.starting_event_id,
  turns.starts_order,
  turns.order_unknown_from_epoch,
  moments.moment_epoch as stopped_epoch,
  moments.moment_order as stops_order,
  moments.earliest_epoch as earliest_stop_epoch,
  moments.event_id as stopping_event_id
from turns
join other_stops
  on other_stops.ticket_id = turns.ticket_id
  and other_stops.obligation = turns.obligation
  and other_stops.turn_number = turns.turn_number
left join moments on moments.ticket_id = other_stops.ticket_id and moments.moment_order = other_stops.stops_order

-- Grain: one row per statement that gives a used unit back, or takes that back: the credits and reversals of a ticket alternate.
-- A ticket is credited as long as any reason holds: its cause is a bug, it was merged or deleted, or its unit is waived. Saying the same
-- thing twice is one credit.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
uses as (select * from {{ ref('int_entitlements__uses') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),
waivers as (select * from {{ source('raw', 'waivers') }} where obligation = 'entitlement'),

-- A waiver that had ended when the ticket came was never in force for it.
waivers_in_force as (
  select waivers.*
  from waivers
  join uses on uses.ticket_id = waivers.ticket_id
  where waivers.expires_at is null or waivers.expires_at > uses.happened_at
),

statements as (
  select
    events.ticket_id,
    'event' as cause_kind,
    events.event_id as cause_id,
    events.event_at as happened_at,
    events.known_at,
    moments.moment_order,
    case events.event_type when 'bug_confirmed' then 1 when 'bug_rejected' then 0 end as is_bug,
    case when events.event_type in ('merged', 'deleted') then 1 when events.event_type = 'restored' then 0 end as is_ended,
    0 as waivers_added,
    case events.event_type
      when 'bug_confirmed' then 'bug confirmed'
      when 'bug_rejected' then 'bug rejected'
      when 'merged' then 'merged into another ticket'
      when 'restored' then 'ticket restored'
      else 'ticket deleted'
    end as reason
  from events
  join moments on moments.event_id = events.event_id and moments.ticket_id = events.ticket_id
  where events.event_type in ('bug_confirmed', 'bug_rejected', 'merged', 'deleted', 'restored')
    -- A merged or deleted ticket stays credited, whatever is found out about its bug afterwards.
    and not moments.is_after_end
  union all
  select
    waivers.ticket_id, 'waiver', waivers.waiver_id, waivers.approved_at, waivers.approved_at, null, null, null, 1, 'waived: ' || waivers.reason
  from waivers_in_force as waivers
  union all
  select
    waivers.ticket_id, 'waiver', waivers.waiver_id, waivers.expires_at, waivers.expires_at, null, null, null, -1, 'waiver expired'
  from waivers_in_force as waivers
  where waivers.expires_at is not null
),

ordered as (
  select
    statements.*,
    row_number() over (
      partition by statements.ticket_id
      -- In one second a waiver ends last, so that one that follows it leaves no gap.
      order by statements.happened_at nulls last, case when statements.waivers_added < 0 then 1 else 0 end, coalesce(statements.moment_order, 0),
        statements.cause_id nulls last
    ) as statement_number
  from statements
  cross join build_inputs
  where statements.happened_at <= build_inputs.as_of
),

states as (
  select
    ordered.*,
    -- The last thing that was said of the bug, and of the ticket's end: its number leads, its answer is the last bit.
    coalesce(max(statement_number * 2 + is_bug) over so_far, 0) % 2 = 1
    or coalesce(max(statement_number * 2 + is_ended) over so_far, 0) % 2 = 1
    or sum(waivers_added) over so_far > 0 as is_credited
  from ordered
  window so_far as (partition by ticket_id order by statement_number rows between unbounded preceding and current row)
),

turns as (
  select
    states.*,
    coalesce(lag(is_credited) over (partition by ticket_id order by statement_number), false) as was_credited
  from states
),

numbered as (
  select
    turns.*,
    row_number() over (partition by ticket_id order by statement_number) as turn_number
  from turns
  where is_credited <> was_credited
)

select
  case when numbered.is_credited then 'credit:' else 'reversal:' end || uses.ticket_id || ':' || cast(numbered.turn_number as string) as movement_id,
  uses.ticket_id,
  uses.customer_id,
  uses.subscription_id,
  uses.pool,
  case when numbered.is_credited then 'credit' else 'reversal' end as movement_kind,
  numbered.cause_kind,
  numbered.cause_id,
  case
    when numbered.turn_number = 1 then 'use:' || uses.ticket_id
    when numbered.is_credited then 'reversal:' || uses.ticket_id || ':' || cast(numbered.turn_number - 1 as string)
    else 'credit:' || uses.ticket_id || ':' || cast(numbered.turn_number - 1 as string)
  end as undoes_movement_id,
  numbered.reason,
  numbered.turn_number,
  -- A ticket's unit cannot be given back before it was drawn.
  numbered.happened_at <= uses.happened_at as is_in_second_of_use,
  greatest(numbered.happened_at, uses.happened_at) as happened_at,
  numbered.known_at
from numbered
join uses on uses.ticket_id = numbered.ticket_id

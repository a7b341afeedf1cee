-- Grain: one row per event that gives a used unit back, or takes that back: the credits and reversals of a ticket alternate.
-- Saying the same thing twice is one credit. A ticket is credited once, whatever the number of reasons.
with
uses as (select * from {{ ref('int_entitlements__uses') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),

statements as (
  select
    events.ticket_id,
    events.event_id,
    events.event_type,
    events.event_at,
    events.known_at,
    moments.moment_order,
    case events.event_type when 'bug_rejected' then 'reversal' else 'credit' end as movement_kind
  from events
  join moments on moments.event_id = events.event_id and moments.ticket_id = events.ticket_id
  where events.event_type in ('bug_confirmed', 'bug_rejected', 'merged', 'deleted')
    -- A merged or deleted ticket stays credited, whatever is found out about its bug afterwards.
    and not moments.is_after_end
),

turns as (
  select
    statements.*,
    lag(movement_kind) over (partition by ticket_id order by moment_order) as previous_kind
  from statements
)

select
  turns.ticket_id,
  uses.customer_id,
  uses.subscription_id,
  uses.pool,
  turns.event_id,
  turns.movement_kind,
  case turns.event_type
    when 'bug_confirmed' then 'bug confirmed'
    when 'bug_rejected' then 'bug rejected'
    when 'merged' then 'merged into another ticket'
    else 'ticket deleted'
  end as reason,
  row_number() over (partition by turns.ticket_id order by turns.moment_order) as turn_number,
  turns.event_at as happened_at,
  turns.known_at
from turns
join uses on uses.ticket_id = turns.ticket_id
where (turns.movement_kind = 'credit' and coalesce(turns.previous_kind, 'reversal') = 'reversal')
  or (turns.movement_kind = 'reversal' and turns.previous_kind = 'credit')

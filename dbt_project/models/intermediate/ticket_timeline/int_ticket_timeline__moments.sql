-- Grain: one row per ticket and moment, in the words that a plan file may use.
-- First response rests on one line here: only a public message of a human on the vendor's side, written after the submission, is an
-- `agent_message`. The text of a ticket's opening answers nothing, also that of an agent.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
ends as (select * from {{ ref('int_helpdesk__ends') }}),
precedences as (select * from {{ ref('ticket_moments') }}),

submissions as (
  select
    ticket_id,
    'submitted' as moment,
    submitted_epoch as moment_epoch,
    submitted_epoch as earliest_epoch,
    ticket_id || ':submitted' as event_id,
    cast(0 as bigint) as event_order,
    cast(null as string) as order_space
  from tickets
),

messages as (
  select
    events.ticket_id,
    case
      when events.is_opening then 'opener_message'
      when events.actor_kind = 'bot' then 'automatic_reply'
      when not events.is_public then 'internal_note'
      -- The date of the first answer that equals the submission says that it was answered at once.
      when events.event_epoch < tickets.submitted_epoch then 'opener_message'
      -- Within the window of the submission it may be the opening text.
      when not events.is_date and coalesce(events.earliest_epoch, events.event_epoch) <= tickets.latest_submitted_epoch then 'opener_message'
      when events.actor_kind = 'customer' then 'customer_message'
      when events.actor_kind = 'ai' then 'ai_message'
      when events.actor_kind <> 'agent' then 'unattributed_message'
      else 'agent_message'
    end as moment,
    events.event_epoch as moment_epoch,
    coalesce(events.earliest_epoch, events.event_epoch) as earliest_epoch,
    events.event_id,
    events.event_order,
    events.order_space
  from events
  join tickets on tickets.ticket_id = events.ticket_id
  where events.event_type = 'message'
),

statuses as (
  select
    events.*,
    lag(events.value) over (partition by events.ticket_id order by events.event_order) as previous_value
  from events
  -- A cancellation that is taken back changes nothing: a solved ticket is reopened by what comes after it.
  where events.event_type = 'status_changed' and events.value <> 'cancelled'
),

status_changes as (
  select ticket_id, 'status:' || value as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order, order_space
  from events
  where event_type = 'status_changed'
),

reopenings as (
  select ticket_id, 'reopened' as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order, order_space
  from statuses
  where previous_value in ('solved', 'closed') and value not in ('solved', 'closed')
),

other_events as (
  select ticket_id, event_type as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order, order_space
  from events
  where event_type not in ('message', 'status_changed')
),

all_moments as (
  select * from submissions
  union all select * from messages
  union all select * from status_changes
  union all select * from reopenings
  union all select * from other_events
),

ordered as (
  select
    all_moments.ticket_id,
    all_moments.moment,
    all_moments.event_id,
    all_moments.moment_epoch,
    all_moments.earliest_epoch,
    all_moments.order_space,
    -- The submission stands before everything else of its second. The precedence of the seed orders what one event stands for.
    row_number() over (
      partition by all_moments.ticket_id
      order by all_moments.moment_epoch nulls last, all_moments.event_order, coalesce(precedences.precedence, 99), all_moments.moment nulls last
    ) as moment_order
  from all_moments
  left join precedences on precedences.moment = all_moments.moment
),

end_moments as (
  select ordered.ticket_id, ordered.moment_order
  from ordered
  join ends on ends.ticket_id = ordered.ticket_id and ends.event_id = ordered.event_id and ends.moment = ordered.moment
)

select
  ordered.ticket_id,
  ordered.moment,
  ordered.event_id,
  ordered.moment_epoch,
  ordered.earliest_epoch,
  ordered.moment_order,
  -- Moments of one second that have different ones stand in no known order to each other; null: before all others of its second.
  ordered.order_space,
  -- What is recorded after the end is shown, and starts or stops nothing.
  coalesce(ordered.moment_order > end_moments.moment_order, false) as is_after_end
from ordered
left join end_moments on end_moments.ticket_id = ordered.ticket_id

-- Grain: one row per ticket and moment, in the words that a plan file may use.
-- First response rests on one line here: only a public message of a human on the vendor's side, written after the submission, is an
-- `agent_message`. The text of a ticket's opening answers nothing, also that of an agent.
with
tickets as (select * from {{ ref('int_helpdesk__tickets') }}),
events as (select * from {{ ref('int_helpdesk__events') }}),
precedences as (select * from {{ ref('ticket_moments') }}),

submissions as (
  select
    ticket_id,
    'submitted' as moment,
    submitted_epoch as moment_epoch,
    submitted_epoch as earliest_epoch,
    ticket_id || ':submitted' as event_id,
    cast(0 as bigint) as event_order
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
      when events.actor_kind <> 'agent' then 'unattributed_message'
      else 'agent_message'
    end as moment,
    events.event_epoch as moment_epoch,
    coalesce(events.earliest_epoch, events.event_epoch) as earliest_epoch,
    events.event_id,
    events.event_order
  from events
  join tickets on tickets.ticket_id = events.ticket_id
  where events.event_type = 'message'
),

statuses as (
  select
    events.*,
    lag(events.value) over (partition by events.ticket_id order by events.event_order) as previous_value
  from events
  where events.event_type = 'status_changed'
),

status_changes as (
  select ticket_id, 'status:' || value as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order
  from statuses
),

reopenings as (
  select ticket_id, 'reopened' as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order
  from statuses
  where previous_value in ('solved', 'closed') and value not in ('solved', 'closed', 'cancelled')
),

other_events as (
  select ticket_id, event_type as moment, event_epoch as moment_epoch, coalesce(earliest_epoch, event_epoch) as earliest_epoch, event_id, event_order
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
    row_number() over (
      partition by all_moments.ticket_id
      order by all_moments.moment_epoch, coalesce(precedences.precedence, 99), all_moments.event_order, all_moments.moment
    ) as moment_order
  from all_moments
  left join precedences on precedences.moment = all_moments.moment
),

last_statuses as (
  select ticket_id, max(moment_order) as moment_order from ordered where moment like 'status:%' and moment <> 'status:closed' group by ticket_id
),

-- A ticket ends when it is merged, deleted, or cancelled without being taken up again. Restored, it goes on.
marked as (
  select
    ordered.*,
    case
      when ordered.moment in ('merged', 'deleted') then 1
      when ordered.moment = 'status:cancelled' and last_statuses.moment_order = ordered.moment_order then 1
      when ordered.moment = 'restored' then 0
    end as ends_ticket
  from ordered
  left join last_statuses on last_statuses.ticket_id = ordered.ticket_id
),

-- The last statement about an end that stands before a moment: its place leads, what it says is the last bit.
stated as (
  select
    marked.*,
    max(moment_order * 2 + ends_ticket) over (
      partition by ticket_id order by moment_order rows between unbounded preceding and 1 preceding
    ) as last_statement
  from marked
)

select
  ticket_id,
  moment,
  event_id,
  moment_epoch,
  earliest_epoch,
  moment_order,
  -- What is recorded after the end is shown, and starts or stops nothing.
  coalesce(last_statement % 2, 0) = 1 as is_after_end,
  ends_ticket = 1 and coalesce(last_statement % 2, 0) = 0 as is_end
from stated

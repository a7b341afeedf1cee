-- Grain: one row per event of a ticket and the moment that it stands for in the words of the plan files.
with
events as (select * from {{ ref('int_helpdesk__events') }}),
moments as (select * from {{ ref('int_ticket_timeline__moments') }}),
tickets as (select * from {{ ref('int_helpdesk__tickets') }})

select
  moments.ticket_id || ':' || events.event_id || ':' || moments.moment as ticket_event_key,
  events.event_id,
  events.ticket_id,
  tickets.customer_id,
  moments.moment,
  cast(moments.moment_order as bigint) as event_order,
  events.event_type,
  events.actor_kind,
  events.actor,
  events.value,
  events.is_public,
  moments.moment = 'automatic_reply' as is_automatic_reply,
  moments.moment = 'ai_message' as is_ai_message,
  events.earliest_epoch is not null and events.is_date as is_derived,
  events.is_contradicted,
  events.event_epoch - coalesce(events.earliest_epoch, events.event_epoch) as window_seconds,
  events.event_at,
  events.source,
  events.source_file,
  events.line_number,
  events.batch_id,
  events.known_at
from moments
join events on events.event_id = moments.event_id and events.ticket_id = moments.ticket_id
join tickets on tickets.ticket_id = events.ticket_id

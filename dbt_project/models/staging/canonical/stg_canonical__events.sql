-- Grain: one row per exported event row.
with
events as (select * from {{ source('raw', 'canonical_events') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
bots as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor')

select
  events.event_id,
  sources.ticket_prefix || events.ticket_id as ticket_id,
  events.source,
  events.event_at,
  events.event_type,
  case when bots.bot_value is not null then 'bot' else events.actor_kind end as actor_kind,
  events.actor,
  coalesce(events.is_public, true) as is_public,
  case when events.event_type = 'merged' then sources.ticket_prefix || events.value else events.value end as value,
  false as is_opening,
  events.source_file,
  events.line_number,
  events.batch_id,
  batches.landed_at as known_at
from events
join sources on sources.source = events.source
join batches on batches.batch_id = events.batch_id
left join bots on bots.source = events.source and bots.bot_value = events.actor

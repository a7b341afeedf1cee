-- Grain: one row per exported event row. What an adapter reads from fields of a ticket is as old as that version of the ticket.
with
events as (select * from {{ source('raw', 'canonical_events') }}),
tickets as (select * from {{ source('raw', 'canonical_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),
people as (select * from {{ ref('stg_canonical__people') }}),
bots as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor')

select
  events.event_id,
  sources.ticket_prefix || events.ticket_id as ticket_id,
  events.source,
  events.event_at,
  events.event_type,
  case
    when bots.bot_value is not null then 'bot'
    when sources.source_type = 'mapped' then coalesce(events.actor_kind, people.actor_kind, 'unknown')
    else events.actor_kind
  end as actor_kind,
  events.actor,
  coalesce(events.is_public, true) as is_public,
  case
    when events.event_type = 'merged' then sources.ticket_prefix || events.value
    else coalesce(statuses.mapped_value, severities.mapped_value, events.value)
  end as value,
  false as is_opening,
  events.earliest_at,
  tickets.updated_at as written_at,
  events.source_file,
  events.line_number,
  events.batch_id,
  batches.landed_at as known_at
from events
join sources on sources.source = events.source
join batches on batches.batch_id = events.batch_id
left join tickets
  on tickets.batch_id = events.batch_id and tickets.line_number = events.line_number and tickets.ticket_id = events.ticket_id
left join severities
  on events.event_type = 'severity_changed' and severities.source = events.source and severities.source_value = events.value
left join statuses
  on events.event_type = 'status_changed' and statuses.source = events.source and statuses.source_value = events.value
left join people on people.source = events.source and people.person_id = events.actor
left join bots on bots.source = events.source and bots.bot_value = events.actor
-- Another helpdesk's level that no mapping knows is no level: the ticket keeps the one before.
where events.event_type <> 'severity_changed' or sources.source_type in ('canonical', 'mapped') or severities.mapped_value is not null

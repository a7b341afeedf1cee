-- Grain: one row per exported event row, and one per status or level that a ticket was submitted with, as the first change of a history says.
-- What an adapter reads from fields of a ticket is as old as that version of the ticket.
with
events as (select * from {{ source('raw', 'canonical_events') }}),
tickets as (select * from {{ source('raw', 'canonical_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),
people as (select * from {{ ref('stg_canonical__people') }}),
bots as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor'),
first_changes as (select * from {{ ref('stg_canonical__changes') }} where change_number = 1 and value_before is not null),

submissions as (
  select source, ticket_id, min(submitted_at) as submitted_at from tickets group by source, ticket_id
)

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
union all
select
  first_changes.event_id || ':before' as event_id,
  first_changes.ticket_prefix || first_changes.ticket_id as ticket_id,
  first_changes.source,
  submissions.submitted_at as event_at,
  first_changes.event_type,
  'unknown' as actor_kind,
  cast(null as varchar) as actor,
  true as is_public,
  first_changes.value_before as value,
  true as is_opening,
  cast(null as timestamp) as earliest_at,
  cast(null as timestamp) as written_at,
  first_changes.source_file,
  first_changes.line_number,
  first_changes.batch_id,
  batches.landed_at as known_at
from first_changes
join submissions on submissions.source = first_changes.source and submissions.ticket_id = first_changes.ticket_id
join batches on batches.batch_id = first_changes.batch_id

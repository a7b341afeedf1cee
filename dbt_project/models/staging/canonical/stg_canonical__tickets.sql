-- Grain: one row per exported ticket row; several rows may speak of one ticket.
-- The canonical form names the severity that the ticket was submitted with. What an adapter lands keeps the helpdesk's own words,
-- which are looked up here; a status that nobody maps could be a pause, so such a ticket shows no history of statuses.
with
tickets as (select * from {{ source('raw', 'canonical_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel'),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),

tickets_with_unmapped_status as (
  select distinct events.source, events.ticket_id
  from {{ source('raw', 'canonical_events') }} as events
  left join statuses on statuses.source = events.source and statuses.source_value = events.value
  where events.event_type = 'status_changed'
    and statuses.source_value is null
    and events.value not in ('new', 'open', 'pending', 'on_hold', 'solved', 'closed')
)

select
  sources.ticket_prefix || tickets.ticket_id as ticket_id,
  tickets.source,
  tickets.customer_id,
  tickets.requester,
  coalesce(tickets.opener, tickets.requester) as opener,
  coalesce(channels.mapped_value, tickets.channel) as channel,
  case
    when severities.mapped_value is not null then cast(severities.mapped_value as integer)
    when sources.source_type = 'canonical' and tickets.severity in ('0', '1', '2', '3', '4', '5')
      then cast(tickets.severity as integer)
  end as severity,
  tickets.severity as severity_given,
  tickets.submitted_at,
  tickets.subject,
  tickets.ticket_type,
  coalesce(statuses.mapped_value, tickets.ticket_status) as ticket_status,
  {{ has_evidence('tickets.evidence', 'messages') }} or {{ has_evidence('tickets.evidence', 'first_response') }}
    as is_first_response_observed,
  {{ has_evidence('tickets.evidence', 'messages') }} as is_messages_observed,
  {{ has_evidence('tickets.evidence', 'statuses') }} and tickets_with_unmapped_status.ticket_id is null as is_statuses_observed,
  {{ has_evidence('tickets.evidence', 'resolution') }} as is_resolution_observed,
  {{ has_evidence('tickets.evidence', 'debug') }} as is_debug_observed,
  coalesce(tickets.updated_at, tickets.submitted_at) as updated_at,
  cast(0 as integer) as update_number,
  tickets.source_file,
  tickets.line_number,
  tickets.batch_id,
  batches.landed_at as known_at
from tickets
join sources on sources.source = tickets.source
join batches on batches.batch_id = tickets.batch_id
left join channels on channels.source = tickets.source and channels.source_value = tickets.channel
left join severities on severities.source = tickets.source and severities.source_value = tickets.severity
left join statuses on statuses.source = tickets.source and statuses.source_value = tickets.ticket_status
left join tickets_with_unmapped_status
  on tickets_with_unmapped_status.source = tickets.source and tickets_with_unmapped_status.ticket_id = tickets.ticket_id

-- Grain: one row per exported ticket row; several rows may speak of one ticket.
-- The canonical form names the severity that the ticket was submitted with.
with
tickets as (select * from {{ source('raw', 'canonical_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel')

select
  sources.ticket_prefix || tickets.ticket_id as ticket_id,
  tickets.source,
  tickets.customer_id,
  tickets.requester,
  tickets.requester as opener,
  coalesce(channels.mapped_value, tickets.channel) as channel,
  case when tickets.severity in ('0', '1', '2', '3', '4', '5') then cast(tickets.severity as integer) end as severity,
  tickets.severity as severity_given,
  tickets.submitted_at,
  tickets.subject,
  tickets.ticket_type,
  cast(null as varchar) as ticket_status,
  true as is_messages_observed,
  true as is_statuses_observed,
  true as is_resolution_observed,
  true as is_debug_observed,
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

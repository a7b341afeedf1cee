-- Grain: one row per exported ticket row; several rows may speak of one ticket.
-- The canonical form names the severity that the ticket was submitted with. What an adapter lands keeps the helpdesk's own words,
-- which are looked up here.
-- A mapped source shows only what it declares and has landed: not where a record of the ticket was refused, and no statuses where a change
-- begins with what none before it left.
with
tickets as (select * from {{ source('raw', 'canonical_tickets') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
channels as (select * from {{ source('raw', 'source_values') }} where mapping = 'channel'),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),
people as (select * from {{ ref('stg_canonical__people') }}),

gaps as (
  select
    source,
    ticket_id,
    max(case when evidence is null or evidence = 'messages' then 1 else 0 end) as is_in_messages,
    max(case when evidence is null or evidence = 'statuses' then 1 else 0 end) as is_in_statuses,
    max(case when evidence is null or evidence in ('debug', 'bugs') then 1 else 0 end) as is_in_debug
  from {{ source('raw', 'canonical_gaps') }}
  group by source, ticket_id
),

histories as (
  select
    source,
    ticket_id,
    max(case when event_type = 'message' then 1 else 0 end) as has_messages,
    max(case when event_type = 'status_changed' then 1 else 0 end) as has_statuses
  from {{ source('raw', 'canonical_events') }}
  -- A date beside the ticket is derived from its history; it does not show the history.
  where evidence_kind = 'recorded'
  group by source, ticket_id
),

source_histories as (
  select source, max(has_messages) as has_messages, max(has_statuses) as has_statuses from histories group by source
),

tickets_with_missing_change as (
  select distinct source, ticket_id
  from {{ ref('stg_canonical__changes') }}
  where event_type = 'status_changed' and change_number > 1 and value_before <> value_left
)

select
  sources.ticket_prefix || tickets.ticket_id as ticket_id,
  tickets.source,
  tickets.customer_id,
  coalesce(people.person, tickets.requester) as requester,
  coalesce(tickets.opener, tickets.requester) as opener,
  coalesce(channels.mapped_value, tickets.channel) as channel,
  case
    when severities.mapped_value is not null then cast(severities.mapped_value as integer)
    when sources.source_type in ('canonical', 'mapped') and tickets.severity in ('0', '1', '2', '3', '4', '5')
      then cast(tickets.severity as integer)
  end as severity,
  tickets.severity as severity_given,
  tickets.submitted_at,
  tickets.subject,
  tickets.ticket_type,
  coalesce(statuses.mapped_value, tickets.ticket_status) as ticket_status,
  (
    ({{ has_evidence('tickets.evidence', 'messages') }} and (sources.source_type <> 'mapped' or source_histories.has_messages = 1))
    or {{ has_evidence('tickets.evidence', 'first_response') }}
    or ({{ has_evidence('tickets.evidence', 'messages_if_any') }} and coalesce(histories.has_messages, 0) = 1)
  )
  and coalesce(gaps.is_in_messages, 0) = 0 as is_first_response_observed,
  (
    ({{ has_evidence('tickets.evidence', 'messages') }} and (sources.source_type <> 'mapped' or source_histories.has_messages = 1))
    or ({{ has_evidence('tickets.evidence', 'messages_if_any') }} and coalesce(histories.has_messages, 0) = 1)
  )
  and coalesce(gaps.is_in_messages, 0) = 0 as is_messages_observed,
  (
    ({{ has_evidence('tickets.evidence', 'statuses') }} and (sources.source_type <> 'mapped' or source_histories.has_statuses = 1))
    or ({{ has_evidence('tickets.evidence', 'statuses_if_any') }} and coalesce(histories.has_statuses, 0) = 1)
  )
  and coalesce(gaps.is_in_statuses, 0) = 0
  and tickets_with_missing_change.ticket_id is null as is_statuses_observed,
  (
    {{ has_evidence('tickets.evidence', 'resolution') }}
    or ({{ has_evidence('tickets.evidence', 'resolution_if_any') }} and coalesce(histories.has_statuses, 0) = 1)
  )
  and coalesce(gaps.is_in_statuses, 0) = 0 as is_resolution_observed,
  {{ has_evidence('tickets.evidence', 'debug') }} and coalesce(gaps.is_in_debug, 0) = 0 as is_debug_observed,
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
left join people on people.source = tickets.source and people.person_id = tickets.requester
left join gaps on gaps.source = tickets.source and gaps.ticket_id = tickets.ticket_id
left join histories on histories.source = tickets.source and histories.ticket_id = tickets.ticket_id
left join source_histories on source_histories.source = tickets.source
left join tickets_with_missing_change
  on tickets_with_missing_change.source = tickets.source and tickets_with_missing_change.ticket_id = tickets.ticket_id

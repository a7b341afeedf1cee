-- Grain: one row per ticket known at as_of: its last exported version, and the severity that it was submitted with.
-- A canonical row names the submitted severity. Elsewhere, and where it names none, it is the first one that the history shows: a ticket
-- is submitted with a severity, whoever typed it in.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
ticket_versions as (
  select * from {{ ref('stg_canonical__tickets') }}
  union all select * from {{ ref('stg_zendesk__tickets') }}
  union all select * from {{ ref('stg_servicenow__tickets') }}
),
events as (select * from {{ ref('int_helpdesk__events') }}),
sources as (select * from {{ source('raw', 'sources') }}),

-- A status that nobody maps could be a pause, so such a ticket shows no history of statuses.
tickets_with_unmapped_status as (
  select distinct ticket_id
  from events
  where event_type = 'status_changed' and value not in ('new', 'open', 'pending', 'on_hold', 'solved', 'closed', 'deleted')
),

ranked as (
  select
    ticket_versions.*,
    row_number() over (
      partition by ticket_versions.source, ticket_versions.ticket_id
      -- A version written after as_of speaks only where no earlier one was exported.
      order by
        case when ticket_versions.updated_at <= build_inputs.as_of then 0 else 1 end,
        ticket_versions.update_number desc, ticket_versions.updated_at desc,
        -- One version in two forms, such as a full export and a page without comments: the one that shows more.
        case when ticket_versions.is_messages_observed then 0 else 1 end,
        case when ticket_versions.is_first_response_observed then 0 else 1 end,
        case when ticket_versions.is_resolution_observed then 0 else 1 end,
        ticket_versions.batch_id desc, ticket_versions.line_number desc
    ) as version_rank,
    min(ticket_versions.known_at) over (partition by ticket_versions.source, ticket_versions.ticket_id) as first_known_at
  from ticket_versions
  cross join build_inputs
),

-- A level that is given to a ticket after its end says nothing of the ticket.
ends as (
  select ticket_id, min(event_at) as ended_at from events where event_type in ('merged', 'deleted') group by ticket_id
),

first_severities as (
  select ticket_id, cast(value as integer) as severity
  from (
    select events.ticket_id, events.value, row_number() over (partition by events.ticket_id order by events.event_order) as severity_rank
    from events
    left join ends on ends.ticket_id = events.ticket_id
    where events.event_type = 'severity_changed' and (ends.ended_at is null or events.event_at <= ends.ended_at)
  ) as numbered
  where severity_rank = 1
)

select
  ranked.ticket_id,
  ranked.source,
  ranked.customer_id,
  ranked.requester,
  ranked.opener,
  ranked.channel,
  case when sources.source_type = 'canonical' then coalesce(ranked.severity, first_severities.severity)
    else coalesce(first_severities.severity, ranked.severity) end as severity_submitted,
  ranked.severity_given,
  ranked.subject,
  ranked.ticket_type,
  ranked.ticket_status,
  ranked.is_first_response_observed,
  ranked.is_messages_observed,
  ranked.is_statuses_observed and tickets_with_unmapped_status.ticket_id is null as is_statuses_observed,
  ranked.is_resolution_observed,
  ranked.is_debug_observed,
  ranked.submitted_at,
  {{ epoch_seconds('ranked.submitted_at') }} as submitted_epoch,
  ranked.updated_at,
  ranked.source_file,
  ranked.line_number,
  ranked.batch_id,
  ranked.first_known_at as known_at
from ranked
cross join build_inputs
join sources on sources.source = ranked.source
left join tickets_with_unmapped_status on tickets_with_unmapped_status.ticket_id = ranked.ticket_id
left join first_severities on first_severities.ticket_id = ranked.ticket_id
where ranked.version_rank = 1
  and ranked.submitted_at <= build_inputs.as_of

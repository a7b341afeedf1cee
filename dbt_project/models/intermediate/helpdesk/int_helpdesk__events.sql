-- Grain: one row per event of a ticket known at as_of, each counted once however often it was exported.
-- Of an event that versions of the ticket date differently, the last version speaks. A version that shows the ticket deleted dates the
-- deletion, unless a later one shows the ticket again; of several in a row the first.
-- Within one second the order is: what starts a clock, what stops it, severity, status, the rest (seed ticket_moments), then the event id.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
sources as (select * from {{ source('raw', 'sources') }}),
exported_events as (
  select * from {{ ref('stg_canonical__events') }}
  union all select * from {{ ref('stg_zendesk__events') }}
  union all select * from {{ ref('stg_servicenow__events') }}
),

-- These two have no event of a deletion, only versions of a ticket that is gone.
shown_deletions as (
  select exported_events.*
  from exported_events
  join sources on sources.source = exported_events.source and sources.source_type in ('zendesk', 'freshdesk')
  where exported_events.event_type = 'deleted' and exported_events.event_at = exported_events.written_at
),

ticket_versions as (
  select source, ticket_id, updated_at, batch_id, line_number from {{ ref('stg_canonical__tickets') }}
  union all
  select source, ticket_id, updated_at, batch_id, line_number from {{ ref('stg_zendesk__tickets') }}
),

last_present as (
  select ticket_versions.source, ticket_versions.ticket_id, max(ticket_versions.updated_at) as present_at
  from ticket_versions
  join (select distinct source, ticket_id from shown_deletions) as deleted_tickets
    on deleted_tickets.source = ticket_versions.source and deleted_tickets.ticket_id = ticket_versions.ticket_id
  cross join build_inputs
  left join shown_deletions
    on shown_deletions.batch_id = ticket_versions.batch_id
    and shown_deletions.line_number = ticket_versions.line_number
    and shown_deletions.ticket_id = ticket_versions.ticket_id
  where shown_deletions.event_id is null and ticket_versions.updated_at <= build_inputs.as_of
  group by ticket_versions.source, ticket_versions.ticket_id
),

ranked as (
  select
    exported_events.*,
    row_number() over (
      partition by exported_events.source, exported_events.event_id
      order by
        case when exported_events.written_at > build_inputs.as_of then 1 else 0 end,
        case when exported_events.event_type = 'deleted' then exported_events.written_at end,
        exported_events.written_at desc nulls last, exported_events.batch_id, exported_events.line_number
    ) as copy_rank,
    min(exported_events.known_at) over (partition by exported_events.source, exported_events.event_id) as first_known_at
  from exported_events
  cross join build_inputs
  left join last_present
    on last_present.source = exported_events.source
    and last_present.ticket_id = exported_events.ticket_id
    and exported_events.event_type = 'deleted'
    and exported_events.event_at = exported_events.written_at
    and exported_events.event_at < last_present.present_at
  -- What a later version shows again was not deleted after all.
  where last_present.ticket_id is null
)

select
  ranked.event_id,
  ranked.ticket_id,
  ranked.source,
  sources.source_type,
  ranked.event_type,
  ranked.actor_kind,
  ranked.actor,
  ranked.value,
  ranked.is_public,
  ranked.is_opening,
  ranked.event_at,
  {{ epoch_seconds('ranked.event_at') }} as event_epoch,
  {{ epoch_seconds('ranked.earliest_at') }} as earliest_epoch,
  -- Ids of unequal length are numbers in text: the shorter one is the earlier one.
  row_number() over (
    partition by ranked.ticket_id
    order by ranked.event_at, case when ranked.is_opening then 0 else 1 end, length(ranked.event_id), ranked.event_id
  ) as event_order,
  ranked.source_file,
  ranked.line_number,
  ranked.batch_id,
  ranked.first_known_at as known_at
from ranked
cross join build_inputs
join sources on sources.source = ranked.source
where ranked.copy_rank = 1
  and ranked.event_at <= build_inputs.as_of

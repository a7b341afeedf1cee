-- Grain: one row per event of a ticket known at as_of, each counted once however often it was exported.
-- Within one second the order is: what starts a clock, what stops it, severity, status, the rest (seed ticket_moments), then the event id.
with
build_inputs as (select * from {{ source('raw', 'build_inputs') }}),
sources as (select * from {{ source('raw', 'sources') }}),
exported_events as (
  select * from {{ ref('stg_canonical__events') }}
  union all select * from {{ ref('stg_zendesk__events') }}
  union all select * from {{ ref('stg_servicenow__events') }}
),

ranked as (
  select
    exported_events.*,
    row_number() over (
      partition by exported_events.source, exported_events.event_id order by exported_events.batch_id, exported_events.line_number
    ) as copy_rank,
    min(exported_events.known_at) over (partition by exported_events.source, exported_events.event_id) as first_known_at
  from exported_events
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

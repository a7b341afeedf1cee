-- Grain: one row per change of status or severity, or journal entry, that the export shows.
-- A field history begins with the first change: what the field held before it is what the incident was opened with. Its statuses
-- count where the whole of it bears itself out; its levels always, because a level only adds to what is known.
-- In an audit log the row that first shows a status is the evidence of it; `resolved_at` repeats the last one and is not used.
with
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
bots as (select * from {{ source('raw', 'source_bots') }} where bot_kind = 'actor'),
versions as (select * from {{ ref('stg_servicenow__incident_versions') }}),
histories as (select * from {{ ref('stg_servicenow__histories') }} where is_whole),

field_changes as (
  select changes.*
  from {{ ref('stg_servicenow__field_changes') }} as changes
  left join histories on histories.source = changes.source and histories.ticket_id = changes.ticket_id
  where changes.event_type = 'severity_changed' or histories.ticket_id is not null
),

status_changes as (
  select
    versions.*,
    'status_changed' as event_type,
    versions.mapped_status as event_value,
    case when versions.version_number = 1 then versions.opened_at else versions.updated_at end as event_at
  from versions
  where versions.export_kind = 'audit_log'
    and (versions.previous_status is null or versions.previous_status <> versions.mapped_status)
),

severity_changes as (
  select
    versions.*,
    'severity_changed' as event_type,
    versions.mapped_severity as event_value,
    case when versions.version_number = 1 then versions.opened_at else versions.updated_at end as event_at
  from versions
  where versions.export_kind = 'audit_log'
    and versions.mapped_severity is not null
    and (versions.previous_severity is null or versions.previous_severity <> versions.mapped_severity)
),

-- Beside a field history they say its last changes once more, which stops nothing twice.
resolutions as (
  select versions.*, 'status_changed' as event_type, 'solved' as event_value, versions.resolved_at as event_at
  from versions
  where versions.export_kind = 'rest' and versions.resolved_at is not null
  union all
  select versions.*, 'status_changed' as event_type, 'closed' as event_value, versions.closed_at as event_at
  from versions
  where versions.export_kind = 'rest' and versions.closed_at is not null
),

audited as (
  select field_changes.*, false as is_opening, field_changes.value as event_value, field_changes.changed_at as event_at
  from field_changes
  union all
  select field_changes.*, true as is_opening, field_changes.previous_value as event_value, field_changes.opened_at as event_at
  from field_changes
  where field_changes.change_number = 1
),

numbers as (select distinct source, sys_id, ticket_id from versions where sys_id is not null),

messages as (
  select
    'journal:' || entries.entry_id as event_id,
    sources.ticket_prefix || numbers.ticket_id as ticket_id,
    entries.source,
    entries.created_at as event_at,
    'message' as event_type,
    case when bots.bot_value is not null then 'bot' else entries.actor_kind end as actor_kind,
    entries.author as actor,
    entries.element = 'comments' as is_public,
    cast(null as varchar) as value,
    false as is_opening,
    cast(null as timestamp) as earliest_at,
    cast(null as timestamp) as written_at,
    entries.source_file,
    entries.line_number,
    entries.batch_id,
    batches.landed_at as known_at
  from {{ source('raw', 'servicenow_journal_entries') }} as entries
  join sources on sources.source = entries.source
  join batches on batches.batch_id = entries.batch_id
  join numbers on numbers.source = entries.source and numbers.sys_id = entries.ticket_sys_id
  left join bots on bots.source = entries.source and bots.bot_value = entries.author
  where entries.element in ('comments', 'work_notes')
),

version_changes as (
  select * from status_changes
  union all select * from severity_changes
  union all select * from resolutions
),

changes as (
  select
    -- The same row exported twice is the same event.
    ticket_id || ':' || coalesce(cast(update_number as varchar), '') || ':' || event_type || ':' || event_value as event_id,
    ticket_prefix || ticket_id as ticket_id,
    source, event_at, event_type, event_value,
    version_number = 1 as is_opening,
    source_file, line_number, batch_id, known_at
  from version_changes
  union all
  select
    'audit:' || coalesce(cast(update_number as varchar) || ':', '') || change_id || case when is_opening then ':before' else '' end as event_id,
    ticket_prefix || ticket_id as ticket_id,
    source, event_at, event_type, event_value,
    is_opening,
    source_file, line_number, batch_id, known_at
  from audited
  where event_value is not null
)

select
  event_id,
  ticket_id,
  source,
  event_at,
  event_type,
  'unknown' as actor_kind,
  cast(null as varchar) as actor,
  true as is_public,
  event_value as value,
  is_opening,
  cast(null as timestamp) as earliest_at,
  cast(null as timestamp) as written_at,
  source_file,
  line_number,
  batch_id,
  known_at
from changes
union all
select * from messages

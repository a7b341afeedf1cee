-- Grain: one row per change of status or severity that the export shows.
-- In an audit log the row that first shows a status is the evidence of it; `resolved_at` repeats the last one and is not used.
with
versions as (select * from {{ ref('stg_servicenow__incident_versions') }}),

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

resolutions as (
  select versions.*, 'status_changed' as event_type, 'solved' as event_value, versions.resolved_at as event_at
  from versions
  where versions.export_kind = 'rest' and versions.resolved_at is not null
  union all
  select versions.*, 'status_changed' as event_type, 'closed' as event_value, versions.closed_at as event_at
  from versions
  where versions.export_kind = 'rest' and versions.closed_at is not null
),

changes as (
  select * from status_changes
  union all select * from severity_changes
  union all select * from resolutions
)

select
  -- The same row exported twice is the same event.
  ticket_id || ':' || coalesce(cast(update_number as varchar), '') || ':' || event_type || ':' || event_value as event_id,
  ticket_prefix || ticket_id as ticket_id,
  source,
  event_at,
  event_type,
  'unknown' as actor_kind,
  cast(null as varchar) as actor,
  true as is_public,
  event_value as value,
  version_number = 1 as is_opening,
  cast(null as timestamp) as earliest_at,
  source_file,
  line_number,
  batch_id,
  known_at
from changes

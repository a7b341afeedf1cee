-- Grain: one row per change of an incident's status or level that its field history (sys_audit) shows.
-- One update may write `state` and `incident_state` and means one change; the same row may be exported again. Only the field that
-- sla.yml names is the level. Of a history that may lack rows no status is used: a pause whose end is missing would never end. A history names incidents by the record's own id.
with
field_changes as (select * from {{ source('raw', 'servicenow_field_changes') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),

incidents as (
  select source, sys_id, min(ticket_id) as ticket_id, min(opened_at) as opened_at
  from {{ source('raw', 'servicenow_incidents') }}
  where sys_id is not null
  group by source, sys_id
),

described as (
  select
    field_changes.change_id,
    field_changes.source,
    sources.ticket_prefix,
    incidents.ticket_id,
    incidents.opened_at,
    case when field_changes.field_name in ('state', 'incident_state') then 'status_changed' else 'severity_changed' end as event_type,
    field_changes.field_name,
    case when field_changes.field_name in ('state', 'incident_state')
      then coalesce(old_statuses.mapped_value, field_changes.old_value) else old_severities.mapped_value end as previous_value,
    case when field_changes.field_name in ('state', 'incident_state')
      then coalesce(new_statuses.mapped_value, field_changes.new_value) else new_severities.mapped_value end as value,
    field_changes.changed_at,
    field_changes.source_file,
    field_changes.line_number,
    field_changes.batch_id,
    batches.landed_at as known_at
  from field_changes
  join sources on sources.source = field_changes.source
  join batches on batches.batch_id = field_changes.batch_id
  join incidents on incidents.source = field_changes.source and incidents.sys_id = field_changes.ticket_sys_id
  left join statuses as old_statuses
    on old_statuses.source = field_changes.source and old_statuses.source_value = field_changes.old_value
  left join statuses as new_statuses
    on new_statuses.source = field_changes.source and new_statuses.source_value = field_changes.new_value
  left join severities as old_severities
    on old_severities.source = field_changes.source and old_severities.source_value = field_changes.old_value
  left join severities as new_severities
    on new_severities.source = field_changes.source and new_severities.source_value = field_changes.new_value
  where field_changes.field_name = sources.severity_field
    or (field_changes.field_name in ('state', 'incident_state') and sources.is_audit_whole)
),

ranked as (
  select
    described.*,
    row_number() over (
      partition by described.source, described.ticket_id, described.event_type, described.changed_at, described.value
      order by described.field_name, described.change_id, described.batch_id, described.line_number
    ) as copy_rank
  from described
)

select
  change_id,
  source,
  ticket_prefix,
  ticket_id,
  opened_at,
  event_type,
  previous_value,
  value,
  changed_at,
  row_number() over (partition by source, ticket_id, event_type order by changed_at, length(change_id), change_id) as change_number,
  source_file,
  line_number,
  batch_id,
  known_at
from ranked
where copy_rank = 1

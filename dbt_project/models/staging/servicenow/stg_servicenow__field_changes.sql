-- Grain: one row per change of an incident's status or level that its field history (sys_audit) shows.
-- One update may write `state` and `incident_state` and means one change: `state` counts where it is written at all. The same row may
-- be exported again. Only the field that sla.yml names is the level. A history names incidents by the record's own id.
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

status_fields as (
  select
    source,
    ticket_sys_id,
    case when max(case when field_name = 'state' then 1 else 0 end) = 1 then 'state' else 'incident_state' end as field_name
  from field_changes
  where field_name in ('state', 'incident_state')
  group by source, ticket_sys_id
),

described as (
  select
    field_changes.change_id,
    field_changes.source,
    sources.ticket_prefix,
    incidents.ticket_id,
    incidents.opened_at,
    case when field_changes.field_name in ('state', 'incident_state') then 'status_changed' else 'severity_changed' end as event_type,
    case when field_changes.field_name in ('state', 'incident_state')
      then coalesce(old_statuses.mapped_value, field_changes.old_value) else old_severities.mapped_value end as previous_value,
    case when field_changes.field_name in ('state', 'incident_state')
      then coalesce(new_statuses.mapped_value, field_changes.new_value) else new_severities.mapped_value end as value,
    field_changes.changed_at,
    field_changes.update_number,
    field_changes.source_file,
    field_changes.line_number,
    field_changes.batch_id,
    batches.landed_at as known_at
  from field_changes
  join sources on sources.source = field_changes.source
  join batches on batches.batch_id = field_changes.batch_id
  join incidents on incidents.source = field_changes.source and incidents.sys_id = field_changes.ticket_sys_id
  left join status_fields
    on status_fields.source = field_changes.source and status_fields.ticket_sys_id = field_changes.ticket_sys_id
  left join statuses as old_statuses
    on old_statuses.source = field_changes.source and old_statuses.source_value = field_changes.old_value
  left join statuses as new_statuses
    on new_statuses.source = field_changes.source and new_statuses.source_value = field_changes.new_value
  left join severities as old_severities
    on old_severities.source = field_changes.source and old_severities.source_value = field_changes.old_value
  left join severities as new_severities
    on new_severities.source = field_changes.source and new_severities.source_value = field_changes.new_value
  where field_changes.field_name = sources.severity_field
    or (field_changes.field_name = status_fields.field_name and sources.is_audit_whole)
),

rows_once as (
  select *
  from (
    select
      described.*,
      row_number() over (
        partition by described.source, described.change_id order by described.known_at, described.batch_id, described.line_number
      ) as copy_rank
    from described
  ) as copied
  where copy_rank = 1
),

changes_once as (
  select *
  from (
    select
      rows_once.*,
      row_number() over (
        partition by
          rows_once.source, rows_once.ticket_id, rows_once.event_type, rows_once.changed_at, rows_once.update_number,
          rows_once.previous_value, rows_once.value
        order by rows_once.change_id
      ) as repeated_rank
    from rows_once
  ) as repeated
  where repeated_rank = 1
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
  update_number,
  row_number() over in_order as change_number,
  lag(value) over in_order as value_left,
  source_file,
  line_number,
  batch_id,
  known_at
from changes_once
-- Within one second only the number of the update tells what came first; ids are drawn at random.
window in_order as (
  partition by source, ticket_id, event_type order by changed_at, coalesce(update_number, 0), length(change_id), change_id
)

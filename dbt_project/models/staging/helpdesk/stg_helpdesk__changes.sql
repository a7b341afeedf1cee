-- Grain: one row per exported change and type of event that it stands for; overlapping exports repeat changes.
-- A change is of the status, of the level, of a field that sla.yml declares as an event, or names its event itself. Changes of the group
-- or the assignee decide no verdict and stand in stg_helpdesk__assignments. Most changes of an export are of other fields: they are left
-- out before anything is joined, and several models read what is left, so it is a table.
{{ config(materialized='table') }}
with
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
records as (select * from {{ ref('stg_helpdesk__records') }}),
declared as (select * from {{ source('raw', 'source_events') }}),
severities as (select * from {{ source('raw', 'source_values') }} where mapping = 'severity'),
statuses as (select * from {{ source('raw', 'source_values') }} where mapping = 'status'),
status_fields as (select * from {{ ref('status_fields') }}),
event_types as (select * from {{ ref('event_types') }}),

-- More than is meant: the fields of all sources, by name or id. What each source means is decided below.
meant_fields as (
  select field_name as field from status_fields
  union
  select severity_field_id from sources
  union
  select severity_name from sources
  union
  select replace(field_name, 'custom_field:', '') from declared
),

changes as (
  select *
  from {{ source('raw', 'ticket_changes') }}
  where change_kind in ('date', 'mark')
    or (change_kind = 'event' and field_name not in (select event_type from event_types where evidence = 'assignments'))
    or (change_kind <> 'event' and field_name in (select field from meant_fields where field is not null))
    or (change_kind <> 'event' and field_id in (select field from meant_fields where field is not null))
),

follow_ups as (
  select distinct source, ticket_id from {{ source('raw', 'ticket_versions') }} where is_follow_up
),

named as (
  select
    changes.*,
    coalesce(changes.ticket_id, records.ticket_id) as exported_ticket_id,
    sources.ticket_prefix,
    sources.has_own_levels,
    sources.is_audit_whole,
    sources.severity_field_id,
    sources.severity_name,
    batches.landed_at as known_at,
    -- A custom field may have the name of a field of the system, so without an id it has only the name that sla.yml declares.
    case
      when changes.field_id is not null then changes.field_id
      when changes.is_custom_field and changes.field_name = sources.severity_name then sources.severity_field_id
      when changes.is_custom_field then null
      else changes.field_name
    end as field
  from changes
  join sources on sources.source = changes.source
  join batches on batches.batch_id = changes.batch_id
  left join records on records.source = changes.source and records.record_id = changes.record_id
  where coalesce(changes.ticket_id, records.ticket_id) is not null
),

-- One update may write two fields of a status and means one change: the field of the lower precedence counts where it is written at all.
ranked_fields as (
  select named.source, named.exported_ticket_id, min(status_fields.precedence) as precedence
  from named
  join status_fields on status_fields.field_name = named.field
  where named.change_kind in ('created', 'changed') and status_fields.precedence > 1
  group by named.source, named.exported_ticket_id
),

status_changes as (
  select named.*, 'status_changed' as event_type, true as is_marked, false as was_marked
  from named
  join status_fields on status_fields.field_name = named.field
  left join ranked_fields on ranked_fields.source = named.source and ranked_fields.exported_ticket_id = named.exported_ticket_id
  where named.change_kind in ('created', 'changed', 'date')
    and (status_fields.precedence = 1 or (status_fields.precedence = ranked_fields.precedence and named.is_audit_whole))
),

severity_changes as (
  select named.*, 'severity_changed' as event_type, true as is_marked, false as was_marked
  from named
  where named.change_kind in ('created', 'changed') and named.field = named.severity_field_id
),

-- A mark that is set stands for its event; taken off again, it takes the event back. What a follow-up was created with is of the ticket before.
declared_changes as (
  select
    named.*,
    declared.event_type,
    case
      when named.field_name in ('tags', 'labels') then {{ json_list_contains('named.value', 'declared.field_value') }}
      else coalesce(named.value = declared.field_value, false)
    end as is_marked,
    case
      when named.field_name in ('tags', 'labels') then {{ json_list_contains('named.value_before', 'declared.field_value') }}
      else coalesce(named.value_before = declared.field_value, false)
    end as was_marked
  from named
  join declared
    on declared.source = named.source
    and replace(declared.field_name, 'custom_field:', '') in (named.field_name, named.field_id)
  left join follow_ups on follow_ups.source = named.source and follow_ups.ticket_id = named.exported_ticket_id
  where named.change_kind in ('created', 'changed')
    and not (named.change_kind = 'created' and follow_ups.ticket_id is not null)
),

-- Of a mapped date in the ticket's own record, and of an event, the export names the type itself.
stated_events as (
  select named.*, named.field_name as event_type, true as is_marked, false as was_marked
  from named
  where named.change_kind in ('event', 'mark') or (named.change_kind = 'date' and named.field <> 'status')
),

typed as (
  select * from status_changes
  union all select * from severity_changes
  union all select * from declared_changes where is_marked <> was_marked
  union all select * from stated_events
)

select
  case
    when typed.change_kind in ('event', 'date', 'mark') then typed.change_id
    -- A mark of a bug that is taken off rejects it; a mark for the rejection set by the same change says nothing more.
    when typed.was_marked and typed.event_type = 'bug_confirmed' then typed.change_id || ':bug_rejected'
    else typed.change_id || ':' || typed.event_type
  end as event_id,
  typed.source,
  typed.exported_ticket_id,
  typed.ticket_prefix || typed.exported_ticket_id as ticket_id,
  typed.change_kind,
  typed.event_type,
  case
    when typed.event_type = 'status_changed' then coalesce(statuses.mapped_value, typed.value)
    when typed.event_type = 'severity_changed' then coalesce(severities.mapped_value, case when typed.has_own_levels then typed.value end)
    when typed.event_type = 'merged' and typed.change_kind in ('event', 'date') then typed.ticket_prefix || typed.value
    when typed.change_kind in ('event', 'date') then typed.value
  end as value,
  case
    when typed.event_type = 'status_changed' then coalesce(statuses_before.mapped_value, typed.value_before)
    when typed.event_type = 'severity_changed' then coalesce(severities_before.mapped_value, case when typed.has_own_levels then typed.value_before end)
  end as value_before,
  -- What stands there before it is mapped: a level without a mapping is none.
  case when typed.event_type = 'severity_changed' then typed.value end as word,
  typed.was_marked as is_withdrawal,
  typed.is_audit_whole,
  coalesce(typed.is_public, true) as is_public,
  typed.channel,
  typed.author_id,
  typed.author_kind,
  typed.author_address,
  typed.author_role,
  typed.updater_id,
  typed.earliest_at,
  typed.changed_at as event_at,
  coalesce(typed.moves_with_submission, false) as moves_with_submission,
  typed.update_id,
  typed.update_number,
  typed.place,
  typed.version_at,
  typed.source_file,
  typed.line_number,
  typed.batch_id,
  typed.known_at
from typed
left join statuses
  on typed.event_type = 'status_changed' and statuses.source = typed.source and statuses.source_value = typed.value
left join statuses as statuses_before
  on typed.event_type = 'status_changed' and statuses_before.source = typed.source and statuses_before.source_value = typed.value_before
left join severities
  on typed.event_type = 'severity_changed' and severities.source = typed.source and severities.source_value = typed.value
left join severities as severities_before
  on typed.event_type = 'severity_changed' and severities_before.source = typed.source and severities_before.source_value = typed.value_before

-- Grain: one row per exported change of the group or the assignee of a ticket; overlapping exports repeat changes.
-- A field that holds either is a row of the seed assignment_fields; some exports name the event itself. Null is unassigned.
with
changes as (select * from {{ source('raw', 'ticket_changes') }}),
sources as (select * from {{ ref('stg_helpdesk__sources') }}),
batches as (select * from {{ source('raw', 'batches') }}),
records as (select * from {{ ref('stg_helpdesk__records') }}),
event_types as (select * from {{ ref('event_types') }} where evidence = 'assignments'),
fields as (select * from {{ ref('assignment_fields') }}),

typed as (
  select changes.*, event_types.event_type
  from changes
  join event_types on event_types.event_type = changes.field_name
  where changes.change_kind = 'event'
  union all
  select changes.*, fields.event_type
  from changes
  -- A custom field may have the name of a field of the system.
  join fields on fields.field_name = coalesce(changes.field_id, case when not coalesce(changes.is_custom_field, false) then changes.field_name end)
  where changes.change_kind in ('created', 'changed')
)

select
  typed.change_id || ':' || typed.event_type as event_id,
  typed.source,
  sources.ticket_prefix || coalesce(typed.ticket_id, records.ticket_id) as ticket_id,
  typed.event_type,
  nullif(trim(typed.value), '') as value,
  nullif(trim(typed.value_before), '') as value_before,
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
  batches.landed_at as known_at
from typed
join sources on sources.source = typed.source
join batches on batches.batch_id = typed.batch_id
left join records on records.source = typed.source and records.record_id = typed.record_id
where coalesce(typed.ticket_id, records.ticket_id) is not null

-- Grain: one row per change of a status or level that two successive updates of a ticket show, where the export has one row per update.
-- Such a log is not in order of time: the number of the update is the order, the time of the update decides between equal numbers.
with
updates as (
  select
    versions.*,
    row_number() over of_ticket as version_number,
    lag(ticket_status) over of_ticket as status_before,
    lag(severity) over of_ticket as severity_before
  from {{ ref('int_helpdesk__versions') }} as versions
  where version_kind = 'update'
  window of_ticket as (partition by source, ticket_id order by update_number, updated_at, batch_id, line_number)
),

changes as (
  select updates.*, 'status_changed' as event_type, ticket_status as value
  from updates
  where status_before is null or status_before <> ticket_status
  union all
  select updates.*, 'severity_changed' as event_type, cast(severity as varchar) as value
  from updates
  where severity is not null and (severity_before is null or severity_before <> severity)
)

select
  -- The same row exported twice is the same event.
  exported_ticket_id || ':' || coalesce(cast(exported_update_number as varchar), '') || ':' || event_type || ':' || value as event_id,
  source,
  ticket_id,
  event_type,
  value,
  version_number = 1 as is_opening,
  case when version_number > 1 and latest_updated_at > updated_at then updated_at end as earliest_at,
  case when version_number = 1 then submitted_at else latest_updated_at end as event_at,
  source_file,
  line_number,
  batch_id,
  known_at
from changes

-- Grain: one row per change of a status or level that two successive updates of a ticket show, where the export has one row per update.
-- Such a log is not in order of time: the number of the update is the order, the time of the update decides between equal numbers, the
-- row between equal times of one file.
with
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }} where version_kind = 'update'),

-- The same row exported twice is the same update.
rows_once as (
  select
    versions.*,
    row_number() over (
      partition by source, ticket_id, exported_update_number, updated_at, ticket_status, severity order by batch_id, line_number
    ) as copy_rank
  from versions
),

updates as (
  select
    rows_once.*,
    row_number() over of_ticket as version_number,
    lag(ticket_status) over of_ticket as status_before,
    lag(severity) over of_ticket as severity_before
  from rows_once
  where copy_rank = 1
  window of_ticket as (
    partition by source, ticket_id order by update_number, updated_at, line_number, coalesce(ticket_status, ''), coalesce(severity, -1)
  )
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
  -- Without a number a status that returns is told apart by the instant of its update.
  exported_ticket_id || ':' || coalesce(cast(exported_update_number as varchar), cast(updated_at as varchar)) || ':' || event_type || ':' || value
    as event_id,
  source,
  ticket_id,
  event_type,
  value,
  version_number = 1 as is_opening,
  case when version_number = 1 then submitted_at else updated_at end as event_at,
  exported_update_number as update_number,
  source_file,
  line_number,
  batch_id,
  known_at
from changes

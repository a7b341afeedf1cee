-- Grain: one row per change of a status or level that two successive updates of a ticket show, where the export has one row per update.
-- Such a log is not in order of time: the number of the update is the order, the time of the update decides between equal numbers, the
-- row between equal times of one file.
with
phases as (select * from {{ ref('ticket_statuses') }}),
versions as (select * from {{ ref('stg_helpdesk__ticket_versions') }} where version_kind = 'update'),

-- The same row exported twice is the same update.
rows_once as (
  select
    versions.*,
    row_number() over (
      partition by source, ticket_id, exported_update_number, updated_at, ticket_status, severity
      order by batch_id nulls last, line_number nulls last, place nulls last
    ) as copy_rank
  from versions
),

-- A row without a status or level says nothing of it.
shown as (
  {%- for event_type, column in [('status_changed', 'ticket_status'), ('severity_changed', 'cast(severity as string)')] %}
  select rows_once.*, '{{ event_type }}' as event_type, {{ column }} as value
  from rows_once
  where copy_rank = 1 and {{ column }} is not null
  {%- if not loop.last %}
  union all
  {%- endif %}
  {%- endfor %}
),

changes as (
  select
    shown.*,
    phases.phase,
    row_number() over of_ticket as version_number,
    lag(value) over of_ticket as value_before
  from shown
  left join phases on shown.event_type = 'status_changed' and phases.ticket_status = shown.value
  window of_ticket as (
    partition by source, ticket_id, event_type
    order by update_number nulls last, updated_at nulls last, line_number nulls last, place nulls last, value nulls last
  )
)

select
  -- Without a number a status that returns is distinguished by the instant of its update.
  exported_ticket_id || ':' || coalesce(cast(exported_update_number as string), cast(updated_at as string)) || ':' || event_type || ':' || value
    as event_id,
  source,
  ticket_id,
  event_type,
  value,
  -- A ticket is opened with a status in which its vendor works; that it waits or has ended is known from its row on.
  version_number = 1 and coalesce(phase, 'running') = 'running' as is_opening,
  case when not (version_number = 1 and coalesce(phase, 'running') = 'running') and latest_updated_at > updated_at then updated_at end as earliest_at,
  case when version_number = 1 and coalesce(phase, 'running') = 'running' then submitted_at else latest_updated_at end as event_at,
  exported_update_number as update_number,
  place,
  source_file,
  line_number,
  batch_id,
  known_at
from changes
where value_before is null or value_before <> value

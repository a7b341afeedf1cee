-- Grain: one row per change of a ticket's status or level in its history, once however often it was exported, in order.
-- Within one instant the order is that of the export: the number of the update, its id, the place in it, the id of the change.
with
acts as (
  select * from {{ ref('int_helpdesk__acts') }}
  where event_type in ('status_changed', 'severity_changed') and act_kind in ('created', 'changed', 'event')
),

copies as (
  select acts.*, row_number() over (partition by source, event_id order by batch_id, line_number) as copy_rank
  from acts
),

-- One numbered update makes a change once, also where two rows of the export say it.
repeated as (
  select
    copies.*,
    case when update_number is null then 1 else
      row_number() over (
        partition by source, ticket_id, event_type, event_at, update_number, value_before, value order by event_id
      )
    end as repeated_rank
  from copies
  where copy_rank = 1
)

select
  event_id,
  source,
  ticket_id,
  event_type,
  act_kind,
  event_at,
  value_before,
  value,
  row_number() over in_order as step_number,
  lag(value) over in_order as value_left,
  source_file,
  line_number,
  batch_id,
  known_at
from repeated
where repeated_rank = 1
window in_order as (
  partition by source, ticket_id, event_type
  order by event_at, coalesce(update_number, 0), length(update_id), update_id, place, length(event_id), event_id
)

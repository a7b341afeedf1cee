-- Grain: one row per change of a status or level that a mapped source's history shows, however often it was exported.
-- A history may say what each change began with: the first one then tells what the ticket was submitted with, and a later one that does not
-- begin with what the one before left shows that a row between them is missing, or that their order within one second is not known.
with
events as (select * from {{ source('raw', 'canonical_events') }}),
sources as (select * from {{ source('raw', 'sources') }} where source_type = 'mapped'),

rows_once as (
  select *
  from (
    select
      events.*,
      sources.ticket_prefix,
      row_number() over (partition by events.source, events.event_id order by events.batch_id, events.line_number) as copy_rank
    from events
    join sources on sources.source = events.source
    where events.event_type in ('status_changed', 'severity_changed')
      and events.evidence_kind = 'recorded'
  ) as copied
  where copy_rank = 1
)

select
  source,
  ticket_id,
  ticket_prefix,
  event_id,
  event_type,
  event_at,
  value_before,
  value,
  row_number() over in_order as change_number,
  lag(value) over in_order as value_left,
  source_file,
  line_number,
  batch_id
from rows_once
-- The order of int_helpdesk__events.
window in_order as (partition by source, ticket_id, event_type order by event_at, length(event_id), event_id)

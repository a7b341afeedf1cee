-- Grain: one row per exported figure that a vendor computed itself; overlapping exports repeat figures.
-- They are kept to be compared with ours. No figure of ours reads them.
with
figures as (select * from {{ source('raw', 'vendor_sla_figures') }}),
sources as (select * from {{ source('raw', 'sources') }}),
batches as (select * from {{ source('raw', 'batches') }})

select
  figures.source,
  figures.ticket_id as exported_ticket_id,
  sources.ticket_prefix || figures.ticket_id as ticket_id,
  figures.figure,
  figures.obligation,
  coalesce(figures.cycle_number, 1) as cycle_number,
  figures.figure_kind,
  figures.clock_kind,
  figures.they_seconds,
  coalesce(figures.unit_seconds, 1) as unit_seconds,
  figures.they_breached,
  figures.goal_seconds,
  figures.they_started_at,
  figures.they_stopped_at,
  figures.read_at,
  figures.source_file,
  figures.line_number,
  figures.batch_id,
  batches.landed_at as known_at
from figures
join sources on sources.source = figures.source
join batches on batches.batch_id = figures.batch_id
